import Database
import Model

@testable import RewardLedger

/// What is earned beside money, mostly by the customer who was referred.
extension LedgerModel {
    struct Gift {
        let rule: RewardRule
        let owner: Benefit.Owner
        let customer: CustomerID
        let value: Int64
        let points: Int64
        let discount: Int64
        var holdUntil: Instant
        var state: Benefit.State = .pending
        var reversedValue: Int64 = 0
        var reversedPoints: Int64 = 0
        var loss: Benefit.Loss?
        var wasApproved = false
        var isApprovedByPerson = false

        /// Whether it may still be taken back.
        var isOpen: Bool { state == .pending || state == .review || state == .approved }
    }

    /// What each rule gives beside money for the sale, unless it has: all of it to the customer, or
    /// to whom most of the credit is.
    mutating func give(
        _ sale: LedgerPlayer.Sale, credits: [Credit], holdDays: Int64, at now: Instant,
        threshold: Int64?
    ) {
        var sums: [(participant: ParticipantID, base: Int64)] = []
        for credit in credits {
            if let place = sums.firstIndex(where: { $0.participant == credit.participant }) {
                sums[place].base += credit.base?.amount ?? 0
            } else {
                sums.append((credit.participant, credit.base?.amount ?? 0))
            }
        }
        guard let most = sums.map(\.base).max(),
            let main = sums.first(where: { $0.base == most })?.participant
        else { return }
        for rule in sale.rules where !rule.terms.isReward {
            let isForCustomer = rule.terms.recipient == .referee
            let owner: Benefit.Owner =
                isForCustomer ? .customer(sale.customer) : .participant(main)
            let own = (gifts[sale.id] ?? []).filter { $0.rule.id == rule.id }
            let isGiven = own.contains { $0.state != .voided || $0.loss == .refunded }
            let isRefused = own.contains { $0.owner == owner && $0.loss == .person }
            let discount = min(
                rule.terms.gift.discount ?? 0,
                max(0, (rule.terms.gift.discountMost ?? .max) - openDiscount(of: owner)))
            guard !isGiven, !isRefused, !isGiftPlaceTaken(rule, sale.customer, except: sale.id),
                rule.terms.gift.discount == nil || discount > 0
            else { continue }
            add(
                Gift(
                    rule: rule, owner: owner, customer: sale.customer,
                    value: LedgerModel.value(rule, of: sums.reduce(0) { $0 + $1.base }),
                    points: rule.terms.gift.points ?? 0, discount: discount,
                    holdUntil: sale.recordedAt.advanced(byDays: Int(holdDays))),
                to: sale.id, at: now, threshold: threshold)
        }
    }

    private mutating func add(
        _ gift: Gift, to sale: ConversionID, at now: Instant, threshold: Int64?
    ) {
        let place = gifts[sale]?.count ?? 0
        gifts[sale, default: []].append(gift)
        giftSales[gift.customer, default: []].insert(sale)
        if case .participant(let id) = gift.owner, gift.discount > 0 {
            discounts[id, default: []].append((sale, place))
        }
        newestGifts.append((sale, place))
        if gift.holdUntil > now {
            waitingGifts.append((sale, place))
        } else {
            endHoldOfGift(sale, place, threshold)
        }
    }

    private static func value(_ rule: RewardRule, of base: Int64) -> Int64 {
        rule.terms.rate.map { amount($0, of: base) } ?? rule.terms.gift.value?.amount ?? 0
    }

    private func openDiscount(of owner: Benefit.Owner) -> Int64 {
        guard case .participant(let id) = owner else { return 0 }
        return (discounts[id] ?? []).reduce(0) {
            let gift = gifts[$1.conversion]![$1.place]
            return $0 + (gift.isOpen ? gift.discount : 0)
        }
    }

