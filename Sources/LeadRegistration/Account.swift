import JSON
import Model

/// A company that the operator knows, most often loaded from its CRM: what is a customer or in the
/// pipeline already is no new referral (R96).
public struct Account: Sendable, Equatable {
    public enum Relation: String, Sendable, CaseIterable {
        case customer
        /// In the operator's own pipeline.
        case pipeline
        /// Was a customer once.
        case former
        case prospect

        /// Whether nobody can refer or register it.
        public var isTaken: Bool { self == .customer || self == .pipeline }
    }

    public let id: AccountID
    /// The operator's own name for it, unique.
    public var externalID: String?
    public var account: AccountName
    public var relation: Relation
    /// Since when it is a customer; nil where it is none.
    public var customerSince: Instant?
    public var metadata: JSONObject
    /// Raised by every change.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: AccountID, externalID: String?, account: AccountName, relation: Relation,
        customerSince: Instant? = nil, metadata: JSONObject, version: Int64, createdAt: Instant,
        updatedAt: Instant
    ) {
        self.id = id
        self.externalID = externalID
        self.account = account
        self.relation = relation
        self.customerSince = customerSince
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// With the beginning of being a customer: as it was given, else as it was, else from `now` on;
    /// nil where it is none.
    public func following(_ since: Instant?, at now: Instant) -> Account {
        var account = self
        account.customerSince = relation == .customer ? since ?? customerSince ?? now : nil
        return account
    }

    public var identity: AccountIdentity {
        AccountIdentity(
            domain: account.domain, company: account.name, country: account.country, email: nil)
    }
}

/// Why an account is refused. The order is the order of the checks.
public enum AccountRefusal: Error, Equatable, Sendable {
    /// Neither a domain of its own nor a name with its country.
    case notIdentifiable
    /// Another account has the external id, or the domain.
    case externalIDTaken
    case domainTaken
}

/// Decisions about accounts: pure, without clock or storage.
public enum AccountRules {
    public static func checkIdentifiable(_ identity: AccountIdentity) throws(AccountRefusal) {
        guard identity.domainKey != nil || identity.companyKey != nil else {
            throw .notIdentifiable
        }
    }

    public static func checkUnique(
        _ id: AccountID, externalIDOwner: AccountID?, domainOwner: AccountID?
    ) throws(AccountRefusal) {
        if let externalIDOwner, externalIDOwner != id { throw .externalIDTaken }
        if let domainOwner, domainOwner != id { throw .domainTaken }
    }
}

extension AccountIdentity {
    public var domainKey: AccountKey? { domain.map { .domain($0) } }

    public var companyKey: AccountKey? {
        guard let country, let company else { return nil }
        return .company(company, country)
    }
}
