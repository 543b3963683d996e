import JSON

/// What a program may spend on rewards in a period, and what happens beyond it (R173: the budget
/// for rewards is set by the quarter, and spending is held against it).
public struct BudgetTerms: Sendable, Equatable {
    /// What becomes of a reward for which too little is left.
    public enum Beyond: String, Sendable, CaseIterable {
        /// It is not granted; an event says so.
        case refuse
        /// It is granted, and a person decides about it.
        case review
        /// It is granted on the account of the next period that has room, and held until then.
        case queue
    }

    /// In minor units of the program's currency.
    public var amount: Int64
    public var period: CalendarPeriod.Length = .quarter
    public var beyond: Beyond = .review

    public init(amount: Int64) { self.amount = amount }

    /// Reads what `json` wrote, or a request's member; nil without an amount.
    public init?(json: JSONObject?) {
        let read = TermsReader(json)
        guard let amount = read.integer("amount") else { return nil }
        self.amount = amount
        period = read.choice("period") ?? period
        beyond = read.choice("beyond") ?? beyond
    }

    public var json: JSONValue {
        [
            "amount": .integer(amount), "period": .string(period.rawValue),
            "beyond": .string(beyond.rawValue),
        ]
    }
}

/// The most that rewards come to (R172: a program may limit how much one referrer earns), in minor
/// units of the program's currency; nil: no limit. What was taken back does not count.
public struct RewardLimits: Sendable, Equatable {
    public enum Name: String, Sendable, CaseIterable {
        case participantTotal = "participant_total"
        case participantYear = "participant_year"
        case participantQuarter = "participant_quarter"
        case participantMonth = "participant_month"
        /// For one referred customer, to all who earn by it together.
        case referee

        /// The calendar period it is counted by; nil: all time.
        public var period: CalendarPeriod.Length? {
            switch self {
            case .participantTotal, .referee: nil
            case .participantYear: .year
            case .participantQuarter: .quarter
            case .participantMonth: .month
            }
        }
    }

    public var most: [Name: Int64] = [:]

    public init() {}

    public init(json: JSONObject?) {
        let read = TermsReader(json)
        for name in Name.allCases { most[name] = read.integer(name.rawValue) }
    }

    /// Those that are set, in the order in which they cut.
    public var all: [(name: Name, most: Int64)] {
        Name.allCases.compactMap { name in most[name].map { (name, $0) } }
    }

    public var json: JSONValue {
        var object = JSONObject()
        for name in Name.allCases {
            object[name.rawValue] = most[name].map { .integer($0) } ?? .null
        }
        return .object(object)
    }
}
