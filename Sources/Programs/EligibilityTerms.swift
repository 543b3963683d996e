import JSON
import Model

/// Who may refer in a program (R2, R3). A fact that is not known breaks no rule, unless the program
/// says so.
public struct EligibilityTerms: Sendable, Equatable {
    /// The rules, in the order in which they are checked. Their names are what a refusal says.
    public enum Rule: String, Sendable, CaseIterable {
        case goodStanding = "good_standing"
        case accountAge = "account_age"
        case inCollections = "in_collections"
        case atRisk = "at_risk"
        case plan
        case active
        case relationship
        case openDispute = "open_dispute"

        /// Whether a participant may know that it breaks the rule: a fact about itself, and not
        /// what the operator thinks of it.
        public var isToldToParticipant: Bool {
            switch self {
            case .accountAge, .plan, .openDispute: true
            case .goodStanding, .inCollections, .atRisk, .active, .relationship: false
            }
        }
    }

    /// Days for which the participant's account must have existed; 0: any.
    public var accountDaysMin: Int64
    public var requiresGoodStanding = true
    public var excludesCollections = true
    public var excludesAtRisk = true
    public var excludedPlans: [ParticipantProfile.Plan]
    public var requiresActive = false
    public var requiresHealthyRelationship = false
    /// Not unless the program says so: else asking for a ruling would cost a partner all its other
    /// deals.
    public var excludesOpenDispute = false
    /// Whether a rule is broken too by what is not known.
    public var refusesUnknown = false

    /// With the defaults of a program of this kind: customers have been ones for a while and pay
    /// (R3), which nobody asks of partners and employees.
    public init(for kind: Program.Kind = .customer) {
        accountDaysMin = kind == .customer ? 90 : 0
        excludedPlans = kind == .customer ? [.trial] : []
    }

    /// Reads what `json` wrote, or a request's member; what is absent has its default in a program
    /// of this kind.
    public init(json: JSONObject?, for kind: Program.Kind = .customer) {
        self.init(for: kind)
        let read = TermsReader(json)
        accountDaysMin = read.integer("min_account_days") ?? accountDaysMin
        requiresGoodStanding = read.flag("require_good_standing") ?? requiresGoodStanding
        excludesCollections = read.flag("exclude_collections") ?? excludesCollections
        excludesAtRisk = read.flag("exclude_at_risk") ?? excludesAtRisk
        excludedPlans = read.choices("excluded_plans") ?? excludedPlans
        requiresActive = read.flag("require_active") ?? requiresActive
        requiresHealthyRelationship =
            read.flag("require_healthy_relationship") ?? requiresHealthyRelationship
        excludesOpenDispute = read.flag("exclude_open_dispute") ?? excludesOpenDispute
        refusesUnknown = read.flag("refuse_unknown") ?? refusesUnknown
    }

    public var json: JSONValue {
        [
            "min_account_days": .integer(accountDaysMin),
            "require_good_standing": .bool(requiresGoodStanding),
            "exclude_collections": .bool(excludesCollections),
            "exclude_at_risk": .bool(excludesAtRisk),
            "excluded_plans": .array(excludedPlans.map { .string($0.rawValue) }),
            "require_active": .bool(requiresActive),
            "require_healthy_relationship": .bool(requiresHealthyRelationship),
            "exclude_open_dispute": .bool(excludesOpenDispute),
            "refuse_unknown": .bool(refusesUnknown),
        ]
    }
}
