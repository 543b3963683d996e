import Database
import JSON
import Model
import Records

/// What happens to payouts, each in one piece: decision, journal, rows, events.
///
/// A draft reserves its rewards and what it keeps back; submitting moves the net amount to
/// clearing; its outcome moves it on or back. While a payout holds a reward, a refund of it is
/// clawed back.
public enum PayoutBook {
    /// The participant's next payout; or the payout that `reference` names already, when it is the
    /// same.
    public static func create(
        reference: String, participant: ParticipantID, program: ProgramID, currency: Currency,
        actor: String, _ tx: Transaction
    ) throws -> (payout: Payout, isNew: Bool) {
        if let known = try PayoutStore.find(reference: reference, tx) {
            try PayoutRules.checkSame(known, participant: participant, currency: currency)
            return (known, false)
        }
        let candidates = try RewardStore.payable(
            to: participant, currency, limit: PayoutRules.rewardsMax, tx)
        let (count, sum) = PayoutRules.fitting(candidates.map(\.payable))
        let owed = try JournalStore.balance(.clawbackReceivable, of: participant, currency, tx)
        let kept = try PayoutRules.clawback(sum: sum, owed: owed)
        let rewards = candidates.prefix(count)
        let payout = Payout(
            id: tx.makeID(), program: program, participant: participant, reference: reference,
            state: .draft, currency: currency, rewardsAmount: sum, clawbackAmount: kept,
            amount: sum - kept, paidAmount: 0, rewardCount: Int64(count), providerReference: nil,
            reason: nil, submittedAt: nil, settledAt: nil, version: 1, createdAt: tx.now,
            updatedAt: tx.now)
        try PayoutStore.insert(payout, Array(rewards), tx)
        for old in rewards {
            var reward = old
            reward.payout = payout.id
            try RewardBook.save(&reward, from: old, actor: actor, tx)
        }
        if kept > 0 {
            try JournalStore.post(
                .about(
                    payout, .payoutClawback,
                    [
                        Posting(.participantAvailable, kept),
                        Posting(.clawbackReceivable, -kept),
                    ]), tx)
        }
        try tell(payout, from: nil, actor: actor, tx)
        return (payout, true)
    }

