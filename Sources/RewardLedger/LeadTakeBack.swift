import Database
import Model
import Records

/// What a lead takes with it that turned out to be none, or was not won after all.
public struct LeadTakeBack: Sendable {
    public let lead: LeadID
    /// What earned the rewards that go.
    public let triggers: Set<RewardRule.TriggerName>
    /// Whether those that are paid are owed back, too, and how long after their grant that may be
    /// done; nil: never.
    public let isPaidToo: Bool
    public let days: Int64?
    public let reason: String
    public let actor: String

    public init(
        _ lead: LeadID, _ triggers: Set<RewardRule.TriggerName>, isPaidToo: Bool, days: Int64?,
        reason: String, actor: String
    ) {
        self.lead = lead
        self.triggers = triggers
        self.isPaidToo = isPaidToo
        self.days = days
        self.reason = reason
        self.actor = actor
    }
}

extension RewardRules {
    /// What was paid is taken back by hand within the program's days of its grant alone.
    static func checkTakeBack(
        of reward: Reward, within days: Int64?, at now: Instant
    ) throws(RewardRefusal) {
        guard reward.netAmount > unpaid(of: reward) else { return }
        guard let days else { throw .neverTakenBack }
        let end = reward.createdAt.advanced(byDays: Int(clamping: days))
        guard now <= end else { throw .takenBackTooLate(end) }
    }
}

extension RewardBook {
    /// Takes back what has not been paid of the lead's rewards, and what has been where that is
    /// asked for. What a payout holds is owed back, as after a refund. Returns those that changed.
    @discardableResult
    public static func takeBack(_ order: LeadTakeBack, _ tx: Transaction) throws -> [Reward] {
        let rewards = try RewardStore.rewards(of: order.lead, tx).filter {
            order.triggers.contains($0.trigger) && $0.terms?.milestone == nil && $0.netAmount > 0
        }
        if order.isPaidToo {
            for reward in rewards {
                try RewardRules.checkTakeBack(of: reward, within: order.days, at: tx.now)
            }
        }
        var changed: [Reward] = []
        for reward in rewards {
            let more = order.isPaidToo ? reward.netAmount : RewardRules.unpaid(of: reward)
            guard more > 0 else { continue }
            let rest = try reverse(
                reward, Reversal(more, withdrawn: .lead, reason: order.reason), actor: order.actor,
                tx)
            changed.append(rest)
            if rest.netAmount == 0 { try takeBackTopUps(for: rest, actor: order.actor, tx) }
        }
        return changed
    }

    /// Every sale of a lead is wholly refunded, and what its win earned goes back, paid or not
    /// (R175); or one of them stands again, and it comes back.
    public static func followSales(
        of lead: LeadID, _ sale: RewardSale, actor: String, _ tx: Transaction
    ) throws {
        let rewards = try RewardStore.rewards(of: lead, tx).filter {
            $0.trigger == .leadWon && $0.terms?.milestone == nil
        }
        for reward in rewards {
            if sale.isRefunded, reward.netAmount > 0 {
                _ = try reverse(
                    reward,
                    Reversal(
                        reward.netAmount, withdrawn: .salesRefunded, refund: sale.refund,
                        reason: "sales_refunded"), actor: actor, tx)
            }
            // Another win may have earned it again meanwhile.
            let isTaken = rewards.contains {
                $0.rule == reward.rule && $0.participant == reward.participant && $0.netAmount > 0
            }
            if !sale.isRefunded, reward.withdrawnFor == .salesRefunded, !isTaken,
                try reward.netAmount > 0 || mayComeBack(reward, sale.person, tx)
            {
                _ = try restore(
                    reward, by: reward.withdrawnAmount, refund: sale.refund, actor: actor, tx)
            }
        }
    }
}
