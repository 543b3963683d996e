import Database
import Model
import Programs
import RewardLedger

/// The recipient of a reward says in which form it wants it; who says nothing in the rule's time
/// gets the first of them.
enum ChooseReward {
    static func run(
        _ kind: RewardRule.Kind, for reward: Reward, actor: String, reason: String? = nil,
        _ tx: Transaction
    ) throws -> Reward {
        let program = try ProgramStore.recall(reward.program, tx)
        return try RewardBook.choose(
            kind, for: reward, serviceLevels: program?.terms.serviceLevels, actor: actor,
            reason: reason, tx)
    }

    /// Chooses for whoever has not, in a transaction of the job runner.
    static func due(_ id: RewardID, _ tx: Transaction) throws {
        guard let reward = try RewardStore.find(id, tx), let until = reward.chooseBy,
            until <= tx.now, let first = reward.choice.kinds.first
        else { return }
        _ = try run(first, for: reward, actor: "system", reason: "not_chosen_in_time", tx)
    }
}
