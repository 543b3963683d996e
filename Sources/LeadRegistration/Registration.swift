import JSON
import Model

/// A partner's claim on an account: who registered which deal when, under which terms, and how long
/// nobody else may (R73 to R80).
///
/// Of several claims on one account the first valid one is accepted; the others are kept as
/// `refused`, as evidence for a dispute. Personal values and the account's name are nil once they
/// have been erased.
public struct Registration: Sendable, Equatable {
    /// `submitted → approved → won | lost | expired | withdrawn`, or `rejected`.
    public enum State: String, LifecycleState {
        case submitted, approved, rejected, won, lost, expired, withdrawn
        /// Another's claim was first. It never held the account.
        case refused

        public enum Action: String, Sendable, CaseIterable {
            case approve, reject, extend, win, lose, withdraw
        }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.approve, .submitted): .approved
            case (.reject, .submitted): .rejected
            case (.extend, .approved): .approved
            case (.win, .approved): .won
            case (.lose, .approved): .lost
            case (.withdraw, .submitted), (.withdraw, .approved): .withdrawn
            default: nil
            }
        }

        /// Whether it holds its account, while its time lasts. A won one does, so that the sale,
        /// which comes later, is credited to it.
        public var isHolding: Bool {
            switch self {
            case .submitted, .approved, .won: true
            case .rejected, .lost, .expired, .withdrawn, .refused: false
            }
        }

        /// Whether the account's deals are credited to it while it holds the account: somebody has
        /// found it good.
        public var isEarning: Bool { self == .approved || self == .won }
    }

    public let id: RegistrationID
    public let program: ProgramID
    public let participant: ParticipantID
    public var state: State
    public let account: AccountName
    /// The product or region that is claimed; nil: the whole account.
    public let part: String?
    public var contact: RegistrationContact
    public var opportunity: Opportunity
    /// The terms at submission; later ones never shorten the claim.
    public let terms: RegistrationTerms
    public let programVersion: Int64
    /// The version of the program's legal terms that the partner had accepted at submission.
    public let termsVersion: Int64?
    public let decisionDueAt: Instant
    /// When it lapses undecided.
    public let windowEndsAt: Instant
    /// When protection ends; nil before approval.
    public var protectedUntil: Instant?
    /// When it ends at the latest, whatever is decided and extended.
    public let protectedUntilLatest: Instant
    /// Of what the account's deals earn while it holds, in basis points; less than all after a
    /// ruling that splits the account.
    public var share: Int64
    /// How often protection was extended.
    public var extensions: Int64
    public var decidedAt: Instant?
    /// When it stopped holding the account before its time, or lapsed.
    public var endedAt: Instant?
    public var wonValue: Money?
    public var reasonCode: String?
    public var reason: String?
    /// Of a refused claim: the registration that stood in its way.
    public let blockedBy: RegistrationID?
    public var toldFreeAt: Instant?
    public var dispute: DisputeID?
    /// The account as its receipt fingerprints it, in the spelling of its day; nil once erased.
    public let fingerprinted: FingerprintedAccount?
    public var metadata: JSONObject
    /// Raised by every change.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: RegistrationID, program: ProgramID, participant: ParticipantID, state: State,
        account: AccountName, part: String?, contact: RegistrationContact,
        opportunity: Opportunity, terms: RegistrationTerms, programVersion: Int64,
        termsVersion: Int64?, decisionDueAt: Instant, windowEndsAt: Instant,
        protectedUntil: Instant?,
        protectedUntilLatest: Instant, share: Int64 = 10_000, extensions: Int64 = 0,
        decidedAt: Instant? = nil,
        endedAt: Instant? = nil, wonValue: Money? = nil, reasonCode: String? = nil,
        reason: String? = nil, blockedBy: RegistrationID? = nil, toldFreeAt: Instant? = nil,
        dispute: DisputeID? = nil, fingerprinted: FingerprintedAccount?, metadata: JSONObject,
        version: Int64 = 1,
        createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.participant = participant
        self.state = state
        self.account = account
        self.part = part
        self.contact = contact
        self.opportunity = opportunity
        self.terms = terms
        self.programVersion = programVersion
        self.termsVersion = termsVersion
        self.decisionDueAt = decisionDueAt
        self.windowEndsAt = windowEndsAt
        self.protectedUntil = protectedUntil
        self.protectedUntilLatest = protectedUntilLatest
        self.share = share
        self.extensions = extensions
        self.decidedAt = decidedAt
        self.endedAt = endedAt
        self.wonValue = wonValue
        self.reasonCode = reasonCode
        self.reason = reason
        self.blockedBy = blockedBy
        self.toldFreeAt = toldFreeAt
        self.dispute = dispute
        self.fingerprinted = fingerprinted
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// By which its account is known again.
    public var identity: AccountIdentity {
        AccountIdentity(
            domain: account.domain, company: account.name, country: account.country,
            email: contact.email)
    }

    /// This claim, which another's stood in the way of.
    public func refused(by holder: RegistrationID) -> Registration {
        Registration(
            id: id, program: program, participant: participant, state: .refused, account: account,
            part: part, contact: contact, opportunity: opportunity, terms: terms,
            programVersion: programVersion, termsVersion: termsVersion,
            decisionDueAt: decisionDueAt,
            windowEndsAt: windowEndsAt, protectedUntil: nil,
            protectedUntilLatest: protectedUntilLatest, reasonCode: "account_protected",
            blockedBy: holder, fingerprinted: fingerprinted, metadata: metadata,
            createdAt: createdAt, updatedAt: updatedAt)
    }
}

