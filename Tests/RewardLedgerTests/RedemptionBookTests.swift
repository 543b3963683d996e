import Database
import Model
import Testing

@testable import RewardLedger

@Suite struct RedemptionBookTests {
    @Test("a redemption uses up the oldest points first, and the newest it needs in part")
    func oldestFirst() throws {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.pointsRule(100)
        let participant = try fixture.participant()
        let rewards = try (1...3).map { _ in
            try #require(fixture.sell(1_000, to: participant).rewards.first).id
        }
        let item = try fixture.item(150)
        let redemption = try fixture.perform {
            try RedemptionBook.request(
                RedemptionOrder(
                    reference: nil, participant: participant, item: item, country: nil,
                    actor: "test"), $0
            ).redemption
        }
        let used = try fixture.perform { try RedemptionStore.items(of: redemption.id, $0) }
        #expect(used.map(\.reward) == Array(rewards.prefix(2)))
        #expect(used.map(\.amount) == [100, 50])
        #expect(try rewards.map { try fixture.reward($0).state } == [.paid, .approved, .approved])
        #expect(
            try fixture.balance(of: participant)
                == ParticipantBalance(available: 150, inPayout: 150)
        )
        #expect(try fixture.faults() == [])
    }

    // MARK: - Rules

    @Test(
        "what is owed is set off before anything is redeemed",
        arguments: [
            (500, 0, 500, 0), (500, 200, 300, 200), (500, 200, 301, nil), (0, 0, 1, nil),
            (100, 300, 1, nil),
        ] as [(Int64, Int64, Int64, Int64?)])
    func clawback(available: Int64, owed: Int64, price: Int64, kept: Int64?) throws {
        let balance = ParticipantBalance(available: available, owed: owed)
        guard let kept else {
            let free = max(0, available - owed)
            #expect(throws: RedemptionRefusal.notEnoughPoints(available: free, needed: price)) {
                try RedemptionRules.clawback(balance, price: price)
            }
            return
        }
        #expect(try RedemptionRules.clawback(balance, price: price) == kept)
    }

    @Test("points that are spread over more rewards than one redemption uses up are refused")
    func spread() throws {
        #expect(try RedemptionRules.allocate(5, over: [2, 2, 2]) == [2, 2, 1])
        #expect(throws: RedemptionRefusal.tooManyRewards) {
            try RedemptionRules.allocate(7, over: [2, 2, 2])
        }
    }

    // MARK: - Proofs

    @Test(
        "the verifier finds what was changed of a redemption",
        arguments: [
            ("UPDATE redemptions SET points = points + 1", "differs from its transactions"),
            ("UPDATE redemptions SET state = 'cancelled'", "differs from its transactions"),
            ("UPDATE redemptions SET state = 'fulfilled'", "on payout_clearing"),
            ("UPDATE redemption_rewards SET amount = 1", "differs from what it used of rewards"),
            ("DELETE FROM redemption_rewards", "differs from what was settled of it"),
            (
                """
                UPDATE redemptions
                SET participant_id = (SELECT id FROM participants WHERE seq = 2)
                """,
                "differs in owner or currency"
            ),
            ("DELETE FROM redemptions", "is about nothing that there is"),
            ("UPDATE redemptions SET kind = 'cash'", "cannot be read to the end"),
        ] as [(StaticString, String)])
    func tampering(sql: StaticString, told: String) throws {
        let fixture = try LedgerFixture(holdDays: 0, threshold: nil)
        try fixture.pointsRule(100)
        let participant = try fixture.participant()
        _ = try fixture.participant()
        _ = try fixture.sell(1_000, to: participant)
        let item = try fixture.item(60)
        try fixture.perform {
            _ = try RedemptionBook.request(
                RedemptionOrder(
                    reference: nil, participant: participant, item: item, country: nil,
                    actor: "test"), $0)
        }
        #expect(try fixture.faults() == [])
        try fixture.perform {
            if told.contains("nothing") { try $0.run("DELETE FROM redemption_rewards") }
            try $0.run(sql)
        }
        let faults = try fixture.faults()
        #expect(faults.contains { $0.contains(told) }, "\(faults)")
    }
}
