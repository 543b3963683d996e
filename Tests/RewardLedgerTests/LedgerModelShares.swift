import Model

@testable import RewardLedger

/// What a rule gives to one participant of a sale.
struct ModelShare: Equatable {
    let rule: RewardRuleID?
    let participant: ParticipantID
    let amount: Int64
    let whole: Int64
}

extension LedgerModel {
    /// What `rules` give of a sale that is credited with these amounts and parts: each rule once,
    /// split by largest remainder, the first of equals first.
    static func shares(
        _ rules: [RewardRule], _ credits: [Credit],
        most: (ParticipantID) -> Int64 = { _ in .max }
    ) -> [ModelShare] {
        var who: [ParticipantID] = []
        var parts: [Int64] = []
        var bases: [Int64] = []
        for credit in credits {
            if let place = who.firstIndex(of: credit.participant) {
                parts[place] += credit.parts
                bases[place] += credit.base?.amount ?? 0
            } else {
                who.append(credit.participant)
                parts.append(credit.parts)
                bases.append(credit.base?.amount ?? 0)
            }
        }
        return rules.flatMap { rule -> [ModelShare] in
            let points = rule.terms.gift.points.map {
                RewardTerms.Rate.flat(Money(amount: $0, currency: .points))
            }
            guard let rate = rule.terms.rate ?? points else { return [] }
            let whole = amount(rate, of: bases.reduce(0, +))
            let isFlat = if case .flat = rate { true } else { false }
            let shares = split(whole, isFlat ? parts : bases, most: who.map(most))
            return zip(who, shares).compactMap {
                $1 > 0 ? ModelShare(rule: rule.id, participant: $0, amount: $1, whole: whole) : nil
            }
        }
    }

    /// One unit after the other to who is furthest below the exact share, after the whole units;
    /// nobody gets more than `most`.
    private static func split(
        _ amount: Int64, _ weights: [Int64], most: [Int64]? = nil
    ) -> [Int64] {
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        guard sum > 0 else { return weights.map { _ in 0 } }
        var shares = weights.map { Int64(Int128(amount) * Int128($0) / sum) }
        let exact = weights.map { Int128(amount) * Int128($0) }
        while shares.reduce(0, +) < amount {
            let open = shares.indices.filter { shares[$0] < most?[$0] ?? .max }
            let missing = open.map { exact[$0] - Int128(shares[$0]) * sum }
            guard let largest = missing.max() else { break }
            shares[open[missing.firstIndex(of: largest)!]] += 1
        }
        return shares
    }

    /// What `rules` give for what is left of a sale, to each no more than they gave for all of it:
    /// basis points of the rest, a flat amount less its part of the refund.
    static func rests(
        _ rules: [RewardRule], _ credits: [Credit], refunded: Int64, of whole: Int64
    ) -> [ModelShare] {
        let bases = credits.map { $0.base?.amount ?? 0 }
        let left = split(whole - refunded, bases)
        let rest = zip(credits, left).map { credit, amount in
            Credit(
                participant: credit.participant, parts: credit.parts,
                base: Money(amount: amount, currency: credit.base!.currency))
        }
        return rules.flatMap { rule -> [ModelShare] in
            let full = shares([rule], credits)
            guard refunded < whole else { return [] }
            var flat = rule
            if let points = rule.terms.gift.points {
                flat.terms.gift.points = points - proportion(points, refunded, whole)
            } else if case .flat(let money)? = rule.terms.rate {
                flat.terms = RewardTerms(
                    trigger: .conversion, recipient: .referrer, kind: rule.terms.kind,
                    rate: .flat(
                        Money(
                            amount: money.amount - proportion(money.amount, refunded, whole),
                            currency: money.currency)), conversionKinds: nil)
            }
            return shares([flat], rest) { participant in
                full.first { $0.participant == participant }?.amount ?? 0
            }
        }
    }

    /// The sale's credit is `shares` now. Notes what is too much, and returns what is missing.
    mutating func redecide(
        _ conversion: ConversionID, _ shares: [ModelShare]
    ) -> [ModelShare] {
        let places = places[conversion] ?? []
        for place in places.reversed() where !rewards[place].isRefused {
            let reward = rewards[place]
            let group = places.map { rewards[$0] }.filter {
                $0.rule == reward.rule && $0.participant == reward.participant
            }
            let share = shares.first { $0.isFor(reward) }?.amount ?? 0
            let part = min(
                max(-LedgerModel.missing(to: share, group), 0),
                reward.counted - reward.withdrawn)
            guard part > 0 else { continue }
            rewards[place].corrected += part
        }
        return shares.compactMap { share in
            let own = places.map { rewards[$0] }.filter { share.isFor($0) }
            let missing = LedgerModel.missing(to: share.amount, own)
            guard missing > 0 else { return nil }
            return ModelShare(
                rule: share.rule, participant: share.participant, amount: missing,
                whole: share.whole)
        }
    }

    /// What was refused is not given again, nor taken from anything else.
    private static func missing(to share: Int64, _ own: [Entry]) -> Int64 {
        let refused = own.reduce(0) { $0 + ($1.isRefused ? $1.counted : 0) }
        let counted = own.reduce(0) { $0 + $1.counted } - refused
        return max(0, share - refused) - counted
    }

    /// What is wrong with the rewards of a sale: by each rule every participant has exactly what
    /// it gives for the credit that counts, beyond what a person refused, and of that, where nobody
    /// refused anything, exactly what it gives for the rest.
    func faults(
        of conversion: ConversionID, _ rewards: [Entry], _ shares: [ModelShare],
        _ rests: [ModelShare], isRefunded: Bool
    ) -> [String] {
        var wrong: [String] = []
        let taken = rewards.filter { reward in !shares.contains { $0.isFor(reward) } }
        if taken.contains(where: { $0.counted > 0 && !$0.isRefused }) {
            wrong.append("\(conversion): what counts is more than the rules give")
        }
        for share in shares {
            let all = rewards.filter { share.isFor($0) }
            // Of what a person said no to, nothing comes back; what is beyond it is given.
            let own = all.filter { !$0.isRefused }
            let refused = all.reduce(0) { $0 + ($1.isRefused ? $1.counted : 0) }
            let due = max(0, share.amount - refused)
            if own.reduce(0, { $0 + $1.counted }) != due {
                wrong.append("\(conversion): \(share) is not what counts: \(all)")
            }
            let net = all.reduce(0) { $0 + $1.amount - $1.reversed }
            let rest =
                isRefunded ? rests.first { $0.isSame(as: share) }?.amount ?? 0 : share.amount
            if refused == 0, net != min(rest, share.amount) {
                wrong.append("\(conversion): net of \(share) is \(net), \(rest) for the rest")
            }
        }
        return wrong
    }
}

extension LedgerModel.Entry {
    /// What of it belongs to its participant, refunds aside.
    var counted: Int64 { amount - corrected }
}

extension ModelShare {
    func isFor(_ reward: LedgerModel.Entry) -> Bool {
        rule == reward.rule && participant == reward.participant
    }

    func isSame(as other: ModelShare) -> Bool {
        rule == other.rule && participant == other.participant
    }
}
