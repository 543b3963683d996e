import Database
import JSON
import Model
import Records

/// What happens to rewards, each in one piece: decision, journal, row, event. Flows and routes call
/// it inside their transaction; nothing else changes a reward's money.
public enum RewardBook {
    /// The job that ends a reward's hold.
    public static let holdJob = "reward.hold"
    /// The jobs that look whether what was promised about a reward was kept, and its target met.
    public static let dueJob = "reward.due"
    public static let targetJob = "reward.target"

    /// Grants what the program's active rules give for `occasion`. What was granted on it already
    /// is not granted again. Throws `MoneyError` for amounts that cannot be kept or currencies that
    /// differ.
    public static func grant(
        _ occasion: RewardOccasion, to credits: [Credit], _ tx: Transaction
    ) throws -> [Reward] {
        try count(occasion, for: credits, tx)
        var rewards: [Reward] = []
        for rule in try RewardRuleStore.active(in: occasion.program, for: occasion.trigger, tx)
        where try rule.terms.isReward && !RewardStore.exists(rule.id, occasion, tx)
            && !BenefitStore.exists(rule.id, occasion, tx)
        {
            let occasion = occasion.terms(for: rule)
            guard try RewardWithholding.admits(rule, occasion, credits, tx) else { continue }
            for share in try RewardReckoning.shares(
                rule, occasion, credits, at: occasion.moment(tx), tx)
            {
                if let reward = try grant(share, by: rule, occasion, tx) { rewards.append(reward) }
            }
        }
        return rewards
    }

    /// The referral counts for whoever is credited with it, where the occasion makes it count.
    static func count(
        _ occasion: RewardOccasion, for credits: [Credit], _ tx: Transaction
    ) throws {
        guard let event = ReferralCount.Event(occasion.trigger),
            occasion.countsReturning || !occasion.facts.isReturning
        else { return }
        for credit in credits {
            try ReferralCountStore.add(event, occasion, for: credit.participant, tx)
        }
    }

