import Database
import Model
import RewardLedger

/// A reward's hold ends: it is approved, or goes to review when it is large.
enum ReleaseHold {
    /// The kind of the job that does it.
    static let job = RewardBook.holdJob

    static func run(_ reward: RewardID, _ tx: Transaction) throws {
        try RewardBook.endHold(reward, tx)
    }
}
