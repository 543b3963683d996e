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
            case qualify, disqualify, advance, win, lose, nurture, reopen
        }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.qualify, .submitted), (.qualify, .nurture): .qualified
            case (.disqualify, .submitted), (.disqualify, .qualified), (.disqualify, .nurture):
                .disqualified
            case (.advance, .qualified): .opportunity
            case (.win, .qualified), (.win, .opportunity): .won
            case (.lose, .qualified), (.lose, .opportunity): .lost
            case (.nurture, .submitted): .nurture
            case (.reopen, .disqualified), (.reopen, .lost), (.reopen, .nurture),
                (.reopen, .duplicate), (.reopen, .spam):
                .submitted
            default: nil
            }
        }
    }

    /// Through which door it came (R59).
    public enum Source: String, Sendable, CaseIterable { case api, form }

    /// How warm the referrer's introduction is (R103).
    public enum Intro: String, Sendable, CaseIterable { case strong, weak }

    public let id: LeadID
    public let program: ProgramID
    /// Who referred it, and by which link and click.
    public let referrer: Referrer
    /// The customer that the referred person is or becomes.
    public let customer: CustomerID?
    public var state: State
    public let source: Source
    public var contact: Contact
    public var intro: Intro?
    public var estimatedValue: Money?
    /// What the deal was closed at.
    public var wonValue: Money?
    /// The earlier lead for the same person.
    public let duplicateOf: LeadID?
    /// Why it is in its state: a code, and the operator's words.
    public var reasonCode: String?
    public var reason: String?
    /// In `nurture`: when it comes back by itself.
    public var followUpAt: Instant?
    public var qualifiedAt: Instant?
    public var wonAt: Instant?
    /// By which the same form post is known again.
    public let formDigest: [UInt8]?
    public var metadata: JSONObject
    /// Raised by every change.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: LeadID, program: ProgramID, referrer: Referrer, customer: CustomerID?, state: State,
        source: Source, contact: Contact, intro: Intro?, estimatedValue: Money?, wonValue: Money?,
        duplicateOf: LeadID?, reasonCode: String?, reason: String?, followUpAt: Instant?,
        qualifiedAt: Instant?, wonAt: Instant?, formDigest: [UInt8]?, metadata: JSONObject,
        version: Int64, createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.referrer = referrer
        self.customer = customer
        self.state = state
        self.source = source
        self.contact = contact
        self.intro = intro
        self.estimatedValue = estimatedValue
        self.wonValue = wonValue
        self.duplicateOf = duplicateOf
        self.reasonCode = reasonCode
        self.reason = reason
        self.followUpAt = followUpAt
        self.qualifiedAt = qualifiedAt
        self.wonAt = wonAt
        self.formDigest = formDigest
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
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
