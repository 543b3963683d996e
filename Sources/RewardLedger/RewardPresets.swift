import Model

/// Rules that programs commonly begin with, at both ends of their usual range, in US dollars.
public struct RewardPreset: Sendable {
    public let name: String
    public let about: String
    /// Empty where the usual program pays nothing.
    public let low: [RewardTerms]
    /// The same as `low` where there is one figure alone.
    public let high: [RewardTerms]
}

extension RewardPreset {
    /// Every preset, in the order in which they are shown.
    public static func all(_ dollar: Currency) -> [RewardPreset] {
        let make = PresetMaker(dollar)
        return make.forCustomers.map { $0.completed(in: .customer) }
            + make.forPartners.map { $0.completed(in: .partner) }
            + make.forEmployees.map { $0.completed(in: .employee) }
            + make.forReferees.map { $0.completed(in: .customer) }
    }

    /// Saying what would follow from the kind of program alone.
    fileprivate func completed(in audience: RewardTerms.Audience) -> RewardPreset {
        RewardPreset(
            name: name, about: about, low: low.map { $0.completed(in: audience) },
            high: high.map { $0.completed(in: audience) })
    }
}

private struct PresetMaker {
    let dollar: Currency

    init(_ dollar: Currency) { self.dollar = dollar }

    var forCustomers: [RewardPreset] {
        [
            preset(
                "b2b_cash", "R133: a cash bonus of $100 to $1,000 for a customer.",
                { [flat(.leadWon, .cash, $0)] }, 100, 1_000),
            RewardPreset(
                name: "account_credit",
                about:
                    "R136: account credit of $200 to $500 for a qualified referral and $1,000 to "
                    + "$5,000 for a customer.",
                low: [
                    flat(.leadQualified, .accountCredit, 200),
                    flat(.leadWon, .accountCredit, 1_000),
                ],
                high: [
                    flat(.leadQualified, .accountCredit, 500),
                    flat(.leadWon, .accountCredit, 5_000),
                ]),
            RewardPreset(
                name: "gift_card",
                about: "R137: cash or gift cards of $100 to $250 for a qualified referral and $500 "
                    + "to $2,500 for a customer.",
                low: [flat(.leadQualified, .giftCard, 100), flat(.leadWon, .giftCard, 500)],
                high: [flat(.leadQualified, .giftCard, 250), flat(.leadWon, .giftCard, 2_500)]),
            preset(
                "choice",
                "R131, R155: the $100 to $250 of R137 for a qualified referral as cash, account "
                    + "credit, a gift card or a donation, as the referrer chooses.",
                { [choice(.leadQualified, $0)] }, 100, 250),
            preset(
                "saas_lead", "R132: $500 for a qualified lead.",
                { [flat(.leadQualified, .cash, $0)] }, 500, 500),
            only(
                "saas_free_month", "R132: one free month of service for a referral that pays.",
                [perk(.purchase, "One free month of service")]),
            preset(
                "renewal_discount",
                "R138, R139: 10 to 20 % off the next renewal for a customer, never more than all.",
                { [discount(.leadWon, $0 * 100, .referrer)] }, 10, 20),
            only(
                "tiers",
                "R140, R141: Bronze (1 or 2) $200 for a qualified referral and $1,000 for a "
                    + "customer, Silver (3 to 5) $250 and $1,500, Gold (6 and more) $300 and "
                    + "$2,000 with special perks. R142: the referral that is rewarded counts, for "
                    + "all time, and earlier ones are not raised.",
                [
                    tiered(.leadQualified, [200, 250, 300]),
                    tiered(.leadWon, [1_000, 1_500, 2_000]), goldPerk,
                ]),
            only(
                "points",
                "R148: 100 points for a qualified referral and 500 for a customer (figures of "
                    + "ours), to be redeemed for rewards of the catalogue.",
                [points(.leadQualified, 100), points(.leadWon, 500)]),
            preset(
                "thanks", "R146: a gift card of $20 to $40 for sending a referral.",
                { [flat(.leadSubmitted, .giftCard, $0)] }, 20, 40),
        ]
    }

    var forPartners: [RewardPreset] {
        [
            preset(
                "reseller", "R19: resellers keep a margin of 20 to 40 % of what they sell.",
                { [share(.conversion, $0, ["reseller"])] }, 20, 40),
            preset(
                "affiliate", "R20: affiliates get 10 to 20 % of the first year.",
                { [share(.conversion, $0, ["affiliate"], months: 12)] }, 10, 20),
            only("technology", "R21: technology partners get no money.", []),
            preset(
                "service", "R22: service partners get 10 to 15 % of what they bring.",
                { [share(.conversion, $0, ["service"])] }, 10, 15),
            preset(
                "partner", "R23: partners get 20 to 30 % of the first year.",
                { [share(.conversion, $0, nil, months: 12)] }, 20, 30),
            preset(
                "recurring", "R24: 25 % of all that a customer pays, for good.",
                { [share(.conversion, $0, nil)] }, 25, 25),
        ]
    }

