import Database
import Glibc
import JSON
import Model
import Records

@testable import RewardLedger

/// Sales: one or several channels report them, their credit is decided again, money goes back.
extension LedgerPlayer {
    /// What one channel says of a sale.
    struct Report {
        var referrers: Set<ParticipantID>
        var isOfProduct: Bool
    }

    struct Sale {
        let id: ConversionID
        let customer: CustomerID
        let amount: Int64
        let recordedAt: Instant
        /// The rules as they were then.
        let rules: [RewardRule]
        /// What channels have not reported yet, and what they have.
        var unheard: [Report] = []
        var heard: [Report] = []
        var isHeardAgain = false
        var isRedecided = false
        /// Whether it is of the product, as the newest decision knows.
        var isOfProduct = false
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

        var isSaidToBeOfProduct: Bool { heard.contains { $0.isOfProduct } }
    }

    static let product = "pro"
    /// What one participant may earn by qualified leads in a month.
    static let leadMost: Int64 = 3_300

    /// The first two are changed, and capped, by their place.
    static func rules(of fixture: LedgerFixture) throws -> [RewardRule] {
        func rule(
            _ kind: RewardRule.Kind, _ rate: RewardTerms.Rate? = nil, name: String? = nil,
            trigger: RewardRule.TriggerName = .conversion,
            recipient: RewardRule.Recipient = .referrer,
            _ change: @Sendable (inout RewardTerms) -> Void = { _ in }
        ) throws -> RewardRule {
            var terms = RewardTerms(
                trigger: trigger, recipient: recipient, kind: kind, rate: rate,
                conversionKinds: nil)
            change(&terms)
            return try fixture.rule(terms, name: name)
        }
        let (money, worth) = (fixture.money, fixture.money(3_500))
        return [
            try rule(.cash, .basisPoints(1_250, atMost: nil)),
            try rule(.cash, .flat(money(500)), trigger: .leadQualified) {
                $0.limits.most[.participantMonth] = leadMost
            },
            try rule(.accountCredit, .flat(money(333)), name: "flat"),
            try rule(.points) { $0.gift.points = 40 },
            try rule(.cash, .flat(money(777))) { $0.oncePer = .customer },
            try rule(.accountCredit, .flat(money(210))) { $0.products = [product] },
            try rule(
                .accountCredit, .basisPoints(500, atMost: money(1_500)), recipient: .referee
            ) { $0.oncePer = .customer },
            try rule(.points, recipient: .referee) { $0.gift.points = 25 },
            try rule(.perk) {
                $0.gift.description = "A day at the sea"
                $0.gift.value = worth
            },
            try rule(.discount) {
                $0.gift.discount = 1_000
                $0.gift.discountMost = 3_500
            },
        ]
    }

    private var saleRules: [RewardRule] { rules.filter { $0.terms.trigger == .conversion } }

    /// The rules that give rewards for the sale now.
    private func giving(_ sale: Sale) -> [RewardRule] {
        sale.rules.filter { rule in
            guard rule.terms.isReward, rule.terms.products == nil || sale.isOfProduct else {
                return false
            }
            return rule.terms.oncePer == nil
                || !model.isPlaceTaken(rule.id, of: sale.customer, except: sale.id)
        }
    }

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

    /// All that the reports name, in equal parts, whichever came first.
    private func credits(of amount: Int64, by reports: [Report]) -> [Credit] {
        let named = reports.reduce(into: Set<ParticipantID>()) { $0.formUnion($1.referrers) }
        let all = participants.filter(named.contains)
        return zip(all, Apportionment.split(amount, by: all.map { _ in 1 })).map {
            Credit(participant: $0, parts: 1, base: fixture.money($1))
        }
    }

    private mutating func report(isOfNobody: Bool) -> Report {
        var report = Report(referrers: [], isOfProduct: random.below(2) == 0)
        for participant in participants where !isOfNobody && random.below(3) == 0 {
            report.referrers.insert(participant)
        }
        return report
    }

    /// A new customer, or one of the newest.
    private mutating func customer(_ tx: Transaction) -> CustomerID {
        if random.below(3) == 0, let known = customers.suffix(10).randomElement(using: &random) {
            return known
        }
        customers.append(tx.makeID())
        return customers[customers.count - 1]
    }

