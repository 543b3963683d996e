import Platform

/// The clock of a place, by its name in the IANA database: which calendar day an instant falls on
/// there, and when a day begins. `UTC` is always known; every other name is read from the system's
/// zone files once, and kept.
public struct TimeZone: Sendable {
    public let name: String
    private let data: ZoneData?

    /// Coordinated Universal Time: the zone of what spans programs.
    public static let utc = TimeZone(name: "UTC", data: nil)

    private static let known = Locked<[String: TimeZone]>([:])

    /// The zone of this name; nil if this machine has no such zone file. Package `tzdata`.
    public static func named(_ name: String) -> TimeZone? {
        if name == utc.name { return utc }
        if let zone = known.withLock({ $0[name] }) { return zone }
        guard let data = ZoneFile.read(name).flatMap({ ZoneData($0) }) else { return nil }
        let zone = TimeZone(name: name, data: data)
        known.withLock { $0[name] = zone }
        return zone
    }

    init(name: String, data: ZoneData?) {
        self.name = name
        self.data = data
    }

    /// Seconds that its clocks are ahead of UTC.
    public func offset(at instant: Instant) -> Int64 {
        guard let data else { return 0 }
        let (quotient, remainder) = instant.milliseconds.quotientAndRemainder(dividingBy: 1000)
        return data.offset(at: remainder < 0 ? quotient - 1 : quotient)
    }

    /// The day that `instant` falls on there, counted from 1970-01-01.
    public func day(of instant: Instant) -> Int64 {
        guard data != nil else { return instant.day }
        return instant.advanced(byMilliseconds: offset(at: instant) * 1000).day
    }

    /// The first instant of a day. Where clocks are put forward over midnight, it is the instant of
    /// the change; where they are put back, the first instant that bears the day's date for good.
    public func startOfDay(_ day: Int64) -> Instant {
        guard day <= CivilDay.representable.upperBound else {
            return Instant(milliseconds: Instant.representable.upperBound)
        }
        let midnight = Instant.startOfDay(day)
        guard data != nil else { return midnight }
        let around = [-1, 0, 1].map { offset(at: midnight.advanced(byDays: $0)) * 1000 }
        var low = midnight.advanced(byMilliseconds: -(around.max() ?? 0))
        var high = midnight.advanced(byMilliseconds: -(around.min() ?? 0))
        func local(_ instant: Instant) -> Int64 {
            instant.milliseconds + offset(at: instant) * 1000
        }
        for offset in around.sorted(by: >) {
            let candidate = midnight.advanced(byMilliseconds: -offset)
            if local(candidate) == midnight.milliseconds { return candidate }
        }
        // Midnight does not exist: the clocks were put forward over it.
        while low < high {
            let middle = Instant(
                milliseconds: low.milliseconds &+ (high.milliseconds - low.milliseconds) / 2)
            if local(middle) < midnight.milliseconds {
                low = middle.advanced(byMilliseconds: 1)
            } else {
                high = middle
            }
        }
        return low
    }

    /// The same time of day `days` days later.
    public func advance(_ instant: Instant, byDays days: Int64) -> Instant {
        guard data != nil else { return instant.advanced(byDays: Int(clamping: days)) }
        let shift = offset(at: instant) * 1000
        return self.instant(
            ofLocal: instant.advanced(byMilliseconds: shift).advanced(byDays: Int(clamping: days)))
    }

    /// The same time of day `months` calendar months later; the last day of a shorter month where
    /// there is no such day.
    public func advance(_ instant: Instant, byMonths months: Int64) -> Instant {
        guard data != nil else { return instant.advanced(byMonths: months) }
        let shift = offset(at: instant) * 1000
        let local = instant.advanced(byMilliseconds: shift).advanced(byMonths: months)
        return self.instant(ofLocal: local)
    }

    /// The instant at which clocks show `local` (written as if it were UTC): the earlier of two,
    /// and where there is none, as much later as the clocks were put forward.
    private func instant(ofLocal local: Instant) -> Instant {
        let before = offset(at: local.advanced(byDays: -1)) * 1000
        let after = offset(at: local.advanced(byDays: 1)) * 1000
        for shift in [max(before, after), min(before, after)] {
            let candidate = local.advanced(byMilliseconds: -shift)
            if offset(at: candidate) * 1000 == shift { return candidate }
        }
        return local.advanced(byMilliseconds: -before)
    }
}

extension TimeZone: Hashable {
    public static func == (left: TimeZone, right: TimeZone) -> Bool { left.name == right.name }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
