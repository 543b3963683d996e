import JSON
import Model

/// Two claims on one account, and who decides between them by when (R83, R85).
public struct Dispute: Sendable, Equatable {
    /// `open → under_review → resolved`.
    public enum State: String, LifecycleState {
        case open
        case underReview = "under_review"
        case resolved

        public enum Action: String, Sendable, CaseIterable { case review, resolve }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.review, .open): .underReview
            case (.resolve, .open), (.resolve, .underReview): .resolved
            default: nil
            }
        }
    }

    public enum Opener: String, Sendable, CaseIterable {
        case partner
        /// The operator.
        case `operator`
        /// Two claims overlap.
        case system
    }

    /// One side, or the operator between them.
    public enum Party: String, Sendable, CaseIterable { case claimant, respondent, `operator` }

    public let id: DisputeID
    public let program: ProgramID
    /// The claim that asks, and the one it asks about.
    public let claim: RegistrationID
    public let contested: RegistrationID
    public let claimant: ParticipantID
    public let respondent: ParticipantID
    public let openedBy: Opener
    public var state: State
    /// What the claimant, or the operator, says it is about.
    public let reason: String?
    /// Who looks into it: the operator's own name for a person.
    public var owner: String?
    public let dueAt: Instant
    public var escalatedAt: Instant?
    public var ruling: Ruling?
    public var metadata: JSONObject
    /// Raised by every change.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: DisputeID, program: ProgramID, claim: RegistrationID, contested: RegistrationID,
        claimant: ParticipantID, respondent: ParticipantID, openedBy: Opener, state: State,
        reason: String?, owner: String?, dueAt: Instant, escalatedAt: Instant?, ruling: Ruling?,
        metadata: JSONObject, version: Int64, createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.claim = claim
        self.contested = contested
        self.claimant = claimant
        self.respondent = respondent
        self.openedBy = openedBy
        self.state = state
        self.reason = reason
        self.owner = owner
        self.dueAt = dueAt
        self.escalatedAt = escalatedAt
        self.ruling = ruling
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// On which side a participant is; nil when on neither.
    public func party(of participant: ParticipantID) -> Party? {
        if participant == claimant { return .claimant }
        return participant == respondent ? .respondent : nil
    }
}

/// How a dispute was decided, with its reason, kept for good.
public struct Ruling: Sendable, Equatable {
    public enum Decision: Sendable, Equatable {
        /// The contested claim stands; the other one, if it holds anything, is rejected.
        case uphold
        /// The claimant gets the account.
        case transfer
        /// Both hold it; the claimant earns this share, in basis points.
        case split(claimantShare: Int64)
        /// The dispute is without ground; everything stays.
        case reject

        public var name: String {
            switch self {
            case .uphold: "uphold"
            case .transfer: "transfer"
            case .split: "split"
            case .reject: "reject"
            }
        }

        public static let names = ["uphold", "transfer", "split", "reject"]
    }

    public let decision: Decision
    public let reason: String
    /// A key's id.
    public let by: String
    public let at: Instant

    public init(decision: Decision, reason: String, by: String, at: Instant) {
        self.decision = decision
        self.reason = reason
        self.by = by
        self.at = at
    }
}

/// Something that one side shows. Personal data may be in it, so it can be erased.
public struct DisputeEvidence: Sendable, Equatable {
    public let party: Dispute.Party
    public let note: String
    public let createdAt: Instant

    public init(party: Dispute.Party, note: String, createdAt: Instant) {
        self.party = party
        self.note = note
        self.createdAt = createdAt
    }
}
