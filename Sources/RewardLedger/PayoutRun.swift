import Model

/// A round of payouts of one kind: a draft for every participant of the program, or for those that
/// were selected, who is owed enough. Once done it can be submitted, and confirmed, as a whole.
///
/// It is made at once and done in slices; `last` is how far it has come, so that it goes on after a
/// stop. The terms are those of the moment in which it was made.
public struct PayoutRun: Sendable {
    public enum State: String, LifecycleState {
        case running, submitting, confirming, done

        public enum Action: String, Sendable, CaseIterable { case submit, confirm }

        public func after(_ action: Action) -> State? {
            guard self == .done else { return nil }
            return action == .submit ? .submitting : .confirming
        }
    }

    public let id: PayoutRunID
    public let program: ProgramID
    /// The operator's own name for it, unique for good; its id when the schedule made it.
    public let reference: String
    public let kind: Payout.Kind
    public let currency: Currency
    public var state: State
    /// The day (counted from 1970) for which the schedule made it; nil: it was called for.
    public let period: Int64?
    public let minimum: Int64
    public let reviewDays: Int64
    /// Whom it is for.
    public let selection: PayoutRunSelection
    /// The last participant it has looked at.
    public var last: ParticipantID?
    /// Participants it has looked at.
    public var examined: Int64
    /// Of those, whose rewards wait for a later run: below the minimum, all owed back, or of
    /// somebody who is not to be paid.
    public var waiting: Int64
    /// Of those, whom it could not draft a payout for because of a fault, which the log names.
    public var failed: Int64
    /// Of those, whom nothing may be paid to; an event names each with the reason.
    public var skipped: Int64
    /// How many payouts it drafted, and what they came to then.
    public var draftedCount: Int64 = 0
    public var draftedAmount: Int64 = 0
    /// How far it is submitted or confirmed: the last payout that was looked at, by its sequence.
    var cursor: Int64 = 0
    /// Whoever submits or confirms it; nil: nobody did yet.
    public internal(set) var actionActor: String?
    /// The provider's id of the whole run, for each of its payouts.
    public internal(set) var providerReference: String?
    /// Payouts that the last submission left as they were; an event names each with the reason.
    public internal(set) var leftOut: Int64 = 0
    public let actor: String
    public let createdAt: Instant
    public var finishedAt: Instant?

    mutating func pass(by participant: ParticipantID) {
        examined += 1
        last = participant
    }

    public init(
        id: PayoutRunID, program: ProgramID, reference: String?, kind: Payout.Kind,
        currency: Currency, period: Int64?, terms: PayoutTerms,
        selection: PayoutRunSelection = PayoutRunSelection(), actor: String, createdAt: Instant
    ) {
        self.init(
            id: id, program: program, reference: reference ?? id.description, kind: kind,
            currency: currency, state: .running, period: period, minimum: terms.minimum,
            reviewDays: terms.reviewDays, selection: selection, last: nil, examined: 0,
            waiting: 0, failed: 0, skipped: 0, actor: actor, createdAt: createdAt, finishedAt: nil)
    }

    init(
        id: PayoutRunID, program: ProgramID, reference: String, kind: Payout.Kind,
        currency: Currency, state: State, period: Int64?, minimum: Int64, reviewDays: Int64,
        selection: PayoutRunSelection, last: ParticipantID?, examined: Int64, waiting: Int64,
        failed: Int64,
        skipped: Int64, actor: String, createdAt: Instant, finishedAt: Instant?
    ) {
        self.id = id
        self.program = program
        self.reference = reference
        self.kind = kind
        self.currency = currency
        self.state = state
        self.period = period
        self.minimum = minimum
        self.reviewDays = reviewDays
        self.selection = selection
        self.last = last
        self.examined = examined
        self.waiting = waiting
        self.failed = failed
        self.skipped = skipped
        self.actor = actor
        self.createdAt = createdAt
        self.finishedAt = finishedAt
    }

    /// When its drafts can be submitted; nil: at once.
    func submitFrom(at now: Instant) -> Instant? {
        reviewDays > 0 ? now.advanced(byDays: Int(clamping: reviewDays)) : nil
    }

    /// Its draft for a participant.
    func order(for participant: ParticipantID, at now: Instant) -> PayoutOrder {
        var order = PayoutOrder(
            reference: nil, participant: participant, program: program, currency: currency,
            kind: kind, actor: actor)
        order.minimum = minimum
        order.run = id
        order.submitFrom = submitFrom(at: now)
        return order
    }
}

/// Whom a run is for, of the program's participants.
public struct PayoutRunSelection: Sendable, Equatable {
    /// By name, in the order of the ids; nil: everybody.
    public let participants: [ParticipantID]?
    /// Of this segment alone; nil: of any.
    public let segment: String?

    public init(participants: [ParticipantID]? = nil, segment: String? = nil) {
        self.participants = participants.map { Set($0).sorted() }
        self.segment = segment
    }

    public static let participantsMax = 1_000
}

/// Whether a run pays somebody.
public enum PayoutStanding: Sendable, Equatable {
    case payable
    /// Nothing is to be paid to it for this reason, a code.
    case leftOut(String)
    /// The run is not for it.
    case outside

    static let returned = "returned"
}

/// How many payouts of a run are in one state, and what they come to.
public struct PayoutRunSum: Sendable {
    public let state: Payout.State
    public let payouts: Int64
    public let amount: Int64
    public let clawbackAmount: Int64
    public let paidAmount: Int64
}

/// Why a run is refused.
public enum PayoutRunRefusal: Error, Equatable, Sendable {
    /// The reference belongs to another run, which differs in this member.
    case referenceTaken(member: String)
}

/// Decisions about runs: pure.
public enum PayoutRunRules {
    /// A repeated request is the same run again, or a mistake.
    public static func checkSame(
        _ known: PayoutRun, program: ProgramID, kind: Payout.Kind,
        _ selection: PayoutRunSelection = PayoutRunSelection()
    ) throws(PayoutRunRefusal) {
        if known.program != program { throw .referenceTaken(member: "program_id") }
        if known.kind != kind { throw .referenceTaken(member: "kind") }
        if known.selection.participants != selection.participants {
            throw .referenceTaken(member: "participant_ids")
        }
        if known.selection.segment != selection.segment {
            throw .referenceTaken(member: "segment")
        }
    }
}
