import JSON
import Model
import Testing

@testable import RewardLedger

@Suite struct RewardRulesTests {
    private func usd(_ amount: Int64) throws -> Money {
        Money(amount: amount, currency: try #require(Currency("USD")))
    }

    private func person(_ number: UInt64) -> ParticipantID { ParticipantID(high: 1, low: number) }

    private func terms(_ rate: RewardTerms.Rate) -> RewardTerms {
        RewardTerms(
            trigger: .conversion, recipient: .referrer, kind: .cash, rate: rate,
            conversionKinds: nil)
    }

    private func rule(_ rate: RewardTerms.Rate) -> RewardRule {
        SampleRules.rule(terms(rate))
    }

    struct Percentage: Sendable {
        let base: Int64
        let points: Int64
        let amount: Int64
        let remainder: Int64
        init(_ base: Int64, _ points: Int64, _ amount: Int64, _ remainder: Int64) {
            (self.base, self.points, self.amount) = (base, points, amount)
            self.remainder = remainder
        }
    }

    static let percentages = [
        Percentage(10_000, 1_000, 1_000, 0),
        Percentage(12_345, 1_000, 1_234, 5_000),  // 1234.5: to the even one
        Percentage(12_355, 1_000, 1_236, 5_000),  // 1235.5: to the even one
        Percentage(12_346, 1_000, 1_235, 6_000),
        Percentage(12_344, 1_000, 1_234, 4_000),
        Percentage(15_000, 1, 2, 5_000),  // 1.5
        Percentage(25_000, 1, 2, 5_000),  // 2.5
        Percentage(999, 10_000, 999, 0),
        Percentage(5_001, 1, 1, 5_001),
        Percentage(Money.maximum, 10_000, Money.maximum, 0),
    ]

    @Test("basis points are rounded once, a half to the even neighbour", arguments: percentages)
    func basisPoints(example: Percentage) throws {
        let shares = try RewardRules.shares(
            rule(.basisPoints(example.points, atMost: nil)),
            [Credit(participant: person(1), base: usd(example.base))])
        #expect(shares.map(\.amount.amount) == [example.amount])
        #expect(shares.first?.remainder == example.remainder)
        #expect(shares.first?.uncapped == example.amount)
    }

    @Test("what rounds to nothing is no reward", arguments: [0, 1, 5_000] as [Int64])
    func nothing(base: Int64) throws {
        let credit = Credit(participant: person(1), base: try usd(base))
        #expect(try RewardRules.shares(rule(.basisPoints(1, atMost: nil)), [credit]).isEmpty)
    }

    @Test("a maximum holds for all who share the credit together, and the uncut is remembered")
    func maximum() throws {
        let credits = [
            Credit(participant: person(1), base: try usd(10_000)),
            Credit(participant: person(2), base: try usd(2_500)),
        ]
        let cut = try RewardRules.shares(rule(.basisPoints(2_000, atMost: usd(501))), credits)
        #expect(cut.map(\.amount.amount) == [401, 100])
        #expect(cut.map(\.uncapped) == [2_500, 2_500])
        #expect(cut.map(\.whole) == [501, 501])
    }

    struct Sharing: Sendable {
        let bases: [Int64]
        let points: Int64
        let amounts: [Int64]
    }

    @Test(
        "a shared percentage is the percentage of the whole, to the cent",
        arguments: [
            Sharing(bases: [5_005, 5_005], points: 1_000, amounts: [501, 500]),
            Sharing(bases: [5_015, 5_015], points: 1_000, amounts: [502, 501]),
            Sharing(bases: [3_334, 3_333, 3_333], points: 1_000, amounts: [334, 333, 333]),
            Sharing(bases: [1, 99_999], points: 100, amounts: [0, 1_000]),
        ])
    func sharedPercentage(example: Sharing) throws {
        let credits = try example.bases.enumerated().map {
            Credit(participant: person(UInt64($0)), base: try usd($1))
        }
        let shares = try RewardRules.shares(
            rule(.basisPoints(example.points, atMost: nil)), credits)
        #expect(shares.map(\.amount.amount) == example.amounts.filter { $0 > 0 })
    }

    @Test("a maximum in another currency is an error")
    func maximumInAnotherCurrency() throws {
        let euro = Money(amount: 1, currency: try #require(Currency("EUR")))
        let credit = Credit(participant: person(1), base: try usd(10_000))
        #expect(throws: MoneyError.currencyMismatch) {
            try RewardRules.shares(rule(.basisPoints(100, atMost: euro)), [credit])
        }
    }

    @Test("a flat amount is given once, and shared by the parts of the credit")
    func flat() throws {
        let flat = rule(.flat(try usd(100)))
        func amounts(_ parts: [Int64]) throws -> [Int64] {
            let credits = parts.enumerated().map {
                Credit(participant: person(UInt64($0)), parts: $1, base: nil)
            }
            return try RewardRules.shares(flat, credits).map(\.amount.amount)
        }
        #expect(try amounts([1]) == [100])
        #expect(try amounts([1, 1, 1]) == [34, 33, 33])
        #expect(try amounts([1, 9_999]) == [100])
        #expect(try amounts([]) == [])
    }

    @Test("without a base there is a flat reward and no percentage")
    func withoutBase() throws {
        let credit = Credit(participant: person(1), base: nil)
        #expect(try RewardRules.shares(rule(.flat(usd(700))), [credit]).count == 1)
        #expect(try RewardRules.shares(rule(.basisPoints(100, atMost: nil)), [credit]).isEmpty)
    }

    @Test("the credits of one participant count together, rounded once")
    func mergedCredits() throws {
        let credit = Credit(participant: person(1), base: try usd(12_345))
        let shares = try RewardRules.shares(
            rule(.basisPoints(1_000, atMost: nil)), [credit, credit])
        #expect(shares.map(\.amount.amount) == [2_469])
        let most = Credit(participant: person(1), base: try usd(.max))
        #expect(throws: MoneyError.overflow) {
            try RewardRules.shares(rule(.basisPoints(1, atMost: nil)), [most, most])
        }
    }

