import Model

/// Why a campaign is refused. The order is the order of the checks.
public enum CampaignRefusal: Error, Equatable, Sendable, CaseIterable {
    /// Neither a multiplier nor an amount, or both.
    case needsOneEffect
    /// A multiplier that would make less of what rules give.
    case givesLess
    case endsBeforeStart
    /// It would be over already: nobody could know of it while it ran.
    case inThePast
    /// The amount is in another currency than the program's.
    case currencyMismatch
    /// It has started: what was promised stays.
    case started
}

/// Decisions about campaigns: pure.
public enum CampaignRules {
    public static func effect(
        multiplier: Int64?, override amount: Money?
    ) throws(CampaignRefusal) -> Campaign.Effect {
        switch (multiplier, amount) {
        case (let points?, nil):
            guard points >= 10_000 else { throw .givesLess }
            return .multiply(points)
        case (nil, let amount?): return .override(amount)
        case (nil, nil), (_?, _?): throw .needsOneEffect
        }
    }

    public static func check(
        _ campaign: Campaign, currency: Currency, at now: Instant
    ) throws(CampaignRefusal) {
        guard campaign.startsAt < campaign.endsAt else { throw .endsBeforeStart }
        guard now < campaign.endsAt else { throw .inThePast }
        if case .override(let money) = campaign.effect, money.currency != currency {
            throw .currencyMismatch
        }
    }

    public static func checkMayChange(
        _ campaign: Campaign, at now: Instant
    ) throws(CampaignRefusal) {
        guard campaign.state == .scheduled, now < campaign.startsAt else { throw .started }
    }

    /// Which state its times put it in; one that was ended stays so.
    public static func state(_ campaign: Campaign, at now: Instant) -> Campaign.State {
        if campaign.state == .ended || campaign.endsAt <= now { return .ended }
        return campaign.startsAt <= now ? .active : .scheduled
    }

    /// It ends now, or never begins.
    public static func ended(
        _ campaign: Campaign, at now: Instant
    ) throws(InvalidTransition) -> Campaign {
        var ended = campaign
        ended.state = try campaign.state.moved(by: .end)
        ended.endsAt = min(campaign.endsAt, max(campaign.startsAt, now))
        ended.version += 1
        ended.updatedAt = now
        return ended
    }

    /// Whether a referral with these facts takes part, by the date it came in (R189).
    static func applies(
        _ campaign: Campaign, to rule: RewardRuleID, _ facts: RewardFacts
    ) -> Bool {
        guard let date = facts.referredAt, campaign.startsAt <= date, date < campaign.endsAt else {
            return false
        }
        guard campaign.rules.isEmpty || campaign.rules.contains(rule) else { return false }
        return isNamed(facts.industry, in: campaign.industries)
            && isNamed(facts.country, in: campaign.countries)
            && isNamed(facts.product, in: campaign.products)
    }

    /// The campaign that makes the most of `amount`, the earliest of equals, among those that
    /// apply; they do not add up.
    static func best(
        _ campaigns: [Campaign], for rule: RewardRuleID, _ facts: RewardFacts, _ amount: Money
    ) throws(MoneyError) -> RewardRules.AppliedCampaign? {
        var best: RewardRules.AppliedCampaign?
        for campaign in campaigns where applies(campaign, to: rule, facts) {
            let changed: Money
            switch campaign.effect {
            case .multiply(let factor): changed = try multiplied(amount, by: factor)
            // An amount of money does not speak of points.
            case .override where amount.currency == .points: continue
            // Of nothing there is nothing to replace.
            case .override(let money): changed = amount.amount > 0 ? money : amount
            }
            if let known = best, known.amount >= changed.amount { continue }
            best = RewardRules.AppliedCampaign(
                campaign: campaign.id, version: campaign.version, effect: campaign.effect,
                first: campaign.first, amount: changed.amount)
        }
        return best
    }

    /// Points are rounded down (R148: doubled points); money, a half to the even neighbour.
    static func multiplied(
        _ amount: Money, by factor: Int64
    ) throws(MoneyError) -> Money {
        guard amount.currency == .points else { return try amount.basisPoints(factor) }
        let product = Int128(amount.amount) * Int128(factor) / 10_000
        guard let points = Int64(exactly: product) else { throw .overflow }
        return Money(amount: points, currency: .points)
    }

    /// In any case of letters; an empty list names all.
    static func isNamed(_ value: String?, in list: [String]) -> Bool {
        guard !list.isEmpty else { return true }
        guard let value = FreeText.key(value) else { return false }
        return list.contains { FreeText.key($0) == value }
    }
}
