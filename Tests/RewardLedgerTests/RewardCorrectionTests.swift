import Database
import Model
import Testing

@testable import RewardLedger

/// Credit that goes away and comes back, and what a person has said about the reward meanwhile.
@Suite struct RewardCorrectionTests {
    /// Ten percent of a sale of 100.00, which is Ada's at first, on hold.
    private struct Scene {
        let fixture: LedgerFixture
        let ada: ParticipantID
        let ben: ParticipantID
        let sale: ConversionID
        let recordedAt: Instant
        let reward: RewardID

        init() throws {
            let fixture = try LedgerFixture()
            try fixture.rule(.basisPoints(1_000, atMost: nil))
            ada = try fixture.participant()
            ben = try fixture.participant()
            let (conversion, rewards) = try fixture.sell(10_000, to: ada)
            reward = try #require(rewards.first).id
            sale = conversion
            recordedAt = fixture.now
            self.fixture = fixture
        }

        /// Decides that so much of the sale is Ada's and the rest Ben's; what Ada got by that.
        @discardableResult
        func decide(ada share: Int64) throws -> [Int64] {
            let known = try fixture.perform { try RewardStore.rewards(of: sale, $0) }.map(\.id)
            let credits = [(ada, share), (ben, 10_000 - share)].filter { $0.1 > 0 }.map {
                Credit(participant: $0, parts: $1, base: fixture.money($1))
            }
            return try fixture.perform { tx in
                try RewardCorrection.run(
                    fixture.occasion(conversion: sale, attribution: tx.makeID()),
                    of: fixture.sale(
                        sale, credits, refunded: 0, of: 10_000, refund: nil,
                        recordedAt: recordedAt), tx)
            }.filter { !known.contains($0.id) && $0.participant == ada }.map(\.amount.amount)
        }

        func refuse(_ id: RewardID, isVoided: Bool) throws {
            try fixture.perform { tx in
                let reward = try #require(try RewardStore.find(id, tx))
                _ =
                    try isVoided
                    ? RewardBook.void(reward, reason: "fraud", actor: "test", tx)
                    : RewardBook.reject(reward, reason: "fraud", actor: "test", tx)
            }
        }

        /// What counts of Ada's rewards.
        func earned() throws -> Int64 {
            try fixture.perform { try RewardStore.rewards(of: sale, $0) }
                .reduce(0) { $0 + ($1.participant == ada ? $1.netAmount : 0) }
        }
    }

    @Test(
        "what a person refused does not come back with the credit",
        arguments: [false, true])
    func staysRefused(isVoided: Bool) throws {
        let scene = try Scene()
        try scene.refuse(scene.reward, isVoided: isVoided)
        for _ in 0..<3 {
            #expect(try scene.decide(ada: 0) == [])
            #expect(try scene.decide(ada: 10_000) == [])
            #expect(try scene.earned() == 0)
        }
        let refused = try scene.fixture.reward(scene.reward)
        #expect(refused.state == (isVoided ? .voided : .rejected))
        #expect(refused.correctedAmount == 0)
        #expect(try scene.fixture.faults() == [])
    }

    @Test("of a larger share than was refused the difference is given, and taken, and given again")
    func beyondWhatWasRefused() throws {
        let scene = try Scene()
        try scene.decide(ada: 6_000)
        // 600 of the 1,000 are Ada's when a person says no.
        try scene.refuse(scene.reward, isVoided: false)
        #expect(try scene.decide(ada: 6_000) == [])
        #expect(try scene.decide(ada: 9_000) == [300])
        #expect(try scene.earned() == 300)
        #expect(try scene.decide(ada: 7_000) == [])
        #expect(try scene.earned() == 100)
        #expect(try scene.decide(ada: 0) == [])
        #expect(try scene.earned() == 0)
        #expect(try scene.decide(ada: 9_000) == [300])
        #expect(try scene.earned() == 300)
        #expect(try scene.fixture.faults() == [])
    }

    @Test("what only a decision took back does come back with the credit")
    func comesBack() throws {
        let scene = try Scene()
        #expect(try scene.decide(ada: 0) == [])
        #expect(try scene.fixture.reward(scene.reward).state == .voided)
        #expect(try scene.decide(ada: 10_000) == [1_000])
        #expect(try scene.earned() == 1_000)
        #expect(try scene.fixture.faults() == [])
    }
}
