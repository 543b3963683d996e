/// A month, quarter or year of the calendar in a time zone: what budgets and limits are counted by.
public struct CalendarPeriod: Sendable, Equatable {
    public enum Length: String, Sendable, CaseIterable {
        case month, quarter, year

        var months: Int64 {
            switch self {
            case .month: 1
            case .quarter: 3
            case .year: 12
            }
        }
    }

    public let length: Length
    public let zone: TimeZone
    /// Months since the beginning of the year 0.
    private let first: Int64

    public init(_ length: Length, containing instant: Instant, in zone: TimeZone) {
        let date = CivilDate(day: CivilDay.clamped(zone.day(of: instant)))
        let month = date.year * 12 + date.month - 1
        self.init(length, first: month - month % length.months, zone)
    }

    private init(_ length: Length, first: Int64, _ zone: TimeZone) {
        self.length = length
        self.first = first
        self.zone = zone
    }

    public var start: Instant { start(of: first) }

    /// The first instant after it.
    public var end: Instant { start(of: first + length.months) }

    public var next: CalendarPeriod { CalendarPeriod(length, first: first + length.months, zone) }

    /// Its months, in order.
    public var months: [CalendarPeriod] {
        (first..<first + length.months).map { CalendarPeriod(.month, first: $0, zone) }
    }

    /// `2026`, `2026-Q4` or `2026-11`.
    public var name: String {
        let (year, month) = (first / 12, first % 12 + 1)
        switch length {
        case .month: return "\(year)-\(month < 10 ? "0" : "")\(month)"
        case .quarter: return "\(year)-Q\((month + 2) / 3)"
        case .year: return "\(year)"
        }
    }

    private func start(of month: Int64) -> Instant {
        zone.startOfDay(CivilDate(year: month / 12, month: month % 12 + 1, dayOfMonth: 1).day)
    }
}

extension Instant {
    /// The same time of day `months` calendar months later; the last day of a shorter month where
    /// there is no such day.
    public func advanced(byMonths months: Int64) -> Instant {
        let date = CivilDate(day: CivilDay.clamped(day))
        let month = date.year * 12 + date.month - 1 + months
        let begin = CivilDate(year: month / 12, month: month % 12 + 1, dayOfMonth: 1)
        let length =
            CivilDate(year: (month + 1) / 12, month: (month + 1) % 12 + 1, dayOfMonth: 1).day
            - begin.day
        let target = begin.day + min(date.dayOfMonth, length) - 1
        return advanced(byDays: Int(clamping: target - day))
    }
}
