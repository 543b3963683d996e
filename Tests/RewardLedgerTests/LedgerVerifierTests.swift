import Database
import Model
import Testing

@testable import RewardLedger

@Suite struct LedgerVerifierTests {
    /// Two participants with a paid, a refunded and an approved reward each.
    private func books() throws -> (LedgerFixture, [ParticipantID]) {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        let participants = [try fixture.participant(), try fixture.participant()]
        for (place, participant) in participants.enumerated() {
            let (conversion, _) = try fixture.approvedSale(10_000, to: participant)
            try fixture.confirm(fixture.submitted("r\(place)", to: participant))
            try fixture.refund(conversion, total: 4_000, of: 10_000)
            _ = try fixture.approvedSale(20_000, to: participant)
            _ = try fixture.payout("s\(place)", to: participant)
            _ = try fixture.approvedSale(5_000, to: participant)
        }
        _ = try fixture.participant()
        return (fixture, participants)
    }

    private func verify(
        _ fixture: LedgerFixture, against head: LedgerHead? = nil
    ) throws -> LedgerReport {
        try fixture.perform { try LedgerVerifier.verify($0, against: head) }
    }

    /// What somebody with the file and a little patience can do.
    private func tamper(_ fixture: LedgerFixture, _ sql: StaticString) throws {
        try fixture.perform { tx in
            for trigger in LedgerVerifierTests.triggers { try tx.run(trigger) }
            try tx.run(sql)
            try #require(tx.changes > 0)
        }
    }

    static let triggers: [StaticString] = [
        "DROP TRIGGER ledger_transactions_are_not_updated",
        "DROP TRIGGER ledger_transactions_are_not_deleted",
        "DROP TRIGGER ledger_postings_are_not_updated",
        "DROP TRIGGER ledger_postings_are_not_deleted",
        "DROP TRIGGER ledger_accounts_keep_their_names",
    ]

    @Test("books that nobody touched are sound, and everything in them is counted")
    func sound() throws {
        let (fixture, _) = try books()
        let report = try verify(fixture)
        #expect(report.faults == [] && report.isSound)
        #expect(report.transactions == 20 && report.postings == 52)
        #expect(report.rewards == 6 && report.payouts == 4)
        #expect(report.accounts == 12)
        #expect(report.head == (try fixture.perform { try JournalStore.head($0) }))
    }

    @Test("empty books are sound")
    func empty() throws {
        let report = try verify(LedgerFixture(), against: .empty)
        #expect(report.isSound && report.head == .empty)
    }

    @Test("a reading connection may verify while the books go on")
    func reader() throws {
        let (fixture, _) = try books()
        let report = try LedgerVerifier.verify(fixture.database.makeReader())
        #expect(report.isSound && report.transactions == 20)
    }

    struct Crime: Sendable {
        let sql: StaticString
        /// What one of the faults must say.
        let told: String
        init(_ sql: StaticString, _ told: String) { (self.sql, self.told) = (sql, told) }
    }

