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

    /// What a rule waits for, as the API names it.
    public enum TriggerName: String, Sendable, CaseIterable {
        case leadQualified = "lead.qualified"
        case leadWon = "lead.won"
        case conversion
    }

    /// What happened.
    public enum Trigger: Sendable, Equatable {
        case leadQualified
        case leadWon
        case conversion(kind: String)

        public var name: TriggerName {
            switch self {
            case .leadQualified: .leadQualified
            case .leadWon: .leadWon
            case .conversion: .conversion
            }
        }
    }

    /// Who is paid.
    public enum Recipient: String, Sendable, CaseIterable { case referrer }

    public enum Kind: String, Sendable, CaseIterable {
        case cash
        case accountCredit = "account_credit"
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

/// The part of a rule that decides about money.
public struct RewardTerms: Sendable, Equatable {
    /// How much.
    public enum Rate: Sendable, Equatable {
        case flat(Money)
        /// Ten-thousandths of the credited amount, 1 to 10,000, and never more than `atMost`.
        case basisPoints(Int64, atMost: Money?)
    }

    public let trigger: RewardRule.TriggerName
    public let recipient: RewardRule.Recipient
    public let kind: RewardRule.Kind
    public let rate: Rate
    /// Conversions of these kinds only; nil: of every kind.
    public let conversionKinds: [String]?

    public init(
        trigger: RewardRule.TriggerName, recipient: RewardRule.Recipient, kind: RewardRule.Kind,
        rate: Rate, conversionKinds: [String]?
    ) {
        self.trigger = trigger
        self.recipient = recipient
        self.kind = kind
        self.rate = rate
        self.conversionKinds = conversionKinds
    }

    /// As stored with the rule, in its versions, and with every reward it made.
    public var json: JSONValue {
        var object: JSONObject = [
            "trigger": .string(trigger.rawValue), "recipient": .string(recipient.rawValue),
            "kind": .string(kind.rawValue), "amount": .null, "basis_points": .null,
            "max_amount": .null,
            "conversion_kinds": conversionKinds.map { .array($0.map { .string($0) }) } ?? .null,
        ]
        switch rate {
        case .flat(let money): object["amount"] = money.stored
        case .basisPoints(let points, let most):
            object["basis_points"] = .integer(points)
            object["max_amount"] = most?.stored ?? .null
        }
        return .object(object)
    }

    /// Reads what `json` wrote. Nil when it is something else.
    public init?(json: JSONValue) {
        guard let object = json.objectValue,
            let trigger = object["trigger"]?.stringValue.flatMap(RewardRule.TriggerName.init),
            let recipient = object["recipient"]?.stringValue.flatMap(RewardRule.Recipient.init),
            let kind = object["kind"]?.stringValue.flatMap(RewardRule.Kind.init)
        else { return nil }
        let rate: Rate
        if let points = object["basis_points"]?.integerValue {
            rate = .basisPoints(points, atMost: Money(stored: object["max_amount"]))
        } else if let money = Money(stored: object["amount"]) {
            rate = .flat(money)
        } else {
            return nil
        }
        self.init(
            trigger: trigger, recipient: recipient, kind: kind, rate: rate,
            conversionKinds: object["conversion_kinds"]?.arrayValue?.compactMap(\.stringValue))
    }
}

extension Money {
    /// `{"amount": …, "currency": …}` in stored rules and explanations.
    var stored: JSONValue {
        ["amount": .integer(amount), "currency": .string(currency.code)]
    }

    init?(stored json: JSONValue?) {
        guard let object = json?.objectValue, let amount = object["amount"]?.integerValue,
            let currency = object["currency"]?.stringValue.flatMap({ Currency($0) })
        else { return nil }
        self.init(amount: amount, currency: currency)
    }
}
