import Database
import Glibc
import JSON
import Model
import Records

@testable import RewardLedger

/// The same operations on the books and on the model.
struct LedgerPlayer {
    static let operations = [
        "sell", "sell", "sell", "hear", "hear", "hear", "redecide", "redecide", "redecide",
        "redecideAgain", "refund",
        "refundAll", "refundAgain", "reverse", "reverse", "wait", "approve", "approve",
        "reject", "void", "clawBack", "give", "create", "create", "createAgain", "submit", "submit",
        "confirm", "confirm", "confirmPart", "fail", "unknown", "cancel", "return", "returnPart",
        "changeRule", "replaceRule",
        "approveGift", "fulfilGift", "fulfilGift", "voidGift", "qualify", "voidLead", "redeem",
        "redeem", "redeemAgain", "fulfil", "giveUp",
    ]

    let fixture: LedgerFixture
    var random: SeededRandom
    var model = LedgerModel()
    var participants: [ParticipantID] = []
    /// Who shares a sale now and then, twenty at once.
    var others: [ParticipantID] = []
    var customers: [CustomerID] = []
    var sales: [Sale] = []
    var leads: [LeadID] = []
    var rules: [RewardRule] = []
    var items: [CatalogItem] = []
    var orders: [RedemptionOrder] = []
    var references = 0
    var replacements = 0
    /// Whether a rule has changed at this very instant, and whether a sale was made whose rewards
    /// do not tell which rules there were.
    var hasChangedRule = false
    var hasSilentSale = false
    /// What everybody had when the proofs were held last, and when that was.
    var opened: [String: ParticipantBalance] = [:]
    var openedAt: Instant?
    /// How often each operation was tried, and how often it did something.
    var tally: [String: Int] = [:]
    var played: [String: Int] = [:]

    init(_ fixture: LedgerFixture, seed: UInt64) throws {
        self.fixture = fixture
        random = SeededRandom(state: seed)
        for _ in 0..<5 { participants.append(try fixture.participant()) }
        for _ in 0..<20 { others.append(try fixture.participant()) }
        rules = try LedgerPlayer.rules(of: fixture)
        model.once = Set(rules.filter { $0.terms.oncePer == .customer }.map(\.id))
        items = [
            try fixture.item(7), try fixture.item(25), try fixture.item(90),
            try fixture.item(30, stock: LedgerPlayer.stock),
        ]
    }

    /// Of the item that is scarce.
    static let stock: Int64 = 4

    mutating func play(_ count: Int) throws {
        fixture.advance(days: Int64(random.below(3)))
        fixture.advance(milliseconds: 1)
        hasChangedRule = false
        hasSilentSale = false
        let before = self
        self = try fixture.perform { tx in
            var player = before
            for _ in 0..<count { try player.step(tx) }
            return player
        }
    }

    mutating func step(_ tx: Transaction) throws {
        let place = Int(random.below(UInt64(LedgerPlayer.operations.count)))
        let operation = LedgerPlayer.operations[place]
        tally[operation, default: 0] += 1
        do {
            try perform(operation, tx)
            played[operation, default: 0] += 1
        } catch is InvalidTransition {
        } catch is RewardRefusal {
        } catch is PayoutRefusal {
        } catch is RedemptionRefusal {
        } catch is NothingToDo {
        }
    }

    mutating func perform(_ operation: String, _ tx: Transaction) throws {
        switch operation {
        case "sell": try sell(tx)
        case "hear": try hear(tx)
        case "approveGift", "fulfilGift", "voidGift": try changeGift(operation, tx)
        case "redecide", "redecideAgain":
            try redecide(isSame: operation == "redecideAgain", tx)
        case "refund", "refundAll", "refundAgain", "reverse": try refund(operation, tx)
        case "give": try give(tx)
        case "wait": try wait(tx)
        case "approve", "reject", "void", "clawBack": try decide(operation, tx)
        case "create", "createAgain": try create(isRepeated: operation == "createAgain", tx)
        case "changeRule": try changeRule(tx)
        case "replaceRule": try replaceRule(tx)
        case "qualify": try qualify(tx)
        case "voidLead":
            try takeBack(tx)
        case "redeem", "redeemAgain": try redeem(isRepeated: operation == "redeemAgain", tx)
        case "fulfil", "giveUp": try settle(isFulfilled: operation == "fulfil", tx)
        default: try payout(operation, tx)
        }
    }

