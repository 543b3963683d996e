import Database
import Model
import Testing

@testable import RewardLedger

/// Runs and the terms of payouts: who is drafted for, once, and what waits.
@Suite struct PayoutRunBookTests {
    /// Ten percent of every sale, approved at once.
    private func books(currency: String = "USD") throws -> LedgerFixture {
        let fixture = try LedgerFixture(currency: currency, holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        return fixture
    }

    private func terms(minimum: Int64 = 0, reviewDays: Int64 = 0) -> PayoutTerms {
        var terms = PayoutTerms()
        terms.minimum = minimum
        terms.reviewDays = reviewDays
        return terms
    }

    private func advance(_ tx: Transaction) throws -> String? {
        try PayoutRunBook.advance(tx) { _, _, _ in .payable }
    }

    private func open(
        _ fixture: LedgerFixture, _ terms: PayoutTerms = PayoutTerms(),
        reference: String = "november", kind: Payout.Kind = .cash
    ) throws -> (run: PayoutRun, isNew: Bool) {
        try fixture.perform { [program = fixture.program, currency = fixture.currency] tx in
            try PayoutRunBook.open(
                reference: reference, program: program, kind: kind, currency: currency,
                terms: terms, actor: "test", tx)
        }
    }

    /// Slices until no run is left; how many.
    @discardableResult
    private func runAll(_ fixture: LedgerFixture) throws -> Int {
        var slices = 0
        while try fixture.perform({ try PayoutRunStore.running($0) != nil }) {
            #expect(try fixture.perform { try advance($0) } == nil)
            slices += 1
        }
        return slices
    }

    private func run(_ fixture: LedgerFixture, _ id: PayoutRunID) throws -> PayoutRun {
        try fixture.perform { tx in
            guard let run = try PayoutRunStore.find(id, tx) else { throw MissingRow() }
            return run
        }
    }

    private func payouts(_ fixture: LedgerFixture, of run: PayoutRunID) throws -> [Payout] {
        try fixture.perform { tx in
            var filter = PayoutStore.Filter()
            filter.run = run
            return try PayoutStore.all(filter, limit: 10_000, tx)
        }
    }

    // MARK: - Runs

    @Test("a run drafts once for everybody who is owed enough; what is less waits for the next one")
    func minimum() throws {
        let fixture = try books()
        let people = try (0..<3).map { _ in try fixture.participant() }
        for (person, amount) in zip(people, [9_990, 10_000, 50_000] as [Int64]) {
            _ = try fixture.approvedSale(amount, to: person)
        }
        let first = try open(fixture, terms(minimum: 1_000)).run
        try runAll(fixture)
        let done = try run(fixture, first.id)
        #expect(done.state == .done && done.finishedAt != nil)
        #expect(done.examined == 3 && done.waiting == 1 && done.failed == 0)
        let drafts = try payouts(fixture, of: first.id)
        #expect(drafts.count == 2)
        #expect(drafts.first { $0.participant == people[1] }?.amount == 1_000)
        #expect(drafts.first { $0.participant == people[2] }?.amount == 5_000)
        #expect(drafts.allSatisfy { $0.reference == $0.id.description && $0.state == .draft })
        #expect(
            try fixture.events(first.id) == ["payout_run.running", "payout_run.done"])

        _ = try fixture.approvedSale(10, to: people[0])
        let second = try open(fixture, terms(minimum: 1_000), reference: "december").run
        try runAll(fixture)
        #expect(try payouts(fixture, of: second.id).map(\.participant) == [people[0]])
        #expect(try payouts(fixture, of: second.id).map(\.amount) == [1_000])
        #expect(try fixture.faults() == [])
    }

    @Test("what is owed back counts against the minimum, and who owes all of it waits")
    func clawbacks() throws {
        let fixture = try books()
        let people = try (0..<2).map { _ in try fixture.participant() }
        for (index, person) in people.enumerated() {
            let sale = try fixture.approvedSale(10_000, to: person)
            try fixture.confirm(fixture.submitted("r\(index)", to: person))
            try fixture.refund(sale.conversion, total: 10_000, of: 10_000)
        }
        _ = try fixture.approvedSale(10_000, to: people[0])
        _ = try fixture.approvedSale(30_000, to: people[1])
        let made = try open(fixture, terms(minimum: 2_000)).run
        try runAll(fixture)
        let drafts = try payouts(fixture, of: made.id)
        #expect(drafts.map(\.amount) == [2_000] && drafts.map(\.clawbackAmount) == [1_000])
        #expect(try run(fixture, made.id).waiting == 1)
        #expect(try fixture.faults() == [])
    }

