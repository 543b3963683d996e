import Database
import Glibc
import JSON
import Model
import Records
import Testing

@testable import RewardLedger

/// Long random sequences against a ledger that is a few lists in memory, and sums over them.
@Suite struct LedgerModelTests {
    @Test("the books agree with a tiny model over random operations, and all proofs hold")
    func randomOperations() throws {
        let count = getenv("REFERRALD_OPERATIONS").flatMap { Int(String(cString: $0)) } ?? 20_000
        let seed =
            getenv("REFERRALD_SEED").flatMap { UInt64(String(cString: $0)) }
            ?? UInt64.random(in: 0...UInt64.max)
        print("REFERRALD_SEED=\(seed) REFERRALD_OPERATIONS=\(count)")
        let fixture = try LedgerFixture(holdDays: 7, threshold: 3_000)
        var player = try LedgerPlayer(fixture, seed: seed)
        var done = 0
        while done < count {
            try player.play(100)
            done += 100
            let isProofDue = done >= count || done % 1_000 == 0
            let wrong = try player.differences(
                everything: isProofDue, eachRow: done >= count || done % 5_000 == 0)
            try #require(wrong.isEmpty, "seed \(seed), after \(done): \(wrong.prefix(5))")
        }
        #expect(player.tally.values.reduce(0, +) == done)
        #expect(player.tally.count == LedgerPlayer.operations.count)
        #expect(player.refusals > 0 && player.successes > 0)
        #expect(done < 5_000 || !player.model.setOff.isEmpty)
    }
}

/// The same operations on the books and on the model.
struct LedgerPlayer {
    struct Sale {
        let id: ConversionID
        let amount: Int64
        let recordedAt: Instant
        /// The rules as they were then.
        let rules: [RewardRule]
        /// Who counts now.
        var credits: [Credit]
        /// What refunds asked for, nil for the whole, and whether they are in force.
        var refunds: [(asked: Int64?, isInForce: Bool)] = []
        var refund: RefundID?

        var refunded: Int64 {
            min(
                amount,
                refunds.reduce(0) { $0 + ($1.isInForce ? $1.asked ?? amount : 0) })
        }
    }

    static let operations = [
        "sell", "sell", "sell", "redecide", "redecide", "redecide", "redecideAgain", "refund",
        "refundAll", "refundAgain", "reverse", "reverse", "wait", "approve", "approve",
        "reject", "void", "clawBack", "give", "create", "create", "createAgain", "submit", "submit",
        "confirm", "confirm", "confirmPart", "fail", "unknown", "cancel", "return", "returnPart",
        "changeRule", "replaceRule",
        "qualify", "voidLead", "redeem", "redeem", "redeemAgain", "fulfil", "giveUp",
    ]

    let fixture: LedgerFixture
    var random: SeededRandom
    var model = LedgerModel()
    var participants: [ParticipantID] = []
    /// Who shares a sale now and then, twenty at once.
    var others: [ParticipantID] = []
    var sales: [Sale] = []
    var leads: [LeadID] = []
    var rules: [RewardRule] = []
    var items: [CatalogItem] = []
    var orders: [RedemptionOrder] = []
    var references = 0
    var replacements = 0
    var tally: [Int: Int] = [:]
    var refusals = 0
    var successes = 0

    init(_ fixture: LedgerFixture, seed: UInt64) throws {
        self.fixture = fixture
        random = SeededRandom(state: seed)
        for _ in 0..<5 { participants.append(try fixture.participant()) }
        for _ in 0..<20 { others.append(try fixture.participant()) }
        rules = [
            try fixture.rule(.basisPoints(1_250, atMost: nil)),
            try fixture.rule(.flat(fixture.money(500)), trigger: .leadQualified),
            try fixture.rule(.flat(fixture.money(333)), kind: .accountCredit),
            try fixture.pointsRule(40),
        ]
        rules[2].name = "flat"
        items = [
            try fixture.item(7), try fixture.item(25), try fixture.item(90),
            try fixture.item(30, stock: LedgerPlayer.stock),
        ]
    }

    /// Of the item that is scarce.
    static let stock: Int64 = 4

    mutating func play(_ count: Int) throws {
        var next = self
        fixture.advance(days: Int64(next.random.below(3)))
        let played = self
        next = try fixture.perform { tx in
            var player = played
            for _ in 0..<count { try player.step(tx) }
            return player
        }
        self = next
    }

    private mutating func step(_ tx: Transaction) throws {
        let place = Int(random.below(UInt64(LedgerPlayer.operations.count)))
        tally[place, default: 0] += 1
        do {
            try perform(LedgerPlayer.operations[place], tx)
            successes += 1
        } catch is InvalidTransition {
            refusals += 1
        } catch is RewardRefusal {
            refusals += 1
        } catch is PayoutRefusal {
            refusals += 1
        } catch is RedemptionRefusal {
            refusals += 1
        }
    }