    private func isGiftPlaceTaken(
        _ rule: RewardRule, _ customer: CustomerID, except sale: ConversionID
    ) -> Bool {
        guard once.contains(rule.id) else { return false }
        return (giftSales[customer] ?? []).contains { other in
            other != sale
                && gifts[other]!.contains { $0.rule.id == rule.id && $0.state != .voided }
        }
    }

    /// The credit is another's: what is not given yet goes with it.
    mutating func moveGifts(
        of sale: LedgerPlayer.Sale, at now: Instant, holdDays: Int64, threshold: Int64?
    ) {
        for place in gifts[sale.id]?.indices ?? 0..<0 {
            let gift = gifts[sale.id]![place]
            guard case .participant(let id) = gift.owner,
                !sale.credits.contains(where: { $0.participant == id })
            else { continue }
            if gift.isOpen {
                gifts[sale.id]![place].state = .voided
                gifts[sale.id]![place].loss = .reattributed
            } else if gift.loss == .refunded {
                gifts[sale.id]![place].loss = .reattributed
            }
        }
        give(sale, credits: sale.credits, holdDays: holdDays, at: now, threshold: threshold)
        settleGifts(of: sale)
    }

    /// Each is what the rest of the sale would have brought; nothing of a whole refund.
    mutating func settleGifts(of sale: LedgerPlayer.Sale) {
        for place in gifts[sale.id]?.indices ?? 0..<0 {
            let gift = gifts[sale.id]![place]
            let rest = LedgerModel.rest(of: gift, sale)
            let isLeft =
                sale.refunded < sale.amount && rest.value + rest.points + gift.discount > 0
            if gift.isOpen {
                if isLeft {
                    gifts[sale.id]![place].reversedValue = gift.value - rest.value
                    gifts[sale.id]![place].reversedPoints = gift.points - rest.points
                } else {
                    gifts[sale.id]![place].state = .voided
                    gifts[sale.id]![place].loss = .refunded
                }
            } else if gift.loss == .refunded, isLeft,
                !isGiftPlaceTaken(gift.rule, gift.customer, except: sale.id)
            {
                gifts[sale.id]![place].reversedValue = gift.value - rest.value
                gifts[sale.id]![place].reversedPoints = gift.points - rest.points
                gifts[sale.id]![place].loss = nil
                gifts[sale.id]![place].state = gift.wasApproved ? .approved : .pending
                if !gift.wasApproved { waitingGifts.append((sale.id, place)) }
            }
        }
    }

    /// A perk cannot be divided, nor a discount.
    private static func rest(
        of gift: Gift, _ sale: LedgerPlayer.Sale
    ) -> (value: Int64, points: Int64) {
        let left = sale.amount - sale.refunded
        let value =
            gift.rule.terms.rate.map { min(gift.value, amount($0, of: left)) } ?? gift.value
        return (value, gift.points - proportion(gift.points, sale.refunded, sale.amount))
    }

    mutating func endHoldsOfGifts(at now: Instant, threshold: Int64?) {
        let open = waitingGifts.filter { gifts[$0.conversion]![$0.place].state == .pending }
        for (sale, place) in open where gifts[sale]![place].holdUntil <= now {
            endHoldOfGift(sale, place, threshold)
        }
        waitingGifts = open.filter { gifts[$0.conversion]![$0.place].state == .pending }
    }

    private mutating func endHoldOfGift(
        _ sale: ConversionID, _ place: Int, _ threshold: Int64?
    ) {
        let gift = gifts[sale]![place]
        let isLarge = threshold.map { gift.value - gift.reversedValue >= $0 } ?? false
        gifts[sale]![place].state = isLarge ? .review : .approved
        gifts[sale]![place].wasApproved = !isLarge
    }

