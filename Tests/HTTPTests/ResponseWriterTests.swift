import Glibc
import Testing

@testable import HTTP

private func written(
    _ response: Response, isHead: Bool = false, closes: Bool = false, isHTTP10: Bool = false
) -> String {
    var writer = ResponseWriter()
    var outbound = Outbound()
    let shape = ResponseWriter.Shape(
        requestID: "r", isHead: isHead, closes: closes, isHTTP10: isHTTP10)
    let count = writer.append(response, shape, at: 784_111_777, to: &outbound)
    #expect(count == outbound.count)
    var sockets: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &sockets) == 0)
    defer { for socket in sockets { close(socket) } }
    while !outbound.isEmpty { _ = outbound.advance(outbound.send(to: sockets[0])) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let length = recv(sockets[1], &bytes, bytes.count, 0)
    return String(decoding: bytes[..<max(length, 0)], as: UTF8.self)
}

private let common = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRequest-Id: r\r\n"

struct WriterCase: Sendable {
    let response: Response
    var isHead = false
    var closes = false
    var isHTTP10 = false
    let bytes: String
}

private let cases: [WriterCase] = [
    WriterCase(
        response: .text(200, "hello"),
        bytes: "HTTP/1.1 200 OK\r\n\(common)Content-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: 5\r\n\r\nhello"),
    WriterCase(
        response: .redirect("https://a/?b"), closes: true,
        bytes: "HTTP/1.1 302 Found\r\n\(common)Location: https://a/?b\r\n"
            + "Content-Length: 0\r\nConnection: close\r\n\r\n"),
    WriterCase(
        response: Response(status: 200, body: [UInt8](repeating: 65, count: 1234)), isHead: true,
        bytes: "HTTP/1.1 200 OK\r\n\(common)Content-Length: 1234\r\n\r\n"),
    WriterCase(
        response: Response(status: 200, content: .stream(BodyStream { $0(.end) })),
        bytes: "HTTP/1.1 200 OK\r\n\(common)Transfer-Encoding: chunked\r\n\r\n"),
    WriterCase(
        response: Response(status: 200, content: .shared([65])),
        bytes: "HTTP/1.1 200 OK\r\n\(common)Content-Length: 1\r\n\r\nA"),
    WriterCase(
        response: Response(status: 204, body: [65]), isHTTP10: true,
        bytes: "HTTP/1.1 204 No Content\r\n\(common)Connection: keep-alive\r\n\r\n"),
    WriterCase(
        response: Response(status: 304, headers: [("ETag", "\"1\"")], body: [65]),
        bytes: "HTTP/1.1 304 Not Modified\r\n\(common)ETag: \"1\"\r\n\r\n"),
    WriterCase(
        response: Response(status: 599, headers: [("X\r\n", "a\u{0}\u{7F}\tb")]),
        bytes: "HTTP/1.1 599 Unknown\r\n\(common)X  : a  \tb\r\nContent-Length: 0\r\n\r\n"),
]

@Test("a response is written exactly so", arguments: cases)
func writtenResponse(_ row: WriterCase) {
    let text = written(
        row.response, isHead: row.isHead, closes: row.closes, isHTTP10: row.isHTTP10)
    #expect(text == row.bytes)
}

@Test("dates are those of the standard")
func dates() {
    // The example of RFC 9110 section 5.6.7, a leap day, and the epoch.
    #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
    #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
}

@Test("token characters are those of the standard")
func tokens() {
    let tokens = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for byte in UInt8.min...UInt8.max {
        #expect(byte.isToken == tokens.contains(byte))
    }
}
