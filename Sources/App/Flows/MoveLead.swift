import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// A lead goes on in its life, and what follows from it: events, a follow-up, rewards.
/// One transaction, from top to bottom.
enum MoveLead {
    /// Kind of the job that wakes a lead from `nurture`.
    static let followUpJob = "lead.follow_up"

    /// Carries out `move` on the stored `lead`. `takesBack`: what is paid of its rewards is owed
    /// back, where the move ends what earned them.
    static func run(
        _ move: LeadMove, of lead: Lead, takesBack: Bool = false, actor: String, _ tx: Transaction
    ) throws -> Lead {
        guard let program = try ProgramStore.recall(lead.program, tx) else {
            throw DatabaseFault(operation: "read a lead's program", code: DatabaseFault.corrupt)
        }
        try checkAttachment(move, of: lead, tx)
        let change = try LeadRules.moved(
            lead, by: move, programCurrency: program.currency,
            terms: try terms(for: move, of: lead, program, tx), at: tx.now)
        var moved = change.lead
        if case .reopen = move { try AssessLead.reopen(&moved, from: lead, program, tx) }
        try keepTime(&moved, from: lead, program.terms.serviceLevels, tx)
        try LeadStore.update(moved, tx)
        for step in change.steps {
            try CountFunnel.moved(moved, to: step.to, tx)
            try tell(step, moved, move, actor: actor, tx)
        }
        if lead.state == .nurture { try JobStore.cancel(lead.id, tx) }
        if let due = moved.followUpAt {
            try JobStore.schedule(followUpJob, lead.id, at: due, tx)
        }
        for step in change.steps {
            try settleRewards(step, moved, program, takesBack, actor: actor, tx)
        }
        return moved
    }

    /// The referrer was told how the lead fares; the clocks that ran for it stop.
    static func told(_ lead: Lead, actor: String, _ tx: Transaction) throws {
        guard let clock = try LeadClockStore.running(lead, tx), clock.kind != .review else {
            return
        }
        try LeadClockStore.stop(lead, tx)
        try EventStore.append(
            NewEvent(
                "lead.referrer_told", lead.id, program: lead.program,
                participant: lead.referrer.participant, actor: actor,
                to: lead.state.rawValue), tx)
    }

    /// Somebody bought: the first decision about the lead is made by that, and nobody need be
    /// reminded of it.
    static func sold(_ lead: Lead, _ tx: Transaction) throws {
        guard let clock = try LeadClockStore.running(lead, tx), clock.kind == .review else {
            return
        }
        try LeadClockStore.stop(lead, tx)
    }

    /// What a referral is, is asked as when the lead came in; what sales confirms, as today.
    private static func terms(
        for move: LeadMove, of lead: Lead, _ program: Program, _ tx: Transaction
    ) throws -> QualificationTerms {
        let today = program.terms.qualification
        guard move.action == .qualify else { return today }
        var terms = try AssessLead.terms(of: lead, program, tx)
        terms.checklist = today.checklist
        terms.checklistMinimum = today.checklistMinimum
        return terms
    }

    /// A second lead goes to an opportunity of its own program.
    private static func checkAttachment(
        _ move: LeadMove, of lead: Lead, _ tx: Transaction
    ) throws {
        guard case .attach(let id, _) = move else { return }
        guard let opportunity = try LeadStore.find(id, tx), opportunity.state == .opportunity,
            opportunity.program == lead.program, id != lead.id
        else { throw LeadRefusal.notAnOpportunity }
    }

    /// A decision stops the clocks that ran for it and starts those for telling the referrer.
    private static func keepTime(
        _ lead: inout Lead, from old: Lead, _ terms: ServiceLevelTerms, _ tx: Transaction
    ) throws {
        let next: (kind: LeadClock.Kind, hours: Int64?)?
        switch lead.state {
        case .submitted: next = (.review, terms.reviewHours)
        case .qualified: next = (.tellQualified, terms.tellQualifiedHours)
        case .won: next = (.tellWon, terms.tellWonHours)
        // What was to be told of the qualification still is.
        case .opportunity: return
        case .lost, .disqualified, .nurture, .duplicate, .spam: next = nil
        }
        try LeadClockStore.stop(old, tx)
        lead.clockDueAt = nil
        guard let next, next.kind == .review || lead.referrer.participant != nil else { return }
        guard let hours = next.hours else { return }
        let due = tx.now.advanced(byMilliseconds: hours * 3_600_000)
        lead.clockDueAt = due
        try LeadClockStore.start(
            LeadClock(
                lead: lead.id, program: lead.program, participant: lead.referrer.participant,
                kind: next.kind, dueAt: due), tx)
    }

    /// The time of a lead in `nurture` has come: it is open again. Does nothing to one that has
    /// moved on.
    static func followUp(_ id: LeadID, _ tx: Transaction) throws {
        guard let lead = try LeadStore.find(id, tx), LeadRules.isFollowUpDue(lead, at: tx.now)
        else {
            return
        }
        let move = LeadMove.reopen(code: "follow_up_due", reason: nil)
        _ = try run(move, of: lead, actor: "system", tx)
    }

