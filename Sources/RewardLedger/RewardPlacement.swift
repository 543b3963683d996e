import Model

/// What limits and the budget leave of an amount, and the period that it counts to.
struct RewardPlacement: Sendable, Equatable {
    let amount: Int64
    /// The limits in that period, and what they took away.
    let limits: [RewardStanding.Limit]
    let cuts: [RewardRules.Cut]
    /// Nil without a budget.
    let budget: BudgetDecision?

    var isRefused: Bool { budget?.outcome == .refused }
}

extension RewardRules {
    /// What a limit took away.
    public struct Cut: Sendable, Equatable {
        let limit: RewardStanding.Limit
        let amount: Int64
    }

    /// Chooses period and amount together, because limits are held in the period to which the
    /// reward counts (R172, R173): the first one in which the budget has room for what the limits
    /// leave there. Where that is nothing, the queue ends, with nothing: it gives nobody more than
    /// the limits of the period it has come to. `given` is what others have of this occasion
    /// already: the limits of a referred customer hold for all together.
    static func place(
        _ amount: Int64, _ standing: RewardStanding, given: Int64 = 0, _ budget: BudgetStanding?
    ) -> RewardPlacement {
        let periods = [standing.limits] + standing.queuedLimits
        let cuts = periods.map { cut(amount, $0, given) }
        let decided = budget.flatMap { budget in
            // Limits that are told again, as they were, are those of one period alone.
            BudgetRules.decide(
                budget.reserved.indices.map { cuts[min($0, cuts.count - 1)].amount }, budget)
        }
        let place = min(decided?.place ?? 0, cuts.count - 1)
        return RewardPlacement(
            amount: cuts[place].amount, limits: periods[place], cuts: cuts[place].cuts,
            budget: decided?.decision)
    }

    /// Each limit in turn leaves at most its room.
    private static func cut(
        _ amount: Int64, _ limits: [RewardStanding.Limit], _ given: Int64
    ) -> (amount: Int64, cuts: [Cut]) {
        var amount = amount
        var cuts: [Cut] = []
        for limit in limits {
            let used = limit.used + (limit.name == .referee ? given : 0)
            let room = max(0, limit.most - used)
            guard amount > room else { continue }
            cuts.append(Cut(limit: limit, amount: amount - room))
            amount = room
        }
        return (amount, cuts)
    }
}
