/// An e-mail address as people type it: `local@domain`, where the local part is unquoted atoms with
/// single dots (RFC 5322 section 3.2.3) of 1 to 64 characters, the domain is a `DomainName`, and
/// all of it has at most 254 characters (RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3).
///
/// ASCII only. Quoted local parts, comments, address literals and internationalised addresses
/// (RFC 6531) are refused: they are next to unused, and two spellings of one address let one person
/// count as two.
public struct EmailAddress: Hashable, Sendable {
    /// As given, without the space around it and with the domain in lower case. Mail goes here.
    public let text: String
    private let local: String
    private let domainName: DomainName

    public init?(_ text: String) {
        let trimmed = EmailAddress.trimmed(text)
        guard trimmed.utf8.count <= 254,
            let at = trimmed.utf8.firstIndex(of: UInt8(ascii: "@")),
            let domain = DomainName(String(Substring(trimmed.utf8[at...].dropFirst()))),
            EmailAddress.isLocalPart(trimmed.utf8[..<at])
        else { return nil }
        local = String(trimmed[..<at])
        domainName = domain
        self.text = "\(local)@\(domain)"
    }

    /// The part after the at sign, in lower case.
    public var domain: String { domainName.text }

    /// One spelling for all addresses that reach the same mailbox: lower case, without the tag that
    /// follows a plus sign, and where the provider ignores dots, without them. For comparing; mail
    /// goes to `text`.
    public var normalized: String {
        var mailbox = local.lowercased()
        if let plus = mailbox.firstIndex(of: "+"), plus > mailbox.startIndex {
            mailbox = String(mailbox[..<plus])
        }
        guard domain == "gmail.com" || domain == "googlemail.com" else {
            return "\(mailbox)@\(domain)"
        }
        return "\(mailbox.filter { $0 != "." })@gmail.com"
    }

    /// `a…@example.com`, for logs.
    public var masked: String { "\(local.prefix(1))…@\(domain)" }

    private static func trimmed(_ text: String) -> Substring {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return Substring(bytes[first...last])
    }

    private static func isLocalPart(_ bytes: Substring.UTF8View.SubSequence) -> Bool {
        guard (1...64).contains(bytes.count) else { return false }
        var previous = UInt8(ascii: ".")
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                guard previous != byte else { return false }
            } else if !isAtomCharacter(byte) {
                return false
            }
            previous = byte
        }
        return previous != UInt8(ascii: ".")
    }

    /// `atext` of RFC 5322 section 3.2.3.
    private static func isAtomCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
    }
}

extension EmailAddress: CustomStringConvertible {
    /// Masked, so that an address that slips into a log or an error tells little.
    public var description: String { masked }
}