    /// A person decides; false where it may not.
    mutating func changeGift(_ operation: String, _ sale: ConversionID, _ place: Int) -> Bool {
        let gift = gifts[sale]![place]
        switch operation {
        case "approveGift":
            guard gift.state == .pending || gift.state == .review else { return false }
            gifts[sale]![place].state = .approved
            gifts[sale]![place].wasApproved = true
            gifts[sale]![place].isApprovedByPerson = true
        case "fulfilGift":
            guard gift.state == .approved else { return false }
            gifts[sale]![place].state = .fulfilled
        default:
            guard gift.isOpen else { return false }
            gifts[sale]![place].state = .voided
            gifts[sale]![place].loss = .person
        }
        return true
    }

    /// No rule gives twice for a sale, or twice for a customer where it gives once; and what is
    /// open of a sale is what its rest would bring.
    func giftFaults(of sale: LedgerPlayer.Sale) -> [String] {
        let all = gifts[sale.id] ?? []
        return all.indices.compactMap { place in
            let gift = all[place]
            guard gift.state != .voided else { return nil }
            let others = all.indices.filter {
                $0 != place && all[$0].rule.id == gift.rule.id && all[$0].state != .voided
            }
            if !others.isEmpty { return "\(sale.id): twice: \(gift)" }
            if isGiftPlaceTaken(gift.rule, gift.customer, except: sale.id) {
                return "\(sale.id): twice for a customer: \(gift)"
            }
            guard gift.isOpen else { return nil }
            let rest = LedgerModel.rest(of: gift, sale)
            let isRight =
                sale.refunded < sale.amount && gift.value - gift.reversedValue == rest.value
                && gift.points - gift.reversedPoints == rest.points
            return isRight ? nil : "\(sale.id): \(gift), \(rest) for the rest"
        }
    }
}

extension LedgerPlayer {
    mutating func changeGift(_ operation: String, _ tx: Transaction) throws {
        guard let (sale, place) = model.newestGifts.suffix(300).randomElement(using: &random),
            let gift = try BenefitStore.oldest(of: sale, limit: 1_000, tx).dropFirst(place).first
        else { throw NothingToDo() }
        let isDone = model.changeGift(operation, sale, place)
        do {
            switch operation {
            case "approveGift": _ = try BenefitBook.approve(gift, actor: "test", tx)
            case "fulfilGift":
                _ = try BenefitBook.fulfill(gift, reference: nil, actor: "test", tx)
            default:
                _ = try BenefitBook.void(gift, .person, reason: "no", actor: "test", tx)
            }
        } catch let refusal as InvalidTransition {
            guard !isDone else { throw ModelDiffers("\(operation): \(gift)") }
            throw refusal
        }
        guard isDone else { throw ModelDiffers("\(operation): \(gift)") }
    }

    /// The benefits of the sale, one by one.
    func checkGifts(of sale: Sale, _ tx: Transaction) throws {
        let told = try BenefitStore.oldest(of: sale.id, limit: 1_000, tx)
        let expected = model.gifts[sale.id] ?? []
        let isSame =
            told.count == expected.count
            && zip(told, expected).allSatisfy { told, expected in
                told.rule == expected.rule.id && told.owner == expected.owner
                    && told.state == expected.state
                    && told.offer.value?.amount ?? 0 == expected.value
                    && told.offer.points ?? 0 == expected.points
                    && told.offer.discount ?? 0 == expected.discount
                    && (told.state == .voided
                        || told.reversedValue == expected.reversedValue
                            && told.reversedPoints == expected.reversedPoints)
                    && told.voidedFor == expected.loss
            }
        guard isSame else {
            let told = told.map {
                "\($0.kind) \($0.owner) \($0.state) \($0.due.json) \($0.voidedFor as Any)"
            }
            let own = expected.map {
                "\($0.rule.terms.kind) \($0.owner) \($0.state) \($0.value - $0.reversedValue) "
                    + "\($0.points - $0.reversedPoints) \($0.loss as Any)"
            }
            let credits = sale.credits.map { "\($0.participant) \($0.base?.amount ?? 0)" }
            throw ModelDiffers(
                "\(sale.refunded) of \(sale.amount), \(credits), gifts: \(told), expected \(own)"
            )
        }
    }
}
