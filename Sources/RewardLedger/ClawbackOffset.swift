import Database
import JSON
import Model

/// Sets what a participant owes off against its approved rewards without a payout. A payout is of
/// one kind and of so many rewards; where that is all owed back although more is due in all, the
/// debt must not stand between the participant and its money.
public enum ClawbackOffset {
    /// Settles the participant's oldest free rewards, of whatever kind, with what it owes: at most
    /// the order's `offsetsMax` of them, the last one in part. Those that it has yet to choose
    /// about stay whole, so that it still can. Nothing of it was paid by that. Returns what is
    /// still owed.
    @discardableResult
    public static func run(_ order: PayoutOrder, _ tx: Transaction) throws -> Int64 {
        var owed = try JournalStore.balance(
            .clawbackReceivable, of: order.participant, order.currency, tx)
        for old in try RewardStore.free(order, limit: order.offsetsMax, tx) where owed > 0 {
            let part = min(owed, old.payable)
            try post(part, of: old, tx)
            var reward = old
            reward.settledAmount += part
            reward.state = RewardRules.settledState(reward)
            try RewardBook.save(
                &reward, from: old, actor: order.actor, data: ["set_off": .integer(part)], tx)
            owed -= part
        }
        return owed
    }

    /// Whether the participant's free rewards of all kinds, chosen ones alone, come to more than it
    /// owes.
    static func isDue(_ order: PayoutOrder, owed: Int64, _ reader: Reader) throws -> Bool {
        try RewardStore.freeSum(order, reader) > owed
    }

    /// What was clawed back of a reward while a payout or a redemption had it meets its own unpaid
    /// rest, so that nothing is paid only to be owed.
    static func meet(
        _ reward: inout Reward, payout: PayoutID? = nil, redemption: RedemptionID? = nil,
        _ tx: Transaction
    ) throws {
        let owed = try JournalStore.balance(
            .clawbackReceivable, of: reward.participant, reward.amount.currency, tx)
        let part = min(reward.clawbackAmount, reward.payable, max(owed, 0))
        guard part > 0 else { return }
        try post(part, of: reward, payout: payout, redemption: redemption, tx)
        reward.clawbackAmount -= part
        reward.state = RewardRules.settledState(reward)
        if reward.state == .voided { reward.reason = reward.reason ?? "refunded" }
    }

    private static func post(
        _ part: Int64, of reward: Reward, payout: PayoutID? = nil, redemption: RedemptionID? = nil,
        _ tx: Transaction
    ) throws {
        try JournalStore.post(
            .about(
                reward, .clawbackOffset, payout: payout, redemption: redemption,
                [
                    Posting(.participantAvailable, part), Posting(.clawbackReceivable, -part),
                ]), tx)
    }
}
