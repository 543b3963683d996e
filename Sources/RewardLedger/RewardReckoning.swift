import Database
import Model

/// Gathers from one snapshot, which is the writer's transaction when something is granted, what a
/// rule asks for, and has the pure rules reckon with
/// it: how many referrals have counted, what limits have left, which campaigns there are.
public enum RewardReckoning {
    /// What `rule` gives to whom on `occasion`. `held` are the rewards that the same conversion
    /// earned before: what they were told then is told again, so that deciding anew about a sale's
    /// credit does not see another tier, another limit or another participant.
    static func shares(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ credits: [Credit], held: [Reward] = [],
        at moment: Instant, _ reader: Reader
    ) throws -> [RewardRules.Share] {
        guard try FirstComeStore.isOpen(rule.id, first: rule.terms.first, to: occasion, reader)
        else { return [] }
        var standings: [ParticipantID: RewardStanding] = [:]
        for credit in credits where standings[credit.participant] == nil {
            let own = held.first { $0.participant == credit.participant && $0.rule == rule.id }
            standings[credit.participant] =
                try own?.standing
                ?? standing(of: credit.participant, rule, occasion, at: moment, reader)
        }
        let campaigns = try CampaignStore.promised(to: occasion, by: moment, reader)
        return try RewardRules.shares(
            rule, credits, facts(occasion, held: held), standings, campaigns)
    }

    /// What `rule` would have given for a sale that was recorded at `moment` and earned `held`:
    /// by its rates, tiers, filters and campaigns. Limits and budgets depend on all other sales,
    /// which are not told anew, and are left out.
    public static func rehearse(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ credits: [Credit], held: [Reward],
        at moment: Instant, _ reader: Reader
    ) throws -> [(participant: ParticipantID, amount: Int64)] {
        var free = rule
        free.terms.limits = RewardLimits()
        var occasion = occasion
        occasion.limits = RewardLimits()
        let unlimited = held.filter { $0.standing.limits.isEmpty }
        return try shares(free, occasion, credits, held: unlimited, at: moment, reader).map {
            ($0.participant, $0.amount.amount)
        }
    }

    /// Whether `rule` gives to the participant at all on `occasion`, where there is no amount.
    static func admits(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ participant: ParticipantID,
        at moment: Instant, _ reader: Reader
    ) throws -> Bool {
        guard RewardRules.isAbout(rule.terms, occasion.facts),
            try FirstComeStore.isOpen(rule.id, first: rule.terms.first, to: occasion, reader)
        else { return false }
        return RewardRules.isFor(
            rule.terms, occasion.facts.participants[participant],
            try standing(of: participant, rule, occasion, at: moment, reader))
    }

    /// What is known of the occasion now, or what its oldest reward was told.
    static func facts(_ occasion: RewardOccasion, held: [Reward]) -> RewardFacts {
        var facts = held.first?.facts ?? occasion.facts
        facts.participants = occasion.facts.participants
        facts.person = occasion.facts.person
        for reward in held.reversed() {
            if let person = reward.person { facts.participants[reward.participant] = person }
        }
        return facts
    }

    private static func standing(
        of participant: ParticipantID, _ rule: RewardRule, _ occasion: RewardOccasion,
        at moment: Instant, _ reader: Reader
    ) throws -> RewardStanding {
        var standing = RewardStanding()
        if let tiers = rule.terms.tiers {
            let counted =
                tiers.moment == .submission
                ? min(occasion.facts.referredAt ?? moment, moment) : moment
            let period = tiers.period.map { CalendarPeriod($0, containing: counted) }
            standing.count = try count(
                tiers.counts, participant, occasion, period, counted, reader)
            if tiers.isRetroactive {
                standing.earlier = try RewardStore.standing(
                    rule.id, of: participant, in: period.map { $0.start..<$0.end }, reader
                ).map(\.earlier)
            }
        }
        if let milestone = rule.terms.milestone {
            standing.count = try count(
                milestone.counts, participant, occasion, nil, moment, reader)
            standing.hasEarned =
                try standing.count == milestone.at
                && (!RewardStore.standing(rule.id, of: participant, in: nil, reader).isEmpty
                    || BenefitStore.hasEarned(rule.id, participant, reader))
        }
        standing.limits = try limits(of: participant, rule, occasion, at: moment, reader)
        return standing
    }

    private static func count(
        _ event: ReferralCount.Event, _ participant: ParticipantID, _ occasion: RewardOccasion,
        _ period: CalendarPeriod?, _ moment: Instant, _ reader: Reader
    ) throws -> Int64 {
        try ReferralCountStore.count(
            event, of: participant, except: occasion, from: period?.start, at: moment, reader)
            + 1
    }

    /// The limits of the rule, then those of the program, each with what is used of it. They hold
    /// for money: what else a rule gives counts to none.
    static func limits(
        of participant: ParticipantID, _ rule: RewardRule, _ occasion: RewardOccasion,
        at moment: Instant, _ reader: Reader
    ) throws -> [RewardStanding.Limit] {
        guard rule.terms.isMoney else { return [] }
        return try rule.terms.limits.all.map { ($0, rule.id as RewardRuleID?) }
            .appending(contentsOf: occasion.limits.all.map { ($0, nil) })
            .map { limit, ruleID in
                let period = limit.name.period.map {
                    CalendarPeriod($0, containing: moment)
                }
                let used: Int64
                if limit.name == .referee {
                    used =
                        try occasion.facts.customer.map {
                            try RewardStore.earned(for: $0, rule: ruleID, reader)
                        } ?? 0
                } else {
                    used = try RewardStore.earned(
                        by: participant, rule: ruleID, in: period.map { $0.start..<$0.end }, reader)
                }
                return RewardStanding.Limit(
                    name: limit.name, isOfRule: ruleID != nil, most: limit.most, used: used)
            }
    }

    /// What the program's budget says of `amount`; nil without one.
    static func budget(
        _ amount: Int64, _ occasion: RewardOccasion, at moment: Instant, _ reader: Reader
    ) throws -> BudgetDecision? {
        guard let terms = occasion.budget else { return nil }
        var period = CalendarPeriod(terms.period, containing: moment)
        var reserved: [(period: CalendarPeriod, amount: Int64)] = []
        for _ in 0...(terms.beyond == .queue ? BudgetRules.periodsAhead : 0) {
            reserved.append(
                (period, try RewardStore.reserved(in: occasion.program, period, reader)))
            period = period.next
        }
        return BudgetRules.decide(amount, terms, reserved)
    }
}

extension RewardOccasion {
    /// When it happened, which is now unless a sale's credit is decided anew.
    func moment(_ tx: Transaction) -> Instant { recordedAt ?? tx.now }
}

extension Array {
    fileprivate func appending(contentsOf more: [Element]) -> [Element] { self + more }
}
