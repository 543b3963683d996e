import Model

/// What still counts of rewards once a part of their sale is refunded: what the same version of
/// their rule gives for the rest. It depends on what the refunds in force come to alone, so that
/// refunds and reversals in any order and number end at the same.
extension RewardRules {
    /// What counts of each of `held`, the rewards of one sale, for what is left of it.
    ///
    /// Basis points are taken of the rest, between the rule's minimum, as long as anything is left,
    /// and its maximum; a flat amount falls in proportion. Those who share it share what that gives
    /// by largest remainder, so that together they lose what one would. Nobody gets more than was
    /// granted: what limits and the budget left then is a cap. What a person or a new decision
    /// about the credit took stays taken.
    static func nets(of held: [Reward], in sale: RewardSale) throws(MoneyError) -> [Int64] {
        var nets = held.map(\.countedAmount)
        guard sale.refunded > 0 else { return nets }
        let (full, rest) = (try Sharing(sale.credits), try Sharing(sale.rest))
        for places in groups(held) where held[places[0]].terms?.trigger != .milestone {
            let own = places.map { held[$0] }
            var left = sale.isRefunded ? 0 : try net(of: own, sale, full, rest)
            // The oldest first, so that further refunds and rewards leave it alone. Of what was
            // withdrawn, its part does not come back, and nobody else of the group gets it: so it
            // does not matter whether a person or a refund came first.
            for place in places {
                let granted = held[place].amount.amount - held[place].correctedAmount
                let part = min(granted, left)
                nets[place] = proportion(part, held[place].countedAmount, of: granted)
                left -= part
            }
        }
        return nets
    }

    /// Where the rewards of each participant by each rule are.
    private static func groups(_ held: [Reward]) -> [[Int]] {
        var groups: [[Int]] = []
        for (place, reward) in held.enumerated() {
            let known = groups.firstIndex { group in
                let first = held[group[0]]
                return first.rule == reward.rule && first.participant == reward.participant
            }
            if let known { groups[known].append(place) } else { groups.append([place]) }
        }
        return groups
    }

    /// What counts of all that one participant was granted of the sale by one rule.
    private static func net(
        of own: [Reward], _ sale: RewardSale, _ full: Sharing, _ rest: Sharing
    ) throws(MoneyError) -> Int64 {
        guard let newest = own.last else { return 0 }
        let granted = own.reduce(0) { $0 + $1.amount.amount - $1.correctedAmount }
        var share = left(of: granted, sale)
        if let promise = Promise(basis: newest.basis) {
            share = try self.share(
                of: newest.participant, by: promise, sale, full, rest)
            share += left(of: own.reduce(0) { $0 + $1.broughtForEarlier }, sale)
        }
        return min(share, granted)
    }

    /// What is left of an amount that falls in proportion.
    static func left(of amount: Int64, _ sale: RewardSale) -> Int64 {
        amount - reversalTarget(amount: amount, refunded: sale.refunded, whole: sale.whole)
    }

    /// `amount` times `part` of `whole`, rounded once, a half to the even neighbour.
    private static func proportion(_ amount: Int64, _ part: Int64, of whole: Int64) -> Int64 {
        part >= whole ? amount : reversalTarget(amount: amount, refunded: part, whole: whole)
    }

    /// How a reward's rule came to its amount, as it was when it was granted.
    struct Promise: Sendable {
        let rate: RewardTerms.Rate
        let campaign: Campaign.Effect?

        init(rate: RewardTerms.Rate, campaign: Campaign.Effect? = nil) {
            self.rate = rate
            self.campaign = campaign
        }
    }

    /// Who shares a sale's credit.
    struct Sharing: Sendable {
        let credits: [Credit]
        let base: Money?

        init(_ credits: [Credit]) throws(MoneyError) {
            self.credits = try merged(credits)
            base = try total(credits)
        }

        func weights(for rate: RewardTerms.Rate) -> [Int64] {
            if case .basisPoints = rate { return RewardRules.weights(credits, byBase: true) }
            return RewardRules.weights(credits, byBase: false)
        }
    }

    /// What the rule gives to the participant of what is left of the sale.
    static func share(
        of participant: ParticipantID, by promise: Promise, _ sale: RewardSale, _ full: Sharing,
        _ rest: Sharing
    ) throws(MoneyError) -> Int64 {
        guard let place = rest.credits.firstIndex(where: { $0.participant == participant }) else {
            return 0
        }
        let most = Apportionment.split(
            try whole(promise, of: full.base, sale: nil), by: full.weights(for: promise.rate))
        let whole = try whole(promise, of: rest.base, sale: sale)
        guard most.count == rest.credits.count else { return 0 }
        return split(whole, by: rest.weights(for: promise.rate), most: most)[place]
    }

    /// What the rule gives to all who share the sale, or what is left of it.
    private static func whole(
        _ promise: Promise, of base: Money?, sale: RewardSale?
    ) throws(MoneyError) -> Int64 {
        func flat(_ amount: Int64) -> Int64 { sale.map { left(of: amount, $0) } ?? amount }
        guard let step = try amount(promise.rate, of: base) else { return 0 }
        var given = step.amount
        if case .flat = promise.rate {
            given = Money(amount: flat(given.amount), currency: given.currency)
        }
        switch promise.campaign {
        case nil: return given.amount
        case .multiply(let factor): return try CampaignRules.multiplied(given, by: factor).amount
        case .override(let money): return given.amount > 0 ? flat(money.amount) : 0
        }
    }

    /// By largest remainder, but nobody gets more than `most`: what somebody cannot have goes to
    /// those who are furthest below their exact share.
    private static func split(_ amount: Int64, by weights: [Int64], most: [Int64]) -> [Int64] {
        var shares = Apportionment.split(amount, by: weights)
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        var over: Int64 = 0
        for place in shares.indices where shares[place] > most[place] {
            over += shares[place] - most[place]
            shares[place] = most[place]
        }
        while over > 0 {
            let open = shares.indices.filter { shares[$0] < most[$0] }
            func lack(_ place: Int) -> Int128 {
                Int128(amount) * Int128(weights[place]) - Int128(shares[place]) * sum
            }
            guard let next = open.max(by: { (lack($0), $1) < (lack($1), $0) }) else { break }
            shares[next] += 1
            over -= 1
        }
        return shares
    }
}
