import Database
import JSON
import Model
import Records

/// What happens to rewards, each in one piece: decision, journal, row, event. Flows and routes call
/// it inside their transaction; nothing else changes a reward's money.
public enum RewardBook {
    /// The job that ends a reward's hold.
    public static let holdJob = "reward.hold"
    /// The job that looks whether what was promised about a reward was kept.
    public static let dueJob = "reward.due"

    /// Grants what the program's active rules give for `occasion`. What was granted on it already
    /// is not granted again. Throws `MoneyError` for amounts that cannot be kept or currencies that
    /// differ.
    public static func grant(
        _ occasion: RewardOccasion, to credits: [Credit], _ tx: Transaction
    ) throws -> [Reward] {
        if let event = ReferralCount.Event(occasion.trigger), let lead = occasion.lead {
            for credit in credits {
                try ReferralCountStore.add(
                    lead, event, for: credit.participant, occasion.program, tx)
            }
        }
        var rewards: [Reward] = []
        for rule in try RewardRuleStore.active(in: occasion.program, for: occasion.trigger, tx)
        where try rule.terms.isReward && !RewardStore.exists(rule.id, occasion, tx)
            && !BenefitStore.exists(rule.id, occasion, tx)
        {
            let occasion = occasion.terms(for: rule)
            for share in try RewardReckoning.shares(
                rule, occasion, credits, at: occasion.moment(tx), tx)
            {
                if let reward = try grant(share, by: rule, occasion, tx) { rewards.append(reward) }
            }
        }
        return rewards
    }

    /// The reward for `share`; nil when limits or the budget leave nothing of it, which an event
    /// tells.
    static func grant(
        _ share: RewardRules.Share, by rule: RewardRule, _ occasion: RewardOccasion,
        _ tx: Transaction
    ) throws -> Reward? {
        let budget = try RewardReckoning.budget(
            share.amount.amount, occasion, at: occasion.moment(tx), tx)
        let countsAt =
            budget?.outcome == .queued
            ? budget?.countsTo.start ?? tx.now : occasion.moment(tx)
        let flags = occasion.flags[share.participant] ?? []
        let basis = RewardRules.basis(rule, share, occasion, at: countsAt, budget).flagged(flags)
        guard share.amount.amount > 0, budget?.outcome != .refused else {
            try withhold(
                share, by: rule, basis, reason: share.amount.amount > 0 ? "budget" : "limit",
                occasion, tx)
            return nil
        }
        // What is flagged waits for a person at once: a hold would only end in the review.
        let state =
            flags.isEmpty
            ? RewardRules.firstState(
                share.amount.amount, whole: share.whole, holdDays: occasion.holdDays,
                threshold: occasion.approvalThreshold, budget: budget?.outcome ?? .fits) : .review
        var holdUntil = tx.now.advanced(byDays: Int(clamping: occasion.holdDays))
        if budget?.outcome == .queued { holdUntil = max(holdUntil, countsAt) }
        let reward = Reward(
            id: tx.makeID(), program: occasion.program, participant: share.participant,
            rule: rule.id, ruleVersion: rule.version, trigger: occasion.trigger.name,
            kind: rule.terms.kind, lead: occasion.lead, conversion: occasion.conversion,
            attribution: occasion.attribution, payout: nil, state: state, amount: share.amount,
            reversedAmount: 0, correctedAmount: 0, clawbackAmount: 0, settledAmount: 0,
            basis: basis, reason: nil, holdUntil: holdUntil,
            approvedAt: state == .approved ? tx.now : nil, paidAt: nil, version: 1,
            createdAt: tx.now, updatedAt: tx.now)
        let amount = share.amount.amount
        try JournalStore.post(
            .about(
                reward, .rewardGranted,
                [Posting(reward.costAccount, amount), Posting(.participantPending, -amount)]), tx)
        if state == .approved { try postApproval(reward, tx) }
        try RewardStore.insert(reward, tx)
        if state == .pending {
            try JobStore.schedule(holdJob, reward.id, at: reward.holdUntil, tx)
        }
        if let clock = occasion.serviceLevels.flatMap({ RewardClockRules.clock(of: reward, $0) }) {
            try RewardClockStore.start(clock, tx)
            try JobStore.schedule(dueJob, reward.id, at: clock.dueAt, tx)
        }
        try tell(reward, from: nil, actor: occasion.actor, tx)
        return reward
    }

