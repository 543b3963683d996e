import Model

@testable import RewardLedger

/// The ledger as plain lists. Balances are sums over what is there, never kept.
struct LedgerModel {
    struct Entry {
        let id: RewardID
        let participant: ParticipantID
        let conversion: ConversionID?
        let lead: LeadID?
        let rule: RewardRuleID
        let kind: RewardRule.Kind
        let amount: Int64
        let currency: Currency
        /// What the rule gave to all who share it.
        let whole: Int64
        let holdUntil: Instant
        let threshold: Int64?
        var state: Reward.State
        var reversed: Int64 = 0
        /// What of it belongs to others by a later decision.
        var corrected: Int64 = 0
        /// Rejected or voided by a person.
        var isRefused = false
        /// Owed for it, not counting what met its own unpaid rest.
        var owed: Int64 = 0
        var settled: Int64 = 0
        var payout: PayoutID?

        var payable: Int64 { amount - reversed + owed - settled }
        var isWaiting: Bool { state == .pending || state == .review }
        var isFree: Bool { state == .approved && payout == nil }
    }

    struct Batch {
        let id: PayoutID
        let participant: ParticipantID
        var rewards: [(place: Int, amount: Int64)]
        let kept: Int64
        var amount: Int64
        var paid: Int64 = 0
        var state: Payout.State = .draft
        /// How much of each of `rewards` it has settled.
        var settled: [Int64] = []

        /// What is owed by the participant because of it; less than 0: what it kept back.
        var owed: Int64 {
            switch state {
            case .draft, .processing, .unknown: -kept
            case .paid, .partiallyPaid, .returned: paid - settled.reduce(0, +)
            case .failed, .cancelled: 0
            }
        }
        var isWithProvider: Bool { state == .processing || state == .unknown }
    }

    struct Redeemed {
        let id: RedemptionID
        let participant: ParticipantID
        let points: Int64
        let kept: Int64
        let uses: [(place: Int, amount: Int64)]
        var state: Redemption.State = .requested
    }

    var rewards: [Entry] = []
    /// Where the rewards of each sale and of each participant are, oldest first.
    private(set) var places: [ConversionID: [Int]] = [:]
    private var own: [ParticipantID: [Int]] = [:]
    var payouts: [Batch] = []
    /// What was owed and met rewards without a payout.
    private(set) var setOff: [ParticipantID: Int64] = [:]
    var redemptions: [Redeemed] = []

    func balance(of participant: ParticipantID, _ currency: Currency) -> ParticipantBalance {
        var balance = ParticipantBalance()
        let mine =
            currency == .points ? [] : payouts.filter { $0.participant == participant }
        balance.inPayout = mine.filter(\.isWithProvider).reduce(0) { $0 + $1.amount }
        balance.paid = mine.reduce(0) { $0 + $1.paid }
        balance.clawbackOwed = owed(by: participant, currency)
        let drafts = mine.filter { $0.state == .draft }
        balance.available = -drafts.reduce(0) { $0 + $1.kept }
        for payout in mine where payout.isWithProvider {
            balance.available -= payout.rewards.reduce(0) { $0 + $1.amount }
        }
        for redemption in redemptions
        where currency == .points && redemption.participant == participant {
            switch redemption.state {
            case .requested: balance.inPayout += redemption.points
            case .fulfilled: balance.paid += redemption.points
            case .cancelled: break
            }
        }
        for place in own[participant] ?? [] where rewards[place].currency == currency {
            let reward = rewards[place]
            if reward.isWaiting { balance.pending += reward.amount - reward.reversed }
            if reward.state == .approved { balance.available += reward.payable }
        }
        return balance
    }

    /// What the program has set aside for rewards that wait, what the others have cost, and the
    /// points that it has given.
    var cost: [Int64] {
        rewards.reduce(into: [0, 0, 0]) { sums, reward in
            let place = reward.currency == .points ? 2 : reward.isWaiting ? 0 : 1
            sums[place] += reward.amount - reward.reversed
        }
    }

