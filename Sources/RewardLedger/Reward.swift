import JSON
import Model

/// What one participant earned by one rule on one occasion.
///
/// Its money is told by four amounts that only grow or shrink with a journal entry: what was
/// granted, what of it no longer counts (refunded, rejected, voided), what of that had been paid
/// already and is owed back, and what has been paid. `payable` follows from them.
public struct Reward: Sendable {
    public enum State: String, LifecycleState {
        case pending, review, approved, paid, rejected, voided
        case clawedBack = "clawed_back"

        public enum Action: String, Sendable, CaseIterable {
            case approve, reject, void
            case clawBack = "claw_back"
        }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.approve, .pending), (.approve, .review): .approved
            case (.reject, .pending), (.reject, .review): .rejected
            case (.void, .pending), (.void, .review), (.void, .approved): .voided
            // What was not paid is voided by it.
            case (.clawBack, .pending), (.clawBack, .review), (.clawBack, .approved): .voided
            case (.clawBack, .paid): .clawedBack
            default: nil
            }
        }

        /// On hold or in review: its money is in the pending account.
        public var isWaiting: Bool { self == .pending || self == .review }
    }

    /// Why something of it went that no refund and no new decision about the credit took.
    public enum Withdrawal: String, Sendable, CaseIterable {
        /// A person rejected, voided or clawed it back: it never comes back.
        case refused
        /// Its lead turned out to be none, or was lost.
        case lead
        /// It raised an earlier reward that is gone.
        case earlierReward = "earlier_reward"
        /// The referrals that its milestone counts have become too few.
        case milestone
        /// Every sale of its lead is wholly refunded (R175).
        case salesRefunded = "sales_refunded"
    }

    public let id: RewardID
    public let program: ProgramID
    public let participant: ParticipantID
    /// Nil for what a person gave by hand.
    public let rule: RewardRuleID?
    public let ruleVersion: Int64?
    public let trigger: RewardRule.TriggerName
    /// `choice` until its recipient has chosen.
    public var kind: RewardRule.Kind
    public let lead: LeadID?
    public let conversion: ConversionID?
    /// The decision about the conversion's credit that granted it.
    public let attribution: AttributionID?
    /// The payout it is in, or the last one that paid it.
    public var payout: PayoutID?
    public var state: State
    public let amount: Money
    /// What of `amount` no longer counts.
    public var reversedAmount: Int64
    /// What of `reversedAmount` went because the credit was decided anew.
    public var correctedAmount: Int64
    /// What of `reversedAmount` a person, the end of the lead or a count that fell took, and why.
    /// With `correctedAmount` it is what refunds and their reversals leave alone.
    public var withdrawnAmount: Int64 = 0
    public var withdrawnFor: Withdrawal?
    /// What of `reversedAmount` was taken back as a claw-back, because it was paid or on its way.
    public var clawbackAmount: Int64
    /// What has been paid or redeemed, or was kept back with it or set off for what was owed.
    public var settledAmount: Int64
    /// The rule, its inputs and the arithmetic, as they were when it was granted: a JSON object.
    public let basis: JSONValue
    /// Why it was rejected, voided or taken back in whole.
    public var reason: String?
    public let holdUntil: Instant
    public var approvedAt: Instant?
    public var paidAt: Instant?
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    /// What still counts as earned.
    public var netAmount: Int64 { amount.amount - reversedAmount }

    /// What would count if nothing of its sale were refunded.
    var countedAmount: Int64 { amount.amount - correctedAmount - withdrawnAmount }

    /// What payouts have yet to pay.
    public var payable: Int64 { netAmount + clawbackAmount - settledAmount }

    /// When it first reached its recipient: points with their credit, for they are redeemed when
    /// the recipient likes.
    var receivedAt: Instant? { kind == .points ? approvedAt : paidAt }

    /// Where the program books what it costs: money is set aside or an expense; points are held
    /// against no budget, so that nothing is set aside for them.
    func costAccount(isReserved: Bool) -> LedgerAccount.Kind {
        if amount.currency == .points { return .pointsIssued }
        return isReserved ? .budgetReserve : .programExpense
    }
}

extension RewardOccasion {
    /// With the terms that concern what `rule` gives: its own hold; and only money to participants
    /// is held against the program's limits, points against no budget or threshold either.
    func terms(for rule: RewardRule) -> RewardOccasion {
        var occasion = self
        occasion.holdDays = rule.terms.holdDays ?? holdDays
        if rule.terms.unit != .money || rule.terms.recipient == .referee {
            occasion.limits = RewardLimits()
        }
        guard rule.terms.kind == .points else { return occasion }
        occasion.approvalThreshold = nil
        occasion.budget = nil
        return occasion
    }
}

/// A participant's share in an occasion.
public struct Credit: Sendable, Equatable {
    public let participant: ParticipantID
    /// Of the parts of all participants: how a flat amount is shared.
    public let parts: Int64
    /// What basis points are taken of; nil: only flat rules apply.
    public let base: Money?

    public init(participant: ParticipantID, parts: Int64 = 1, base: Money?) {
        self.participant = participant
        self.parts = parts
        self.base = base
    }
}

/// What may earn rewards, with the program's terms of that moment.
public struct RewardOccasion: Sendable {
    public let trigger: RewardRule.Trigger
    public let program: ProgramID
    public let programVersion: Int64
    public var holdDays: Int64
    public var approvalThreshold: Int64?
    public let lead: LeadID?
    public let conversion: ConversionID?
    /// The decision that gave the credit of `conversion`.
    public let attribution: AttributionID?
    /// Whose rewards a person must look at, and why.
    public var flags: [ParticipantID: [RewardFlag]]
    /// By when it is promised; nil: nothing is.
    public let serviceLevels: ServiceLevelTerms?
    public let actor: String
    /// What rules ask beside the money.
    public var facts: RewardFacts
    /// What rewards of the program may come to, and those of one participant.
    public var budget: BudgetTerms?
    public var limits: RewardLimits
    /// Whether those who were customers before count as referrals, for tiers and milestones.
    public var countsReturning = true
    /// When it was first decided about; nil: now.
    public var recordedAt: Instant?
    /// Whether the sale is known better than when it earned: then its rewards follow what is known
    /// now, else what they were told then.
    public var knowsMore = false

    public init(
        trigger: RewardRule.Trigger, program: ProgramID, programVersion: Int64, holdDays: Int64,
        approvalThreshold: Int64?, lead: LeadID?, conversion: ConversionID?,
        attribution: AttributionID? = nil, flags: [ParticipantID: [RewardFlag]] = [:],
        serviceLevels: ServiceLevelTerms? = nil, actor: String,
        facts: RewardFacts = RewardFacts(), budget: BudgetTerms? = nil,
        limits: RewardLimits = RewardLimits()
    ) {
        self.trigger = trigger
        self.program = program
        self.programVersion = programVersion
        self.holdDays = holdDays
        self.approvalThreshold = approvalThreshold
        self.lead = lead
        self.conversion = conversion
        self.attribution = attribution
        self.flags = flags
        self.serviceLevels = serviceLevels
        self.actor = actor
        self.facts = facts
        self.budget = budget
        self.limits = limits
    }
}
