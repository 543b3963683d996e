import Model

/// The arithmetic of times to reward: pure.
public enum RewardTimeRules {
    /// Rewards and benefits that one report reads.
    public static let reportMost = 200_000

    /// Upper bounds of the metric's buckets in seconds: an hour, then days.
    public static let bounds: [Int64] =
        [3_600] + [1, 2, 3, 5, 7, 14, 30, 60, 90, 180, 365].map { $0 * 86_400 }

    /// The way that begins when `participant` earns something of `kind` at `now`.
    ///
    /// It was referred when its lead was, else at the sale's first touch with credit, else with
    /// what earned it. What is earned was paid within business days of it (R168), within days
    /// (R167), and within days of the referral (R273): three limits, each kept by itself.
    static func begin(
        _ kind: RewardRule.Kind, for participant: ParticipantID, on occasion: RewardOccasion,
        at now: Instant
    ) -> RewardTime {
        let facts = occasion.facts
        let earnedAt = min(facts.soldAt ?? now, now)
        let referredAt = min(facts.touchedAt ?? facts.referredAt ?? earnedAt, earnedAt)
        var time = RewardTime(
            program: occasion.program, trigger: occasion.trigger.name, kind: kind,
            referrer: facts.participants[participant]?.kind, referredAt: referredAt,
            earnedAt: earnedAt)
        if let terms = occasion.serviceLevels {
            time.targetAt = terms.rewardTarget.map { referredAt.advanced(byDays: Int($0)) }
            time.creditAt = terms.creditBusinessDays.map {
                terms.calendar.adding($0, to: earnedAt)
            }
            time.payAt = terms.payDays.map { earnedAt.advanced(byDays: Int(clamping: $0)) }
        }
        return time
    }

    /// The way of a reward that counts again, from what it was told when it was granted.
    static func resumed(_ reward: Reward) -> RewardTime {
        let facts = reward.facts ?? RewardFacts()
        let earnedAt = min(facts.soldAt ?? reward.createdAt, reward.createdAt)
        return RewardTime(
            program: reward.program, trigger: reward.trigger, kind: reward.kind,
            referrer: reward.person?.kind,
            referredAt: min(facts.touchedAt ?? facts.referredAt ?? earnedAt, earnedAt),
            earnedAt: earnedAt)
    }

    /// Whole seconds, rounded down.
    public static func seconds(from start: Instant, to end: Instant) -> Int64 {
        max(0, end.milliseconds - start.milliseconds) / 1_000
    }

    /// Which bucket of `bounds` a time is in; the last one is that of everything longer.
    static func bucket(_ seconds: Int64) -> Int {
        bounds.firstIndex { seconds <= $0 } ?? bounds.count
    }

    /// The smallest of the values that `hundredths` of them do not exceed (nearest rank); nil
    /// without values.
    public static func percentile(_ hundredths: Int, of sorted: [Int64]) -> Int64? {
        guard !sorted.isEmpty else { return nil }
        return sorted[max(0, (sorted.count * hundredths + 99) / 100 - 1)]
    }

    /// Months in their order; else the largest groups first, then by name.
    public static func ordered(
        _ groups: [String: RewardTimeTally], by dimension: RewardTimeDimension
    ) -> [(key: String, tally: RewardTimeTally)] {
        groups.map { (key: $0.key, tally: $0.value) }.sorted { one, other in
            let (left, right) = (one.tally.whole.count, other.tally.whole.count)
            if dimension != .month, left != right { return left > right }
            return one.key < other.key
        }
    }

    /// Rounded down; nil without values.
    public static func mean(of values: [Int64]) -> Int64? {
        values.isEmpty ? nil : values.reduce(0, +) / Int64(values.count)
    }
}
