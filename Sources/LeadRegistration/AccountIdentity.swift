import Crypto
import Model

/// One way to know an account again, as 16 bytes that tell nothing by themselves.
public struct AccountKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// Reads what is stored.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    private init(_ kind: String, _ value: String) {
        bytes = Array(SHA256.hash("\(kind)\n\(value)").prefix(16))
    }

    /// Of a registrable domain.
    public static func domain(_ name: DomainName) -> AccountKey {
        AccountKey("domain", name.text)
    }

    public static func company(_ name: CompanyName, _ country: CountryCode) -> AccountKey {
        AccountKey("company", "\(name.normalized)\n\(country.code)")
    }

    /// Of the first word of a company's name: finds those whose names are alike.
    public static func firstWord(of name: CompanyName) -> AccountKey {
        AccountKey("word", name.firstWord)
    }

    /// Of a mailbox, however its address is spelled.
    public static func email(_ address: EmailAddress) -> AccountKey {
        AccountKey("email", address.normalized)
    }

    public static func phone(_ number: PhoneNumber) -> AccountKey {
        AccountKey("phone", number.e164)
    }
}

/// Everything by which a company is known again, in one spelling (R96).
public struct AccountIdentity: Sendable, Equatable {
    /// Registrable; never of a free mail provider.
    public let domain: DomainName?
    private let companyText: String?
    public let country: CountryCode?
    public let email: EmailAddress?

    /// Read when it is asked for, because most leads are told by less.
    public var company: CompanyName? { companyText.flatMap { CompanyName($0) } }

    /// `domain` counts by its registrable part; without one, or where that is a provider's of free
    /// mail, the domain of the e-mail address does, unless anybody can have an address there.
    public init(
        domain: DomainName?, company: String?, country: CountryCode?, email: EmailAddress?
    ) {
        self.domain =
            domain.flatMap { AccountIdentity.own($0) }
            ?? email.flatMap { DomainName($0.domain) }.flatMap { AccountIdentity.own($0) }
        companyText = company
        self.country = country
        self.email = email
    }

    /// The part of the name that one company owns.
    private static func own(_ name: DomainName) -> DomainName? {
        let registrable = PublicSuffixes.standard.registrableDomain(of: name)
        return registrable.flatMap { FreeMail.contains($0) ? nil : $0 }
    }

    /// The text that receipts fingerprint: one line for each part, empty where it is not known.
    public var canonical: String {
        """
        domain=\(domain?.text ?? "")
        company=\(company?.normalized ?? "")
        country=\(country?.code ?? "")
        email=\(domain == nil ? email?.normalized ?? "" : "")
        """
    }
}
