import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import ReferralLinks
import RewardLedger

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
    var firm = Firmographics()
    var channel: String?
    /// When it was referred, where that was before now.
    var referredAt: Instant?
    let email: EmailAddress
    let intro: Lead.Intro?
    let estimatedValue: Money?
    let metadata: JSONObject
    let source: Lead.Source
    let isHoneypotFilled: Bool
    /// Given by a form: the same post within ten minutes is the same lead.
    let formDigest: [UInt8]?
    /// By what its sender is known again: the referred person, or the referrer himself.
    var traces: [TraceValue] = []
    var isSentByReferrer = false
    /// A participant's dry run, which leaves no trace: it learns whether form and offer are good,
    /// and not whether the prospect is known.
    var isTrial = false
    let actor: String

    func callAsFunction(_ tx: Transaction) throws -> Lead {
        var facts = try facts(tx)
        let programID = try LeadRules.program(named: program, facts.referral)
        if let known = try alreadyPosted(in: programID, tx) { return known }
        guard let program = try ProgramStore.recall(programID, tx) else {
            throw LeadRefusal.unknownReference(.program)
        }
        try ProgramRules.checkOpen(program.state, draftToo: false)
        if let referredAt, referredAt > tx.now { throw LeadRefusal.referredLater }
        facts.referral.email = try emailFinding(in: programID, tx)
        let decision = try referrer(in: program, facts, tx)
        // What a robot typed is nobody's address.
        let customer =
            isHoneypotFilled
            ? nil
            : try CustomerStore.findOrInsert(program: programID, email: email, tx)
        let draft = draft(
            tx.makeID(), program, decision.referrer, customer?.customer.id,
            accepted: try acceptedTerms(of: decision.referrer.participant, tx), tx.now)
        if isTrial { return try tried(draft, program, tx) }
        let identity = draft.identity
        let keys = LeadKeys(draft, identity, program)
        let earlier = try keys.earlier(ofNew: customer?.isNew ?? true, tx)
        var lead = try admitted(draft, identity, program, earlier, facts, tx)
        if lead.state == .submitted {
            let hours = program.terms.serviceLevels.reviewHours
            lead.clockDueAt = tx.now.advanced(byMilliseconds: hours * 3_600_000)
        }
        try LeadStore.insert(lead, tx)
        try keys.keep(for: lead, tx)
        try keepTraces(of: lead, tx)
        try insertTouches(of: lead, program.kind, facts.origin, tx)
        try EventStore.append(event(of: lead, decision), tx)
        if lead.state == .submitted {
            try MoveLead.earn(.leadSubmitted, lead, program, actor: actor, tx)
        }
        try CountFunnel.submitted(lead, facts.place(of: lead.referrer.link), tx)
        if let due = lead.clockDueAt {
            try LeadClockStore.start(
                LeadClock(
                    lead: lead.id, program: programID, participant: lead.referrer.participant,
                    kind: .review, dueAt: due), tx)
        }
        return lead
    }

    // MARK: - Facts

    private struct Facts {
        var referral = ReferralFacts()
        var origin: ClickOrigin?
        var link: Link?
        var participant: Participant?

        /// Where this link is shared, which is the click's or the one that was named.
        func place(of id: LinkID?) -> LinkPlace? {
            if let origin, origin.link == id { return origin.place }
            return link.flatMap { $0.id == id ? $0.place : nil }
        }
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
            facts.link = try LinkStore.find(code: ref, tx)
            facts.referral.link =
                facts.link.map {
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
        let decision = try LeadRules.referrer(in: program.id, facts.referral, from: source)
        guard let id = decision.referrer.participant else { return decision }
        let participant =
            facts.participant?.id == id ? facts.participant : try ParticipantStore.recall(id, tx)
        guard let participant else { throw LeadRefusal.unknownReference(.participant) }
        let hasOpenDispute = try hasOpenDispute(id, program, tx)
        do throws(ParticipantRefusal) {
            try ParticipantRules.checkMayRefer(
                participant, program.terms.eligibility, hasOpenDispute: hasOpenDispute, at: tx.now)
        } catch {
            if source != .form { throw error }
            var decision = decision.withoutReferrer
            if case .notEligible(let rule) = error { decision.ineligible = rule.rawValue }
            return decision
        }
        return decision
    }

    /// Looked up where the program asks alone: most do not.
    private func hasOpenDispute(
        _ participant: ParticipantID, _ program: Program, _ tx: Transaction
    ) throws -> Bool {
        try program.terms.eligibility.excludesOpenDispute && DisputeStore.hasOpen(participant, tx)
    }

    private func acceptedTerms(
        of participant: ParticipantID?, _ tx: Transaction
    ) throws -> Int64? {
        try participant.flatMap { try ParticipantStore.recall($0, tx)?.acceptedTerms?.version }
    }

    /// The lead before anything is decided about it.
    private func draft(
        _ id: LeadID, _ program: Program, _ referrer: Referrer, _ customer: CustomerID?,
        accepted terms: Int64?, _ now: Instant
    ) -> Lead {
        Lead(
            id: id, program: program.id, referrer: referrer, customer: customer,
            state: .submitted, source: source, contact: contact, firm: firm, channel: channel,
            referredAt: referredAt, intro: intro, estimatedValue: estimatedValue, wonValue: nil,
            duplicateOf: nil, reasonCode: nil, reason: nil, followUpAt: nil, qualifiedAt: nil,
            wonAt: nil, formDigest: formDigest, programVersion: program.version,
            termsVersion: terms, metadata: metadata, version: 1, createdAt: now, updatedAt: now)
    }

    /// What becomes of it: held against the program's rules, and given to whom works it.
    private func admitted(
        _ draft: Lead, _ identity: AccountIdentity, _ program: Program,
        _ earlier: EarlierLead?, _ facts: Facts, _ tx: Transaction
    ) throws -> Lead {
        var lead = draft
        if !isHoneypotFilled { try AssessLead.run(&lead, identity, program, tx) }
        let admission = LeadRules.admit(
            isHoneypotFilled: isHoneypotFilled, earlier: earlier, broken: lead.brokenRules,
            terms: program.terms.qualification)
        lead.state = admission.state
        lead.reasonCode = admission.reasonCode
        if case .duplicate(let of, _) = admission { lead.duplicateOf = of }
        if lead.state != .spam {
            try RouteLead.run(&lead, identity, program, facts.participant, tx)
        }
        return lead
    }

    /// Held against the rules that ask nothing of what others did.
    private func tried(_ draft: Lead, _ program: Program, _ tx: Transaction) throws -> Lead {
        var lead = draft
        try AssessLead.run(&lead, draft.identity, program, tx)
        lead.brokenRules.removeAll { $0 == .notKnown }
        let admission = LeadRules.admit(
            isHoneypotFilled: false, earlier: nil, broken: lead.brokenRules,
            terms: program.terms.qualification)
        lead.state = admission.state
        lead.reasonCode = admission.reasonCode
        return lead
    }

    // MARK: - Rows

    private func keepTraces(of lead: Lead, _ tx: Transaction) throws {
        if isSentByReferrer, let participant {
            try TraceStore.keep(traces, of: participant, tx)
        } else {
            try TraceStore.keep(traces, of: lead.id, tx)
        }
    }

    /// The click is a touch at its own time, the submission one at this time.
    private func insertTouches(
        of lead: Lead, _ kind: Program.Kind, _ origin: ClickOrigin?, _ tx: Transaction
    ) throws {
        guard let customer = lead.customer else { return }
        if let origin, let click = lead.referrer.click {
            try ClickTouch.insert(click, origin, of: customer, kind, lead: lead.id, tx)
        }
        // A second lead for a prospect is no new contact with it: else whoever sends a known
        // address to the form would take the credit of who was first. A click is one.
        guard lead.state != .duplicate else { return }
        try TouchpointStore.insert(
            Touchpoint(
                id: tx.makeID(), program: lead.program, customer: customer,
                participant: lead.referrer.participant,
                source: lead.referrer.participant == nil ? .direct : kind.touchSource,
                kind: .lead, channel: lead.channel ?? (lead.source == .form ? "form" : nil),
                link: lead.referrer.link, lead: lead.id, occurredAt: lead.referralTime,
                createdAt: tx.now), tx)
    }

    /// What was decided and from what, with ids alone.
    private func event(
        of lead: Lead, _ decision: ReferrerDecision
    ) -> NewEvent {
        var data: JSONObject = ["source": .string(lead.source.rawValue)]
        if let by = decision.by { data["referrer_by"] = .string(by.rawValue) }
        if !decision.ignored.isEmpty {
            data["ignored"] = .array(decision.ignored.map { .string($0.rawValue) })
        }
        if let rule = decision.ineligible { data["not_eligible"] = .string(rule) }
        if let earlier = lead.duplicateOf { data["duplicate_of"] = .string(earlier.description) }
        if !lead.brokenRules.isEmpty {
            data["broken_rules"] = .array(lead.brokenRules.map { .string($0.rawValue) })
        }
        if let owner = lead.owner { data["owner"] = .string(owner.kind.rawValue) }
        return NewEvent(
            "lead.\(lead.state.rawValue)", lead.id, program: lead.program,
            participant: lead.referrer.participant, actor: actor, to: lead.state.rawValue,
            reason: lead.reasonCode, data: .object(data))
    }
}
