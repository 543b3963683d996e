import JSON
import Model
import Programs
import Testing

private let now = Instant(milliseconds: 1_700_000_000_000)

@Suite("Who may refer")
struct ParticipantRulesTests {
    private func refusal(
        _ state: Participant.State = .approved, _ change: (inout ParticipantProfile) -> Void,
        _ terms: EligibilityTerms = EligibilityTerms(), hasOpenDispute: Bool = false
    ) throws -> ParticipantRefusal? {
        var profile = ParticipantProfile()
        change(&profile)
        let participant = Participant(
            id: ParticipantID(high: 3, low: 3), program: ProgramID(high: 1, low: 1),
            kind: .reseller, state: state, externalID: nil, name: "Ada",
            email: try #require(EmailAddress("ada@partner.example")), phone: nil,
            company: nil, payoutAccount: nil, profile: profile, metadata: [:], version: 1,
            createdAt: now, updatedAt: now)
        do throws(ParticipantRefusal) {
            try ParticipantRules.checkMayRefer(
                participant, terms, hasOpenDispute: hasOpenDispute, at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test("every rule refuses what breaks it, and names itself (R2, R3)")
    func rules() throws {
        var all = EligibilityTerms()
        all.requiresActive = true
        all.requiresHealthyRelationship = true
        all.excludesOpenDispute = true
        all.excludedPlans = [.trial, .free]
        let rows: [((inout ParticipantProfile) -> Void, EligibilityTerms.Rule?)] = [
            ({ _ in }, nil), ({ $0.isInGoodStanding = true }, nil),
            ({ $0.isInGoodStanding = false }, .goodStanding),
            ({ $0.accountSince = now.advanced(byDays: -90) }, nil),
            (
                { $0.accountSince = now.advanced(byDays: -90).advanced(byMilliseconds: 1) },
                .accountAge
            ),
            ({ $0.isInCollections = true }, .inCollections), ({ $0.isAtRisk = true }, .atRisk),
            ({ $0.plan = .trial }, .plan), ({ $0.plan = .free }, .plan),
            ({ $0.plan = .paying }, nil),
            ({ $0.isActive = false }, .active), ({ $0.relationship = .strained }, .relationship),
            ({ $0.relationship = .healthy }, nil),
        ]
        for (change, rule) in rows {
            #expect(try refusal(.approved, change, all) == rule.map { .notEligible(rule: $0) })
        }
        #expect(
            try refusal(.approved, { _ in }, all, hasOpenDispute: true)
                == .notEligible(rule: .openDispute))
    }

    @Test("the first rule that is broken is the one that is told")
    func order() throws {
        let broken = try refusal(.approved) { profile in
            profile.isAtRisk = true
            profile.isInGoodStanding = false
        }
        #expect(broken == .notEligible(rule: .goodStanding))
    }

    @Test("only an approved participant may refer")
    func states() throws {
        for state in [Participant.State.applied, .suspended, .closed] {
            #expect(try refusal(state) { _ in } == .notApproved(state: state))
        }
    }

    @Test("whoever is suspended or closed changes nothing")
    func writing() throws {
        for state in [Participant.State.applied, .approved] {
            try ParticipantRules.checkMayWrite(state)
        }
        for state in [Participant.State.suspended, .closed] {
            #expect(throws: ParticipantRefusal.onlyReads(state: state)) {
                try ParticipantRules.checkMayWrite(state)
            }
        }
    }

    @Test("a rule that a program does not have refuses nobody")
    func withoutRules() throws {
        var none = EligibilityTerms()
        none.accountDaysMin = 0
        none.requiresGoodStanding = false
        none.excludesCollections = false
        none.excludesAtRisk = false
        none.excludedPlans = []
        let worst = try refusal(
            .approved,
            { profile in
                profile.isInGoodStanding = false
                profile.accountSince = now
                profile.isInCollections = true
                profile.isAtRisk = true
                profile.plan = .trial
                profile.isActive = false
                profile.relationship = .strained
            }, none, hasOpenDispute: true)
        #expect(worst == nil)
    }

    @Test("what is not known breaks a rule only where the program says so")
    func unknown() throws {
        #expect(try refusal(.approved) { _ in } == nil)
        var strict = EligibilityTerms()
        strict.refusesUnknown = true
        #expect(try refusal(.approved, { _ in }, strict) == .notEligible(rule: .goodStanding))
    }

    @Test("terms are read as they were written, and have their defaults where nothing was")
    func codecs() {
        var terms = EligibilityTerms()
        terms.accountDaysMin = 10
        terms.excludedPlans = [.free]
        terms.refusesUnknown = true
        #expect(EligibilityTerms(json: terms.json.objectValue) == terms)
        #expect(EligibilityTerms(json: nil) == EligibilityTerms())
        var registration = RegistrationTerms()
        registration.requiredEvidence = [.budgetTalk, .discoveryCall]
        registration.evidenceMinimum = 1
        registration.approval = .automatic
        #expect(RegistrationTerms(json: registration.json.objectValue) == registration)
        #expect(RegistrationTerms(json: nil).protectionDays == 90)
        #expect(RegistrationTerms(json: nil).decisionHours == 72)
        var routing = RoutingTerms()
        routing.policy = .hybrid
        routing.territories = [RoutingTerms.Territory(countries: ["DE"], owner: "dora")]
        #expect(RoutingTerms(json: routing.json.objectValue) == routing)
        var qualification = QualificationTerms()
        qualification.profile.companySizeMax = 5
        qualification.checklist = [.responds]
        qualification.checklistMinimum = 1
        #expect(QualificationTerms(json: qualification.json.objectValue) == qualification)
        #expect(
            ServiceLevelTerms(json: ServiceLevelTerms().json.objectValue) == ServiceLevelTerms())
    }
}
