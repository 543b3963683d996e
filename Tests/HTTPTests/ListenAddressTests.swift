import Glibc
import Platform
import Testing

@testable import HTTP

@Test(
    "an address in text is understood or refused",
    arguments: [
        ("127.0.0.1:8080", .tcp(host: "127.0.0.1", port: 8080)),
        ("[::1]:0", .tcp(host: "::1", port: 0)),
        ("localhost:65535", .tcp(host: "localhost", port: 65_535)),
        ("unix:/run/a.sock", .unix(path: "/run/a.sock", mode: 0o660)),
        ("127.0.0.1", nil), ("127.0.0.1:", nil), (":80", nil), ("::1:80", nil), ("[a]:80", nil),
        ("a:65536", nil), ("a:-1", nil), ("a:99999999999999999999", nil), ("unix:a", nil),
        ("", nil),
    ] as [(String, ListenAddress?)])
func listenAddress(_ text: String, _ address: ListenAddress?) {
    #expect(ListenAddress(text) == address)
}

private func temporaryPath() -> String {
    "/tmp/referrald-http-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).sock"
}

@Test("a Unix-domain socket serves, tells the user, has its mode, and leaves no file")
func unixSocket() throws {
    let path = temporaryPath()
    var test: TestServer? = try TestServer([.unix(path: path, mode: 0o600)], loops: 2)
    #expect(test?.server.addresses == ["unix:\(path)"])
    var facts = stat()
    #expect(stat(path, &facts) == 0)
    #expect(facts.st_mode & 0o777 == 0o600)
    let client = try RawClient(unixPath: path)
    client.send("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.text == "unix:\(getuid()) 0")
    test = nil
    #expect(stat(path, &facts) != 0)
}

@Test("a socket file that nobody listens on is replaced, a live one or another file is not")
func staleSocket() throws {
    let path = temporaryPath()
    defer { unlink(path) }
    let address = try #require(SocketAddress(unixPath: path))
    do {
        let dead = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        #expect(address.withPointer { bind(dead.number, $0, $1) } == 0)
    }
    var test: TestServer? = try TestServer([.unix(path: path, mode: 0o600)])
    #expect(throws: SystemError("bind", code: EADDRINUSE)) {
        try TestServer([.unix(path: path, mode: 0o600)])
    }
    #expect(test?.server.ports == [0])
    test = nil
    let file = FileDescriptor(owning: creat(path, 0o600))
    #expect(file.number >= 0)
    #expect(throws: SystemError("bind", code: EADDRINUSE)) {
        try TestServer([.unix(path: path, mode: 0o600)])
    }
}

private func hasIPv6() -> Bool {
    guard let address = SocketAddress(host: "::1", port: 0) else { return false }
    let probe = FileDescriptor(owning: socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0))
    return address.withPointer { bind(probe.number, $0, $1) } == 0
}

@Test("IPv6 serves, and takes IPv4 as IPv4", .enabled(if: hasIPv6()))
func ipv6() throws {
    let test = try TestServer([.tcp(host: "::", port: 0)])
    let port = test.server.ports[0]
    #expect(test.server.addresses == ["[::]:\(port)"])
    let six = try RawClient(port: port, host: "::1")
    six.send("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(six.answer()?.text == "::1 0")
    let four = try RawClient(port: port)
    four.send("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(four.answer()?.text == "127.0.0.1 0")
}

@Test("each listener has its index")
func listenerIndex() throws {
    let path = temporaryPath()
    let test = try TestServer([.unix(path: path, mode: 0o600), .tcp(host: "localhost", port: 0)])
    let client = try RawClient(port: test.server.ports[1])
    client.send("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.text == "127.0.0.1 1")
}

@Test("an inherited socket serves")
func inherited() throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #expect(address.withPointer { bind(number, $0, $1) } == 0)
    #expect(listen(number, 10) == 0)
    let test = try TestServer([.inherited(number)], loops: 2)
    let client = try test.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.status == 200)
}

@Test("an address in use is told at the start")
func addressInUse() throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let taken = FileDescriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    #expect(address.withPointer { bind(taken.number, $0, $1) } == 0)
    let port = SocketAddress(boundOf: taken.number).port
    #expect(throws: SystemError("bind", code: EADDRINUSE)) {
        try TestServer([.tcp(host: "127.0.0.1", port: port)])
    }
}

@Test("a port on which another server listens is not shared with it", arguments: [1, 2])
func portNotShared(_ loops: Int) throws {
    let test = try TestServer(loops: loops)
    #expect(throws: SystemError("bind", code: EADDRINUSE)) {
        try TestServer([.tcp(host: "127.0.0.1", port: test.server.ports[0])], loops: 2)
    }
    #expect(throws: SystemError("bind", code: EADDRINUSE)) {
        try TestServer([.tcp(host: "127.0.0.1", port: test.server.ports[0])], loops: 1)
    }
}

@Test("a handler that cannot be made is told at the start")
func handlerFailure() throws {
    let record = try Record()
    #expect(throws: SystemError("open", code: ENOENT)) {
        try Server(
            configuration: ServerConfiguration(
                listeners: [.tcp(host: "127.0.0.1", port: 0)], loops: 2)
        ) { index in
            if index == 1 { throw SystemError("open", code: ENOENT) }
            return EchoHandler(record)
        }
    }
}
