import JSON
import Model

/// A referred prospect: who was referred, by whom and how, and how far sales has come with it.
///
/// Personal values (name, e-mail, company, phone, note) are nil once they have been erased.
public struct Lead: Sendable, Equatable {
    /// `submitted → qualified → opportunity → won`, with the ways out of it (R90, R106).
    public enum State: String, LifecycleState {
        case submitted, qualified, opportunity, won, lost, disqualified, nurture, duplicate
        /// A form filled in by a robot. Kept, so that a person's lead can be found again and
        /// reopened.
        case spam

        public enum Action: String, Sendable, CaseIterable {
            case qualify, disqualify, advance, win, lose, nurture, reopen, attach
        }

        /// Whether it waits for a decision, so that what is learned of it still counts.
        public var isWaiting: Bool { self == .submitted || self == .nurture }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.qualify, .submitted), (.qualify, .nurture): .qualified
            case (.disqualify, .submitted), (.disqualify, .qualified), (.disqualify, .nurture):
                .disqualified
            case (.advance, .qualified): .opportunity
            case (.win, .qualified), (.win, .opportunity): .won
            // A deal that fell through after all.
            case (.lose, .qualified), (.lose, .opportunity), (.lose, .won): .lost
            case (.nurture, .submitted): .nurture
            case (.reopen, .disqualified), (.reopen, .lost), (.reopen, .nurture),
                (.reopen, .duplicate), (.reopen, .spam):
                .submitted
            case (.attach, .submitted), (.attach, .duplicate): .duplicate
            default: nil
            }
        }
    }

    /// Through which door it came (R59).
    public enum Source: String, Sendable, CaseIterable { case api, form, `import` }

    /// How warm the referrer's introduction is (R103).
    public enum Intro: String, Sendable, CaseIterable { case strong, weak }

    public let id: LeadID
    public let program: ProgramID
    /// Who referred it, and by which link and click.
    public let referrer: Referrer
    /// What was given beside and was of no use for it. Personal, as people type addresses.
    public let ignored: [IgnoredHint]
    /// The customer that the referred person is or becomes.
    public let customer: CustomerID?
    public var state: State
    public let source: Source
    public var contact: Contact
    public var firm: Firmographics
    /// How it came to the door, in the operator's words: portal, slack, in_app.
    public let channel: String?
    /// When it was referred, where that was before it came in.
    public let referredAt: Instant?
    public var intro: Intro?
    public var estimatedValue: Money?
    /// What the deal was closed at.
    public var wonValue: Money?
    /// The earlier lead for the same prospect, or the opportunity that it was attached to.
    public var duplicateOf: LeadID?
    /// Why it is in its state: a code, and the operator's words.
    public var reasonCode: String?
    public var reason: String?
    /// In `nurture`: when it comes back by itself.
    public var followUpAt: Instant?
    public var qualifiedAt: Instant?
    public var wonAt: Instant?
    /// When it came into its state.
    public var steppedAt: Instant
    /// By which the same form post is known again.
    public let formDigest: [UInt8]?
    /// What the program asks of it: the version of its rules, and which of them it breaks.
    public var programVersion: Int64?
    public var brokenRules: [LeadRule]
    public var checklist: [QualificationTerms.ChecklistItem: Bool]
    /// Who works it.
    public var owner: LeadOwner?
    /// Whose registration held its account when it came in.
    public var registration: RegistrationID?
    /// When the clock that runs for it runs out; kept when it has been stopped.
    public var clockDueAt: Instant?
    /// The version of the program's legal terms that its referrer had accepted when it came in.
    public let termsVersion: Int64?
    public var metadata: JSONObject
    /// Raised by every change.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: LeadID, program: ProgramID, referrer: Referrer, customer: CustomerID?, state: State,
        source: Source, contact: Contact, firm: Firmographics = Firmographics(),
        channel: String? = nil, referredAt: Instant? = nil, intro: Intro?, estimatedValue: Money?,
        wonValue: Money?,
        duplicateOf: LeadID?, reasonCode: String?, reason: String?, followUpAt: Instant?,
        qualifiedAt: Instant?, wonAt: Instant?, steppedAt: Instant? = nil, formDigest: [UInt8]?,
        programVersion: Int64? = nil, brokenRules: [LeadRule] = [],
        checklist: [QualificationTerms.ChecklistItem: Bool] = [:], owner: LeadOwner? = nil,
        registration: RegistrationID? = nil, clockDueAt: Instant? = nil,
        termsVersion: Int64? = nil, ignored: [IgnoredHint] = [], metadata: JSONObject,
        version: Int64,
        createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.referrer = referrer
        self.ignored = ignored
        self.customer = customer
        self.state = state
        self.source = source
        self.contact = contact
        self.firm = firm
        self.channel = channel
        self.referredAt = referredAt
        self.intro = intro
        self.estimatedValue = estimatedValue
        self.wonValue = wonValue
        self.duplicateOf = duplicateOf
        self.reasonCode = reasonCode
        self.reason = reason
        self.followUpAt = followUpAt
        self.qualifiedAt = qualifiedAt
        self.wonAt = wonAt
        self.steppedAt = steppedAt ?? createdAt
        self.formDigest = formDigest
        self.programVersion = programVersion
        self.brokenRules = brokenRules
        self.checklist = checklist
        self.owner = owner
        self.registration = registration
        self.clockDueAt = clockDueAt
        self.termsVersion = termsVersion
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What is known of the prospect's company, beside its name.
public struct Firmographics: Sendable, Equatable {
    public var country: CountryCode?
    public var industry: String?
    /// Employees.
    public var companySize: Int64?
    public var useCase: String?

