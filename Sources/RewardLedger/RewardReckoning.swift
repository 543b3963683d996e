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
        guard try withheld(rule, occasion, reader) == nil,
            try FirstComeStore.isOpen(rule.id, first: rule.terms.first, to: occasion, reader)
        else { return [] }
        var standings: [ParticipantID: RewardStanding] = [:]
        for credit in credits where standings[credit.participant] == nil {
            let own = held.first { $0.participant == credit.participant && $0.rule == rule.id }
            standings[credit.participant] =
                try own?.standing
                ?? standing(of: credit.participant, rule, occasion, at: moment, reader)
        }
        let campaigns = try CampaignStore.promised(to: occasion, by: moment, reader)
        // Whatever is granted of what was decided anew is held against the budget by itself.
        let budget =
            rule.terms.isMoney && held.isEmpty ? try budget(occasion, at: moment, reader) : nil
        return try RewardRules.shares(
            rule, credits, facts(occasion, held: held), standings, campaigns, budget)
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
        occasion.budget = nil
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
            try withheld(rule, occasion, reader) == nil,
            try FirstComeStore.isOpen(rule.id, first: rule.terms.first, to: occasion, reader)
        else { return false }
        return RewardRules.isFor(
            rule.terms, occasion.facts.participants[participant],
            try standing(of: participant, rule, occasion, at: moment, reader))
    }

    /// What is known of the occasion now, or what its oldest reward was told.
    static func facts(_ occasion: RewardOccasion, held: [Reward]) -> RewardFacts {
        var facts = occasion.knowsMore ? occasion.facts : held.first?.facts ?? occasion.facts
        facts.participants = occasion.facts.participants
        facts.person = occasion.facts.person
        facts.zone = occasion.facts.zone
        // Who is credited decides this, and may be others now.
        facts.isReturning = occasion.facts.isReturning
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
            let period = tiers.period.map {
                CalendarPeriod($0, containing: counted, in: occasion.facts.zone)
            }
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
        try hold(
            &standing, of: participant, rule, occasion, isPlanned: true, at: moment, reader)
        return standing
    }

    /// What limits and the budget leave, as the books are now, of a further `amount` for what
    /// happened at `moment`.
    static func place(
        _ amount: Int64, for participant: ParticipantID, _ rule: RewardRule,
        _ occasion: RewardOccasion, at moment: Instant, _ reader: Reader
    ) throws -> RewardPlacement {
        var standing = RewardStanding()
        try hold(
            &standing, of: participant, rule, occasion, isPlanned: false, at: moment, reader)
        return RewardRules.place(
            amount, standing,
            rule.terms.isMoney ? try budget(occasion, at: moment, reader) : nil)
    }

    /// Fills in the limits, of every period that the reward may count to. Where all who share a
    /// sale are planned together, what the rule has given for it already is not counted beside
    /// what it is to give.
    private static func hold(
        _ standing: inout RewardStanding, of participant: ParticipantID, _ rule: RewardRule,
        _ occasion: RewardOccasion, isPlanned: Bool, at moment: Instant, _ reader: Reader
    ) throws {
        func limits(_ instant: Instant) throws -> [RewardStanding.Limit] {
            try self.limits(
                of: participant, rule, occasion, isPlanned: isPlanned, at: instant, reader)
        }
        standing.limits = try limits(moment)
        guard !standing.limits.isEmpty, let budget = occasion.budget else { return }
        standing.queuedLimits = try periods(of: budget, from: moment, in: occasion.facts.zone)
            .dropFirst().map {
                try limits($0.start)
            }
    }

    private static func count(
        _ event: ReferralCount.Event, _ participant: ParticipantID, _ occasion: RewardOccasion,
        _ period: CalendarPeriod?, _ moment: Instant, _ reader: Reader
    ) throws -> Int64 {
        try ReferralCountStore.count(
            event, of: participant, except: occasion, from: period?.start, at: moment, reader)
            + 1
    }

    /// The limits of the rule, then those of the program, each with what is used of it: in money,
    /// in points, or in pieces, as the rule gives.
    private static func limits(
        of participant: ParticipantID, _ rule: RewardRule, _ occasion: RewardOccasion,
        isPlanned: Bool, at moment: Instant, _ reader: Reader
    ) throws -> [RewardStanding.Limit] {
        let unit = rule.terms.unit
        return try rule.terms.limits.all.map { ($0, rule.id as RewardRuleID?) }
            .appending(contentsOf: occasion.limits.all.map { ($0, nil) })
            .map { limit, ruleID in
                let period = limit.name.period.map {
                    CalendarPeriod($0, containing: moment, in: occasion.facts.zone)
                }
                let used: Int64
                if limit.name == .referee {
                    let own = isPlanned ? occasion.conversion.map { (rule.id, $0) } : nil
                    used =
                        try RewardStore.earned(
                            unit, for: occasion.facts.allOfPerson, rule: ruleID, except: own,
                            reader)
                        + BenefitStore.earned(
                            unit, for: occasion.facts.allOfPerson, rule: ruleID, except: own,
                            reader)
                } else {
                    let range = period.map { $0.start..<$0.end }
                    used =
                        try RewardStore.earned(
                            unit, by: participant, rule: ruleID, in: range, reader)
                        + BenefitStore.earned(
                            unit, by: participant, rule: ruleID, in: range, reader)
                }
                return RewardStanding.Limit(
                    name: limit.name, isOfRule: ruleID != nil, most: limit.most, used: used)
            }
    }

    /// Whether one of a program's limits leaves the participant nothing more to earn in money at
    /// `instant`. That of a referred customer tells nothing about the next one.
    public static func isLimitReached(
        by participant: ParticipantID, _ limits: RewardLimits, at instant: Instant,
        in zone: TimeZone, _ reader: Reader
    ) throws -> Bool {
        try limits.all.contains { limit in
            guard limit.name != .referee else { return false }
            let range = limit.name.period.map { CalendarPeriod($0, containing: instant, in: zone) }
                .map { $0.start..<$0.end }
            let used =
                try RewardStore.earned(
                    .money, by: participant, rule: nil, in: range, limit: 1_000, reader)
                + BenefitStore.earned(
                    .money, by: participant, rule: nil, in: range, limit: 1_000, reader)
            return used >= limit.most
        }
    }

    /// What is reserved of the program's budget; nil without one.
    private static func budget(
        _ occasion: RewardOccasion, at moment: Instant, _ reader: Reader
    ) throws -> BudgetStanding? {
        guard let terms = occasion.budget else { return nil }
        return BudgetStanding(
            terms: terms,
            reserved: try periods(of: terms, from: moment, in: occasion.facts.zone).map {
                ($0, try RewardStore.reserved(in: occasion.program, $0, reader))
            })
    }

    /// To which a reward of `moment` may count, in order.
    private static func periods(
        of terms: BudgetTerms, from moment: Instant, in zone: TimeZone
    ) -> [CalendarPeriod] {
        var periods = [CalendarPeriod(terms.period, containing: moment, in: zone)]
        guard terms.beyond == .queue else { return periods }
        for _ in 0..<BudgetRules.periodsAhead { periods.append(periods[periods.count - 1].next) }
        return periods
    }
}

extension RewardOccasion {
    /// When it happened, which is now unless a sale's credit is decided anew.
    func moment(_ tx: Transaction) -> Instant { recordedAt ?? tx.now }

    /// The end of the hold of rewards and benefits, and its days: 0 if it is over. A hold counts
    /// from the day of the sale: if its credit is decided again later, no new hold begins.
    func hold(_ tx: Transaction) -> (until: Instant, days: Int64) {
        let until = moment(tx).advanced(byDays: Int(clamping: holdDays))
        return (until, until <= tx.now ? 0 : holdDays)
    }
}

extension Array {
    fileprivate func appending(contentsOf more: [Element]) -> [Element] { self + more }
}
