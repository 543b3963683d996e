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
        case recordedTheReward, madeTheRule, madeTheCampaign, setTheTerms, draftedThePayout
    }

    /// What is to be approved, and where it comes from.
    private struct Earning {
        let program: ProgramID
        let rule: RewardRuleID
        let ruleVersion: Int64
        let lead: LeadID?
        let conversion: ConversionID?
        let basis: JSONValue
        /// The event that granted it.
        let granted: Event?
    }

    static func checkApproval(_ reward: Reward, by actor: String, _ tx: Transaction) throws {
        try check(
            Earning(
                program: reward.program, rule: reward.rule, ruleVersion: reward.ruleVersion,
                lead: reward.lead, conversion: reward.conversion, basis: reward.basis,
                granted: EventStore.timeline(of: reward.id, limit: 1, tx).first), actor, tx)
    }

    static func checkApproval(_ benefit: Benefit, by actor: String, _ tx: Transaction) throws {
        try check(
            Earning(
                program: benefit.program, rule: benefit.rule, ruleVersion: benefit.ruleVersion,
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
    }

    /// The key that made a run does not hand its payouts to the provider either.
    static func checkSubmission(_ run: PayoutRun, by actor: String, _ tx: Transaction) throws {
        let terms = try ProgramStore.version(of: run.program, at: run.createdAt, tx)
        guard try isAskedFor(run.program, terms, tx) else { return }
        if run.actor == actor { throw Refusal.draftedThePayout }
    }

    /// Whoever had a hand in it before it was granted does not approve it: in its lead or its sale,
    /// in its rule, in the campaign that raised it, or in the terms that would have held it back.
    private static func check(
        _ earning: Earning, _ actor: String, _ tx: Transaction
    ) throws {
        let basis = TermsReader(earning.basis.objectValue)
        let terms = try basis.integer("program_version").flatMap {
            try ProgramStore.version($0, of: earning.program, tx)
        }
        guard try isAskedFor(earning.program, terms, tx) else { return }
        if try hasRecorded(earning, actor, tx) { throw Refusal.recordedTheReward }
        if try RuleVersionStore.hasMade(
            actor, earning.rule, through: earning.ruleVersion, tx)
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
    }

    private static func hasRecorded(
        _ earning: Earning, _ actor: String, _ tx: Transaction
    ) throws -> Bool {
        guard let granted = earning.granted else { return false }
        func hasActed<Kind>(on object: Identifier<Kind>) throws -> Bool {
            try EventStore.hasActed(actor, on: object, before: granted.sequence, tx)
        }
        return try granted.actor == actor || earning.lead.map { try hasActed(on: $0) } == true
            || earning.conversion.map { try hasActed(on: $0) } == true
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

    private var deed: String {
        switch self {
        case .recordedTheReward: "had a hand in the lead or the sale"
        case .madeTheRule: "made or changed the rule that gave it"
        case .madeTheCampaign: "made or changed the campaign"
        case .setTheTerms: "set terms that hold money back"
        case .draftedThePayout: "drafted the payout"
        }
    }
}