    private static func tell(
        _ step: LeadStep, _ lead: Lead, _ move: LeadMove, actor: String, _ tx: Transaction
    ) throws {
        let isLast = step.to == lead.state
        var data: JSONObject = ["version": .integer(lead.version)]
        if isLast, let code = lead.reasonCode { data["reason_code"] = .string(code) }
        if isLast, let due = lead.followUpAt { data["follow_up_at"] = .string(due.rfc3339) }
        if case .win(let value?) = move, isLast { data["value"] = value.json }
        if case .qualifyAnyway = move, !lead.brokenRules.isEmpty {
            data["broken_rules"] = .array(lead.brokenRules.map { .string($0.rawValue) })
        }
        try EventStore.append(
            NewEvent(
                step.eventType, lead.id, program: lead.program,
                participant: lead.referrer.participant, actor: actor, from: step.from.rawValue,
                to: step.to.rawValue, reason: isLast ? lead.reason ?? lead.reasonCode : nil,
                data: .object(data)), tx)
    }

    /// Each step may earn the referrer something (R145), unless the program has ended. A lead that
    /// was no referral after all takes back what it earned, and counts for no tier any more. A deal
    /// that is lost takes nothing of what was earned before it (R18: who pays at qualification pays
    /// for leads that may not close); one that was won and is lost takes what the win earned.
    private static func settleRewards(
        _ step: LeadStep, _ lead: Lead, _ program: Program, _ takesBack: Bool, actor: String,
        _ tx: Transaction
    ) throws {
        func takeBack(_ triggers: Set<RewardRule.TriggerName>) throws {
            let reason = "lead_\(step.to.rawValue)"
            try BenefitBook.voidAll(of: lead.id, triggers, reason: reason, actor: actor, tx)
            try RewardBook.takeBack(
                LeadTakeBack(
                    lead.id, triggers, isPaidToo: takesBack, days: program.terms.clawbackDays,
                    reason: reason, actor: actor), tx)
        }
        switch step.to {
        case .submitted: try earn(.leadSubmitted, lead, program, actor: actor, tx)
        case .qualified: try grant(.leadQualified, base: nil, lead, program, actor: actor, tx)
        case .opportunity: try grant(.leadOpportunity, base: nil, lead, program, actor: actor, tx)
        case .won:
            try grant(.leadWon, base: lead.wonValue, lead, program, actor: actor, tx)
        case .disqualified, .duplicate:
            try takeBack([.leadSubmitted, .leadQualified, .leadOpportunity, .leadWon])
            try RewardBook.uncount(lead.id, in: program.id, actor: actor, tx)
        case .lost:
            guard step.from == .won else { return }
            try takeBack([.leadWon])
            try RewardBook.uncount(lead.id, .won, in: program.id, actor: actor, tx)
        case .nurture, .spam:
            break
        }
    }

    /// As `grant`, for the submission alone: most programs give nothing for it.
    static func earn(
        _ trigger: RewardRule.Trigger, _ lead: Lead, _ program: Program, actor: String,
        _ tx: Transaction
    ) throws {
        guard lead.referrer.participant != nil,
            try RewardRuleStore.isAwaited(trigger, in: program.id, tx)
        else { return }
        try grant(trigger, base: nil, lead, program, actor: actor, tx)
    }

    /// Who earns by a lead: the program's registrations that hold the account now outrank who
    /// referred it (R89), each with its share, as they do when a sale is credited.
    private static func earners(
        of lead: Lead, base: Money?, _ tx: Transaction
    ) throws -> (credits: [GrantRewards.Credit], isRegistered: Bool) {
        let holders = try HoldAccount.registrations(
            of: [lead.identity], in: lead.program, at: tx.now, tx)
        guard !holders.isEmpty else {
            let credits = lead.referrer.participant.map {
                [GrantRewards.Credit(participant: $0, base: base)]
            }
            return (credits ?? [], false)
        }
        let shares = base.map { Apportionment.split($0.amount, by: holders.map(\.share)) }
        let credits = holders.indices.map { place in
            GrantRewards.Credit(
                participant: holders[place].participant, parts: holders[place].share,
                base: base.flatMap { base in
                    shares.map { Money(amount: $0[place], currency: base.currency) }
                })
        }
        return (credits, true)
    }

    private static func grant(
        _ trigger: RewardRule.Trigger, base: Money?, _ lead: Lead, _ program: Program,
        actor: String, _ tx: Transaction
    ) throws {
        guard program.state != .ended else { return }
        let earners = try earners(of: lead, base: base, tx)
        guard !earners.credits.isEmpty else { return }
        var facts = GrantRewards.facts(of: lead)
        facts.person = try lead.customer.map { try FindPerson.run($0, tx) } ?? []
        facts.isReturning = try FindReturning.lead(
            lead, AccountStore.find(lead.identity, tx), program,
            earners: earners.credits.map(\.participant),
            isRegistered: earners.isRegistered, facts.person, at: tx.now, tx)
        _ = try GrantRewards.run(
            GrantRewards.Occasion(
                trigger: trigger, program: program, lead: lead.id, conversion: nil, actor: actor,
                facts: facts),
            credits: earners.credits, tx)
    }
}
