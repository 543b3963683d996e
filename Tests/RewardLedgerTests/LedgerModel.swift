import Model

@testable import RewardLedger

/// The ledger as plain lists. Balances are sums over what is there, never kept.
struct LedgerModel {
    struct Entry {
        let id: RewardID
        let participant: ParticipantID
        let conversion: ConversionID?
        let lead: LeadID?
        /// Who was referred.
        let customer: CustomerID?
        /// Nil for what a person gave.
        let rule: RewardRuleID?
        let kind: RewardRule.Kind
        let amount: Int64
        let currency: Currency
        /// What the rule gave to all who share it.
        let whole: Int64
        let createdAt: Instant
        let holdUntil: Instant
        let threshold: Int64?
        var state: Reward.State
        var reversed: Int64 = 0
        /// What of it belongs to others by a later decision.
        var corrected: Int64 = 0
        /// What of it a person took, or its lead.
        var withdrawn: Int64 = 0
        /// Rejected, voided or clawed back by a person.
        var isRefused = false
        var wasApproved = false
        var isApprovedByPerson = false
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
    private(set) var own: [ParticipantID: [Int]] = [:]
    var bought: [CustomerID: [Int]] = [:]
    private(set) var brought: [LeadID: [Int]] = [:]
    private var batches: [ParticipantID: [Int]] = [:]
    /// Where those are whose hold may not be over.
    private var waiting: [Int] = []
    /// The rules that give once for a customer.
    var once: Set<RewardRuleID> = []
    /// What is earned beside money, by its sale, and where the newest are.
    var gifts: [ConversionID: [Gift]] = [:]
    var newestGifts: [(conversion: ConversionID, place: Int)] = []
    var waitingGifts: [(conversion: ConversionID, place: Int)] = []
    var giftSales: [CustomerID: Set<ConversionID>] = [:]
    var discounts: [ParticipantID: [(conversion: ConversionID, place: Int)]] = [:]
    var payouts: [Batch] = []
    /// What was owed and met rewards without a payout.
    private(set) var setOff: [ParticipantID: Int64] = [:]
    var redemptions: [Redeemed] = []

