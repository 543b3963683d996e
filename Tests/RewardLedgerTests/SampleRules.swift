import JSON
import Model

@testable import RewardLedger

/// Rules for tests of what is pure.
enum SampleRules {
    static func rule(_ terms: RewardTerms) -> RewardRule {
        let now = Instant(milliseconds: 0)
        return RewardRule(
            id: RewardRuleID(high: 1, low: 1), program: ProgramID(high: 1, low: 2), name: nil,
            state: .active, terms: terms, metadata: [:], version: 1, createdAt: now, updatedAt: now)
    }
}