    func owed(by participant: ParticipantID, _ currency: Currency) -> Int64 {
        let all = (own[participant] ?? []).reduce(0) {
            $0 + (rewards[$1].currency == currency ? rewards[$1].owed : 0)
        }
        guard currency == .points else {
            return payouts.reduce(all - setOff[participant, default: 0]) {
                $0 + ($1.participant == participant ? $1.owed : 0)
            }
        }
        return redemptions.reduce(all) {
            $0 - ($1.participant == participant && $1.state != .cancelled ? $1.kept : 0)
        }
    }

    /// Basis points by schoolbook rounding, half to even, in 128 bits.
    static func amount(_ rate: RewardTerms.Rate, of base: Int64) -> Int64 {
        switch rate {
        case .flat(let money): return money.amount
        case .basisPoints(let points, _, let most):
            return min(
                LedgerModel.proportion(base, points, 10_000), most?.amount ?? Int64.max)
        }
    }

    /// amount × part / whole.
    static func proportion(_ amount: Int64, _ part: Int64, _ whole: Int64) -> Int64 {
        let doubled = Int128(amount) * Int128(part) * 2
        let half = doubled / Int128(whole)
        let isExact = doubled % Int128(whole) == 0
        let floor = half / 2
        if half % 2 == 0 { return Int64(floor) }
        return Int64(isExact && floor % 2 == 0 ? floor : floor + 1)
    }

    mutating func grant(_ granted: [Reward], holdDays: Int64, threshold: Int64?) {
        for reward in granted {
            own[reward.participant, default: []].append(rewards.count)
            if let conversion = reward.conversion {
                places[conversion, default: []].append(rewards.count)
            }
            rewards.append(
                Entry(
                    id: reward.id, participant: reward.participant, conversion: reward.conversion,
                    lead: reward.lead, rule: reward.rule, kind: reward.kind,
                    amount: reward.amount.amount, currency: reward.amount.currency,
                    whole: reward.wholeAmount,
                    holdUntil: reward.createdAt.advanced(byDays: Int(holdDays)),
                    threshold: reward.kind == .points ? nil : threshold, state: .pending))
        }
    }

    mutating func endHolds(at now: Instant) {
        for place in rewards.indices
        where rewards[place].state == .pending && rewards[place].holdUntil <= now {
            let left = rewards[place].amount - rewards[place].reversed
            // Sharing a reward does not get around the line.
            let together = left * rewards[place].whole / rewards[place].amount
            let isLarge = rewards[place].threshold.map { together >= $0 } ?? false
            rewards[place].state = isLarge ? .review : .approved
        }
    }

    mutating func decide(_ operation: String, _ place: Int) throws {
        guard operation == "void" ? rewards[place].payable > 0 : rewards[place].isWaiting else {
            throw ModelDiffers(operation)
        }
        switch operation {
        case "approve": rewards[place].state = .approved
        case "reject": cancel(place, .rejected)
        default: cancel(place, .voided)
        }
    }

    private mutating func cancel(_ place: Int, _ state: Reward.State) {
        rewards[place].state = state
        rewards[place].isRefused = true
        rewards[place].reversed = rewards[place].amount
    }

    /// The lead falls out: what counts and was not paid goes back. Returns whose changed.
    mutating func void(_ lead: LeadID) -> [RewardID] {
        rewards.indices.filter { rewards[$0].lead == lead }.compactMap { place in
            let reward = rewards[place]
            let unpaid = min(reward.amount - reward.reversed, reward.payable)
            guard unpaid > 0 else { return nil }
            reverse(place, by: unpaid)
            return reward.id
        }
    }

    mutating func refund(_ conversion: ConversionID, _ refunded: Int64, of whole: Int64) {
        for place in places[conversion] ?? [] {
            takeBack(place, refunded, of: whole)
        }
    }

    /// The refunded proportion of what the later decisions left of a reward.
    mutating func takeBack(_ place: Int, _ refunded: Int64, of whole: Int64) {
        let reward = rewards[place]
        let target =
            reward.corrected
            + LedgerModel.proportion(reward.amount - reward.corrected, refunded, whole)
        if target > reward.reversed { reverse(place, by: target - reward.reversed) }
    }

