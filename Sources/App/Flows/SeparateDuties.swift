import Database
import HTTP
import JSON
import Model
import Programs
import Records
import RewardLedger

/// Where a program says that money takes two (`approvals.separate`): nobody says yes to what he
/// caused himself. Who did what is read from the events and the rules' versions, the audit trail,
/// so that no other record can differ from it. What was granted or drafted while it took two still
/// does when the program has been changed since.
enum SeparateDuties {
    enum Refusal: Error, CaseIterable {
        case recordedTheReward, madeTheToken, madeTheRule, madeTheCampaign, setTheTerms
        case setThePayoutDetails, admittedTheParticipant, draftedThePayout
    }

    /// What is to be approved, and where it comes from.
    private struct Earning {
        let program: ProgramID
        let participant: ParticipantID?
        /// Nil for what a person gave.
        let rule: RewardRuleID?
        let ruleVersion: Int64?
        let lead: LeadID?
        let conversion: ConversionID?
        let basis: JSONValue
        /// The event that granted it.
        let granted: Event?
    }

    static func checkApproval(_ reward: Reward, by actor: String, _ tx: Transaction) throws {
        try check(
            Earning(
                program: reward.program, participant: reward.participant, rule: reward.rule,
                ruleVersion: reward.ruleVersion, lead: reward.lead, conversion: reward.conversion,
                basis: reward.basis,
                granted: EventStore.timeline(of: reward.id, limit: 1, tx).first), actor, tx)
    }

    static func checkApproval(_ benefit: Benefit, by actor: String, _ tx: Transaction) throws {
        try check(
            Earning(
                program: benefit.program, participant: benefit.owner.participant,
                rule: benefit.rule, ruleVersion: benefit.ruleVersion,
                lead: benefit.lead, conversion: benefit.conversion, basis: benefit.basis,
                granted: EventStore.timeline(of: benefit.id, limit: 1, tx).first), actor, tx)
    }

    /// The key that drafted the payout does not hand it to the provider.
    static func checkSubmission(
        _ payout: Payout, by actor: String, _ tx: Transaction
    ) throws {
        let terms = try ProgramStore.version(of: payout.program, at: payout.createdAt, tx)
        guard try isAskedFor(payout.program, terms, tx) else { return }
        let first = try EventStore.timeline(of: payout.id, limit: 1, tx).first
        if first?.actor == actor { throw Refusal.draftedThePayout }
        if try hasSetPayoutDetails(actor, of: payout.participant, tx) {
            throw Refusal.setThePayoutDetails
        }
    }

    /// The key that made a run does not hand its payouts to the provider either.
    static func checkSubmission(_ run: PayoutRun, by actor: String, _ tx: Transaction) throws {
        let terms = try ProgramStore.version(of: run.program, at: run.createdAt, tx)
        guard try isAskedFor(run.program, terms, tx) else { return }
        if run.actor == actor { throw Refusal.draftedThePayout }
    }

    /// Where everybody had a hand, an administrator may go on with a reason: what `check` refused
    /// is told in the log for good.
    static func check<Kind>(
        _ id: Identifier<Kind>, of participant: ParticipantID?, in program: ProgramID, _ call: Call,
        _ tx: Transaction, _ check: () throws -> Void
    ) throws {
        do {
            try check()
        } catch let refusal as Refusal {
            guard let reason = call.body.text("override_reason") else { throw refusal }
            guard call.principal.may(.admin) else {
                throw Refused(.forbidden("override_reason needs the scope admin."))
            }
            try EventStore.append(
                NewEvent(
                    "duties.overridden", id, program: program,
                    actor: call.principal.actor, reason: reason,
                    data: ["refusal": .string(refusal.problem.code), "hand": .string(refusal.deed)]
                ), tx)
        }
    }

    static let override = Field.optional(
        "override_reason", .prose(1...500),
        "Why this key decides although it had a hand in it; only for the scope admin. Kept for "
            + "good in the event duties.overridden: no personal data.")

