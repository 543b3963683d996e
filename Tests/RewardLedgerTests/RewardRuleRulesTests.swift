import JSON
import Model
import Testing

@testable import RewardLedger

@Suite struct RewardRuleRulesTests {
    static let dollar = Currency("USD")
    static let euro = Currency("EUR")

    private func money(_ currency: Currency? = dollar) throws -> Money {
        Money(amount: 700, currency: try #require(currency))
    }

    @Test("a rule has an amount or basis points, and a maximum with these only")
    func rates() throws {
        let amount = try money()
        #expect(
            try RewardRuleRules.rate(amount: amount, basisPoints: nil, atMost: nil)
                == .flat(amount))
        #expect(
            try RewardRuleRules.rate(amount: nil, basisPoints: 5, atMost: amount)
                == .basisPoints(5, atMost: amount))
        #expect(throws: RewardRuleRefusal.needsOneRate) {
            try RewardRuleRules.rate(amount: nil, basisPoints: nil, atMost: nil)
        }
        #expect(throws: RewardRuleRefusal.needsOneRate) {
            try RewardRuleRules.rate(amount: amount, basisPoints: 5, atMost: nil)
        }
        #expect(throws: RewardRuleRefusal.maximumWithoutBasisPoints) {
            try RewardRuleRules.rate(amount: amount, basisPoints: nil, atMost: amount)
        }
    }

    private func terms(
        _ rate: RewardTerms.Rate, trigger: RewardRule.TriggerName = .conversion,
        kinds: [String]? = nil
    ) -> RewardTerms {
        RewardTerms(
            trigger: trigger, recipient: .referrer, kind: .cash, rate: rate,
            conversionKinds: kinds)
    }

    @Test("terms must fit together and be in the program's currency")
    func refusedTerms() throws {
        let dollar = try #require(RewardRuleRulesTests.dollar)
        let points = RewardTerms.Rate.basisPoints(5, atMost: nil)
        try RewardRuleRules.check(terms(points), currency: dollar)
        try RewardRuleRules.check(terms(points, kinds: ["renewal"]), currency: dollar)
        try RewardRuleRules.check(
            terms(.flat(money()), trigger: .leadQualified), currency: dollar)
        #expect(throws: RewardRuleRefusal.basisPointsWithoutAmount) {
            try RewardRuleRules.check(terms(points, trigger: .leadQualified), currency: dollar)
        }
        #expect(throws: RewardRuleRefusal.kindsWithoutConversion) {
            try RewardRuleRules.check(
                terms(points, trigger: .leadWon, kinds: ["renewal"]), currency: dollar)
        }
        let euro = try money(RewardRuleRulesTests.euro)
        #expect(throws: RewardRuleRefusal.currencyMismatch) {
            try RewardRuleRules.check(terms(.flat(euro)), currency: dollar)
        }
        #expect(throws: RewardRuleRefusal.currencyMismatch) {
            try RewardRuleRules.check(terms(.basisPoints(5, atMost: euro)), currency: dollar)
        }
    }

    @Test("choices are two kinds or more, each once, for referrers, with the kind choice alone")
    func choices() throws {
        let dollar = try #require(RewardRuleRulesTests.dollar)
        func check(
            _ kinds: [RewardRule.Kind], days: Int64? = nil, kind: RewardRule.Kind = .choice,
            recipient: RewardRule.Recipient = .referrer
        ) throws {
            var terms = RewardTerms(
                trigger: .conversion, recipient: recipient, kind: kind,
                rate: .basisPoints(5, atMost: nil), conversionKinds: nil)
            terms.choice = RewardChoice(kinds: kinds, withinDays: days)
            try RewardRuleRules.check(terms, currency: dollar)
            #expect(RewardTerms(json: terms.json) == terms)
        }
        try check([.giftCard, .cash])
        try check(RewardRule.Kind.choosable, days: 30)
        try check([], kind: .cash)
        #expect(throws: RewardRuleRefusal.choicesMisplaced) { try check([]) }
        #expect(throws: RewardRuleRefusal.choicesMisplaced) { try check([.cash]) }
        #expect(throws: RewardRuleRefusal.choicesMisplaced) { try check([.cash, .cash]) }
        #expect(throws: RewardRuleRefusal.choicesMisplaced) {
            try check([.cash, .donation], kind: .cash)
        }
        #expect(throws: RewardRuleRefusal.choicesMisplaced) { try check([], days: 1, kind: .cash) }
        #expect(throws: RewardRuleRefusal.choicesMisplaced) {
            try check([.cash, .donation], recipient: .referee)
        }
    }

    @Test("products narrow triggers of sales only")
    func products() throws {
        let dollar = try #require(RewardRuleRulesTests.dollar)
        var sale = terms(.flat(try money()), trigger: .renewal)
        sale.products = ["Pro"]
        sale.first = 12
        try RewardRuleRules.check(sale, currency: dollar)
        #expect(RewardTerms(json: sale.json) == sale)
        var lead = terms(.flat(try money()), trigger: .leadWon)
        lead.products = ["Pro"]
        #expect(throws: RewardRuleRefusal.productsWithoutConversion) {
            try RewardRuleRules.check(lead, currency: dollar)
        }
    }

    @Test("an archived rule neither changes nor applies, and kinds narrow an active one")
    func application() throws {
        let now = Instant(milliseconds: 0)
        var rule = RewardRule(
            id: RewardRuleID(high: 1, low: 1), program: ProgramID(high: 1, low: 2), name: nil,
            state: .active, terms: terms(.flat(try money()), kinds: ["purchase"]), metadata: [:],
            version: 1, createdAt: now, updatedAt: now)
        #expect(RewardRuleRules.applies(rule, to: .conversion(kind: "purchase")))
        #expect(!RewardRuleRules.applies(rule, to: .conversion(kind: "renewal")))
        #expect(!RewardRuleRules.applies(rule, to: .leadWon))
        try RewardRuleRules.checkMayChange(rule.state)
        rule.state = try rule.state.moved(by: .archive)
        #expect(!RewardRuleRules.applies(rule, to: .conversion(kind: "purchase")))
        #expect(throws: RewardRuleRefusal.archived) {
            try RewardRuleRules.checkMayChange(rule.state)
        }
    }

    @Test("a program has a limited number of active rules")
    func count() throws {
        try RewardRuleRules.checkCount(RewardRuleRules.rulesMax - 1)
        #expect(throws: RewardRuleRefusal.tooManyRules) {
            try RewardRuleRules.checkCount(RewardRuleRules.rulesMax)
        }
    }
}
