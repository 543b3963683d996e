import Glibc
import Testing

@testable import HTTP

/// The outcome of parsing, in words that a table can hold.
private func outcome(_ bytes: [UInt8], step: Int, limits: Limits = Limits()) -> String {
    var parser = RequestParser()
    var end = 0
    while true {
        end = min(end + step, bytes.count)
        let progress = bytes.withUnsafeBufferPointer { all in
            parser.advance(over: UnsafeBufferPointer(rebasing: all[..<end]), limits: limits)
        }
        switch progress {
        case .incomplete:
            if end == bytes.count { return "incomplete" }
        case .malformed(let refusal):
            return "\(refusal.status) \(refusal.code)"
        case .complete(let head, let length):
            return describe(head, length)
        }
    }
}

private func describe(_ head: RequestHead, _ length: Int) -> String {
    let framing =
        switch head.framing {
        case .none: "none"
        case .length(let length): "\(length)"
        case .chunked: "chunked"
        }
    let flags = (head.keepsAlive ? "keep" : "close") + (head.isHTTP10 ? " 1.0" : "")
    let host = head.host.map(head.text) ?? "-"
    return
        "\(head.method.rawValue) \(head.path)|\(head.text(head.query)) \(host) \(framing) \(flags)"
        + " \(head.expectation) \(head.fields.count) \(length)"
}

struct ParserCase: Sendable, CustomTestStringConvertible {
    let request: String
    let outcome: String
    var testDescription: String { String(request.debugDescription.prefix(80)) }

    init(_ request: String, _ outcome: String) {
        self.request = request
        self.outcome = outcome
    }
}

private let host = "Host: a\r\n"
private let get = "GET / HTTP/1.1\r\nHost: a\r\n"
private let post = "POST / HTTP/1.1\r\nHost: a\r\n"

private let accepted: [ParserCase] = [
    ParserCase("\(get)\r\n", "GET /| a none keep none 1 27"),
    ParserCase("\r\n\(get)\r\n", "GET /| a none keep none 1 29"),
    ParserCase("GET /a?b=c?d HTTP/1.1\r\n\(host)\r\n", "GET /a|b=c?d a none keep none 1 34"),
    ParserCase("GET /a? HTTP/1.1\r\n\(host)\r\n", "GET /a| a none keep none 1 29"),
    ParserCase("GET //a/../b HTTP/1.1\r\n\(host)\r\n", "GET //a/../b| a none keep none 1 34"),
    ParserCase("GET / HTTP/1.0\r\n\r\n", "GET /| - none close 1.0 none 0 18"),
    ParserCase(
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        "GET /| - none keep 1.0 none 1 42"),
    ParserCase("\(get)connection: x, CLOSE\r\n\r\n", "GET /| a none close none 2 49"),
    ParserCase("\(get)Connection: close\r\nConnection: a\r\n\r\n", "GET /| a none close none 3 61"),
    ParserCase("QUERY / HTTP/1.1\r\n\(host)\r\n", "OTHER /| a none keep none 1 29"),
    ParserCase("get / HTTP/1.1\r\n\(host)\r\n", "OTHER /| a none keep none 1 27"),
    ParserCase("TRACE / HTTP/1.1\r\n\(host)\r\n", "TRACE /| a none keep none 1 29"),
    ParserCase("OPTIONS * HTTP/1.1\r\n\(host)\r\n", "OPTIONS *| a none keep none 1 31"),
    ParserCase(
        "GET http://b:80/x?y HTTP/1.1\r\n\(host)\r\n", "GET /x|y b:80 none keep none 1 41"),
    ParserCase("GET HTTPS://b HTTP/1.1\r\n\(host)\r\n", "GET /| b none keep none 1 35"),
    ParserCase("GET http://b?q HTTP/1.1\r\n\(host)\r\n", "GET /|q b none keep none 1 36"),
    ParserCase("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET /| [::1]:80 none keep none 1 34"),
    ParserCase("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET /| a: none keep none 1 28"),
    ParserCase("GET / HTTP/1.1\r\nHOST:a\r\n\r\n", "GET /| a none keep none 1 26"),
    ParserCase("\(get)X:\r\n\r\n", "GET /| a none keep none 2 31"),
    ParserCase("\(get)X: \t a b\t \r\n\r\n", "GET /| a none keep none 2 39"),
    ParserCase("\(get)X: é\r\n\r\n", "GET /| a none keep none 2 34"),
    ParserCase("\(post)Content-Length: 5\r\n\r\n", "POST /| a 5 keep none 2 47"),
    ParserCase("\(post)Content-Length: 0\r\n\r\n", "POST /| a none keep none 2 47"),
    ParserCase("\(post)Content-Length: 007\r\n\r\n", "POST /| a 7 keep none 2 49"),
    ParserCase(
        "\(post)Transfer-Encoding: Chunked\r\n\r\n", "POST /| a chunked keep none 2 56"),
    ParserCase(
        "\(post)Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n",
        "POST /| a 5 keep continue 3 69"),
    ParserCase(
        "\(post)Content-Length: 5\r\nExpect: tea\r\n\r\n", "POST /| a 5 keep unknown 3 60"),
    ParserCase("\(get)", "incomplete"),
    ParserCase("", "incomplete"),
    ParserCase("GE", "incomplete"),
    ParserCase("\r\n", "incomplete"),
]