    /// What a payout holds, or paid, is owed.
    private mutating func reverse(_ place: Int, by more: Int64) {
        let reward = rewards[place]
        let isHeld = reward.payout != nil || reward.state == .paid
        let unpaid = isHeld ? 0 : min(more, reward.payable)
        rewards[place].reversed += more
        rewards[place].owed += more - unpaid
        let isInPayout = reward.state == .approved && reward.payout != nil
        if !isInPayout { conclude(place) }
    }

    mutating func conclude(_ place: Int) {
        guard rewards[place].payable == 0 else { return }
        if rewards[place].settled == 0 {
            rewards[place].state = .voided
        } else {
            let isWhollyReversed = rewards[place].reversed == rewards[place].amount
            rewards[place].state = isWhollyReversed ? .clawedBack : .paid
        }
    }

    /// What a payout of the kind would take.
    private func batch(_ participant: ParticipantID, _ kind: RewardRule.Kind) -> ArraySlice<Int> {
        (own[participant] ?? []).filter { rewards[$0].isFree && rewards[$0].kind == kind }
            .prefix(PayoutRules.rewardsMax)
    }

    /// Where the batch is all owed back although more is due, what is owed meets the oldest.
    mutating func setOff(
        for participant: ParticipantID, _ kind: RewardRule.Kind, _ currency: Currency
    ) {
        let free = (own[participant] ?? []).filter {
            rewards[$0].isFree && rewards[$0].currency == currency
        }
        var debt = owed(by: participant, currency)
        guard debt > 0, payable(batch(participant, kind)) <= debt, payable(free[...]) > debt
        else { return }
        for place in free.prefix(PayoutRules.rewardsMax) where debt > 0 {
            let part = min(debt, rewards[place].payable)
            rewards[place].settled += part
            setOff[participant, default: 0] += part
            debt -= part
            conclude(place)
        }
    }

    private func payable(_ places: ArraySlice<Int>) -> Int64 {
        places.reduce(0) { $0 + rewards[$1].payable }
    }

    mutating func create(_ payout: Payout) throws {
        guard let kind = RewardRule.Kind(rawValue: payout.kind.rawValue) else {
            throw ModelDiffers("kind")
        }
        let places = batch(payout.participant, kind)
        let sum = payable(places)
        let kept = min(sum, owed(by: payout.participant, payout.currency))
        guard payout.amount == sum - kept, payout.clawbackAmount == kept else {
            throw ModelDiffers("payout \(payout), of \(sum), \(kept) kept back")
        }
        payouts.append(
            Batch(
                id: payout.id, participant: payout.participant,
                rewards: places.map { ($0, rewards[$0].payable) }, kept: kept, amount: sum - kept))
        for place in places { rewards[place].payout = payout.id }
    }

    mutating func move(_ place: Int, to state: Payout.State, paid: Int64) throws {
        payouts[place].state = state
        payouts[place].paid = paid
        let payout = payouts[place]
        switch state {
        case .draft, .processing, .unknown: return
        case .failed, .cancelled:
            for (reward, _) in payout.rewards { free(reward) }
        case .paid, .partiallyPaid, .returned:
            guard (state == .paid) == (paid == payout.amount) else { throw ModelDiffers("paid") }
            var left = paid + payout.kept
            payouts[place].settled = payout.rewards.map { _, amount in
                let part = min(left, amount)
                left -= part
                return part
            }
            for (item, part) in zip(payout.rewards, payouts[place].settled) {
                let reward = item.place
                rewards[reward].settled += part
                if rewards[reward].payable == 0 { conclude(reward) } else { free(reward) }
            }
        }
    }

    mutating func free(_ place: Int) {
        rewards[place].payout = nil
        let offset = min(
            rewards[place].owed, rewards[place].payable,
            owed(by: rewards[place].participant, rewards[place].currency))
        guard offset > 0 else { return }
        rewards[place].owed -= offset
        conclude(place)
    }
}

// MARK: - Points

extension LedgerModel {
    /// What the participant can give after what it owes.
    func free(of participant: ParticipantID) -> Int64 {
        let balance = balance(of: participant, .points)
        return max(0, balance.available - max(0, balance.clawbackOwed))
    }

