import Database
import Model
import RewardLedger

/// A lead turns out not to count: what it has earned and nobody has been paid for goes back.
enum VoidRewards {
    /// The voided rewards. Those that were paid, in part or whole, or are in a payout stay.
    @discardableResult
    static func run(
        lead: LeadID, reason: String, actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        try BenefitBook.voidAll(of: lead, reason: reason, actor: actor, tx)
        return try RewardBook.voidAll(of: lead, reason: reason, actor: actor, tx)
    }
}
