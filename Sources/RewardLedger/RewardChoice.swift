import Database
import JSON
import Model
import Records

/// What the recipient of a reward may choose among (R131, R155: the best programs let the referrer
/// choose). The money is the same whatever is chosen, and in the journal from the grant on.
public struct RewardChoice: Sendable, Equatable {
    /// Two or more of `RewardRule.Kind.choosable`; empty where there is nothing to choose.
    public var kinds: [RewardRule.Kind] = []
    /// Days from the approval on, after which the first of `kinds` is taken; nil: it waits.
    public var withinDays: Int64?

    public init(kinds: [RewardRule.Kind] = [], withinDays: Int64? = nil) {
        self.kinds = kinds
        self.withinDays = withinDays
    }

    /// Reads the members of stored terms.
    init(_ terms: TermsReader) {
        kinds = terms.choices("choices") ?? []
        withinDays = terms.integer("choose_within_days")
    }
}

extension RewardRule.Kind {
    /// What a recipient may choose, each paid by payouts of its kind.
    public static let choosable: [RewardRule.Kind] = [
        .cash, .accountCredit, .giftCard, .donation,
    ]
}

extension Reward {
    /// What its recipient may choose among.
    public var choice: RewardChoice {
        RewardChoice(TermsReader(basis.objectValue?["rule"]?.objectValue))
    }

    /// When the first of the kinds is taken unless its recipient has chosen by then.
    public var chooseBy: Instant? {
        guard kind == .choice, state == .approved, let approvedAt else { return nil }
        return choice.withinDays.map { approvedAt.advanced(byDays: Int(clamping: $0)) }
    }
}

extension RewardRules {
    /// Its recipient chooses until a payout holds it or has paid of it; nothing is chosen about
    /// what was paid, rejected or taken back.
    static func checkChoice(of kind: RewardRule.Kind, for reward: Reward) throws {
        let choice = reward.choice
        guard !choice.kinds.isEmpty else { throw RewardRefusal.nothingToChoose }
        // What can still be taken back is what can still be chosen about.
        _ = try reward.state.moved(by: .void)
        try checkFree(reward)
        guard choice.kinds.contains(kind) else { throw RewardRefusal.notOffered(choice.kinds) }
    }
}

extension RewardBook {
    /// The job that chooses for a recipient who has not.
    public static let choiceJob = "reward.choice"

    /// The recipient wants the reward as `kind`, and may change that until a payout holds it. Once
    /// it is known how to pay it, the time in which `serviceLevels` promise that begins.
    public static func choose(
        _ kind: RewardRule.Kind, for old: Reward, serviceLevels: ServiceLevelTerms?,
        actor: String, reason: String? = nil, _ tx: Transaction
    ) throws -> Reward {
        try RewardRules.checkChoice(of: kind, for: old)
        guard kind != old.kind else { return old }
        var reward = old
        reward.kind = kind
        try JobStore.cancel(choiceJob, old.id, tx)
        try save(&reward, from: old, actor: actor, tx)
        if old.kind == .choice { try startPayment(of: reward, serviceLevels, tx) }
        try EventStore.append(
            NewEvent(
                "reward.chosen", reward.id, program: reward.program,
                participant: reward.participant, actor: actor, reason: reason,
                data: [
                    "kind": .string(kind.rawValue), "previous_kind": .string(old.kind.rawValue),
                    "amount": .integer(reward.netAmount),
                    "currency": .string(reward.amount.currency.code),
                ]), tx)
        return reward
    }

    /// Has the first of the kinds taken when the recipient's time to choose is over.
    static func scheduleChoice(of reward: Reward, _ tx: Transaction) throws {
        guard reward.kind == .choice, let days = reward.choice.withinDays else { return }
        try JobStore.schedule(
            choiceJob, reward.id, at: tx.now.advanced(byDays: Int(clamping: days)), tx)
    }
}
