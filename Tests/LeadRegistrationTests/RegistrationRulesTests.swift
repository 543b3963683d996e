import JSON
import LeadRegistration
import Model
import Testing

private let start = Instant(milliseconds: 1_700_000_000_000)
private let ann = ParticipantID(high: 3, low: 1)
private let ben = ParticipantID(high: 3, low: 2)
private let program = ProgramID(high: 1, low: 1)

private func days(_ count: Int) -> Instant { start.advanced(byDays: count) }
private func hours(_ count: Int64) -> Instant {
    start.advanced(byMilliseconds: count * 3_600_000)
}

private func identity(
    _ domain: String? = nil, _ company: String? = nil, _ country: String? = nil,
    email: String? = nil
) -> AccountIdentity {
    AccountIdentity(
        domain: domain.flatMap { DomainName(typed: $0) }, company: company,
        country: country.flatMap { CountryCode($0) }, email: email.flatMap { EmailAddress($0) })
}

/// A claim of Ann's that was submitted at `start`.
func someRegistration(
    _ state: Registration.State = .submitted, _ terms: RegistrationTerms = RegistrationTerms(),
    id: RegistrationID = RegistrationID(high: 5, low: 5),
    participant: ParticipantID = ParticipantID(high: 3, low: 1), domain: String? = "acme.example",
    blockedBy: RegistrationID? = nil
) -> Registration {
    let dates = RegistrationRules.dates(terms, submittedAt: start)
    return Registration(
        id: id, program: program, participant: participant, state: state,
        account: AccountName(
            name: "Acme Inc", domain: domain.flatMap { DomainName(typed: $0) }, country: nil),
        part: nil, contact: RegistrationContact(name: nil, email: nil, phone: nil),
        opportunity: Opportunity(value: nil, expectedClose: nil, evidence: []), terms: terms,
        programVersion: 1, termsVersion: nil, decisionDueAt: dates.decisionDue,
        windowEndsAt: dates.windowEnds,
        protectedUntil: state == .approved || state == .won
            ? RegistrationRules.protectedUntil(
                terms, submittedAt: start, decisionDueAt: dates.decisionDue, at: start) : nil,
        protectedUntilLatest: dates.protectedUntilLatest, blockedBy: blockedBy, fingerprinted: nil,
        metadata: [:], createdAt: start, updatedAt: start)
}

@Suite("Rules of deal registrations")
struct RegistrationRulesTests {
    private func moved(
        _ registration: Registration, _ move: RegistrationMove, at now: Instant = start
    ) throws -> Registration {
        try RegistrationRules.moved(registration, by: move, currency: usd, at: now)
    }

    @Test("every state allows exactly the actions of the published table")
    func lifecycle() {
        let table: [Registration.State: [Registration.State.Action: Registration.State]] = [
            .submitted: [.approve: .approved, .reject: .rejected, .withdraw: .withdrawn],
            .approved: [.extend: .approved, .win: .won, .lose: .lost, .withdraw: .withdrawn],
        ]
        for state in Registration.State.allCases {
            for action in Registration.State.Action.allCases {
                #expect(state.after(action) == table[state]?[action], "\(state) \(action)")
            }
        }
    }

    @Test("a claim names an account, evidence and money that the program takes")
    func form() {
        var terms = RegistrationTerms()
        terms.requiredEvidence = [.scheduledMeeting, .budgetTalk]
        terms.evidenceMinimum = 1
        let meeting = Opportunity.Evidence(kind: .scheduledMeeting, occurredAt: nil, note: nil)
        let call = Opportunity.Evidence(kind: .discoveryCall, occurredAt: nil, note: nil)
        let euros = Currency.all.first { $0.code == "EUR" }.map { Money(amount: 1, currency: $0) }
        func opportunity(_ evidence: [Opportunity.Evidence], _ value: Money? = nil) -> Opportunity {
            Opportunity(value: value, expectedClose: nil, evidence: evidence)
        }
        let acme = identity("acme.example")
        let rows: [(AccountIdentity, String?, Opportunity, Bool, RegistrationRefusal?)] = [
            (acme, nil, opportunity([meeting]), true, nil),
            (acme, nil, opportunity([meeting]), false, .notPartnerProgram),
            (identity("gmail.com"), nil, opportunity([meeting]), true, .accountNotIdentifiable),
            (identity(nil, "Acme"), nil, opportunity([meeting]), true, .accountNotIdentifiable),
            (identity(nil, "Acme", "DE"), nil, opportunity([meeting]), true, nil),
            (identity(email: "a@gmail.com"), nil, opportunity([meeting]), true, nil),
            (acme, "EMEA", opportunity([meeting]), true, .partNotAllowed),
            (acme, nil, opportunity([meeting], euros), true, .valueCurrency),
            (
                acme, nil, opportunity([call]), true,
                .evidenceMissing(kinds: [.scheduledMeeting, .budgetTalk], minimum: 1)
            ),
        ]
        for (identity, part, opportunity, isPartner, expected) in rows {
            var found: RegistrationRefusal?
            do throws(RegistrationRefusal) {
                try RegistrationRules.checkForm(
                    identity, part: part, opportunity: opportunity, isPartnerProgram: isPartner,
                    currency: usd, terms: terms)
            } catch { found = error }
            #expect(found == expected)
        }
    }

