/// An e-mail address as people type it: `local@domain`, where the local part is unquoted atoms with
/// single dots (RFC 5322 section 3.2.3) of 1 to 64 characters, the domain is a `DomainName`, and
/// all of it has at most 254 characters (RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3).
///
/// Letters of other scripts are taken (RFC 6531), composed, and their domain in its ASCII form.
/// Quoted local parts, comments and address literals are refused: they are next to unused, and two
/// spellings of one address let one person count as two.
public struct EmailAddress: Hashable, Sendable {
    /// As given, without the space around it and with the domain in lower case. Mail goes here.
    public let text: String
    private let local: String
    private let domainName: DomainName

    public init?(_ text: String) {
        let trimmed = NaturalKey.composed(String(NaturalKey.trimmed(text))).unicodeScalars
        guard let at = trimmed.firstIndex(of: "@"),
            let domain = DomainName(ofMail: String(trimmed[at...].dropFirst())),
            EmailAddress.isLocalPart(trimmed[..<at])
        else { return nil }
        local = String(trimmed[..<at])
        domainName = domain
        self.text = "\(local)@\(domain)"
        guard self.text.utf8.count <= 254 else { return nil }
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
        switch domain {
        case "gmail.com", "googlemail.com": return "\(mailbox.filter { $0 != "." })@gmail.com"
        case "proton.me", "protonmail.com", "pm.me": return "\(mailbox)@proton.me"
        default: return "\(mailbox)@\(domain)"
        }
    }

    /// `a…@example.com`, for logs.
    public var masked: String { "\(local.prefix(1))…@\(domain)" }

    private static func isLocalPart(_ scalars: Substring.UnicodeScalarView) -> Bool {
        guard !scalars.isEmpty, Substring(scalars).utf8.count <= 64 else { return false }
        var previous: Unicode.Scalar = "."
        for scalar in scalars {
            if scalar == "." {
                guard previous != scalar else { return false }
            } else if !isAtomCharacter(scalar) {
                return false
            }
            previous = scalar
        }
        return previous != "."
    }

    /// `atext` of RFC 5322 section 3.2.3, and beyond ASCII what people write words with.
    private static func isAtomCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        // Forms of full width look like the letters that they are not.
        case "\u{FF00}"..."\u{FFEF}": false
        case "\u{C0}"...: isOfWords(scalar)
        default: "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
        }
    }

    /// A letter, a mark on one, or a digit of another script.
    static func isOfWords(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .decimalNumber:
            true
        default: false
        }
    }
}

extension EmailAddress: CustomStringConvertible {
    /// Masked, so that an address that slips into a log or an error tells little.
    public var description: String { masked }
}
