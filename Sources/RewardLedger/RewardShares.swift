import Model

extension RewardRules {
    /// One reward to be made, with every step that led to its amount (R190: what the tier gives,
    /// then the campaign, then limits; the budget and the review follow on the final amount).
    public struct Share: Sendable, Equatable {
        public let participant: ParticipantID
        let currency: Currency
        /// What limits and budget leave of it.
        var placement: RewardPlacement
        /// What the participant is credited with.
        public let base: Money?
        /// What the rule gives on this occasion, to all who share it, after every step.
        public var whole: Int64
        /// What basis points were taken of; nil for a flat amount.
        public let wholeBase: Int64?
        /// Of `wholeBase` times basis points after division by 10,000, before rounding.
        public let remainder: Int64
        /// What the rate gives before the rule's minimum and maximum.
        public let uncapped: Int64
        public let rate: RewardTerms.Rate
        /// What the rate gives to all who share it.
        public let rateAmount: Int64
        /// The level that the participant has reached, by how many referrals.
        public let level: RewardTiers.Level?
        public let standing: RewardStanding
        public let campaign: AppliedCampaign?
        /// Its part of what all share.
        public let parts: Int64
        public let partsOf: Int64
        /// What it brings for earlier rewards, because the tiers are retroactive.
        public let retroactive: Int64
        public let beforeLimits: Int64

        /// Zero when the limits left nothing.
        public var amount: Money { Money(amount: placement.amount, currency: currency) }
    }

    /// The campaign that changed an amount.
    public struct AppliedCampaign: Sendable, Equatable {
        let campaign: CampaignID
        let version: Int64
        let effect: Campaign.Effect
        let first: Int64?
        let amount: Int64
    }

    /// What `rule` gives to whom. It gives once on an occasion: a flat amount, or basis points of
    /// all that is credited to participants, rounded once, a half to the even neighbour, and kept
    /// between its minimum and maximum. Those who share the credit share that amount by largest
    /// remainder, so that nothing is lost and the maximum holds for all together; where their tiers
    /// differ, each has its part of what its own tier gives. A share of nothing is none. Credits of
    /// one participant count together.
    static func shares(
        _ rule: RewardRule, _ credits: [Credit], _ facts: RewardFacts = RewardFacts(),
        _ standings: [ParticipantID: RewardStanding] = [:], _ campaigns: [Campaign] = [],
        _ budget: BudgetStanding? = nil
    ) throws(MoneyError) -> [Share] {
        var budget = budget
        guard isAbout(rule.terms, facts) else { return [] }
        let credits = try merged(credits)
        let base = try total(credits)
        var shares: [Share] = []
        var whole: Int64 = 0
        var given: Int64 = 0
        for place in credits.indices {
            let standing = standings[credits[place].participant] ?? RewardStanding()
            guard isFor(rule.terms, facts.participants[credits[place].participant], standing),
                let share = try share(
                    of: place, credits, base, rule, facts, standing, campaigns, given,
                    budget)
            else { continue }
            whole += share.placement.amount
            if !share.placement.isRefused { given += share.placement.amount }
            if let decision = share.placement.budget {
                budget?.reserve(share.placement.amount, as: decision)
            }
            shares.append(share)
        }
        for place in shares.indices { shares[place].whole = whole }
        return shares
    }

    /// Sales of its products and within the first months alone, where the rule asks for that.
    static func isAbout(_ terms: RewardTerms, _ facts: RewardFacts) -> Bool {
        CampaignRules.isNamed(facts.product, in: terms.products ?? [])
            && !areMonthsOver(terms, facts)
    }

    /// Whether the rule gives for such sales, but their first months are over.
    static func areMonthsOver(_ terms: RewardTerms, _ facts: RewardFacts) -> Bool {
        guard CampaignRules.isNamed(facts.product, in: terms.products ?? []),
            let months = terms.firstMonths, let sold = facts.soldAt
        else { return false }
        return sold >= facts.zone.advance(facts.firstSaleAt ?? sold, byMonths: months)
    }

    /// Whether the rule is for this participant: by whether it earns at all, by its kind and
    /// segment, and whether it has reached the milestone.
    static func isFor(
        _ terms: RewardTerms, _ person: RewardFacts.Person?, _ standing: RewardStanding
    ) -> Bool {
        if person?.isOut == true { return false }
        if let kinds = terms.participantKinds, !kinds.contains(person?.kind ?? "") { return false }
        if let segments = terms.segments, !segments.contains(person?.segment ?? "") {
            return false
        }
        guard let milestone = terms.milestone else { return true }
        return standing.count == milestone.at && !standing.hasEarned
    }

