/// Which days are worked, for promises in business days (R170): days of a place without the
/// days of the weekend and without holidays. Pure.
public struct BusinessCalendar: Sendable, Equatable {
    /// ISO 8601: Monday is 1, Sunday is 7. Never all of them.
    public let weekend: Set<Int64>
    /// Days counted from 1970-01-01.
    public let holidays: Set<Int64>
    /// By whose clocks a day begins.
    public let zone: TimeZone

    public init(
        weekend: Set<Int64> = [6, 7], holidays: Set<Int64> = [], zone: TimeZone = .utc
    ) {
        self.zone = zone
        self.weekend = weekend.count < 7 ? weekend : []
        self.holidays = holidays
    }

    public func isWorked(_ day: Int64) -> Bool {
        !weekend.contains(BusinessCalendar.weekday(day)) && !holidays.contains(day)
    }

    /// The same time of day on the `count`-th business day after the day of `instant`, whether that
    /// one is worked or not: five days from a Saturday end on Friday.
    public func adding(_ count: Int64, to instant: Instant) -> Instant {
        let first = zone.day(of: instant)
        var day = first
        var left = count
        while left > 0, day < CivilDay.representable.upperBound {
            day += 1
            if isWorked(day) { left -= 1 }
        }
        return zone.advance(instant, byDays: day - first)
    }

    /// 1970-01-01 was a Thursday.
    static func weekday(_ day: Int64) -> Int64 {
        let fromMonday = (day + 3) % 7
        return (fromMonday < 0 ? fromMonday + 7 : fromMonday) + 1
    }
}
