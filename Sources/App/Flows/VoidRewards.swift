import Database
import Model
import RewardLedger

/// A lead turns out not to count: what it has earned and nobody has been paid for goes back. What
/// was paid by then is the program's risk: it chose to pay before the deal is won (R18).
enum VoidRewards {
    /// The rewards that changed. What a payout holds, draft or with the provider, is owed back from
    /// now on: a draft is not submitted any more, and what leaves all the same is kept back from
    /// the next payout.
    @discardableResult
    static func run(
        lead: LeadID, reason: String, actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        try BenefitBook.voidAll(of: lead, reason: reason, actor: actor, tx)
        return try RewardBook.voidAll(of: lead, reason: reason, actor: actor, tx)
    }
}
