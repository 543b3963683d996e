import Database
import Model

/// What a program promised about a reward, and by when (R166, R167).
public struct RewardClock: Sendable, Equatable {
    public enum Promise: String, Sendable, CaseIterable {
        /// That it is approved and in the participant's balance.
        case credit
        /// That it is paid.
        case payment
    }

    public let reward: RewardID
    public let program: ProgramID
    public let participant: ParticipantID
    public let promise: Promise
    public let dueAt: Instant
}

/// Decisions about the times of rewards: pure.
public enum RewardClockRules {
    /// What is promised for a new reward: one for a step of a lead is credited within business
    /// days, one for a win or a sale is paid within days. The time counts from the end of the hold,
    /// which is itself a published condition, and else no program that waits for returns (R176)
    /// could keep its promise. Points are redeemed when the participant likes: only their credit is
    /// promised.
    public static func clock(of reward: Reward, _ terms: ServiceLevelTerms) -> RewardClock? {
        let promise: RewardClock.Promise
        let dueAt: Instant
        switch reward.trigger {
        case .leadSubmitted, .leadQualified, .leadOpportunity, .milestone:
            promise = .credit
            dueAt = terms.calendar.adding(terms.creditBusinessDays, to: reward.holdUntil)
        case .leadWon, .conversion, .signup, .purchase, .renewal, .upsell:
            if reward.kind == .points { return nil }
            promise = .payment
            dueAt = reward.holdUntil.advanced(byDays: Int(clamping: terms.payDays))
        }
        guard !isOver(promise, in: reward.state) else { return nil }
        return RewardClock(
            reward: reward.id, program: reward.program, participant: reward.participant,
            promise: promise, dueAt: dueAt)
    }

    /// Whether the promise was kept, or there is nothing left to keep.
    public static func isOver(_ promise: RewardClock.Promise, in state: Reward.State) -> Bool {
        switch state {
        case .pending, .review: false
        case .approved: promise == .credit
        case .paid, .rejected, .voided, .clawedBack: true
        }
    }
}

/// All SQL of rewards' clocks. Only what is still to be done has a row.
public enum RewardClockStore {
    static func start(_ clock: RewardClock, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO reward_clocks (reward_id, program_id, participant_id, promise, due_at)
            VALUES (?, ?, ?, ?, ?)
            """, clock.reward, clock.program, clock.participant, clock.promise.rawValue,
            clock.dueAt)
    }

    static func stop(_ reward: RewardID, _ tx: Transaction) throws {
        try tx.run("DELETE FROM reward_clocks WHERE reward_id = ?", reward)
    }

    /// The clock that runs for the reward.
    public static func running(_ reward: RewardID, _ reader: Reader) throws -> RewardClock? {
        try reader.first(
            """
            SELECT reward_id, program_id, participant_id, promise, due_at FROM reward_clocks
            WHERE reward_id = ?
            """, reward, map: clock)
    }

    /// Clocks that have run out by `now`, the longest overdue first.
    public static func overdue(
        at now: Instant, promise: RewardClock.Promise?, program: ProgramID?, limit: Int,
        _ reader: Reader
    ) throws -> [RewardClock] {
        var query = Query(
            """
            SELECT reward_id, program_id, participant_id, promise, due_at FROM reward_clocks
            WHERE due_at <= ?
            """, now)
        if let promise { query.append(" AND promise = ?", promise.rawValue) }
        if let program { query.append(" AND program_id = ?", program) }
        query.append(" ORDER BY due_at, reward_id LIMIT ?", Int64(limit))
        return try reader.all(query, map: clock)
    }

    /// How many clocks of each kind have run out, counted up to 10,000 in all.
    public static func overdueCounts(
        at now: Instant, _ reader: Reader
    ) throws -> [RewardClock.Promise: Int64] {
        var counts: [RewardClock.Promise: Int64] = [:]
        try reader.forEach(
            """
            SELECT promise, count(*) FROM (
                SELECT promise FROM reward_clocks WHERE due_at <= ? ORDER BY due_at LIMIT 10000)
            GROUP BY promise
            """, now
        ) { row in
            if let promise = try RewardClock.Promise(rawValue: row.text(0)) {
                counts[promise] = try row.int64(1)
            }
        }
        return counts
    }

    private static func clock(_ row: Row) throws -> RewardClock {
        try RewardClock(
            reward: row.id(0), program: row.id(1), participant: row.id(2),
            promise: RewardClock.Promise(rawValue: row.text(3)) ?? .payment, dueAt: row.instant(4))
    }
}
