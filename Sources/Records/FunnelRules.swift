import Model

/// The arithmetic of the funnel: pure, without clock or storage.
public enum FunnelRules {
    /// Where a lead came from. Its own channel says it best, unless that only repeats the door it
    /// came through; then its link's does. The campaign is always the link's.
    public static func place(
        channel: String?, source: String?, link: LinkPlace?, referrer: String?
    ) -> FunnelPlace {
        let own = channel == source ? nil : channel
        return FunnelPlace(
            channel: own ?? link?.channel ?? channel ?? FunnelPlace.none,
            campaign: link?.campaign ?? FunnelPlace.none, source: source ?? FunnelPlace.none,
            referrer: referrer ?? FunnelPlace.none)
    }

    /// `count` in ten-thousandths of `previous`, rounded down; nil when there was nothing before.
    public static func rate(_ count: Int64, of previous: Int64) -> Int64? {
        guard previous > 0 else { return nil }
        return Int64(clamping: Int128(count) * 10_000 / Int128(previous))
    }

    /// The rate of `stage` to the stage before it.
    public static func rate(of stage: FunnelStage, in tally: FunnelTally) -> Int64? {
        guard let before = FunnelStage(rawValue: stage.rawValue - 1) else { return nil }
        return rate(tally[stage], of: tally[before])
    }

    /// The part that each has of the whole, in ten-thousandths that add up to 10 000; nil for all
    /// when there is no whole.
    public static func shares(of parts: [Int64]) -> [Int64?] {
        guard parts.contains(where: { $0 > 0 }) else { return parts.map { _ in nil } }
        return Apportionment.split(10_000, by: parts)
    }

    /// Sums put together by group: most leads first, then most clicks, then by name.
    public static func groups(
        _ sums: [FunnelSum]
    ) throws(MoneyError) -> [(key: String, tally: FunnelTally)] {
        var tallies: [String: FunnelTally] = [:]
        for sum in sums {
            // A campaign is one however its letters are cased.
            try tallies[sum.key.lowercased(), default: FunnelTally()].add(
                sum.count, amount: sum.amount, to: sum.stage)
        }
        return tallies.map { (key: $0.key, tally: $0.value) }.sorted { one, other in
            let (left, right) = (one.tally, other.tally)
            if left[.lead] != right[.lead] { return left[.lead] > right[.lead] }
            if left[.click] != right[.click] { return left[.click] > right[.click] }
            return one.key < other.key
        }
    }

    /// `sums` and, as a group of none, what of `all` is in none of them: of a report by UTM value,
    /// which not everything has.
    public static func completed(
        _ sums: [FunnelSum], of all: [FunnelSum]
    ) throws(MoneyError) -> [FunnelSum] {
        let (part, whole) = (try total(sums), try total(all))
        let rest = FunnelStage.allCases.compactMap { stage -> FunnelSum? in
            let amount =
                stage == .won
                ? whole.wonValue - part.wonValue
                : stage == .conversion ? whole.conversionAmount - part.conversionAmount : 0
            let count = whole[stage] - part[stage]
            guard count > 0 else { return nil }
            return FunnelSum(
                key: FunnelPlace.none, stage: stage, count: count, amount: max(0, amount))
        }
        return sums + rest
    }

    /// All sums together, whatever their group.
    public static func total(_ sums: [FunnelSum]) throws(MoneyError) -> FunnelTally {
        var total = FunnelTally()
        for sum in sums { try total.add(sum.count, amount: sum.amount, to: sum.stage) }
        return total
    }
}

/// The days of a report by the clocks of its program, counted from 1970-01-01; the last is not in
/// it.
public struct ReportPeriod: Sendable, Equatable {
    public let days: Range<Int64>
    public let zone: TimeZone

    /// How many days a report covers by default.
    public static let daysDefault: Int64 = 90

    /// From the day of `from` on, and with the day `to`; by default up to and with the day of
    /// `now`, and the 90 days before the end. Nil if nothing lies between.
    public init?(from: Moment?, to: Moment?, now: Instant, in zone: TimeZone) {
        let end = to?.dayAfter(in: zone) ?? zone.day(of: now) + 1
        let start = from?.day(in: zone) ?? end - ReportPeriod.daysDefault
        guard start < end else { return nil }
        days = start..<end
        self.zone = zone
    }

    /// The same as instants.
    public var instants: Range<Instant> {
        zone.startOfDay(days.lowerBound)..<zone.startOfDay(days.upperBound)
    }
}
