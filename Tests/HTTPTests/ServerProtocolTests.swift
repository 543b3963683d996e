import Platform
import Testing

@testable import HTTP

private func get(_ path: String, _ more: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: a\r\n\(more)\r\n"
}

private func post(_ path: String, _ body: String, _ more: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
}

@Test("every answer has a date, its length and the request's id")
func commonHeaders() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/a?b"))
    let answer = try #require(client.answer())
    #expect(answer.status == 200)
    #expect(answer.text == "GET /a b")
    #expect(answer.header("date")?.hasSuffix(" GMT") == true)
    #expect(answer.header("content-length") == "8")
    #expect(answer.header("request-id") == "req_1")
    #expect(answer.header("connection") == nil)
}

@Test("requests sent together are answered in order")
func pipelining() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send((0..<200).map { get("/\($0)") }.joined())
    for number in 0..<200 {
        #expect(client.answer()?.text == "GET /\(number) ")
    }
}

@Test("a request sent byte by byte is answered")
func byteByByte() throws {
    let test = try TestServer()
    let client = try test.client()
    for byte in post("/echo", "hello").utf8 { client.send([byte]) }
    #expect(client.answer()?.text == "hello")
}

@Test("answers keep the order of their requests, whichever is ready first")
func mixedAnswers() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/later") + get("/1") + get("/later") + get("/elsewhere") + get("/2"))
    let first = try #require(test.nextReply())
    let second = try #require(test.nextReply())
    second.send(.text(200, "second"))
    first.send(.text(200, "first"))
    let texts = (0..<5).map { _ in client.answer()?.text }
    #expect(texts == ["first", "GET /1 ", "second", "elsewhere", "GET /2 "])
}

@Test("a reply answers once")
func replyOnce() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/later"))
    let reply = try #require(test.nextReply())
    reply.send(.text(200, "one"))
    reply.send(.text(200, "two"))
    #expect(client.answer()?.text == "one")
    reply.send(.text(200, "three"))
    client.send(get("/next"))
    #expect(client.answer()?.text == "GET /next ")
}

@Test("a reply to a connection that is gone reaches nobody else")
func replyToNobody() throws {
    let test = try TestServer()
    var client: RawClient? = try test.client()
    client?.send(get("/later", "Connection: close\r\n"))
    let reply = try #require(test.nextReply())
    client = nil
    let other = try test.client()
    other.send(get("/1"))
    #expect(other.answer()?.text == "GET /1 ")
    reply.send(.text(200, "stray"))
    other.send(get("/2"))
    #expect(other.answer()?.text == "GET /2 ")
}

@Test("more requests than the pipeline is deep are answered all the same")
func deepPipeline() throws {
    let test = try TestServer { $0.pipelineDepthMax = 2 }
    let client = try test.client()
    client.send((0..<5).map { _ in get("/later") }.joined() + get("/last"))
    for number in 0..<5 {
        test.nextReply()?.send(.text(200, "\(number)"))
        #expect(client.answer()?.text == "\(number)")
    }
    #expect(client.answer()?.text == "GET /last ")
}

@Test("HEAD has the headers of GET and no body")
func head() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"))
    let answer = try #require(client.answer(toHead: true))
    #expect(answer.header("content-length") == "8")
    #expect(client.answer()?.text == "GET /b ")
}

@Test("204 has neither body nor length")
func noContent() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/empty") + get("/b"))
    let answer = try #require(client.answer())
    #expect(answer.status == 204)
    #expect(answer.header("content-length") == nil)
    #expect(client.answer()?.text == "GET /b ")
}

@Test("OPTIONS * is answered for the server as a whole")
func optionsStar() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try #require(client.answer())
    #expect(answer.status == 204)
    #expect(answer.header("allow")?.contains("GET") == true)
}

@Test("an unknown method reaches the handler, and its body is read")
func unknownMethod() throws {
    let test = try TestServer()
    let client = try test.client()
    for method in ["QUERY", "TRACE", "BREW"] {
        client.send(
            "\(method) /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /" + get("/b"))
        #expect(client.answer()?.text == "\(method) /a  5")
        #expect(client.answer()?.text == "GET /b ")
    }
}

@Test("a target's authority wins over Host")
func absoluteForm() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send("GET http://b:81/host HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.text == "b:81 b:81")
}