    /// The oldest points first, one reward after the other.
    mutating func redeem(_ redemption: Redemption) throws {
        let kept = balance(of: redemption.participant, .points).clawbackOwed
        var left = redemption.points + kept
        var uses: [(place: Int, amount: Int64)] = []
        for place in own[redemption.participant] ?? []
        where rewards[place].currency == .points && rewards[place].state == .approved && left > 0 {
            let part = min(left, rewards[place].payable)
            left -= part
            uses.append((place, part))
        }
        guard left == 0, redemption.clawbackAmount == kept else { throw ModelDiffers("redeem") }
        redemptions.append(
            Redeemed(
                id: redemption.id, participant: redemption.participant,
                points: redemption.points, kept: kept, uses: uses))
        for (place, part) in uses {
            rewards[place].settled += part
            conclude(place)
        }
    }

    mutating func settle(_ place: Int, as state: Redemption.State) {
        redemptions[place].state = state
        guard state == .cancelled else { return }
        for (reward, part) in redemptions[place].uses {
            rewards[reward].settled -= part
            rewards[reward].state = .approved
            free(reward)
        }
    }
}

// MARK: - Credit by parts, and credit decided anew

/// What a rule gives to one participant of a sale.
struct ModelShare: Equatable {
    let rule: RewardRuleID
    let participant: ParticipantID
    let amount: Int64
    let whole: Int64
}

extension LedgerModel {
    /// What `rules` give of a sale that is credited with these amounts and parts: each rule once,
    /// split by largest remainder, the first of equals first.
    static func shares(_ rules: [RewardRule], _ credits: [Credit]) -> [ModelShare] {
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
            return zip(who, split(whole, isFlat ? parts : bases)).compactMap {
                $1 > 0 ? ModelShare(rule: rule.id, participant: $0, amount: $1, whole: whole) : nil
            }
        }
    }

    /// One unit after the other to who is furthest below the exact share, after the whole units.
    private static func split(_ amount: Int64, _ weights: [Int64]) -> [Int64] {
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        guard sum > 0 else { return weights.map { _ in 0 } }
        var shares = weights.map { Int64(Int128(amount) * Int128($0) / sum) }
        let exact = weights.map { Int128(amount) * Int128($0) }
        while shares.reduce(0, +) < amount {
            let missing = shares.indices.map { exact[$0] - Int128(shares[$0]) * sum }
            shares[missing.firstIndex(of: missing.max()!)!] += 1
        }
        return shares
    }

    /// The sale's credit is `shares` now. Takes back what is too much, and returns what is missing.
    mutating func redecide(
        _ conversion: ConversionID, _ shares: [ModelShare], refunded: Int64, of whole: Int64
    ) -> [ModelShare] {
        let places = places[conversion] ?? []
        for place in places.reversed() where !rewards[place].isRefused {
            let reward = rewards[place]
            let group = places.map { rewards[$0] }.filter {
                $0.rule == reward.rule && $0.participant == reward.participant
            }
            let share = shares.first { $0.isFor(reward) }?.amount ?? 0
            let part = min(max(-LedgerModel.missing(to: share, group), 0), reward.counted)
            guard part > 0 else { continue }
            rewards[place].corrected += part
            takeBack(place, refunded, of: whole)
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
    /// it gives for the credit that counts, beyond what a person refused; each reward has lost
    /// exactly the refunded proportion of that, rounded once; so a participant's rewards by a rule
    /// differ from their sum's proportion by half a unit each at most, and not at all before a
    /// refund or after a full one.
    func faults(
        of conversion: ConversionID, _ rewards: [Entry], _ shares: [ModelShare],
        refunded: Int64, of whole: Int64
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
            let net = own.reduce(0) { $0 + $1.amount - $1.reversed }
            let exact = own.reduce(0) {
                $0 + $1.counted - LedgerModel.proportion($1.counted, refunded, whole)
            }
            let together = due - LedgerModel.proportion(due, refunded, whole)
            let live = own.filter { $0.counted > 0 }.count
            let isRounded = refunded > 0 && refunded < whole && live > 1
            if net != exact || abs(net - together) > (isRounded ? Int64(live + 1) / 2 : 0) {
                wrong.append("\(conversion): net of \(share) is \(net), \(together) by one sum")
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
}
