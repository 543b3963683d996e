/// A full domain name such as `shop.example.com`: at least two labels of letters, digits and
/// hyphens (RFC 1123 section 2.1), in lower case, without a trailing dot, and no IP address.
///
/// Names in other scripts are given in their ASCII form, `xn--…`. Which part of the name can be
/// registered is not known here.
public struct DomainName: Hashable, Sendable, CustomStringConvertible {
    /// The name in lower case.
    public let text: String

    public init?(_ text: String) {
        guard let host = HostName.lowercased(text), HostName.labelCount(host) >= 2,
            !HostName.endsInNumber(host)
        else { return nil }
        self.text = host
    }

    /// Reads what people type: with spaces around it, in capitals, in letters of full width, with
    /// the root's dot at the end, in another script or with its full stop, accents apart from their
    /// letters. All spellings of a name give the same value.
    public init?(typed text: String) {
        var name = URLHost.mapped(Substring(NaturalKey.trimmed(text)))
        if name.utf8.last == UInt8(ascii: ".") { name.unicodeScalars.removeLast() }
        guard let ascii = URLHost.asciiName(name[...]) else { return nil }
        self.init(ascii)
    }

    /// The part of an address after its at sign: in ASCII, or in letters of any script, which are
    /// taken in lower case and become `xn--…`.
    init?(ofMail text: String) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            self.init(text)
            return
        }
        var labels: [String] = []
        for label in URLHost.mapped(text.lowercased()[...]).unicodeScalars
            .split(separator: ".", omittingEmptySubsequences: false)
        {
            let scalars = Array(label)
            if scalars.allSatisfy(\.isASCII) {
                labels.append(String(label))
                continue
            }
            guard scalars.allSatisfy({ $0.isASCII || EmailAddress.isOfWords($0) }),
                let first = scalars.first, !first.properties.isGraphemeExtend,
                let ascii = Punycode.encode(scalars)
            else { return nil }
            labels.append("xn--\(ascii)")
        }
        self.init(labels.joined(separator: "."))
    }

    public var description: String { text }
}

/// Host names of letters, digits and hyphens, as bytes.
enum HostName {
    /// A name in the DNS has at most 253 characters (RFC 1035 section 2.3.4, less the root).
    static let bytesMax = 253

    /// `text` in lower case; nil unless it is a sequence of labels (1 to 63 letters, digits and
    /// hyphens, no hyphen at either end) with single dots between them.
    static func lowercased(_ text: some StringProtocol) -> String? {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= bytesMax else { return nil }
        var lower: [UInt8] = []
        lower.reserveCapacity(bytes.count)
        var labelLength = 0
        var previous = UInt8(ascii: ".")
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                lower.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                lower.append(byte | 0x20)
            case UInt8(ascii: "-"):
                guard labelLength > 0 else { return nil }
                lower.append(byte)
            case UInt8(ascii: "."):
                guard labelLength > 0, previous != UInt8(ascii: "-") else { return nil }
                lower.append(byte)
                labelLength = -1
            default: return nil
            }
            labelLength += 1
            guard labelLength <= 63 else { return nil }
            previous = byte
        }
        guard labelLength > 0, previous != UInt8(ascii: "-") else { return nil }
        return String(decoding: lower, as: UTF8.self)
    }

    static func labelCount(_ host: String) -> Int {
        host.utf8.reduce(1) { $1 == UInt8(ascii: ".") ? $0 + 1 : $0 }
    }

    /// Whether the last label is a number, decimal or `0x…`: browsers read such a host as an IPv4
    /// address (WHATWG URL, "ends in a number"), so it can be no name.
    static func endsInNumber(_ host: String) -> Bool {
        let bytes = host.utf8
        let dot = bytes.lastIndex(of: UInt8(ascii: "."))
        let last = bytes[(dot.map { bytes.index(after: $0) } ?? bytes.startIndex)...]
        guard !last.isEmpty else { return false }
        if last.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) { return true }
        return last.starts(with: "0x".utf8)
            && last.dropFirst(2).allSatisfy { PercentCoding.hexValue($0) != nil }
    }
}
