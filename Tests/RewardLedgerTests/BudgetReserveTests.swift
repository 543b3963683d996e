import Database
import Model
import Testing

@testable import RewardLedger

/// What a program has set aside and what it has spent, told by the journal alone.
@Suite struct BudgetReserveTests {
    /// A reward of 1,000, on hold, of a sale of 10,000.
    private func books() throws -> (LedgerFixture, ConversionID, RewardID) {
        let fixture = try LedgerFixture()
        try fixture.rule(.basisPoints(1_000, atMost: nil))
        let (sale, rewards) = try fixture.sell(10_000, to: fixture.participant())
        return (fixture, sale, try #require(rewards.first).id)
    }

    /// What is set aside and what is spent.
    private func cost(_ fixture: LedgerFixture) throws -> [Int64] {
        try fixture.perform { [program = fixture.program, currency = fixture.currency] tx in
            try [.budgetReserve, .programExpense].map {
                try JournalStore.balance($0, of: program, currency, tx)
            }
        }
    }

    private func act(
        _ fixture: LedgerFixture, on id: RewardID,
        _ act: @escaping @Sendable (Reward, Transaction) throws -> Reward
    ) throws {
        try fixture.perform { tx in
            guard let reward = try RewardStore.find(id, tx) else { throw MissingRow() }
            _ = try act(reward, tx)
        }
    }

    private func reject(_ fixture: LedgerFixture, _ id: RewardID) throws {
        try act(fixture, on: id) { try RewardBook.reject($0, reason: "no", actor: "test", $1) }
    }

    private func void(_ fixture: LedgerFixture, _ id: RewardID) throws {
        try act(fixture, on: id) { try RewardBook.void($0, reason: "no", actor: "test", $1) }
    }

    @Test("a reward is set aside while it waits, and an expense from its approval on")
    func approval() throws {
        let (fixture, sale, reward) = try books()
        #expect(try cost(fixture) == [1_000, 0])
        try fixture.refund(sale, total: 2_000, of: 10_000)
        #expect(try cost(fixture) == [800, 0])
        try fixture.approve(reward)
        #expect(try cost(fixture) == [0, 800])
        try fixture.refund(sale, total: 5_000, of: 10_000)
        #expect(try cost(fixture) == [0, 500])
        try void(fixture, reward)
        #expect(try cost(fixture) == [0, 0])
        #expect(try fixture.faults() == [])
    }

    @Test("an approval moves pending, available, reserve and expense in one transaction")
    func fourPostings() throws {
        let (fixture, _, reward) = try books()
        try fixture.approve(reward)
        let approval = try #require(try fixture.transactions().last)
        #expect(approval.entry.kind == .rewardApproved)
        #expect(
            approval.entry.postings == [
                Posting(.participantPending, 1_000), Posting(.participantAvailable, -1_000),
                Posting(.programExpense, 1_000), Posting(.budgetReserve, -1_000),
            ])
    }

    @Test(
        "what is rejected or voided while it waits was never an expense", arguments: [false, true])
    func refusal(isVoided: Bool) throws {
        let (fixture, _, reward) = try books()
        try isVoided ? void(fixture, reward) : reject(fixture, reward)
        #expect(try cost(fixture) == [0, 0])
        let kinds = try fixture.transactions().flatMap { $0.entry.postings.map(\.account) }
        #expect(!kinds.contains(.programExpense))
        #expect(try fixture.faults() == [])
    }

    @Test("a claw-back of what was paid lowers the expense")
    func clawback() throws {
        let (fixture, sale, reward) = try books()
        try fixture.approve(reward)
        let participant = try fixture.reward(reward).participant
        try fixture.confirm(fixture.submitted("r1", to: participant))
        try fixture.refund(sale, total: 10_000, of: 10_000)
        #expect(try cost(fixture) == [0, 0])
        #expect(
            try fixture.balance(of: participant) == ParticipantBalance(paid: 1_000, owed: 1_000))
        #expect(try fixture.faults() == [])
    }

    @Test("reserve and expense together fit an account, so that every approval finds room")
    func room() throws {
        let fixture = try LedgerFixture(threshold: nil)
        try fixture.rule(.basisPoints(10_000, atMost: nil))
        let first = try fixture.approvedSale(Money.maximum - 10, to: fixture.participant())
        let second = try #require(
            try fixture.sell(10, to: fixture.participant()).rewards.first)
        #expect(throws: MoneyError.overflow) {
            try fixture.sell(1, to: fixture.participant())
        }
        try fixture.approve(second.id)
        #expect(try cost(fixture) == [0, Money.maximum])
        try fixture.refund(first.conversion, total: 1, of: Money.maximum - 10)
        #expect(try fixture.sell(1, to: fixture.participant()).rewards.count == 1)
        #expect(try fixture.faults() == [])
    }

    @Test("a reserve that is not what its rewards come to is found")
    func tampering() throws {
        let (fixture, _, _) = try books()
        try fixture.perform { tx in
            try tx.run("UPDATE ledger_accounts SET balance = 999 WHERE kind = 'budget_reserve'")
        }
        let faults = try fixture.faults()
        #expect(
            faults.contains {
                $0 == "The reserve of \(fixture.program) in USD is not the sum of its rewards that "
                    + "wait."
            }, "\(faults)")
    }

    @Test("a reward that claims to wait is not excused by an expense it should not have")
    func claim() throws {
        let (fixture, _, reward) = try books()
        try fixture.approve(reward)
        try fixture.perform { tx in try tx.run("UPDATE rewards SET state = 'review'") }
        let faults = try fixture.faults()
        #expect(
            faults.contains { $0.hasSuffix("differs from its transactions on budget_reserve.") })
        #expect(
            faults.contains { $0.hasSuffix("differs from its transactions on program_expense.") })
    }
}
