import Crypto
import Model

/// Why a lead is refused. The order is the order of the checks.
public enum LeadRefusal: Error, Equatable, Sendable {
    /// A participant's token says when the referral was made.
    case timeToldByParticipant
    /// A participant's token names somebody else as the referrer.
    case otherNamedByParticipant
    /// No program is named, and nothing that would tell it.
    case programMissing
    /// Something that is named does not exist in the program.
    case unknownReference(Reference)
    /// The state does not allow the action.
    case notPossible(InvalidTransition)
    /// The value of a won deal is in another currency than the program's.
    case valueCurrency
    /// `follow_up_at` is not in the future.
    case followUpNotLater
    /// `referred_at` is in the future.
    case referredLater
    /// It breaks rules of the program about what a referral is.
    case notValid(rules: [LeadRule])
    /// Of the program's checklist too little is answered with yes.
    case checklistIncomplete(missing: [QualificationTerms.ChecklistItem], minimum: Int64)
    /// The lead that it is attached to is no opportunity of the program.
    case notAnOpportunity

    /// The member that names something unknown.
    public enum Reference: String, Sendable, CaseIterable {
        case program = "program_id"
        case participant = "participant_id"
    }
}

/// What becomes of a new lead.
public enum Admission: Sendable, Equatable {
    case submitted
    /// An earlier lead of the program is for the same prospect (R96).
    case duplicate(of: LeadID, by: QualificationTerms.DuplicateKey)
    /// It breaks a rule, in a program that does not take such leads.
    case invalid(LeadRule)
    case spam

    public var state: Lead.State {
        switch self {
        case .submitted: .submitted
        case .duplicate: .duplicate
        case .invalid: .disqualified
        case .spam: .spam
        }
    }

    /// The rule that decided.
    public var reasonCode: String? {
        switch self {
        case .submitted: nil
        case .duplicate(_, let key): "same_\(key.rawValue)"
        case .invalid(let rule): rule.rawValue
        case .spam: "honeypot"
        }
    }
}

/// Decisions about leads: pure, without clock or storage.
public enum LeadRules {
    /// The same fields posted again within this time are one lead.
    public static let samePostMilliseconds: Int64 = 600_000

    /// What becomes of a new lead: nothing is dropped, but a robot's and a second one are kept
    /// apart.
    public static func admit(
        isHoneypotFilled: Bool, earlier: EarlierLead?, broken: [LeadRule] = [],
        terms: QualificationTerms = QualificationTerms()
    ) -> Admission {
        if isHoneypotFilled { return .spam }
        if let earlier { return .duplicate(of: earlier.lead, by: earlier.key) }
        if terms.disqualifiesInvalid, let rule = broken.first { return .invalid(rule) }
        return .submitted
    }

    /// 16 bytes of the posted fields, each with its name, spaces around it and empty ones left out.
    public static func formDigest(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in fields.sorted(by: { ($0.name, $0.value) < ($1.name, $1.value) }) {
            for part in [name, value] {
                bytes += "\(part.utf8.count):".utf8
                bytes += part.utf8
            }
        }
        return Array(SHA256.hash(bytes).prefix(16))
    }

    /// The lead after `move` at `now`, one version on, and the steps to tell. A win without an
    /// opportunity passes through it at the same instant, so that the rates between stages hold.
    public static func moved(
        _ lead: Lead, by move: LeadMove, programCurrency: Currency,
        terms: QualificationTerms = QualificationTerms(), at now: Instant
    ) throws(LeadRefusal) -> LeadChange {
        let target: Lead.State
        do {
            target = try lead.state.moved(by: move.action)
        } catch {
            throw .notPossible(error)
        }
        var lead = lead
        var steps = [LeadStep(move, from: lead.state, to: target)]
        lead.followUpAt = nil
        lead.reasonCode = nil
        lead.reason = nil
        switch move {
        case .qualify:
            try checkQualified(lead, terms, at: now)
            lead.qualifiedAt = now
        case .qualifyAnyway(let reason):
            try checkChecklist(lead, terms)
            lead.brokenRules = brokenRules(lead, stillWithin: terms, at: now)
            lead.qualifiedAt = now
            lead.reasonCode = "override"
            lead.reason = reason
        case .attach(let opportunity, let reason):
            lead.duplicateOf = opportunity
            lead.reasonCode = "attached"
            lead.reason = reason
        case .advance:
            break
        case .disqualify(let code, let reason):
            lead.reasonCode = code
            lead.reason = reason
        case .lose(let code, let reason):
            lead.reasonCode = code
            lead.reason = reason
        case .win(let value):
            if let value, value.currency != programCurrency { throw .valueCurrency }
            lead.wonValue = value
            lead.wonAt = now
            if lead.state == .qualified {
                steps = [
                    LeadStep(.advance, from: .qualified, to: .opportunity),
                    LeadStep(move, from: .opportunity, to: target),
                ]
            }
        case .nurture(let until, let reason):
            guard until > now else { throw .followUpNotLater }
            lead.followUpAt = until
            lead.reason = reason
        case .reopen(let code, let reason):
            lead.reasonCode = code
            lead.reason = reason
            lead.qualifiedAt = nil
            lead.duplicateOf = nil
        }
        lead.state = target
        lead.steppedAt = now
        lead.version += 1
        lead.updatedAt = now
        return LeadChange(lead: lead, steps: steps)
    }

    private static func checkQualified(
        _ lead: Lead, _ terms: QualificationTerms, at now: Instant
    ) throws(LeadRefusal) {
        let broken = brokenRules(lead, stillWithin: terms, at: now)
        if !broken.isEmpty { throw .notValid(rules: broken) }
        try checkChecklist(lead, terms)
    }

    private static func checkChecklist(
        _ lead: Lead, _ terms: QualificationTerms
    ) throws(LeadRefusal) {
        let missing = terms.checklist.filter { lead.checklist[$0] != true }
        let confirmed = terms.checklist.count - missing.count
        if confirmed < terms.checklistMinimum, !missing.isEmpty {
            throw .checklistIncomplete(missing: missing, minimum: terms.checklistMinimum)
        }
    }

    /// Whether the job that wakes a lead finds it still asleep, and its time come.
    public static func isFollowUpDue(_ lead: Lead, at now: Instant) -> Bool {
        guard lead.state == .nurture, let due = lead.followUpAt else { return false }
        return due <= now
    }
}

extension LeadStep {
    init(_ move: LeadMove, from: Lead.State, to: Lead.State) {
        if case .reopen = move {
            self.init(eventType: "lead.reopened", from: from, to: to)
        } else {
            self.init(eventType: "lead.\(to.rawValue)", from: from, to: to)
        }
    }
}
