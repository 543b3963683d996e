import Database
import Model

/// Why what is overdue about a reward is not done, where it is known.
public enum RewardObstacle: String, Sendable, CaseIterable {
    /// Its participant is suspended or not approved: nothing is paid to it.
    case participantNotApproved = "participant_not_approved"
    /// Its hold has not ended.
    case onHold = "on_hold"
    /// It waits for a person's decision.
    case inReview = "in_review"
    /// The participant owes all that is due to it, or more.
    case owes

    /// Whether the operator can do something about it at once.
    public var isForOperator: Bool { self == .inReview || self == .onHold }

    /// What stands in the way of `promise` about a reward in `state`; nil: nothing that is known. A
    /// payout that holds the reward takes its way.
    static func find(
        _ promise: RewardClock.Promise, _ state: Reward.State, isInPayout: Bool, mayBePaid: Bool,
        _ balance: ParticipantBalance
    ) -> RewardObstacle? {
        if promise != .credit, !isInPayout, !mayBePaid { return .participantNotApproved }
        switch state {
        case .pending: return .onHold
        case .review: return .inReview
        case .approved:
            let isOwed =
                balance.clawbackOwed > 0 && balance.available <= balance.clawbackOwed
            return isOwed && !isInPayout && promise != .credit ? .owes : nil
        case .paid, .rejected, .voided, .clawedBack: return nil
        }
    }
}

/// Rewards of one participant whose clocks have run out, alike in what may stand in the way.
public struct OverdueRewards: Sendable {
    public let promise: RewardClock.Promise
    public let participant: ParticipantID
    let currency: Currency
    let state: Reward.State
    let isInPayout: Bool
    public let count: Int64

    /// One reward whose clock has run out.
    public init(_ clock: RewardClock, _ reward: Reward) {
        self.init(
            promise: clock.promise, participant: clock.participant,
            currency: reward.amount.currency, state: reward.state,
            isInPayout: reward.payout != nil, count: 1)
    }

    init(
        promise: RewardClock.Promise, participant: ParticipantID, currency: Currency,
        state: Reward.State, isInPayout: Bool, count: Int64
    ) {
        self.promise = promise
        self.participant = participant
        self.currency = currency
        self.state = state
        self.isInPayout = isInPayout
        self.count = count
    }

    /// What stands in the way of them; `mayBePaid` tells whether their participant is paid at all.
    public func obstacle(mayBePaid: Bool, _ reader: Reader) throws -> RewardObstacle? {
        RewardObstacle.find(
            promise, state, isInPayout: isInPayout, mayBePaid: mayBePaid,
            try SummaryReads.balance(of: participant, currency, reader))
    }
}

extension RewardClockStore {
    /// The clocks of the promise that have run out, counted up to 10,000.
    public static func overdueRewards(
        _ promise: RewardClock.Promise, at now: Instant, _ reader: Reader
    ) throws -> [OverdueRewards] {
        try reader.all(
            """
            SELECT r.participant_id, r.currency, r.state, r.payout_id IS NOT NULL, count(*)
            FROM (
                    SELECT reward_id FROM reward_clocks
                    WHERE promise = ? AND due_at <= ? LIMIT 10000) c
                CROSS JOIN rewards r ON r.id = c.reward_id
            GROUP BY 1, 2, 3, 4
            """, promise.rawValue, now
        ) { row in
            guard let currency = try Currency(stored: row.text(1)),
                let state = try Reward.State(rawValue: row.text(2))
            else { throw DatabaseFault(operation: "read a reward", code: DatabaseFault.corrupt) }
            return try OverdueRewards(
                promise: promise, participant: row.id(0), currency: currency, state: state,
                isInPayout: row.int64(3) == 1, count: row.int64(4))
        }
    }
}
