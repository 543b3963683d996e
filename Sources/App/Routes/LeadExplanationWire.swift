import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records

/// Why a lead is where it is: rules, score and clocks on the wire.
enum LeadExplanationWire {
    static let schema = Schema.named(
        "LeadExplanation",
        .object([
            .required("object", .choice(["lead_explanation"])),
            .required("lead_id", .id(LeadID.self)),
            .required("status", .choice(Lead.State.allCases.map(\.rawValue))),
            .required("because", .text(1...500)),
            .required("program_version", .nullable(.integer(1...Int64.max))),
            .required(
                "rules",
                .list(
                    .object([
                        .required("rule", .choice(LeadRule.allCases.map(\.rawValue))),
                        .required("verdict", .choice(LeadVerdict.allCases.map(\.rawValue))),
                        .required("because", .text(1...300)),
                    ]), count: 0...20)),
            .required("referrer_because", .text(1...300)),
            .required("owner_because", .text(1...300)),
            .required(
                "credit_because", .nullable(.text(1...500)),
                "Who is credited with a sale to it, or would be now; null for tokens."),
            .required(
                "registration_because", .nullable(.text(1...500)),
                "Which deal registration of another holds the account and takes the credit."),
            .required("score", score), .required("clocks", .list(clock, count: 0...10)),
        ]))

    static let score = Schema.named(
        "LeadScore",
        .object([
            .required("object", .choice(["lead_score"])),
            .required("lead_id", .id(LeadID.self)),
            .required("score", .integer(0...100)),
            .required(
                "parts",
                .list(
                    .object([
                        .required("name", .text(1...40)), .required("points", .integer(0...100)),
                        .required("because", .text(1...300)),
                    ]), count: 0...10)),
        ]))

