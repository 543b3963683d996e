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

    /// Carries out `move` on the stored `lead`.
    static func run(
        _ move: LeadMove, of lead: Lead, actor: String, _ tx: Transaction
    ) throws -> Lead {
        guard let program = try ProgramStore.recall(lead.program, tx) else {
            throw DatabaseFault(operation: "read a lead's program", code: DatabaseFault.corrupt)
        }
        let change = try LeadRules.moved(
            lead, by: move, programCurrency: program.currency, at: tx.now)
        try LeadStore.update(change.lead, tx)
        for step in change.steps {
            try tell(step, change.lead, move, actor: actor, tx)
        }
        if lead.state == .nurture { try JobStore.cancel(lead.id, tx) }
        if let due = change.lead.followUpAt {
            try JobStore.schedule(followUpJob, lead.id, at: due, tx)
        }
        try settleRewards(from: lead, to: change.lead, program, actor: actor, tx)
        return change.lead
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
        try EventStore.append(
            NewEvent(
                step.eventType, lead.id, program: lead.program,
                participant: lead.referrer.participant, actor: actor, from: step.from.rawValue,
                to: step.to.rawValue, reason: isLast ? lead.reason ?? lead.reasonCode : nil,
                data: .object(data)), tx)
        let counter = "leads." + step.eventType.dropFirst("lead.".count)
        try CounterStore.add(1, to: counter, of: lead.program, tx)
    }

    /// Qualifying and winning earn the referrer something, unless the program has ended; a lead
    /// that falls out after it was qualified takes its unpaid rewards with it.
    private static func settleRewards(
        from old: Lead, to lead: Lead, _ program: Program, actor: String, _ tx: Transaction
    ) throws {
        switch lead.state {
        case .qualified:
            try grant(.leadQualified, base: nil, lead, program, actor: actor, tx)
        case .won:
            try grant(.leadWon, base: lead.wonValue, lead, program, actor: actor, tx)
        case .disqualified, .lost:
            guard old.qualifiedAt != nil else { return }
            try VoidRewards.run(
                lead: lead.id, reason: "lead_\(lead.state.rawValue)", actor: actor, tx)
        case .submitted, .opportunity, .nurture, .duplicate, .spam:
            break
        }
    }

    private static func grant(
        _ trigger: RewardRule.Trigger, base: Money?, _ lead: Lead, _ program: Program,
        actor: String, _ tx: Transaction
    ) throws {
        guard let participant = lead.referrer.participant, program.state != .ended else { return }
        _ = try GrantRewards.run(
            GrantRewards.Occasion(
                trigger: trigger, program: program, lead: lead.id, conversion: nil, actor: actor),
            credits: [GrantRewards.Credit(participant: participant, base: base)], tx)
    }
}
