import Model
import Testing

@testable import Attribution

/// The ladder of credit, rung by rung: which fact goes before which.
struct CreditLadderTests {
    private typealias S = Sample

    private static let registered = Attribution.Credit(
        participant: S.eve, parts: 10_000, registration: RegistrationID(high: 1, low: 1))

    private static func lead(
        _ number: UInt64, by participant: ParticipantID?, _ standing: LeadFact.Standing = .ahead,
        referred: Int = -300, stepped: Int = -100, isNamed: Bool = false
    ) -> LeadFact {
        LeadFact(
            lead: LeadID(high: 0x7000, low: number), participant: participant, standing: standing,
            referredAt: S.end.advanced(byDays: referred),
            steppedAt: S.end.advanced(byDays: stepped), isNamed: isNamed)
    }

    private static func decide(
        _ facts: AttributionFacts, _ change: (inout AttributionTerms) -> Void = { _ in }
    ) -> (rung: CreditRung, reason: AttributionReason, who: ParticipantID?) {
        let terms = S.terms(change: change)
        let decision = AttributionRules.decide(facts, terms, at: S.end)
        return (decision.rung(terms), decision.reason, decision.credits.first?.participant)
    }

    @Test("each rung goes before those below it")
    func order() {
        var facts = AttributionFacts(
            touches: [
                S.touch(2 * S.day, by: S.ada, kind: .code, number: 1),
                S.touch(S.day, by: S.ben, number: 2),
            ], registrations: [Self.registered],
            bound: [Attribution.Credit(participant: S.ben, parts: 1)], isRenewal: true,
            leads: [Self.lead(1, by: S.dan)])
        #expect(Self.decide(facts) == (.registration, .registration, S.eve))
        facts.registrations = []
        #expect(Self.decide(facts) == (.bound, .bound, S.ben))
        facts.bound = nil
        #expect(Self.decide(facts) == (.lead, .lead, S.dan))
        facts.leads = []
        #expect(Self.decide(facts) == (.code, .credited, S.ada))
        facts.touches.removeFirst()
        #expect(Self.decide(facts) == (.touches, .credited, S.ben))
        facts.touches = []
        #expect(Self.decide(facts) == (.touches, .noTouch, nil))
        let terms = S.terms()
        let manual = AttributionRules.manual(
            facts, [Attribution.Credit(participant: S.ada, parts: 1)], terms, at: S.end)
        #expect(manual.rung(terms) == .person)
        #expect(manual.under(.linear, terms, at: S.end) == manual)
    }

    // MARK: - Earlier sales

    @Test("a sale stays with all shares of the earlier one, nobody's among them")
    func shares() {
        let bound = [
            Attribution.Credit(participant: S.ada, parts: 3),
            Attribution.Credit(participant: nil, parts: 1),
        ]
        let decision = AttributionRules.decide(
            AttributionFacts(touches: [S.touch(S.day, by: S.ben)], bound: bound), S.terms(),
            at: S.end)
        #expect(decision.credits == bound)
        #expect(decision.shares(of: 100).credits == [75, 25])
        #expect(decision.touches.map(\.verdict) == [.overridden])
    }

    @Test(
        "of a first sale without credit, a renewal is nobody's and an upsell goes on",
        arguments: [[], [Attribution.Credit(participant: nil, parts: 1)]])
    func nobody(bound: [Attribution.Credit]) {
        var facts = AttributionFacts(
            touches: [S.touch(S.day, by: S.ben)], bound: bound, isRenewal: true)
        #expect(Self.decide(facts) == (.bound, .nobodyBound, nil))
        facts.isRenewal = false
        #expect(Self.decide(facts) == (.touches, .credited, S.ben))
        facts.leads = [Self.lead(1, by: S.dan)]
        #expect(Self.decide(facts) == (.lead, .lead, S.dan))
    }

    @Test("the first sale of a subscription is no renewal, whatever it is called")
    func firstOfAll() {
        let facts = AttributionFacts(touches: [S.touch(S.day, by: S.ben)], isRenewal: true)
        #expect(Self.decide(facts) == (.touches, .credited, S.ben))
    }

    // MARK: - Leads

    @Test("a lead decides up to lead_days after its last step, both ends included")
    func leadDays() {
        func who(stepped: Int, days: Int64 = 365) -> ParticipantID? {
            Self.decide(
                AttributionFacts(
                    touches: [S.touch(S.day, by: S.ben)],
                    leads: [Self.lead(1, by: S.dan, referred: -900, stepped: stepped)])
            ) { $0.leadDays = days }.who
        }
        #expect(who(stepped: -365) == S.dan)
        #expect(who(stepped: -366) == S.ben)
        #expect(who(stepped: -366, days: 400) == S.dan)
        #expect(who(stepped: -2, days: 1) == S.ben)
        // Sales qualified it later than the sale, of which it came first.
        #expect(who(stepped: 1) == S.dan)
    }

