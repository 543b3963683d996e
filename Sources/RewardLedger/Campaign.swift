import JSON
import Model

/// A time in which a program gives more (R187: a double-reward month, a drive for an industry or a
/// country, the end of a quarter). A referral belongs to it by the date it came in (R189). Once it
/// has started it does not change any more; it can only be ended.
public struct Campaign: Sendable {
    public enum State: String, LifecycleState {
        case scheduled, active, ended

        public enum Action: String, Sendable, CaseIterable { case end }

        public func after(_ action: Action) -> State? { self == .ended ? nil : .ended }
    }

    /// What it makes of what a rule gives.
    public enum Effect: Sendable, Equatable {
        /// By ten-thousandths: 20,000 double it.
        case multiply(Int64)
        /// This amount in its place.
        case override(Money)
    }

    public let id: CampaignID
    public let program: ProgramID
    public var name: String
    public var state: State
    public var startsAt: Instant
    /// The first instant after it.
    public var endsAt: Instant
    public var effect: Effect
    /// Referrals of these industries and countries only; empty: of all.
    public var industries: [String]
    public var countries: [String]
    /// Sales of these products only; empty: of all, and leads.
    public var products: [String]
    /// For so many referrals, those that come first; nil: for all.
    public var first: Int64?
    /// What these rules give; empty: what all do.
    public var rules: [RewardRuleID]
    public var metadata: JSONObject
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: CampaignID, program: ProgramID, name: String, state: State = .scheduled,
        startsAt: Instant, endsAt: Instant, effect: Effect, industries: [String] = [],
        countries: [String] = [], products: [String] = [], first: Int64? = nil,
        rules: [RewardRuleID] = [], metadata: JSONObject = [:],
        version: Int64 = 1, createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.name = name
        self.state = state
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.effect = effect
        self.industries = industries
        self.countries = countries
        self.products = products
        self.first = first
        self.rules = rules
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// What decides, as stored with it and in its versions.
    var terms: JSONValue {
        var object: JSONObject = [
            "multiplier_basis_points": .null, "override_amount": .null,
            "industries": .array(industries.map { .string($0) }),
            "countries": .array(countries.map { .string($0) }),
            "products": .array(products.map { .string($0) }),
            "reward_rule_ids": .array(rules.map { .string($0.description) }),
        ]
        object["first"] = first.map { .integer($0) }
        switch effect {
        case .multiply(let points): object["multiplier_basis_points"] = .integer(points)
        case .override(let money): object["override_amount"] = money.stored
        }
        return .object(object)
    }

    /// The effect in what `terms` wrote.
    static func effect(_ terms: JSONObject) -> Effect? {
        if let points = terms["multiplier_basis_points"]?.integerValue { return .multiply(points) }
        return Money(stored: terms["override_amount"]).map { .override($0) }
    }
}
