import JSON
import Model

extension RewardRules {
    /// What explains the amount: rule, inputs, the arithmetic of every step in its order, hold and
    /// threshold. It is stored with the reward, and its shares are recomputed from it.
    static func basis(
        _ rule: RewardRule, _ share: Share, _ occasion: RewardOccasion, at periodAt: Instant
    ) -> JSONValue {
        var basis: JSONObject = [
            "rule": rule.terms.json,
            "rule_name": rule.name.map { .string($0) } ?? .null,
            "program_version": .integer(occasion.programVersion),
            "arithmetic": .object(arithmetic(share)),
            "credited": share.base?.stored ?? .null,
            "conversion_kind": occasion.trigger.conversionKind.map { .string($0) } ?? .null,
            "hold_days": .integer(occasion.holdDays),
            "approval_threshold": occasion.approvalThreshold.map { .integer($0) } ?? .null,
            "facts": occasion.facts.json,
            "counts_at": .string(periodAt.rfc3339),
            "counts_in": .string(month(periodAt, occasion.facts.zone).name),
            "time_zone": .string(occasion.facts.zone.name),
        ]
        if let person = occasion.facts.participants[share.participant] {
            basis["participant"] = [
                "kind": .string(person.kind),
                "segment": person.segment.map { .string($0) } ?? .null,
            ]
        }
        basis["budget"] = share.placement.budget?.json
        return .object(basis)
    }

    private static func month(_ instant: Instant, _ zone: TimeZone) -> CalendarPeriod {
        CalendarPeriod(.month, containing: instant, in: zone)
    }

    private static func arithmetic(_ share: Share) -> JSONObject {
        var arithmetic: JSONObject = [
            "rate_amount": .integer(share.rateAmount),
            "parts": .integer(share.parts), "of": .integer(share.partsOf),
        ]
        arithmetic["tier"] = tier(share)
        if case .basisPoints(let points, let least, let most) = share.rate,
            let base = share.wholeBase
        {
            arithmetic["base"] = .integer(base)
            arithmetic["basis_points"] = .integer(points)
            arithmetic["divisor"] = 10_000
            arithmetic["remainder"] = .integer(share.remainder)
            arithmetic["rounding"] = "half_even"
            arithmetic["before_maximum"] = .integer(share.uncapped)
            arithmetic["minimum"] = least.map { .integer($0.amount) } ?? .null
            arithmetic["maximum"] = most.map { .integer($0.amount) } ?? .null
        }
        arithmetic["campaign"] = share.campaign?.json
        if share.retroactive > 0 { arithmetic["retroactive"] = .integer(share.retroactive) }
        if !share.placement.limits.isEmpty {
            arithmetic["before_limits"] = .integer(share.beforeLimits)
            arithmetic["limits"] = .array(
                share.placement.limits.map { limit in
                    var json = limit.json
                    let cut = share.placement.cuts.first { $0.limit == limit }
                    json["cut"] = .integer(cut?.amount ?? 0)
                    return .object(json)
                })
        }
        if share.whole != share.amount.amount { arithmetic["whole"] = .integer(share.whole) }
        arithmetic["amount"] = .integer(share.amount.amount)
        return arithmetic
    }

    private static func tier(_ share: Share) -> JSONValue? {
        guard let level = share.level else { return nil }
        return [
            "count": .integer(share.standing.count), "from": .integer(level.from),
            "name": level.name.map { .string($0) } ?? .null,
            "amount": .integer(share.rateAmount),
        ]
    }
}

extension RewardRules.AppliedCampaign {
    var json: JSONValue {
        var object: JSONObject = [
            "id": .string(campaign.description), "version": .integer(version),
            "amount": .integer(amount),
        ]
        object["first"] = first.map { .integer($0) }
        switch effect {
        case .multiply(let points): object["multiplier_basis_points"] = .integer(points)
        case .override(let money): object["override_amount"] = money.stored
        }
        return .object(object)
    }
}

extension Reward {
    private var arithmetic: JSONObject {
        basis.objectValue?["arithmetic"]?.objectValue ?? [:]
    }

    /// The line from which a person reviews it, as it was when it was granted.
    public var approvalThreshold: Int64? {
        basis.objectValue?["approval_threshold"]?.integerValue
    }

    /// What the rule gave in all, to those who share it.
    public var wholeAmount: Int64 {
        arithmetic["whole"]?.integerValue ?? amount.amount
    }