    @Test("claims meet on one domain, on one company where a domain is missing, and by part")
    func meetings() throws {
        let other = RegistrationID(high: 6, low: 6)
        let key = try #require(AccountKey(bytes: [UInt8](repeating: 1, count: 16)))
        func claim(
            _ kind: AccountClaim.Kind, hasDomain: Bool = true, scope: ProgramID? = nil,
            part: String? = nil, by participant: ParticipantID = ben
        ) -> AccountClaim {
            AccountClaim(
                key: key, kind: kind,
                hasDomain: hasDomain, scope: scope, part: part, registration: other,
                sequence: 1, participant: participant, heldFrom: start, heldUntil: days(90))
        }
        let acme = identity("acme.example", "Acme", "DE")
        let named = identity(nil, "Acme", "DE")
        let rows: [(AccountIdentity, String?, AccountClaim, String?, ClaimMeeting)] = [
            (acme, nil, claim(.domain), nil, .conflict(other)),
            (acme, nil, claim(.domain, by: ann), nil, .none),
            (acme, nil, claim(.company), nil, .none),
            (acme, nil, claim(.company, hasDomain: false), nil, .conflict(other)),
            (named, nil, claim(.company), nil, .conflict(other)),
            (acme, nil, claim(.email), nil, .conflict(other)),
            (acme, "EMEA", claim(.domain), nil, .conflict(other)),
            (acme, nil, claim(.domain, part: "EMEA"), nil, .conflict(other)),
            (acme, "EMEA", claim(.domain, part: "EMEA"), nil, .conflict(other)),
            (acme, "EMEA", claim(.domain, part: "APAC"), nil, .none),
            (
                acme, " Süd\u{200B}  straße", claim(.domain, part: "SÜD STRASSE"), nil,
                .conflict(other)
            ),
            (acme, " ", claim(.domain, part: "APAC"), nil, .conflict(other)),
            (acme, nil, claim(.domain, scope: program), nil, .overlap(other)),
            (acme, nil, claim(.name), "Acme GmbH", .overlap(other)),
            (acme, nil, claim(.name), "Acme Industries Worldwide", .none),
        ]
        for (index, row) in rows.enumerated() {
            let (identity, part, claim, company, expected) = row
            let meeting = RegistrationRules.meeting(
                of: identity, part: part, scope: nil, participant: ann, with: claim,
                company: company.flatMap { CompanyName($0) })
            #expect(meeting == expected, "row \(index)")
        }
    }

    @Test("what is known, cooling off or held by the partner itself cannot be claimed")
    func free() {
        var terms = RegistrationTerms()
        terms.coolOffDays = 10
        let own = RegistrationID(high: 6, low: 6)
        let rows: [(Bool, Instant?, RegistrationID?, Instant, RegistrationRefusal?)] = [
            (false, nil, nil, start, nil), (true, nil, nil, start, .accountKnown),
            (false, start, nil, days(9), .coolOff(until: days(10))),
            (false, start, nil, days(10), nil),
            (false, nil, own, start, .alreadyRegistered(own)),
        ]
        for (isKnown, lapsed, own, now, expected) in rows {
            var found: RegistrationRefusal?
            do throws(RegistrationRefusal) {
                try RegistrationRules.checkFree(
                    isKnown: isKnown, ownLapsedAt: lapsed, ownLive: own, terms: terms, at: now)
            } catch { found = error }
            #expect(found == expected)
        }
    }

