import Database
import Model

/// What retroactive tiers bring for earlier rewards goes back with them (R142).
extension RewardRules {
    /// What `later`, the rewards that were earned after `gone` by its rule, oldest first, each
    /// brought for it: the part of its tier beyond that of those before it. Not more than is left
    /// of what the reward brings for all. What a limit cut away of that is not taken again.
    static func topUps(
        for gone: RewardStanding.Earlier, in later: [RewardStanding.Earlier]
    ) -> [Int64] {
        func part(_ tierAmount: Int64) -> Int64 {
            let lack = Int128(max(0, tierAmount - gone.tierAmount))
            return Int64(clamping: lack * Int128(gone.parts) / Int128(max(1, gone.of)))
        }
        var highest = gone.tierAmount
        return later.map { reward in
            guard reward.retroactive > 0, reward.tierAmount > highest else { return 0 }
            defer { highest = reward.tierAmount }
            let brought = part(reward.tierAmount) - part(highest)
            return min(max(0, brought - reward.cut), reward.retroactive)
        }
    }
}

extension RewardBook {
    /// The reward counts no more, and with it goes what later ones brought for it, as far as that
    /// is not paid yet. Nothing else is reckoned anew: falling below a tier lowers no reward.
    static func takeBackTopUps(for gone: Reward, actor: String, _ tx: Transaction) throws {
        guard gone.tiers?.isRetroactive == true else { return }
        let later = try RewardStore.earned(after: gone, tx).filter {
            $0.netAmount > 0 && $0.tiers?.isRetroactive == true && $0.isOfTiersPeriod(gone)
        }
        for (reward, amount) in zip(
            later, RewardRules.topUps(for: gone.earlier, in: later.map(\.earlier)))
        {
            let unpaid = min(amount, RewardRules.unpaid(of: reward))
            guard unpaid > 0 else { continue }
            _ = try reverse(
                reward, Reversal(unpaid, withdrawn: .earlierReward, reason: "earlier_reward_gone"),
                actor: actor, tx)
        }
    }
}