    static let clock = Schema.named(
        "LeadClock",
        .object([
            .required("object", .choice(["lead_clock"])),
            .required("lead_id", .id(LeadID.self)),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .nullable(.id(ParticipantID.self))),
            .required("kind", .choice(LeadClock.Kind.allCases.map(\.rawValue))),
            .required("due_at", .time),
        ]))

    static func json(_ score: LeadScore, of lead: LeadID) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(score, of: lead, &$0) }
        return json.bytes
    }

    static func write(_ clock: LeadClock, _ json: inout JSONObjectWriter) {
        json.field("object", "lead_clock")
        json.field("lead_id", clock.lead.description)
        json.field("program_id", clock.program.description)
        json.field("participant_id", clock.participant)
        json.field("kind", clock.kind.rawValue)
        json.field("due_at", clock.dueAt)
    }

    /// By the rules in force when the lead came in. While it waits, it is held against them as it
    /// is now; once it was decided, as it was then, so that the answer stays the same. Whether the
    /// company was known is as it was found at that time.
    static func json(
        _ lead: Lead, _ program: Program, for caller: Principal, at now: Instant,
        _ reader: Reader
    ) throws -> [UInt8] {
        let terms = try AssessLead.terms(of: lead, program, reader)
        let (judged, instant) = try judged(lead, at: now, reader)
        let verdicts = LeadRules.verdicts(
            judged, terms, currency: program.currency,
            isKnown: judged.brokenRules.contains(.notKnown),
            isCustomer: judged.brokenRules.contains(.notACustomer), at: instant)
        let referrer = try referrerBecause(lead, reader)
        let score = LeadRules.score(lead, terms, currency: program.currency, at: now)
        let clock = try LeadClockStore.running(lead, reader)
        let credit =
            try caller.participant == nil
            ? creditBecause(lead, program, at: now, reader) : nil
        let claim = try OpenLead.claims(against: lead, at: now, reader).first
        var json = JSONWriter(capacity: 2048)
        json.object { object in
            object.field("object", "lead_explanation")
            object.field("lead_id", lead.id.description)
            object.field("status", lead.state.rawValue)
            object.field("because", because(lead, for: caller))
            object.field("program_version", lead.programVersion)
            object.array("rules") { list in
                for (rule, verdict) in verdicts {
                    list.object { item in
                        item.field("rule", rule.rawValue)
                        item.field("verdict", verdict.rawValue)
                        item.field("because", because(rule, verdict, judged, terms))
                    }
                }
            }
            object.field("referrer_because", referrer)
            object.field("owner_because", ownerBecause(lead))
            object.field("credit_because", credit)
            object.field(
                "registration_because", claim.map { registrationBecause($0, for: caller) })
            object.object("score") { write(score, of: lead.id, &$0) }
            object.array("clocks") { list in
                if let clock { list.object { write(clock, &$0) } }
            }
        }
        return json.bytes
    }

    /// The lead and the time that decide about its rules.
    private static func judged(
        _ lead: Lead, at now: Instant, _ reader: Reader
    ) throws -> (lead: Lead, at: Instant) {
        if lead.state.isWaiting { return (lead, now) }
        guard let decided = lead.qualifiedAt,
            let then = try LeadStore.find(lead.id, asOf: decided, reader)
        else { return (lead, lead.updatedAt) }
        return (then, decided)
    }

    private static func write(
        _ score: LeadScore, of lead: LeadID, _ json: inout JSONObjectWriter
    ) {
        json.field("object", "lead_score")
        json.field("lead_id", lead.description)
        json.field("score", score.points)
        json.array("parts") { list in
            for part in score.parts {
                list.object { item in
                    item.field("name", part.name)
                    item.field("points", part.points)
                    item.field("because", part.because)
                }
            }
        }
    }

    // MARK: - Words

    private static func because(_ lead: Lead, for caller: Principal) -> String {
        switch lead.state {
        case .duplicate:
            let other = caller.participant == nil ? lead.duplicateOf?.description : nil
            return "It is for the same prospect as \(other ?? "an earlier lead"): "
                + "\(lead.reasonCode ?? "same_email")."
        case .disqualified: return "It was disqualified: \(lead.reasonCode ?? "other")."
        case .nurture: return "The time is bad; it comes back by itself at its follow_up_at."
        case .spam: return "A field that people do not see was filled in."
        case .lost: return "The deal was lost: \(lead.reasonCode ?? "other")."
        case .submitted where !lead.brokenRules.isEmpty:
            return "It breaks rules of the program, so it needs an override to be qualified."
        case .submitted: return "It waits for the first decision."
        case .qualified, .opportunity, .won: return "Sales has moved it there; see its timeline."
        }
    }

    private static func because(
        _ rule: LeadRule, _ verdict: LeadVerdict, _ lead: Lead, _ terms: QualificationTerms
    ) -> String {
        if verdict == .unknown { return "The program asks, but the lead does not say." }
        if verdict == .notAsked {
            return rule == .throughProgram
                ? "Nobody referred it, so there is nobody to reward." : "The program does not ask."
        }
        let isPassed = verdict == .passed
        switch rule {
        case .throughProgram: return "It came through the program, from somebody who is known."
        case .specificContact: return "It names whom to speak with."
        case .notKnown:
            return isPassed
                ? "The company was not known when the lead came in."
                : "The company was a customer, or in the pipeline, when the lead came in."
        case .notACustomer:
            return isPassed
                ? "The person was no customer before it was referred."
                : "The person was a customer before it was referred."
        case .withinWindow:
            return "It was referred at \(lead.referralTime.rfc3339); referrals are valid for "
                + "\(terms.validityDays) days."
        case .industry, .country, .companySize, .useCase, .estimatedValue:
            return isPassed
                ? "It matches the profile of the customers that are looked for."
                : "It does not match the profile of the customers that are looked for."
        }
    }

    /// How it was known who referred the lead, from its first event.
    private static func referrerBecause(_ lead: Lead, _ reader: Reader) throws -> String {
        let first = try EventStore.timeline(of: lead.id, limit: 1, reader).first
        let data = try first.flatMap { try JSONValue.parse(Array($0.data.utf8)).objectValue }
        let hints = data?["ignored"]?.arrayValue?.compactMap(\.objectValue) ?? []
        let ignored = hints.compactMap { $0["name"]?.stringValue }
        let unused = ignored.joined(separator: ", ")
        if let by = data?["referrer_by"]?.stringValue {
            return "It was known by \(by)" + (ignored.isEmpty ? "." : "; not used: \(unused).")
        }
        if let rule = data?["not_eligible"]?.stringValue {
            let name = hints.first { $0["because"] == "not_eligible" }?["name"]?.stringValue
            return "Whom \(name ?? ignored.first ?? "it") named may not refer: \(rule)."
        }
        return ignored.isEmpty
            ? "Nobody was named." : "What was given names nobody in the program: \(unused)."
    }

    /// The newest sale to the prospect, or one of now; nil for a lead of nobody.
    private static func creditBecause(
        _ lead: Lead, _ program: Program, at now: Instant, _ reader: Reader
    ) throws -> String? {
        guard let customer = try lead.customer.flatMap({ try CustomerStore.find($0, reader) })
        else { return nil }
        let findings = try ReadSituation.run(customer, program, at: now, reader).findings
        let isAboutCredit: Set<ReferralFinding.Code> = [.credited, .notCredited, .noConversion]
        return findings.first { isAboutCredit.contains($0.code) }.map(ExplainWire.because)
    }

    /// To a participant it is not told whose the claim is, nor when it came in.
    private static func registrationBecause(
        _ claim: Registration, for caller: Principal
    ) -> String {
        let name =
            caller.participant == nil
            ? "Registration \(claim.id) of \(claim.participant)" : "Another's deal registration"
        return claim.state.isEarning
            ? "\(name) holds the account. It outranks every touch: a sale of now is credited to it."
            : "\(name) holds the account and is not decided yet; once approved, it outranks every "
                + "touch."
    }

    private static func ownerBecause(_ lead: Lead) -> String {
        switch lead.owner?.kind {
        case nil: "No rule gives it to anybody."
        case .accountExecutive: "The referrer's account executive works it."
        case .territory: "The owner of the prospect's territory works it."
        case .representative: "It was this representative's turn."
        case .fallback: "No other rule gave it to anybody."
        case .partner: "The account is protected, so the partner who holds it works it."
        case .manual: "A person gave it to its owner."
        }
    }
}
