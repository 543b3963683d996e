import Database
import JSON
import Model
import Records
import RewardLedger

/// A reward's time has come and the promise was not kept: told once, because the job that does it
/// goes in the same transaction, also when the service was down at that time.
enum MissReward {
    static func run(_ id: RewardID, _ tx: Transaction) throws {
        guard let clock = try RewardClockStore.running(id, tx), clock.dueAt <= tx.now,
            let reward = try RewardStore.find(id, tx)
        else { return }
        try EventStore.append(
            NewEvent(
                "reward.overdue", id, program: reward.program, participant: reward.participant,
                actor: "system", to: reward.state.rawValue, reason: clock.promise.rawValue,
                data: ["due_at": .string(clock.dueAt.rfc3339)]), tx)
    }
}
