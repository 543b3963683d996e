import LeadRegistration
import Model
import Testing

private let day: Int64 = 86_400_000
private let start = Instant(milliseconds: 1_700_000_000_000)

private func lead(
    _ change: (inout Lead) -> Void = { _ in },
    participant: ParticipantID? = ParticipantID(high: 3, low: 3)
) -> Lead {
    var lead = someLead(participant: participant, at: start)
    change(&lead)
    return lead
}

@Suite("What a program asks of a lead")
struct LeadValidityTests {
    /// Terms with every rule of the profile.
    private static let picky: QualificationTerms = {
        var terms = QualificationTerms()
        terms.profile.industries = ["Software", "retail"]
        terms.profile.countries = ["DE", "FR"]
        terms.profile.useCases = ["billing"]
        terms.profile.companySizeMin = 10
        terms.profile.companySizeMax = 500
        terms.profile.estimatedValueMin = 100_000
        return terms
    }()

    private func verdict(
        _ rule: LeadRule, _ lead: Lead, _ terms: QualificationTerms = picky, isKnown: Bool = false,
        at now: Instant = start
    ) -> LeadVerdict? {
        LeadRules.verdicts(lead, terms, currency: usd, isKnown: isKnown, at: now)
            .first { $0.rule == rule }?.verdict
    }

    @Test("a profile passes what matches, breaks what does not, and lets pass what is not known")
    func profile() {
        let cases: [(LeadRule, (inout Lead) -> Void, LeadVerdict)] = [
            (.industry, { $0.firm.industry = "SOFTWARE" }, .passed),
            (.industry, { $0.firm.industry = " software " }, .passed),
            (.industry, { $0.firm.industry = " " }, .unknown),
            (.industry, { $0.firm.industry = "mining" }, .broken),
            (.industry, { _ in }, .unknown),
            (.country, { $0.firm.country = CountryCode("de") }, .passed),
            (.country, { $0.firm.country = CountryCode("US") }, .broken),
            (.country, { _ in }, .unknown),
            (.useCase, { $0.firm.useCase = "Billing" }, .passed),
            (.useCase, { $0.firm.useCase = "payroll" }, .broken),
            (.companySize, { $0.firm.companySize = 9 }, .broken),
            (.companySize, { $0.firm.companySize = 10 }, .passed),
            (.companySize, { $0.firm.companySize = 500 }, .passed),
            (.companySize, { $0.firm.companySize = 501 }, .broken),
            (.companySize, { _ in }, .unknown),
            (
                .estimatedValue, { $0.estimatedValue = Money(amount: 99_999, currency: usd) },
                .broken
            ),
            (
                .estimatedValue, { $0.estimatedValue = Money(amount: 100_000, currency: usd) },
                .passed
            ),
        ]
        let euro = Currency.all.first { $0.code == "EUR" } ?? usd
        let foreign = lead { $0.estimatedValue = Money(amount: 1, currency: euro) }
        #expect(verdict(.estimatedValue, foreign) == .unknown)
        for (rule, change, expected) in cases {
            #expect(verdict(rule, lead(change)) == expected, "\(rule)")
        }
        #expect(verdict(.industry, lead(), QualificationTerms()) == .notAsked)
        #expect(verdict(.companySize, lead(), QualificationTerms()) == .notAsked)
    }

    @Test("a referral is valid up to the last millisecond of its 90 days (R16)")
    func window() {
        let end = start.advanced(byDays: 90)
        #expect(verdict(.withinWindow, lead(), at: end) == .passed)
        #expect(verdict(.withinWindow, lead(), at: end.advanced(byMilliseconds: 1)) == .broken)
    }