    mutating func redeem(isRepeated: Bool, _ tx: Transaction) throws {
        if isRepeated {
            guard let order = orders.randomElement(using: &random) else { throw NothingToDo() }
            guard try !RedemptionBook.request(order, tx).isNew else {
                throw ModelDiffers("redeemed twice")
            }
            return
        }
        let item = items[Int(random.below(UInt64(items.count)))]
        let participant = participants[Int(random.below(UInt64(participants.count)))]
        guard let known = try CatalogItemStore.find(item.id, tx) else {
            throw ModelDiffers("missing item")
        }
        let order = RedemptionOrder(
            reference: "order \(orders.count)", participant: participant, item: known,
            country: nil, actor: "test")
        do {
            let redemption = try RedemptionBook.request(order, tx).redemption
            try model.redeem(redemption)
            orders.append(order)
        } catch RedemptionRefusal.notEnoughPoints(let available, let needed) {
            guard available == model.free(of: participant), available < needed else {
                throw ModelDiffers("not enough: \(available) of \(needed)")
            }
            throw RedemptionRefusal.notEnoughPoints(available: available, needed: needed)
        }
    }

    mutating func settle(isFulfilled: Bool, _ tx: Transaction) throws {
        guard !model.redemptions.isEmpty else { throw NothingToDo() }
        let recent = UInt64(min(model.redemptions.count, 12))
        let place = model.redemptions.count - 1 - Int(random.below(recent))
        guard let old = try RedemptionStore.find(model.redemptions[place].id, tx) else {
            throw ModelDiffers("missing redemption")
        }
        let redemption =
            try isFulfilled
            ? RedemptionBook.fulfill(old, reference: nil, actor: "test", tx)
            : RedemptionBook.cancel(old, reason: "test", actor: "test", tx)
        model.settle(place, as: redemption.state)
    }

    mutating func takeBack(_ tx: Transaction) throws {
        guard let lead = leads.randomElement(using: &random) else { throw NothingToDo() }
        let isPaidToo = random.below(2) == 0
        let days: Int64? = random.below(8) == 0 ? nil : 90
        let order = LeadTakeBack(
            lead, [.leadQualified], isPaidToo: isPaidToo, days: days, reason: "test",
            actor: "test")
        do {
            let changed = try RewardBook.takeBack(order, tx)
            guard model.takeBack(lead, isPaidToo: isPaidToo) == changed.map(\.id) else {
                throw ModelDiffers("takeBack")
            }
            if changed.isEmpty { throw NothingToDo() }
        } catch let refusal as RewardRefusal {
            guard isPaidToo, model.isPaid(lead) else { throw ModelDiffers("\(refusal)") }
            throw refusal
        }
    }

    mutating func give(_ tx: Transaction) throws {
        let isMoney = random.below(4) > 0
        let amount = Int64(random.below(isMoney ? 4_000 : 60)) + 1
        let reward = try RewardBook.give(
            ManualReward(
                program: fixture.program, programVersion: 1,
                participant: participants[Int(random.below(UInt64(participants.count)))],
                kind: isMoney ? .cash : .points,
                amount: Money(amount: amount, currency: isMoney ? fixture.currency : .points),
                threshold: isMoney ? fixture.threshold : nil, isReviewed: false, reason: "thanks",
                actor: "test"), tx)
        model.give(reward, threshold: fixture.threshold)
    }

    mutating func wait(_ tx: Transaction) throws {
        for job in try JobStore.due(at: tx.now, limit: 100_000, tx) {
            switch job.kind {
            case BenefitBook.holdJob: try BenefitBook.endHold(job.subject(BenefitID.self), tx)
            default: try RewardBook.endHold(job.subject(RewardID.self), tx)
            }
            try JobStore.remove(job, tx)
        }
        model.endHolds(at: tx.now, threshold: fixture.threshold)
    }

    mutating func decide(_ operation: String, _ tx: Transaction) throws {
        guard !model.rewards.isEmpty else { throw NothingToDo() }
        let recent = UInt64(min(model.rewards.count, 100))
        let place = model.rewards.count - 1 - Int(random.below(recent))
        guard let reward = try RewardStore.find(model.rewards[place].id, tx) else {
            throw ModelDiffers("missing reward")
        }
        switch operation {
        case "approve": _ = try RewardBook.approve(reward, actor: "test", tx)
        case "reject": _ = try RewardBook.reject(reward, reason: "no", actor: "test", tx)
        case "clawBack": _ = try RewardBook.clawBack(reward, reason: "no", actor: "test", tx)
        default: _ = try RewardBook.void(reward, reason: "no", actor: "test", tx)
        }
        try model.decide(operation, place)
    }

    mutating func create(isRepeated: Bool, _ tx: Transaction) throws {
        if !isRepeated { references += 1 }
        let participant = participants[Int(random.below(UInt64(participants.count)))]
        let isCash = random.below(3) > 0
        let order = fixture.order(
            "r\(references)", to: participant, kind: isCash ? .cash : .accountCredit)
        if try PayoutStore.find(reference: "r\(references)", tx) == nil {
            model.setOff(
                for: participant, isCash ? .cash : .accountCredit, fixture.currency)
        }
        let (payout, isNew) = try PayoutBook.create(order, tx)
        if isNew { try model.create(payout) }
    }