    public init(
        country: CountryCode? = nil, industry: String? = nil, companySize: Int64? = nil,
        useCase: String? = nil
    ) {
        self.country = country
        self.industry = industry
        self.companySize = companySize
        self.useCase = useCase
    }
}

/// Who works a lead, and by which rule.
public struct LeadOwner: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case accountExecutive = "account_executive"
        case territory
        case representative
        /// No other rule gave it to anybody.
        case fallback
        /// The partner whose registration holds the account.
        case partner
        /// A person said so.
        case manual
    }

    public let kind: Kind
    /// The operator's own name for a person; a partner's id.
    public let name: String

    public init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }
}

/// Who is referred: personal values, all of which can be erased.
public struct Contact: Sendable, Equatable {
    public var name: String?
    public let email: EmailAddress?
    public var company: String?
    /// The company's domain name.
    public var domain: DomainName?
    public var phone: String?
    public var note: String?

    public init(
        name: String?, email: EmailAddress?, company: String?, domain: DomainName?, phone: String?,
        note: String?
    ) {
        self.name = name
        self.email = email
        self.company = company
        self.domain = domain
        self.phone = phone
        self.note = note
    }
}

extension Lead {
    /// Since when it counts as referred.
    public var referralTime: Instant { referredAt ?? createdAt }

    /// In minor units; nil when it is not known in this currency.
    public func estimatedAmount(in currency: Currency) -> Int64? {
        estimatedValue.flatMap { $0.currency == currency ? $0.amount : nil }
    }

    /// By which its company is known again.
    public var identity: AccountIdentity {
        AccountIdentity(
            domain: contact.domain, company: contact.company, country: firm.country,
            email: contact.email)
    }
}

/// Who referred a lead; all nil when nobody is known to have.
public struct Referrer: Sendable, Equatable {
    public let participant: ParticipantID?
    public let link: LinkID?
    public let click: ClickID?

    public init(participant: ParticipantID?, link: LinkID? = nil, click: ClickID? = nil) {
        self.participant = participant
        self.link = link
        self.click = click
    }

    public static let nobody = Referrer(participant: nil)
}
