import JSON
import Platform
import Testing

@testable import HTTP

struct RefusalCase: Sendable, CustomTestStringConvertible {
    let request: String
    let status: Int
    let code: String
    var testDescription: String { "\(status) \(code) \(request.prefix(60).debugDescription)" }

    init(_ status: Int, _ code: String, _ request: String) {
        self.request = request
        self.status = status
        self.code = code
    }
}

private let cases: [RefusalCase] = [
    RefusalCase(400, "malformed_line", "GET / HTTP/1.1\nHost: a\n\n"),
    RefusalCase(400, "malformed_line", "GET / HTTP/1.1\r\nHost: a\n\n"),
    RefusalCase(400, "malformed_header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    RefusalCase(400, "malformed_header", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n"),
    RefusalCase(400, "malformed_header", "GET / HTTP/1.1\r\nHost: a\r\n fold\r\n\r\n"),
    RefusalCase(400, "malformed_header", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    RefusalCase(400, "malformed_header", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    RefusalCase(400, "malformed_request_line", "GET /\r\n\r\n"),
    RefusalCase(400, "malformed_request_line", "\u{16}\u{3}\u{1}\u{2}"),
    RefusalCase(400, "invalid_host", "GET / HTTP/1.1\r\n\r\n"),
    RefusalCase(400, "invalid_host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    RefusalCase(400, "invalid_target", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    RefusalCase(
        400, "invalid_content_length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    RefusalCase(
        400, "ambiguous_body_length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    RefusalCase(
        400, "invalid_transfer_encoding",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    RefusalCase(
        501, "unsupported_transfer_encoding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    RefusalCase(
        400, "malformed_chunk",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
    RefusalCase(501, "method_not_implemented", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    RefusalCase(505, "http_version_not_supported", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    RefusalCase(
        417, "expectation_failed",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: x\r\n\r\na"),
    RefusalCase(
        414, "uri_too_long",
        "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: a\r\n\r\n"),
    RefusalCase(
        431, "headers_too_large",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 40_000))\r\n\r\n"),
    RefusalCase(
        431, "too_many_headers",
        "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 101))\r\n"),
    RefusalCase(
        413, "body_too_large",
        "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"),
    RefusalCase(
        413, "body_too_large", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"),
    RefusalCase(
        413, "body_too_large",
        "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world"),
    RefusalCase(
        401, "unauthorized",
        "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
]

@Test(
    "a refused request is answered with a problem and its id, then the connection ends",
    arguments: cases)
func refusal(_ row: RefusalCase) throws {
    let test = try TestServer()
    let client = try test.client()
    client.send(row.request)
    // Bytes that follow are neither read as a request nor a reason for a reset.
    client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try #require(client.answer())
    #expect(answer.status == row.status)
    #expect(answer.header("content-type") == "application/problem+json")
    #expect(answer.header("connection") == "close")
    #expect(answer.header("date") != nil)
    let problem = try JSONValue.parse(answer.body).objectValue
    #expect(problem?["code"]?.stringValue == row.code)
    #expect(problem?["status"]?.integerValue == Int64(row.status))
    #expect(problem?["request_id"]?.stringValue == answer.header("request-id"))
    client.endSending()
    #expect(client.isEnded())
    let answered = test.record.answered.withLock { $0 }
    #expect(answered.count == 1)
    #expect(answered.first?.refusedByParser == (row.status != 401))
}

@Test("a large body refused by its length is answered before and while the client still sends it")
func refusalWhileSending() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
    let sent = client.send([UInt8](repeating: 65, count: 8_000_000))
    #expect(sent)
    #expect(client.answer()?.status == 413)
}

@Test("a refusal comes after the answers to the requests before it")
func refusalInOrder() throws {
    let test = try TestServer()
    let client = try test.client()
    client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    test.nextReply()?.send(.text(200, "first"))
    #expect(client.answer()?.text == "first")
    #expect(client.answer()?.status == 400)
    client.endSending()
    #expect(client.isEnded())
}

@Test("a connection beyond the limit is told so")
func connectionLimit() throws {
    let test = try TestServer { $0.connectionsMax = 1 }
    let first = try test.client()
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(first.answer()?.status == 200)
    let second = try test.client()
    let answer = try #require(second.answer())
    #expect(answer.status == 503)
    #expect(answer.header("retry-after") == "1")
    #expect(test.server.statistics.connectionsRefused == 1)
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(first.answer()?.status == 200)
}

@Test("connections beyond those that are told of the limit are closed")
func connectionLimitHard() throws {
    let test = try TestServer {
        $0.connectionsMax = 1
        $0.connectionsOverLimitMax = 0
    }
    let first = try test.client()
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(first.answer()?.status == 200)
    let second = try test.client()
    #expect(second.answer() == nil)
    #expect(!second.timedOut)
}