/// The account as the partner names it.
public struct AccountName: Sendable, Equatable {
    public let name: String?
    public let domain: DomainName?
    public let country: CountryCode?

    public init(name: String?, domain: DomainName?, country: CountryCode?) {
        self.name = name
        self.domain = domain
        self.country = country
    }
}

/// Whom the partner speaks with there: personal values.
public struct RegistrationContact: Sendable, Equatable {
    public var name: String?
    /// An account may be known by it, so it stays.
    public let email: EmailAddress?
    public var phone: String?

    public init(name: String?, email: EmailAddress?, phone: String?) {
        self.name = name
        self.email = email
        self.phone = phone
    }
}

/// The deal, and what shows that there is one (R80).
public struct Opportunity: Sendable, Equatable {
    public struct Evidence: Sendable, Equatable {
        public let kind: RegistrationTerms.Evidence
        public let occurredAt: Instant?
        public let note: String?

        public init(kind: RegistrationTerms.Evidence, occurredAt: Instant?, note: String?) {
            self.kind = kind
            self.occurredAt = occurredAt
            self.note = note
        }
    }

    public var value: Money?
    public var expectedClose: Instant?
    public var evidence: [Evidence]

    public init(value: Money?, expectedClose: Instant?, evidence: [Evidence]) {
        self.value = value
        self.expectedClose = expectedClose
        self.evidence = evidence
    }
}

/// Who holds an account, under one of the keys by which it is known.
public struct AccountClaim: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case domain, company, email
        /// The first word of the company's name: finds similar names, protects nothing.
        case name
    }

    public let key: AccountKey
    public let kind: Kind
    public let hasDomain: Bool
    /// Nil: all programs whose protection spans the instance.
    public let scope: ProgramID?
    public let part: String?
    /// By what parts are compared; nil: the whole account.
    public var partKey: String? { FreeText.key(part) }
    public let registration: RegistrationID
    /// The registration's place in its table.
    public let sequence: Int64
    public let participant: ParticipantID
    public let heldFrom: Instant
    public let heldUntil: Instant

    public init(
        key: AccountKey, kind: Kind, hasDomain: Bool, scope: ProgramID?, part: String?,
        registration: RegistrationID, sequence: Int64, participant: ParticipantID,
        heldFrom: Instant, heldUntil: Instant
    ) {
        self.key = key
        self.kind = kind
        self.hasDomain = hasDomain
        self.scope = scope
        self.part = part
        self.registration = registration
        self.sequence = sequence
        self.participant = participant
        self.heldFrom = heldFrom
        self.heldUntil = heldUntil
    }
}