    /// Whether it went beyond the budget and a person is to decide about it.
    public var isBeyondBudget: Bool {
        basis.objectValue?["budget"]?.objectValue?["outcome"]?.stringValue
            == BudgetDecision.Outcome.review.rawValue
    }

    /// To whose period of limits and budget it counts.
    var countsAt: Instant {
        basis.objectValue?["counts_at"]?.stringValue.flatMap { Instant(rfc3339: $0) } ?? createdAt
    }

    /// The month of the calendar that it counts to, as the zone's clocks told it when the reward
    /// was written.
    var countsIn: String {
        basis.objectValue?["counts_in"]?.stringValue
            ?? CalendarPeriod(.month, containing: countsAt, in: zone).name
    }

    /// By whose clocks it was reckoned.
    var zone: TimeZone {
        basis.objectValue?["time_zone"]?.stringValue.flatMap { TimeZone.named($0) } ?? .utc
    }

    /// What the rule was told of the occasion; empty where an older version granted it.
    var facts: RewardFacts? {
        basis.objectValue?["facts"]?.objectValue.map { RewardFacts(json: $0) }
    }

    /// What it was told of the participant.
    var person: RewardFacts.Person? {
        guard let object = basis.objectValue?["participant"]?.objectValue,
            let kind = object["kind"]?.stringValue
        else { return nil }
        return RewardFacts.Person(kind: kind, segment: object["segment"]?.stringValue)
    }

    /// Of the participant's referrals and limits, as it was.
    var standing: RewardStanding {
        var standing = RewardStanding()
        standing.count = arithmetic["tier"]?.objectValue?["count"]?.integerValue ?? 1
        standing.limits = (arithmetic["limits"]?.arrayValue ?? []).compactMap {
            RewardStanding.Limit(json: $0)
        }
        return standing
    }

    /// What it is to a later reward by a rule with retroactive tiers. Of one that still counts,
    /// nothing but what it brought for earlier ones is taken back in part.
    var earlier: RewardStanding.Earlier {
        let beforeLimits = arithmetic["before_limits"]?.integerValue ?? amount.amount
        return RewardStanding.Earlier(
            tierAmount: arithmetic["rate_amount"]?.integerValue ?? wholeAmount,
            parts: arithmetic["parts"]?.integerValue ?? 1,
            of: arithmetic["of"]?.integerValue ?? 1,
            retroactive: max(
                0, (arithmetic["retroactive"]?.integerValue ?? 0) - reversedAmount),
            cut: reversedAmount == 0 ? max(0, beforeLimits - amount.amount) : 0)
    }

    /// What its rule said when it was granted; nil for what a person gave.
    var terms: RewardTerms? { basis.objectValue?["rule"].flatMap { RewardTerms(json: $0) } }

    /// The tiers of its rule, as they were when it was granted.
    var tiers: RewardTiers? { terms?.tiers }

    /// What of it was given for earlier rewards.
    var broughtForEarlier: Int64 { arithmetic["retroactive"]?.integerValue ?? 0 }

    /// Whether `other` was earned in the period whose referrals its own tiers counted.
    func isOfTiersPeriod(_ other: Reward) -> Bool {
        guard let tiers, let length = tiers.period else { return true }
        let referredAt =
            tiers.moment == .submission ? facts?.referredAt ?? createdAt : createdAt
        let period = CalendarPeriod(length, containing: min(referredAt, createdAt), in: zone)
        return (period.start..<period.end).contains(other.countsAt)
    }
}

extension RewardRules.Promise {
    /// As it was when the basis was written; nil where that has no rate.
    init?(basis: JSONValue) {
        let arithmetic = basis.objectValue?["arithmetic"]?.objectValue ?? [:]
        guard let terms = basis.objectValue?["rule"].flatMap({ RewardTerms(json: $0) }) else {
            return nil
        }
        let count = arithmetic["tier"]?.objectValue?["count"]?.integerValue ?? 1
        guard let rate = terms.tiers?.level(count)?.rate ?? terms.baseRate else { return nil }
        let campaign = arithmetic["campaign"]?.objectValue
        if let factor = campaign?["multiplier_basis_points"]?.integerValue {
            self.init(rate: rate, campaign: .multiply(factor))
        } else if let money = Money(stored: campaign?["override_amount"]) {
            self.init(rate: rate, campaign: .override(money))
        } else {
            self.init(rate: rate)
        }
    }
}
