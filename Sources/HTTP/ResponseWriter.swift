import Glibc

/// Serialises responses into a byte buffer (RFC 9112 section 4 and 6). One per loop: it keeps
/// status lines and the Date line made.
struct ResponseWriter {
    /// What of the request shapes its answer.
    struct Shape {
        let requestID: String
        let isHead: Bool
        /// Send `Connection: close`.
        let closes: Bool
        /// Send `Connection: keep-alive`, which HTTP/1.0 clients need.
        let isHTTP10: Bool
    }

    private var statusLines: [Int: [UInt8]] = [:]
    private var dateSecond: time_t = -1
    private var dateLine: [UInt8] = []

    init() {}

    /// Appends `response`, of a stream the head; returns the number of bytes appended.
    mutating func append(
        _ response: Response, _ shape: Shape, at second: time_t, to outbound: inout Outbound
    ) -> Int {
        let before = outbound.count
        outbound.write { appendHead(response, shape, at: second, to: &$0) }
        guard ResponseWriter.hasBody(response.status), !shape.isHead else {
            return outbound.count - before
        }
        switch response.content {
        case .bytes(let bytes): outbound.append(bytes)
        case .shared(let bytes): outbound.append(bytes, isShared: true)
        case .stream: break
        }
        return outbound.count - before
    }

    static func hasBody(_ status: Int) -> Bool {
        status >= 200 && status != 204 && status != 304
    }

    private mutating func appendHead(
        _ response: Response, _ shape: Shape, at second: time_t, to bytes: inout [UInt8]
    ) {
        let status = response.status
        bytes.append(contentsOf: statusLine(status))
        if second != dateSecond {
            dateSecond = second
            dateLine = Array("Date: \(HTTPDate.text(second))\r\n".utf8)
        }
        bytes.append(contentsOf: dateLine)
        append("Request-Id: ", to: &bytes)
        append(value: shape.requestID, to: &bytes)
        append("\r\n", to: &bytes)
        for (name, value) in response.headers {
            append(value: name, to: &bytes)
            append(": ", to: &bytes)
            append(value: value, to: &bytes)
            append("\r\n", to: &bytes)
        }
        // RFC 9110 section 8.6: no Content-Length with 1xx and 204; 304's would be that of a 200.
        if ResponseWriter.hasBody(status) {
            switch response.content {
            case .bytes(let body), .shared(let body):
                append("Content-Length: ", to: &bytes)
                append(number: body.count, to: &bytes)
                append("\r\n", to: &bytes)
            case .stream:
                if !shape.isHTTP10 { append("Transfer-Encoding: chunked\r\n", to: &bytes) }
            }
        }
        if shape.closes {
            append("Connection: close\r\n", to: &bytes)
        } else if shape.isHTTP10 {
            append("Connection: keep-alive\r\n", to: &bytes)
        }
        append("\r\n", to: &bytes)
    }

    private mutating func statusLine(_ status: Int) -> [UInt8] {
        if let line = statusLines[status] { return line }
        let line = Array("HTTP/1.1 \(status) \(reasonPhrase(status))\r\n".utf8)
        statusLines[status] = line
        return line
    }

    private func append(_ text: StaticString, to bytes: inout [UInt8]) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends text that must not end its line: a control character would let a value write headers
    /// of its own, so each becomes a space.
    private func append(value: String, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: value.utf8)
        for index in start..<bytes.count where !bytes[index].isFieldContent {
            bytes[index] = 0x20
        }
    }

    private func append(number: Int, to bytes: inout [UInt8]) {
        if number < 10 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: number))
            return
        }
        append(number: number / 10, to: &bytes)
        bytes.append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }
}