    @Test("the newest last step decides, ties go to the older lead")
    func newestStep() {
        let old = Self.lead(1, by: S.ada, stepped: -20)
        let new = Self.lead(2, by: S.ben, stepped: -10)
        let tie = Self.lead(3, by: S.eve, stepped: -10)
        #expect(Self.decide(AttributionFacts(touches: [], leads: [old, new, tie])).who == S.ben)
        #expect(Self.decide(AttributionFacts(touches: [], leads: [tie, new, old])).who == S.ben)
    }

    @Test("a lead that the sale names counts at any age, unless it came to nothing")
    func named() {
        func who(_ standing: LeadFact.Standing) -> ParticipantID? {
            Self.decide(
                AttributionFacts(
                    touches: [],
                    leads: [
                        Self.lead(1, by: S.ada, stepped: -1),
                        Self.lead(2, by: S.ben, standing, stepped: -2_000, isNamed: true),
                    ])
            ).who
        }
        #expect(who(.ahead) == S.ben)
        #expect(who(.waiting) == S.ben)
        #expect(who(.out) == S.ada)
    }

    @Test(
        "no lead decides that waits, came to nothing, came later or was referred by nobody",
        arguments: [
            lead(1, by: Sample.dan, .waiting), lead(1, by: Sample.dan, .out),
            lead(1, by: Sample.dan, referred: 1, stepped: 1), lead(1, by: nil),
        ])
    func noLead(lead: LeadFact) {
        let facts = AttributionFacts(touches: [S.touch(S.day, by: S.ben)], leads: [lead])
        #expect(Self.decide(facts) == (.touches, .credited, S.ben))
    }

    // MARK: - Codes

    private static let touches = [
        S.touch(5 * S.day, by: S.ada, kind: .code, number: 1),
        S.touch(4 * S.day, by: S.eve, kind: .code, number: 2), S.touch(S.day, by: S.ben, number: 3),
    ]

    @Test("codes first: the newest code has all under every model")
    func codesFirst() {
        for model in AttributionModel.allCases {
            let decision = S.decide(Self.touches, S.terms(model))
            #expect(decision.touches.map(\.verdict) == [.outranked, .credited, .codePreferred])
            #expect(decision.credits.map(\.participant) == [S.eve])
        }
        let old = S.decide(
            [S.touch(40 * S.day, by: S.ada, kind: .code, number: 1), Self.touches[2]], S.terms())
        #expect(old.credits.first?.participant == S.ben)
    }

    @Test("codes as touches: the model decides among all")
    func codesAmongOthers() {
        let terms = S.terms(.linear) { $0.codes = .touch }
        #expect(S.decide(Self.touches, terms).touches.map(\.parts) == [1, 1, 1])
        #expect(S.decide(Self.touches, terms).rung(terms) == .touches)
    }

    @Test("codes last: they count where no participant's click is in the window")
    func codesLast() {
        let terms = S.terms(.linear) { $0.codes = .last }
        #expect(
            S.decide(Self.touches, terms).touches.map(\.verdict)
                == [.codeLast, .codeLast, .credited])
        #expect(S.decide(Array(Self.touches.prefix(2)), terms).touches.map(\.parts) == [1, 1])
        let old = Array(Self.touches.prefix(2)) + [S.touch(40 * S.day, by: S.ben, number: 4)]
        #expect(S.decide(old, terms).touches.map(\.parts) == [0, 1, 1])
        let direct = [Self.touches[1], S.touch(S.day, by: nil, source: .direct, number: 5)]
        #expect(S.decide(direct, terms).touches.map(\.parts) == [1, 1])
    }

    // MARK: - Absent touches

    @Test("a touch of a link that was off, or of a lead that came to nothing, counts as absent")
    func absent() {
        var off = S.touch(S.day, by: S.ada, kind: .code, number: 1)
        off.absence = .linkDisabled
        var lost = S.touch(S.day / 2, by: S.eve, kind: .lead, number: 2)
        lost.absence = .leadOut
        let decision = S.decide([off, lost, S.touch(2 * S.day, by: S.ben, number: 3)], .lastTouch)
        #expect(decision.touches.map(\.verdict) == [.credited, .linkDisabled, .leadOut])
        #expect(decision.credits.map(\.participant) == [S.ben])
        #expect(S.decide([off, lost], .lastTouch).reason == .noEligibleTouch)
    }

    @Test("a waiting lead is a touch as long as it is valid, whatever the program's window")
    func waitingLead() {
        var waiting = S.touch(80 * S.day, by: S.ada, kind: .lead, number: 1)
        waiting.windowDays = 90
        let click = S.touch(S.day, by: S.ben, number: 2)
        #expect(S.decide([waiting], .lastTouch).credits.map(\.participant) == [S.ada])
        #expect(S.decide([waiting, click], .lastTouch).credits.map(\.participant) == [S.ben])
        #expect(S.decide([waiting, click], .firstTouch).credits.map(\.participant) == [S.ada])
        waiting.windowDays = 79
        #expect(S.decide([waiting], .lastTouch).reason == .noTouchInWindow)
    }
}
