/// The host and port of a web address in the one spelling that browsers give them.
enum URLHost {
    /// The host in lower case and ASCII: a name, four decimal numbers, or IPv6 in brackets.
    ///
    /// Names in other scripts become `xn--…`. The whole of IDNA (UTS 46) needs tables that are not
    /// here, so only letters that IDNA maps to themselves or to their lower case, and that have one
    /// composition, are taken: Latin, Greek, Cyrillic, Kana, Han, Hangul. Every other name can be
    /// given in its `xn--` form.
    static func normalized(_ text: Substring) -> String? {
        if text.utf8.first == UInt8(ascii: "[") {
            guard text.utf8.last == UInt8(ascii: "]"), text.utf8.count > 2 else { return nil }
            let address = text.dropFirst().dropLast()
            return isIPv6(address.utf8) ? "[\(address.lowercased())]" : nil
        }
        guard let name = asciiName(text), let host = HostName.lowercased(name) else { return nil }
        return !HostName.endsInNumber(host) || isIPv4(host.utf8[...]) ? host : nil
    }

    /// 1 to 65535; nil for anything else.
    static func port(_ text: Substring) -> UInt16? {
        guard text.utf8.count <= 5,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(text), port > 0
        else { return nil }
        return port
    }

    /// `text` with the full stops of UTS 46 section 2.3 as dots, full width as ASCII, and letters
    /// that were typed with their accents apart in one piece.
    static func mapped(_ text: Substring) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return String(text) }
        var narrow = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x3002, 0xFF61: narrow.append(".")
            case 0xFF01...0xFF5E: narrow.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
            default: narrow.append(scalar)
            }
        }
        var scalars = String.UnicodeScalarView()
        for character in String(narrow) {
            if character.unicodeScalars.count > 1, let whole = composed[character] {
                scalars.append(whole)
            } else {
                scalars.append(contentsOf: character.unicodeScalars)
            }
        }
        return String(scalars)
    }

    static func asciiName(_ text: Substring) -> String? {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return String(text) }
        var labels: [String] = []
        for label in text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false) {
            guard let ascii = asciiLabel(label) else { return nil }
            labels.append(ascii)
        }
        return labels.joined(separator: ".")
    }

    private static func asciiLabel(_ label: Substring.UnicodeScalarView) -> String? {
        if label.allSatisfy(\.isASCII) { return String(label) }
        var scalars: [Unicode.Scalar] = []
        for scalar in label {
            let lower = scalar.properties.lowercaseMapping.unicodeScalars
            guard let mapped = lower.first, lower.count == 1, isSafe(mapped) else { return nil }
            scalars.append(mapped)
        }
        // The Kelvin sign is a k in the end.
        if scalars.allSatisfy(\.isASCII) { return String(String.UnicodeScalarView(scalars)) }
        // Two hyphens in this place announce an encoding (RFC 5891 section 4.2.3.1).
        guard !scalars.dropFirst(2).starts(with: ["-", "-"]) else { return nil }
        return Punycode.encode(scalars).map { "xn--\($0)" }
    }

    /// Lower-case letters that IDNA 2008 allows, that no compatibility mapping touches and that no
    /// rule ties to their neighbours; left to right only, so that RFC 5893 has nothing to forbid.
    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2D, 0x30...0x39, 0x61...0x7A: true  // The ASCII of a mixed label.
        case 0xDF...0xF6, 0xF8...0xFF: true
        case 0x133, 0x140, 0x149, 0x17F: false  // ĳ, ŀ, ŉ, ſ are compatibility characters.
        case 0x100...0x17E: true
        case 0x3AC...0x3CE: true
        case 0x430...0x45F, 0x491: true
        case 0x3041...0x3096, 0x30A1...0x30FA, 0x30FC: true
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0x3005: true
        case 0xAC00...0xD7A3: true
        default: false
        }
    }

    /// The letters that `isSafe` takes, and their capitals, by what they are to a reader: a
    /// `Character` is equal however it is composed.
    private static let composed: [Character: Unicode.Scalar] = {
        let blocks: [ClosedRange<UInt32>] = [
            0xC0...0x17E, 0x386...0x3CE, 0x400...0x45F, 0x3041...0x3096, 0x30A1...0x30FA,
        ]
        var composed: [Character: Unicode.Scalar] = [:]
        for scalar in blocks.joined().compactMap({ Unicode.Scalar($0) }) {
            composed[Character(scalar)] = scalar
        }
        return composed
    }()

    /// Four decimal numbers of 0 to 255 without leading zeros, which some readers take as octal.
    private static func isIPv4(_ bytes: Substring.UTF8View) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30 else {
                    return false
                }
                var value = 0
                for byte in part {
                    guard byte &- 0x30 < 10 else { return false }
                    value = value * 10 + Int(byte &- 0x30)
                }
                return value <= 255
            }
    }

    /// RFC 4291 section 2.2: eight groups of up to four hexadecimal digits, one `::` for a run of
    /// zeros, the last two groups perhaps as IPv4. No zone.
    private static func isIPv6(_ bytes: Substring.UTF8View) -> Bool {
        let colon = UInt8(ascii: ":")
        let groups = bytes.split(separator: colon, omittingEmptySubsequences: false)
        guard (3...9).contains(groups.count) else { return false }
        var count = 0
        var gaps = 0
        for (place, group) in groups.enumerated() {
            let isLast = place == groups.count - 1
            if group.isEmpty {
                // A colon at either end belongs to a `::`, whose other half is the next group.
                if place == 0 {
                    guard groups[1].isEmpty else { return false }
                } else if isLast {
                    guard groups[place - 1].isEmpty else { return false }
                } else {
                    gaps += 1
                }
            } else if isLast, group.contains(UInt8(ascii: ".")) {
                guard isIPv4(group) else { return false }
                count += 2
            } else {
                guard group.count <= 4, group.allSatisfy({ PercentCoding.hexValue($0) != nil })
                else { return false }
                count += 1
            }
        }
        return gaps == 0 ? count == 8 : gaps == 1 && count <= 7
    }
}
