import Model

/// Why a reward rule is refused. The order is the order of the checks.
public enum RewardRuleRefusal: Error, Equatable, Sendable, CaseIterable {
    /// Not exactly one of an amount, basis points and tiers; or one where none belongs.
    case needsOneRate
    /// A minimum or maximum bounds basis points only.
    case maximumWithoutBasisPoints
    case minimumAboveMaximum
    /// A percentage needs an amount to be taken of, which only a sale and a won lead have.
    case basisPointsWithoutAmount
    /// Levels begin at rising numbers.
    case tiersOutOfOrder
    /// Earlier rewards are raised where all of them are flat amounts for leads.
    case retroactiveNotFlat
    /// Conversion kinds narrow the trigger `conversion` only.
    case kindsWithoutConversion
    /// Only a sale is of a product.
    case productsWithoutConversion
    /// Months are counted between sales.
    case monthsWithoutConversion
    /// The trigger `milestone` needs its number, and no other has one.
    case milestoneMisplaced
    /// Points, a discount or a description that the kind needs are missing, or are of another kind.
    case giftMisplaced
    /// Only a discount in basis points has a duration; months go with `months` alone.
    case durationMisplaced
    /// A milestone is given once for a participant, so it has no `once_per`.
    case oncePerMisplaced
    /// Only a sale has an amount that may be too small.
    case minSaleWithoutSale
    /// The kind `choice` needs two kinds or more, each once, for referrers; no other has any.
    case choicesMisplaced
    /// What is given to the referred customer does not depend on a participant's referrals.
    case tiersForReferee
    /// An amount is in another currency than the program's.
    case currencyMismatch
    /// Which rule it replaces is said when it is made.
    case replacesFixed
    /// An archived rule does not change.
    case archived
    /// The program has as many active rules as it may.
    case tooManyRules
}

/// Decisions about reward rules: pure.
public enum RewardRuleRules {
    /// Active rules of one program: each is looked at on every occasion.
    public static let rulesMax: Int64 = 50

    public static func checkCount(_ active: Int64) throws(RewardRuleRefusal) {
        guard active < rulesMax else { throw .tooManyRules }
    }

    /// The rate asked for: an amount or basis points, not both. Nil where neither is given and
    /// `isElsewhere` says that something else tells how much.
    public static func rate(
        amount: Money?, basisPoints: Int64?, atLeast: Money? = nil, atMost: Money?,
        isElsewhere: Bool = false
    ) throws(RewardRuleRefusal) -> RewardTerms.Rate? {
        switch (amount, basisPoints) {
        case (let amount?, nil):
            if atMost != nil || atLeast != nil { throw .maximumWithoutBasisPoints }
            return .flat(amount)
        case (nil, let points?):
            if let atLeast, let atMost, atMost.amount < atLeast.amount {
                throw .minimumAboveMaximum
            }
            return .basisPoints(points, atLeast: atLeast, atMost: atMost)
        case (nil, nil):
            guard isElsewhere else { throw .needsOneRate }
            if atMost != nil || atLeast != nil { throw .maximumWithoutBasisPoints }
            return nil
        case (_?, _?): throw .needsOneRate
        }
    }

    /// The terms fit together and are in the program's currency.
    public static func check(
        _ terms: RewardTerms, currency: Currency
    ) throws(RewardRuleRefusal) {
        try checkRates(terms)
        if terms.conversionKinds != nil, terms.trigger != .conversion {
            throw .kindsWithoutConversion
        }
        if terms.products != nil, !terms.trigger.isConversion { throw .productsWithoutConversion }
        if terms.firstMonths != nil, !terms.trigger.isConversion { throw .monthsWithoutConversion }
        if (terms.milestone != nil) != (terms.trigger == .milestone) { throw .milestoneMisplaced }
        try checkGift(terms)
        if terms.gift.duration != nil, terms.gift.discount == nil { throw .durationMisplaced }
        if terms.oncePer != nil, terms.trigger == .milestone { throw .oncePerMisplaced }
        if terms.minSale != nil, !terms.trigger.isConversion { throw .minSaleWithoutSale }
        try checkChoice(terms)
        if terms.recipient == .referee, terms.tiers != nil || terms.milestone != nil {
            throw .tiersForReferee
        }
        let amounts =
            rates(terms).flatMap(\.amounts) + [terms.minSale, terms.gift.value].compactMap { $0 }
        for amount in amounts where amount.currency != currency {
            throw .currencyMismatch
        }
    }

    private static func rates(_ terms: RewardTerms) -> [RewardTerms.Rate] {
        (terms.rate.map { [$0] } ?? []) + (terms.tiers?.levels.map(\.rate) ?? [])
    }

    private static func checkRates(_ terms: RewardTerms) throws(RewardRuleRefusal) {
        let gift = terms.gift
        let isFree =
            switch terms.kind {
            case .points, .perk: true
            case .discount: gift.discount != nil
            case .cash, .accountCredit, .giftCard, .donation, .choice: false
            }
        let count = (terms.rate == nil ? 0 : 1) + (terms.tiers == nil ? 0 : 1)
        guard count == (isFree ? 0 : 1) else { throw .needsOneRate }
        let all = rates(terms)
        let isPercentage = all.contains { if case .basisPoints = $0 { true } else { false } }
        if isPercentage, !terms.trigger.isConversion, terms.trigger != .leadWon {
            throw .basisPointsWithoutAmount
        }
        guard let tiers = terms.tiers else { return }
        let starts = tiers.levels.map(\.from)
        guard !starts.isEmpty, zip(starts, starts.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw .tiersOutOfOrder
        }
        if tiers.isRetroactive, isPercentage || terms.trigger.isConversion || !terms.isMoney {
            throw .retroactiveNotFlat
        }
    }

    private static func checkGift(_ terms: RewardTerms) throws(RewardRuleRefusal) {
        let gift = terms.gift
        guard (gift.points != nil) == (terms.kind == .points),
            gift.discount == nil || terms.kind == .discount,
            gift.discountMost == nil || gift.discount != nil,
            gift.description != nil || terms.kind != .perk,
            gift.value == nil || terms.kind == .perk,
            gift.description == nil || !terms.isMoney
        else { throw .giftMisplaced }
    }

    private static func checkChoice(_ terms: RewardTerms) throws(RewardRuleRefusal) {
        let kinds = terms.choice.kinds
        guard terms.kind == .choice else {
            if !kinds.isEmpty || terms.choice.withinDays != nil { throw .choicesMisplaced }
            return
        }
        guard kinds.count > 1, Set(kinds).count == kinds.count, terms.recipient == .referrer else {
            throw .choicesMisplaced
        }
    }

    /// What a rule replaces is counted with it from its beginning.
    public static func checkReplaces(
        _ terms: RewardTerms, as old: RewardTerms
    ) throws(RewardRuleRefusal) {
        if terms.replaces != old.replaces { throw .replacesFixed }
    }

    public static func checkMayChange(_ state: RewardRule.State) throws(RewardRuleRefusal) {
        if state == .archived { throw .archived }
    }

    /// Whether the rule speaks about what happened.
    public static func applies(_ rule: RewardRule, to trigger: RewardRule.Trigger) -> Bool {
        guard rule.state == .active, trigger.names.contains(rule.terms.trigger) else {
            return false
        }
        if let milestone = rule.terms.milestone {
            return milestone.counts == ReferralCount.Event(trigger)
        }
        guard let kind = trigger.conversionKind, let kinds = rule.terms.conversionKinds else {
            return true
        }
        return kinds.contains(kind)
    }
}