    /// Hands it to the provider: its money leaves the available account.
    public static func submit(
        _ old: Payout, providerReference: String?, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .submit)
        payout.providerReference = providerReference ?? old.providerReference
        payout.submittedAt = tx.now
        try JournalStore.post(
            .about(
                payout, .payoutSubmitted,
                [
                    Posting(.participantAvailable, payout.amount),
                    Posting(.payoutClearing, -payout.amount),
                ]), tx)
        try save(&payout, from: old, actor: actor, tx)
        return payout
    }

    /// The provider has paid `paid` minor units, all of it when nil. Of less, the oldest rewards
    /// are settled first and the rest is available again, for a new payout.
    public static func confirm(
        _ old: Payout, paid: Int64?, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .confirm)
        payout.paidAmount = try PayoutRules.checkPaid(paid, of: old.amount)
        payout.settledAt = tx.now
        let rest = payout.amount - payout.paidAmount
        if rest > 0 { payout.state = .partiallyPaid }
        try JournalStore.post(
            .about(
                payout, rest > 0 ? .payoutPartiallyPaid : .payoutPaid,
                [
                    Posting(.payoutClearing, payout.amount), Posting(.paidOut, -payout.paidAmount),
                    Posting(.participantAvailable, -rest),
                ]), tx)
        try settle(payout, actor: actor, tx)
        try save(&payout, from: old, actor: actor, tx)
        return payout
    }

    /// The provider has not paid: money and rewards are available again, and owed is what was owed.
    public static func fail(
        _ old: Payout, reason: String, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .fail)
        payout.reason = reason
        payout.settledAt = tx.now
        try JournalStore.post(
            .about(
                payout, .payoutFailed,
                [
                    Posting(.payoutClearing, payout.amount),
                    Posting(.participantAvailable, -payout.amount),
                ]), tx)
        try giveBack(&payout, from: old, actor: actor, tx)
        return payout
    }

    /// Gives up a draft.
    public static func cancel(
        _ old: Payout, reason: String?, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .cancel)
        payout.reason = reason
        payout.settledAt = tx.now
        try giveBack(&payout, from: old, actor: actor, tx)
        return payout
    }

    /// The provider's answer was lost. Nothing moves, and nothing is tried again, until it is
    /// known.
    public static func markUnknown(
        _ old: Payout, reason: String?, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .markUnknown)
        payout.reason = reason
        try save(&payout, from: old, actor: actor, tx)
        return payout
    }

    // MARK: - Shared steps

    /// Settles the oldest rewards with what was paid and kept back, and frees what is left of the
    /// others.
    private static func settle(_ payout: Payout, actor: String, _ tx: Transaction) throws {
        let items = try PayoutStore.items(of: payout.id, tx)
        let parts = PayoutRules.allocate(
            payout.paidAmount + payout.clawbackAmount, over: items.map(\.amount))
        for (item, part) in zip(items, parts) {
            guard let old = try RewardStore.find(item.reward, tx) else { continue }
            if part > 0 { try PayoutStore.settle(item.reward, in: payout.id, part, tx) }
            var reward = old
            reward.settledAmount += part
            if part == item.amount {
                reward.state = RewardRules.settledState(reward)
                try RewardBook.save(&reward, from: old, actor: actor, tx)
            } else {
                try free(&reward, from: old, payout, actor: actor, tx)
            }
        }
    }

    private static func giveBack(
        _ payout: inout Payout, from old: Payout, actor: String, _ tx: Transaction
    ) throws {
        let kept = payout.clawbackAmount
        if kept > 0 {
            try JournalStore.post(
                .about(
                    payout, .payoutClawbackReturned,
                    [
                        Posting(.clawbackReceivable, kept),
                        Posting(.participantAvailable, -kept),
                    ]), tx)
        }
        for item in try PayoutStore.items(of: payout.id, tx) {
            guard let old = try RewardStore.find(item.reward, tx) else { continue }
            var reward = old
            try free(&reward, from: old, payout, actor: actor, tx)
        }
        try save(&payout, from: old, actor: actor, tx)
    }

    /// Takes a reward out of its payout. What was clawed back of it meanwhile meets its own unpaid
    /// rest, so that nothing is paid only to be owed.
    private static func free(
        _ reward: inout Reward, from old: Reward, _ payout: Payout, actor: String,
        _ tx: Transaction
    ) throws {
        reward.payout = nil
        let owed = try JournalStore.balance(
            .clawbackReceivable, of: reward.participant, payout.currency, tx)
        let offset = min(reward.clawbackAmount, reward.payable, max(owed, 0))
        if offset > 0 {
            try JournalStore.post(
                .about(
                    reward, .clawbackOffset, payout: payout.id,
                    [
                        Posting(.participantAvailable, offset),
                        Posting(.clawbackReceivable, -offset),
                    ]), tx)
            reward.clawbackAmount -= offset
            reward.state = RewardRules.settledState(reward)
            if reward.state == .voided { reward.reason = "refunded" }
        }
        try RewardBook.save(&reward, from: old, actor: actor, tx)
    }

    private static func save(
        _ payout: inout Payout, from old: Payout, actor: String, _ tx: Transaction
    ) throws {
        payout.version += 1
        payout.updatedAt = tx.now
        try PayoutStore.update(payout, from: old, tx)
        try tell(payout, from: old, actor: actor, tx)
    }

    private static func tell(
        _ payout: Payout, from old: Payout?, actor: String, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                "payout.\(payout.state.rawValue)", payout.id, program: payout.program,
                participant: payout.participant, actor: actor, from: old?.state.rawValue,
                to: payout.state.rawValue, reason: payout.reason,
                data: [
                    "amount": .integer(payout.amount), "paid": .integer(payout.paidAmount),
                    "clawed_back": .integer(payout.clawbackAmount),
                    "currency": .string(payout.currency.code),
                    "rewards": .integer(payout.rewardCount),
                ]), tx)
    }
}