    mutating func sell(_ tx: Transaction) throws {
        // Most rules give something, so that the rewards tell which rules there were.
        let amount = Int64(random.below(40_000)) + 300
        var sale = Sale(
            id: tx.makeID(), customer: customer(tx), amount: amount, recordedAt: tx.now,
            rules: saleRules, credits: [])
        if random.below(3) == 0 {
            sale.heard = [report(isOfNobody: hasChangedRule ? false : random.below(3) == 0)]
            for _ in 0..<(1 + random.below(2)) { sale.unheard.append(report(isOfNobody: false)) }
            sale.credits = credits(of: amount, by: sale.heard)
            if sale.credits.isEmpty, hasChangedRule { throw NothingToDo() }
        } else {
            sale.heard = [Report(referrers: [], isOfProduct: random.below(4) == 0)]
            sale.credits = credits(of: amount)
        }
        if sale.credits.isEmpty { hasSilentSale = true }
        sale.isOfProduct = sale.isSaidToBeOfProduct
        // Twice: what was granted once is not granted again.
        var granted: [Reward] = []
        let expected = LedgerModel.shares(giving(sale), sale.credits)
        for _ in 0..<2 {
            let occasion = occasion(sale, tx)
            granted += try RewardBook.grant(occasion, to: sale.credits, tx)
            try BenefitBook.grant(occasion, to: sale.credits, tx)
        }
        try check(granted, expected)
        model.grant(
            granted, holdDays: fixture.holdDays, threshold: fixture.threshold,
            customer: sale.customer)
        model.give(
            sale, credits: sale.credits, holdDays: fixture.holdDays, at: tx.now,
            threshold: fixture.threshold)
        sales.append(sale)
        try checkGifts(of: sale, tx)
    }

    private func occasion(_ sale: Sale, _ tx: Transaction) -> RewardOccasion {
        var occasion = fixture.occasion(conversion: sale.id, attribution: tx.makeID())
        occasion.facts.customer = sale.customer
        occasion.facts.person = [sale.customer]
        occasion.facts.product = sale.isSaidToBeOfProduct ? LedgerPlayer.product : nil
        return occasion
    }

    private func check(_ granted: [Reward], _ expected: [ModelShare]) throws {
        let told = granted.map {
            ModelShare(
                rule: $0.rule, participant: $0.participant, amount: $0.amount.amount,
                whole: $0.wholeAmount)
        }
        guard told == expected else { throw ModelDiffers("\(told), expected \(expected)") }
    }

    /// The page reports after the server, or the other way round. Within a day, and where nobody
    /// has decided, the sale is credited by what both said.
    mutating func hear(_ tx: Transaction) throws {
        let open = sales.indices.suffix(40).filter {
            !sales[$0].unheard.isEmpty && sales[$0].refunded < sales[$0].amount
        }
        guard let place = open.randomElement(using: &random) else { throw NothingToDo() }
        let next = Int(random.below(UInt64(sales[place].unheard.count)))
        sales[place].heard.append(sales[place].unheard.remove(at: next))
        sales[place].isHeardAgain = true
        let sale = sales[place]
        let isDecided =
            try RewardStore.isDecided(of: sale.id, tx) || BenefitStore.isDecided(of: sale.id, tx)
        guard isDecided == model.isDecided(sale.id) else {
            throw ModelDiffers("\(sale): decided \(isDecided)")
        }
        let isOpen = tx.now <= sale.recordedAt.advanced(byMilliseconds: 86_400_000)
        guard isOpen, !isDecided, !sale.isRedecided else { throw NothingToDo() }
        sales[place].credits = credits(of: sale.amount, by: sale.heard)
        _ = try correct(place, tx)
    }

