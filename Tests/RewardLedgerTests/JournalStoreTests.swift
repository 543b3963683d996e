import Database
import Model
import Testing

@testable import RewardLedger

@Suite struct JournalStoreTests {
    private func entry(
        _ fixture: LedgerFixture, _ participant: ParticipantID, _ postings: [Posting]
    ) -> JournalEntry {
        JournalEntry(
            .rewardGranted, program: fixture.program, participant: participant,
            currency: fixture.currency, postings: postings)
    }

    private func head(_ fixture: LedgerFixture) throws -> LedgerHead {
        try fixture.perform { try JournalStore.head($0) }
    }

    @Test("an unbalanced entry leaves nothing behind")
    func unbalanced() throws {
        let fixture = try LedgerFixture()
        let entry = entry(
            fixture, try fixture.participant(),
            [Posting(.programExpense, 5), Posting(.participantPending, -4)])
        #expect(throws: JournalFault.unbalanced) {
            try fixture.perform { _ = try JournalStore.post(entry, $0) }
        }
        #expect(try head(fixture) == .empty)
        #expect(try fixture.count("ledger_accounts") == 0)
    }

    @Test("an entry that would overflow a balance is refused as a whole")
    func overflow() throws {
        let fixture = try LedgerFixture()
        let most = JournalRules.balanceMax
        let participant = try fixture.participant()
        let big = entry(
            fixture, participant,
            [Posting(.programExpense, most), Posting(.participantPending, -most)])
        let small = entry(
            fixture, participant,
            [Posting(.programExpense, 1), Posting(.participantPending, -1)])
        try fixture.perform { _ = try JournalStore.post(big, $0) }
        #expect(throws: MoneyError.overflow) {
            try fixture.perform { _ = try JournalStore.post(small, $0) }
        }
        #expect(try head(fixture).sequence == 1)
        #expect(try fixture.balance(of: participant) == ParticipantBalance(pending: most))
    }

    @Test("transactions count from 1 without gaps and each carries the hash of the one before")
    func chain() throws {
        let fixture = try LedgerFixture()
        let entry = entry(
            fixture, try fixture.participant(),
            [Posting(.programExpense, 5), Posting(.participantPending, -5)])
        let links = try fixture.perform { tx in
            try (0..<3).map { _ in try JournalStore.post(entry, tx) }
        }
        struct Undone: Error {}
        #expect(throws: Undone.self) {
            try fixture.perform { tx in
                _ = try JournalStore.post(entry, tx)
                throw Undone()
            }
        }
        let last = try fixture.perform { try JournalStore.post(entry, $0) }
        #expect((links + [last]).map(\.sequence) == [1, 2, 3, 4])
        #expect(links[0].previousHash == [UInt8](repeating: 0, count: 32))
        #expect(links[1].previousHash == links[0].hash)
        #expect(last.previousHash == links[2].hash)
        #expect(Set((links + [last]).map(\.hash)).count == 4)
        let head = try head(fixture)
        #expect(head == LedgerHead(sequence: 4, hash: last.hash))
        let read = try fixture.perform { try LedgerReads.transaction(last.id, $0) }
        #expect(read?.computedHash == last.hash)
    }

    @Test("a balance kept with its account is the sum of its postings, and all are zero")
    func balances() throws {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        let participant = try fixture.participant()
        for amount in [10_000, 333, 25] as [Int64] {
            _ = try fixture.sell(amount, to: participant)
        }
        let differing = try fixture.perform { tx in
            try tx.integer(
                """
                SELECT count(*) FROM ledger_accounts a WHERE balance <> (
                    SELECT coalesce(sum(amount), 0) FROM ledger_postings WHERE account_seq = a.seq)
                """)
        }
        #expect(differing == 0)
        #expect(try fixture.count("ledger_accounts") == 4)
        #expect(try fixture.perform { try JournalStore.imbalance($0) } == 0)
        #expect(try fixture.balance(of: participant).available == 1_000 + 33 + 2)
    }

    @Test("a tampered balance shows as an imbalance")
    func imbalance() throws {
        let fixture = try LedgerFixture()
        try fixture.rule(.flat(fixture.money(100)))
        _ = try fixture.sell(1, to: fixture.participant())
        try fixture.perform {
            try $0.run("UPDATE ledger_accounts SET balance = balance + 7 WHERE seq = 1")
        }
        #expect(try fixture.perform { try JournalStore.imbalance($0) } == 7)
    }

    static let forbidden: [StaticString] = [
        "UPDATE ledger_transactions SET kind = 'x'",
        "UPDATE ledger_transactions SET hash = x'00'",
        "UPDATE ledger_postings SET amount = amount + 1",
        "UPDATE ledger_accounts SET participant_id = NULL, kind = 'program_expense'",
        "UPDATE ledger_accounts SET currency = 'EUR'",
        "DELETE FROM ledger_postings",
        "DELETE FROM ledger_transactions",
        "DELETE FROM ledger_accounts",
    ]

    @Test("no row of the journal can be changed or deleted", arguments: forbidden.indices)
    func immutable(place: Int) throws {
        let fixture = try LedgerFixture()
        try fixture.rule(.flat(fixture.money(100)))
        _ = try fixture.sell(1, to: fixture.participant())
        let fault = #expect(throws: DatabaseFault.self) {
            try fixture.perform { try $0.run(JournalStoreTests.forbidden[place]) }
        }
        #expect(fault?.isTriggerRefusal == true)
        #expect(try fixture.faults() == [])
    }
}
