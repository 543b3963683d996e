import Database
import Glibc
import JSON
import Model
import Testing

@testable import RewardLedger

/// What rewards are once a part of their sale is refunded.
@Suite struct RewardRestTests {
    private static func usd(_ amount: Int64) -> Money {
        Money(amount: amount, currency: Currency("USD")!)
    }

    struct Row: Sendable, CustomStringConvertible {
        let rate: RewardTerms.Rate
        let sale: Int64
        /// What is refunded, and what counts then.
        let rests: [Int64: Int64]
        var description: String { "\(rate) of \(sale)" }
    }

    static let rows = [
        // 20 % of 100.00, at most 15.00.
        Row(
            rate: .basisPoints(2_000, atMost: usd(1_500)), sale: 10_000,
            rests: [0: 1_500, 1: 1_500, 2_500: 1_500, 4_000: 1_200, 9_999: 0, 10_000: 0]),
        // 5 % of 100.00, at least 10.00 as long as anything is left.
        Row(
            rate: .basisPoints(500, atLeast: usd(1_000), atMost: nil), sale: 10_000,
            rests: [5_000: 1_000, 9_999: 1_000, 10_000: 0]),
        Row(
            rate: .basisPoints(500, atLeast: usd(100), atMost: nil), sale: 10_000,
            rests: [5_000: 250, 9_000: 100, 10_000: 0]),
        // A half goes to the even neighbour, of the rest.
        Row(rate: .basisPoints(1_000, atMost: nil), sale: 1_000, rests: [975: 2, 985: 2, 955: 4]),
        Row(rate: .flat(usd(333)), sale: 10_000, rests: [2_500: 250, 5_000: 167, 10_000: 0]),
        Row(rate: .flat(usd(1)), sale: 100, rests: [49: 1, 51: 0]),
    ]

    @Test("what counts is what the rule gives for the rest", arguments: rows)
    func rest(row: Row) throws {
        let fixture = try LedgerFixture()
        try fixture.rule(row.rate)
        let participant = try fixture.participant()
        for (refunded, left) in row.rests {
            let (sale, _) = try fixture.sell(row.sale, to: participant)
            try fixture.refund(sale, total: refunded, of: row.sale)
            let nets = try fixture.perform { try RewardStore.rewards(of: sale, $0) }
                .map(\.netAmount)
            #expect(nets == [left], "\(refunded) of \(row.sale)")
        }
        #expect(try fixture.faults() == [])
    }

    @Test("what a limit left is a cap, and a refund raises nothing")
    func limited() throws {
        let fixture = try LedgerFixture()
        let rule = try fixture.rule(.basisPoints(1_000, atMost: nil))
        try fixture.perform { tx in
            var limited = rule
            limited.terms.limits = RewardLimits(json: ["participant_month": 1_200])
            limited.version += 1
            try RewardRuleStore.update(limited, actor: "test", tx)
        }
        let participant = try fixture.participant()
        let first = try fixture.sell(10_000, to: participant)
        let second = try fixture.sell(10_000, to: participant)
        #expect(second.rewards[0].amount.amount == 200)
        try fixture.refund(first.conversion, total: 10_000, of: 10_000)
        try fixture.refund(second.conversion, total: 100, of: 10_000)
        #expect(try fixture.reward(second.rewards[0].id).netAmount == 200)
        try fixture.refund(second.conversion, total: 9_000, of: 10_000)
        #expect(try fixture.reward(second.rewards[0].id).netAmount == 100)
    }

    /// A sale of `amount` by `partners`, one of several rules, and refunds of it with or without
    /// reversals.
    private struct Story {
        let rate: RewardTerms.Rate
        let amount: Int64
        let credits: [Int64]
        /// Asked amounts, nil for all; whether it is reversed.
        let refunds: [(asked: Int64?, isReversed: Bool)]

        init(_ random: inout SeededRandom) {
            amount = Int64(random.below(20_000)) + 1
            let points = Int64(random.below(4_000)) + 1
            let least: Money? =
                random.below(3) == 0 ? RewardRestTests.usd(Int64(random.below(300)) + 1) : nil
            let most: Money? =
                random.below(3) == 0 ? RewardRestTests.usd(Int64(random.below(900)) + 301) : nil
            rate =
                random.below(4) == 0
                ? .flat(RewardRestTests.usd(Int64(random.below(2_000)) + 1))
                : .basisPoints(points, atLeast: least, atMost: most)
            let partners = [1, 2, 3, 7, 20][Int(random.below(5))]
            credits = (0..<partners).map { _ in Int64(random.below(5)) + 1 }
            let bound = UInt64(amount)
            var refunds: [(Int64?, Bool)] = []
            for _ in 0..<(1 + random.below(5)) {
                let asked: Int64? =
                    random.below(6) == 0 ? nil : Int64(random.below(bound)) / 2 + 1
                refunds.append((asked, random.below(3) == 0))
            }
            self.refunds = refunds
        }

        var refunded: Int64 {
            min(
                amount,
                refunds.reduce(0) { $0 + ($1.isReversed ? 0 : $1.asked ?? amount) })
        }

