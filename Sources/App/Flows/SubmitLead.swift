import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import ReferralLinks

/// A prospect is referred, through the API or a form: who referred it, is it new, whom does it
/// touch. One transaction, from top to bottom.
struct SubmitLead: Sendable {
    let program: ProgramID?
    let participant: ParticipantID?
    let ref: String?
    let click: ClickID?
    let referrerEmail: EmailAddress?
    /// Names of a referrer that a form gave and that cannot be read.
    var unreadable: [LeadRefusal.Reference] = []
    let contact: Contact
    let email: EmailAddress
    let intro: Lead.Intro?
    let estimatedValue: Money?
    let metadata: JSONObject
    let source: Lead.Source
    let isHoneypotFilled: Bool
    /// Given by a form: the same post within ten minutes is the same lead.
    let formDigest: [UInt8]?
    let actor: String

    func callAsFunction(_ tx: Transaction) throws -> Lead {
        var facts = try facts(tx)
        let programID = try LeadRules.program(named: program, facts.referral)
        if let known = try alreadyPosted(in: programID, tx) { return known }
        guard let program = try ProgramStore.recall(programID, tx) else {
            throw LeadRefusal.unknownReference(.program)
        }
        try ProgramRules.checkOpen(program.state, draftToo: false)
        facts.referral.email = try emailFinding(in: programID, tx)
        let decision = try referrer(in: program, facts, tx)
        // What a robot typed is nobody's address.
        let customer =
            isHoneypotFilled
            ? nil
            : try CustomerStore.findOrInsert(
                program: programID, externalID: nil, email: email, tx)
        let earlier = try customer.flatMap {
            $0.isNew ? nil : try LeadStore.earliest(of: $0.customer.id, tx)
        }
        let admission = LeadRules.admit(isHoneypotFilled: isHoneypotFilled, earlier: earlier)
        let lead = lead(
            tx.makeID(), programID, decision.referrer, admission, customer?.customer.id,
            at: tx.now)
        try LeadStore.insert(lead, tx)
        try insertTouches(of: lead, facts.origin, tx)
        try EventStore.append(event(of: lead, decision, admission), tx)
        if admission == .submitted {
            try CounterStore.add(1, to: "leads.submitted", of: programID, tx)
        }
        return lead
    }

    // MARK: - Facts

    private struct Facts {
        var referral = ReferralFacts()
        var origin: ClickOrigin?
        var participant: Participant?
    }

    private func facts(_ tx: Transaction) throws -> Facts {
        var facts = Facts()
        if unreadable.contains(.click) { facts.referral.click = .unknown }
        if let participant {
            facts.participant = try ParticipantStore.recall(participant, tx)
            facts.referral.participant =
                facts.participant.map {
                    .found(
                        ReferralOrigin(program: $0.program, referrer: Referrer(participant: $0.id)))
                } ?? .unknown
        }
        if let click {
            facts.origin = try ClickStore.find(click, tx)
            facts.referral.click =
                facts.origin.map {
                    .found(
                        ReferralOrigin(
                            program: $0.program,
                            referrer: Referrer(
                                participant: $0.participant, link: $0.link, click: click)))
                } ?? .unknown
        }
        if let ref {
            facts.referral.link =
                try LinkStore.find(code: ref, tx).map {
                    .found(
                        ReferralOrigin(
                            program: $0.program,
                            referrer: Referrer(participant: $0.participant, link: $0.id)))
                } ?? .unknown
        }
        return facts
    }

    private func emailFinding(
        in program: ProgramID, _ tx: Transaction
    ) throws -> Finding<ReferralOrigin> {
        guard let referrerEmail else {
            return unreadable.contains(.email) ? .unknown : .notAsked
        }
        let known = try ParticipantStore.find(email: referrerEmail, in: program, tx)
        return known.map {
            .found(ReferralOrigin(program: program, referrer: Referrer(participant: $0.id)))
        } ?? .unknown
    }

    private func alreadyPosted(in program: ProgramID, _ tx: Transaction) throws -> Lead? {
        guard let formDigest else { return nil }
        let start = tx.now.advanced(byMilliseconds: -LeadRules.samePostMilliseconds)
        return try LeadStore.posted(formDigest, in: program, after: start, tx)
    }

    // MARK: - Decision

    /// Who referred the lead. One who may not refer is refused to the API; a form's visitor is not
    /// turned away for it.
    private func referrer(
        in program: Program, _ facts: Facts, _ tx: Transaction
    ) throws -> ReferrerDecision {
        let isStrict = source == .api
        let decision = try LeadRules.referrer(in: program.id, facts.referral, isStrict: isStrict)
        guard let id = decision.referrer.participant else { return decision }
        let participant =
            facts.participant?.id == id ? facts.participant : try ParticipantStore.recall(id, tx)
        guard let participant else { throw LeadRefusal.unknownReference(.participant) }
        do throws(ParticipantRefusal) {
            try ParticipantRules.checkMayRefer(
                participant, program.terms.eligibility, hasOpenDispute: false, at: tx.now)
        } catch {
            if isStrict { throw error }
            return decision.withoutReferrer
        }
        return decision
    }

    private func lead(
        _ id: LeadID, _ program: ProgramID, _ referrer: Referrer, _ admission: Admission,
        _ customer: CustomerID?, at now: Instant
    ) -> Lead {
        var duplicateOf: LeadID?
        if case .duplicate(let earlier) = admission { duplicateOf = earlier }
        return Lead(
            id: id, program: program, referrer: referrer, customer: customer,
            state: admission.state, source: source, contact: contact, intro: intro,
            estimatedValue: estimatedValue, wonValue: nil, duplicateOf: duplicateOf,
            reasonCode: admission.reasonCode, reason: nil, followUpAt: nil, qualifiedAt: nil,
            wonAt: nil, formDigest: formDigest, metadata: metadata, version: 1, createdAt: now,
            updatedAt: now)
    }

    // MARK: - Rows

    /// The click is a touch at its own time, the submission one at this time.
    private func insertTouches(
        of lead: Lead, _ origin: ClickOrigin?, _ tx: Transaction
    ) throws {
        guard let customer = lead.customer else { return }
        if let origin, let click = lead.referrer.click {
            try ClickTouch.insert(click, origin, of: customer, lead: lead.id, tx)
        }
        try TouchpointStore.insert(
            Touchpoint(
                id: tx.makeID(), program: lead.program, customer: customer,
                participant: lead.referrer.participant,
                source: lead.referrer.participant == nil ? .direct : .referral,
                channel: lead.source == .form ? "form" : nil, link: lead.referrer.link, click: nil,
                lead: lead.id, occurredAt: tx.now, createdAt: tx.now), tx)
    }

    /// What was decided and from what, with ids alone.
    private func event(
        of lead: Lead, _ decision: ReferrerDecision, _ admission: Admission
    ) -> NewEvent {
        var data: JSONObject = ["source": .string(lead.source.rawValue)]
        if let by = decision.by { data["referrer_by"] = .string(by.rawValue) }
        if !decision.ignored.isEmpty {
            data["ignored"] = .array(decision.ignored.map { .string($0.rawValue) })
        }
        if case .duplicate(let earlier) = admission {
            data["duplicate_of"] = .string(earlier.description)
        }
        return NewEvent(
            "lead.\(lead.state.rawValue)", lead.id, program: lead.program,
            participant: lead.referrer.participant, actor: actor, to: lead.state.rawValue,
            reason: admission.reasonCode, data: .object(data))
    }
}
