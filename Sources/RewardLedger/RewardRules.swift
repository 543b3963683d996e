import JSON
import Model

/// Why an action on a reward is refused, beside its state.
public enum RewardRefusal: Error, Equatable, Sendable {
    /// A payout holds it: only the payout's outcome changes it.
    case inPayout(PayoutID)
    /// A part of it has been paid, or kept back for what it owed.
    case partlyPaid
}

/// Decisions about rewards: pure.
public enum RewardRules {
    /// One reward to be made.
    public struct Share: Sendable, Equatable {
        public let participant: ParticipantID
        public let amount: Money
        /// What the participant is credited with.
        public let base: Money?
        /// What the rule gives on this occasion, to all who share it.
        public let whole: Int64
        /// What basis points were taken of; nil for a flat amount.
        public let wholeBase: Int64?
        /// Of `wholeBase` times basis points after division by 10,000, before rounding.
        public let remainder: Int64
        /// `whole` before the rule's maximum.
        public let uncapped: Int64
    }

    /// What `terms` give to whom. The rule gives once on an occasion: a flat amount, or basis
    /// points of all that is credited to participants, rounded once, a half to the even neighbour,
    /// and cut at the maximum. Those who share the credit share that amount by largest remainder,
    /// so that nothing is lost and the maximum holds for all together. A share of nothing is none.
    /// Credits of one participant count together.
    public static func shares(
        _ terms: RewardTerms, _ credits: [Credit]
    ) throws(MoneyError) -> [Share] {
        let credits = try merged(credits)
        let whole: Int64
        var uncapped: Int64
        var wholeBase: Money?
        var remainder: Int64 = 0
        let currency: Currency
        switch terms.rate {
        case .flat(let money):
            (whole, uncapped, currency) = (money.amount, money.amount, money.currency)
        case .basisPoints(let points, let most):
            for base in credits.compactMap(\.base) {
                wholeBase = try wholeBase?.adding(base) ?? base
            }
            guard let sum = wholeBase else { return [] }
            let exact = try sum.basisPoints(points)
            var amount = exact
            if let most, try most.isLess(than: exact) { amount = most }
            (whole, uncapped, currency) = (amount.amount, exact.amount, exact.currency)
            remainder = Int64((Int128(sum.amount) * Int128(points)) % 10_000)
        }
        let amounts = Apportionment.split(whole, by: weights(credits, byBase: wholeBase != nil))
        var shares: [Share] = []
        for (credit, amount) in zip(credits, amounts) where amount > 0 {
            shares.append(
                Share(
                    participant: credit.participant,
                    amount: Money(amount: amount, currency: currency), base: credit.base,
                    whole: whole, wholeBase: wholeBase?.amount, remainder: remainder,
                    uncapped: uncapped))
        }
        return shares
    }

    /// By what those who share a reward share it: the credited money where it is a part of that,
    /// else the parts of the credit.
    private static func weights(_ credits: [Credit], byBase: Bool) -> [Int64] {
        credits.map { byBase ? $0.base?.amount ?? 0 : $0.parts }
    }

    private static func merged(_ credits: [Credit]) throws(MoneyError) -> [Credit] {
        var merged: [Credit] = []
        for credit in credits {
            guard let place = merged.firstIndex(where: { $0.participant == credit.participant })
            else {
                merged.append(credit)
                continue
            }
            let known = merged[place]
            var base = known.base
            if let more = credit.base { base = try base?.adding(more) ?? more }
            merged[place] = Credit(
                participant: credit.participant, parts: known.parts + credit.parts, base: base)
        }
        return merged
    }

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

    /// The state at the beginning: without hold days the hold is over at once.
    public static func firstState(
        _ amount: Int64, whole: Int64, holdDays: Int64, threshold: Int64?
    ) -> Reward.State {
        guard holdDays == 0 else { return .pending }
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

    /// How much of a reward no longer counts once `corrected` of it went to others by a new
    /// decision, and `refunded` of the sale was: refunds take their proportion of what is left.
    public static func reversalTarget(
        amount: Int64, corrected: Int64, refunded: Int64, whole: Int64
    ) -> Int64 {
        corrected + reversalTarget(amount: amount - corrected, refunded: refunded, whole: whole)
    }

    /// What taking back `more` of a reward takes from what is not paid yet, and what it claws back.
    public static func reversal(of reward: Reward, by more: Int64) -> (unpaid: Int64, owed: Int64) {
        let isFree = reward.state.isWaiting || (reward.state == .approved && reward.payout == nil)
        let unpaid = isFree ? min(more, reward.payable) : 0
        return (unpaid, more - unpaid)
    }

    /// The state that the amounts of a reward which waits for no person imply: nothing left to pay
    /// means paid, or clawed back when nothing of what was paid still counts, or voided when
    /// nothing was paid.
    public static func settledState(_ reward: Reward) -> Reward.State {
        guard reward.payable == 0 else { return reward.state }
        if reward.settledAmount == 0 { return .voided }
        return reward.netAmount == 0 ? .clawedBack : .paid
    }

    /// What explains the amount: rule, inputs, arithmetic, hold and threshold.
    static func basis(
        _ rule: RewardRule, _ share: Share, _ occasion: RewardOccasion
    ) -> JSONValue {
        var arithmetic: JSONObject = ["amount": .integer(share.amount.amount)]
        if share.whole != share.amount.amount { arithmetic["whole"] = .integer(share.whole) }
        if case .basisPoints(let points, let most) = rule.terms.rate, let base = share.wholeBase {
            arithmetic["base"] = .integer(base)
            arithmetic["basis_points"] = .integer(points)
            arithmetic["divisor"] = 10_000
            arithmetic["remainder"] = .integer(share.remainder)
            arithmetic["rounding"] = "half_even"
            arithmetic["before_maximum"] = .integer(share.uncapped)
            arithmetic["maximum"] = most.map { .integer($0.amount) } ?? .null
        }
        return [
            "rule": rule.terms.json,
            "rule_name": rule.name.map { .string($0) } ?? .null,
            "program_version": .integer(occasion.programVersion),
            "arithmetic": .object(arithmetic),
            "credited": share.base?.stored ?? .null,
            "conversion_kind": occasion.trigger.conversionKind.map { .string($0) } ?? .null,
            "hold_days": .integer(occasion.holdDays),
            "approval_threshold": occasion.approvalThreshold.map { .integer($0) } ?? .null,
        ]
    }
}

extension RewardRule.Trigger {
    var conversionKind: String? {
        if case .conversion(let kind) = self { kind } else { nil }
    }
}