    /// A new decision about a recent sale, often back to one there was before, since few take part;
    /// with `isSame` the one that counts, which changes nothing.
    mutating func redecide(isSame: Bool, _ tx: Transaction) throws {
        guard let place = recentSale() else { throw NothingToDo() }
        // Reports that came too late wait for a new decision.
        let isNews = sales[place].isSaidToBeOfProduct != sales[place].isOfProduct
        guard !isSame || !isNews else { throw NothingToDo() }
        if !isSame {
            sales[place].isRedecided = true
            sales[place].credits = credits(of: sales[place].amount)
        }
        let changed = try correct(place, tx)
        // A place with a rule that gives once may have become free, or somebody else's.
        let once = Set(sales[place].rules.filter { $0.terms.oncePer != nil }.map(\.id))
        if isSame, changed.contains(where: { $0.rule.map { !once.contains($0) } ?? true }) {
            throw ModelDiffers("decided the same: \(changed)")
        }
    }

    /// Brings rewards and benefits to the credit that counts.
    private mutating func correct(_ place: Int, _ tx: Transaction) throws -> [Reward] {
        sales[place].isOfProduct = sales[place].isSaidToBeOfProduct
        let sale = sales[place]
        let known = Set((model.places[sale.id] ?? []).map { model.rewards[$0].id })
        var occasion = occasion(sale, tx)
        occasion.knowsMore = sale.isHeardAgain
        try BenefitBook.correct(occasion, of: facts(sale), tx)
        let shares = LedgerModel.shares(giving(sale), sale.credits)
        let changed = try RewardCorrection.run(occasion, of: facts(sale), tx)
        let missing = model.redecide(sale.id, shares)
        let granted = changed.filter { !known.contains($0.id) }
        try check(granted, missing)
        model.grant(
            granted, holdDays: fixture.holdDays, threshold: fixture.threshold,
            customer: sale.customer, recordedAt: sale.recordedAt)
        _ = model.settle(sale.id, rests(sale))
        model.moveGifts(
            of: sale, at: tx.now, holdDays: fixture.holdDays, threshold: fixture.threshold)
        try checkGifts(of: sale, tx)
        return changed
    }

    func rests(_ sale: Sale) -> [ModelShare] {
        let rules = sale.rules.filter(\.terms.isReward)
        return sale.refunded == 0
            ? LedgerModel.shares(rules, sale.credits)
            : LedgerModel.rests(rules, sale.credits, refunded: sale.refunded, of: sale.amount)
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

    mutating func refund(_ operation: String, _ tx: Transaction) throws {
        guard let place = recentSale() else { throw NothingToDo() }
        let inForce = sales[place].refunds.indices.filter { sales[place].refunds[$0].isInForce }
        switch operation {
        // Some ask for more than is left.
        case "refund":
            let most = UInt64(sales[place].amount)
            sales[place].refunds.append((Int64(random.below(most)) + 1, true))
        case "refundAll": sales[place].refunds.append((nil, true))
        case "reverse":
            guard let refund = inForce.randomElement(using: &random) else { throw NothingToDo() }
            sales[place].refunds[refund].isInForce = false
        default: break
        }
        if operation != "refundAgain" { sales[place].refund = tx.makeID() }
        let sale = sales[place]
        try BenefitBook.settle(facts(sale), actor: "test", tx)
        let changed = try RewardBook.settle(facts(sale), actor: "test", tx)
        let expected = model.settle(sale.id, rests(sale))
        guard Set(changed.map(\.id)) == expected else {
            throw ModelDiffers("\(operation): \(changed), expected \(expected)")
        }
        model.settleGifts(of: sale)
        try checkGifts(of: sale, tx)
    }

    // MARK: - Differences

    /// Every sale by itself, by the rules that do not look at other sales; and no customer twice
    /// where a rule gives once.
    func saleFaults(_ sales: ArraySlice<Sale>) -> [String] {
        sales.flatMap { sale in
            let rules = sale.rules.filter {
                $0.terms.isReward && $0.terms.oncePer == nil
                    && ($0.terms.products == nil || sale.isOfProduct)
            }
            let once = Set(sale.rules.filter { $0.terms.oncePer != nil }.map(\.id))
            return model.giftFaults(of: sale)
                + model.faults(
                    of: sale.id,
                    (model.places[sale.id] ?? []).map { model.rewards[$0] }.filter { reward in
                        reward.rule.map { !once.contains($0) } ?? true
                    },
                    LedgerModel.shares(rules, sale.credits), rests(sale),
                    isRefunded: sale.refunded > 0)
        } + model.onceFaults(rules.filter { $0.terms.oncePer == .customer }.map(\.id))
    }
}
