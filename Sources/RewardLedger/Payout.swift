import Model

/// A batch of one participant's approved rewards, less what is owed back, that is paid at once.
///
/// `draft → processing → paid | partially_paid | failed | returned`; `unknown` when the provider's
/// answer was lost, until somebody finds out. A draft can be cancelled. What was paid may come back
/// weeks later, in whole (`returned`) or in part; what failed, came back or was paid in part may
/// have been paid after all.
///
/// It is of one kind. An account credit is granted by the billing system, a gift card bought and a
/// donation made by whoever does that: it hears of it by the event `payout.processing` and confirms
/// or fails it as a bank would.
public struct Payout: Sendable {
    /// How it reaches the participant. A payout holds rewards of its own kind only.
    public enum Kind: String, Sendable, CaseIterable {
        case cash
        case accountCredit = "account_credit"
        case giftCard = "gift_card"
        case donation
    }

    public enum State: String, LifecycleState {
        case draft, processing, unknown, paid
        case partiallyPaid = "partially_paid"
        case failed, returned, cancelled

        public enum Action: String, Sendable, CaseIterable {
            case submit, confirm, fail, `return`
            case markUnknown = "mark_unknown"
            case cancel
        }

        /// Where only a part is paid, or comes back, it leads to `partially_paid` instead.
        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.submit, .draft): .processing
            case (.confirm, .processing), (.confirm, .unknown), (.confirm, .partiallyPaid),
                (.confirm, .failed), (.confirm, .returned):
                .paid
            case (.fail, .processing), (.fail, .unknown): .failed
            case (.return, .processing), (.return, .unknown), (.return, .paid),
                (.return, .partiallyPaid):
                .returned
            case (.markUnknown, .processing): .unknown
            case (.cancel, .draft): .cancelled
            default: nil
            }
        }

        /// The provider has it, and its outcome is not known.
        var isOpen: Bool { self == .processing || self == .unknown }
    }

    public let id: PayoutID
    public let program: ProgramID
    public let participant: ParticipantID
    /// The operator's own name for it, unique for good.
    public let reference: String
    public let kind: Kind
    /// The run that drafted it; nil: a call for this participant alone.
    public let run: PayoutRunID?
    public var state: State
    public let currency: Currency
    /// The sum of its rewards. Of a draft it falls with the rewards that are taken out of it.
    public internal(set) var rewardsAmount: Int64
    /// What it keeps back because it is owed.
    public let clawbackAmount: Int64
    /// What is to be paid: the difference.
    public internal(set) var amount: Int64
    /// What was paid and has not come back.
    public var paidAmount: Int64
    /// What has come back, in all.
    public var returnedAmount: Int64 = 0
    /// What it has settled of its rewards: what it paid and kept back, less what was paid twice.
    public var settledAmount: Int64 = 0
    public internal(set) var rewardCount: Int64
    public var providerReference: String?
    /// Why it failed or was cancelled.
    public var reason: String?
    /// When its review is over; it can be cancelled before, not submitted.
    public let submitFrom: Instant?
    public var submittedAt: Instant?
    public var settledAt: Instant?
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    /// What was paid although its rewards had been settled otherwise by then: paid twice, and owed.
    public var paidTwiceAmount: Int64 { max(0, paidAmount - settledAmount) }
}

/// What a new payout is to be.
public struct PayoutOrder: Sendable {
    /// The operator's name for it; nil: its id.
    public var reference: String?
    public let participant: ParticipantID
    public let program: ProgramID
    public let currency: Currency
    public let kind: Payout.Kind
    /// Less than this is not worth a payout.
    public var minimum: Int64 = 0
    public var run: PayoutRunID?
    public var submitFrom: Instant?
    /// How many rewards what is owed is set off against at once.
    var offsetsMax = PayoutRules.rewardsMax
    public let actor: String

    public init(
        reference: String?, participant: ParticipantID, program: ProgramID, currency: Currency,
        kind: Payout.Kind, actor: String
    ) {
        self.reference = reference
        self.participant = participant
        self.program = program
        self.currency = currency
        self.kind = kind
        self.actor = actor
    }
}

/// One reward of a payout.
public struct PayoutItem: Sendable {
    public let reward: RewardID
    /// What the payout asks for.
    public let amount: Int64
    /// What of it the payout settled.
    public let settledAmount: Int64
}

