import Foundation
import Glibc
import HTTP
import JSON
import Model
import Platform
import Testing

@testable import App

/// The real service on a temporary database and a free port of loopback, for one test.
final class TestService: Sendable {
    let folder: URL
    let service: Service
    let clock: TestClock
    let key: String
    let port: UInt16

    /// `path` reopens a database that an earlier service left.
    init(folder: URL? = nil, clock: TestClock = TestClock(), flags: [String: String] = [:]) throws {
        self.clock = clock
        self.folder =
            folder
            ?? FileManager.default.temporaryDirectory.appending(
                path: "referrald-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: self.folder, withIntermediateDirectories: true)
        var all = [
            "--listen": "127.0.0.1:0", "--threads": "2", "--form-posts": "0",
            "--database": self.folder.appending(path: "test.db").path,
        ]
        all.merge(flags) { $1 }
        let key = "rk_test_" + String(repeating: "k", count: 24)
        self.key = key
        let configuration = try Configuration(
            flags: all, environment: ["REFERRALD_ADMIN_KEY": key])
        service = try Service(
            configuration, clock: clock.clock, log: Log(access: .none, output: STDERR_FILENO))
        port = UInt16(service.addresses.first?.split(separator: ":").last ?? "") ?? 0
    }

    /// Stops cleanly and, unless told to keep it, deletes the database.
    func stop(keepingFiles: Bool = false) {
        service.stop()
        if !keepingFiles { try? FileManager.default.removeItem(at: folder) }
    }

    /// Sends one request on a connection of its own, with the admin key unless another or none is
    /// given, and holds a success to the route's contract.
    @discardableResult
    func send(
        _ method: String, _ target: String, _ body: JSONValue? = nil, key: String? = "admin",
        headers: [(String, String)] = []
    ) throws -> TestAnswer {
        var all = headers
        if body != nil, !headers.contains(where: { $0.0 == "Content-Type" }) {
            all.append(("Content-Type", "application/json"))
        }
        return try sendBytes(method, target, body?.encoded(), key: key, headers: all)
    }

    /// Sends a body as it is.
    @discardableResult
    func sendBytes(
        _ method: String, _ target: String, _ body: [UInt8]?, key: String? = "admin",
        headers: [(String, String)] = []
    ) throws -> TestAnswer {
        var all = headers
        if let key { all.append(("Authorization", "Bearer \(key == "admin" ? self.key : key)")) }
        let answer = try TestConnection.exchange(
            port: port, method: method, target: target, headers: all, body: body)
        checkContract(method, target, answer)
        return answer
    }

    func get(_ target: String, key: String? = "admin") throws -> TestAnswer {
        try send("GET", target, key: key)
    }

    @discardableResult
    func post(_ target: String, _ body: JSONValue = [:], key: String? = "admin") throws
        -> TestAnswer
    {
        try send("POST", target, body, key: key, headers: [("Idempotency-Key", UUID().uuidString)])
    }

    /// Posts and returns the id of what was made.
    func make(_ target: String, _ body: JSONValue) throws -> String {
        let answer = try post(target, body)
        #expect((200..<300).contains(answer.status), "\(target): \(answer.text)")
        return try #require(answer.json["id"]?.stringValue)
    }

    private func checkContract(_ method: String, _ target: String, _ answer: TestAnswer) {
        let path = String(target.split(separator: "?")[0])
        guard let method = Method(rawValue: method), method != .head,
            case .found(let index, _) = service.app.router.match(method, path: path)
        else { return }
        let contract = service.app.routes.endpoints[index].about
        if answer.status >= 400 {
            #expect(
                answer.header("content-type") == "application/problem+json"
                    || answer.header("content-type")?.hasPrefix("text/html") == true
                    || path.hasPrefix("/r/"))
        } else if let schema = contract.answer, answer.header("content-type") == "application/json"
        {
            let faults = schema.faults(in: .object(answer.json))
            #expect(faults.isEmpty, "\(method) \(path): \(faults) in \(answer.text)")
        }
    }
}

/// A clock that tests move.
final class TestClock: Sendable {
    private let offset = Locked<Int64>(0)

    var clock: Clock {
        Clock { [self] in Clock.system.now().advanced(byMilliseconds: offset.withLock { $0 }) }
    }

    func advance(days: Int64) { advance(hours: 24 * days) }
    func advance(hours: Int64) { advance(seconds: 3_600 * hours) }
    func advance(seconds: Int64) { offset.withLock { $0 += seconds * 1_000 } }
}

/// One answer as it came.
struct TestAnswer: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var json: JSONObject { (try? JSONValue.parse(body))?.objectValue ?? [:] }
    var text: String { String(decoding: body, as: UTF8.self) }

    /// A member by its path, such as `amount.currency`.
    subscript(path: String) -> JSONValue? {
        var value: JSONValue? = .object(json)
        for name in path.split(separator: ".") {
            if let index = Int(name), let list = value?.arrayValue {
                value = list.indices.contains(index) ? list[index] : nil
            } else {
                value = value?.objectValue?[String(name)]
            }
        }
        return value
    }
}

/// One request and its answer over a TCP connection of its own.
enum TestConnection {
    static func exchange(
        port: UInt16, method: String, target: String, headers: [(String, String)], body: [UInt8]?
    ) throws -> TestAnswer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + (body ?? [])
        return try parse(raw(port: port, bytes), isHead: method == "HEAD")
    }

    /// Sends `bytes` over a connection of their own and returns all that comes back.
    static func raw(port: UInt16, _ bytes: [UInt8]) throws -> [UInt8] {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let descriptor = FileDescriptor(owning: number)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
        var wait = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        let sent = bytes.withUnsafeBytes {
            Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        try #require(sent == bytes.count)
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor.number, &chunk, chunk.count, 0)
            if count <= 0 { break }
            answer += chunk[..<count]
        }
        return answer
    }

    private static func parse(_ bytes: [UInt8], isHead: Bool) throws -> TestAnswer {
        let end = Array("\r\n\r\n".utf8)
        let start = try #require(
            bytes.indices.dropLast(3).first { bytes[$0..<($0 + 4)].elementsEqual(end) })
        let lines = String(decoding: bytes[..<start], as: UTF8.self).components(separatedBy: "\r\n")
        let status = try #require(Int(lines[0].split(separator: " ")[1]))
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (
                String(line[..<colon]),
                line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
            )
        }
        var body = Array(bytes[(start + 4)...])
        if headers.contains(where: { $0.name.lowercased() == "transfer-encoding" }), !isHead {
            body = try unchunked(body)
        }
        return TestAnswer(status: status, headers: headers, body: body)
    }

    /// RFC 9112 section 7.1; throws when the last chunk is missing.
    private static func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes[...]
        while true {
            let line = try #require(rest.firstIndex(of: 13))
            let size = try #require(Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16))
            rest = rest[(line + 2)...]
            if size == 0 { return body }
            try #require(rest.count >= size + 2)
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
    }
}
