import Model

/// Why a reward rule is refused. The order is the order of the checks.
public enum RewardRuleRefusal: Error, Equatable, Sendable {
    /// Neither an amount nor basis points, or both.
    case needsOneRate
    /// A maximum caps basis points only.
    case maximumWithoutBasisPoints
    /// A percentage needs an amount to be taken of, which a qualified lead has not.
    case basisPointsWithoutAmount
    /// Conversion kinds narrow the trigger `conversion` only.
    case kindsWithoutConversion
    /// An amount is in another currency than the program's.
    case currencyMismatch
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

    /// The rate asked for: an amount or basis points, not both.
    public static func rate(
        amount: Money?, basisPoints: Int64?, atMost: Money?
    ) throws(RewardRuleRefusal) -> RewardTerms.Rate {
        switch (amount, basisPoints) {
        case (let amount?, nil):
            if atMost != nil { throw .maximumWithoutBasisPoints }
            return .flat(amount)
        case (nil, let points?): return .basisPoints(points, atMost: atMost)
        case (nil, nil), (_?, _?): throw .needsOneRate
        }
    }

    /// The terms fit together and are in the program's currency.
    public static func check(
        _ terms: RewardTerms, currency: Currency
    ) throws(RewardRuleRefusal) {
        if case .basisPoints = terms.rate, terms.trigger == .leadQualified {
            throw .basisPointsWithoutAmount
        }
        if terms.conversionKinds != nil, terms.trigger != .conversion {
            throw .kindsWithoutConversion
        }
        let money: Money? =
            switch terms.rate {
            case .flat(let amount): amount
            case .basisPoints(_, let most): most
            }
        if let money, money.currency != currency { throw .currencyMismatch }
    }

    public static func checkMayChange(_ state: RewardRule.State) throws(RewardRuleRefusal) {
        if state == .archived { throw .archived }
    }

    /// Whether the rule speaks about what happened.
    public static func applies(_ rule: RewardRule, to trigger: RewardRule.Trigger) -> Bool {
        guard rule.state == .active, rule.terms.trigger == trigger.name else { return false }
        guard case .conversion(let kind) = trigger, let kinds = rule.terms.conversionKinds else {
            return true
        }
        return kinds.contains(kind)
    }
}
