import Database
import Model

/// Money of a payout comes back from the bank or the provider, in whole or in part, also weeks
/// later. It is available again, for a new payout, and whoever is to be paid it should first say
/// where: runs of that kind leave the participant out until its details change or a person releases
/// it.
public enum PayoutReturn {
    /// `amount` came back; nil: all that was paid, or is on its way. The newest rewards are the
    /// first that are open again. What it kept back stays kept.
    public static func run(
        _ old: Payout, amount: Int64?, reason: String, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .return)
        let back = try PayoutRules.checkReturned(amount, of: old)
        payout.returnedAmount += back
        payout.reason = reason
        payout.settledAt = tx.now
        if old.state.isOpen {
            try post(
                back, of: payout, reason,
                [Posting(.payoutClearing, back), Posting(.participantAvailable, -back)], tx)
            try PayoutBook.settle(&payout, actor: actor, tx)
        } else {
            let owed = try JournalStore.balance(
                .clawbackReceivable, of: old.participant, old.currency, tx)
            let (forgiven, unsettled) = try PayoutRules.unsettle(back, of: old, owed: owed)
            payout.paidAmount -= back
            if payout.paidAmount > 0 { payout.state = .partiallyPaid }
            try post(
                back, of: payout, reason,
                [
                    Posting(.paidOut, back), Posting(.clawbackReceivable, -forgiven),
                    Posting(.participantAvailable, -unsettled),
                ], tx)
            try unsettle(&payout, by: unsettled, actor: actor, tx)
        }
        try PayoutBook.save(&payout, from: old, as: "returned", actor: actor, tx)
        return payout
    }

    private static func post(
        _ back: Int64, of payout: Payout, _ reason: String, _ postings: [Posting],
        _ tx: Transaction
    ) throws {
        let entry = try JournalStore.post(.about(payout, .payoutReturned, postings), tx)
        try PayoutReturnStore.insert(back, of: payout, reason, entry.sequence, tx)
    }

    /// Opens `part` of what the payout has settled again, the newest rewards first. One that
    /// another payout holds for its rest stays there until the outcome of that is known.
    private static func unsettle(
        _ payout: inout Payout, by part: Int64, actor: String, _ tx: Transaction
    ) throws {
        payout.settledAmount -= part
        var left = part
        for item in try PayoutStore.items(of: payout.id, tx).reversed() where left > 0 {
            let open = min(left, item.settledAmount)
            guard open > 0, let old = try RewardStore.find(item.reward, tx) else { continue }
            left -= open
            try PayoutStore.settle(item.reward, in: payout.id, item.settledAmount - open, tx)
            var reward = old
            reward.settledAmount -= open
            if old.state == .approved, old.payout != nil {
                try RewardBook.save(&reward, from: old, actor: actor, tx)
            } else {
                reward.state = .approved
                reward.paidAt = nil
                try PayoutBook.free(&reward, from: old, payout, actor: actor, tx)
            }
        }
    }

    /// Whether something of this kind came back and nobody has released the participant since.
    public static func isHeld(
        _ participant: ParticipantID, _ kind: Payout.Kind, _ reader: Reader
    ) throws -> Bool {
        try PayoutReturnStore.isHeld(participant, kind, reader)
    }

    /// A person says that the participant can be paid again.
    public static func release(_ payout: Payout, actor: String, _ tx: Transaction) throws {
        guard try PayoutReturnStore.release(payout.participant, tx) > 0 else {
            throw PayoutRefusal.nothingToRelease
        }
        var released = payout
        try PayoutBook.save(&released, from: payout, as: "released", actor: actor, tx)
    }

    /// The participant's details for payouts have changed.
    public static func detailsChanged(_ participant: ParticipantID, _ tx: Transaction) throws {
        try PayoutReturnStore.release(participant, tx)
    }
}

/// All SQL of what came back.
enum PayoutReturnStore {
    static func insert(
        _ amount: Int64, of payout: Payout, _ reason: String, _ sequence: Int64, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO payout_returns (
                transaction_seq, payout_id, participant_id, kind, amount, reason)
            VALUES (?, ?, ?, ?, ?, ?)
            """, sequence, payout.id, payout.participant, payout.kind.rawValue, amount, reason)
    }

    static func isHeld(
        _ participant: ParticipantID, _ kind: Payout.Kind, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM payout_returns
            WHERE participant_id = ? AND released_at IS NULL AND kind = ? LIMIT 1
            """, participant, kind.rawValue) != nil
    }

    /// Of every kind. Returns how many held.
    @discardableResult
    static func release(_ participant: ParticipantID, _ tx: Transaction) throws -> Int {
        try tx.run(
            """
            UPDATE payout_returns SET released_at = ?
            WHERE participant_id = ? AND released_at IS NULL
            """, tx.now, participant)
        return tx.changes
    }
}
