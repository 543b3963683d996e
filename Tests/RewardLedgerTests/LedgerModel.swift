import Model

@testable import RewardLedger

/// The ledger as plain lists. Balances are sums over what is there, never kept.
struct LedgerModel {
    struct Entry {
        let id: RewardID
        let participant: ParticipantID
        let conversion: ConversionID?
        let lead: LeadID?
        let amount: Int64
        let holdUntil: Instant
        let threshold: Int64?
        var state: Reward.State
        var reversed: Int64 = 0
        /// Owed for it, not counting what met its own unpaid rest.
        var owed: Int64 = 0
        var settled: Int64 = 0
        var payout: PayoutID?

        var payable: Int64 { amount - reversed + owed - settled }
        var isWaiting: Bool { state == .pending || state == .review }
    }

    struct Batch {
        let id: PayoutID
        let participant: ParticipantID
        let rewards: [(place: Int, amount: Int64)]
        let kept: Int64
        let amount: Int64
        var paid: Int64 = 0
        var state: Payout.State = .draft

        var isLive: Bool { state != .failed && state != .cancelled }
        var isWithProvider: Bool { state == .processing || state == .unknown }
    }

    var rewards: [Entry] = []
    var payouts: [Batch] = []

    func balance(of participant: ParticipantID) -> ParticipantBalance {
        var balance = ParticipantBalance()
        let mine = payouts.filter { $0.participant == participant }
        balance.inPayout = mine.filter(\.isWithProvider).reduce(0) { $0 + $1.amount }
        balance.paid = mine.reduce(0) { $0 + $1.paid }
        balance.clawbackOwed = owed(by: participant)
        let drafts = mine.filter { $0.state == .draft }
        balance.available = -drafts.reduce(0) { $0 + $1.kept }
        let away = Set(mine.filter(\.isWithProvider).map(\.id))
        for reward in rewards where reward.participant == participant {
            if reward.isWaiting { balance.pending += reward.amount - reward.reversed }
            if reward.state == .approved, !(reward.payout.map(away.contains) ?? false) {
                balance.available += reward.payable
            }
        }
        return balance
    }

    private func owed(by participant: ParticipantID) -> Int64 {
        rewards.reduce(0) { $0 + ($1.participant == participant ? $1.owed : 0) }
            - payouts.reduce(0) {
                $0 + ($1.participant == participant && $1.isLive ? $1.kept : 0)
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
            rewards.append(
                Entry(
                    id: reward.id, participant: reward.participant, conversion: reward.conversion,
                    lead: reward.lead, amount: reward.amount.amount,
                    holdUntil: reward.createdAt.advanced(byDays: Int(holdDays)),
                    threshold: threshold, state: .pending))
        }
    }

    mutating func endHolds(at now: Instant) {
        for place in rewards.indices
        where rewards[place].state == .pending && rewards[place].holdUntil <= now {
            let left = rewards[place].amount - rewards[place].reversed
            let isLarge = rewards[place].threshold.map { left >= $0 } ?? false
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
        rewards[place].reversed = rewards[place].amount
    }

    mutating func void(_ voided: [Reward], of lead: LeadID) {
        let ids = Set(voided.map(\.id))
        for place in rewards.indices where rewards[place].lead == lead {
            if ids.contains(rewards[place].id) { cancel(place, .voided) }
        }
    }

    mutating func refund(_ conversion: ConversionID, _ refunded: Int64, of whole: Int64) {
        for place in rewards.indices where rewards[place].conversion == conversion {
            let target = LedgerModel.proportion(rewards[place].amount, refunded, whole)
            let more = target - rewards[place].reversed
            guard more > 0 else { continue }
            let isHeld = rewards[place].payout != nil || rewards[place].state == .paid
            let unpaid = isHeld ? 0 : min(more, rewards[place].payable)
            rewards[place].reversed = target
            rewards[place].owed += more - unpaid
            let isInPayout = rewards[place].state == .approved && rewards[place].payout != nil
            if !isInPayout { conclude(place) }
        }
    }

    private mutating func conclude(_ place: Int) {
        guard rewards[place].payable == 0 else { return }
        if rewards[place].settled == 0 {
            rewards[place].state = .voided
        } else {
            let isWhollyReversed = rewards[place].reversed == rewards[place].amount
            rewards[place].state = isWhollyReversed ? .clawedBack : .paid
        }
    }

    mutating func create(_ payout: Payout) throws {
        let places = rewards.indices.filter {
            rewards[$0].participant == payout.participant && rewards[$0].state == .approved
                && rewards[$0].payout == nil
        }.prefix(PayoutRules.rewardsMax)
        let sum = places.reduce(0) { $0 + rewards[$1].payable }
        let kept = min(sum, owed(by: payout.participant))
        guard payout.amount == sum - kept, payout.clawbackAmount == kept else {
            throw ModelDiffers("payout")
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
        case .paid, .partiallyPaid:
            guard (state == .paid) == (paid == payout.amount) else { throw ModelDiffers("paid") }
            var left = paid + payout.kept
            for (reward, amount) in payout.rewards {
                let part = min(left, amount)
                left -= part
                rewards[reward].settled += part
                if part == amount { conclude(reward) } else { free(reward) }
            }
        }
    }

    private mutating func free(_ place: Int) {
        rewards[place].payout = nil
        let offset = min(
            rewards[place].owed, rewards[place].payable, owed(by: rewards[place].participant))
        guard offset > 0 else { return }
        rewards[place].owed -= offset
        conclude(place)
    }
}
