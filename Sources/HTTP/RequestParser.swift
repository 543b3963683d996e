/// Why a request is refused before any route sees it: a status, a stable code, and fixed words.
struct Malformation: Sendable, Equatable {
    let status: Int
    let code: String
    let detail: String

    init(_ status: Int, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }
}

/// Parses the head of a request (RFC 9112 sections 2 to 5), line by line as the bytes come. Pure:
/// it sees a buffer that starts with the head's first byte, and remembers how far it got.
///
/// Framing is strict: what two servers could read in two ways (bare LF, bare CR, folded lines,
/// space before a colon) is refused.
struct RequestParser {
    enum Progress {
        case incomplete
        /// The head and the bytes it took, counted from the buffer's start.
        case complete(RequestHead, length: Int)
        case malformed(Malformation)
    }

    /// Where the line that is being read starts, and how far no LF was found.
    private var lineStart = 0
    private var scanned = 0
    private var headersStart = 0
    private var line: RequestLine?
    private var fields: [RequestHead.Field] = []
    private var facts = FramingFacts()

    init() {}

    /// Reads on in `buffer`, which holds what earlier calls saw and perhaps more.
    mutating func advance(
        over buffer: UnsafeBufferPointer<UInt8>, limits: borrowing Limits
    ) -> Progress {
        while let end = buffer.firstIndex(of: 0x0A, from: scanned) {
            scanned = end + 1
            guard line != nil else {
                if let refusal = readRequestLine(buffer, end, limits.requestLineBytesMax) {
                    return .malformed(refusal)
                }
                continue
            }
            guard scanned - headersStart <= limits.headerBytesMax else {
                return .malformed(Self.headersTooLarge)
            }
            guard end > lineStart, buffer[end - 1] == 0x0D else {
                return .malformed(Self.bareLineFeed)
            }
            let range = lineStart..<end - 1
            lineStart = scanned
            if range.isEmpty { return finish(buffer) }
            if let refusal = readField(buffer, range, limits.headerFieldsMax) {
                return .malformed(refusal)
            }
        }
        scanned = max(scanned, buffer.count)
        return overflow(buffer, limits).map(Progress.malformed) ?? .incomplete
    }

    private mutating func readRequestLine(
        _ buffer: UnsafeBufferPointer<UInt8>, _ end: Int, _ bytesMax: Int
    ) -> Malformation? {
        guard end > lineStart, buffer[end - 1] == 0x0D else {
            guard end - lineStart <= bytesMax else { return Self.lineTooLong }
            guard end == lineStart || buffer[lineStart].isToken else { return Self.badRequestLine }
            return Self.bareLineFeed
        }
        let range = lineStart..<end - 1
        // One empty line before the request line is ignored (RFC 9112 section 2.2).
        if range.isEmpty, lineStart == 0 {
            lineStart = scanned
            return nil
        }
        guard range.count <= bytesMax else { return Self.lineTooLong }
        switch RequestLine.parse(buffer, range) {
        case .success(let parsed):
            line = parsed
            lineStart = scanned
            headersStart = scanned
            fields.reserveCapacity(16)
            return nil
        case .failure(let refusal):
            return refusal
        }
    }

    /// `name ":" OWS value OWS` (RFC 9112 section 5).
    private mutating func readField(
        _ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ fieldsMax: Int
    ) -> Malformation? {
        guard fields.count < fieldsMax else { return Self.tooManyFields }
        var colon = range.lowerBound
        while colon < range.upperBound, buffer[colon].isToken { colon += 1 }
        guard colon > range.lowerBound, colon < range.upperBound,
            buffer[colon] == UInt8(ascii: ":")
        else { return Self.badField }
        var start = colon + 1
        var end = range.upperBound
        while start < end, buffer[start].isSpaceOrTab { start += 1 }
        while end > start, buffer[end - 1].isSpaceOrTab { end -= 1 }
        var isClean = true
        for index in start..<end { isClean = isClean && buffer[index].isFieldContent }
        guard isClean else { return Self.badField }
        let name = range.lowerBound..<colon
        fields.append(RequestHead.Field(name: name, value: start..<end))
        return facts.note(buffer.part(name), buffer.part(start..<end), at: start..<end)
    }

    private mutating func finish(_ buffer: UnsafeBufferPointer<UInt8>) -> Progress {
        guard let line else { return .malformed(Self.badRequestLine) }
        let body: FramingFacts.Verdict
        switch facts.judge(isHTTP10: line.isHTTP10) {
        case .success(let verdict): body = verdict
        case .failure(let refusal): return .malformed(refusal)
        }
        let length = scanned
        // The target's authority replaces what Host said (RFC 9112 section 3.2.2).
        if let authority = line.authority {
            for (index, field) in fields.enumerated()
            where buffer.part(field.name).equalsIgnoringCase("host") {
                fields[index] = RequestHead.Field(name: field.name, value: authority)
            }
        }
        let head = RequestHead(
            bytes: Array(buffer.part(0..<length)), fields: fields, method: line.method,
            methodText: line.methodText, path: line.path, query: line.query,
            host: line.authority ?? facts.host, isHTTP10: line.isHTTP10, framing: body.framing,
            expectation: line.isHTTP10 ? .none : facts.expectation, keepsAlive: body.keepsAlive)
        self = RequestParser()
        return .complete(head, length: length)
    }

    /// What is too long already, although its line has no end yet.
    private func overflow(
        _ buffer: UnsafeBufferPointer<UInt8>, _ limits: borrowing Limits
    ) -> Malformation? {
        let waiting = buffer.count - lineStart
        guard line == nil else {
            return buffer.count - headersStart > limits.headerBytesMax ? Self.headersTooLarge : nil
        }
        if waiting > 0, buffer[lineStart] != 0x0D, !buffer[lineStart].isToken {
            return Self.badRequestLine
        }
        return waiting > limits.requestLineBytesMax + 1 ? Self.lineTooLong : nil
    }

    private static let lineTooLong = Malformation(
        414, "uri_too_long", "The request line is longer than this server accepts.")
    private static let headersTooLarge = Malformation(
        431, "headers_too_large", "The header section is longer than this server accepts.")
    private static let tooManyFields = Malformation(
        431, "too_many_headers", "The request has more header fields than this server accepts.")
    private static let bareLineFeed = Malformation(
        400, "malformed_line", "Each line of the head must end with CR LF.")
    static let badRequestLine = Malformation(
        400, "malformed_request_line",
        "The request line must be a method, a target and a version, with one space between.")
    private static let badField = Malformation(
        400, "malformed_header",
        "A header line must be a name, a colon right after it, and a value without controls.")
}
