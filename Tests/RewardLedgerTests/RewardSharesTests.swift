import JSON
import Model
import Testing

@testable import RewardLedger

/// Tiers, campaigns, limits and filters, in the order in which they are reckoned.
@Suite struct RewardSharesTests {
    private let dollar = Currency("USD")

    private func usd(_ amount: Int64) throws -> Money {
        Money(amount: amount, currency: try #require(dollar))
    }

    private func person(_ number: UInt64) -> ParticipantID { ParticipantID(high: 1, low: number) }

    private func credit(_ number: UInt64 = 1, _ base: Int64? = nil, parts: Int64 = 1) throws
        -> Credit
    {
        Credit(participant: person(number), parts: parts, base: try base.map { try usd($0) })
    }

    private func terms(
        _ rate: RewardTerms.Rate?, _ trigger: RewardRule.TriggerName = .leadQualified,
        change: (inout RewardTerms) -> Void = { _ in }
    ) -> RewardTerms {
        var terms = RewardTerms(
            trigger: trigger, recipient: .referrer, kind: .cash, rate: rate, conversionKinds: nil)
        change(&terms)
        return terms
    }

    private func tiered(
        _ amounts: [Int64], isRetroactive: Bool = false
    ) throws -> RewardRule {
        let levels = try zip([1, 3, 6] as [Int64], amounts).map {
            RewardTiers.Level(name: nil, from: $0, rate: .flat(try usd($1)))
        }
        return SampleRules.rule(
            terms(nil) { $0.tiers = RewardTiers(isRetroactive: isRetroactive, levels: levels) })
    }

    private func standing(_ count: Int64) -> RewardStanding {
        var standing = RewardStanding()
        standing.count = count
        return standing
    }

    // MARK: - Tiers

    @Test("R142: the referral that is rewarded counts, so seven qualified ones earn 1,750 dollars")
    func sevenQualified() throws {
        let rule = try tiered([20_000, 25_000, 30_000])
        let amounts = try (1...7).map { count in
            try RewardRules.shares(
                rule, [credit()], RewardFacts(), [person(1): standing(Int64(count))]
            ).map(\.amount.amount).reduce(0, +)
        }
        #expect(amounts == [20_000, 20_000, 25_000, 25_000, 25_000, 30_000, 30_000])
        #expect(amounts.reduce(0, +) == 175_000)
    }

    @Test("R142: all seven closed at the tier of the seventh earn 14,000 dollars")
    func sevenClosed() throws {
        let rule = try tiered([100_000, 150_000, 200_000])
        let each = try RewardRules.shares(
            rule, [credit()], RewardFacts(), [person(1): standing(7)])
        #expect(each.map(\.amount.amount) == [200_000])
        #expect(7 * (each.first?.amount.amount ?? 0) == 1_400_000)
    }

    @Test("below the first level nothing is given, and partners of two tiers have each its own")
    func levels() throws {
        let rule = SampleRules.rule(
            terms(nil) {
                $0.tiers = RewardTiers(levels: [
                    RewardTiers.Level(
                        name: "Gold", from: 3,
                        rate: .flat(Money(amount: 301, currency: dollar ?? Currency("EUR")!)))
                ])
            })
        let credits = try [credit(1), credit(2)]
        let shares = try RewardRules.shares(
            rule, credits, RewardFacts(), [person(1): standing(2), person(2): standing(3)])
        #expect(shares.map(\.participant) == [person(2)])
        #expect(shares.map(\.amount.amount) == [150])
        #expect(shares.first?.level?.name == "Gold")
    }

    @Test("R142: only tiers that say so raise earlier rewards, each once")
    func retroactive() throws {
        var standing = standing(3)
        standing.earlier = [
            RewardStanding.Earlier(tierAmount: 20_000, parts: 1, of: 1, retroactive: 0),
            RewardStanding.Earlier(tierAmount: 20_000, parts: 1, of: 2, retroactive: 0),
        ]
        let plain = try RewardRules.shares(
            tiered([20_000, 25_000, 30_000]), [credit()], RewardFacts(), [person(1): standing])
        #expect(plain.map(\.amount.amount) == [25_000])
        let rule = try tiered([20_000, 25_000, 30_000], isRetroactive: true)
        let third = try RewardRules.shares(
            rule, [credit()], RewardFacts(), [person(1): standing])
        #expect(third.map(\.amount.amount) == [32_500])
        #expect(third.map(\.retroactive) == [7_500])
        standing.count = 4
        standing.earlier.append(
            RewardStanding.Earlier(tierAmount: 25_000, parts: 1, of: 1, retroactive: 7_500))
        let fourth = try RewardRules.shares(
            rule, [credit()], RewardFacts(), [person(1): standing])
        #expect(fourth.map(\.amount.amount) == [25_000])
    }

    // MARK: - Campaigns

    private func campaign(
        _ number: UInt64, _ effect: Campaign.Effect, industries: [String] = [],
        countries: [String] = [], rules: [RewardRuleID] = []
    ) -> Campaign {
        Campaign(
            id: CampaignID(high: 3, low: number), program: ProgramID(high: 1, low: 2), name: "C",
            startsAt: Instant(milliseconds: 1_000), endsAt: Instant(milliseconds: 2_000),
            effect: effect, industries: industries, countries: countries, rules: rules,
            createdAt: Instant(milliseconds: 0), updatedAt: Instant(milliseconds: 0))
    }

    private func facts(
        _ milliseconds: Int64 = 1_000, industry: String? = nil, country: String? = nil
    ) -> RewardFacts {
        var facts = RewardFacts()
        facts.referredAt = Instant(milliseconds: milliseconds)
        facts.industry = industry
        facts.country = country
        return facts
    }

    @Test(
        "R189: a campaign takes in who was referred from its first instant to before its last",
        arguments: [(999, 500), (1_000, 1_000), (1_999, 1_000), (2_000, 500)] as [(Int64, Int64)])
    func campaignDates(at: Int64, amount: Int64) throws {
        let rule = SampleRules.rule(terms(.flat(try usd(500))))
        let shares = try RewardRules.shares(
            rule, [credit()], facts(at), [:], [campaign(1, .multiply(20_000))])
        #expect(shares.map(\.amount.amount) == [amount])
    }

    @Test("R187: campaigns for industries, countries and rules leave the others as they are")
    func campaignFilters() throws {
        let rule = SampleRules.rule(terms(.flat(try usd(500))))
        func amount(_ facts: RewardFacts, _ campaign: Campaign) throws -> Int64? {
            try RewardRules.shares(rule, [credit()], facts, [:], [campaign]).first?.amount.amount
        }
        let finance = campaign(1, .multiply(15_000), industries: ["Finance"])
        #expect(try amount(facts(industry: "finance"), finance) == 750)
        #expect(try amount(facts(industry: " FINANCE\u{a0} "), finance) == 750)
        #expect(try amount(facts(industry: "retail"), finance) == 500)
        #expect(try amount(facts(), finance) == 500)
        let canada = campaign(2, .override(try usd(900)), countries: ["CA"])
        #expect(try amount(facts(country: "CA"), canada) == 900)
        #expect(try amount(facts(country: "US"), canada) == 500)
        let other = campaign(
            3, .multiply(20_000), rules: [RewardRuleID(high: 9, low: 9)])
        #expect(try amount(facts(), other) == 500)
        #expect(
            try amount(facts(), campaign(4, .multiply(20_000), rules: [rule.id])) == 1_000)
    }

