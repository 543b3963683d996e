import Database
import Model

/// What a program promised about a reward or aims at, and by when (R166, R167, R273).
public struct RewardClock: Sendable, Hashable {
    public enum Promise: String, Sendable, CaseIterable {
        /// That it is approved and in the participant's balance.
        case credit
        /// That it is paid.
        case payment
        /// That it is paid soon after the referral, hold included: the program's own target, which
        /// nobody was promised.
        case target

        /// What somebody was promised.
        public static let promises: [Promise] = [.credit, .payment]
    }

    public let reward: RewardID
    public let program: ProgramID
    public let participant: ParticipantID
    public let promise: Promise
    public let dueAt: Instant
}

/// Decisions about the times of rewards: pure.
public enum RewardClockRules {
    /// What is promised for what `trigger` earns: a reward for a step of a lead is credited within
    /// business days, one for a win or a sale is paid within days. The time counts from the end of
    /// the hold, which is itself a published condition, and else no program that waits for returns
    /// (R176) could keep its promise; and from the choice, where the recipient had one. Points are
    /// redeemed when the participant likes: only their credit is promised.
    static func promised(
        of reward: Reward, chosenAt: Instant? = nil, _ terms: ServiceLevelTerms
    ) -> RewardTime.Promised? {
        switch reward.trigger {
        case .leadSubmitted, .leadQualified, .leadOpportunity, .milestone:
            terms.creditBusinessDays.map {
                RewardTime.Promised(
                    promise: .credit, at: terms.calendar.adding($0, to: reward.holdUntil))
            }
        // What a person gives was promised by nobody.
        case .manual: nil
        case .leadWon, .conversion, .signup, .purchase, .renewal, .upsell:
            reward.kind == .points
                ? nil
                : terms.payDays.map {
                    RewardTime.Promised(
                        promise: .payment,
                        at: max(reward.holdUntil, chosenAt ?? reward.holdUntil).advanced(
                            byDays: Int(clamping: $0)))
                }
        }
    }

    /// The clocks that run for a new reward.
    static func clocks(of reward: Reward, _ time: RewardTime) -> [RewardClock] {
        let target = time.targetAt.map { RewardTime.Promised(promise: .target, at: $0) }
        return clocks(of: reward, [time.promised, target].compactMap { $0 })
    }

    /// For what is not kept at once. Nobody can pay what its recipient has yet to choose about:
    /// that time counts from the choice.
    static func clocks(of reward: Reward, _ promises: [RewardTime.Promised]) -> [RewardClock] {
        promises.filter {
            !isOver($0.promise, of: reward)
                && !($0.promise == .payment && reward.kind == .choice)
        }.map {
            RewardClock(
                reward: reward.id, program: reward.program, participant: reward.participant,
                promise: $0.promise, dueAt: $0.at)
        }
    }

    /// Whether the promise was kept, or there is nothing left to keep: also when all of the reward
    /// was taken back while a payout holds it. Points have arrived with their credit.
    static func isOver(_ promise: RewardClock.Promise, of reward: Reward) -> Bool {
        guard reward.netAmount > 0 else { return true }
        return switch reward.state {
        case .pending, .review: false
        case .approved: promise == .credit || reward.kind == .points
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

    static func stop(_ clock: RewardClock, _ tx: Transaction) throws {
        try tx.run(
            "DELETE FROM reward_clocks WHERE reward_id = ? AND promise = ?", clock.reward,
            clock.promise.rawValue)
    }

    /// The clocks that run for the reward.
    public static func running(_ reward: RewardID, _ reader: Reader) throws -> [RewardClock] {
        try reader.all(
            """
            SELECT reward_id, program_id, participant_id, promise, due_at FROM reward_clocks
            WHERE reward_id = ?
            """, reward, map: clock)
    }

    /// Clocks that have run out by `now`, the longest overdue first; those of all promises, which a
    /// target is none of, unless told.
    public static func overdue(
        at now: Instant, promise: RewardClock.Promise?, program: ProgramID?, limit: Int,
        _ reader: Reader
    ) throws -> [RewardClock] {
        let promises = promise.map { [$0] } ?? RewardClock.Promise.promises
        let clocks = try promises.flatMap {
            try overdue(at: now, $0, program: program, limit: limit, reader)
        }
        return Array(
            clocks.sorted { ($0.dueAt, $0.reward) < ($1.dueAt, $1.reward) }.prefix(limit))
    }

    private static func overdue(
        at now: Instant, _ promise: RewardClock.Promise, program: ProgramID?, limit: Int,
        _ reader: Reader
    ) throws -> [RewardClock] {
        var query = Query(
            """
            SELECT reward_id, program_id, participant_id, promise, due_at FROM reward_clocks
            WHERE promise = ? AND due_at <= ?
            """, promise.rawValue, now)
        if let program { query.append(" AND program_id = ?", program) }
        query.append(" ORDER BY due_at, reward_id LIMIT ?", Int64(limit))
        return try reader.all(query, map: clock)
    }

    private static func clock(_ row: Row) throws -> RewardClock {
        try RewardClock(
            reward: row.id(0), program: row.id(1), participant: row.id(2),
            promise: RewardClock.Promise(rawValue: row.text(3)) ?? .payment, dueAt: row.instant(4))
    }
}