/// Why a payout is refused, beside its state. The order is the order of the checks.
public enum PayoutRefusal: Error, Equatable, Sendable {
    /// The reference belongs to another payout, which differs in this member.
    case referenceTaken(member: String)
    /// There is no approved reward, or all of it is owed back.
    case nothingToPay
    /// Of what is owed so much has yet to be set off before there is anything to pay.
    case offsetUnfinished(owed: Int64)
    /// What could be paid is less than the program's minimum.
    case belowMinimum(amount: Int64, minimum: Int64)
    /// The review of a run's draft is not over.
    case inReview(until: Instant)
    /// The participant has come to owe this since the draft was made.
    case owesSince(amount: Int64)
    /// The amount that was paid is not 1 up to the payout's amount.
    case badPaidAmount(most: Int64)
    /// So much is known to be paid, and the confirmation says no more than that.
    case paidNoMore(known: Int64)
    /// More is said to have come back than was paid.
    case badReturnedAmount(most: Int64)
    /// Nothing is known to be paid yet, and only a part is said to have come back.
    case partReturnedUnpaid
    /// What comes back was paid twice, and later payouts have kept it back already.
    case keptBackSince(amount: Int64)
    /// Nothing that came back keeps runs from paying the participant.
    case nothingToRelease
}

/// Decisions about payouts: pure.
public enum PayoutRules {
    /// Rewards in one payout; what is beyond waits for the next one.
    public static let rewardsMax = 1_000

    /// A repeated request is the same payout again, or a mistake.
    public static func checkSame(
        _ known: Payout, _ order: PayoutOrder
    ) throws(PayoutRefusal) {
        if known.participant != order.participant {
            throw .referenceTaken(member: "participant_id")
        }
        if known.currency != order.currency { throw .referenceTaken(member: "currency") }
        if known.kind != order.kind { throw .referenceTaken(member: "kind") }
    }

    /// How many of the oldest rewards fit into one payout whose sum the API can show.
    public static func fitting(_ amounts: [Int64]) -> (count: Int, sum: Int64) {
        var sum: Int64 = 0
        for (count, amount) in amounts.enumerated() {
            guard count < rewardsMax, amount <= Money.maximum - sum else { return (count, sum) }
            sum += amount
        }
        return (amounts.count, sum)
    }

    /// What is kept back of `sum` when `owed` is owed.
    public static func clawback(sum: Int64, owed: Int64) throws(PayoutRefusal) -> Int64 {
        let kept = min(sum, max(owed, 0))
        guard sum > kept else { throw .nothingToPay }
        return kept
    }

    /// A full batch is paid whatever it comes to: what else there is only gets paid after it.
    public static func checkMinimum(
        _ amount: Int64, minimum: Int64, isFull: Bool
    ) throws(PayoutRefusal) {
        guard isFull || amount >= minimum else {
            throw .belowMinimum(amount: amount, minimum: minimum)
        }
    }

    public static func checkReview(until: Instant?, at now: Instant) throws(PayoutRefusal) {
        if let until, now < until { throw .inReview(until: until) }
    }

    /// What is paid in all, by a confirmation of `paid` in all; nil: of the whole.
    public static func checkPaid(
        _ paid: Int64?, of payout: Payout
    ) throws(PayoutRefusal) -> Int64 {
        let paid = paid ?? payout.amount
        guard (1...payout.amount).contains(paid) else {
            throw .badPaidAmount(most: payout.amount)
        }
        guard paid > payout.paidAmount else { throw .paidNoMore(known: payout.paidAmount) }
        return paid
    }

    /// What has come back by a return of `amount`; nil: all that was paid, or is on its way.
    public static func checkReturned(
        _ amount: Int64?, of payout: Payout
    ) throws(PayoutRefusal) -> Int64 {
        let most = payout.state.isOpen ? payout.amount : payout.paidAmount
        let amount = amount ?? most
        guard (1...most).contains(amount) else { throw .badReturnedAmount(most: most) }
        guard !payout.state.isOpen || amount == most else { throw .partReturnedUnpaid }
        return amount
    }

    /// How much less is owed, and how much less of its rewards is settled, when `back` of `payout`
    /// comes back while `owed` is owed: first what was paid twice.
    static func unsettle(
        _ back: Int64, of payout: Payout, owed: Int64
    ) throws(PayoutRefusal) -> (forgiven: Int64, unsettled: Int64) {
        let forgiven = min(back, payout.paidTwiceAmount, max(owed, 0))
        let unsettled = back - forgiven
        let paidFor = min(payout.settledAmount, payout.paidAmount)
        guard unsettled <= paidFor else { throw .keptBackSince(amount: unsettled - paidFor) }
        return (forgiven, unsettled)
    }

    /// How much of each reward is settled when `settled` in all is: the oldest first.
    public static func allocate(_ settled: Int64, over amounts: [Int64]) -> [Int64] {
        var left = settled
        return amounts.map { amount in
            let part = min(amount, left)
            left -= part
            return part
        }
    }
}
