import Database
import Model
import Testing

@testable import RewardLedger

/// Payouts that come back, and payouts that were paid after all.
@Suite struct PayoutReturnTests {
    private let fixture: LedgerFixture
    private let ada: ParticipantID

    init() throws {
        fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        ada = try fixture.participant()
    }

    private func giveBack(_ payout: Payout, _ amount: Int64? = nil) throws -> Payout {
        try fixture.change(payout) {
            try PayoutReturn.run($0, amount: amount, reason: "closed", actor: "test", $1)
        }
    }

    private func fail(_ payout: Payout) throws -> Payout {
        try fixture.change(payout) {
            try PayoutBook.fail($0, reason: "closed", actor: "test", $1)
        }
    }

    private func paid(_ reference: String) throws -> Payout {
        try fixture.confirm(fixture.submitted(reference, to: ada))
    }

    private func check(
        available: Int64 = 0, inPayout: Int64 = 0, paid: Int64 = 0, owed: Int64 = 0
    ) throws {
        let expected = ParticipantBalance(
            available: available, inPayout: inPayout, paid: paid, owed: owed)
        #expect(try fixture.balance(of: ada) == expected)
        #expect(try fixture.faults() == [])
    }

    private func find(_ payout: Payout) throws -> Payout {
        try #require(try fixture.perform { try PayoutStore.find(payout.id, $0) })
    }

    // MARK: - Returns

    @Test("a payout that comes back whole is returned, and its rewards go into the next one")
    func whole() throws {
        let (_, id) = try fixture.approvedSale(10_000, to: ada)
        let back = try giveBack(paid("r1"))
        #expect(back.state == .returned && back.paidAmount == 0 && back.returnedAmount == 1_000)
        let reward = try fixture.reward(id)
        #expect(reward.state == .approved && reward.payout == nil && reward.paidAt == nil)
        try check(available: 1_000)
        #expect(try paid("r2").amount == 1_000)
        try check(paid: 1_000)
    }

    @Test("of a part that comes back, the newest rewards are open again")
    func part() throws {
        let (_, first) = try fixture.approvedSale(10_000, to: ada)
        let (_, second) = try fixture.approvedSale(5_000, to: ada)
        let back = try giveBack(paid("r1"), 600)
        #expect(back.state == .partiallyPaid && back.paidAmount == 900)
        #expect(try fixture.reward(second).payable == 500)
        #expect(try fixture.reward(first).payable == 100)
        try check(available: 600, paid: 900)
        let all = try giveBack(back)
        #expect(all.state == .returned && all.returnedAmount == 1_500)
        try check(available: 1_500)
    }

