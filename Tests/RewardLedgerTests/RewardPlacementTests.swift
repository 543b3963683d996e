import Model
import Testing

@testable import RewardLedger

/// In which period a reward counts, and how much limits and budget leave of it there.
@Suite struct RewardPlacementTests {
    private func limit(
        _ most: Int64, used: Int64, _ name: RewardLimits.Name = .participantQuarter
    ) -> RewardStanding.Limit {
        RewardStanding.Limit(name: name, isOfRule: false, most: most, used: used)
    }

    private func budget(
        _ amount: Int64, _ beyond: BudgetTerms.Beyond, reserved: [Int64]
    ) throws -> BudgetStanding {
        var terms = BudgetTerms(amount: amount)
        terms.beyond = beyond
        var period = CalendarPeriod(
            .quarter, containing: try #require(Instant(rfc3339: "2026-11-24T00:00:00Z")),
            in: .utc)
        return BudgetStanding(
            terms: terms,
            reserved: reserved.map { amount in
                defer { period = period.next }
                return (period, amount)
            })
    }

    private func standing(_ periods: [[RewardStanding.Limit]]) -> RewardStanding {
        var standing = RewardStanding()
        standing.limits = periods[0]
        standing.queuedLimits = Array(periods.dropFirst())
        return standing
    }

    struct Row: Sendable {
        let beyond: BudgetTerms.Beyond
        let used: [Int64]
        let reserved: [Int64]
        let amount: Int64
        let outcome: BudgetDecision.Outcome
        let countsTo: String

        init(
            _ beyond: BudgetTerms.Beyond, used: [Int64], reserved: [Int64], _ amount: Int64,
            _ outcome: BudgetDecision.Outcome, _ countsTo: String
        ) {
            (self.beyond, self.used, self.reserved) = (beyond, used, reserved)
            (self.amount, self.outcome, self.countsTo) = (amount, outcome, countsTo)
        }
    }

    @Test(
        "R172, R173: 900 under a limit of 1,000 and a budget of 5,000, each in its quarter",
        arguments: [
            Row(.queue, used: [0, 0], reserved: [4_000, 0], 900, .fits, "2026-Q4"),
            Row(.queue, used: [0, 0], reserved: [4_500, 0], 900, .queued, "2027-Q1"),
            Row(.queue, used: [0, 900], reserved: [4_500, 900], 100, .queued, "2027-Q1"),
            // The limit leaves what the budget has room for.
            Row(.queue, used: [600, 0], reserved: [4_500, 0], 400, .fits, "2026-Q4"),
            // Nothing is left where the queue has come to, nor where it begins.
            Row(.queue, used: [0, 1_000, 0], reserved: [4_500, 0, 0], 0, .queued, "2027-Q1"),
            Row(.queue, used: [1_000, 0], reserved: [4_500, 0], 0, .fits, "2026-Q4"),
            Row(
                .queue, used: [0, 0, 300], reserved: [4_500, 4_200, 4_300], 700, .queued,
                "2027-Q2"),
            Row(.queue, used: [200, 0], reserved: [4_500, 4_500], 800, .review, "2026-Q4"),
            Row(.review, used: [200], reserved: [4_500], 800, .review, "2026-Q4"),
            Row(.refuse, used: [200], reserved: [4_500], 800, .refused, "2026-Q4"),
            Row(.refuse, used: [500], reserved: [4_500], 500, .fits, "2026-Q4"),
        ])
    func table(row: Row) throws {
        let placement = RewardRules.place(
            900, standing(row.used.map { [limit(1_000, used: $0)] }),
            try budget(5_000, row.beyond, reserved: row.reserved))
        #expect(placement.amount == row.amount)
        #expect(placement.budget?.outcome == row.outcome)
        #expect(placement.budget?.countsTo.name == row.countsTo)
        #expect(placement.amount + placement.cuts.map(\.amount).reduce(0, +) == 900)
    }

    @Test("those who share a reward share what limits and budget leave, one after the other")
    func shared() throws {
        let dollar = try #require(Currency("USD"))
        let rule = SampleRules.rule(
            RewardTerms(
                trigger: .leadQualified, recipient: .referrer, kind: .cash,
                rate: .flat(Money(amount: 800, currency: dollar)), conversionKinds: nil))
        let people = [1, 2].map { ParticipantID(high: 1, low: $0) }
        let limits = standing([[limit(500, used: 0, .referee)]])
        func placements(_ beyond: BudgetTerms.Beyond, _ reserved: [Int64]) throws -> [Int64?] {
            try RewardRules.shares(
                rule, people.map { Credit(participant: $0, base: nil) }, RewardFacts(),
                [people[0]: limits, people[1]: limits], [],
                budget(5_000, beyond, reserved: reserved)
            ).map { $0.placement.isRefused ? nil : $0.amount.amount }
        }
        #expect(try placements(.refuse, [0]) == [400, 100])
        // What is refused to one uses nothing up for the other.
        #expect(try placements(.refuse, [4_700]) == [nil, nil])
        #expect(try placements(.refuse, [4_550]) == [400, nil])
        #expect(try placements(.queue, [4_550, 0]) == [400, 100])
    }

    @Test(
        "no limit and no budget is exceeded in any period, by any order of rewards",
        arguments: Array(UInt64(0)..<200))
    func random(seed: UInt64) throws {
        var generator = SeededRandom(state: seed)
        let beyond: BudgetTerms.Beyond = generator.below(2) == 0 ? .queue : .refuse
        let most = Int64.random(in: 0...2_000, using: &generator)
        let room = Int64.random(in: 0...4_000, using: &generator)
        let periods = beyond == .queue ? BudgetRules.periodsAhead + 1 : 1
        // What two participants have, and all, in each period.
        var earned = [[Int64]](repeating: [Int64](repeating: 0, count: periods), count: 2)
        var reserved = [Int64](repeating: 0, count: periods)
        for _ in 0..<40 {
            let who = Int.random(in: 0...1, using: &generator)
            let amount = Int64.random(in: 1...1_200, using: &generator)
            let placement = RewardRules.place(
                amount, standing(earned[who].map { [limit(most, used: $0)] }),
                try budget(room, beyond, reserved: reserved))
            // The naive way: look at every period in turn.
            var expected: (place: Int, amount: Int64)?
            for place in 0..<periods where expected == nil {
                let left = min(amount, max(0, most - earned[who][place]))
                if left == 0 || reserved[place] + left <= room { expected = (place, left) }
            }
            let outcome = try #require(placement.budget?.outcome)
            guard let expected else {
                #expect(outcome == (beyond == .queue ? .review : .refused), "seed \(seed)")
                continue
            }
            let countsTo = try budget(room, beyond, reserved: reserved)
                .reserved[expected.place].period
            #expect(placement.amount == expected.amount, "seed \(seed)")
            #expect(placement.budget?.countsTo == countsTo, "seed \(seed)")
            earned[who][expected.place] += placement.amount
            reserved[expected.place] += placement.amount
        }
        #expect(earned.allSatisfy { $0.allSatisfy { $0 <= most } }, "seed \(seed)")
        #expect(reserved.allSatisfy { $0 <= room }, "seed \(seed)")
    }
}
