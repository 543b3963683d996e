import Database
import JSON
import Model

/// The credit of a sale was decided anew: whoever has less of it gives the difference back, whoever
/// has more gets it as a further reward. Nothing that was granted is changed; the journal gets new
/// entries. What a person rejected or voided stays so, however often credit goes away and comes
/// back: of a share, only what is beyond it is given.
public enum RewardCorrection {
    /// Brings the rewards of the sale to what its credits give. Returns those that changed or are
    /// new. Called again with the same credits it changes nothing.
    public static func run(
        _ occasion: RewardOccasion, of sale: RewardSale, _ tx: Transaction
    ) throws -> [Reward] {
        var occasion = occasion
        occasion.recordedAt = sale.recordedAt
        let credits = sale.credits
        let granted = try RewardStore.rewards(of: sale.conversion, tx).filter {
            $0.trigger == .conversion
        }
        let rules = try rules(occasion, of: sale, granted, tx)
        occasion.facts = RewardReckoning.facts(occasion, held: granted)
        let gone = try ReferralCountStore.keep(
            sale.conversion, for: credits.map(\.participant), tx)
        try RewardBook.count(occasion, for: credits, tx)
        try RewardBook.followCounts(
            of: gone, in: sale.program, refund: nil, actor: occasion.actor, tx)
        var changed: [Reward] = []
        // First what is taken back, so that nobody's balance is larger in between than it will be.
        for rule in rules {
            let occasion = occasion.terms(for: rule)
            let shares = try RewardReckoning.shares(
                rule, occasion, credits, held: granted, at: sale.recordedAt, tx)
            let held = try granted.filter { $0.rule == rule.id }.map {
                (reward: $0, isRefused: try isRefused($0, tx))
            }
            // How many referrals there are decides about a milestone, not who has which share.
            if rule.terms.milestone == nil {
                changed += try takeBack(held, beyond: shares, sale, occasion.actor, tx)
            }
            for share in shares {
                let own = Holding(held, of: share.participant)
                let missing = own.missing(
                    to: own.isEmpty ? share.beforeLimits : share.amount.amount)
                guard missing > 0 else { continue }
                // What the limits left then may have gone to other rewards since.
                let placement = try RewardReckoning.place(
                    missing, for: share.participant, rule, occasion, at: sale.recordedAt, tx)
                guard own.isEmpty || placement.amount > 0,
                    let reward = try grant(placement, of: share, by: rule, occasion, tx)
                else { continue }
                changed.append(reward)
            }
        }
        if sale.isRefunded {
            try RewardBook.count(sale, lead: nil, actor: occasion.actor, tx)
        }
        return try settled(changed, sale, occasion.actor, tx)
    }

    /// The rules that the sale met, in the versions that gave something for it.
    private static func rules(
        _ occasion: RewardOccasion, of sale: RewardSale, _ granted: [Reward], _ reader: Reader
    ) throws -> [RewardRule] {
        var versions: [RewardRuleID: Int64] = [:]
        for reward in granted.reversed() {
            if let rule = reward.rule { versions[rule] = reward.ruleVersion }
        }
        return try RewardRuleStore.inForce(
            in: occasion.program, for: occasion.trigger, at: sale.recordedAt, granted: versions,
            reader
        ).filter {
            // Points that a database from before them gave as a benefit stay one.
            try $0.terms.isReward && !BenefitStore.exists($0.id, occasion, reader)
        }
    }

    /// What was refunded of the sale goes at once from what is new.
    private static func settled(
        _ changed: [Reward], _ sale: RewardSale, _ actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        let rest = try RewardBook.settle(sale, actor: actor, tx)
        let newest = Dictionary(rest.map { ($0.id, $0) }) { _, last in last }
        let known = Set(changed.map(\.id))
        return changed.map { newest[$0.id] ?? $0 } + rest.filter { !known.contains($0.id) }
    }

