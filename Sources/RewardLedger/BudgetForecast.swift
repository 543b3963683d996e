import Database
import Model

/// What a program owes, by when it falls due.
public struct BudgetForecast: Sendable, Equatable {
    public struct Sum: Sendable, Equatable {
        public var amount: Int64 = 0
        public var count: Int64 = 0

        public init(amount: Int64 = 0, count: Int64 = 0) {
            self.amount = amount
            self.count = count
        }

        mutating func add(_ more: Int64) {
            guard more > 0 else { return }
            amount += more
            count += 1
        }
    }

    /// Approved and not with the provider, less what the same participant owes back; how many
    /// participants are to be paid.
    public private(set) var dueNow = Sum()
    /// In payouts whose outcome is open; to how many participants.
    public private(set) var withProvider = Sum()
    /// Paid for what was taken back; by how many participants.
    public private(set) var owedBack = Sum()
    /// Waits for a person; how many rewards.
    public private(set) var review = Sum()
    /// On hold, by the month in which the hold ends; how many rewards.
    public private(set) var months: [(month: CalendarPeriod, sum: Sum)] = []

    private let zone: TimeZone

    public init(in zone: TimeZone = .utc) { self.zone = zone }

    public static func == (left: BudgetForecast, right: BudgetForecast) -> Bool {
        left.dueNow == right.dueNow && left.withProvider == right.withProvider
            && left.owedBack == right.owedBack && left.review == right.review
            && left.months.elementsEqual(right.months) { $0.month == $1.month && $0.sum == $1.sum }
    }

    /// Adds what is due to one participant.
    mutating func add(_ balance: ParticipantBalance) {
        dueNow.add(balance.available - balance.clawbackOwed)
        withProvider.add(balance.inPayout)
        owedBack.add(balance.clawbackOwed)
    }

    /// Adds a reward that waits.
    mutating func add(_ state: Reward.State, _ amount: Int64, holdUntil: Instant) {
        guard amount > 0, state == .pending else {
            if state == .review { review.add(amount) }
            return
        }
        let month = CalendarPeriod(.month, containing: holdUntil, in: zone)
        guard let place = months.firstIndex(where: { $0.month == month }) else {
            let later = months.firstIndex { $0.month.start > month.start } ?? months.count
            months.insert((month, Sum(amount: amount, count: 1)), at: later)
            return
        }
        months[place].sum.add(amount)
    }
}

extension RewardStore {
    /// What is owed of the program's rewards in its currency, and when it falls due: what waits, by
    /// the rewards; what is due and owed back, by the accounts of each participant.
    public static func owed(
        in program: ProgramID, _ currency: Currency, _ zone: TimeZone, _ reader: Reader
    ) throws -> BudgetForecast {
        var forecast = BudgetForecast(in: zone)
        try reader.forEach(
            """
            SELECT state, amount - reversed_amount + clawback_amount - settled_amount, hold_until
            FROM rewards
            WHERE state IN ('pending', 'review') AND program_id = ? AND kind <> 'points'
            """, program
        ) { row in
            guard let state = try Reward.State(rawValue: row.text(0)) else { return }
            try forecast.add(state, row.int64(1), holdUntil: row.instant(2))
        }
        for balance in try JournalStore.balances(in: program, currency, reader) {
            forecast.add(balance)
        }
        return forecast
    }
}
