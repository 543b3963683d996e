import Database
import Model
import Programs
import RewardLedger

/// Something about a reward is overdue: what stands in the way, as far as the service knows.
enum FindObstacle {
    /// Nil where nothing does; also for a clock whose reward is gone.
    static func run(_ clock: RewardClock, _ reader: Reader) throws -> RewardObstacle? {
        guard let reward = try RewardStore.find(clock.reward, reader) else { return nil }
        return try run(OverdueRewards(clock, reward), reader)
    }

    static func run(_ overdue: OverdueRewards, _ reader: Reader) throws -> RewardObstacle? {
        let participant = try ParticipantStore.find(overdue.participant, reader)
        return try overdue.obstacle(
            mayBePaid: participant.map { ParticipantRules.mayBePaid($0.state) } ?? true, reader)
    }
}
