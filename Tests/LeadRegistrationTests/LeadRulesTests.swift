import LeadRegistration
import Model
import Testing

private let program = ProgramID(high: 1, low: 1)
private let otherProgram = ProgramID(high: 1, low: 2)
private let ann = ParticipantID(high: 2, low: 1)
private let bob = ParticipantID(high: 2, low: 2)
private let link = LinkID(high: 3, low: 1)
private let click = ClickID(high: 4, low: 1)

private func origin(
    _ participant: ParticipantID, in program: ProgramID = program, link: LinkID? = nil,
    click: ClickID? = nil
) -> Finding<ReferralOrigin> {
    .found(
        ReferralOrigin(
            program: program,
            referrer: Referrer(participant: participant, link: link, click: click)))
}

private func facts(
    participant: Finding<ReferralOrigin> = .notAsked, click: Finding<ReferralOrigin> = .notAsked,
    link: Finding<ReferralOrigin> = .notAsked, email: Finding<ReferralOrigin> = .notAsked
) -> ReferralFacts {
    var facts = ReferralFacts()
    facts.participant = participant
    facts.click = click
    facts.link = link
    facts.email = email
    return facts
}

@Suite("Rules of leads")
struct LeadRulesTests {
    @Test("every state allows exactly the actions of the published table")
    func lifecycle() {
        let table: [Lead.State: [Lead.State.Action: Lead.State]] = [
            .submitted: [
                .qualify: .qualified, .disqualify: .disqualified, .nurture: .nurture,
                .attach: .duplicate,
            ],
            .qualified: [
                .disqualify: .disqualified, .advance: .opportunity, .win: .won, .lose: .lost,
            ],
            .opportunity: [.win: .won, .lose: .lost],
            .nurture: [.qualify: .qualified, .disqualify: .disqualified, .reopen: .submitted],
            .disqualified: [.reopen: .submitted], .lost: [.reopen: .submitted],
            .duplicate: [.reopen: .submitted, .attach: .duplicate], .spam: [.reopen: .submitted],
        ]
        for state in Lead.State.allCases {
            for action in Lead.State.Action.allCases {
                #expect(state.after(action) == table[state]?[action], "\(state) \(action)")
            }
        }
    }