    @Test("a company that the operator has is no referral (R96)")
    func known() {
        #expect(verdict(.notKnown, lead(), isKnown: true) == .broken)
        #expect(verdict(.notKnown, lead()) == .passed)
        #expect(
            LeadRules.brokenRules(
                lead(), QualificationTerms(), currency: usd, isKnown: true, at: start)
                == [.notKnown])
    }

    @Test("a broken rule refuses qualification unless a reason overrides it")
    func qualification() throws {
        let broken = lead { $0.brokenRules = [.industry] }
        #expect(throws: LeadRefusal.notValid(rules: [.industry])) {
            try LeadRules.moved(broken, by: .qualify, programCurrency: usd, at: start)
        }
        let late = start.advanced(byDays: 91)
        #expect(throws: LeadRefusal.notValid(rules: [.industry, .withinWindow])) {
            try LeadRules.moved(broken, by: .qualify, programCurrency: usd, at: late)
        }
        let change = try LeadRules.moved(
            broken, by: .qualifyAnyway(reason: "The board wants it"), programCurrency: usd,
            at: late)
        #expect(change.lead.state == .qualified)
        #expect(change.lead.reasonCode == "override")
        #expect(change.lead.brokenRules == [.industry, .withinWindow])
    }

    @Test("a checklist asks for all of its items, or for as many as the program says (R97)")
    func checklist() throws {
        var terms = QualificationTerms()
        terms.checklist = [.contactValid, .responds, .realNeed]
        terms.checklistMinimum = 2
        let one = lead { $0.checklist = [.contactValid: true, .responds: false] }
        #expect(
            throws: LeadRefusal.checklistIncomplete(missing: [.responds, .realNeed], minimum: 2)
        ) {
            try LeadRules.moved(one, by: .qualify, programCurrency: usd, terms: terms, at: start)
        }
        let two = lead { $0.checklist = [.contactValid: true, .realNeed: true] }
        #expect(
            try LeadRules.moved(two, by: .qualify, programCurrency: usd, terms: terms, at: start)
                .lead.state == .qualified)
        #expect(throws: LeadRefusal.self) {
            try LeadRules.moved(
                one, by: .qualifyAnyway(reason: "x"), programCurrency: usd, terms: terms, at: start)
        }
    }

    @Test("only a program that says so disqualifies at once, by the first rule that is broken")
    func admission() {
        var terms = QualificationTerms()
        let broken: [LeadRule] = [.notKnown, .industry]
        func admit(_ earlier: EarlierLead? = nil) -> Admission {
            LeadRules.admit(
                isHoneypotFilled: false, earlier: earlier, broken: broken, terms: terms)
        }
        #expect(admit() == .submitted)
        terms.disqualifiesInvalid = true
        #expect(admit() == .invalid(.notKnown))
        #expect(admit().state == .disqualified)
        #expect(admit().reasonCode == "not_known")
        let earlier = EarlierLead(lead: LeadID(high: 9, low: 9), key: .domain)
        #expect(admit(earlier).reasonCode == "same_domain")
    }

    @Test("partner programs know companies again, others only persons")
    func duplicateKeys() {
        let terms = QualificationTerms()
        #expect(
            LeadRules.duplicateKeys(terms, isPartnerProgram: true)
                == [.email, .phone, .domain, .company])
        #expect(LeadRules.duplicateKeys(terms, isPartnerProgram: false) == [.email, .phone])
        var own = terms
        own.duplicateKeys = [.domain]
        #expect(LeadRules.duplicateKeys(own, isPartnerProgram: false) == [.domain])
    }

    @Test("a score is the sum of its parts, and falls with age (R109)")
    func score() {
        let strong = lead { $0.intro = .strong }
        let fresh = LeadRules.score(strong, QualificationTerms(), currency: usd, at: start)
        #expect(fresh.points == 30 + 30 + 10 + 15)
        #expect(fresh.parts.map(\.points).reduce(0, +) == fresh.points)
        let old = LeadRules.score(
            strong, QualificationTerms(), currency: usd, at: start.advanced(byDays: 45))
        #expect(fresh.points - old.points == 8)
        let stale = LeadRules.score(
            strong, QualificationTerms(), currency: usd, at: start.advanced(byDays: 900))
        #expect(stale.parts.last?.points == 0)
        let weak = LeadRules.score(
            lead { $0.intro = .weak }, QualificationTerms(), currency: usd, at: start)
        #expect(weak.points < fresh.points)
        let matching = lead {
            $0.firm = Firmographics(
                country: CountryCode("FR"), industry: "retail", companySize: 20, useCase: "billing")
            $0.estimatedValue = Money(amount: 100_000, currency: usd)
        }
        #expect(
            LeadRules.score(matching, Self.picky, currency: usd, at: start).parts[2].points == 25)
        #expect(
            LeadRules.score(lead(participant: nil), Self.picky, currency: usd, at: start).parts[0]
                .points == 0)
    }
}

