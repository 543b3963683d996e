/// What the header fields say about host, body and connection, gathered field by field and judged
/// at the end of the head. Whatever is ambiguous is refused (RFC 9112 sections 3.2, 6.1 and 6.3;
/// RFC 9110 section 8.6): a guess here is a request smuggled past a proxy.
struct FramingFacts {
    struct Verdict {
        let framing: RequestHead.Framing
        let keepsAlive: Bool
    }

    enum Outcome {
        case success(Verdict)
        case failure(Malformation)
    }

    private(set) var host: Range<Int>?
    private(set) var expectation = RequestHead.Expectation.none
    private var contentLength: Int?
    private var transferEncodings = 0
    private var isExactlyChunked = false
    private var chunkedCodings = 0
    private var otherCodings = 0
    private var endsInChunked = false
    private var wantsClose = false
    private var wantsKeepAlive = false

    /// Takes note of one field, its value at `range` of the head.
    mutating func note(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>,
        at range: Range<Int>
    ) -> Malformation? {
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"):
            guard host == nil, HostField.isValid(value) else { return Self.badHost }
            host = range
        case 6 where name.equalsIgnoringCase("expect"):
            let isContinue = expectation == .none && value.equalsIgnoringCase("100-continue")
            expectation = isContinue ? .continue : .unknown
        case 10 where name.equalsIgnoringCase("connection"):
            noteConnection(value)
        case 14 where name.equalsIgnoringCase("content-length"):
            guard contentLength == nil, let length = Self.length(value) else {
                return Self.badLength
            }
            contentLength = length
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            noteTransferEncoding(value)
        default:
            break
        }
        return nil
    }

    func judge(isHTTP10: Bool) -> Outcome {
        guard isHTTP10 || host != nil else { return .failure(Self.badHost) }
        let keepsAlive = !wantsClose && (!isHTTP10 || wantsKeepAlive)
        guard transferEncodings > 0 else {
            let framing = contentLength.map { $0 == 0 ? RequestHead.Framing.none : .length($0) }
            return .success(Verdict(framing: framing ?? .none, keepsAlive: keepsAlive))
        }
        guard contentLength == nil else { return .failure(Self.twoFramings) }
        guard !isHTTP10 else { return .failure(Self.badCoding) }
        if transferEncodings == 1, isExactlyChunked {
            return .success(Verdict(framing: .chunked, keepsAlive: keepsAlive))
        }
        // Well-framed in a coding we do not know, or not framed at all.
        let isFramed = endsInChunked && chunkedCodings == 1 && otherCodings > 0
        return .failure(isFramed ? Self.unknownCoding : Self.badCoding)
    }

    private mutating func noteConnection(_ value: UnsafeBufferPointer<UInt8>) {
        var close = false
        var keepAlive = false
        value.forEachElement { option in
            if option.equalsIgnoringCase("close") { close = true }
            if option.equalsIgnoringCase("keep-alive") { keepAlive = true }
        }
        wantsClose = wantsClose || close
        wantsKeepAlive = wantsKeepAlive || keepAlive
    }

    private mutating func noteTransferEncoding(_ value: UnsafeBufferPointer<UInt8>) {
        transferEncodings += 1
        isExactlyChunked = value.equalsIgnoringCase("chunked")
        var chunked = 0
        var others = 0
        var isLast = false
        value.forEachElement { coding in
            isLast = coding.equalsIgnoringCase("chunked")
            if isLast { chunked += 1 } else { others += 1 }
        }
        chunkedCodings += chunked
        otherCodings += others
        endsInChunked = isLast
    }

    /// Digits only, at most 18: more cannot be a length, and would not fit 64 bits.
    private static func length(_ value: UnsafeBufferPointer<UInt8>) -> Int? {
        guard !value.isEmpty, value.count <= 18 else { return nil }
        var length = 0
        for byte in value {
            guard byte.isDigit else { return nil }
            length = length * 10 + Int(byte - 0x30)
        }
        return length
    }

    private static let badHost = Malformation(
        400, "invalid_host", "A request must have exactly one valid Host field.")
    private static let badLength = Malformation(
        400, "invalid_content_length", "Content-Length must be one field of decimal digits.")
    private static let twoFramings = Malformation(
        400, "ambiguous_body_length",
        "Content-Length and Transfer-Encoding exclude each other.")
    private static let badCoding = Malformation(
        400, "invalid_transfer_encoding",
        "Transfer-Encoding must be chunked, once, and only in HTTP/1.1.")
    private static let unknownCoding = Malformation(
        501, "unsupported_transfer_encoding", "The only transfer coding is chunked.")
}

/// The syntax of Host and of a target's authority: `host [":" port]` (RFC 9110 section 7.2),
/// without the characters that RFC 3986 allows in names and no host has.
enum HostField {
    static func isValid(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        var end = 0
        if value.first == UInt8(ascii: "[") {
            guard let close = value.firstIndex(of: UInt8(ascii: "]"), from: 1), close > 2 else {
                return false
            }
            for byte in value.part(1..<close) {
                guard
                    byte.hexadecimalValue != nil || byte == UInt8(ascii: ":")
                        || byte == UInt8(ascii: ".")
                else { return false }
            }
            end = close + 1
        } else {
            while end < value.count, isNameByte(value[end]) { end += 1 }
            guard end > 0, end <= 255 else { return false }
        }
        guard end < value.count else { return true }
        guard value[end] == UInt8(ascii: ":") else { return false }
        // An empty port is allowed and means the default (RFC 3986 section 3.2.3).
        let port = value.part(end + 1..<value.count)
        guard port.count <= 5, port.allSatisfy(\.isDigit) else { return false }
        return port.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_")
    }
}
