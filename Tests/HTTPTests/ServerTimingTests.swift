import Platform
import Testing

@testable import HTTP

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let later = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

@Test("a deferred answer that is late is given by the loop, and the real one is dropped")
func lateAnswer() throws {
    let test = try TestServer()
    let client = try test.client()
    let start = MonotonicInstant.now()
    client.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try #require(client.answer())
    #expect(answer.header("location") == "/instead")
    #expect(MonotonicInstant.now().seconds(since: start) >= 0.02)
    test.record.replies.withLock { $0.first }?.send(.text(200, "too late"))
    client.send(get)
    #expect(client.answer()?.text == "GET / ")
    #expect(test.server.statistics.answersLate == 1)
}

@Test("late answers keep their place in the order")
func lateInOrder() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(later + "GET /late HTTP/1.1\r\nHost: a\r\n\r\n" + get)
    // The loop's own answer waits behind the first.
    let reply = try #require(test.nextReply())
    let other = try test.client()
    other.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(other.answer()?.status == 302)
    reply.send(.text(200, "first"))
    #expect(client.answer()?.text == "first")
    #expect(client.answer()?.status == 302)
    #expect(client.answer()?.text == "GET / ")
}

@Test("a head that does not come to its end is answered 408")
func slowHead() throws {
    let test = try TestServer { $0.headerSeconds = 0.2 }
    let client = try test.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n")
    #expect(client.answer()?.status == 408)
    client.endSending()
    #expect(client.isEnded())
    #expect(test.server.statistics.timeouts == 1)
}

@Test("a body that does not come to its end is answered 408")
func slowBody() throws {
    let test = try TestServer { $0.bodySeconds = 0.2 }
    let client = try test.client()
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
    #expect(client.answer()?.status == 408)
}

@Test("a resting connection is closed without a word")
func idle() throws {
    let test = try TestServer { $0.idleSeconds = 0.2 }
    let client = try test.client()
    client.send(get)
    #expect(client.answer()?.status == 200)
    #expect(client.isEnded())
    #expect(test.server.statistics.timeouts == 0)
}

@Test("a client that does not take its answer is cut off")
func stuckReader() throws {
    let test = try TestServer {
        $0.writeSeconds = 0.2
        $0.progressBytesPerSecondMin = 1 << 30
    }
    let client = try test.client()
    client.setReceiveBuffer(4096)
    client.send((0..<40).map { _ in "GET /big HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
    let other = try test.client()
    // Requests on another connection until the counter shows it: the loop is not held up meanwhile.
    while test.server.statistics.timeouts == 0 {
        other.send(get)
        #expect(other.answer()?.status == 200)
    }
    var answers = 0
    while client.answer() != nil { answers += 1 }
    #expect(answers < 40)
    #expect(!client.timedOut)
}

@Test("a handler that never answers is answered for")
func neverAnswered() throws {
    let test = try TestServer { $0.answerSeconds = 0.2 }
    let client = try test.client()
    client.send(later)
    #expect(client.answer()?.status == 503)
}

@Test("slow clients do not hold up others")
func slowClients() throws {
    let test = try TestServer()
    let slow = try (0..<50).map { _ in try test.client() }
    for client in slow { client.send("GET / HT") }
    let quick = try test.client()
    quick.send(get)
    #expect(quick.answer()?.status == 200)
    for client in slow { client.send("TP/1.1\r\nHost: a\r\n\r\n") }
    for client in slow { #expect(client.answer()?.status == 200) }
}

@Test("a drain closes resting connections and answers what is in flight")
func drain() throws {
    let test = try TestServer()
    let resting = try test.client()
    resting.send(get)
    #expect(resting.answer()?.status == 200)
    let busy = try test.client()
    busy.send(later)
    let reply = try #require(test.nextReply())
    test.server.drain()
    test.server.drain()
    #expect(resting.isEnded())
    #expect(throws: SystemError.self) { try test.client() }
    reply.send(.text(200, "done"))
    let answer = try #require(busy.answer())
    #expect(answer.text == "done")
    #expect(answer.header("connection") == "close")
    busy.endSending()
    #expect(busy.isEnded())
    test.server.wait()
    test.server.wait()
    #expect(test.server.statistics.connectionsOpen == 0)
}

@Test("a drain lets a connection that was just made have its request")
func drainNewConnection() throws {
    let test = try TestServer()
    let client = try test.client()
    test.server.drain()
    client.send(get)
    #expect(client.answer()?.header("connection") == "close")
}

@Test("a drain ends in its time, also when an answer does not come")
func drainBounded() throws {
    let test = try TestServer { $0.drainSeconds = 0.3 }
    let client = try test.client()
    client.send(later)
    _ = test.nextReply()
    test.server.drain()
    test.server.wait()
    #expect(client.isEnded())
}

@Test("a reply after the server's end does nothing")
func replyAfterEnd() throws {
    var test: TestServer? = try TestServer { $0.drainSeconds = 0.1 }
    let client = try test?.client()
    client?.send(later)
    let reply = test?.nextReply()
    test = nil
    reply?.send(.noContent)
    #expect(client?.isEnded() == true)
}
