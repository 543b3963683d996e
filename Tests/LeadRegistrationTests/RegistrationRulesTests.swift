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