    @Test("campaigns do not add up: the one that gives the most applies, the earliest of equals")
    func bestCampaign() throws {
        let rule = SampleRules.rule(terms(.flat(try usd(500))))
        let campaigns = try [
            campaign(1, .multiply(15_000)), campaign(2, .multiply(20_000)),
            campaign(3, .override(usd(1_000))),
        ]
        let share = try RewardRules.shares(rule, [credit()], facts(), [:], campaigns).first
        #expect(share?.amount.amount == 1_000)
        #expect(share?.campaign?.campaign == CampaignID(high: 3, low: 2))
    }

    // MARK: - Limits, and the order of all

    private func limit(
        _ name: RewardLimits.Name, _ most: Int64, used: Int64, ofRule: Bool = true
    ) -> RewardStanding.Limit {
        RewardStanding.Limit(name: name, isOfRule: ofRule, most: most, used: used)
    }

    @Test("R190: first the tier, then the campaign, then what the limits leave of it")
    func order() throws {
        let rule = try tiered([20_000, 25_000, 30_000])
        var standing = standing(3)
        standing.limits = [
            limit(.participantYear, 100_000, used: 52_000),
            limit(.participantTotal, 60_000, used: 20_000, ofRule: false),
        ]
        let share = try #require(
            try RewardRules.shares(
                rule, [credit()], facts(), [person(1): standing],
                [campaign(1, .multiply(20_000))]
            ).first)
        #expect(share.rateAmount == 25_000)
        #expect(share.campaign?.amount == 50_000)
        #expect(share.beforeLimits == 50_000)
        #expect(share.placement.cuts.map(\.amount) == [2_000, 8_000])
        #expect(share.amount.amount == 40_000)
    }

    @Test("R172: a limit that is used up leaves a share of nothing, with the cut in it")
    func usedUp() throws {
        let rule = SampleRules.rule(terms(.flat(try usd(500))))
        var standing = RewardStanding()
        standing.limits = [limit(.participantTotal, 100, used: 150)]
        let shares = try RewardRules.shares(
            rule, [credit()], RewardFacts(), [person(1): standing])
        #expect(shares.map(\.amount.amount) == [0])
        #expect(shares.first?.placement.cuts.map(\.amount) == [500])
    }

    @Test("the limit of a referred customer holds for all who share, who are reviewed as one")
    func refereeLimit() throws {
        let rule = SampleRules.rule(terms(.flat(try usd(1_000))))
        var standing = RewardStanding()
        standing.limits = [limit(.referee, 700, used: 0)]
        let shares = try RewardRules.shares(
            rule, [credit(1), credit(2)], RewardFacts(),
            [person(1): standing, person(2): standing])
        #expect(shares.map(\.amount.amount) == [500, 200])
        #expect(shares.map(\.whole) == [700, 700])
    }

    @Test("R142: what each later reward brought for one that is gone is beyond those before it")
    func topUps() {
        func reward(_ tier: Int64, brings: Int64, of: Int64 = 1, cut: Int64 = 0)
            -> RewardStanding.Earlier
        {
            RewardStanding.Earlier(
                tierAmount: tier, parts: 1, of: of, retroactive: brings, cut: cut)
        }
        func topUps(_ gone: RewardStanding.Earlier, _ later: RewardStanding.Earlier...) -> [Int64] {
            RewardRules.topUps(for: gone, in: later)
        }
        let first = reward(100, brings: 0)
        #expect(topUps(first, first, reward(150, brings: 100)) == [0, 50])
        #expect(
            topUps(first, reward(150, brings: 100), first, reward(250, brings: 500))
                == [50, 0, 100])
        #expect(topUps(reward(150, brings: 100), reward(250, brings: 500)) == [100])
        // A half of it, not more than what is left, and less what a limit cut away.
        #expect(topUps(reward(100, brings: 0, of: 2), reward(150, brings: 75)) == [25])
        #expect(topUps(first, reward(150, brings: 20)) == [20])
        #expect(topUps(first, reward(150, brings: 100, cut: 30)) == [20])
        #expect(topUps(first, reward(150, brings: 100, cut: 80)) == [0])
        #expect(topUps(first, reward(100, brings: 0)) == [0])
    }

    // MARK: - Filters

    @Test("a rule for kinds or segments gives the others nothing, and nobody theirs")
    func participants() throws {
        var facts = RewardFacts()
        facts.participants = [
            person(1): RewardFacts.Person(kind: "reseller", segment: "emea"),
            person(2): RewardFacts.Person(kind: "affiliate", segment: nil),
        ]
        func amounts(_ change: (inout RewardTerms) -> Void) throws -> [Int64] {
            let terms = terms(
                .basisPoints(1_000, atMost: nil), .conversion, change: change)
            return try RewardRules.shares(
                SampleRules.rule(terms), [credit(1, 6_000), credit(2, 4_000)], facts
            ).map(\.amount.amount)
        }
        #expect(try amounts { _ in } == [600, 400])
        #expect(try amounts { $0.participantKinds = ["reseller"] } == [600])
        #expect(try amounts { $0.segments = ["emea", "apac"] } == [600])
        #expect(try amounts { $0.participantKinds = ["employee"] } == [])
    }

    @Test("R20: commission of the first year ends with the day a year after the first sale")
    func firstMonths() throws {
        let rule = SampleRules.rule(
            terms(.basisPoints(1_000, atMost: nil), .conversion) { $0.firstMonths = 12 })
        var facts = RewardFacts()
        facts.firstSaleAt = Instant(rfc3339: "2026-03-10T12:00:00Z")
        func count(_ sold: String) throws -> Int {
            facts.soldAt = Instant(rfc3339: sold)
            return try RewardRules.shares(rule, [credit(1, 100)], facts).count
        }
        #expect(try count("2026-03-10T12:00:00Z") == 1)
        #expect(try count("2027-03-10T11:59:59.999Z") == 1)
        #expect(try count("2027-03-10T12:00:00Z") == 0)
    }

    @Test("a minimum raises what is something, and a milestone pays in full, once, at its number")
    func minimumAndMilestone() throws {
        let least = SampleRules.rule(
            terms(.basisPoints(100, atLeast: try usd(50), atMost: nil), .conversion))
        func amounts(_ base: Int64) throws -> [Int64] {
            try RewardRules.shares(least, [credit(1, base)]).map(\.amount.amount)
        }
        #expect(try amounts(1_000) == [50])
        #expect(try amounts(10_000) == [100])
        #expect(try amounts(0) == [])
        let stone = SampleRules.rule(
            terms(.flat(try usd(900)), .milestone) {
                $0.milestone = RewardTerms.Milestone(counts: .won, at: 5)
            })
        var standings = [person(1): standing(5), person(2): standing(4)]
        let credits = try [credit(1), credit(2)]
        let first = try RewardRules.shares(stone, credits, RewardFacts(), standings)
        #expect(first.map(\.participant) == [person(1)])
        #expect(first.map(\.amount.amount) == [900])
        standings[person(1)]?.hasEarned = true
        #expect(try RewardRules.shares(stone, credits, RewardFacts(), standings).isEmpty)
    }
}
