import Database
import JSON
import Model
import Records

/// What happens to payouts, each in one piece: decision, journal, rows, events.
///
/// A draft reserves its rewards and what it keeps back; submitting moves the net amount to
/// clearing; its outcome moves it on or back. While a payout holds a reward, a refund of it is
/// clawed back. `PayoutReturn` and `LatePayment` have what turns out later.
public enum PayoutBook {
    /// The participant's next payout; or the payout that the reference names already, when it is
    /// the same.
    public static func create(
        _ order: PayoutOrder, _ tx: Transaction
    ) throws -> (payout: Payout, isNew: Bool) {
        if let reference = order.reference,
            let known = try PayoutStore.find(reference: reference, tx)
        {
            try PayoutRules.checkSame(known, order)
            return (known, false)
        }
        return (try draft(order, tx), true)
    }

    /// A payout of what can be paid now. Where all of that is owed back although more is due, it
    /// first sets off what is owed; that stands, whatever is refused then.
    static func draft(_ order: PayoutOrder, _ tx: Transaction) throws -> Payout {
        var owed = try JournalStore.balance(
            .clawbackReceivable, of: order.participant, order.currency, tx)
        var batch = try Batch(order, tx)
        if owed > 0, batch.sum <= owed, try ClawbackOffset.isDue(order, owed: owed, tx) {
            owed = try ClawbackOffset.run(order, tx)
            batch = try Batch(order, tx)
            if owed > 0, batch.sum <= owed { throw PayoutRefusal.offsetUnfinished(owed: owed) }
        }
        let kept = try PayoutRules.clawback(sum: batch.sum, owed: owed)
        try PayoutRules.checkMinimum(
            batch.sum - kept, minimum: order.minimum, isFull: batch.isFull)
        let id: PayoutID = tx.makeID()
        let payout = Payout(
            id: id, program: order.program, participant: order.participant,
            reference: order.reference ?? id.description, kind: order.kind, run: order.run,
            state: .draft, currency: order.currency, rewardsAmount: batch.sum,
            clawbackAmount: kept, amount: batch.sum - kept, paidAmount: 0,
            rewardCount: Int64(batch.count), providerReference: nil, reason: nil,
            submitFrom: order.submitFrom, submittedAt: nil, settledAt: nil, version: 1,
            createdAt: tx.now, updatedAt: tx.now)
        try PayoutStore.insert(payout, tx)
        try PayoutStore.insertItems(of: payout, order, tx)
        try RewardStore.hold(in: id, tx)
        if kept > 0 {
            try JournalStore.post(
                .about(
                    payout, .payoutClawback,
                    [
                        Posting(.participantAvailable, kept),
                        Posting(.clawbackReceivable, -kept),
                    ]), tx)
        }
        try tell(payout, from: nil, actor: order.actor, tx)
        return payout
    }

    /// How many of the oldest rewards a payout takes.
    private struct Batch {
        let count: Int
        let sum: Int64
        let isFull: Bool

        init(_ order: PayoutOrder, _ reader: Reader) throws {
            let most = PayoutRules.rewardsMax
            let amounts = try RewardStore.payable(order, limit: most, reader)
            (count, sum) = PayoutRules.fitting(amounts)
            isFull = count < amounts.count || count == most
        }
    }

    /// A draft keeps back all that is owed when it is made. What has come to be owed since, by a
    /// refund, a new decision or a payout that failed, asks for a new draft: no money goes out that
    /// is known to be owed back.
    public static func checkDebt(_ payout: Payout, _ tx: Transaction) throws {
        let owed = try JournalStore.balance(
            .clawbackReceivable, of: payout.participant, payout.currency, tx)
        if owed > 0 { throw PayoutRefusal.owesSince(amount: owed) }
    }

    /// Hands it to the provider: its money leaves the available account.
    public static func submit(
        _ old: Payout, providerReference: String?, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .submit)
        try PayoutRules.checkReview(until: old.submitFrom, at: tx.now)
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

