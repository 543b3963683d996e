import Database
import Model
import Records

/// What rewards come to: the sums that limits and budgets are held against.
extension RewardStore {
    /// What still counts of the participant's rewards in `period`, by one rule or by all.
    static func earned(
        by participant: ParticipantID, rule: RewardRuleID?, in period: Range<Instant>?,
        _ reader: Reader
    ) throws -> Int64 {
        var query = Query(
            """
            SELECT coalesce(sum(amount - reversed_amount), 0) FROM rewards WHERE participant_id = ?
            """, participant)
        if let rule { query.append(" AND rule_id = ?", rule) }
        if let period {
            query.append(
                " AND counts_at >= ? AND counts_at < ?", period.lowerBound, period.upperBound)
        }
        return try reader.integer(query) ?? 0
    }

    /// What still counts of all rewards for one referred person, who may be several customers, by
    /// one rule or by all; without those that the rule `own.rule` gave for the sale `own.sale`.
    static func earned(
        for person: [CustomerID], rule: RewardRuleID?,
        except own: (rule: RewardRuleID, sale: ConversionID)?, _ reader: Reader
    ) throws -> Int64 {
        var query = Query(
            """
            SELECT coalesce(sum(amount - reversed_amount), 0) FROM rewards WHERE customer_id IN
            """)
        query.appendList(person)
        if let rule { query.append(" AND rule_id = ?", rule) }
        if let own {
            query.append(" AND NOT (rule_id = ?", own.rule)
            query.append(" AND conversion_id IS ?)", own.sale)
        }
        return try reader.integer(query) ?? 0
    }

    /// The rewards of its participant by its rule that were granted after `reward`, oldest first.
    static func earned(after reward: Reward, _ reader: Reader) throws -> [Reward] {
        var filter = Filter()
        filter.participant = reward.participant
        filter.rule = reward.rule
        return Array(try all(filter, reader).drop { $0.id != reward.id }.dropFirst())
    }

    /// The participant's rewards by the rule of which anything still counts, oldest first.
    static func standing(
        _ rule: RewardRuleID, of participant: ParticipantID, in period: Range<Instant>?,
        _ reader: Reader
    ) throws -> [Reward] {
        var filter = Filter()
        filter.participant = participant
        filter.rule = rule
        return try all(filter, reader).filter { reward in
            reward.netAmount > 0 && period?.contains(reward.countsAt) != false
        }
    }

    /// What rewards of the program come to in a period: kept as a counter for each month.
    public static func reserved(
        in program: ProgramID, _ period: CalendarPeriod, _ reader: Reader
    ) throws -> Int64 {
        let names = Set(period.months.map(counterName))
        return try CounterStore.all(of: program, prefix: "rewards.reserved.", reader)
            .reduce(0) { names.contains($1.name) ? $0 + $1.value : $0 }
    }

    static func counterName(_ month: CalendarPeriod) -> String { "rewards.reserved.\(month.name)" }

    /// What is owed of the program's rewards and when it falls due: one row for each state and
    /// month in which a hold ends, for rewards that wait; without a month for the others.
    public static func owed(in program: ProgramID, _ reader: Reader) throws -> BudgetForecast {
        var forecast = BudgetForecast()
        try reader.forEach(
            """
            SELECT state, amount - reversed_amount + clawback_amount - settled_amount, hold_until
            FROM rewards WHERE state IN ('pending', 'review', 'approved') AND program_id = ?
            """, program
        ) { row in
            try forecast.add(row.text(0), row.int64(1), holdUntil: row.instant(2))
        }
        return forecast
    }
}

/// What a program owes, by when it falls due.
public struct BudgetForecast: Sendable, Equatable {
    public struct Sum: Sendable, Equatable {
        public var amount: Int64 = 0
        public var count: Int64 = 0
    }

    /// Approved, and not yet paid.
    public var approved = Sum()
    /// Waits for a person.
    public var review = Sum()
    /// On hold, by the month in which the hold ends.
    public private(set) var months: [(month: CalendarPeriod, sum: Sum)] = []

    public init() {}

    public static func == (left: BudgetForecast, right: BudgetForecast) -> Bool {
        left.approved == right.approved && left.review == right.review
            && left.months.elementsEqual(right.months) { $0.month == $1.month && $0.sum == $1.sum }
    }

    mutating func add(_ state: String, _ amount: Int64, holdUntil: Instant) {
        guard amount > 0 else { return }
        switch Reward.State(rawValue: state) {
        case .approved: approved.add(amount)
        case .review: review.add(amount)
        case .pending:
            let month = CalendarPeriod(.month, containing: holdUntil)
            guard let place = months.firstIndex(where: { $0.month == month }) else {
                let later = months.firstIndex { $0.month.start > month.start } ?? months.count
                months.insert((month, Sum(amount: amount, count: 1)), at: later)
                return
            }
            months[place].sum.add(amount)
        default: break
        }
    }
}

extension BudgetForecast.Sum {
    fileprivate mutating func add(_ more: Int64) {
        amount += more
        count += 1
    }
}
