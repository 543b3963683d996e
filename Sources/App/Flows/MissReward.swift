import Database
import JSON
import Model
import Records
import RewardLedger

/// A reward's time has come and the promise was not kept, or the target not met: told once, because
/// the job that does it goes in the same transaction, also when the service was down at that time.
enum MissReward {
    static func promise(_ id: RewardID, _ tx: Transaction) throws {
        try tell("reward.overdue", id, of: RewardClock.Promise.promises, tx)
    }

    static func target(_ id: RewardID, _ tx: Transaction) throws {
        try tell("reward.target_missed", id, of: [.target], tx)
    }

    private static func tell(
        _ type: String, _ id: RewardID, of promises: [RewardClock.Promise], _ tx: Transaction
    ) throws {
        let clock = try RewardClockStore.running(id, tx).first {
            promises.contains($0.promise) && $0.dueAt <= tx.now
        }
        guard let clock, let reward = try RewardStore.find(id, tx) else { return }
        let obstacle = try FindObstacle.run(clock, tx)
        try EventStore.append(
            NewEvent(
                type, id, program: reward.program, participant: reward.participant,
                actor: "system", to: reward.state.rawValue, reason: clock.promise.rawValue,
                data: [
                    "due_at": .string(clock.dueAt.rfc3339),
                    "blocked_by": obstacle.map { .string($0.rawValue) } ?? .null,
                ]), tx)
    }
}
