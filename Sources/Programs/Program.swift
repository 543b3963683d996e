import JSON
import Model

/// A referral program: who refers, under which terms, in which currency.
public struct Program: Sendable {
    public enum Kind: String, Sendable, CaseIterable { case customer, partner, employee }

    public enum State: String, LifecycleState {
        case draft, active, paused, ended

        public enum Action: String, Sendable, CaseIterable { case activate, pause, end }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.activate, .draft), (.activate, .paused): .active
            case (.pause, .active): .paused
            case (.end, .active), (.end, .paused): .ended
            default: nil
            }
        }
    }

    public let id: ProgramID
    public var name: String
    public var kind: Kind
    public var state: State
    public var currency: Currency
    public var terms: ProgramTerms
    public var metadata: JSONObject
    /// Raised by every change; also the version of the rules.
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: ProgramID, name: String, kind: Kind, state: State, currency: Currency,
        terms: ProgramTerms, metadata: JSONObject, version: Int64, createdAt: Instant,
        updatedAt: Instant
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.state = state
        self.currency = currency
        self.terms = terms
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// The rules of a program that may change; every change is a new version, kept for good.
public struct ProgramTerms: Sendable, Equatable {
    /// Who gets the credit of a sale.
    public var attribution = AttributionTerms()
    /// By whose clocks its days, months and years are told; fixed once it is active.
    public var timeZone = TimeZone.utc {
        didSet { serviceLevels.zone = timeZone }
    }
    /// Days a reward waits before it is approved.
    public var holdDays: Int64
    /// Rewards of this many minor units or more are reviewed by a person; nil: none is.
    public var approvalThreshold: Int64?
    /// Where links lead that name no destination of their own.
    public var destination: WebURL?
    /// Where links lead that are off; nil: to `destination`.
    public var fallback: WebURL?
    /// The shop's own coupons: no participant's link can have one of them as its code.
    public var reservedCodes: [String] = []
    /// Where the referral form leads after a submission; nil: our own page.
    public var thankYou: WebURL?
    /// Origins whose pages may post the referral form, such as `https://www.example.com`.
    public var allowedOrigins: [String]
    /// Who may refer.
    public var eligibility = EligibilityTerms()
    /// What counts as a referral.
    public var qualification = QualificationTerms()
    /// Who works a lead.
    public var routing = RoutingTerms()
    /// How soon.
    public var serviceLevels = ServiceLevelTerms()
    /// How partners claim accounts, and against whose claims.
    public var registration = RegistrationTerms()
    public var protectionScope = ProtectionScope.instance
    /// What rewards may come to in a period; nil: any amount.
    public var budget: BudgetTerms?
    /// What the rewards of one participant may come to, by all rules together.
    public var rewardLimits = RewardLimits()
    /// When and from how much on participants are paid.
    public var payouts = PayoutTerms()
    /// What is done about what looks like fraud.
    public var fraud = FraudTerms()
    /// Who may say yes to money.
    public var approvals = ApprovalTerms()
    /// Days after its grant within which a paid reward is owed back when its lead turns out to be
    /// none; nil: it never is. Refunds have no such end.
    public var clawbackDays: Int64? = ProgramTerms.defaultClawbackDays

    public static let defaultClawbackDays: Int64 = 90

    public init(
        holdDays: Int64, approvalThreshold: Int64?, destination: WebURL?, fallback: WebURL?,
        thankYou: WebURL?, allowedOrigins: [String]
    ) {
        self.holdDays = holdDays
        self.approvalThreshold = approvalThreshold
        self.destination = destination
        self.fallback = fallback
        self.thankYou = thankYou
        self.allowedOrigins = allowedOrigins
    }

    /// The terms that hold money back, by their names on the wire: when a person looks at a reward,
    /// who says yes to it, and what rewards may come to.
    public static let controls = [
        "approval_threshold", "approvals", "budget", "fraud", "reward_limits",
    ]

    /// As stored with the program and in its versions.
    public var json: JSONValue {
        [
            "attribution": attribution.json, "time_zone": .string(timeZone.name),
            "hold_days": .integer(holdDays),
            "approval_threshold": approvalThreshold.map { .integer($0) } ?? .null,
            "destination_url": destination.map { .string($0.text) } ?? .null,
            "fallback_url": fallback.map { .string($0.text) } ?? .null,
            "thank_you_url": thankYou.map { .string($0.text) } ?? .null,
            "allowed_origins": .array(allowedOrigins.map { .string($0) }),
            "reserved_codes": .array(reservedCodes.map { .string($0) }),
            "eligibility": eligibility.json, "qualification": qualification.json,
            "routing": routing.json, "service_levels": serviceLevels.json,
            "registration": registration.json,
            "protection_scope": .string(protectionScope.rawValue), "payouts": payouts.json,
            "budget": budget?.json ?? .null, "reward_limits": rewardLimits.json,
            "fraud": fraud.json, "approvals": approvals.json,
            "clawback_days": clawbackDays.map { .integer($0) } ?? .null,
        ]
    }

    /// Reads what `json` wrote. Nil when it is something else.
    public init?(json: JSONValue) {
        guard let object = json.objectValue,
            let holdDays = object["hold_days"]?.integerValue,
            let origins = object["allowed_origins"]?.arrayValue
        else { return nil }
        func url(_ name: String) -> WebURL? { object[name]?.stringValue.flatMap { WebURL($0) } }
        self.init(
            holdDays: holdDays, approvalThreshold: object["approval_threshold"]?.integerValue,
            destination: url("destination_url"), fallback: url("fallback_url"),
            thankYou: url("thank_you_url"), allowedOrigins: origins.compactMap(\.stringValue))
        readSections(object)
    }

    /// Reads the sections of `object`; one that is absent has its defaults in a program of this
    /// kind.
    public mutating func readSections(
        _ object: JSONObject, for kind: Program.Kind = .customer
    ) {
        let read = TermsReader(object)
        attribution = AttributionTerms(json: read.nested("attribution"))
        eligibility = EligibilityTerms(json: read.nested("eligibility"), for: kind)
        qualification = QualificationTerms(json: read.nested("qualification"))
        routing = RoutingTerms(json: read.nested("routing"))
        serviceLevels = ServiceLevelTerms(json: read.nested("service_levels"))
        registration = RegistrationTerms(json: read.nested("registration"))
        protectionScope = read.choice("protection_scope") ?? .instance
        budget = BudgetTerms(json: read.nested("budget"))
        rewardLimits = RewardLimits(json: read.nested("reward_limits"))
        payouts = PayoutTerms(json: read.nested("payouts"))
        fraud = FraudTerms(json: read.nested("fraud"))
        approvals = ApprovalTerms(json: read.nested("approvals"))
        reservedCodes = object["reserved_codes"]?.arrayValue?.compactMap(\.stringValue) ?? []
        // Start-up refuses a database with a zone that this machine does not know.
        timeZone = read.text("time_zone").flatMap { TimeZone.named($0) } ?? .utc
        clawbackDays = object["clawback_days"].map(\.integerValue) ?? Self.defaultClawbackDays
    }
}