private let refused: [ParserCase] = [
    // Request line.
    ParserCase("GET /\r\n", "400 malformed_request_line"),
    ParserCase("GET  / HTTP/1.1\r\n", "400 malformed_request_line"),
    ParserCase("GET / HTTP/1.1 \r\n", "400 malformed_request_line"),
    ParserCase("GET / x HTTP/1.1\r\n", "400 malformed_request_line"),
    ParserCase(" GET / HTTP/1.1\r\n", "400 malformed_request_line"),
    ParserCase("\r\n\r\nGET / HTTP/1.1\r\n", "400 malformed_request_line"),
    ParserCase("G(T / HTTP/1.1\r\n", "400 malformed_request_line"),
    ParserCase("GET / http/1.1\r\n", "400 malformed_request_line"),
    ParserCase("GET / HTTP/1.11\r\n", "400 malformed_request_line"),
    ParserCase("GET\t/ HTTP/1.1\r\n", "400 malformed_request_line"),
    ParserCase("\u{16}\u{3}\u{1}", "400 malformed_request_line"),
    ParserCase("GET / HTTP/1.1\n", "400 malformed_line"),
    ParserCase("GET /\rX HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET / HTTP/2.0\r\n", "505 http_version_not_supported"),
    ParserCase("PRI * HTTP/2.0\r\n", "505 http_version_not_supported"),
    ParserCase("GET / HTTP/1.2\r\n", "505 http_version_not_supported"),
    ParserCase("CONNECT a:443 HTTP/1.1\r\n", "501 method_not_implemented"),
    // Target.
    ParserCase("GET a HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET * HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET /#f HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET /\u{0} HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET /é HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET ftp://a/ HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET http:///x HTTP/1.1\r\n", "400 invalid_target"),
    ParserCase("GET http://u@a/ HTTP/1.1\r\n", "400 invalid_target"),
    // Lines and fields.
    ParserCase("GET / HTTP/1.1\r\nHost: a\n", "400 malformed_line"),
    ParserCase("\(get)X: a\rb\r\n", "400 malformed_header"),
    ParserCase("\(get)X: a\u{0}b\r\n", "400 malformed_header"),
    ParserCase("\(get)X: a\u{7F}\r\n", "400 malformed_header"),
    ParserCase("\(get) folded\r\n", "400 malformed_header"),
    ParserCase("\(get)\tfolded\r\n", "400 malformed_header"),
    ParserCase("GET / HTTP/1.1\r\n X: a\r\n", "400 malformed_header"),
    ParserCase("\(get)X : a\r\n", "400 malformed_header"),
    ParserCase("\(get): a\r\n", "400 malformed_header"),
    ParserCase("\(get)X\r\n", "400 malformed_header"),
    ParserCase("\(get)X y: a\r\n", "400 malformed_header"),
    ParserCase("\(get)é: a\r\n", "400 malformed_header"),
    // Host.
    ParserCase("GET / HTTP/1.1\r\n\r\n", "400 invalid_host"),
    ParserCase("\(get)Host: a\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost:\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: a b\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: a, b\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: a/b\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: u@a\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: a:b\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: a:65536\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: [::1\r\n", "400 invalid_host"),
    ParserCase("GET / HTTP/1.1\r\nHost: [::1]a\r\n", "400 invalid_host"),
    // Framing.
    ParserCase("\(post)Content-Length: 5\r\nContent-Length: 6\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: 5\r\nContent-Length: 5\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: 5, 5\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: +5\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: -5\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: 0x5\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: 5 5\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length:\r\n", "400 invalid_content_length"),
    ParserCase("\(post)Content-Length: 18446744073709551621\r\n", "400 invalid_content_length"),
    ParserCase(
        "\(post)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400 ambiguous_body_length"),
    ParserCase(
        "\(post)Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "400 ambiguous_body_length"),
    ParserCase("\(post)Transfer-Encoding: gzip\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase("\(post)Transfer-Encoding: chunked, gzip\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase("\(post)Transfer-Encoding: chunked,\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase("\(post)Transfer-Encoding: xchunked\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase("\(post)Transfer-Encoding:\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase(
        "\(post)Transfer-Encoding: chunked, chunked\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase(
        "\(post)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400 invalid_transfer_encoding"),
    ParserCase(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 invalid_transfer_encoding"),
    ParserCase(
        "\(post)Transfer-Encoding: gzip, chunked\r\n\r\n", "501 unsupported_transfer_encoding"),
    ParserCase(
        "\(post)Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        "501 unsupported_transfer_encoding"),
]

private func path(_ count: Int) -> String { "/" + String(repeating: "a", count: count - 1) }
private func fields(_ count: Int) -> String {
    (0..<count).map { "X\($0): y\r\n" }.joined()
}
private func value(_ count: Int) -> String { "X: \(String(repeating: "v", count: count))\r\n" }

/// 14 bytes of a request line are not its path; 9 of the header section are Host, 5 the rest of X,
/// 2 its end.
private let limited: [ParserCase] = [
    ParserCase(
        "GET \(path(8179)) HTTP/1.1\r\n\(host)\r\n", "GET \(path(8179))| a none keep none 1 8205"),
    ParserCase("GET \(path(8180)) HTTP/1.1\r\n\(host)\r\n", "414 uri_too_long"),
    ParserCase("GET \(path(9000))", "414 uri_too_long"),
    ParserCase("\(get)\(fields(99))\r\n", "GET /| a none keep none 100 809"),
    ParserCase("\(get)\(fields(100))\r\n", "431 too_many_headers"),
    ParserCase("\(get)\(value(32_752))\r\n", "GET /| a none keep none 2 32784"),
    ParserCase("\(get)\(value(32_753))\r\n", "431 headers_too_large"),
    ParserCase("\(get)X: \(String(repeating: "v", count: 40_000))", "431 headers_too_large"),
]

@Test("a well-formed head is understood, wherever its bytes are split", arguments: accepted)
func acceptedHead(_ row: ParserCase) {
    let bytes = Array(row.request.utf8)
    let outcomes = Set((1...max(bytes.count, 1)).map { outcome(bytes, step: $0) })
    #expect(outcomes == [row.outcome])
}

@Test("a doubtful head is refused, wherever its bytes are split", arguments: refused)
func refusedHead(_ row: ParserCase) {
    let bytes = Array(row.request.utf8)
    let outcomes = Set((1...bytes.count).map { outcome(bytes, step: $0) })
    #expect(outcomes == [row.outcome])
    // What follows the fault changes nothing.
    #expect(outcome(bytes + Array("\r\n\r\nGET / HTTP/1.1\r\n".utf8), step: 1) == row.outcome)
}

@Test("a head's limits hold to the byte, wherever its bytes are split", arguments: limited)
func limitedHead(_ row: ParserCase) {
    let bytes = Array(row.request.utf8)
    let outcomes = Set([1, 2, 3, 1000, 1449, bytes.count].map { outcome(bytes, step: $0) })
    #expect(outcomes == [row.outcome])
}

@Test("a request in two parts is understood at every place of the split")
func twoParts() {
    let bytes = Array("\(post)Content-Length: 5\r\nX: y\r\n\r\n".utf8)
    let whole = outcome(bytes, step: bytes.count)
    for split in 0...bytes.count {
        var parser = RequestParser()
        let result = bytes.withUnsafeBufferPointer { all -> String in
            _ = parser.advance(over: UnsafeBufferPointer(rebasing: all[..<split]), limits: Limits())
            if split == all.count { return whole }
            guard case .complete(let head, let length) = parser.advance(over: all, limits: Limits())
            else { return "" }
            return describe(head, length)
        }
        #expect(result == whole)
    }
}