    /// A reward of the sale, and whether a person said no to all that was left of it. A refund or
    /// an earlier correction is no such word.
    private typealias Held = (reward: Reward, isRefused: Bool)

    /// What one participant has of the sale by one rule, refunds aside.
    private struct Holding {
        /// What moves with the credit.
        let rewards: [Reward]
        /// What belongs to the participant of those, and of what was refused.
        private let counted: Int64
        private let refused: Int64
        let isEmpty: Bool

        init(_ held: [Held], of participant: ParticipantID) {
            let own = held.filter { $0.reward.participant == participant }
            func counted(_ rewards: [Reward]) -> Int64 {
                rewards.reduce(0) { $0 + $1.amount.amount - $1.correctedAmount }
            }
            rewards = own.filter { !$0.isRefused }.map(\.reward)
            self.counted = counted(rewards)
            self.refused = counted(own.map(\.reward)) - self.counted
            isEmpty = own.isEmpty
        }

        /// What the participant lacks of `share`; negative for what is too much.
        func missing(to share: Int64) -> Int64 { max(0, share - refused) - counted }
    }

    private static func isRefused(_ reward: Reward, _ reader: Reader) throws -> Bool {
        try reward.withdrawnFor == .refused && RewardStore.isRefused(reward.id, reader)
    }

    /// Takes back what participants have of a rule beyond their shares.
    private static func takeBack(
        _ held: [Held], beyond shares: [RewardRules.Share], _ sale: RewardSale, _ actor: String,
        _ tx: Transaction
    ) throws -> [Reward] {
        var participants: [ParticipantID] = []
        for (reward, _) in held where !participants.contains(reward.participant) {
            participants.append(reward.participant)
        }
        var changed: [Reward] = []
        for participant in participants {
            let own = Holding(held, of: participant)
            let share = shares.first { $0.participant == participant }?.amount.amount ?? 0
            let excess = -own.missing(to: share)
            guard excess > 0 else { continue }
            let all = held.map(\.reward).filter { $0.participant == participant }
            changed += try takeBack(excess, of: own.rewards, among: all, sale, actor, tx)
        }
        return changed
    }

    /// Takes `excess` from the rewards of one participant by one rule, the newest first. `all` are
    /// those that a person refused as well.
    private static func takeBack(
        _ excess: Int64, of rewards: [Reward], among all: [Reward], _ sale: RewardSale,
        _ actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        var excess = excess
        var parts: [RewardID: Int64] = [:]
        for reward in rewards.reversed() where excess > 0 {
            let part = min(
                excess, reward.amount.amount - reward.correctedAmount - reward.withdrawnAmount)
            guard part > 0 else { continue }
            excess -= part
            parts[reward.id] = part
        }
        let noted = all.map { reward in
            var noted = reward
            noted.correctedAmount += parts[reward.id] ?? 0
            return noted
        }
        let nets = try RewardRules.nets(of: noted, in: sale)
        var changed: [Reward] = []
        for (place, reward) in all.enumerated().reversed() {
            guard let part = parts[reward.id] else { continue }
            let more = reward.netAmount - nets[place]
            // What was refunded in whole has nothing left to give.
            guard more > 0 else {
                var same = noted[place]
                try RewardBook.save(&same, from: reward, actor: actor, tx)
                changed.append(same)
                continue
            }
            changed.append(
                try RewardBook.reverse(
                    reward, RewardBook.Reversal(more, corrected: part, reason: "reattributed"),
                    actor: actor, tx))
        }
        return changed
    }

    /// A further reward for what was missing to `share`.
    private static func grant(
        _ placement: RewardPlacement, of share: RewardRules.Share, by rule: RewardRule,
        _ occasion: RewardOccasion, _ tx: Transaction
    ) throws -> Reward? {
        var part = share
        part.placement = placement
        part.whole = max(share.whole, placement.amount)
        return try RewardBook.grant(part, by: rule, occasion, tx)
    }
}
