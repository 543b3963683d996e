import Database
import Model
import Records

/// All SQL of times to reward, changed in the transaction of what they are about. It also keeps the
/// counters of the metric, which only rise.
public enum RewardTimeStore {
    private static let counter = "reward_times."

    static func start<Kind>(
        _ time: RewardTime, of subject: Identifier<Kind>, approvedAt: Instant?, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO reward_times (
                subject_id, program_id, trigger_name, kind, referrer, referred_at, earned_at,
                approved_at, paid_at, target_at, credit_at, pay_at, promise, promised_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)
            """, subject, time.program, time.trigger.rawValue, time.kind.rawValue,
            time.referrer ?? FunnelPlace.none, time.referredAt, time.earnedAt, approvedAt,
            time.targetAt, time.creditAt, time.payAt, time.promised?.promise.rawValue,
            time.promised?.at)
    }

    /// Its recipient has chosen; nil leaves what was promised as it is.
    static func choose(
        _ kind: RewardRule.Kind, for reward: RewardID, _ promised: RewardTime.Promised?,
        _ tx: Transaction
    ) throws {
        try tx.run(
            """
            UPDATE reward_times SET kind = ?, promised_at = coalesce(?, promised_at)
            WHERE subject_id = ? AND paid_at IS NULL
            """, kind.rawValue, promised?.at, reward)
    }

    /// What has become of it; what happens after the first payment changes nothing.
    static func follow<Kind>(
        _ subject: Identifier<Kind>, approvedAt: Instant?, paidAt: Instant?, _ tx: Transaction
    ) throws {
        let referredAt = try tx.integer(
            """
            UPDATE reward_times SET approved_at = ?, paid_at = ?
            WHERE subject_id = ? AND paid_at IS NULL RETURNING referred_at
            """, approvedAt, paidAt, subject)
        guard let referredAt, let paidAt else { return }
        let seconds = RewardTimeRules.seconds(
            from: Instant(milliseconds: referredAt), to: paidAt)
        try CounterStore.add(
            1, to: counter + "bucket.\(RewardTimeRules.bucket(seconds))", tx)
        try CounterStore.add(seconds, to: counter + "seconds", tx)
    }

    /// It is not earned after all.
    static func remove<Kind>(_ subject: Identifier<Kind>, _ tx: Transaction) throws {
        try tx.run("DELETE FROM reward_times WHERE subject_id = ?", subject)
    }

    /// Everything that was paid or given on these days, with its group's name.
    public static func forEach(
        in program: ProgramID, _ period: ReportPeriod, by dimension: RewardTimeDimension,
        _ reader: Reader, body: (String, PaidRewardTime) throws -> Void
    ) throws {
        var query = Query("SELECT ")
        switch dimension {
        case .trigger: query.append("trigger_name")
        case .kind: query.append("kind")
        case .referrer: query.append("referrer")
        case .month: query.append("''")
        }
        let instants = period.instants
        query.append(
            """
            , referred_at, earned_at, approved_at, paid_at, target_at, credit_at, pay_at, promise,
                promised_at
            FROM reward_times WHERE program_id = ? AND paid_at >= ? AND paid_at < ?
            """, program, instants.lowerBound, instants.upperBound)
        try reader.forEach(query) { row in
            let promise = try row.optionalText(8).flatMap { RewardClock.Promise(rawValue: $0) }
            let promisedAt = try row.optionalInstant(9)
            let paidAt = try row.instant(4)
            let key =
                dimension == .month
                ? CalendarPeriod(.month, containing: paidAt, in: period.zone).name : try row.text(0)
            try body(
                key,
                PaidRewardTime(
                    referredAt: row.instant(1), earnedAt: row.instant(2),
                    approvedAt: row.optionalInstant(3), paidAt: paidAt,
                    targetAt: row.optionalInstant(5), creditAt: row.optionalInstant(6),
                    payAt: row.optionalInstant(7),
                    promised: promise.flatMap { promise in
                        promisedAt.map { RewardTime.Promised(promise: promise, at: $0) }
                    }))
        }
    }

    /// Whether more than a report reads was paid or given on these days.
    public static func isTooMuch(
        in program: ProgramID, _ period: ReportPeriod, _ reader: Reader
    ) throws -> Bool {
        let instants = period.instants
        return try reader.integer(
            """
            SELECT 1 FROM reward_times WHERE program_id = ? AND paid_at >= ? AND paid_at < ?
            LIMIT 1 OFFSET ?
            """, program, instants.lowerBound, instants.upperBound,
            Int64(RewardTimeRules.reportMost)) != nil
    }

    /// What is not yet paid or given at `now`.
    public static func waiting(
        in program: ProgramID, at now: Instant, _ reader: Reader
    ) throws -> WaitingRewards {
        try reader.first(
            """
            SELECT count(*), min(referred_at), coalesce(sum(target_at <= ?), 0) FROM reward_times
            WHERE program_id = ? AND paid_at IS NULL
            """, now, program
        ) { row in
            try WaitingRewards(
                count: row.int64(0), oldest: row.optionalInstant(1), beyondTarget: row.int64(2))
        } ?? WaitingRewards()
    }

    /// How many times were in each bucket of `RewardTimeRules.bounds` and beyond, and their sum in
    /// seconds; of the whole service, since counting began.
    public static func histogram(
        _ reader: Reader
    ) throws -> (counts: [UInt64], seconds: Int64) {
        let counters = Dictionary(
            uniqueKeysWithValues: try CounterStore.all(prefix: counter, reader).map {
                ($0.name, $0.value)
            })
        return (
            (0...RewardTimeRules.bounds.count).map {
                UInt64(clamping: counters[counter + "bucket.\($0)"] ?? 0)
            }, counters[counter + "seconds"] ?? 0
        )
    }
}