    mutating func payout(_ operation: String, _ tx: Transaction) throws {
        guard !model.payouts.isEmpty else { throw NothingToDo() }
        let recent = UInt64(min(model.payouts.count, 12))
        let place = model.payouts.count - 1 - Int(random.below(recent))
        guard let old = try PayoutStore.find(model.payouts[place].id, tx) else {
            throw ModelDiffers("missing payout")
        }
        if operation.hasPrefix("return") {
            let part = operation == "return" ? nil : Int64(random.below(UInt64(old.amount) + 2))
            let back = try PayoutReturn.run(
                old, amount: part, reason: "test", actor: "test", tx)
            return try model.takeBack(back.returnedAmount - old.returnedAmount, of: place)
        }
        let isLate = old.state != .processing && old.state != .unknown
        if operation.hasPrefix("confirm"), isLate {
            let part = operation == "confirm" ? nil : Int64(random.below(UInt64(old.amount) + 2))
            let paid = try PayoutBook.confirm(old, paid: part, actor: "test", tx).paidAmount
            return model.payLate(paid, for: place)
        }
        let payout: Payout =
            switch operation {
            case "submit":
                try PayoutBook.submit(old, providerReference: nil, actor: "test", tx)
            case "confirm": try PayoutBook.confirm(old, paid: nil, actor: "test", tx)
            case "confirmPart":
                try PayoutBook.confirm(
                    old, paid: Int64(random.below(UInt64(old.amount) + 2)), actor: "test", tx)
            case "fail": try PayoutBook.fail(old, reason: "test", actor: "test", tx)
            case "unknown": try PayoutBook.markUnknown(old, reason: nil, actor: "test", tx)
            default: try PayoutBook.cancel(old, reason: nil, actor: "test", tx)
            }
        try model.move(place, to: payout.state, paid: payout.paidAmount)
    }

    mutating func changeRule(_ tx: Transaction) throws {
        guard !hasSilentSale else { throw NothingToDo() }
        hasChangedRule = true
        var rule = rules[0]
        rule.terms = RewardTerms(
            trigger: .conversion, recipient: .referrer, kind: .cash,
            rate: .basisPoints(
                Int64(random.below(3_000)) + 20,
                atLeast: random.below(3) == 0 ? fixture.money(150) : nil,
                atMost: random.below(2) == 0 ? nil : fixture.money(2_000)),
            conversionKinds: nil)
        rule.version += 1
        try RewardRuleStore.update(rule, actor: "test", tx)
        rules[0] = rule
    }

    /// The flat rule ends and another takes its place: sales from before keep the old one. Now and
    /// then, as programs do: a correction reads all rules that there ever were.
    mutating func replaceRule(_ tx: Transaction) throws {
        replacements += 1
        guard replacements.isMultiple(of: 20), replacements < 1_000, !hasSilentSale,
            let place = rules.firstIndex(where: { $0.name == "flat" })
        else { throw NothingToDo() }
        hasChangedRule = true
        var old = rules[place]
        old.state = .archived
        old.version += 1
        try RewardRuleStore.update(old, actor: "test", tx)
        rules[place] = RewardRule(
            id: tx.makeID(), program: fixture.program, name: "flat", state: .active,
            terms: RewardTerms(
                trigger: .conversion, recipient: .referrer, kind: .accountCredit,
                rate: .flat(fixture.money(Int64(random.below(900)) + 1)), conversionKinds: nil),
            metadata: [:], version: 1, createdAt: tx.now, updatedAt: tx.now)
        try RewardRuleStore.insert(rules[place], actor: "test", tx)
        // The books give by the oldest rule first.
        rules.append(rules.remove(at: place))
    }

    mutating func qualify(_ tx: Transaction) throws {
        let participant = participants[Int(random.below(UInt64(participants.count)))]
        let isOld = random.below(3) == 0
        let lead = isOld ? leads.randomElement(using: &random) ?? tx.makeID() : tx.makeID()
        let granted = try RewardBook.grant(
            fixture.occasion(.leadQualified, lead: lead),
            to: [Credit(participant: participant, base: nil)], tx)
        let isOpen = model.isOpen(lead)
        let room = LedgerPlayer.leadMost - model.earned(participant, by: rules[1].id, at: tx.now)
        let due = isOpen ? 0 : min(500, max(0, room))
        guard granted.map(\.amount.amount) == (due > 0 ? [due] : []) else {
            throw ModelDiffers("lead: \(granted), expected \(due)")
        }
        model.grant(granted, holdDays: fixture.holdDays, threshold: fixture.threshold)
        leads.append(lead)
        if granted.isEmpty { throw NothingToDo() }
    }
}

struct ModelDiffers: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

/// There is nothing yet, or no longer, with which the operation could do anything.
struct NothingToDo: Error {}
