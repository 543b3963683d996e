import Database
import JSON
import Model

/// Sets what a participant owes off against its approved rewards without a payout. A payout is of
/// one kind and of so many rewards; where that is all owed back although more is due in all, the
/// debt must not stand between the participant and its money.
public enum ClawbackOffset {
    /// Settles the participant's oldest free rewards, cash and account credit alike, with what it
    /// owes: at most the order's `offsetsMax` of them, the last one in part. Nothing of it was paid
    /// by that. Returns what is still owed.
    @discardableResult
    public static func run(_ order: PayoutOrder, _ tx: Transaction) throws -> Int64 {
        var owed = try JournalStore.balance(
            .clawbackReceivable, of: order.participant, order.currency, tx)
        for old in try RewardStore.free(order, limit: order.offsetsMax, tx) where owed > 0 {
            let part = min(owed, old.payable)
            try JournalStore.post(
                .about(
                    old, .clawbackOffset,
                    [
                        Posting(.participantAvailable, part), Posting(.clawbackReceivable, -part),
                    ]), tx)
            var reward = old
            reward.settledAmount += part
            reward.state = RewardRules.settledState(reward)
            try RewardBook.save(
                &reward, from: old, actor: order.actor, data: ["set_off": .integer(part)], tx)
            owed -= part
        }
        return owed
    }

    /// Whether the participant's free rewards of all kinds come to more than it owes.
    static func isDue(_ order: PayoutOrder, owed: Int64, _ reader: Reader) throws -> Bool {
        let available = try -JournalStore.balance(
            .participantAvailable, of: order.participant, order.currency, reader)
        return try available - PayoutStore.drafted(for: order.participant, order.currency, reader)
            > owed
    }
}
