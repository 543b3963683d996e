import Model

@testable import RewardLedger

/// What turns out later about payouts: money came back, or was paid after all.
extension LedgerModel {
    /// What came back undoes what was paid twice first, then the newest rewards.
    mutating func takeBack(_ back: Int64, of place: Int) throws {
        let payout = payouts[place]
        if payout.state == .processing || payout.state == .unknown {
            guard back == payout.amount else { throw ModelDiffers("returned") }
            return try move(place, to: .returned, paid: 0)
        }
        let twice = max(0, payout.owed)
        let owed = owed(by: payout.participant, rewards[payout.rewards[0].place].currency)
        var left = back - min(back, twice, max(0, owed))
        payouts[place].paid -= back
        payouts[place].state = payouts[place].paid == 0 ? .returned : .partiallyPaid
        var opened: [Int] = []
        for index in payout.rewards.indices.reversed() where left > 0 {
            let part = min(left, payouts[place].settled[index])
            guard part > 0 else { continue }
            opened.append(payout.rewards[index].place)
            left -= part
            payouts[place].settled[index] -= part
            rewards[payout.rewards[index].place].settled -= part
        }
        for reward in opened {
            let isElsewhere = rewards[reward].state == .approved && rewards[reward].payout != nil
            guard !isElsewhere else { continue }
            rewards[reward].state = .approved
            free(reward)
        }
        guard left == 0 else { throw ModelDiffers("returned too much") }
    }

    /// What newer drafts hold is taken out of them, as much as is needed, the oldest first; what is
    /// free then is settled, and the rest was paid twice.
    mutating func payLate(_ paid: Int64, for place: Int) {
        let payout = payouts[place]
        let more = paid - payout.paid
        let kept = payout.state == .failed ? payout.kept : 0
        if payouts[place].settled.isEmpty {
            payouts[place].settled = payout.rewards.map { _ in 0 }
        }
        takeOutOfDrafts(for: place, upTo: more + kept)
        let currency = rewards[payout.rewards[0].place].currency
        let owed = max(0, owed(by: payout.participant, currency))
        var left = more + min(kept, owed)
        for (index, item) in payout.rewards.enumerated() where rewards[item.place].isFree {
            let rest = item.amount - payouts[place].settled[index]
            let part = min(left, rest, rewards[item.place].payable)
            left -= part
            payouts[place].settled[index] += part
            rewards[item.place].settled += part
            guard part > 0, rewards[item.place].payable == 0 else { continue }
            rewards[item.place].payout = payout.id
            conclude(item.place)
        }
        payouts[place].paid = paid
        payouts[place].state = paid == payout.amount ? .paid : .partiallyPaid
    }

    private mutating func takeOutOfDrafts(for place: Int, upTo most: Int64) {
        let payout = payouts[place]
        var left = most
        var taken: [Int: Set<Int>] = [:]
        var order: [Int] = []
        for (index, item) in payout.rewards.enumerated() where left > 0 {
            let rest = item.amount - payouts[place].settled[index]
            if let holder = rewards[item.place].payout, rewards[item.place].state == .approved {
                guard let draft = payouts.firstIndex(where: { $0.id == holder }),
                    payouts[draft].state == .draft
                else { continue }
                if taken[draft] == nil { order.append(draft) }
                taken[draft, default: []].insert(item.place)
                free(item.place)
            }
            if rewards[item.place].isFree { left -= min(left, rest, rewards[item.place].payable) }
        }
        for draft in order {
            let places = taken[draft] ?? []
            let rest = payouts[draft].rewards.filter { !places.contains($0.place) }
            let sum = rest.reduce(0) { $0 + $1.amount }
            guard sum > payouts[draft].kept else {
                payouts[draft].state = .cancelled
                for item in payouts[draft].rewards { free(item.place) }
                continue
            }
            payouts[draft].rewards = rest
            payouts[draft].amount = sum - payouts[draft].kept
        }
    }
}