    /// The reward for `share`; nil when limits or the budget leave nothing of it, which an event
    /// tells.
    static func grant(
        _ share: RewardRules.Share, by rule: RewardRule, _ occasion: RewardOccasion,
        _ tx: Transaction
    ) throws -> Reward? {
        let budget = share.placement.budget
        let countsAt =
            budget?.outcome == .queued
            ? budget?.countsTo.start ?? tx.now : occasion.moment(tx)
        let flags = occasion.flags[share.participant] ?? []
        let basis = RewardRules.basis(rule, share, occasion, at: countsAt).flagged(flags)
        guard share.amount.amount > 0, !share.placement.isRefused else {
            try RewardWithholding.tell(
                share.amount.amount > 0 ? .budget : .limit, of: rule, to: share.participant,
                [
                    "amount": .integer(share.beforeLimits),
                    "currency": .string(share.amount.currency.code), "basis": basis,
                ], occasion, tx)
            return nil
        }
        let hold = occasion.hold(tx)
        // What is flagged waits for a person at once: a hold would only end in the review.
        let state =
            flags.isEmpty
            ? RewardRules.firstState(
                share.amount.amount, whole: share.whole, holdDays: hold.days,
                threshold: occasion.approvalThreshold, budget: budget?.outcome ?? .fits) : .review
        var holdUntil = hold.until
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
                [
                    Posting(reward.costAccount(isReserved: true), amount),
                    Posting(.participantPending, -amount),
                ]), tx)
        if state == .approved { try postApproval(reward, tx) }
        try RewardStore.insert(reward, tx)
        try takePlaces(rule, share.campaign, occasion, tx)
        if state == .pending {
            try JobStore.schedule(holdJob, reward.id, at: reward.holdUntil, tx)
        }
        try startClocks(of: reward, on: occasion, tx)
        try tell(reward, from: nil, actor: occasion.actor, tx)
        return reward
    }

    /// Something was given: the referral has its place where only the first ones get it.
    static func takePlaces(
        _ rule: RewardRule, _ campaign: RewardRules.AppliedCampaign?, _ occasion: RewardOccasion,
        _ tx: Transaction
    ) throws {
        try FirstComeStore.take(rule.id, first: rule.terms.first, for: occasion, tx)
        if let campaign {
            try FirstComeStore.take(campaign.campaign, first: campaign.first, for: occasion, tx)
        }
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

    // MARK: - Shared steps

    private static func start(_ clock: RewardClock, _ tx: Transaction) throws {
        try RewardClockStore.start(clock, tx)
        try JobStore.schedule(job(of: clock), clock.reward, at: clock.dueAt, tx)
    }

    /// Its money is available, what was set aside becomes expense in the same transaction, and its
    /// recipient's time to choose begins.
    static func postApproval(_ reward: Reward, _ tx: Transaction) throws {
        try scheduleChoice(of: reward, tx)
        let amount = reward.netAmount
        var postings = [
            Posting(.participantPending, amount), Posting(.participantAvailable, -amount),
        ]
        if try JournalStore.isReserved(reward.id, tx) {
            postings += [Posting(.programExpense, amount), Posting(.budgetReserve, -amount)]
        }
        try JournalStore.post(.about(reward, .rewardApproved, postings), tx)
    }

    /// Where the cost of a reward is: set aside while it waits, an expense from its approval on.
    /// What was granted before there was a reserve has been an expense from the beginning.
    static func cost(of reward: Reward, _ tx: Transaction) throws -> LedgerAccount.Kind {
        try reward.costAccount(
            isReserved: reward.state.isWaiting && JournalStore.isReserved(reward.id, tx))
    }

    private static func cancel(
        _ reward: inout Reward, from old: Reward, _ kind: JournalEntry.Kind, reason: String,
        actor: String, _ tx: Transaction
    ) throws {
        let held: LedgerAccount.Kind =
            old.state.isWaiting ? .participantPending : .participantAvailable
        try JournalStore.post(
            .about(
                old, kind,
                [Posting(held, old.payable), Posting(try cost(of: old, tx), -old.payable)]),
            tx)
        reward.reversedAmount = reward.amount.amount
        reward.refuseAll()
        reward.reason = reason
        try JobStore.cancel(old.id, tx)
        try RewardStore.refuse(old.id, tx)
        try save(&reward, from: old, actor: actor, tx)
        try takeBackTopUps(for: reward, actor: actor, tx)
    }

    /// Writes the changed row and tells of it.
    static func save(
        _ reward: inout Reward, from old: Reward, actor: String, data: JSONObject = [:],
        _ tx: Transaction
    ) throws {
        reward.version += 1
        reward.updatedAt = tx.now
        // A refund of what a part payment left unpaid settles a reward as well.
        let isSettled = reward.state == .paid || reward.state == .clawedBack
        if isSettled, reward.paidAt == nil { reward.paidAt = tx.now }
        try RewardStore.update(reward, from: old, tx)
        if old.state == .voided, reward.state != .voided { try restartTime(of: reward, tx) }
        if reward.state != old.state || reward.netAmount == 0 {
            try followClocks(of: reward, tx)
        }
        try tell(reward, from: old, actor: actor, data: data, tx)
    }

    private static func startClocks(
        of reward: Reward, on occasion: RewardOccasion, _ tx: Transaction
    ) throws {
        var time = RewardTimeRules.begin(
            reward.kind, for: reward.participant, on: occasion, at: tx.now)
        time.promised = occasion.serviceLevels.flatMap { RewardClockRules.promised(of: reward, $0) }
        try RewardTimeStore.start(time, of: reward.id, approvedAt: reward.approvedAt, tx)
        if reward.receivedAt != nil { try followTime(of: reward, tx) }
        for clock in RewardClockRules.clocks(of: reward, time) { try start(clock, tx) }
    }

    /// It counts again: its time goes on, but what was promised is not promised again.
    private static func restartTime(of reward: Reward, _ tx: Transaction) throws {
        guard reward.trigger != .manual else { return }
        try RewardTimeStore.start(
            RewardTimeRules.resumed(reward), of: reward.id, approvedAt: reward.approvedAt, tx)
    }

    /// It is known how to pay it, so that the time in which this is promised begins.
    static func startPayment(
        of reward: Reward, _ terms: ServiceLevelTerms?, _ tx: Transaction
    ) throws {
        let promised = terms.flatMap {
            RewardClockRules.promised(of: reward, chosenAt: tx.now, $0)
        }
        try RewardTimeStore.choose(reward.kind, for: reward.id, promised, tx)
        guard let promised, promised.promise == .payment else { return }
        for clock in RewardClockRules.clocks(of: reward, [promised]) { try start(clock, tx) }
    }

    /// Stops the clocks of what is done, or need not be done any more.
    private static func followClocks(of reward: Reward, _ tx: Transaction) throws {
        for clock in try RewardClockStore.running(reward.id, tx)
        where RewardClockRules.isOver(clock.promise, of: reward) {
            try RewardClockStore.stop(clock, tx)
            try JobStore.cancel(job(of: clock), reward.id, tx)
        }
        switch reward.state {
        case .rejected, .voided: try RewardTimeStore.remove(reward.id, tx)
        case .pending, .review, .approved, .paid, .clawedBack: try followTime(of: reward, tx)
        }
    }

    private static func followTime(of reward: Reward, _ tx: Transaction) throws {
        try RewardTimeStore.follow(
            reward.id, approvedAt: reward.approvedAt, paidAt: reward.receivedAt, tx)
    }

    private static func job(of clock: RewardClock) -> String {
        clock.promise == .target ? targetJob : dueJob
    }

    /// `reward.STATE` when the state changed, `reward.reversed` or `reward.restored` when money of
    /// it was taken back or came back without that; nothing else is news.
    static func tell(
        _ reward: Reward, from old: Reward?, actor: String, data: JSONObject = [:],
        _ tx: Transaction
    ) throws {
        let isMoved = old?.state != reward.state
        guard isMoved || old?.reversedAmount != reward.reversedAmount else { return }
        let isBack = (old?.reversedAmount ?? 0) > reward.reversedAmount
        var data = data
        data["rule_id"] = reward.rule.map { .string($0.description) } ?? .null
        data["rule_version"] = reward.ruleVersion.map { .integer($0) } ?? .null
        data["amount"] = .integer(reward.netAmount)
        data["currency"] = .string(reward.amount.currency.code)
        if let payout = reward.payout { data["payout_id"] = .string(payout.description) }
        if let conversion = reward.conversion {
            data["conversion_id"] = .string(conversion.description)
        }
        if let lead = reward.lead { data["lead_id"] = .string(lead.description) }
        try EventStore.append(
            NewEvent(
                isMoved
                    ? "reward.\(reward.state.rawValue)"
                    : isBack ? "reward.restored" : "reward.reversed", reward.id,
                program: reward.program, participant: reward.participant, actor: actor,
                from: old?.state.rawValue, to: reward.state.rawValue, reason: reward.reason,
                data: .object(data)), tx)
    }
}
