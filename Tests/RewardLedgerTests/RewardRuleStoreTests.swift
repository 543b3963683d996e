import Database
import JSON
import Model
import Records
import Testing

@testable import RewardLedger

@Suite struct RewardRuleStoreTests {
    @Test("a changed rule is a new version: later rewards name it, earlier ones keep theirs")
    func versions() throws {
        let fixture = try LedgerFixture()
        var rule = try fixture.rule(.basisPoints(1_000, atMost: nil))
        let participant = try fixture.participant()
        let early = try fixture.sell(10_000, to: participant).rewards
        rule.terms = RewardTerms(
            trigger: .conversion, recipient: .referrer, kind: .cash,
            rate: .basisPoints(2_000, atMost: nil), conversionKinds: ["purchase"])
        rule.version = 2
        let changed = rule
        try fixture.perform { try RewardRuleStore.update(changed, actor: "test", $0) }
        let late = try fixture.sell(10_000, to: participant).rewards

        #expect(early.map(\.amount.amount) == [1_000] && early.map(\.ruleVersion) == [1])
        #expect(late.map(\.amount.amount) == [2_000] && late.map(\.ruleVersion) == [2])
        let stored = try fixture.perform { try RewardRuleStore.find(changed.id, $0) }
        #expect(stored?.terms == changed.terms && stored?.version == 2)
        let basis = try fixture.reward(try #require(early.first).id).basis.objectValue
        #expect(
            basis?["rule"]?.objectValue?["basis_points"]?.integerValue == 1_000)
    }

    @Test("only active rules of the program count towards its limit")
    func countActive() throws {
        let fixture = try LedgerFixture()
        try fixture.rule(.flat(fixture.money(1)))
        var rule = try fixture.rule(.flat(fixture.money(2)))
        rule.state = .archived
        rule.version = 2
        let archived = rule
        let count = try fixture.perform { tx in
            try RewardRuleStore.update(archived, actor: "test", tx)
            return try RewardRuleStore.countActive(in: fixture.program, tx)
        }
        #expect(count == 1)
    }
}