    @Test("a payout that comes back before it was confirmed is returned whole or not at all")
    func unconfirmed() throws {
        try fixture.approvedSale(10_000, to: ada)
        let payout = try fixture.submitted("r1", to: ada)
        #expect(throws: PayoutRefusal.partReturnedUnpaid) { try giveBack(payout, 999) }
        #expect(throws: PayoutRefusal.badReturnedAmount(most: 1_000)) {
            try giveBack(payout, 1_001)
        }
        #expect(try giveBack(payout, 1_000).state == .returned)
        try check(available: 1_000)
    }

    @Test("what a payout kept back stays kept when it comes back")
    func kept() throws {
        let (sale, _) = try fixture.approvedSale(10_000, to: ada)
        _ = try paid("r1")
        try fixture.refund(sale, total: 4_000, of: 10_000)
        try check(paid: 1_000, owed: 400)
        try fixture.approvedSale(10_000, to: ada)
        let second = try paid("r2")
        #expect(second.amount == 600 && second.clawbackAmount == 400)
        _ = try giveBack(second)
        try check(available: 600, paid: 1_000)
        #expect(try paid("r3").amount == 600)
        try check(paid: 1_600)
    }

    @Test("a refund that is owed of a reward whose money comes back is owed no more")
    func refunded() throws {
        let (sale, id) = try fixture.approvedSale(10_000, to: ada)
        let payout = try paid("r1")
        try fixture.refund(sale, total: 10_000, of: 10_000)
        try check(paid: 1_000, owed: 1_000)
        _ = try giveBack(payout)
        #expect(try fixture.reward(id).state == .voided)
        try check()
    }

    // MARK: - Paid after all

    @Test("a payout that failed by mistake takes its rewards out of the newer draft")
    func afterFailed() throws {
        try fixture.approvedSale(10_000, to: ada)
        let failed = try fail(fixture.submitted("r1", to: ada))
        try fixture.approvedSale(5_000, to: ada)
        let draft = try fixture.payout("r2", to: ada)
        #expect(draft.amount == 1_500)
        let paid = try fixture.confirm(failed)
        #expect(paid.state == .paid && paid.paidTwiceAmount == 0 && paid.reason == nil)
        let rest = try find(draft)
        #expect(rest.state == .draft && rest.amount == 500 && rest.rewardCount == 1)
        try check(available: 500, paid: 1_000)
    }

    @Test("a newer draft that holds nothing else is cancelled")
    func emptied() throws {
        try fixture.approvedSale(10_000, to: ada)
        let failed = try fail(fixture.submitted("r1", to: ada))
        let draft = try fixture.payout("r2", to: ada)
        try fixture.confirm(failed)
        #expect(try find(draft).state == .cancelled)
        try check(paid: 1_000)
    }

    @Test("what was paid twice is owed, and the next payout keeps it back")
    func twice() throws {
        try fixture.approvedSale(10_000, to: ada)
        let failed = try fail(fixture.submitted("r1", to: ada))
        _ = try paid("r2")
        let again = try fixture.confirm(failed)
        #expect(again.paidTwiceAmount == 1_000 && again.settledAmount == 0)
        try check(paid: 2_000, owed: 1_000)
        try fixture.approvedSale(15_000, to: ada)
        let third = try fixture.payout("r3", to: ada)
        #expect(third.amount == 500 && third.clawbackAmount == 1_000)
        // It comes back although it is kept back already: nobody can say by which reward.
        #expect(throws: PayoutRefusal.keptBackSince(amount: 1_000)) { try giveBack(again) }
        try fixture.change(third) {
            try PayoutBook.cancel($0, reason: nil, actor: "test", $1)
        }
        #expect(try giveBack(again).state == .returned)
        try check(available: 1_500, paid: 1_000)
    }

    @Test("what is on its way again is paid twice, until that fails and is kept back")
    func onItsWay() throws {
        try fixture.approvedSale(10_000, to: ada)
        let failed = try fail(fixture.submitted("r1", to: ada))
        let second = try fixture.submitted("r2", to: ada)
        try fixture.confirm(failed)
        try check(inPayout: 1_000, paid: 1_000, owed: 1_000)
        _ = try fail(second)
        try check(available: 1_000, paid: 1_000, owed: 1_000)
        #expect(throws: PayoutRefusal.nothingToPay) { try fixture.payout("r3", to: ada) }
    }

    @Test("a payout that failed keeps back again what it kept, if that is still owed")
    func keepsAgain() throws {
        let (sale, _) = try fixture.approvedSale(10_000, to: ada)
        _ = try paid("r1")
        try fixture.refund(sale, total: 4_000, of: 10_000)
        try fixture.approvedSale(10_000, to: ada)
        let failed = try fail(fixture.submitted("r2", to: ada))
        try check(available: 1_000, paid: 1_000, owed: 400)
        try fixture.confirm(failed)
        try check(paid: 1_600)
    }

    @Test("a payout paid in part is confirmed for more, in all, up to the whole")
    func more() throws {
        try fixture.approvedSale(10_000, to: ada)
        let part = try fixture.confirm(fixture.submitted("r1", to: ada), paid: 300)
        #expect(throws: PayoutRefusal.paidNoMore(known: 300)) {
            try fixture.confirm(part, paid: 300)
        }
        #expect(throws: PayoutRefusal.badPaidAmount(most: 1_000)) {
            try fixture.confirm(part, paid: 1_001)
        }
        let more = try fixture.confirm(part, paid: 700)
        #expect(more.state == .partiallyPaid && more.paidAmount == 700)
        try check(available: 300, paid: 700)
        #expect(try fixture.confirm(more).state == .paid)
        try check(paid: 1_000)
    }

    @Test("a return by mistake is confirmed again")
    func returnedByMistake() throws {
        try fixture.approvedSale(10_000, to: ada)
        let back = try giveBack(paid("r1"))
        let again = try fixture.confirm(back)
        #expect(again.state == .paid && again.returnedAmount == 1_000)
        try check(paid: 1_000)
    }

    @Test("a reward is paid by two payouts, and each gives its own part back")
    func twoPayouts() throws {
        let (_, id) = try fixture.approvedSale(10_000, to: ada)
        let first = try fixture.confirm(fixture.submitted("r1", to: ada), paid: 300)
        let second = try fixture.submitted("r2", to: ada)
        #expect(second.amount == 700)
        // The first comes back while the second is on its way.
        _ = try giveBack(first)
        try check(available: 300, inPayout: 700)
        try fixture.confirm(second)
        #expect(try fixture.reward(id).payout == nil)
        try check(available: 300, paid: 700)
        #expect(try paid("r3").amount == 300)
        try check(paid: 1_000)
    }

    // MARK: - What is told

    @Test("the year of payment falls when money comes back in a later year, and says so")
    func years() throws {
        try fixture.approvedSale(10_000, to: ada)
        let payout = try paid("r1")
        let first = CivilDay.year(of: fixture.now.day)
        fixture.advance(days: 366)
        try fixture.approvedSale(2_000, to: ada)
        _ = try paid("r2")
        _ = try giveBack(payout, 400)
        let years = try fixture.perform { [ada, fixture] tx in
            try SummaryReads.paidByYear(to: ada, fixture.currency, in: .utc, tx)
        }
        #expect(years.map(\.year) == [first, first + 1])
        #expect(years.map(\.total) == [600, 200])
        #expect(years.map(\.isRestated) == [true, false])
    }

    @Test("the statement says what came back and why, and what was paid after all")
    func statement() throws {
        try fixture.approvedSale(10_000, to: ada)
        _ = try giveBack(fail(fixture.submitted("r1", to: ada)).confirmed(by: fixture))
        let lines = try fixture.perform { [ada, fixture] tx in
            try LedgerReads.statement(
                of: ada, fixture.currency, from: nil, to: nil, linesMax: 100, tx)?.lines ?? []
        }
        let words = lines.suffix(2).map { $0.words(in: fixture.currency) }
        #expect(words.first?.hasSuffix("(r1) is paid after all: 10.00 USD.") == true, "\(words)")
        let back = try #require(words.last)
        #expect(back.hasPrefix("10.00 USD of Payout pay_"))
        #expect(back.hasSuffix("(r1) came back (closed): 10.00 USD is available again."))
        #expect(lines.last?.reason == "closed")
    }
}

extension Payout {
    fileprivate func confirmed(by fixture: LedgerFixture) throws -> Payout {
        try fixture.confirm(self)
    }
}