@Suite("Who works a lead")
struct LeadRoutingTests {
    private static let terms: RoutingTerms = {
        var terms = RoutingTerms()
        terms.representatives = ["rita", "rob", "rose"]
        terms.territories = [
            RoutingTerms.Territory(countries: ["DE", "AT"], owner: "dora"),
            RoutingTerms.Territory(countries: ["FR"], owner: "fred"),
        ]
        terms.strategicSegments = ["gold"]
        terms.strategicCompanySize = 1_000
        terms.strategicValue = 5_000_000
        return terms
    }()

    @Test("every policy names its owner, and the fallback takes the rest (R117)")
    func policies() {
        let german = lead { $0.firm.country = CountryCode("DE") }
        let big = lead {
            $0.firm = Firmographics(country: CountryCode("FR"), companySize: 1_000)
        }
        let rich = lead {
            $0.firm.country = CountryCode("FR")
            $0.estimatedValue = Money(amount: 5_000_000, currency: usd)
        }
        let euro = Currency.all.first { $0.code == "EUR" } ?? usd
        let foreign = lead {
            $0.firm.country = CountryCode("FR")
            $0.estimatedValue = Money(amount: 5_000_000, currency: euro)
        }
        let eve = RoutingFacts(accountExecutive: "eve")
        let gold = RoutingFacts(accountExecutive: "eve", segment: "gold")
        let nobody = RoutingFacts()
        let rows: [(RoutingTerms.Policy, Lead, RoutingFacts, LeadOwner.Kind?, String?)] = [
            (.none, german, eve, nil, nil),
            (.accountExecutive, german, eve, .accountExecutive, "eve"),
            (.accountExecutive, german, nobody, nil, nil),
            (.territory, german, eve, .territory, "dora"),
            (.territory, lead(), eve, nil, nil),
            (.representatives, german, RoutingFacts(turn: 0), .representative, "rita"),
            (.representatives, german, RoutingFacts(turn: 4), .representative, "rob"),
            (.hybrid, german, eve, .territory, "dora"),
            (.hybrid, german, gold, .accountExecutive, "eve"),
            (.hybrid, big, eve, .accountExecutive, "eve"),
            (.hybrid, rich, eve, .accountExecutive, "eve"),
            (.hybrid, foreign, eve, .territory, "fred"),
            (.hybrid, big, nobody, .territory, "fred"),
        ]
        for (policy, lead, facts, kind, name) in rows {
            var terms = Self.terms
            terms.policy = policy
            let owner = LeadRules.owner(of: lead, terms, facts, currency: usd)
            #expect(owner?.kind == kind, "\(policy)")
            #expect(owner?.name == name, "\(policy)")
            terms.fallback = "zoe"
            #expect(
                LeadRules.owner(of: lead, terms, facts, currency: usd)?.name == name ?? "zoe",
                "\(policy)")
        }
    }

    @Test("a protected account goes to the partner who holds it, whatever the policy (R118)")
    func holder() {
        let holder = ParticipantID(high: 5, low: 5)
        for policy in RoutingTerms.Policy.allCases {
            var terms = Self.terms
            terms.policy = policy
            let facts = RoutingFacts(holder: holder, accountExecutive: "eve")
            let owner = LeadRules.owner(of: lead(), terms, facts, currency: usd)
            #expect(owner == LeadOwner(kind: .partner, name: holder.description))
            #expect(!LeadRules.takesTurn(terms, facts))
        }
    }
}
