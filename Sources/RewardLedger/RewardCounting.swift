import Database
import JSON
import Model
import Records

/// Referrals that count no more, or again, and what hangs on how many there are: milestones. Tiers
/// read the counts when something is granted; falling below one lowers nothing that was.
extension RewardBook {
    /// The referral turned out to be none; with `event`, that alone is taken back.
    public static func uncount(
        _ lead: LeadID, _ event: ReferralCount.Event? = nil, in program: ProgramID, actor: String,
        _ tx: Transaction
    ) throws {
        let participants = try ReferralCountStore.remove(lead, event, tx)
        try followCounts(of: participants, in: program, refund: nil, actor: actor, tx)
    }

    /// The sale, or every sale of the lead that it won, is wholly refunded, or is not any more.
    /// `heirs`: by which other sale of the same person it still counts as won, for whom it does.
    public static func count(
        _ sale: RewardSale, lead: LeadID?, person: [CustomerID] = [],
        heirs: [ParticipantID: ConversionID] = [:], actor: String, _ tx: Transaction
    ) throws {
        let participants: [ParticipantID]
        if sale.isRefunded {
            for (participant, heir) in heirs {
                try ReferralCountStore.pass(sale.conversion, to: heir, for: participant, tx)
            }
            participants = try ReferralCountStore.suspend(sale.conversion, lead, tx)
        } else {
            participants = try ReferralCountStore.resume(
                sale.conversion, lead, person, for: sale.credits.map(\.participant), tx)
        }
        try followCounts(of: participants, in: sale.program, refund: sale.refund, actor: actor, tx)
    }

    /// Takes back milestones that are not reached any more, as far as they are not paid, and gives
    /// back those that are reached again.
    static func followCounts(
        of participants: [ParticipantID], in program: ProgramID, refund: RefundID?, actor: String,
        _ tx: Transaction
    ) throws {
        guard !participants.isEmpty else { return }
        for rule in try RewardRuleStore.milestones(in: program, tx) {
            guard let milestone = rule.terms.milestone else { continue }
            for participant in participants {
                let count = try ReferralCountStore.count(
                    milestone.counts, of: participant, except: nil, from: nil, at: tx.now, tx)
                for reward in try RewardStore.rewards(by: rule.id, of: participant, tx) {
                    try follow(reward, count, refund: refund, actor: actor, tx)
                }
                try BenefitBook.followCount(
                    count, of: rule, participant, refund: refund, actor: actor, tx)
            }
        }
    }

    private static func follow(
        _ reward: Reward, _ count: Int64, refund: RefundID?, actor: String, _ tx: Transaction
    ) throws {
        guard let milestone = reward.terms?.milestone else { return }
        if count >= milestone.at {
            guard reward.withdrawnFor == .milestone, try mayComeBack(reward, [], tx) else { return }
            _ = try restore(
                reward, by: reward.withdrawnAmount, refund: refund, actor: actor, tx)
            return
        }
        let unpaid = RewardRules.unpaid(of: reward)
        if unpaid > 0 {
            _ = try reverse(
                reward,
                Reversal(
                    unpaid, withdrawn: .milestone, refund: refund, reason: "below_milestone"),
                actor: actor, tx)
        }
        guard reward.netAmount > unpaid else { return }
        try EventStore.append(
            NewEvent(
                "reward.kept", reward.id, program: reward.program, participant: reward.participant,
                actor: actor, reason: "below_milestone_but_paid",
                data: [
                    "amount": .integer(reward.netAmount - unpaid),
                    "currency": .string(reward.amount.currency.code),
                    "counted": .integer(count), "milestone": .integer(milestone.at),
                ]), tx)
    }
}
