import Database
import JSON
import Model

/// The credit of a sale was decided anew: whoever has less of it gives the difference back, whoever
/// has more gets it as a further reward. Nothing that was granted is changed; the journal gets new
/// entries. What a person rejected or voided stays so, however often credit goes away and comes
/// back: of a share, only what is beyond it is given.
public enum RewardCorrection {
    /// What the sale was, for rewards that are granted or taken back now.
    public struct Sale: Sendable {
        /// When it was recorded: the rules of that moment apply.
        public let recordedAt: Instant
        /// Its whole, and what of that was refunded.
        public let amount: Int64
        public let refunded: Int64
        /// The newest of its refunds.
        public let refund: RefundID?

        public init(recordedAt: Instant, amount: Int64, refunded: Int64, refund: RefundID?) {
            self.recordedAt = recordedAt
            self.amount = amount
            self.refunded = refunded
            self.refund = refund
        }
    }

    /// Brings the rewards of the occasion's conversion to what `credits` give. Returns those that
    /// changed or are new. Called again with the same credits it changes nothing.
    public static func run(
        _ occasion: RewardOccasion, to credits: [Credit], of sale: Sale, _ tx: Transaction
    ) throws -> [Reward] {
        guard let conversion = occasion.conversion else { return [] }
        var occasion = occasion
        occasion.recordedAt = sale.recordedAt
        let granted = try RewardStore.rewards(of: conversion, tx).filter {
            $0.trigger == .conversion
        }
        let rules = try RewardRuleStore.inForce(
            in: occasion.program, for: occasion.trigger, at: sale.recordedAt,
            granted: Dictionary(granted.map { ($0.rule, $0.ruleVersion) }) { first, _ in first },
            tx
        ).filter {
            // Points that a database from before them gave as a benefit stay one.
            try $0.terms.isReward && !BenefitStore.exists($0.id, occasion, tx)
        }
        occasion.facts = RewardReckoning.facts(occasion, held: granted)
        let refused = try Set(granted.filter { try isRefused($0, tx) }.map(\.id))
        try ReferralCountStore.keep(conversion, for: credits.map(\.participant), tx)
        try RewardBook.count(occasion, for: credits, tx)
        var changed: [Reward] = []
        // First what is taken back, so that nobody's balance is larger in between than it will be.
        for rule in rules {
            let occasion = occasion.terms(for: rule)
            let shares = try RewardReckoning.shares(
                rule, occasion, credits, held: granted, at: sale.recordedAt, tx)
            let held = granted.filter { $0.rule == rule.id }
            for participant in participants(held) {
                let own = Holding(held, of: participant, refused: refused)
                let share = shares.first { $0.participant == participant }?.amount.amount ?? 0
                let excess = -own.missing(to: share)
                if excess > 0 {
                    changed += try takeBack(excess, of: own.rewards, sale, occasion.actor, tx)
                }
            }
            for share in shares {
                let own = Holding(held, of: share.participant, refused: refused)
                let missing = own.missing(
                    to: own.isEmpty ? share.beforeLimits : share.amount.amount)
                guard missing > 0 else { continue }
                // What the limits left then may have gone to other rewards since.
                let placement = try RewardReckoning.place(
                    missing, for: share.participant, rule, occasion, at: sale.recordedAt, tx)
                guard own.isEmpty || placement.amount > 0,
                    let reward = try grant(placement, of: share, by: rule, occasion, sale, tx)
                else { continue }
                changed.append(reward)
            }
        }
        return changed
    }

    /// What one participant has of the sale by one rule, refunds aside.
    private struct Holding {
        /// What moves with the credit.
        let rewards: [Reward]
        /// What belongs to the participant of those, and of what was refused.
        private let counted: Int64
        private let refused: Int64
        let isEmpty: Bool

        init(_ held: [Reward], of participant: ParticipantID, refused: Set<RewardID>) {
            let own = held.filter { $0.participant == participant }
            func counted(_ rewards: [Reward]) -> Int64 {
                rewards.reduce(0) { $0 + $1.amount.amount - $1.correctedAmount }
            }
            rewards = own.filter { !refused.contains($0.id) }
            self.counted = counted(rewards)
            self.refused = counted(own) - self.counted
            isEmpty = own.isEmpty
        }

        /// What the participant lacks of `share`; negative for what is too much.
        func missing(to share: Int64) -> Int64 { max(0, share - refused) - counted }
    }

    /// Whether a person said no to all that was left of it. A refund or an earlier correction is no
    /// such word.
    private static func isRefused(_ reward: Reward, _ reader: Reader) throws -> Bool {
        try reward.netAmount == 0 && RewardStore.isRefused(reward.id, reader)
    }

    private static func participants(_ rewards: [Reward]) -> [ParticipantID] {
        rewards.reduce(into: []) { list, reward in
            if !list.contains(reward.participant) { list.append(reward.participant) }
        }
    }

    /// Takes `excess` from the rewards of one participant by one rule, the newest first.
    private static func takeBack(
        _ excess: Int64, of rewards: [Reward], _ sale: Sale, _ actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        var excess = excess
        var changed: [Reward] = []
        for reward in rewards.reversed() where excess > 0 {
            let part = min(excess, reward.amount.amount - reward.correctedAmount)
            guard part > 0 else { continue }
            excess -= part
            let target = RewardRules.reversalTarget(
                amount: reward.amount.amount, corrected: reward.correctedAmount + part,
                refunded: sale.refunded, whole: sale.amount)
            let more = target - reward.reversedAmount
            // What was refunded in whole has nothing left to give.
            guard more > 0 else {
                var noted = reward
                noted.correctedAmount += part
                try RewardBook.save(&noted, from: reward, actor: actor, tx)
                changed.append(noted)
                continue
            }
            changed.append(
                try RewardBook.reverse(
                    reward, by: more, corrected: part, refund: nil, reason: "reattributed",
                    actor: actor, tx))
        }
        return changed
    }

    /// A further reward for what was missing to `share`; what was refunded of the sale goes from it
    /// at once.
    private static func grant(
        _ placement: RewardPlacement, of share: RewardRules.Share, by rule: RewardRule,
        _ occasion: RewardOccasion, _ sale: Sale, _ tx: Transaction
    ) throws -> Reward? {
        var part = share
        part.placement = placement
        part.whole = max(share.whole, placement.amount)
        guard let reward = try RewardBook.grant(part, by: rule, occasion, tx) else { return nil }
        let target = RewardRules.reversalTarget(
            amount: placement.amount, refunded: sale.refunded, whole: sale.amount)
        guard target > 0 else { return reward }
        return try RewardBook.reverse(
            reward, by: target, refund: sale.refund, reason: "refunded", actor: occasion.actor, tx)
    }
}
