import JSON
import Model

/// What a program promises for one kind of occasion: to whom, what, and how much. Every change is a
/// new version, kept in `RuleVersionStore`; a reward names the version that made it.
public struct RewardRule: Sendable {
    public enum State: String, LifecycleState {
        case active, archived

        public enum Action: String, Sendable, CaseIterable { case archive }

        public func after(_ action: Action) -> State? { self == .active ? .archived : nil }
    }

    /// What a rule waits for, as the API names it (R145: different outcomes earn differently).
    public enum TriggerName: String, Sendable, CaseIterable {
        case leadSubmitted = "lead.submitted"
        case leadQualified = "lead.qualified"
        case leadOpportunity = "lead.opportunity"
        case leadWon = "lead.won"
        /// Any sale or sign-up.
        case conversion
        // A sale or sign-up of this kind.
        case signup, purchase, renewal, upsell
        /// The participant's counted referrals reach a number.
        case milestone
        /// A person gave it: no rule waits for that.
        case manual

        /// Those that a rule may wait for.
        public static let ofRules = allCases.filter { $0 != .manual }

        /// Whether it is about a sale or sign-up.
        public var isConversion: Bool {
            switch self {
            case .conversion, .signup, .purchase, .renewal, .upsell: true
            case .leadSubmitted, .leadQualified, .leadOpportunity, .leadWon, .milestone, .manual:
                false
            }
        }
    }

    /// What happened.
    public enum Trigger: Sendable, Equatable {
        case leadSubmitted
        case leadQualified
        case leadOpportunity
        case leadWon
        /// `wins`: it is what made the customer one that counts as won; see
        /// `ReferralCountStore.wins`.
        case conversion(kind: String, wins: Bool = false)

        /// As the reward names it.
        public var name: TriggerName {
            switch self {
            case .leadSubmitted: .leadSubmitted
            case .leadQualified: .leadQualified
            case .leadOpportunity: .leadOpportunity
            case .leadWon: .leadWon
            case .conversion: .conversion
            }
        }

        /// Every trigger of rules that this may set off.
        var names: [TriggerName] {
            var names = [name]
            if let kind = conversionKind.flatMap({ TriggerName(rawValue: $0) }) {
                names.append(kind)
            }
            if ReferralCount.Event(self) != nil { names.append(.milestone) }
            return names
        }

        var conversionKind: String? {
            if case .conversion(let kind, _) = self { kind } else { nil }
        }
    }

    /// Who gets it: who referred, or who was referred (R143, R144: both sides may get something,
    /// each by a rule of its own).
    public enum Recipient: String, Sendable, CaseIterable { case referrer, referee }

    public enum Kind: String, Sendable, CaseIterable {
        case cash
        case accountCredit = "account_credit"
        case discount
        case giftCard = "gift_card"
        case points
        case donation
        case perk
        /// One of several, as its recipient chooses.
        case choice
    }

    public let id: RewardRuleID
    public let program: ProgramID
    public var name: String?
    public var state: State
    public var terms: RewardTerms
    public var metadata: JSONObject
    /// Raised by every change.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: RewardRuleID, program: ProgramID, name: String?, state: State, terms: RewardTerms,
        metadata: JSONObject, version: Int64, createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.name = name
        self.state = state
        self.terms = terms
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