    static let crimes = [
        Crime(
            "UPDATE ledger_postings SET amount = 1 WHERE transaction_seq = 3 AND line = 0",
            "does not add up to zero"),
        Crime(
            "UPDATE ledger_postings SET amount = amount * 2 WHERE transaction_seq = 3",
            "is not what its hash was made of"),
        Crime(
            "UPDATE ledger_transactions SET posted_at = posted_at - 1 WHERE seq = 3",
            "is not what its hash was made of"),
        Crime(
            "UPDATE ledger_transactions SET kind = 'reward_voided' WHERE seq = 3",
            "is not what its hash was made of"),
        Crime(
            "UPDATE ledger_transactions SET refund_id = NULL WHERE refund_id IS NOT NULL",
            "is not what its hash was made of"),
        Crime("UPDATE ledger_transactions SET kind = 'gift' WHERE seq = 3", "has unknown kinds"),
        Crime(
            "UPDATE ledger_transactions SET hash = zeroblob(32) WHERE seq = 3",
            "does not carry the hash of the transaction before it"),
        Crime("DELETE FROM ledger_postings WHERE transaction_seq = 3", "fewer than two postings"),
        Crime(
            "UPDATE ledger_postings SET balance_after = 1 WHERE transaction_seq = 3 AND line = 0",
            "carries a balance that is not the sum"),
        Crime(
            "UPDATE ledger_accounts SET balance = balance + 1 WHERE seq = 2",
            "not the sum of its postings"),
        Crime("UPDATE ledger_accounts SET currency = 'EUR' WHERE seq = 2", "postings of several"),
        Crime(
            "UPDATE rewards SET reversed_amount = 1 WHERE seq = 3",
            "differs from its transactions on program_expense"),
        Crime(
            "UPDATE rewards SET amount = amount + 1 WHERE seq = 3",
            "differs from its transactions on program_expense"),
        Crime(
            "UPDATE rewards SET state = 'pending' WHERE seq = 3",
            "differs from its transactions on participant_pending"),
        Crime("UPDATE rewards SET state = 'voided' WHERE seq = 3", "is voided by mistake"),
        Crime(
            "UPDATE rewards SET settled_amount = 0 WHERE seq = 1",
            "differs from what was settled of it"),
        Crime(
            """
            UPDATE rewards SET participant_id = (SELECT id FROM participants WHERE seq = 2)
            WHERE seq = 3
            """, "differs in owner or currency"),
        Crime(
            """
            UPDATE ledger_accounts SET participant_id = (SELECT id FROM participants WHERE seq = 3)
            WHERE seq = 2
            """, "differs in owner or currency"),
        Crime("UPDATE rewards SET currency = 'JPY' WHERE seq = 3", "differs in owner or currency"),
        Crime(
            """
            UPDATE payouts SET participant_id = (SELECT id FROM participants WHERE seq = 2)
            WHERE seq = 1
            """, "differs in owner or currency"),
        Crime(
            "UPDATE payouts SET state = 'failed', paid_amount = 0 WHERE seq = 1",
            "differs from its transactions"),
        Crime(
            "UPDATE payouts SET reward_count = 2 WHERE seq = 1",
            "differs from the sum of its rewards"),
        Crime(
            "UPDATE payout_rewards SET amount = amount + 1",
            "differs from the sum of its rewards"),
        Crime("UPDATE payout_rewards SET settled_amount = 0", "differs from what it settled"),
        Crime("UPDATE ledger_postings SET amount = 9223372036854775807", "does not add up to zero"),
        Crime("UPDATE rewards SET basis = 'no JSON' WHERE seq = 3", "cannot be read to the end"),
        Crime("UPDATE rewards SET currency = '??' WHERE seq = 3", "cannot be read to the end"),
        Crime("UPDATE payouts SET currency = '??' WHERE seq = 3", "cannot be read to the end"),
    ]

    @Test("whatever was changed is found and told", arguments: crimes.indices)
    func tampering(place: Int) throws {
        let crime = LedgerVerifierTests.crimes[place]
        let (fixture, _) = try books()
        try tamper(fixture, crime.sql)
        let report = try verify(fixture)
        #expect(!report.isSound)
        #expect(report.faults.contains { $0.contains(crime.told) }, "\(report.faults)")
    }

    @Test("the first fault names the transaction that was changed, and only that one")
    func naming() throws {
        let (fixture, _) = try books()
        let victim = try fixture.transactions()[6]
        try tamper(
            fixture, "UPDATE ledger_transactions SET posted_at = posted_at + 1 WHERE seq = 7")
        let faults = try verify(fixture).faults
        #expect(faults == ["Transaction 7 (\(victim.id)) is not what its hash was made of."])
    }

    @Test("a missing transaction is noticed by the one that follows it")
    func missing() throws {
        let (fixture, _) = try books()
        try tamper(fixture, "DELETE FROM ledger_postings WHERE transaction_seq = 7")
        try fixture.perform {
            try $0.run("DELETE FROM ledger_transactions WHERE seq = 7")
        }
        let next = try fixture.transactions()[6]
        let faults = try verify(fixture).faults
        #expect(faults.first == "Transaction 8 (\(next.id)) does not follow number 6.")
    }

    @Test("a head that was kept proves that the end of the chain was not replaced")
    func savedHead() throws {
        let (fixture, participants) = try books()
        let saved = try verify(fixture).head
        _ = try fixture.sell(10_000, to: participants[0])
        #expect(try verify(fixture, against: saved).isSound)
        let forged = LedgerHead(sequence: saved.sequence, hash: [UInt8](repeating: 7, count: 32))
        let faults = try verify(fixture, against: forged).faults
        #expect(faults.count == 1 && faults[0].contains("is not in the chain"))
        let later = LedgerHead(sequence: saved.sequence + 100, hash: saved.hash)
        #expect(try !verify(fixture, against: later).isSound)
    }

    @Test("a report stops at a limited number of faults")
    func limit() throws {
        let (fixture, _) = try books()
        try tamper(fixture, "UPDATE ledger_transactions SET posted_at = posted_at + 1")
        #expect(try verify(fixture).faults.count == LedgerReport.faultsMax)
    }
}