    @Test("the program is the named one, else the click's, else the link's")
    func programInferred() throws {
        let both = facts(click: origin(ann), link: origin(bob, in: otherProgram))
        #expect(try LeadRules.program(named: otherProgram, both) == otherProgram)
        #expect(try LeadRules.program(named: nil, both) == program)
        #expect(try LeadRules.program(named: nil, facts(link: origin(bob))) == program)
        #expect(
            try LeadRules.program(named: nil, facts(participant: origin(ann), click: .unknown))
                == program)
    }

    @Test("a lead that names no program and nothing that has one is refused")
    func programMissing() {
        #expect(throws: LeadRefusal.programMissing) {
            try LeadRules.program(named: nil, facts(click: .unknown, email: origin(ann)))
        }
    }

    @Test("the strongest evidence decides, and weaker evidence of the same person adds to it")
    func referrerOrder() throws {
        let decision = try LeadRules.referrer(
            in: program,
            facts(
                participant: origin(ann), click: origin(ann, link: link, click: click),
                email: origin(ann)),
            from: .import)
        #expect(decision.by == .participant)
        #expect(decision.referrer == Referrer(participant: ann, link: link, click: click))
        #expect(decision.ignored.isEmpty)
    }

    @Test("without evidence nobody referred the lead")
    func nobody() throws {
        let decision = try LeadRules.referrer(in: program, facts(), from: .import)
        #expect(decision == ReferrerDecision.nobody)
    }

    @Test(
        "an import is refused a reference that is unknown",
        arguments: [
            (facts(participant: .unknown), LeadRefusal.Reference.participant),
            (facts(click: .unknown), .click), (facts(link: .unknown), .link),
            (facts(email: .unknown), .email),
            (facts(participant: origin(ann), click: .unknown), .click),
        ])
    func unknownReference(facts: ReferralFacts, name: LeadRefusal.Reference) {
        #expect(throws: LeadRefusal.unknownReference(name)) {
            try LeadRules.referrer(in: program, facts, from: .import)
        }
    }

    @Test("the API is refused an unknown person, not what a browser carried for too long")
    func carriedReference() throws {
        for name in [LeadRefusal.Reference.participant, .email] {
            #expect(throws: LeadRefusal.unknownReference(name)) {
                try LeadRules.referrer(
                    in: program,
                    name == .email ? facts(email: .unknown) : facts(participant: .unknown),
                    from: .api)
            }
        }
        let stale = facts(click: .unknown, link: origin(bob, in: otherProgram), email: origin(ann))
        let decision = try LeadRules.referrer(in: program, stale, from: .api)
        #expect(decision.by == .email)
        #expect(decision.ignored == [.click, .link])
    }

    @Test("a link of another program counts as unknown")
    func foreignLink() throws {
        let foreign = facts(link: origin(ann, in: otherProgram))
        #expect(throws: LeadRefusal.unknownReference(.link)) {
            try LeadRules.referrer(in: program, foreign, from: .import)
        }
        let lenient = try LeadRules.referrer(in: program, foreign, from: .form)
        #expect(lenient.referrer == .nobody)
        #expect(lenient.ignored == [.link])
    }

    @Test("two different referrers are refused by the API")
    func conflict() {
        #expect(throws: LeadRefusal.referrerConflict) {
            try LeadRules.referrer(
                in: program, facts(click: origin(ann), link: origin(bob)), from: .import)
        }
    }

    @Test("a form keeps the stronger of two referrers and tells which name it ignored")
    func lenientConflict() throws {
        let decision = try LeadRules.referrer(
            in: program, facts(click: .unknown, link: origin(bob, link: link), email: origin(ann)),
            from: .form)
        #expect(decision.referrer == Referrer(participant: bob, link: link))
        #expect(decision.by == .link)
        #expect(decision.ignored == [.click, .email])
    }

    @Test("a referrer who may not refer is left out, and the name that led there is told")
    func withoutReferrer() throws {
        let decision = try LeadRules.referrer(
            in: program, facts(click: origin(ann), email: .unknown), from: .form)
        #expect(decision.withoutReferrer.referrer == .nobody)
        #expect(decision.withoutReferrer.by == nil)
        #expect(decision.withoutReferrer.ignored == [.click, .email])
    }

    @Test("a second lead for a mailbox is a duplicate that names the first")
    func duplicate() {
        let earlier = LeadID(high: 9, low: 9)
        let admission = LeadRules.admit(
            isHoneypotFilled: false, earlier: EarlierLead(lead: earlier, key: .email))
        #expect(admission == .duplicate(of: earlier, by: .email))
        #expect(admission.state == .duplicate)
        #expect(admission.reasonCode == "same_email")
    }

    @Test("a filled honeypot makes spam, whoever is known")
    func spam() {
        let admission = LeadRules.admit(
            isHoneypotFilled: true, earlier: EarlierLead(lead: LeadID(high: 9, low: 9), key: .email)
        )
        #expect(admission.state == .spam)
        #expect(admission.reasonCode == "honeypot")
    }

    @Test("the same posted fields have the same digest in any order, and no others do")
    func digest() {
        let fields = [("name", "Ann"), ("email", "ann@example.com"), ("note", "")]
        let digest = LeadRules.formDigest(fields)
        #expect(digest.count == 16)
        #expect(LeadRules.formDigest(fields.reversed()) == digest)
        #expect(LeadRules.formDigest([("name", "Anne"), ("email", "ann@example.com")]) != digest)
        // Without lengths before the parts these two would run together.
        #expect(LeadRules.formDigest([("ab", "c")]) != LeadRules.formDigest([("a", "bc")]))
    }
}
