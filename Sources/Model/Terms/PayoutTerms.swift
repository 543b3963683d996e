import JSON

/// When a program's participants are paid: how much is worth a payout, for how long drafts are
/// reviewed, and when they are made by themselves. A run keeps the terms that it was made under.
public struct PayoutTerms: Sendable, Equatable {
    /// When runs are made, as a day begins by the program's clocks.
    public struct Schedule: Sendable, Equatable {
        public enum Every: String, Sendable, CaseIterable { case none, weekly, monthly }

        public var every = Every.none
        /// Weekly: 1 is Monday, 7 is Sunday (ISO 8601). Monthly: 1 to 28, a day that every month
        /// has.
        public var day: Int64 = 1

        public init() {}

        /// Whether the day is one of the period's.
        public var isWhole: Bool {
            switch every {
            case .none: true
            case .weekly: (1...7).contains(day)
            case .monthly: (1...28).contains(day)
            }
        }

        /// The first due time after `instant`; nil when nothing is scheduled.
        public func next(after instant: Instant, in zone: TimeZone) -> Instant? {
            let today = zone.day(of: instant)
            // A period of 31 days has one of every weekday and of every day up to the 28th.
            return (today + 1...today + 31).first(where: isDue).map { zone.startOfDay($0) }
        }

        /// The day on which the period of `instant` began; nil when nothing is scheduled.
        public func period(of instant: Instant, in zone: TimeZone) -> Int64? {
            let today = zone.day(of: instant)
            return (today - 31...today).last(where: isDue)
        }

        private func isDue(_ civilDay: Int64) -> Bool {
            switch every {
            case .none: false
            // 1970-01-01 was a Thursday.
            case .weekly: ((civilDay + 3) % 7 + 7) % 7 + 1 == day
            case .monthly: CivilDate(day: civilDay).dayOfMonth == day
            }
        }
    }

    /// Minor units of the program's currency; what is below waits for a later run.
    public var minimum: Int64 = 0
    /// Days before a run's drafts can be submitted.
    public var reviewDays: Int64 = 0
    public var schedule = Schedule()

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        minimum = read.integer("minimum") ?? minimum
        reviewDays = read.integer("review_days") ?? reviewDays
        let nested = TermsReader(read.nested("schedule"))
        schedule.every = nested.choice("every") ?? schedule.every
        schedule.day = nested.integer("day") ?? schedule.day
    }

    public var json: JSONValue {
        [
            "minimum": .integer(minimum), "review_days": .integer(reviewDays),
            "schedule": ["every": .string(schedule.every.rawValue), "day": .integer(schedule.day)],
        ]
    }
}