    /// Whoever had a hand in it before it was granted does not approve it: in whether, by whom and
    /// how much was earned, in its rule, in the campaign that raised it, in the terms that would
    /// have held it back, or in where the money goes.
    private static func check(
        _ earning: Earning, _ actor: String, _ tx: Transaction
    ) throws {
        let basis = TermsReader(earning.basis.objectValue)
        let terms = try basis.integer("program_version").flatMap {
            try ProgramStore.version($0, of: earning.program, tx)
        }
        guard try isAskedFor(earning.program, terms, tx) else { return }
        try checkRecord(of: earning, actor, tx)
        if let rule = earning.rule, let version = earning.ruleVersion,
            try RuleVersionStore.hasMade(actor, rule, through: version, tx)
        {
            throw Refusal.madeTheRule
        }
        let campaign = TermsReader(TermsReader(basis.nested("arithmetic")).nested("campaign"))
        if let id = campaign.text("id").flatMap({ CampaignID($0) }),
            let version = campaign.integer("version"),
            try RuleVersionStore.hasMade(actor, id, through: version, tx)
        {
            throw Refusal.madeTheCampaign
        }
        if let terms, terms.setters.values.contains(actor) { throw Refusal.setTheTerms }
        if let participant = earning.participant,
            try hasSetPayoutDetails(actor, of: participant, tx)
        {
            throw Refusal.setThePayoutDetails
        }
    }

    /// Whether what somebody gives by hand waits for somebody else.
    static func isAskedFor(_ program: Program) -> Bool { program.terms.approvals.isSeparate }

    private static func checkRecord(
        of earning: Earning, _ actor: String, _ tx: Transaction
    ) throws {
        guard let granted = earning.granted else { return }
        let hands = GatherHands(
            participant: earning.participant, program: earning.program, lead: earning.lead,
            conversion: earning.conversion)
        let objects = try hands(at: granted.occurredAt, tx)
        func hasActed(_ who: String) throws -> Bool {
            try EventStore.hasActed(who, onAnyOf: objects, before: granted.sequence, tx)
        }
        if try granted.actor == actor || hasActed(actor) { throw Refusal.recordedTheReward }
        // What came by a token, came by the hand of who made it.
        if let participant = earning.participant,
            try APIKeyStore.hasMade(actor, tokenOf: participant, tx),
            try hasActed(participant.description)
        {
            throw Refusal.madeTheToken
        }
        // Which rules hold for a participant, and whether any does, is decided there.
        if let participant = earning.participant,
            try EventStore.hasAdmitted(
                actor, participant, noun: "participant", orChanged: ["kind", "segment", "email"],
                before: granted.sequence, tx)
        {
            throw Refusal.admittedTheParticipant
        }
    }

    private static func hasSetPayoutDetails(
        _ actor: String, of participant: ParticipantID, _ tx: Transaction
    ) throws -> Bool {
        try EventStore.hasSet("payout_account", of: participant, actor, tx)
    }

    /// It takes two today, or did under `then`.
    private static func isAskedFor(
        _ program: ProgramID, _ then: ProgramVersion?, _ tx: Transaction
    ) throws -> Bool {
        if then?.terms.approvals.isSeparate == true { return true }
        return try ProgramStore.recall(program, tx)?.terms.approvals.isSeparate ?? false
    }
}

extension SeparateDuties.Refusal: ProblemConvertible {
    var problem: Problem {
        Problem(
            status: 403,
            code: self == .draftedThePayout ? "separate_submission" : "separate_approval",
            detail: "The program wants two: this key \(deed).")
    }

    fileprivate var deed: String {
        switch self {
        case .recordedTheReward:
            "had a hand in what earned it: the lead, the sale, the claim, a touch or the customer"
        case .madeTheToken: "made a token of the participant, by which it came"
        case .madeTheRule: "made or changed the rule that gave it"
        case .madeTheCampaign: "made or changed the campaign"
        case .setTheTerms: "set terms that hold money back"
        case .setThePayoutDetails: "set where the participant is paid"
        case .admittedTheParticipant:
            "approved the participant, or changed its kind, segment or email"
        case .draftedThePayout: "drafted the payout"
        }
    }
}
