import Database
import Model
import Testing

@testable import RewardLedger

@Suite struct StatementTests {
    /// Ten percent of every sale, approved at once.
    private func books() throws -> (LedgerFixture, ParticipantID) {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        return (fixture, try fixture.participant())
    }

    private func statement(
        _ fixture: LedgerFixture, _ participant: ParticipantID, from: Instant? = nil,
        to: Instant? = nil, linesMax: Int = 1_000
    ) throws -> Statement? {
        try fixture.perform { tx in
            try LedgerReads.statement(
                of: participant, fixture.currency, from: from, to: to, linesMax: linesMax, tx)
        }
    }

    private func balance(
        _ fixture: LedgerFixture, _ participant: ParticipantID, asOf instant: Instant
    ) throws -> ParticipantBalance {
        try fixture.perform { tx in
            try LedgerReads.balances(of: participant, asOf: instant, tx).first?.balance
                ?? ParticipantBalance()
        }
    }

    private func sum(
        _ balance: ParticipantBalance, _ lines: [Statement.Line]
    ) -> ParticipantBalance {
        lines.reduce(into: balance) { sum, line in
            sum.pending += line.change.pending
            sum.available += line.change.available
            sum.inPayout += line.change.inPayout
            sum.paid += line.change.paid
            sum.clawbackOwed += line.change.clawbackOwed
        }
    }

    /// A sale, its payout, its refund and a payout that keeps that back, ten days apart.
    private func story(
        _ fixture: LedgerFixture, _ participant: ParticipantID
    ) throws -> [Instant] {
        var times: [Instant] = []
        func step(_ body: () throws -> Void) throws {
            try body()
            times.append(fixture.now)
            fixture.advance(days: 10)
        }
        var first: (conversion: ConversionID, reward: RewardID)?
        try step { first = try fixture.approvedSale(10_000, to: participant) }
        try step { try fixture.confirm(fixture.submitted("r1", to: participant)) }
        let sold = try #require(first)
        try step { try fixture.refund(sold.conversion, total: 4_000, of: 10_000) }
        try step { _ = try fixture.approvedSale(20_000, to: participant) }
        try step { try fixture.confirm(fixture.submitted("r2", to: participant)) }
        return times
    }

    @Test("opening balance and lines add up to the closing balance, in every period")
    func adding() throws {
        let (fixture, participant) = try books()
        let bounds = try story(fixture, participant).map { Optional($0) } + [nil]
        for from in bounds {
            for to in bounds {
                if let from, let to, to < from { continue }
                let told = try #require(try statement(fixture, participant, from: from, to: to))
                #expect(sum(told.opening, told.lines) == told.closing)
                #expect(told.lines.last?.owed ?? told.opening.owed == told.closing.owed)
                #expect(told.lines.allSatisfy { from.map($0.postedAt.isAtOrAfter) ?? true })
                #expect(told.lines.allSatisfy { to.map($0.postedAt.isBefore) ?? true })
            }
        }
    }

    @Test("each line says what happened, to which reward or payout, and what is owed after it")
    func lines() throws {
        let (fixture, participant) = try books()
        _ = try story(fixture, participant)
        let told = try #require(try statement(fixture, participant))
        #expect(
            told.lines.map(\.kind) == [
                .rewardGranted, .rewardApproved, .payoutSubmitted, .payoutPaid, .rewardClawedBack,
                .rewardGranted, .rewardApproved, .payoutClawback, .payoutSubmitted, .payoutPaid,
            ])
        #expect(
            told.lines.map(\.owed) == [
                1_000, 1_000, 1_000, 0, -400, 1_600, 1_600, 1_600, 1_600, 0,
            ])
        #expect(told.lines.allSatisfy { ($0.reward == nil) != ($0.payout == nil) })
        #expect(told.lines[4].refund != nil && told.lines[4].conversion != nil)
        #expect(told.lines[7].change == ParticipantBalance(available: -400, owed: -400))
        #expect(told.closing == ParticipantBalance(paid: 2_600))
        #expect(told.head == (try fixture.perform { try JournalStore.head($0) }))
    }

    @Test("the next statement opens with what the last one closed with")
    func consecutive() throws {
        let (fixture, participant) = try books()
        let times = try story(fixture, participant)
        for time in times {
            let before = try #require(try statement(fixture, participant, to: time))
            let after = try #require(try statement(fixture, participant, from: time))
            #expect(before.closing == after.opening)
            #expect(before.lines.count + after.lines.count == 10)
        }
    }

    @Test("a balance of an earlier day is what it was then")
    func asOf() throws {
        let (fixture, participant) = try books()
        let times = try story(fixture, participant)
        let expected = [
            ParticipantBalance(available: 1_000), ParticipantBalance(paid: 1_000),
            ParticipantBalance(paid: 1_000, owed: 400),
            ParticipantBalance(available: 2_000, paid: 1_000, owed: 400),
            ParticipantBalance(paid: 2_600),
        ]
        for (time, balance) in zip(times, expected) {
            #expect(try self.balance(fixture, participant, asOf: time) == balance)
            #expect(
                try self.balance(fixture, participant, asOf: time.advanced(byDays: 9)) == balance)
        }
        let before = times[0].advanced(byMilliseconds: -1)
        #expect(try balance(fixture, participant, asOf: before) == ParticipantBalance())
        #expect(try fixture.balance(of: participant) == expected.last)
    }

    @Test("a statement of too many lines is refused, not cut")
    func tooLong() throws {
        let (fixture, participant) = try books()
        _ = try story(fixture, participant)
        #expect(try statement(fixture, participant, linesMax: 10)?.lines.count == 10)
        for most in 1...9 {
            #expect(try statement(fixture, participant, linesMax: most) == nil)
        }
    }

    @Test("a participant sees nothing of another's money")
    func others() throws {
        let (fixture, participant) = try books()
        let other = try fixture.participant()
        _ = try story(fixture, participant)
        let told = try #require(try statement(fixture, other))
        #expect(told.lines.isEmpty && told.closing == ParticipantBalance())
        #expect(try fixture.balance(of: other) == ParticipantBalance())
    }
}

extension Instant {
    fileprivate func isAtOrAfter(_ other: Instant) -> Bool { self >= other }
    fileprivate func isBefore(_ other: Instant) -> Bool { self < other }
}
