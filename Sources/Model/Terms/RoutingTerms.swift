import JSON

/// Who works a new lead (R117). Names of people are the operator's own: a login, a CRM id.
public struct RoutingTerms: Sendable, Equatable {
    public enum Policy: String, Sendable, CaseIterable {
        /// Nobody is named.
        case none
        /// The account executive of the referrer.
        case accountExecutive = "account_executive"
        /// Whose territory the prospect's country is.
        case territory
        /// The dedicated referral representatives in turn.
        case representatives
        /// Strategic referrals to the account executive, all others by territory.
        case hybrid
    }

    public struct Territory: Sendable, Equatable {
        /// ISO 3166-1 codes in upper case.
        public let countries: [String]
        public let owner: String

        public init(countries: [String], owner: String) {
            self.countries = countries
            self.owner = owner
        }
    }

    public var policy = Policy.none
    public var representatives: [String] = []
    public var territories: [Territory] = []
    /// Who gets what no other rule gives to anybody.
    public var fallback: String?
    /// What makes a referral strategic: the referrer's segment, or the prospect's size or value.
    public var strategicSegments: [String] = []
    public var strategicCompanySize: Int64?
    /// In minor units of the program's currency.
    public var strategicValue: Int64?

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        policy = read.choice("policy") ?? policy
        representatives = read.texts("representatives") ?? []
        territories = (read.list("territories") ?? []).compactMap { item in
            let territory = TermsReader(item.objectValue)
            guard let owner = territory.text("owner") else { return nil }
            let countries = territory.texts("countries") ?? []
            return Territory(countries: countries.map { $0.uppercased() }, owner: owner)
        }
        fallback = read.text("fallback")
        strategicSegments = read.texts("strategic_segments") ?? []
        strategicCompanySize = read.integer("strategic_company_size")
        strategicValue = read.integer("strategic_value")
    }

    public var json: JSONValue {
        [
            "policy": .string(policy.rawValue),
            "representatives": .array(representatives.map { .string($0) }),
            "territories": .array(
                territories.map { territory in
                    [
                        "countries": .array(territory.countries.map { .string($0) }),
                        "owner": .string(territory.owner),
                    ]
                }),
            "fallback": fallback.map { .string($0) } ?? .null,
            "strategic_segments": .array(strategicSegments.map { .string($0) }),
            "strategic_company_size": strategicCompanySize.map { .integer($0) } ?? .null,
            "strategic_value": strategicValue.map { .integer($0) } ?? .null,
        ]
    }
}

/// How soon a lead is looked at and its referrer told, and a reward credited and paid (R114, R115,
/// R165 to R167). A clock that is nil is off.
public struct ServiceLevelTerms: Sendable, Equatable {
    /// The clocks, which null switches off.
    public static let clocks = [
        "review_hours", "tell_qualified_hours", "tell_won_hours", "credit_business_days",
        "pay_days", "reward_target_days",
    ]

    /// From submission to the first decision.
    public var reviewHours: Int64? = 24
    /// From qualification, and from the win, until the referrer is told.
    public var tellQualifiedHours: Int64? = 24
    public var tellWonHours: Int64? = 48
    /// Until a reward for a qualified lead is credited, in business days (R166).
    public var creditBusinessDays: Int64? = 5
    /// Until a reward for a win or a sale is paid, in days of 24 hours (R167).
    public var payDays: Int64? = 30
    /// The target from the referral until a reward is paid, in days of 24 hours (R273); 0: none.
    public var rewardTargetDays: Int64 = 7
    /// Which days are no business days (R170): of the week, Monday is 1, and holidays as dates.
    public var weekendDays: [Int64] = [6, 7]
    public var holidays: [String] = []
    /// By whose clocks its days begin: the program's, which keeps it.
    public var zone = TimeZone.utc

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        reviewHours = read.integer("review_hours", unlessNull: reviewHours)
        tellQualifiedHours = read.integer("tell_qualified_hours", unlessNull: tellQualifiedHours)
        tellWonHours = read.integer("tell_won_hours", unlessNull: tellWonHours)
        creditBusinessDays = read.integer("credit_business_days", unlessNull: creditBusinessDays)
        payDays = read.integer("pay_days", unlessNull: payDays)
        rewardTargetDays = read.integer("reward_target_days", unlessNull: rewardTargetDays) ?? 0
        weekendDays = read.list("weekend_days")?.compactMap(\.integerValue) ?? weekendDays
        holidays = read.texts("holidays") ?? holidays
    }

    /// In days; nil: none.
    public var rewardTarget: Int64? { rewardTargetDays > 0 ? rewardTargetDays : nil }

    /// Whether a reward that is held for `holdDays` can be paid within the target, if it is earned
    /// with the referral itself; nil without a target.
    public func isTargetInReach(holdDays: Int64) -> Bool? { rewardTarget.map { holdDays < $0 } }

    /// The program's business days.
    public var calendar: BusinessCalendar {
        BusinessCalendar(
            weekend: Set(weekendDays), holidays: Set(holidays.compactMap { CivilDay.parse($0) }),
            zone: zone)
    }

    public var json: JSONValue {
        [
            "review_hours": reviewHours.map { .integer($0) } ?? .null,
            "tell_qualified_hours": tellQualifiedHours.map { .integer($0) } ?? .null,
            "tell_won_hours": tellWonHours.map { .integer($0) } ?? .null,
            "credit_business_days": creditBusinessDays.map { .integer($0) } ?? .null,
            "pay_days": payDays.map { .integer($0) } ?? .null,
            "reward_target_days": .integer(rewardTargetDays),
            "weekend_days": .array(weekendDays.map { .integer($0) }),
            "holidays": .array(holidays.map { .string($0) }),
        ]
    }
}
