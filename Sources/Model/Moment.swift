/// A time, or a day where a day is enough; the clocks of a zone say which instants a day is.
public enum Moment: Sendable, Equatable {
    case time(Instant)
    /// Counted from 1970-01-01.
    case day(Int64)

    /// Reads an RFC 3339 `date-time` or `full-date`.
    public init?(_ text: String) {
        if let day = CivilDay.parse(text) {
            self = .day(day)
        } else if let instant = Instant(rfc3339: text) {
            self = .time(instant)
        } else {
            return nil
        }
    }

    /// Where something begins: a day begins with its first instant.
    public func start(in zone: TimeZone) -> Instant {
        switch self {
        case .time(let instant): instant
        case .day(let day): zone.startOfDay(day)
        }
    }

    /// Where something ends that a day is part of: the first instant after it.
    public func end(in zone: TimeZone) -> Instant {
        switch self {
        case .time(let instant): instant
        case .day(let day): zone.startOfDay(day + 1)
        }
    }

    /// The first day that begins no earlier, where something ends: a day that a time lies within is
    /// in it, one that a time begins is not.
    public func dayAfter(in zone: TimeZone) -> Int64 {
        switch self {
        case .time(let instant): zone.day(of: instant.advanced(byMilliseconds: -1)) + 1
        case .day(let day): day + 1
        }
    }

    /// The day, or the one that the time lies within.
    public func day(in zone: TimeZone) -> Int64 {
        switch self {
        case .time(let instant): zone.day(of: instant)
        case .day(let day): day
        }
    }
}