    private mutating func perform(_ operation: String, _ tx: Transaction) throws {
        switch operation {
        case "sell": try sell(tx)
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

    private mutating func redeem(isRepeated: Bool, _ tx: Transaction) throws {
        if isRepeated, let order = orders.randomElement(using: &random) {
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

    private mutating func settle(isFulfilled: Bool, _ tx: Transaction) throws {
        guard !model.redemptions.isEmpty else { return }
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

    private var saleRules: [RewardRule] { rules.filter { $0.terms.trigger == .conversion } }

    /// One to four participants by parts, somebody perhaps twice, or now and then twenty; a part
    /// may be nothing.
    private mutating func credits(of amount: Int64) -> [Credit] {
        if random.below(20) == 0 {
            let parts = others.map { _ in Int64(random.below(3)) + 1 }
            return zip(others, zip(parts, Apportionment.split(amount, by: parts))).map {
                Credit(participant: $0, parts: $1.0, base: fixture.money($1.1))
            }
        }
        var parts = (0..<(1 + random.below(4))).map { _ in Int64(random.below(4)) }
        parts[0] += 1
        let bases = Apportionment.split(amount, by: parts)
        return zip(parts, bases).map { part, base in
            Credit(
                participant: participants[Int(random.below(UInt64(participants.count)))],
                parts: part, base: Money(amount: base, currency: fixture.currency))
        }
    }

    private mutating func sell(_ tx: Transaction) throws {
        // Every rule gives something, so that the rewards tell which rules there were.
        let amount = Int64(random.below(40_000)) + 300
        let sale = Sale(
            id: tx.makeID(), amount: amount, recordedAt: tx.now, rules: saleRules,
            credits: credits(of: amount))
        // Twice: what was granted once is not granted again.
        var granted: [Reward] = []
        for _ in 0..<2 {
            granted += try RewardBook.grant(
                fixture.occasion(conversion: sale.id, attribution: tx.makeID()), to: sale.credits,
                tx)
        }
        try check(granted, LedgerModel.shares(sale.rules, sale.credits))
        model.grant(granted, holdDays: fixture.holdDays, threshold: fixture.threshold)
        sales.append(sale)
    }

    private func check(_ granted: [Reward], _ expected: [ModelShare]) throws {
        let told = granted.map {
            ModelShare(
                rule: $0.rule, participant: $0.participant, amount: $0.amount.amount,
                whole: $0.wholeAmount)
        }
        guard told == expected else { throw ModelDiffers("\(told), expected \(expected)") }
    }

    /// A new decision about a recent sale, often back to one there was before, since few take part;
    /// with `isSame` the one that counts, which changes nothing.
    private mutating func redecide(isSame: Bool, _ tx: Transaction) throws {
        guard let place = recentSale() else { return }
        if !isSame { sales[place].credits = credits(of: sales[place].amount) }
        let sale = sales[place]
        let known = Set((model.places[sale.id] ?? []).map { model.rewards[$0].id })
        let changed = try RewardCorrection.run(
            fixture.occasion(conversion: sale.id, attribution: tx.makeID()), of: facts(sale), tx)
        if isSame, !changed.isEmpty { throw ModelDiffers("decided the same: \(changed)") }
        let missing = model.redecide(sale.id, LedgerModel.shares(sale.rules, sale.credits))
        let granted = changed.filter { !known.contains($0.id) }
        try check(granted, missing)
        model.grant(granted, holdDays: fixture.holdDays, threshold: fixture.threshold)
        model.settle(sale.id, rests(sale))
    }

    fileprivate func rests(_ sale: Sale) -> [ModelShare] {
        sale.refunded == 0
            ? LedgerModel.shares(sale.rules, sale.credits)
            : LedgerModel.rests(
                sale.rules, sale.credits, refunded: sale.refunded, of: sale.amount)
    }

    private func facts(_ sale: Sale) -> RewardSale {
        fixture.sale(
            sale.id, sale.credits, refunded: sale.refunded, of: sale.amount, refund: sale.refund,
            recordedAt: sale.recordedAt)
    }

    /// The newest sales are where things happen.
    private mutating func recentSale() -> Int? {
        guard !sales.isEmpty else { return nil }
        return sales.count - 1 - Int(random.below(UInt64(min(sales.count, 100))))
    }

    private mutating func refund(_ operation: String, _ tx: Transaction) throws {
        guard let place = recentSale() else { return }
        let inForce = sales[place].refunds.indices.filter { sales[place].refunds[$0].isInForce }
        switch operation {
        // Some ask for more than is left.
        case "refund":
            let most = UInt64(sales[place].amount)
            sales[place].refunds.append((Int64(random.below(most)) + 1, true))
        case "refundAll": sales[place].refunds.append((nil, true))
        case "reverse":
            guard let refund = inForce.randomElement(using: &random) else { return }
            sales[place].refunds[refund].isInForce = false
        default: break
        }
        if operation != "refundAgain" { sales[place].refund = tx.makeID() }
        let changed = try RewardBook.settle(facts(sales[place]), actor: "test", tx)
        if operation == "refundAgain", !changed.isEmpty { throw ModelDiffers(operation) }
        model.settle(sales[place].id, rests(sales[place]))
    }

    private mutating func takeBack(_ tx: Transaction) throws {
        guard let lead = leads.randomElement(using: &random) else { return }
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
        } catch let refusal as RewardRefusal {
            guard isPaidToo, model.isPaid(lead) else { throw ModelDiffers("\(refusal)") }
            throw refusal
        }
    }

    private mutating func give(_ tx: Transaction) throws {
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

    private mutating func wait(_ tx: Transaction) throws {
        for job in try JobStore.due(at: tx.now, limit: 100_000, tx) {
            try RewardBook.endHold(job.subject(RewardID.self), tx)
            try JobStore.remove(job, tx)
        }
        model.endHolds(at: tx.now)
    }

    private mutating func decide(_ operation: String, _ tx: Transaction) throws {
        guard !model.rewards.isEmpty else { return }
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

    private mutating func create(isRepeated: Bool, _ tx: Transaction) throws {
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

    private mutating func payout(_ operation: String, _ tx: Transaction) throws {
        guard !model.payouts.isEmpty else { return }
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

    private mutating func changeRule(_ tx: Transaction) throws {
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
    private mutating func replaceRule(_ tx: Transaction) throws {
        replacements += 1
        guard replacements.isMultiple(of: 20), replacements < 1_000,
            let place = rules.firstIndex(where: { $0.name == "flat" })
        else { return }
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

    private mutating func qualify(_ tx: Transaction) throws {
        let participant = participants[Int(random.below(UInt64(participants.count)))]
        let isOld = random.below(3) == 0
        let lead = isOld ? leads.randomElement(using: &random) ?? tx.makeID() : tx.makeID()
        let granted = try RewardBook.grant(
            fixture.occasion(.leadQualified, lead: lead),
            to: [Credit(participant: participant, base: nil)], tx)
        let isOpen = model.rewards.contains {
            $0.lead == lead && ($0.isRefused || $0.reversed < $0.amount)
        }
        guard granted.count == (isOpen ? 0 : 1) else { throw ModelDiffers("lead") }
        model.grant(granted, holdDays: fixture.holdDays, threshold: fixture.threshold)
        leads.append(lead)
    }

    /// What the books say otherwise than the model; with `everything`, also the proofs, and with
    /// `eachRow` every reward by itself.
    func differences(everything: Bool, eachRow: Bool) throws -> [String] {
        let player = self
        return try fixture.perform { tx in
            var wrong: [String] = []
            for participant in player.participants + player.others {
                let balances = try LedgerReads.balances(of: participant, tx)
                for currency in [player.fixture.currency, .points] {
                    let told = balances.first { $0.currency == currency }?.balance
                    let expected = player.model.balance(of: participant, currency)
                    if told ?? ParticipantBalance() != expected {
                        wrong.append("\(participant): \(told as Any), expected \(expected)")
                    }
                }
            }
            let accounts: [(LedgerAccount.Kind, Currency)] = [
                (.budgetReserve, fixture.currency), (.programExpense, fixture.currency),
                (.pointsIssued, .points),
            ]
            let cost = try accounts.map {
                try JournalStore.balance($0.0, of: fixture.program, $0.1, tx)
            }
            if cost != player.model.cost {
                wrong.append("cost: \(cost), expected \(player.model.cost)")
            }
            guard everything else { return wrong }
            let taken =
                try player.orders.count { $0.item.terms.stock != nil }
                - player.model.redemptions.count { redemption in
                    try redemption.state == .cancelled
                        && RedemptionStore.find(redemption.id, tx)?.takesStock == true
                }
            let left = try player.items.last.flatMap { try CatalogItemStore.find($0.id, tx) }
            if left?.terms.stock != LedgerPlayer.stock - Int64(taken) {
                wrong.append("stock: \(left?.terms.stock as Any), \(taken) taken")
            }
            for reward in eachRow ? player.model.rewards : [] {
                let told = try RewardStore.find(reward.id, tx)
                if told?.state != reward.state || told?.reversedAmount != reward.reversed
                    || told?.correctedAmount != reward.corrected
                    || told?.withdrawnAmount != reward.withdrawn
                    || told?.clawbackAmount != reward.owed
                    || told?.settledAmount != reward.settled
                {
                    wrong.append("\(reward): \(told as Any)")
                }
            }
            wrong += player.saleFaults()
            let counted = try CounterStore.all(prefix: "rewards.", tx)
            for state in Reward.State.allCases {
                let count = player.model.rewards.filter { $0.state == state }.count
                let told = counted.first { $0.name == "rewards.\(state.rawValue)" }?.value ?? 0
                if told != Int64(count) { wrong.append("counter of \(state): \(told), \(count)") }
            }
            return try wrong + LedgerVerifier.verify(tx).faults
        }
    }
}

extension LedgerPlayer {
    fileprivate func saleFaults() -> [String] {
        sales.flatMap { sale in
            model.faults(
                of: sale.id, (model.places[sale.id] ?? []).map { model.rewards[$0] },
                LedgerModel.shares(sale.rules, sale.credits), rests(sale),
                isRefunded: sale.refunded > 0)
        }
    }
}

struct ModelDiffers: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

/// SplitMix64: the same seed gives the same sequence everywhere.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}
