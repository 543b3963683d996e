import Database
import HTTP
import Model
import Programs
import Records
import RewardLedger

/// Where a program says that money takes two (`approvals.separate`): nobody says yes to what he
/// caused himself. Who did what is read from the events and the rules' versions, the audit trail,
/// so that no other record can differ from it.
enum SeparateDuties {
    enum Refusal: Error, CaseIterable {
        case recordedTheReward, madeTheRule, draftedThePayout
    }

    /// The key that recorded the sale, qualified the lead or decided the credit anew, and the one
    /// that made this version of the rule, do not approve the reward.
    static func checkApproval(
        _ reward: Reward, by actor: String, _ tx: Transaction
    ) throws {
        guard try isAskedFor(reward.program, tx) else { return }
        let first = try EventStore.timeline(of: reward.id, limit: 1, tx).first
        if first?.actor == actor { throw Refusal.recordedTheReward }
        let rule = try RuleVersionStore.find(reward.rule, version: reward.ruleVersion, tx)
        if rule?.actor == actor { throw Refusal.madeTheRule }
    }

    /// The key that drafted the payout does not hand it to the provider.
    static func checkSubmission(
        _ payout: Payout, by actor: String, _ tx: Transaction
    ) throws {
        guard try isAskedFor(payout.program, tx) else { return }
        let first = try EventStore.timeline(of: payout.id, limit: 1, tx).first
        if first?.actor == actor { throw Refusal.draftedThePayout }
    }

    private static func isAskedFor(_ program: ProgramID, _ tx: Transaction) throws -> Bool {
        try ProgramStore.recall(program, tx)?.terms.approvals.isSeparate ?? false
    }
}

extension SeparateDuties.Refusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .recordedTheReward:
            Problem(
                status: 403, code: "separate_approval",
                detail: "The program wants two: this key recorded what earned the reward.")
        case .madeTheRule:
            Problem(
                status: 403, code: "separate_approval",
                detail: "The program wants two: this key made the rule that gave the reward.")
        case .draftedThePayout:
            Problem(
                status: 403, code: "separate_submission",
                detail: "The program wants two: this key drafted the payout.")
        }
    }
}
