import Model
import Records
import Testing

/// Where referrals came from, rates, shares and periods, as tables.
struct FunnelRulesTests {
    @Test(
        "a lead's channel is its own, else its link's, else the door; its campaign is the link's",
        arguments: [
            ("portal", "api", nil, "portal", "none"),
            ("portal", "api", LinkPlace(channel: "email", campaign: "may"), "portal", "may"),
            ("form", "form", LinkPlace(channel: "email", campaign: "may"), "email", "may"),
            ("form", "form", LinkPlace(channel: "email", campaign: nil), "email", "none"),
            ("form", "form", nil, "form", "none"),
            ("form", "api", LinkPlace(channel: "email", campaign: nil), "form", "none"),
            (nil, "api", LinkPlace(channel: "qr", campaign: "fair"), "qr", "fair"),
            (nil, "api", nil, "none", "none"),
            (nil, nil, LinkPlace(channel: "qr", campaign: nil), "qr", "none"),
            (nil, nil, nil, "none", "none"),
        ] as [(String?, String?, LinkPlace?, String, String)])
    func place(
        own: String?, source: String?, link: LinkPlace?, channel: String, campaign: String
    ) {
        let place = FunnelRules.place(channel: own, source: source, link: link, referrer: "service")
        #expect(
            place
                == FunnelPlace(
                    channel: channel, campaign: campaign, source: source ?? "none",
                    referrer: "service"))
    }

    @Test("nobody's referral is of the kind none")
    func noReferrer() {
        let place = FunnelRules.place(channel: nil, source: "api", link: nil, referrer: nil)
        #expect(place.referrer == FunnelPlace.none)
    }

    @Test(
        "a rate is in basis points, rounded down, and none of nothing",
        arguments: [
            (0, 0, nil), (5, 0, nil), (0, 5, 0), (1, 3, 3_333), (2, 3, 6_666), (3, 3, 10_000),
            (7, 2, 35_000), (Int64.max, Int64.max, 10_000), (Int64.max, 1, Int64.max),
        ] as [(Int64, Int64, Int64?)])
    func rate(count: Int64, previous: Int64, rate: Int64?) {
        #expect(FunnelRules.rate(count, of: previous) == rate)
    }

    @Test(
        "shares add up to 10 000, the rest going to the largest remainders",
        arguments: [
            ([], []), ([0], [nil]), ([0, 0], [nil, nil]), ([7], [10_000]),
            ([1, 1, 1], [3_334, 3_333, 3_333]), ([2, 1, 0], [6_667, 3_333, 0]),
            ([40, 10, 10, 40], [4_000, 1_000, 1_000, 4_000]), ([.max, .max], [5_000, 5_000]),
        ] as [([Int64], [Int64?])])
    func shares(parts: [Int64], shares: [Int64?]) {
        #expect(FunnelRules.shares(of: parts) == shares)
    }

    @Test("sums are put together by group, most leads first, then most clicks, then by name")
    func groups() throws {
        let sums = [
            FunnelSum(key: "b", stage: .click, count: 4),
            FunnelSum(key: "c", stage: .lead, count: 1),
            FunnelSum(key: "a", stage: .click, count: 4),
            FunnelSum(key: "d", stage: .click, count: 5),
            FunnelSum(key: "c", stage: .won, count: 1, amount: 30),
            FunnelSum(key: "c", stage: .conversion, count: 2, amount: 50),
        ]
        let groups = try FunnelRules.groups(sums)
        #expect(groups.map(\.key) == ["c", "d", "a", "b"])
        #expect(groups[0].tally[.lead] == 1)
        #expect(groups[0].tally.wonValue == 30)
        #expect(groups[0].tally.conversionAmount == 50)
        let total = try FunnelRules.total(sums)
        #expect(FunnelStage.allCases.map { total[$0] } == [13, 0, 1, 0, 0, 1, 2])
        #expect(
            FunnelStage.allCases.map { FunnelRules.rate(of: $0, in: total) }
                == [nil, 0, nil, 0, nil, nil, 20_000])
    }

    @Test("a sum that does not fit is refused, never wrapped")
    func overflow() {
        let sum = FunnelSum(key: "a", stage: .won, count: 1, amount: .max)
        #expect(throws: MoneyError.overflow) { try FunnelRules.total([sum, sum]) }
    }

    @Test("a state that is a stage is among that stage's states")
    func states() {
        for stage in FunnelStage.allCases {
            for state in stage.leadStates { #expect(FunnelStage(leadState: state) == stage) }
        }
        for state in ["spam", "duplicate", "lost", "nurture", ""] {
            #expect(FunnelStage(leadState: state) == nil, "\(state)")
        }
    }

    @Test(
        "a period is whole days: a day that ends it is in it, a time that begins a day is not",
        arguments: [
            (nil, nil, 11..<101), ("1970-01-11T00:00:00Z", nil, 10..<101),
            (nil, "1970-04-10T23:59:59.999Z", 10..<100), (nil, "1970-04-11T00:00:00Z", 10..<100),
            ("1970-01-11T23:00:00Z", "1970-01-12T00:00:00.001Z", 10..<12),
            ("1970-01-11T00:30:00+01:00", "1970-01-11T00:30:00+01:00", 9..<10),
            ("1970-01-12T00:00:00Z", "1970-01-12T00:00:00Z", nil),
            ("1970-01-13T00:00:00Z", "1970-01-12T00:00:00Z", nil),
            ("1970-05-01T00:00:00Z", nil, nil), ("1970-01-11", "1970-01-11", 10..<11),
            ("1970-01-12", "1970-01-11", nil), (nil, "1970-04-10", 10..<100),
        ] as [(String?, String?, Range<Int64>?)])
    func period(from: String?, to: String?, days: Range<Int64>?) {
        let period = ReportPeriod(
            from: from.flatMap { Moment($0) }, to: to.flatMap { Moment($0) },
            now: Instant.startOfDay(100), in: .utc)
        #expect(period?.days == days)
    }
}
