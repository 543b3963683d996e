import JSON

/// Under which terms partners register deals in a program, and how long a deal is theirs. The terms
/// in force at a submission are pinned to it.
public struct RegistrationTerms: Sendable, Equatable {
    /// From when the protection period counts (R88).
    public enum Start: String, Sendable, CaseIterable { case approval, submission }

    /// Whether a valid claim is approved by the rules alone or by a person.
    public enum Approval: String, Sendable, CaseIterable { case manual, automatic }

    /// What shows a qualified opportunity and not merely a name (R80).
    public enum Evidence: String, Sendable, CaseIterable {
        case scheduledMeeting = "scheduled_meeting"
        case discoveryCall = "discovery_call"
        case budgetTalk = "budget_talk"
    }

    /// Days from submission within which a claim must be decided; then it lapses (R74).
    public var windowDays: Int64 = 90
    /// Days for which nobody else may claim the account (R75).
    public var protectionDays: Int64 = 90
    public var protectionStarts = Start.approval
    public var approval = Approval.manual
    /// Hours within which the operator decides; protection never starts later than that.
    public var decisionHours: Int64 = 72
    /// By how much an extension prolongs protection, and how many there can be (R76).
    public var extensionDays: Int64 = 30
    public var extensionsMax: Int64 = 1
    /// Days for which the old holder cannot claim an account again after it lapsed; 0: at once.
    public var coolOffDays: Int64 = 0
    /// The kinds of evidence that count, and how many different ones a claim needs.
    public var requiredEvidence: [Evidence] = []
    public var evidenceMinimum: Int64 = 0
    /// Whether a claim may be for a part of an account: a product, a region (R84).
    public var allowsParts = false
    /// Days within which a dispute is to be decided.
    public var disputeDays: Int64 = 14

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        windowDays = read.integer("window_days") ?? windowDays
        protectionDays = read.integer("protection_days") ?? protectionDays
        protectionStarts = read.choice("protection_starts") ?? protectionStarts
        approval = read.choice("approval") ?? approval
        decisionHours = read.integer("decision_hours") ?? decisionHours
        extensionDays = read.integer("extension_days") ?? extensionDays
        extensionsMax = read.integer("max_extensions") ?? extensionsMax
        coolOffDays = read.integer("cool_off_days") ?? coolOffDays
        requiredEvidence = read.choices("required_evidence") ?? requiredEvidence
        // One of those named is enough only where the program says so.
        evidenceMinimum = read.integer("evidence_minimum") ?? Int64(requiredEvidence.count)
        allowsParts = read.flag("allow_parts") ?? allowsParts
        disputeDays = read.integer("dispute_days") ?? disputeDays
    }

    public var json: JSONValue {
        [
            "window_days": .integer(windowDays), "protection_days": .integer(protectionDays),
            "protection_starts": .string(protectionStarts.rawValue),
            "approval": .string(approval.rawValue), "decision_hours": .integer(decisionHours),
            "extension_days": .integer(extensionDays), "max_extensions": .integer(extensionsMax),
            "cool_off_days": .integer(coolOffDays),
            "required_evidence": .array(requiredEvidence.map { .string($0.rawValue) }),
            "evidence_minimum": .integer(evidenceMinimum), "allow_parts": .bool(allowsParts),
            "dispute_days": .integer(disputeDays),
        ]
    }
}

/// Which programs' registrations protect an account against each other.
public enum ProtectionScope: String, Sendable, CaseIterable {
    /// Across all programs with this scope.
    case instance
    /// Within the program alone.
    case program
}
