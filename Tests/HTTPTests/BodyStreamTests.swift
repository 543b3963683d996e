import Platform
import Testing

@testable import HTTP

/// Bodies that are made while they are sent, and clients that take nothing.
struct BodyStreamTests {
    private func get(_ path: String, _ rest: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(rest)\r\n"
    }

    /// What a hundred slices come to.
    private var whole: [UInt8] {
        (1...100).flatMap { [UInt8](repeating: UInt8(ascii: "a") + UInt8($0 % 26), count: 1 << 20) }
    }

    /// The body of chunks of a megabyte, and what follows it.
    private func unchunked(_ bytes: [UInt8]) -> (body: [UInt8], rest: [UInt8])? {
        var body: [UInt8] = []
        var place = 0
        let head = Array("100000\r\n".utf8)
        while bytes[place...].starts(with: head) {
            place += head.count
            body += bytes[place..<place + (1 << 20)]
            place += 1 << 20
            guard bytes[place...].starts(with: "\r\n".utf8) else { return nil }
            place += 2
        }
        guard bytes[place...].starts(with: "0\r\n\r\n".utf8) else { return nil }
        return (body, Array(bytes[(place + 5)...]))
    }

    private func afterHead(_ bytes: [UInt8]) -> [UInt8] {
        let end = bytes.indices.dropLast(3).first {
            bytes[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8)
        }
        return end.map { Array(bytes[($0 + 4)...]) } ?? []
    }

    @Test("a stream arrives whole in chunks, and the answers after it follow in order")
    func chunked() throws {
        let test = try TestServer()
        let client = try test.client()
        client.send(get("/stream") + get("/after", "Connection: close\r\n"))
        let all = client.rest()
        #expect(!all.isReset)
        let (body, rest) = try #require(unchunked(afterHead(all.bytes)))
        #expect(body == whole)
        #expect(String(decoding: rest, as: UTF8.self).hasSuffix("GET /after "))
        test.record.waitForDrops(1)
        let answered = test.record.answered.withLock { $0 }
        #expect(answered.count == 2)
        #expect(answered.first.map { $0.bytes > 100 << 20 } == true)
    }

    @Test("HTTP/1.0 gets a stream without chunks, and its end by the connection's")
    func oldClient() throws {
        let test = try TestServer()
        let client = try test.client()
        client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let all = client.rest()
        #expect(!all.isReset)
        #expect(afterHead(all.bytes) == whole)
    }

    @Test("HEAD of a stream makes no slice")
    func headOnly() throws {
        let test = try TestServer()
        let client = try test.client()
        client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/after"))
        #expect(client.answer(toHead: true)?.header("transfer-encoding") == "chunked")
        #expect(client.answer()?.text == "GET /after ")
        #expect(test.record.slices.withLock { $0 } == 0)
    }

    @Test("a stream that cannot go on is reset, so that no part of it passes for the whole")
    func brokenOff() throws {
        let test = try TestServer()
        let client = try test.client()
        client.send(get("/broken"))
        let all = client.rest()
        #expect(all.isReset)
        #expect(unchunked(afterHead(all.bytes) + [0]) == nil)
        test.record.waitForDrops(1)
    }

    @Test("slices are made only as the client takes them, and no more once it is gone")
    func pulled() throws {
        let test = try TestServer()
        let client = try test.client()
        client.setReceiveBuffer(65_536)
        client.send(get("/stream"))
        // Others are served meanwhile.
        for _ in 0..<50 {
            let other = try test.client()
            other.send(get("/b"))
            #expect(other.answer()?.text == "GET /b ")
        }
        #expect(test.record.slices.withLock { $0 } < 20)
        client.endSending()
        #expect(unchunked(afterHead(client.rest().bytes))?.body.count == 100 << 20)
        do {
            let gone = try test.client()
            gone.send(get("/stream"))
            #expect(test.record.slices.withLock { $0 } < 120)
        }
        // Of the whole one and of the one whose client is gone.
        test.record.waitForDrops(2)
    }

    @Test("a connection that takes nothing is answered no further request; others are")
    func hoarder() throws {
        let test = try TestServer()
        let hoarder = try test.client()
        hoarder.setReceiveBuffer(4096)
        hoarder.send((0..<8).map { _ in get("/shared") }.joined())
        for _ in 0..<10 {
            let other = try test.client()
            other.send(get("/b"))
            #expect(other.answer()?.text == "GET /b ")
        }
        // A shared body costs nothing while it waits.
        #expect(test.server.statistics.requests == 11)
        #expect(test.server.statistics.unsentBytes == 0)
        for _ in 0..<8 { #expect(hoarder.answer()?.body.count == 1 << 20) }
    }

    @Test("beyond the budget of unsent bytes the slowest readers are closed, and memory is free")
    func budget() throws {
        let test = try TestServer { $0.unsentBytesMax = 8 << 20 }
        let hoarders = try (0..<12).map { _ in
            let client = try test.client()
            client.setReceiveBuffer(4096)
            client.send(get("/big"))
            return client
        }
        let reader = try test.client()
        for _ in 0..<4 {
            reader.send(get("/big"))
            #expect(reader.answer()?.body.count == 1 << 20)
        }
        let statistics = test.server.statistics
        #expect(statistics.slowReadersClosed >= 4)
        #expect(statistics.unsentBytes <= 8 << 20)
        var whole = 0
        for client in hoarders where client.answer()?.body.count == 1 << 20 { whole += 1 }
        #expect((1..<12).contains(whole))
    }
}