    /// Ends the hold of a pending reward whose time has come; anything else is left as it is.
    public static func endHold(_ id: RewardID, _ tx: Transaction) throws {
        guard let old = try RewardStore.find(id, tx), old.state == .pending,
            old.holdUntil <= tx.now
        else { return }
        var reward = old
        reward.state =
            old.isBeyondBudget
            ? .review
            : RewardRules.stateAfterHold(
                old.netAmount, of: old.amount.amount, whole: old.wholeAmount,
                threshold: old.approvalThreshold)
        if reward.state == .approved {
            reward.approvedAt = tx.now
            try postApproval(reward, tx)
        }
        try save(&reward, from: old, actor: "system", tx)
    }

    /// Approves before the end of the hold, or after a review.
    public static func approve(_ old: Reward, actor: String, _ tx: Transaction) throws -> Reward {
        var reward = old
        reward.state = try old.state.moved(by: .approve)
        reward.approvedAt = tx.now
        try postApproval(old, tx)
        try JobStore.cancel(holdJob, old.id, tx)
        try save(&reward, from: old, actor: actor, tx)
        return reward
    }

    /// Says no to what waits: all that still counts of it goes back to the program.
    public static func reject(
        _ old: Reward, reason: String, actor: String, _ tx: Transaction
    ) throws -> Reward {
        var reward = old
        reward.state = try old.state.moved(by: .reject)
        try cancel(&reward, from: old, .rewardRejected, reason: reason, actor: actor, tx)
        return reward
    }

    /// Takes back what has not been paid nor is in a payout.
    public static func void(
        _ old: Reward, reason: String, actor: String, _ tx: Transaction
    ) throws -> Reward {
        try RewardRules.checkFree(old)
        var reward = old
        reward.state = try old.state.moved(by: .void)
        try cancel(&reward, from: old, .rewardVoided, reason: reason, actor: actor, tx)
        return reward
    }

    /// Voids the lead's rewards that nothing of has been paid and no payout holds; returns those.
    public static func voidAll(
        of lead: LeadID, reason: String, actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        var voided: [Reward] = []
        for reward in try RewardStore.rewards(of: lead, tx)
        where reward.state.after(.void) != nil && reward.payout == nil
            && RewardRules.isUntouched(reward)
        {
            voided.append(try void(reward, reason: reason, actor: actor, tx))
        }
        return voided
    }

    /// Takes back the refunded proportion of every reward of the conversion. `refunded` is the
    /// total of all its refunds so far, so that calling twice with one total changes nothing.
    public static func reverse(
        conversion: ConversionID, refunded: Int64, of whole: Int64, refund: RefundID,
        actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        var changed: [Reward] = []
        for reward in try RewardStore.rewards(of: conversion, tx) {
            let target = RewardRules.reversalTarget(
                amount: reward.amount.amount, corrected: reward.correctedAmount,
                refunded: refunded, whole: whole)
            guard target > reward.reversedAmount else { continue }
            changed.append(
                try reverse(
                    reward, by: target - reward.reversedAmount, refund: refund,
                    reason: "refunded", actor: actor, tx))
        }
        return changed
    }

    /// Takes back `more` of a reward: what is not paid yet, and else as a claw-back. Without a
    /// refund it is a correction, and `corrected` more of it belongs to others.
    static func reverse(
        _ old: Reward, by more: Int64, corrected: Int64 = 0, refund: RefundID?, reason: String,
        actor: String, _ tx: Transaction
    ) throws -> Reward {
        let (unpaid, owed) = RewardRules.reversal(of: old, by: more)
        let held: LedgerAccount.Kind =
            old.state.isWaiting ? .participantPending : .participantAvailable
        try JournalStore.post(
            .about(
                old,
                refund == nil ? .rewardCorrected : owed > 0 ? .rewardClawedBack : .rewardRefunded,
                refund: refund,
                [
                    Posting(held, unpaid), Posting(.clawbackReceivable, owed),
                    Posting(old.costAccount, -more),
                ]), tx)
        var reward = old
        reward.reversedAmount += more
        reward.correctedAmount += corrected
        reward.clawbackAmount += owed
        // What a payout holds stays payable, and so keeps its state until the outcome is known.
        reward.state = RewardRules.settledState(reward)
        if reward.state == .voided {
            reward.reason = reason
            try JobStore.cancel(old.id, tx)
        }
        try save(
            &reward, from: old, actor: actor,
            data: [
                "refund_id": refund.map { .string($0.description) } ?? .null,
                "reversed": .integer(more), "clawed_back": .integer(owed),
            ], tx)
        return reward
    }