    /// The provider has paid `paid` minor units in all, the whole when nil. Of less, the oldest
    /// rewards are settled first and the rest is available again, for a new payout.
    public static func confirm(
        _ old: Payout, paid: Int64?, actor: String, _ tx: Transaction
    ) throws -> Payout {
        var payout = old
        payout.state = try old.state.moved(by: .confirm)
        payout.paidAmount = try PayoutRules.checkPaid(paid, of: old)
        payout.settledAt = tx.now
        let rest = payout.amount - payout.paidAmount
        if rest > 0 { payout.state = .partiallyPaid }
        guard old.state.isOpen else {
            payout.reason = nil
            try LatePayment.run(&payout, from: old, actor: actor, tx)
            try save(&payout, from: old, actor: actor, tx)
            return payout
        }
        try JournalStore.post(
            .about(
                payout, rest > 0 ? .payoutPartiallyPaid : .payoutPaid,
                [
                    Posting(.payoutClearing, payout.amount), Posting(.paidOut, -payout.paidAmount),
                    Posting(.participantAvailable, -rest),
                ]), tx)
        try settle(&payout, actor: actor, tx)
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
    static func settle(_ payout: inout Payout, actor: String, _ tx: Transaction) throws {
        payout.settledAmount = payout.paidAmount + payout.clawbackAmount
        let items = try PayoutStore.items(of: payout.id, tx)
        let parts = PayoutRules.allocate(payout.settledAmount, over: items.map(\.amount))
        for (item, part) in zip(items, parts) {
            guard let old = try RewardStore.find(item.reward, tx) else { continue }
            if part > 0 { try PayoutStore.settle(item.reward, in: payout.id, part, tx) }
            var reward = old
            reward.settledAmount += part
            // More than was asked for may be due, if an earlier payout of it came back or a refund
            // was reversed meanwhile.
            if reward.payable == 0 {
                reward.state = RewardRules.settledState(reward)
                try RewardBook.save(&reward, from: old, actor: actor, tx)
            } else {
                try free(&reward, from: old, payout, actor: actor, tx)
            }
        }
    }

    static func giveBack(
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

    /// Takes a reward out of its payout.
    static func free(
        _ reward: inout Reward, from old: Reward, _ payout: Payout, actor: String,
        _ tx: Transaction
    ) throws {
        reward.payout = nil
        try ClawbackOffset.meet(&reward, payout: payout.id, tx)
        try RewardBook.save(&reward, from: old, actor: actor, tx)
    }

    /// Writes the changed row and tells of it: as `payout.STATE` unless `news` names it otherwise.
    static func save(
        _ payout: inout Payout, from old: Payout, as news: String? = nil, reason: String? = nil,
        actor: String, _ tx: Transaction
    ) throws {
        payout.version += 1
        payout.updatedAt = tx.now
        try PayoutStore.update(payout, from: old, tx)
        try tell(payout, from: old, as: news, reason: reason, actor: actor, tx)
    }

    private static func tell(
        _ payout: Payout, from old: Payout?, as news: String? = nil, reason: String? = nil,
        actor: String, _ tx: Transaction
    ) throws {
        var data: JSONObject = [
            "kind": .string(payout.kind.rawValue), "amount": .integer(payout.amount),
            "paid": .integer(payout.paidAmount), "clawed_back": .integer(payout.clawbackAmount),
            "returned": .integer(payout.returnedAmount),
            "paid_twice": .integer(payout.paidTwiceAmount),
            "currency": .string(payout.currency.code), "rewards": .integer(payout.rewardCount),
        ]
        if let run = payout.run { data["run_id"] = .string(run.description) }
        try EventStore.append(
            NewEvent(
                "payout.\(news ?? payout.state.rawValue)", payout.id, program: payout.program,
                participant: payout.participant, actor: actor, from: old?.state.rawValue,
                to: payout.state.rawValue, reason: reason ?? payout.reason, data: .object(data)),
            tx)
    }
}
