import Model

/// A round of payouts of one kind: a draft for every participant of the program who is owed enough.
///
/// It is made at once and done in slices; `last` is how far it has come, so that it goes on after a
/// stop. The terms are those of the moment in which it was made.
public struct PayoutRun: Sendable {
    public enum State: String, Sendable, CaseIterable { case running, done }

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
    public let actor: String
    public let createdAt: Instant
    public var finishedAt: Instant?

    mutating func pass(by participant: ParticipantID) {
        examined += 1
        last = participant
    }

    public init(
        id: PayoutRunID, program: ProgramID, reference: String?, kind: Payout.Kind,
        currency: Currency, period: Int64?, terms: PayoutTerms, actor: String, createdAt: Instant
    ) {
        self.init(
            id: id, program: program, reference: reference ?? id.description, kind: kind,
            currency: currency, state: .running, period: period, minimum: terms.minimum,
            reviewDays: terms.reviewDays, last: nil, examined: 0, waiting: 0, failed: 0,
            skipped: 0, actor: actor, createdAt: createdAt, finishedAt: nil)
    }

    init(
        id: PayoutRunID, program: ProgramID, reference: String, kind: Payout.Kind,
        currency: Currency, state: State, period: Int64?, minimum: Int64, reviewDays: Int64,
        last: ParticipantID?, examined: Int64, waiting: Int64, failed: Int64,
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
        _ known: PayoutRun, program: ProgramID, kind: Payout.Kind
    ) throws(PayoutRunRefusal) {
        if known.program != program { throw .referenceTaken(member: "program_id") }
        if known.kind != kind { throw .referenceTaken(member: "kind") }
    }
}
