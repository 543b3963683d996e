import Glibc

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, as stored and as compared.
public struct Instant: Hashable, Sendable, Comparable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z: what RFC 3339 can write.
    public static let representable: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    public func advanced(byMilliseconds distance: Int64) -> Instant {
        let (sum, overflow) = milliseconds.addingReportingOverflow(distance)
        guard !overflow else {
            return Instant(
                milliseconds: distance > 0
                    ? Instant.representable.upperBound : Instant.representable.lowerBound)
        }
        return Instant(
            milliseconds: min(
                max(sum, Instant.representable.lowerBound), Instant.representable.upperBound))
    }

    /// This instant `days` times 24 hours later (earlier when negative), kept within what can be
    /// written.
    public func advanced(byDays days: Int) -> Instant {
        let (distance, overflow) = Int64(days).multipliedReportingOverflow(by: 86_400_000)
        return advanced(byMilliseconds: overflow ? (days > 0 ? .max : .min) : distance)
    }

    /// The UTC day, counted from 1970-01-01.
    public var day: Int64 {
        milliseconds >= 0 ? milliseconds / 86_400_000 : (milliseconds - 86_399_999) / 86_400_000
    }

    /// The midnight UTC that begins its day.
    public var dayStart: Instant { Instant(milliseconds: day * 86_400_000) }

    /// The midnight UTC that it is or that comes next.
    public var nextMidnight: Instant {
        dayStart == self ? self : dayStart.advanced(byMilliseconds: 86_400_000)
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

/// Where the time comes from. `system` in the program; tests hand in their own.
public struct Clock: Sendable {
    private let read: @Sendable () -> Instant

    public init(_ read: @escaping @Sendable () -> Instant) { self.read = read }

    public func now() -> Instant { read() }

    /// CLOCK_REALTIME in milliseconds.
    public static let system = Clock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
