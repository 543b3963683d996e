import Database
import Model

/// A payout that failed, came back or was paid in part was paid after all, or more of it was. The
/// money meets what is still unpaid of the payout's own rewards; what a newer draft holds of it is
/// taken out of that draft; what has been paid, or is on its way, by another payout was paid twice,
/// and is owed.
enum LatePayment {
    /// `payout.paidAmount` is what is paid in all, `old.paidAmount` what was known of it.
    static func run(
        _ payout: inout Payout, from old: Payout, actor: String, _ tx: Transaction
    ) throws {
        let more = payout.paidAmount - old.paidAmount
        // A payout that failed gave back what it kept: it keeps that again, if it is still owed.
        let kept = old.state == .failed ? old.clawbackAmount : 0
        let items = try PayoutStore.items(of: old.id, tx)
        try takeOutOfDrafts(items, upTo: more + kept, for: old, actor: actor, tx)
        let owed = try JournalStore.balance(
            .clawbackReceivable, of: old.participant, old.currency, tx)
        var left = more + min(kept, max(owed, 0))
        var parts: [(item: PayoutItem, reward: Reward, part: Int64)] = []
        for item in items where left > 0 {
            guard let reward = try RewardStore.find(item.reward, tx), reward.state == .approved,
                reward.payout == nil
            else { continue }
            let part = min(left, item.amount - item.settledAmount, reward.payable)
            guard part > 0 else { continue }
            left -= part
            parts.append((item, reward, part))
        }
        let settled = parts.reduce(0) { $0 + $1.part }
        payout.settledAmount += settled
        try JournalStore.post(
            .about(
                payout, .payoutPaidLate,
                [
                    Posting(.participantAvailable, settled),
                    Posting(.clawbackReceivable, more - settled), Posting(.paidOut, -more),
                ]), tx)
        for (item, known, part) in parts {
            try PayoutStore.settle(item.reward, in: payout.id, item.settledAmount + part, tx)
            var reward = known
            reward.settledAmount += part
            if reward.payable == 0 {
                reward.payout = payout.id
                reward.state = RewardRules.settledState(reward)
            }
            try RewardBook.save(&reward, from: known, actor: actor, tx)
        }
    }

    /// Frees as many of the items as `most` needs, the oldest first. A draft that has nothing left
    /// to pay then is cancelled.
    private static func takeOutOfDrafts(
        _ items: [PayoutItem], upTo most: Int64, for paid: Payout, actor: String,
        _ tx: Transaction
    ) throws {
        var left = most
        var drafts: [PayoutID: Reduced] = [:]
        var order: [PayoutID] = []
        for item in items where left > 0 {
            guard let old = try RewardStore.find(item.reward, tx), old.state == .approved else {
                continue
            }
            guard let holder = old.payout else {
                left -= min(left, item.amount - item.settledAmount, old.payable)
                continue
            }
            if drafts[holder] == nil, let draft = try PayoutStore.find(holder, tx),
                draft.state == .draft
            {
                drafts[holder] = Reduced(old: draft, rest: draft)
                order.append(holder)
            }
            guard let draft = drafts[holder]?.old,
                let held = try PayoutStore.item(item.reward, of: holder, tx)
            else { continue }
            drafts[holder]?.take(held)
            var reward = old
            try PayoutBook.free(&reward, from: old, draft, actor: actor, tx)
            left -= min(left, item.amount - item.settledAmount, reward.payable)
        }
        for reduced in order.compactMap({ drafts[$0] }) {
            try write(reduced, for: paid, actor: actor, tx)
        }
    }

    /// A draft and what is left of it without the rewards that were taken out.
    private struct Reduced {
        let old: Payout
        var rest: Payout
        var taken: [RewardID] = []

        mutating func take(_ item: PayoutItem) {
            rest.rewardsAmount -= item.amount
            rest.amount -= item.amount
            rest.rewardCount -= 1
            taken.append(item.reward)
        }
    }

    private static func write(
        _ reduced: Reduced, for paid: Payout, actor: String, _ tx: Transaction
    ) throws {
        let reason = "\(paid.id) was paid after all"
        var draft = reduced.rest
        guard draft.amount > 0 else {
            // It keeps its rows, as every payout does that came to nothing.
            _ = try PayoutBook.cancel(reduced.old, reason: reason, actor: actor, tx)
            return
        }
        for reward in reduced.taken { try PayoutStore.remove(reward, from: draft.id, tx) }
        try PayoutBook.save(
            &draft, from: reduced.old, as: "reduced", reason: reason, actor: actor, tx)
    }
}