    /// The referral turned out to be none: it does not count towards tiers any more.
    public static func uncount(_ lead: LeadID, _ tx: Transaction) throws {
        try ReferralCountStore.remove(lead, tx)
    }

    // MARK: - Shared steps

    /// Nothing is granted, and everybody can see why.
    private static func withhold(
        _ share: RewardRules.Share, by rule: RewardRule, _ basis: JSONValue, reason: String,
        _ occasion: RewardOccasion, _ tx: Transaction
    ) throws {
        var data: JSONObject = [
            "rule_version": .integer(rule.version), "amount": .integer(share.beforeLimits),
            "currency": .string(share.amount.currency.code), "basis": basis,
        ]
        data["lead_id"] = occasion.lead.map { .string($0.description) }
        data["conversion_id"] = occasion.conversion.map { .string($0.description) }
        try EventStore.append(
            NewEvent(
                "reward.withheld", rule.id, program: occasion.program,
                participant: share.participant, actor: occasion.actor, reason: reason,
                data: .object(data)), tx)
    }

    private static func postApproval(_ reward: Reward, _ tx: Transaction) throws {
        try JournalStore.post(
            .about(
                reward, .rewardApproved,
                [
                    Posting(.participantPending, reward.netAmount),
                    Posting(.participantAvailable, -reward.netAmount),
                ]), tx)
    }

    private static func cancel(
        _ reward: inout Reward, from old: Reward, _ kind: JournalEntry.Kind, reason: String,
        actor: String, _ tx: Transaction
    ) throws {
        let held: LedgerAccount.Kind =
            old.state.isWaiting ? .participantPending : .participantAvailable
        try JournalStore.post(
            .about(
                old, kind, [Posting(held, old.payable), Posting(old.costAccount, -old.payable)]),
            tx)
        reward.reversedAmount = reward.amount.amount
        reward.reason = reason
        try JobStore.cancel(old.id, tx)
        try save(&reward, from: old, actor: actor, tx)
    }

    /// Writes the changed row and tells of it.
    static func save(
        _ reward: inout Reward, from old: Reward, actor: String, data: JSONObject = [:],
        _ tx: Transaction
    ) throws {
        if reward.state != old.state, let clock = try RewardClockStore.running(old.id, tx),
            RewardClockRules.isOver(clock.promise, in: reward.state)
        {
            try RewardClockStore.stop(old.id, tx)
            try JobStore.cancel(dueJob, old.id, tx)
        }
        reward.version += 1
        reward.updatedAt = tx.now
        // A refund of what a part payment left unpaid settles a reward as well.
        let isSettled = reward.state == .paid || reward.state == .clawedBack
        if isSettled, reward.paidAt == nil { reward.paidAt = tx.now }
        try RewardStore.update(reward, from: old, tx)
        try tell(reward, from: old, actor: actor, data: data, tx)
    }

    /// `reward.STATE` when the state changed, `reward.reversed` when money of it was taken back
    /// without that; nothing else is news.
    private static func tell(
        _ reward: Reward, from old: Reward?, actor: String, data: JSONObject = [:],
        _ tx: Transaction
    ) throws {
        let isMoved = old?.state != reward.state
        guard isMoved || old?.reversedAmount != reward.reversedAmount else { return }
        var data = data
        data["rule_id"] = .string(reward.rule.description)
        data["rule_version"] = .integer(reward.ruleVersion)
        data["amount"] = .integer(reward.netAmount)
        data["currency"] = .string(reward.amount.currency.code)
        if let payout = reward.payout { data["payout_id"] = .string(payout.description) }
        if let conversion = reward.conversion {
            data["conversion_id"] = .string(conversion.description)
        }
        if let lead = reward.lead { data["lead_id"] = .string(lead.description) }
        try EventStore.append(
            NewEvent(
                isMoved ? "reward.\(reward.state.rawValue)" : "reward.reversed", reward.id,
                program: reward.program, participant: reward.participant, actor: actor,
                from: old?.state.rawValue, to: reward.state.rawValue, reason: reward.reason,
                data: .object(data)), tx)
    }
}