    var forEmployees: [RewardPreset] {
        [
            preset(
                "employee", "R26: employees get $50 to $500 for a qualified lead.",
                { [flat(.leadQualified, .cash, $0, ["employee"])] }, 50, 500)
        ]
    }

    var forReferees: [RewardPreset] {
        [
            preset(
                "referee_discount",
                "R143: the referred customer gets 10 to 20 % off the first year.",
                { [discount(.purchase, $0 * 100, .referee, .months(12))] }, 10, 20),
            only(
                "referee_trial", "R143: the referred customer tries 30 days instead of 14.",
                [perk(.leadSubmitted, "A trial of 30 days instead of 14", .referee)]),
        ]
    }

    // MARK: - Parts

    private func preset(
        _ name: String, _ about: String, _ rules: (Int64) -> [RewardTerms], _ low: Int64,
        _ high: Int64
    ) -> RewardPreset {
        RewardPreset(name: name, about: about, low: rules(low), high: rules(high))
    }

    private func only(_ name: String, _ about: String, _ rules: [RewardTerms]) -> RewardPreset {
        RewardPreset(name: name, about: about, low: rules, high: rules)
    }

    private func rate(_ dollars: Int64) -> RewardTerms.Rate {
        .flat(Money(amount: dollars * 100, currency: dollar))
    }

    private func terms(
        _ trigger: RewardRule.TriggerName, _ kind: RewardRule.Kind, _ rate: RewardTerms.Rate?,
        _ recipient: RewardRule.Recipient = .referrer
    ) -> RewardTerms {
        RewardTerms(
            trigger: trigger, recipient: recipient, kind: kind, rate: rate, conversionKinds: nil)
    }

    private func flat(
        _ trigger: RewardRule.TriggerName, _ kind: RewardRule.Kind, _ dollars: Int64,
        _ kinds: [String]? = nil
    ) -> RewardTerms {
        var terms = terms(trigger, kind, rate(dollars))
        terms.participantKinds = kinds
        return terms
    }

    private func choice(
        _ trigger: RewardRule.TriggerName, _ dollars: Int64
    ) -> RewardTerms {
        var terms = terms(trigger, .choice, rate(dollars))
        terms.choice.kinds = RewardRule.Kind.choosable
        return terms
    }

    private func share(
        _ trigger: RewardRule.TriggerName, _ percent: Int64, _ kinds: [String]?,
        months: Int64? = nil
    ) -> RewardTerms {
        var terms = terms(trigger, .cash, .basisPoints(percent * 100, atMost: nil))
        terms.participantKinds = kinds
        terms.firstMonths = months
        return terms
    }

    private func tiered(
        _ trigger: RewardRule.TriggerName, _ dollars: [Int64]
    ) -> RewardTerms {
        var terms = terms(trigger, .cash, nil)
        let levels: [(name: String, from: Int64)] = [("Bronze", 1), ("Silver", 3), ("Gold", 6)]
        terms.tiers = RewardTiers(
            levels: zip(levels, dollars).map {
                RewardTiers.Level(name: $0.name, from: $0.from, rate: rate($1))
            })
        return terms
    }

    private func perk(
        _ trigger: RewardRule.TriggerName, _ description: String,
        _ recipient: RewardRule.Recipient = .referrer
    ) -> RewardTerms {
        var terms = terms(trigger, .perk, nil, recipient)
        terms.gift.description = description
        return terms
    }

    private func points(
        _ trigger: RewardRule.TriggerName, _ points: Int64
    ) -> RewardTerms {
        var terms = terms(trigger, .points, nil)
        terms.gift.points = points
        return terms
    }

    private var goldPerk: RewardTerms {
        var terms = perk(.milestone, "The special perks of Gold")
        terms.milestone = RewardTerms.Milestone(counts: .qualified, at: 6)
        return terms
    }

    private func discount(
        _ trigger: RewardRule.TriggerName, _ points: Int64, _ recipient: RewardRule.Recipient,
        _ duration: DiscountDuration = .once
    ) -> RewardTerms {
        var terms = terms(trigger, .discount, nil, recipient)
        terms.gift.discount = points
        terms.gift.discountMost = 10_000
        terms.gift.duration = duration
        return terms
    }
}
