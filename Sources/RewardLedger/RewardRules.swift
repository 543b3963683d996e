import Model

/// Why an action on a reward is refused, beside its state.
public enum RewardRefusal: Error, Equatable, Sendable {
    /// A payout holds it: only the payout's outcome changes it.
    case inPayout(PayoutID)
    /// A part of it has been paid, or kept back for what it owed.
    case partlyPaid
    /// The program takes nothing back that was paid.
    case neverTakenBack
    /// What was paid could be taken back until then.
    case takenBackTooLate(Instant)
    /// A reward by hand is for somebody who takes part.
    case notApproved
    /// Its rule says what it is.
    case nothingToChoose
    /// It may be chosen among these alone.
    case notOffered([RewardRule.Kind])
}

/// Decisions about rewards: pure.
public enum RewardRules {
    /// The state once the hold is over: reviewed by a person at the threshold or above it (R171:
    /// only amounts under it are automatic), by what is left of the reward then. A reward that is
    /// shared is reviewed as if it were one: sharing must not get around the line.
    public static func stateAfterHold(
        _ amount: Int64, of granted: Int64, whole: Int64, threshold: Int64?
    ) -> Reward.State {
        guard let threshold else { return .approved }
        let together = granted > 0 ? Int128(amount) * Int128(whole) / Int128(granted) : 0
        return together >= Int128(threshold) ? .review : .approved
    }

    /// The state at the beginning: without hold days the hold is over at once, unless the budget
    /// has it wait.
    public static func firstState(
        _ amount: Int64, whole: Int64, holdDays: Int64, threshold: Int64?,
        budget: BudgetDecision.Outcome = .fits
    ) -> Reward.State {
        guard holdDays == 0, budget != .queued else { return .pending }
        if budget == .review { return .review }
        return stateAfterHold(amount, of: amount, whole: whole, threshold: threshold)
    }

    /// A payout's reward, or one that was paid in part, is not decided about any more.
    public static func checkFree(_ reward: Reward) throws(RewardRefusal) {
        if reward.state == .approved, let payout = reward.payout { throw .inPayout(payout) }
        guard isUntouched(reward) else { throw .partlyPaid }
    }

    /// Nothing of it has been paid, neither with money nor by what it once owed and a payout kept
    /// back.
    static func isUntouched(_ reward: Reward) -> Bool {
        reward.settledAmount == 0 && reward.clawbackAmount == 0
    }

    /// How much of a reward of `amount` must have been taken back once `refunded` of a sale of
    /// `whole` is: the exact proportion, rounded once, a half to the even neighbour. It depends on
    /// the total alone, so refunds in any order and number end at the same; a full refund takes
    /// back all.
    public static func reversalTarget(amount: Int64, refunded: Int64, whole: Int64) -> Int64 {
        guard refunded > 0 else { return 0 }
        guard refunded < whole else { return amount }
        // At most 2^63 times 2^63, and the quotient is at most `amount`.
        let product = Int128(amount) * Int128(refunded)
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: Int128(whole))
        let twice = remainder * 2
        let up = twice > Int128(whole) || (twice == Int128(whole) && !quotient.isMultiple(of: 2))
        return Int64(up ? quotient + 1 : quotient)
    }

    /// What taking back `more` of a reward takes from what is not paid yet, and what it claws back.
    public static func reversal(of reward: Reward, by more: Int64) -> (unpaid: Int64, owed: Int64) {
        let isFree = reward.state.isWaiting || (reward.state == .approved && reward.payout == nil)
        let unpaid = isFree ? min(more, reward.payable) : 0
        return (unpaid, more - unpaid)
    }

    /// What still counts of a reward and has not been paid, whether a payout holds it or not.
    static func unpaid(of reward: Reward) -> Int64 { min(reward.netAmount, reward.payable) }

    /// The state in which what was taken back in whole counts again. What nobody had approved waits
    /// as it did: for a person where it was flagged, else until its hold is over.
    static func resumedState(_ reward: Reward) -> Reward.State {
        if reward.approvedAt == nil {
            guard reward.state == .voided else { return reward.state }
            return reward.flags.isEmpty ? .pending : .review
        }
        return reward.payable > 0 ? .approved : settledState(reward)
    }

    /// What of `less` that counts again meets what is owed for the reward, and what is available or
    /// waits again. `owed` is all that its participant owes.
    static func restoration(
        of reward: Reward, by less: Int64, owed: Int64
    ) -> (unpaid: Int64, forgiven: Int64) {
        let forgiven = max(0, min(less, reward.clawbackAmount, owed))
        return (less - forgiven, forgiven)
    }

    /// The state that the amounts of a reward which waits for no person imply: nothing left to pay
    /// means paid, or clawed back when nothing of what was paid still counts, or voided when
    /// nothing was paid.
    public static func settledState(_ reward: Reward) -> Reward.State {
        guard reward.payable == 0 else { return reward.state }
        if reward.settledAmount == 0 { return .voided }
        return reward.netAmount == 0 ? .clawedBack : .paid
    }
}
