import Database
import JSON
import Model
import Records

/// What happens to redemptions, each in one piece: decision, journal, rows, events.
///
/// A request moves the points to clearing, sets off what is owed, and settles rewards at once, so
/// that a refund of one of them is clawed back from then on; its outcome moves the points on or
/// back.
public enum RedemptionBook {
    /// The redemption that the reference names already, when it is the same; else a new one.
    public static func request(
        _ order: RedemptionOrder, _ tx: Transaction
    ) throws -> (redemption: Redemption, isNew: Bool) {
        if let reference = order.reference,
            let known = try RedemptionStore.find(
                reference: reference, of: order.participant, tx)
        {
            try RedemptionRules.checkSame(known, order)
            return (known, false)
        }
        try RedemptionRules.check(order, at: tx.now)
        let terms = order.item.terms
        let balance = try SummaryReads.balance(of: order.participant, .points, tx)
        let kept = try RedemptionRules.clawback(balance, price: terms.points)
        let rewards = try RewardStore.redeemable(
            by: order.participant, limit: RedemptionRules.rewardsMax, tx)
        let parts = try RedemptionRules.allocate(
            terms.points + kept, over: rewards.map(\.payable))
        let redemption = Redemption(
            id: tx.makeID(), program: order.item.program, participant: order.participant,
            item: order.item.id, reference: order.reference,
            offer: Redemption.Offer(
                sku: terms.sku, name: terms.name, kind: terms.kind, value: terms.value),
            points: terms.points, clawbackAmount: kept, takesStock: terms.stock != nil,
            country: order.country, state: .requested, fulfillmentReference: nil, reason: nil,
            settledAt: nil, version: 1, createdAt: tx.now, updatedAt: tx.now)
        try RedemptionStore.insert(redemption, tx)
        try JournalStore.post(
            .about(
                redemption, .redemptionRequested,
                [
                    Posting(.participantAvailable, terms.points + kept),
                    Posting(.payoutClearing, -terms.points), Posting(.clawbackReceivable, -kept),
                ]), tx)
        for (reward, part) in zip(rewards, parts) where part > 0 {
            try use(part, of: reward, for: redemption, actor: order.actor, tx)
        }
        try moveStock(of: redemption, by: -1, tx)
        try tell(redemption, from: nil, actor: order.actor, tx)
        return (redemption, true)
    }

    /// It has been given: its points have left.
    public static func fulfill(
        _ old: Redemption, reference: String?, actor: String, _ tx: Transaction
    ) throws -> Redemption {
        var redemption = old
        redemption.state = try old.state.moved(by: .fulfill)
        redemption.fulfillmentReference = reference
        try JournalStore.post(
            .about(
                redemption, .redemptionFulfilled,
                [Posting(.payoutClearing, old.points), Posting(.paidOut, -old.points)]), tx)
        try save(&redemption, from: old, actor: actor, tx)
        return redemption
    }

    /// It is not given: points, rewards and stock are there again, and owed is what was owed.
    public static func cancel(
        _ old: Redemption, reason: String, actor: String, _ tx: Transaction
    ) throws -> Redemption {
        var redemption = old
        redemption.state = try old.state.moved(by: .cancel)
        redemption.reason = reason
        try JournalStore.post(
            .about(
                redemption, .redemptionCancelled,
                [
                    Posting(.payoutClearing, old.points),
                    Posting(.clawbackReceivable, old.clawbackAmount),
                    Posting(.participantAvailable, -old.points - old.clawbackAmount),
                ]), tx)
        for item in try RedemptionStore.items(of: old.id, tx) {
            try giveBack(item, of: redemption, actor: actor, tx)
        }
        try moveStock(of: redemption, by: 1, tx)
        try save(&redemption, from: old, actor: actor, tx)
        return redemption
    }

    // MARK: - Steps

    private static func use(
        _ part: Int64, of old: Reward, for redemption: Redemption, actor: String,
        _ tx: Transaction
    ) throws {
        try RedemptionStore.insert(
            RedemptionItem(reward: old.id, amount: part), of: redemption.id, tx)
        var reward = old
        reward.settledAmount += part
        reward.state = RewardRules.settledState(reward)
        try save(&reward, from: old, redemption, actor: actor, tx)
    }

    private static func giveBack(
        _ item: RedemptionItem, of redemption: Redemption, actor: String, _ tx: Transaction
    ) throws {
        guard let old = try RewardStore.find(item.reward, tx) else { return }
        var reward = old
        reward.settledAmount -= item.amount
        reward.state = .approved
        reward.paidAt = nil
        try ClawbackOffset.meet(&reward, redemption: redemption.id, tx)
        try save(&reward, from: old, redemption, actor: actor, tx)
    }

    private static func save(
        _ reward: inout Reward, from old: Reward, _ redemption: Redemption, actor: String,
        _ tx: Transaction
    ) throws {
        try RewardBook.save(
            &reward, from: old, actor: actor,
            data: ["redemption_id": .string(redemption.id.description)], tx)
    }

    /// What has no end at the time of the request has none to give back to.
    private static func moveStock(
        of redemption: Redemption, by change: Int64, _ tx: Transaction
    ) throws {
        guard redemption.takesStock, var item = try CatalogItemStore.find(redemption.item, tx),
            let stock = item.terms.stock
        else { return }
        item.terms.stock = stock + change
        item.version += 1
        item.updatedAt = tx.now
        try CatalogItemStore.update(item, tx)
    }

    private static func save(
        _ redemption: inout Redemption, from old: Redemption, actor: String, _ tx: Transaction
    ) throws {
        redemption.version += 1
        redemption.updatedAt = tx.now
        redemption.settledAt = tx.now
        try RedemptionStore.update(redemption, tx)
        try tell(redemption, from: old, actor: actor, tx)
    }

    private static func tell(
        _ redemption: Redemption, from old: Redemption?, actor: String, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                "redemption.\(redemption.state.rawValue)", redemption.id,
                program: redemption.program, participant: redemption.participant, actor: actor,
                from: old?.state.rawValue, to: redemption.state.rawValue,
                reason: redemption.reason,
                data: [
                    "item_id": .string(redemption.item.description),
                    "sku": .string(redemption.offer.sku),
                    "kind": .string(redemption.offer.kind.rawValue),
                    "points": .integer(redemption.points),
                    "clawed_back": .integer(redemption.clawbackAmount),
                ]), tx)
    }
}