@Test("a chunked body arrives whole, without extensions and trailers, and the next request follows")
func chunked() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n" + get("/b"))
    #expect(client.answer()?.text == "abcde")
    #expect(client.answer()?.text == "GET /b ")
}

@Test("a body of the largest allowed size arrives whole")
func largeBody() throws {
    let test = try TestServer()
    let client = try test.client()
    let body = String(repeating: "0123456789abcdef", count: 65_536)
    client.send(post("/echo", body))
    #expect(client.answer()?.text == body)
}

@Test("100 is sent before a body that is awaited, and only then")
func expectContinue() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(client.answer()?.status == 100)
    client.send("hi")
    #expect(client.answer()?.text == "hi")
    client.send(post("/echo", "ho", "Expect: 100-continue\r\n"))
    #expect(client.answer()?.text == "ho")
}

@Test("no 100 is sent for a body that is refused")
func expectRefused() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(
        "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
    #expect(client.answer()?.status == 413)
}

@Test("100 waits for the answers that come before it")
func expectInOrder() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(
        get("/later")
            + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    test.nextReply()?.send(.text(200, "first"))
    #expect(client.answer()?.text == "first")
    #expect(client.answer()?.status == 100)
    client.send("hi")
    #expect(client.answer()?.text == "hi")
}

@Test("Connection: close is honoured and said")
func closeAsked() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/a", "Connection: close\r\n"))
    #expect(client.answer()?.header("connection") == "close")
    #expect(client.isEnded())
}

@Test("HTTP/1.0 closes unless it asks to be kept")
func http10() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(client.answer()?.header("connection") == "keep-alive")
    client.send("GET /b HTTP/1.0\r\n\r\n")
    #expect(client.answer()?.header("connection") == "close")
    #expect(client.isEnded())
}

@Test("a client that ends its side still gets its answers")
func halfClosed() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/later") + get("/b"))
    client.endSending()
    test.nextReply()?.send(.text(200, "first"))
    #expect(client.answer()?.text == "first")
    #expect(client.answer()?.text == "GET /b ")
    #expect(client.isEnded())
}

@Test("an answer larger than the socket's buffers arrives whole, also to a slow reader")
func slowReader() throws {
    let test = try TestServer()
    let client = try test.client()
    client.setReceiveBuffer(65_536)
    client.send((0..<8).map { _ in get("/big") }.joined())
    for _ in 0..<8 {
        #expect(client.answer()?.body.count == 1 << 20)
    }
}

@Test("a header value cannot add headers")
func injection() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/injected"))
    let answer = try #require(client.answer())
    #expect(answer.header("x-echo") == "a  X-Evil: b")
    #expect(answer.header("x-evil") == nil)
}

@Test("what was answered is told with its size")
func answered() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(get("/a"))
    #expect(client.answer() != nil)
    let answered = try #require(test.record.answered.withLock { $0.first })
    #expect(answered.method == .get)
    #expect(answered.status == 200)
    #expect(answered.requestID == "req_1")
    #expect(answered.bytes > 100)
    #expect(answered.seconds >= 0)
    #expect(!answered.refusedByParser)
}

@Test("header look-ups ignore case and join repeated fields")
func headerLookUp() throws {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:  2 \r\nX-B:\r\n\r\n"
    let request = try #require(
        Request(
            head: Array(head.utf8), id: "r", peer: .ipv4(0),
            arrival: MonotonicInstant(nanoseconds: 0)))
    #expect(request.header("X-a") == "1, 2")
    #expect(request.header("x-b") == "")
    #expect(request.header("x-c") == nil)
    #expect(request.hasHeader("HOST"))
    #expect(!request.hasHeader("x-"))
    #expect(request.withHeader("x-A") { $0.map(Array.init) } == [UInt8(ascii: "1")])
}

@Test("several loops answer alike")
func severalLoops() throws {
    let test = try TestServer(loops: 2)
    for number in 0..<20 {
        let client = try test.client()
        client.send(get("/\(number)"))
        #expect(client.answer()?.text == "GET /\(number) ")
    }
    #expect(test.server.statistics.connectionsAccepted == 20)
    #expect(test.server.statistics.requests == 20)
}