        /// Its facts in a random order, each reversal after its refund.
        func order(_ random: inout SeededRandom) -> [(place: Int, isReversal: Bool)] {
            var steps: [(Int, Bool)] = []
            for (place, refund) in refunds.enumerated() {
                let at = Int(random.below(UInt64(steps.count + 1)))
                steps.insert((place, false), at: at)
                guard refund.isReversed else { continue }
                let later = at + 1 + Int(random.below(UInt64(steps.count - at)))
                steps.insert((place, true), at: later)
            }
            return steps
        }
    }

    @Test("the same refunds and reversals in any order, paid or not, end at the same cent")
    func anyOrder() throws {
        let seed =
            getenv("REFERRALD_SEED").flatMap { UInt64(String(cString: $0)) }
            ?? UInt64.random(in: 0...UInt64.max)
        print("REFERRALD_SEED=\(seed)")
        var random = SeededRandom(state: seed)
        for round in 0..<40 {
            let story = Story(&random)
            let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
            let rule = try fixture.rule(story.rate)
            var ends: [[Int64]] = []
            for _ in 0..<3 {
                ends.append(try play(story, story.order(&random), fixture, &random))
            }
            let what = "seed \(seed), round \(round): \(story)"
            #expect(Set(ends).count == 1, "\(what): \(ends)")
            let whole = try RewardRules.shares(rule, credits(story.amount, story, fixture))
            let most = try #require(whole.first?.whole)
            let left = story.amount - story.refunded
            let rest = try expected(rule, story, left, fixture)
            // Together they have what one would, and nobody more than was granted.
            #expect(ends[0].reduce(0, +) == min(rest, most), "\(what): \(ends[0])")
            let granted = story.credits.indices.map { place in
                whole.first { $0.participant == fake(place) }?.amount.amount ?? 0
            }
            #expect(zip(ends[0], granted).allSatisfy { $0 <= $1 }, "\(what)")
            #expect(try fixture.faults() == [], "\(what)")
        }
    }

    /// What one partner would have for the rest.
    private func expected(
        _ rule: RewardRule, _ story: Story, _ left: Int64, _ fixture: LedgerFixture
    ) throws -> Int64 {
        if left == 0 { return 0 }
        if case .flat(let money) = story.rate {
            return money.amount
                - RewardRules.reversalTarget(
                    amount: money.amount, refunded: story.refunded, whole: story.amount)
        }
        return try RewardRules.shares(
            rule, [Credit(participant: fake(0), base: fixture.money(left))]
        ).first?.amount.amount ?? 0
    }

    private func fake(_ place: Int) -> ParticipantID {
        ParticipantID(high: 7, low: UInt64(place))
    }

    private func credits(
        _ amount: Int64, _ story: Story, _ fixture: LedgerFixture
    ) -> [Credit] {
        zip(story.credits, Apportionment.split(amount, by: story.credits)).enumerated().map {
            Credit(participant: fake($0), parts: $1.0, base: fixture.money($1.1))
        }
    }

    /// What each partner has in the end, by its rewards and by its balance.
    private func play(
        _ story: Story, _ order: [(place: Int, isReversal: Bool)], _ fixture: LedgerFixture,
        _ random: inout SeededRandom
    ) throws -> [Int64] {
        let partners = try story.credits.map { _ in try fixture.participant() }
        let bases = Apportionment.split(story.amount, by: story.credits)
        let credits = partners.indices.map {
            Credit(
                participant: partners[$0], parts: story.credits[$0], base: fixture.money(bases[$0]))
        }
        let conversion = try fixture.perform { tx in
            let conversion: ConversionID = tx.makeID()
            _ = try RewardBook.grant(
                fixture.occasion(conversion: conversion, attribution: tx.makeID()), to: credits,
                tx)
            return conversion
        }
        var inForce: Set<Int> = []
        for step in order {
            if random.below(4) == 0 { try pay(partners, fixture, "\(conversion)\(step)") }
            if step.isReversal { inForce.remove(step.place) } else { inForce.insert(step.place) }
            let asked = inForce.reduce(0) { $0 + (story.refunds[$1].asked ?? story.amount) }
            let refunded = min(asked, story.amount)
            try fixture.perform { tx in
                _ = try RewardBook.settle(
                    fixture.sale(
                        conversion, credits, refunded: refunded, of: story.amount,
                        refund: tx.makeID(), recordedAt: tx.now), actor: "test", tx)
            }
        }
        let rewards = try fixture.perform { try RewardStore.rewards(of: conversion, $0) }
        return try partners.map { partner in
            let net = rewards.filter { $0.participant == partner }.reduce(0) { $0 + $1.netAmount }
            let money = try fixture.balance(of: partner)
            let has =
                money.pending + money.available + money.inPayout + money.paid
                - money.clawbackOwed
            #expect(has == net)
            return net
        }
    }

    private func pay(
        _ partners: [ParticipantID], _ fixture: LedgerFixture, _ reference: String
    ) throws {
        for partner in partners.prefix(3) {
            do {
                try fixture.confirm(fixture.submitted("\(reference) \(partner)", to: partner))
            } catch is PayoutRefusal {
                continue
            }
        }
    }
}
