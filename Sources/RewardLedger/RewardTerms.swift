import JSON
import Model

/// The part of a rule that decides about what is given: on which occasion, to whom, and how much.
public struct RewardTerms: Sendable, Equatable {
    /// How much.
    public enum Rate: Sendable, Equatable {
        case flat(Money)
        /// Ten-thousandths of the credited amount, 1 to 10,000; never less than `atLeast` of what
        /// is not nothing, and never more than `atMost`.
        case basisPoints(Int64, atLeast: Money? = nil, atMost: Money?)
    }

    /// The number of counted referrals that a rule with the trigger `milestone` waits for; it gives
    /// to a participant once.
    public struct Milestone: Sendable, Equatable {
        public let counts: ReferralCount.Event
        public let at: Int64

        public init(counts: ReferralCount.Event, at: Int64) {
            self.counts = counts
            self.at = at
        }
    }

    public let trigger: RewardRule.TriggerName
    public let recipient: RewardRule.Recipient
    public let kind: RewardRule.Kind
    /// Nil where the tiers say how much, or where it is not an amount of money.
    public let rate: Rate?
    public var tiers: RewardTiers?
    /// Conversions of these kinds only; nil: of every kind.
    public let conversionKinds: [String]?
    /// Participants of these kinds, and of these segments, only; nil: everybody.
    public var participantKinds: [String]?
    public var segments: [String]?
    /// Sales of these products only; nil: of all.
    public var products: [String]?
    /// To so many referrals, those that come first (R161); nil: to all.
    public var first: Int64?
    /// Sales within so many months from the customer's first credited one only (R20: commission of
    /// the first year).
    public var firstMonths: Int64?
    public var milestone: Milestone?
    /// How often; nil: once on each occasion, or, with a milestone, once for each participant.
    public var oncePer: OncePer?
    /// For whose sales and leads; nil: for everybody's.
    public var customers: Customers?
    /// Smaller sales give nothing, as they were recorded.
    public var minSale: Money?
    /// Days that what it gives waits; nil: as the program says.
    public var holdDays: Int64?
    /// The rule whose place it takes; what that one gave once for a customer is given.
    public var replaces: RewardRuleID?
    /// The most that this rule gives.
    public var limits = RewardLimits()
    /// What it gives beside money, or instead.
    public var gift = Gift()
    /// What its recipient may choose among, with the kind `choice`.
    public var choice = RewardChoice()

    public init(
        trigger: RewardRule.TriggerName, recipient: RewardRule.Recipient, kind: RewardRule.Kind,
        rate: Rate?, conversionKinds: [String]?
    ) {
        self.trigger = trigger
        self.recipient = recipient
        self.kind = kind
        self.rate = rate
        self.conversionKinds = conversionKinds
    }

    /// Whether what it gives is a reward, posted to the journal. Everything else is a benefit.
    public var isReward: Bool { isMoney || (recipient == .referrer && kind == .points) }

    /// Whether it is a reward in money.
    public var isMoney: Bool {
        recipient == .referrer && (kind == .cash || kind == .accountCredit || kind == .choice)
    }

    /// What a rule without tiers gives: its rate, or its points.
    var baseRate: Rate? {
        rate ?? gift.points.map { .flat(Money(amount: $0, currency: .points)) }
    }

    /// As stored with the rule, in its versions, and with every reward it made.
    public var json: JSONValue {
        var object: JSONObject = [
            "trigger": .string(trigger.rawValue), "recipient": .string(recipient.rawValue),
            "kind": .string(kind.rawValue), "amount": .null, "basis_points": .null,
            "min_amount": .null, "max_amount": .null, "conversion_kinds": texts(conversionKinds),
        ]
        if let rate { object.set(rate) }
        object["tiers"] = tiers?.json
        if participantKinds != nil { object["participant_kinds"] = texts(participantKinds) }
        if segments != nil { object["segments"] = texts(segments) }
        if products != nil { object["products"] = texts(products) }
        object["first"] = first.map { .integer($0) }
        object["first_months"] = firstMonths.map { .integer($0) }
        if let milestone {
            object["milestone"] = [
                "counts": .string(milestone.counts.rawValue), "at": .integer(milestone.at),
            ]
        }
        if !limits.all.isEmpty { object["limits"] = limits.json }
        object.set(gift)
        setConditions(&object)
        if !choice.kinds.isEmpty { object["choices"] = texts(choice.kinds.map(\.rawValue)) }
        object["choose_within_days"] = choice.withinDays.map { .integer($0) }
        return .object(object)
    }

    private func texts(_ list: [String]?) -> JSONValue {
        list.map { .array($0.map { .string($0) }) } ?? .null
    }

    /// Reads what `json` wrote. Nil when it is something else.
    public init?(json: JSONValue) {
        guard let object = json.objectValue,
            let trigger = object["trigger"]?.stringValue.flatMap(RewardRule.TriggerName.init),
            let recipient = object["recipient"]?.stringValue.flatMap(RewardRule.Recipient.init),
            let kind = object["kind"]?.stringValue.flatMap(RewardRule.Kind.init)
        else { return nil }
        let read = TermsReader(object)
        self.init(
            trigger: trigger, recipient: recipient, kind: kind, rate: Rate(stored: object),
            conversionKinds: read.texts("conversion_kinds"))
        tiers = RewardTiers(json: object["tiers"])
        participantKinds = read.texts("participant_kinds")
        segments = read.texts("segments")
        products = read.texts("products")
        first = read.integer("first")
        firstMonths = read.integer("first_months")
        if let stone = object["milestone"]?.objectValue, let at = stone["at"]?.integerValue,
            let counts: ReferralCount.Event = TermsReader(stone).choice("counts")
        {
            milestone = Milestone(counts: counts, at: at)
        }
        limits = RewardLimits(json: read.nested("limits"))
        gift = Gift(read, value: Money(stored: object["value"]))
        readConditions(read, minSale: Money(stored: object["min_sale"]))
        choice = RewardChoice(read)
        guard rate != nil || tiers != nil || gift.isSomething else { return nil }
    }
}

extension RewardTerms.Rate {
    /// Reads the members that `JSONObject.set` wrote.
    init?(stored object: JSONObject) {
        if let points = object["basis_points"]?.integerValue {
            self = .basisPoints(
                points, atLeast: Money(stored: object["min_amount"]),
                atMost: Money(stored: object["max_amount"]))
        } else if let money = Money(stored: object["amount"]) {
            self = .flat(money)
        } else {
            return nil
        }
    }

    /// Every amount in it.
    var amounts: [Money] {
        switch self {
        case .flat(let money): [money]
        case .basisPoints(_, let least, let most): [least, most].compactMap { $0 }
        }
    }
}

extension JSONObject {
    /// `amount`, or `basis_points` with what bounds them.
    mutating func set(_ rate: RewardTerms.Rate) {
        switch rate {
        case .flat(let money): self["amount"] = money.stored
        case .basisPoints(let points, let least, let most):
            self["basis_points"] = .integer(points)
            self["min_amount"] = least?.stored ?? .null
            self["max_amount"] = most?.stored ?? .null
        }
    }
}

extension Money {
    /// `{"amount": …, "currency": …}` in stored rules and explanations.
    var stored: JSONValue {
        ["amount": .integer(amount), "currency": .string(currency.code)]
    }

    init?(stored json: JSONValue?) {
        guard let object = json?.objectValue, let amount = object["amount"]?.integerValue,
            let currency = object["currency"]?.stringValue.flatMap({ Currency(stored: $0) })
        else { return nil }
        self.init(amount: amount, currency: currency)
    }
}
