/// Percent-encoding (RFC 3986 section 2.1) and the form encoding of queries (WHATWG URL, section
/// 5).
///
/// Decoding is strict: a broken escape, U+0000 or invalid UTF-8 is refused, so that nothing reaches
/// a store or a comparison in two spellings or cut short.
public enum PercentCoding {
    /// How many pairs `formDecode` reads unless told otherwise.
    public static let pairsMax = 100

    /// Undoes the escapes of one component; a plus sign stays one. Nil when it cannot be read.
    public static func decode(_ component: some StringProtocol) -> String? {
        decode(bytes: component.utf8, plusIsSpace: false)
    }

    /// The pairs of a query or of a form body, in order: `a=1&b=x+y`. A part without an equals sign
    /// has an empty value; empty parts are skipped. Nil when a part cannot be read or there are
    /// more pairs than `pairsMax`.
    public static func formDecode(
        _ text: some StringProtocol, pairsMax: Int = PercentCoding.pairsMax
    ) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            guard pairs.count < pairsMax else { return nil }
            let nameEnd = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let name = decode(bytes: part[..<nameEnd], plusIsSpace: true),
                let value = decode(bytes: part[nameEnd...].dropFirst(), plusIsSpace: true)
            else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }

    /// `text` with every byte but the unreserved (RFC 3986 section 2.3: letters, digits, `-._~`)
    /// escaped, so that it can stand in any component.
    public static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func append(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                appendEscape(of: byte, to: &bytes)
            }
        }
    }

    static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(hexDigit(byte >> 4))
        bytes.append(hexDigit(byte & 15))
    }

    static func decode(bytes: some Sequence<UInt8>, plusIsSpace: Bool) -> String? {
        var decoded: [UInt8] = []
        var iterator = bytes.makeIterator()
        while var byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(hexValue),
                    let low = iterator.next().flatMap(hexValue)
                else { return nil }
                byte = high << 4 | low
            } else if byte == UInt8(ascii: "+"), plusIsSpace {
                byte = UInt8(ascii: " ")
            }
            guard byte != 0 else { return nil }
            decoded.append(byte)
        }
        return String(validating: decoded, as: UTF8.self)
    }

    static func hexValue(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
