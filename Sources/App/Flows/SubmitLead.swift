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
    let hints: Hints
    let contact: Contact
    var firm = Firmographics()
    var channel: String?
    /// When it was referred, where that was before now.
    var referredAt: Moment?
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
        let facts = try facts(tx)
        guard let programID = program ?? facts.participant?.program ?? facts.found.program else {
            throw LeadRefusal.programMissing
        }
        if let known = try alreadyPosted(in: programID, tx) { return known }
        guard let program = try ProgramStore.recall(programID, tx) else {
            throw LeadRefusal.unknownReference(.program)
        }
        try ProgramRules.checkTakesLeads(program.state)
        let referredAt = referredAt?.start(in: program.terms.timeZone)
        if let referredAt, referredAt > tx.now { throw LeadRefusal.referredLater }
        let choice = try referrer(in: program, facts, tx)
        // What a robot typed is nobody's address.
        let customer =
            isHoneypotFilled
            ? nil
            : try CustomerStore.findOrInsert(program: programID, email: email, tx)
        let draft = draft(
            tx.makeID(), program, choice, customer?.customer.id,
            accepted: try acceptedTerms(of: choice.referrer.participant, tx),
            tagged(try choice.hints.tags(tx)), tx.now)
        if isTrial { return try tried(draft, program, tx) }
        let identity = draft.identity
        let keys = LeadKeys(draft, identity, program)
        let earlier = try keys.earlier(ofNew: customer?.isNew ?? true, tx)
        var lead = try admitted(
            draft, identity, program, earlier, facts, isNewCustomer: customer?.isNew ?? false, tx)
        if lead.state == .submitted, let hours = program.terms.serviceLevels.reviewHours {
            lead.clockDueAt = tx.now.advanced(byMilliseconds: hours * 3_600_000)
        }
        try LeadStore.insert(lead, tx)
        try keys.keep(for: lead, tx)
        try keepTraces(of: lead, tx)
        try insertTouches(of: lead, program.kind, choice, tx)
        try EventStore.append(event(of: lead, choice), tx)
        if lead.state == .submitted {
            try MoveLead.earn(.leadSubmitted, lead, program, actor: actor, tx)
        }
        try CountFunnel.submitted(lead, choice.hints.place(of: lead.referrer.link), tx)
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
        /// Whom the operator names.
        let participant: Participant?
        let found: ResolveHints
    }

    private func facts(_ tx: Transaction) throws -> Facts {
        let participant = try participant.map { id in
            guard let known = try ParticipantStore.recall(id, tx),
                known.program == program ?? known.program
            else { throw LeadRefusal.unknownReference(.participant) }
            return known
        }
        return Facts(participant: participant, found: try ResolveHints(hints, tx))
    }

    private func alreadyPosted(in program: ProgramID, _ tx: Transaction) throws -> Lead? {
        guard let formDigest else { return nil }
        let start = tx.now.advanced(byMilliseconds: -LeadRules.samePostMilliseconds)
        return try LeadStore.posted(formDigest, in: program, after: start, tx)
    }

    // MARK: - Decision

    /// Who referred the lead. One whom the operator names and who may not refer is refused; whom a
    /// hint names is left out.
    private func referrer(
        in program: Program, _ facts: Facts, _ tx: Transaction
    ) throws -> ReferrerChoice {
        var choice = ReferrerChoice(
            named: facts.participant?.id, try facts.found(in: program.id, tx),
            program.terms.attribution.model,
            codesFirst: program.terms.attribution.codes != .last)
        guard let id = choice.referrer.participant else { return choice }
        let participant =
            facts.participant?.id == id ? facts.participant : try ParticipantStore.recall(id, tx)
        guard let participant else { throw LeadRefusal.unknownReference(.participant) }
        do {
            try FindEligibility.check(participant, program, at: tx.now, tx)
        } catch let error as ParticipantRefusal {
            if facts.participant != nil { throw error }
            choice.leaveOut(because: error)
        }
        return choice
    }

    private func acceptedTerms(
        of participant: ParticipantID?, _ tx: Transaction
    ) throws -> Int64? {
        try participant.flatMap { try ParticipantStore.recall($0, tx)?.acceptedTerms?.version }
    }

    /// The metadata with the UTM values that led here, where it says nothing of them itself.
    private func tagged(_ tags: CampaignTags) -> JSONObject {
        var metadata = metadata
        guard !FormPost.campaign.contains(where: { metadata[$0] != nil }),
            metadata.count + tags.pairs.count <= SubmitLead.metadataMax
        else { return metadata }
        for (name, value) in tags.pairs { metadata["utm_" + name] = .string(value) }
        return metadata
    }

    /// Members that metadata holds.
    private static let metadataMax = 50

    /// The lead before anything is decided about it.
    private func draft(
        _ id: LeadID, _ program: Program, _ choice: ReferrerChoice, _ customer: CustomerID?,
        accepted terms: Int64?, _ metadata: JSONObject, _ now: Instant
    ) -> Lead {
        Lead(
            id: id, program: program.id, referrer: choice.referrer, customer: customer,
            state: .submitted, source: source, contact: contact, firm: firm, channel: channel,
            referredAt: referredAt?.start(in: program.terms.timeZone), intro: intro,
            estimatedValue: estimatedValue, wonValue: nil,
            duplicateOf: nil, reasonCode: nil, reason: nil, followUpAt: nil, qualifiedAt: nil,
            wonAt: nil, formDigest: formDigest, programVersion: program.version,
            termsVersion: terms, ignored: choice.hints.ignored, metadata: metadata, version: 1,
            createdAt: now, updatedAt: now)
    }

    /// What becomes of it: held against the program's rules, and given to whom works it.
    private func admitted(
        _ draft: Lead, _ identity: AccountIdentity, _ program: Program,
        _ earlier: EarlierLead?, _ facts: Facts, isNewCustomer: Bool, _ tx: Transaction
    ) throws -> Lead {
        var lead = draft
        if !isHoneypotFilled {
            try AssessLead.run(&lead, identity, program, isNewCustomer: isNewCustomer, tx)
        }
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
        lead.brokenRules.removeAll { $0 == .notKnown || $0 == .notACustomer }
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

    private func insertTouches(
        of lead: Lead, _ kind: Program.Kind, _ choice: ReferrerChoice, _ tx: Transaction
    ) throws {
        guard let customer = lead.customer else { return }
        let isFirst = lead.state != .duplicate
        _ = try choice.insertTouches(of: lead, kind, isFirst: isFirst, tx)
        guard isFirst else { return }
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
        of lead: Lead, _ choice: ReferrerChoice
    ) -> NewEvent {
        var data: JSONObject = ["source": .string(lead.source.rawValue)]
        if let by = choice.by { data["referrer_by"] = .string(by) }
        if !lead.ignored.isEmpty {
            data["ignored"] = .array(lead.ignored.map(\.jsonWithoutValue))
        }
        if let rule = choice.ineligible { data["not_eligible"] = .string(rule) }
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