    @Test("protection counts 90 days from the decision, never from later than it was due")
    func protection() throws {
        #expect(
            try moved(someRegistration(), .approve, at: hours(24)).protectedUntil
                == hours(24 + 2160))
        #expect(
            try moved(someRegistration(), .approve, at: hours(100)).protectedUntil
                == hours(72 + 2160))
        var terms = RegistrationTerms()
        terms.protectionStarts = .submission
        #expect(
            try moved(someRegistration(.submitted, terms), .approve, at: hours(24)).protectedUntil
                == days(90))
    }

    @Test("what others are told is never passed, whatever is decided and extended")
    func latest() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<2_000 {
            var terms = RegistrationTerms()
            terms.windowDays = .random(in: 1...365, using: &random)
            terms.protectionDays = .random(in: 1...365, using: &random)
            terms.decisionHours = .random(in: 1...2160, using: &random)
            terms.extensionDays = .random(in: 1...365, using: &random)
            terms.extensionsMax = .random(in: 0...10, using: &random)
            terms.protectionStarts = Bool.random(using: &random) ? .approval : .submission
            var registration = someRegistration(.submitted, terms)
            let latest = registration.protectedUntilLatest
            let decided = start.advanced(
                byMilliseconds: .random(in: 0...(terms.windowDays * 86_400_000 - 1), using: &random)
            )
            do {
                registration = try moved(registration, .approve, at: decided)
                while true {
                    #expect(try #require(registration.protectedUntil) <= latest, "seed \(seed)")
                    registration = try moved(
                        registration, .extend(evidence: [], reason: nil), at: decided)
                }
            } catch RegistrationRefusal.extensionsUsedUp {
                #expect(registration.extensions == terms.extensionsMax, "seed \(seed)")
            } catch RegistrationRefusal.protectionOver {
                // Decided after what protection there could be.
            }
        }
    }

    @Test("an extension needs protection that still lasts, and as many as the terms allow")
    func extensions() throws {
        let approved = try moved(someRegistration(), .approve)
        let once = try moved(approved, .extend(evidence: [], reason: "Still negotiating"))
        #expect(once.protectedUntil == days(120))
        #expect(throws: RegistrationRefusal.extensionsUsedUp) {
            try moved(once, .extend(evidence: [], reason: nil))
        }
        #expect(throws: RegistrationRefusal.protectionOver) {
            try moved(approved, .extend(evidence: [], reason: nil), at: days(90))
        }
    }

    @Test("a claim lapses at its end and not a millisecond before, undecided or unprotected")
    func lapse() throws {
        let waiting = someRegistration()
        let before = days(90).advanced(byMilliseconds: -1)
        #expect(RegistrationRules.lapsed(waiting, at: before) == nil)
        let lapsed = try #require(RegistrationRules.lapsed(waiting, at: days(93)))
        #expect(lapsed.state == .expired)
        #expect(lapsed.endedAt == days(90))
        #expect(lapsed.reasonCode == "not_decided")
        let approved = try moved(someRegistration(), .approve)
        #expect(RegistrationRules.lapsed(approved, at: before) == nil)
        #expect(RegistrationRules.lapsed(approved, at: days(90))?.reasonCode == "protection_ended")
        #expect(RegistrationRules.lapsed(someRegistration(.won), at: days(900)) == nil)
    }

    @Test("reminders come 14, 7 and 1 days before the end, those that are still to come")
    func reminders() throws {
        let approved = try moved(someRegistration(), .approve)
        #expect(
            RegistrationRules.reminders(approved, after: start) == [days(76), days(83), days(89)])
        #expect(RegistrationRules.reminders(approved, after: days(80)) == [days(83), days(89)])
        #expect(RegistrationRules.reminders(someRegistration(), after: start).isEmpty)
    }

    @Test("a claim that is over stays as it was")
    func changes() {
        for state in Registration.State.allCases {
            var found: RegistrationRefusal?
            do throws(RegistrationRefusal) {
                try RegistrationRules.checkChange(
                    someRegistration(state), from: someRegistration(state), currency: usd)
            } catch { found = error }
            let isOpen = state == .submitted || state == .approved
            #expect(found == (isOpen ? nil : .closed(state: state)))
        }
    }
}

@Suite("Rules of disputes")
struct DisputeRulesTests {
    private let holder = someRegistration(.approved, id: RegistrationID(high: 1, low: 1))
    private let refused = someRegistration(
        .refused, id: RegistrationID(high: 2, low: 2), participant: ben,
        blockedBy: RegistrationID(high: 1, low: 1))