    @Test("a slice that is lost leaves no trace, and the run goes on without a second draft")
    func lostSlices() throws {
        let fixture = try books()
        let count = 3 * PayoutRunBook.sliceCost + 5
        for _ in 0..<count { _ = try fixture.approvedSale(1_000, to: fixture.participant()) }
        let made = try open(fixture).run
        struct Crash: Error {}
        var slices = 0
        while try run(fixture, made.id).state == .running {
            let before = try run(fixture, made.id).examined
            #expect(throws: Crash.self) {
                try fixture.perform { tx in
                    _ = try advance(tx)
                    throw Crash()
                }
            }
            #expect(try run(fixture, made.id).examined == before)
            #expect(try fixture.perform { try advance($0) } == nil)
            slices += 1
        }
        #expect(slices >= 4)
        let drafts = try payouts(fixture, of: made.id)
        #expect(drafts.count == count)
        #expect(Set(drafts.map(\.participant)).count == count)
        let sums = try fixture.perform { try PayoutRunStore.sums(of: made.id, $0) }
        #expect(sums.map(\.payouts) == [Int64(count)])
        #expect(sums.map(\.amount) == [100 * Int64(count)])
        #expect(try fixture.faults() == [])
    }

    @Test("somebody who cannot be drafted for is passed over, told of, and alone")
    func fault() throws {
        let fixture = try books()
        let people = try (0..<5).map { _ in try fixture.participant() }
        for (place, person) in people.enumerated() {
            _ = try fixture.approvedSale(place == 2 ? 6_660 : 10_000, to: person)
        }
        try fixture.perform { tx in
            try tx.run(
                """
                CREATE TRIGGER fault BEFORE INSERT ON payouts WHEN NEW.amount = 666
                BEGIN SELECT RAISE(ABORT, 'fault'); END
                """)
        }
        let made = try open(fixture).run
        var faults: [String] = []
        while try run(fixture, made.id).state == .running {
            if let fault = try fixture.perform({ try advance($0) }) {
                faults.append(fault)
            }
        }
        let done = try run(fixture, made.id)
        #expect(done.examined == 5 && done.failed == 1 && done.waiting == 0)
        #expect(faults.count == 1 && faults[0].contains(people[2].description))
        #expect(
            try Set(payouts(fixture, of: made.id).map(\.participant))
                == [people[0], people[1], people[3], people[4]])
        #expect(try fixture.balance(of: people[2]) == ParticipantBalance(available: 666))
        #expect(try fixture.faults() == [])
    }

    @Test("a reference names one run for good")
    func reference() throws {
        let fixture = try books()
        let (first, isNew) = try open(fixture)
        let (again, isNewAgain) = try open(fixture)
        #expect(isNew && !isNewAgain && first.id == again.id)
        #expect(throws: PayoutRunRefusal.referenceTaken(member: "kind")) {
            try open(fixture, kind: .accountCredit)
        }
        let other = try fixture.perform { tx -> ProgramID in tx.makeID() }
        #expect(throws: PayoutRunRefusal.referenceTaken(member: "program_id")) {
            try PayoutRunRules.checkSame(first, program: other, kind: .cash)
        }
    }

    @Test("the schedule makes a period's run once, and one of account credit only for somebody")
    func periods() throws {
        let fixture = try books()
        func make(_ period: Int64) throws -> Int64? {
            try fixture.perform { [program = fixture.program, currency = fixture.currency] tx in
                try PayoutRunBook.open(
                    period: period, program: program, currency: currency, terms: PayoutTerms(), tx)
            }
            return try fixture.count("payout_runs")
        }
        #expect(try make(20_000) == 1)
        #expect(try make(20_000) == 1)
        #expect(try make(20_007) == 2)
        try fixture.rule(.flat(fixture.money(700)), kind: .accountCredit)
        let rewards = try fixture.sell(1_000, to: fixture.participant()).rewards
        #expect(rewards.allSatisfy { $0.state == .approved })
        #expect(try make(20_014) == 4)
        #expect(try make(20_014) == 4)
    }

    // MARK: - Kinds

    @Test("cash and account credit are never in one payout")
    func kinds() throws {
        let fixture = try books()
        try fixture.rule(.flat(fixture.money(700)), kind: .accountCredit)
        let participant = try fixture.participant()
        _ = try fixture.sell(10_000, to: participant)
        let cash = try fixture.payout("cash", to: participant)
        #expect(cash.kind == .cash && cash.amount == 1_000)
        #expect(throws: PayoutRefusal.nothingToPay) {
            try fixture.payout("cash-2", to: participant)
        }
        let made = try open(fixture, kind: .accountCredit).run
        try runAll(fixture)
        let credits = try payouts(fixture, of: made.id)
        #expect(credits.map(\.kind) == [.accountCredit] && credits.map(\.amount) == [700])
        let credit = try #require(credits.first)
        let sent = try fixture.change(credit) {
            try PayoutBook.submit($0, providerReference: nil, actor: "test", $1)
        }
        try fixture.confirm(sent)
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(available: 1_000, paid: 700))
        #expect(try fixture.faults() == [])
    }

    // MARK: - Minimum and review

    @Test(
        "a draft below the minimum is refused, unless the batch is full",
        arguments: [
            (999, 1_000, false, true), (1_000, 1_000, false, false), (1, 0, false, false),
            (999, 1_000, true, false),
        ] as [(Int64, Int64, Bool, Bool)])
    func checkMinimum(amount: Int64, minimum: Int64, isFull: Bool, isRefused: Bool) {
        func check() throws(PayoutRefusal) {
            try PayoutRules.checkMinimum(amount, minimum: minimum, isFull: isFull)
        }
        if isRefused {
            #expect(throws: PayoutRefusal.belowMinimum(amount: amount, minimum: minimum)) {
                try check()
            }
        } else {
            #expect(throws: Never.self) { try check() }
        }
    }

    @Test("a run's draft is submitted from the end of its review on, and can be cancelled before")
    func review() throws {
        let fixture = try books()
        let people = try (0..<2).map { _ in try fixture.participant() }
        for person in people { _ = try fixture.approvedSale(10_000, to: person) }
        let made = try open(fixture, terms(reviewDays: 3)).run
        try runAll(fixture)
        let drafts = try payouts(fixture, of: made.id)
        let until = try #require(drafts[0].submitFrom)
        #expect(until == drafts[0].createdAt.advanced(byDays: 3))
        let submit = { @Sendable (payout: Payout, tx: Transaction) in
            try PayoutBook.submit(payout, providerReference: nil, actor: "test", tx)
        }
        #expect(throws: PayoutRefusal.inReview(until: until)) {
            try fixture.change(drafts[0], submit)
        }
        try fixture.change(drafts[1]) {
            try PayoutBook.cancel($0, reason: nil, actor: "test", $1)
        }
        fixture.advance(days: 3)
        #expect(try fixture.change(drafts[0], submit).state == .processing)
        let sums = try fixture.perform { try PayoutRunStore.sums(of: made.id, $0) }
        #expect(Set(sums.map(\.state)) == [.processing, .cancelled])
        #expect(sums.allSatisfy { $0.payouts == 1 && $0.amount == 1_000 })
        #expect(try fixture.faults() == [])
    }

    // MARK: - No dead ends

    @Test("small rewards, however many, never stand between a participant and its money")
    func manySmallRewards() throws {
        let fixture = try books()
        let participant = try fixture.participant()
        let sale = try fixture.approvedSale(50_000, to: participant)
        try fixture.confirm(fixture.submitted("first", to: participant))
        try fixture.refund(sale.conversion, total: 50_000, of: 50_000)
        for _ in 0..<PayoutRules.rewardsMax { _ = try fixture.approvedSale(10, to: participant) }
        _ = try fixture.approvedSale(90_000, to: participant)
        // The 1,000 oldest rewards of 1 are all owed back; the large one is not among them.
        let payout = try fixture.payout("second", to: participant)
        #expect(payout.rewardsAmount == 9_000 && payout.clawbackAmount == 4_000)
        #expect(payout.amount == 5_000)
        try fixture.confirm(
            fixture.change(payout) {
                try PayoutBook.submit($0, providerReference: nil, actor: "test", $1)
            })
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(paid: 10_000))
        #expect(try fixture.faults() == [])
    }

    /// A participant who owes 2,500, and has 2,600 rewards of 1: no 1,000 of them cover that.
    private func deepDebt() throws -> (LedgerFixture, ParticipantID) {
        let fixture = try books()
        let participant = try fixture.participant()
        let sale = try fixture.approvedSale(25_000, to: participant)
        try fixture.confirm(fixture.submitted("first", to: participant))
        try fixture.refund(sale.conversion, total: 25_000, of: 25_000)
        try fixture.perform { tx in
            for _ in 0..<2_600 {
                _ = try RewardBook.grant(
                    fixture.occasion(conversion: tx.makeID()),
                    to: [Credit(participant: participant, base: fixture.money(10))], tx)
            }
        }
        return (fixture, participant)
    }

    @Test("a debt that takes more rewards than a payout holds is set off a thousand at a time")
    func deepDebtByHand() throws {
        let (fixture, participant) = try deepDebt()
        let order = fixture.order("second", to: participant)
        #expect(throws: PayoutRefusal.offsetUnfinished(owed: 1_500)) {
            try fixture.payout("second", to: participant)
        }
        #expect(try fixture.perform { try ClawbackOffset.run(order, $0) } == 1_500)
        let payout = try fixture.payout("second", to: participant)
        #expect(payout.rewardsAmount == 600 && payout.clawbackAmount == 500)
        #expect(payout.amount == 100)
        #expect(try fixture.faults() == [])
    }

    @Test("a run sets off such a debt slice by slice, until a payout covers the rest of it")
    func deepDebtInRun() throws {
        let (fixture, participant) = try deepDebt()
        let made = try open(fixture).run
        #expect(try runAll(fixture) > 1_500 / PayoutRunBook.sliceCost)
        let drafts = try payouts(fixture, of: made.id)
        #expect(drafts.map(\.participant) == [participant])
        // A full batch of 1,000, of which 980 are still owed; the other 80 wait for the next one.
        #expect(drafts.map(\.amount) == [20] && drafts.map(\.clawbackAmount) == [980])
        let done = try run(fixture, made.id)
        #expect(done.examined == 1 && done.waiting == 0 && done.failed == 0)
        #expect(try fixture.faults() == [])
    }

    @Test(
        "near the largest amount every payout can still fail, be confirmed and be refunded",
        arguments: ["USD", "JPY", "KWD"])
    func largestAmounts(currency: String) throws {
        let fixture = try books(currency: currency)
        let participant = try fixture.participant()
        try fixture.rule(.basisPoints(10_000, atMost: nil), kinds: ["all"])
        func sell(_ amount: Int64) throws -> ConversionID {
            try fixture.perform { tx in
                let conversion: ConversionID = tx.makeID()
                _ = try RewardBook.grant(
                    fixture.occasion(.conversion(kind: "all"), conversion: conversion),
                    to: [Credit(participant: participant, base: fixture.money(amount))], tx)
                return conversion
            }
        }
        // All and a tenth of it: 1.1 of the sale, so that one more would be too much.
        let most = Money.maximum / 11 * 10
        let first = try sell(most)
        let payout = try fixture.submitted("p1", to: participant)
        let before = try fixture.balance(of: participant)
        #expect(throws: MoneyError.overflow) { try sell(100) }
        #expect(try fixture.balance(of: participant) == before)
        let failed = try fixture.change(payout) {
            try PayoutBook.fail($0, reason: "no", actor: "test", $1)
        }
        #expect(failed.state == .failed)
        try fixture.confirm(fixture.submitted("p2", to: participant), paid: 1)
        try fixture.confirm(fixture.submitted("p3", to: participant))
        // What is paid counts for good, so that the account of what has left cannot fill up either.
        #expect(throws: MoneyError.overflow) { try sell(100) }
        try fixture.refund(first, total: most, of: most)
        let balance = try fixture.balance(of: participant)
        #expect(balance.paid == balance.clawbackOwed && balance.paid > Money.maximum - 12)
        #expect(try fixture.faults() == [])
    }
}