    func balance(of participant: ParticipantID, _ currency: Currency) -> ParticipantBalance {
        var balance = ParticipantBalance()
        let mine =
            currency == .points ? [] : (batches[participant] ?? []).map { payouts[$0] }
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
            return (batches[participant] ?? []).reduce(all - setOff[participant, default: 0]) {
                $0 + payouts[$1].owed
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
        case .basisPoints(let points, let least, let most):
            let exact = LedgerModel.proportion(base, points, 10_000)
            return min(
                base > 0 ? max(exact, least?.amount ?? 0) : exact, most?.amount ?? Int64.max)
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

    /// `recordedAt`: of the sale whose credit is decided anew, from which holds count.
    mutating func grant(
        _ granted: [Reward], holdDays: Int64, threshold: Int64?, customer: CustomerID? = nil,
        recordedAt: Instant? = nil
    ) {
        for reward in granted {
            let holdUntil = (recordedAt ?? reward.createdAt).advanced(byDays: Int(holdDays))
            if holdUntil > reward.createdAt { waiting.append(rewards.count) }
            if let lead = reward.lead { brought[lead, default: []].append(rewards.count) }
            if let customer { bought[customer, default: []].append(rewards.count) }
            own[reward.participant, default: []].append(rewards.count)
            if let conversion = reward.conversion {
                places[conversion, default: []].append(rewards.count)
            }
            rewards.append(
                Entry(
                    id: reward.id, participant: reward.participant, conversion: reward.conversion,
                    lead: reward.lead, customer: customer, rule: reward.rule, kind: reward.kind,
                    amount: reward.amount.amount, currency: reward.amount.currency,
                    whole: reward.wholeAmount, createdAt: reward.createdAt,
                    holdUntil: holdUntil,
                    threshold: reward.kind == .points ? nil : threshold, state: .pending))
            if holdUntil <= reward.createdAt { endHold(rewards.count - 1) }
        }
    }

    mutating func endHolds(at now: Instant, threshold: Int64?) {
        endHoldsOfGifts(at: now, threshold: threshold)
        let open = waiting.filter { rewards[$0].state == .pending }
        for place in open where rewards[place].holdUntil <= now { endHold(place) }
        waiting = open.filter { rewards[$0].state == .pending }
    }

    private mutating func endHold(_ place: Int) {
        let left = rewards[place].amount - rewards[place].reversed
        // Sharing a reward does not get around the line.
        let together = left * rewards[place].whole / rewards[place].amount
        let isLarge = rewards[place].threshold.map { together >= $0 } ?? false
        rewards[place].state = isLarge ? .review : .approved
        if !isLarge { rewards[place].wasApproved = true }
    }

    /// What a person gives has no hold.
    mutating func give(_ reward: Reward, threshold: Int64?) {
        grant([reward], holdDays: 0, threshold: threshold)
        let isLarge =
            reward.kind != .points && threshold.map { reward.amount.amount >= $0 } ?? false
        rewards[rewards.count - 1].state = isLarge ? .review : .approved
        rewards[rewards.count - 1].wasApproved = !isLarge
    }

    mutating func decide(_ operation: String, _ place: Int) throws {
        switch operation {
        case "clawBack": return try clawBack(place)
        case "void": guard rewards[place].payable > 0 else { throw ModelDiffers(operation) }
        default: guard rewards[place].isWaiting else { throw ModelDiffers(operation) }
        }
        switch operation {
        case "approve":
            rewards[place].state = .approved
            rewards[place].wasApproved = true
            rewards[place].isApprovedByPerson = true
        case "reject": cancel(place, .rejected)
        default: cancel(place, .voided)
        }
    }

    private mutating func cancel(_ place: Int, _ state: Reward.State) {
        rewards[place].state = state
        rewards[place].isRefused = true
        rewards[place].reversed = rewards[place].amount
        rewards[place].withdrawn = rewards[place].counted
    }

    private mutating func clawBack(_ place: Int) throws {
        let reward = rewards[place]
        guard reward.isWaiting || reward.state == .approved || reward.state == .paid else {
            throw ModelDiffers("clawBack")
        }
        guard reward.amount > reward.reversed else { return }
        reverse(place, by: reward.amount - reward.reversed)
        rewards[place].withdrawn = rewards[place].counted
        rewards[place].isRefused = true
    }

    /// The lead falls out: what counts and was not paid goes back, with `isPaidToo` all. Returns
    /// whose changed.
    mutating func takeBack(_ lead: LeadID, isPaidToo: Bool) -> [RewardID] {
        (brought[lead] ?? []).compactMap { place in
            let reward = rewards[place]
            let net = reward.amount - reward.reversed
            let more = isPaidToo ? net : min(net, reward.payable)
            guard more > 0 else { return nil }
            reverse(place, by: more)
            rewards[place].withdrawn += more
            return reward.id
        }
    }

    /// Whether something of the lead's rewards was paid.
    func isPaid(_ lead: LeadID) -> Bool {
        (brought[lead] ?? []).map { rewards[$0] }.contains {
            let net = $0.amount - $0.reversed
            return net > 0 && net > min(net, $0.payable)
        }
    }

    /// Brings the rewards of the sale to what `rests` says that each may keep by each rule. Returns
    /// whose changed.
    mutating func settle(
        _ conversion: ConversionID, _ rests: [ModelShare]
    ) -> Set<RewardID> {
        var changed: Set<RewardID> = []
        let places = places[conversion] ?? []
        var left: [Int: Int64] = [:]
        for (first, place) in places.enumerated() {
            let reward = rewards[place]
            let group = places.filter {
                rewards[$0].rule == reward.rule && rewards[$0].participant == reward.participant
            }
            guard group.first == places[first] else { continue }
            let all = group.reduce(0) { $0 + rewards[$1].counted }
            let share = rests.first { $0.isFor(reward) }?.amount ?? 0
            var rest = min(share, all)
            for own in group {
                let part = min(rest, rewards[own].counted)
                // Of what a person took, its part does not come back.
                left[own] =
                    rewards[own].withdrawn == 0 || rewards[own].counted == 0
                    ? part
                    : LedgerModel.kept(
                        part, rewards[own].counted - rewards[own].withdrawn,
                        of: rewards[own].counted)
                rest -= part
            }
        }
        for place in places {
            let more = rewards[place].amount - rewards[place].reversed - (left[place] ?? 0)
            guard more > 0 else { continue }
            reverse(place, by: more)
            changed.insert(rewards[place].id)
        }
        for place in places {
            let reward = rewards[place]
            let less = (left[place] ?? 0) - (reward.amount - reward.reversed)
            guard less > 0, reward.reversed < reward.amount || !isPlaceTaken(reward) else {
                continue
            }
            restore(place, by: less)
            changed.insert(reward.id)
        }
        return changed
    }

    /// `part` of `whole` of an amount, half to even.
    private static func kept(_ amount: Int64, _ part: Int64, of whole: Int64) -> Int64 {
        proportion(amount, part, whole)
    }

    /// What is still owed for it is no more, the rest is there again.
    private mutating func restore(_ place: Int, by less: Int64) {
        let reward = rewards[place]
        let forgiven = max(
            0, min(less, reward.owed, owed(by: reward.participant, reward.currency)))
        rewards[place].reversed -= less
        rewards[place].owed -= forgiven
        if !reward.wasApproved {
            if reward.state == .voided {
                rewards[place].state = .pending
                waiting.append(place)
            }
        } else if rewards[place].payable > 0 {
            if reward.state != .approved { rewards[place].payout = nil }
            rewards[place].state = .approved
        } else {
            conclude(place)
        }
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
        batches[payout.participant, default: []].append(payouts.count)
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