    @Test("a dispute needs two claims of two partners, and is opened once")
    func opening() throws {
        let open = DisputeID(high: 4, low: 4)
        let old = DisputeID(high: 3, low: 3)
        let rows: [(Registration?, Dispute.Opener, DisputeID?, DisputeID?, DisputeRefusal?)] = [
            (holder, .partner, nil, nil, nil), (nil, .partner, nil, nil, .nothingContested),
            (someRegistration(.approved, participant: ben), .partner, nil, nil, .sameSide),
            (holder, .partner, open, old, .alreadyOpen(open)),
            (holder, .partner, nil, old, .alreadyRuled(old)), (holder, .operator, nil, old, nil),
        ]
        for (contested, opener, open, ruled, expected) in rows {
            var found: DisputeRefusal?
            do throws(DisputeRefusal) {
                _ = try DisputeRules.checkOpening(
                    claim: refused, contested: contested, by: opener, open: open, ruled: ruled)
            } catch { found = error }
            #expect(found == expected)
        }
    }

    @Test("each ruling changes the claims, and nothing else")
    func rulings() throws {
        func effect(_ decision: Ruling.Decision, claim: Registration? = nil) throws -> RulingEffect
        {
            try DisputeRules.effect(
                of: decision, claim: claim ?? refused, contested: holder, reason: "So be it.",
                at: days(1))
        }
        #expect(try effect(.reject) == RulingEffect(claim: refused, contested: holder))
        #expect(try effect(.uphold) == RulingEffect(claim: refused, contested: holder))
        let overlapping = someRegistration(
            .approved, id: RegistrationID(high: 2, low: 2), participant: ben)
        #expect(try effect(.uphold, claim: overlapping).claim.state == .rejected)

        let transfer = try effect(.transfer)
        #expect(transfer.claim.state == .approved)
        #expect(transfer.claim.protectedUntil == holder.protectedUntil)
        #expect(transfer.contested.state == .rejected)
        #expect(transfer.contested.endedAt == days(1))

        let split = try effect(.split(claimantShare: 2_500))
        #expect(split.claim.share == 2_500)
        #expect(split.contested.share == 7_500)
        #expect(split.contested.state == .approved)
    }

    @Test("nothing is given to a claimant who is not approved")
    func notApproved() throws {
        for decision in [Ruling.Decision.transfer, .split(claimantShare: 1)] {
            #expect(throws: DisputeRefusal.claimantNotApproved) {
                try DisputeRules.checkClaimant(isApproved: false, decision)
            }
            try DisputeRules.checkClaimant(isApproved: true, decision)
        }
        for decision in [Ruling.Decision.uphold, .reject] {
            try DisputeRules.checkClaimant(isApproved: false, decision)
        }
    }

    @Test("a claim that holds nothing has nothing to hand on")
    func nothingHeld() {
        for state in [Registration.State.expired, .withdrawn, .rejected, .lost] {
            #expect(throws: DisputeRefusal.nothingHeld) {
                try DisputeRules.effect(
                    of: .transfer, claim: refused, contested: someRegistration(state), reason: "x",
                    at: days(1))
            }
        }
        #expect(throws: DisputeRefusal.nothingHeld) {
            try DisputeRules.effect(
                of: .split(claimantShare: 1), claim: refused, contested: holder, reason: "x",
                at: days(90))
        }
    }

    @Test("a resolved dispute takes no evidence, and an open one only so much")
    func evidence() throws {
        #expect(throws: DisputeRefusal.closed) {
            try DisputeRules.checkEvidence(.resolved, count: 0)
        }
        #expect(throws: DisputeRefusal.evidenceFull) {
            try DisputeRules.checkEvidence(.open, count: DisputeRules.evidenceMax)
        }
        try DisputeRules.checkEvidence(.underReview, count: 1)
    }

    @Test("every state allows exactly the actions of the published table")
    func lifecycle() {
        let table: [Dispute.State: [Dispute.State.Action: Dispute.State]] = [
            .open: [.review: .underReview, .resolve: .resolved],
            .underReview: [.resolve: .resolved],
        ]
        for state in Dispute.State.allCases {
            for action in Dispute.State.Action.allCases {
                #expect(state.after(action) == table[state]?[action])
            }
        }
    }
}