    private static func share(
        of place: Int, _ credits: [Credit], _ base: Money?, _ rule: RewardRule,
        _ facts: RewardFacts, _ standing: RewardStanding, _ campaigns: [Campaign], _ given: Int64,
        _ budget: BudgetStanding?
    ) throws(MoneyError) -> Share? {
        let level = rule.terms.tiers?.level(standing.count)
        guard let rate = level?.rate ?? rule.terms.baseRate,
            let step = try amount(rate, of: base)
        else { return nil }
        let campaign = try CampaignRules.best(campaigns, for: rule.id, facts, step.amount)
        let isShared = rule.terms.trigger != .milestone
        let weights = weights(credits, byBase: step.base != nil)
        let part =
            isShared
            ? Apportionment.split(
                campaign?.amount ?? step.amount.amount, by: weights)[place]
            : campaign?.amount ?? step.amount.amount
        let retroactive =
            rule.terms.tiers?.isRetroactive == true
            ? try owedForEarlier(step.amount.amount, standing.earlier) : 0
        let (before, overflow) = part.addingReportingOverflow(retroactive)
        guard !overflow, before > 0 else {
            if overflow { throw .overflow }
            return nil
        }
        let placement = RewardRules.place(before, standing, given: given, budget)
        return Share(
            participant: credits[place].participant, currency: step.amount.currency,
            placement: placement, base: credits[place].base, whole: placement.amount,
            wholeBase: step.base,
            remainder: step.remainder, uncapped: step.exact, rate: rate,
            rateAmount: step.amount.amount, level: level, standing: standing, campaign: campaign,
            parts: isShared ? weights[place] : 1, partsOf: isShared ? weights.reduce(0, +) : 1,
            retroactive: retroactive, beforeLimits: before)
    }

    struct Step {
        let amount: Money
        let exact: Int64
        let base: Int64?
        let remainder: Int64
    }

    /// What a rate gives of `base`; nil where there is nothing to take basis points of.
    static func amount(
        _ rate: RewardTerms.Rate, of base: Money?
    ) throws(MoneyError) -> Step? {
        switch rate {
        case .flat(let money):
            return Step(amount: money, exact: money.amount, base: nil, remainder: 0)
        case .basisPoints(let points, let least, let most):
            guard let base else { return nil }
            let exact = try base.basisPoints(points)
            var amount = exact
            if let least, base.amount > 0, try amount.isLess(than: least) { amount = least }
            if let most, try most.isLess(than: amount) { amount = most }
            return Step(
                amount: amount, exact: exact.amount, base: base.amount,
                remainder: Int64((Int128(base.amount) * Int128(points)) % 10_000))
        }
    }

    /// What the earlier rewards lack of `amount`, each its part of it, less what was brought for
    /// them before.
    static func owedForEarlier(
        _ amount: Int64, _ earlier: [RewardStanding.Earlier]
    ) throws(MoneyError) -> Int64 {
        var owed: Int128 = 0
        for reward in earlier {
            let lack = Int128(max(0, amount - reward.tierAmount))
            owed += lack * Int128(reward.parts) / Int128(max(1, reward.of))
            owed -= Int128(reward.retroactive)
        }
        guard let result = Int64(exactly: max(0, owed)), result <= Money.maximum else {
            throw .overflow
        }
        return result
    }

    static func total(_ credits: [Credit]) throws(MoneyError) -> Money? {
        var total: Money?
        for base in credits.compactMap(\.base) { total = try total?.adding(base) ?? base }
        return total
    }

    /// By what those who share a reward share it: the credited money where it is a part of that,
    /// else the parts of the credit.
    static func weights(_ credits: [Credit], byBase: Bool) -> [Int64] {
        credits.map { byBase ? $0.base?.amount ?? 0 : $0.parts }
    }

    static func merged(_ credits: [Credit]) throws(MoneyError) -> [Credit] {
        var merged: [Credit] = []
        for credit in credits {
            guard let place = merged.firstIndex(where: { $0.participant == credit.participant })
            else {
                merged.append(credit)
                continue
            }
            let known = merged[place]
            var base = known.base
            if let more = credit.base { base = try base?.adding(more) ?? more }
            merged[place] = Credit(
                participant: credit.participant, parts: known.parts + credit.parts, base: base)
        }
        return merged
    }
}