    struct Threshold: Sendable {
        let amount: Int64
        let holdDays: Int64
        let threshold: Int64?
        let first: Reward.State
        let later: Reward.State
        init(
            _ amount: Int64, holdDays: Int64, _ threshold: Int64?, _ first: Reward.State,
            _ later: Reward.State
        ) {
            (self.amount, self.holdDays, self.threshold) = (amount, holdDays, threshold)
            (self.first, self.later) = (first, later)
        }
    }

    static let thresholds = [
        Threshold(49_999, holdDays: 30, 50_000, .pending, .approved),
        Threshold(50_000, holdDays: 30, 50_000, .pending, .review),
        Threshold(49_999, holdDays: 0, 50_000, .approved, .approved),
        Threshold(50_000, holdDays: 0, 50_000, .review, .review),
        Threshold(.max, holdDays: 0, nil, .approved, .approved),
        Threshold(1, holdDays: 0, 0, .review, .review),
    ]

    @Test("a person reviews at the threshold and above it", arguments: thresholds)
    func states(row: Threshold) {
        #expect(
            RewardRules.firstState(
                row.amount, whole: row.amount, holdDays: row.holdDays, threshold: row.threshold)
                == row.first)
        #expect(
            RewardRules.stateAfterHold(
                row.amount, of: row.amount, whole: row.amount, threshold: row.threshold)
                == row.later)
    }

    @Test("a shared reward is reviewed as if it were one")
    func sharedReview() {
        func state(_ left: Int64, of granted: Int64) -> Reward.State {
            RewardRules.stateAfterHold(left, of: granted, whole: 401, threshold: 300)
        }
        #expect(state(201, of: 201) == .review)
        #expect(state(151, of: 201) == .review)
        #expect(state(150, of: 201) == .approved)
    }

    struct Reversal: Sendable {
        let amount: Int64
        let refunded: Int64
        let whole: Int64
        let target: Int64
        init(_ amount: Int64, _ refunded: Int64, _ whole: Int64, _ target: Int64) {
            (self.amount, self.refunded, self.whole) = (amount, refunded, whole)
            self.target = target
        }
    }

    static let reversals = [
        Reversal(1_000, 0, 10_000, 0), Reversal(1_000, 2_500, 10_000, 250),
        Reversal(5, 1, 2, 2), Reversal(7, 1, 2, 4), Reversal(1, 1, 2, 0), Reversal(3, 1, 2, 2),
        Reversal(100, 1, 3, 33), Reversal(100, 2, 3, 67), Reversal(100, 3, 3, 100),
        Reversal(100, 4, 3, 100), Reversal(1, 99, 100, 1), Reversal(1_000, -1, 10_000, 0),
        Reversal(1_000, 5, 0, 1_000),
        Reversal(.max, .max - 1, .max, .max - 1),
    ]

    @Test("a refund takes back its exact proportion, rounded once", arguments: reversals)
    func reversalTargets(row: Reversal) {
        let target = RewardRules.reversalTarget(
            amount: row.amount, refunded: row.refunded, whole: row.whole)
        #expect(target == row.target)
    }

    @Test("the proportion never shrinks as refunds add up, and ends at the whole")
    func monotone() {
        for amount in [1, 2, 3, 7, 99, 100, 101] as [Int64] {
            var last: Int64 = 0
            for refunded in 0...97 as ClosedRange<Int64> {
                let target = RewardRules.reversalTarget(
                    amount: amount, refunded: refunded, whole: 97)
                #expect(target >= last && target <= amount)
                last = target
            }
            #expect(last == amount)
        }
    }

    @Test("terms survive their way through JSON")
    func termsAsJSON() throws {
        let all = [
            terms(.flat(try usd(700))), terms(.basisPoints(1_250, atMost: nil)),
            terms(.basisPoints(1, atMost: try usd(3))),
            RewardTerms(
                trigger: .leadWon, recipient: .referrer, kind: .accountCredit,
                rate: .flat(try usd(1)), conversionKinds: nil),
            RewardTerms(
                trigger: .conversion, recipient: .referrer, kind: .cash, rate: .flat(try usd(1)),
                conversionKinds: ["purchase", "renewal"]),
        ]
        for terms in all { #expect(RewardTerms(json: terms.json) == terms) }
        #expect(RewardTerms(json: ["trigger": "conversion"]) == nil)
    }
}
