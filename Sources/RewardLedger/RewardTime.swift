import Model

/// How far a reward or benefit has come on its way from the referral to the money (R273), and by
/// when it was to arrive, by the program's terms of the moment in which it was granted.
public struct RewardTime: Sendable, Equatable {
    /// What was promised, and before which instant it was to be kept.
    public struct Promised: Sendable, Equatable {
        public let promise: RewardClock.Promise
        public let at: Instant
    }

    public let program: ProgramID
    public let trigger: RewardRule.TriggerName
    public let kind: RewardRule.Kind
    /// The kind of the participant that referred; nil when it is not known.
    public let referrer: String?
    public let referredAt: Instant
    /// When that happened which earned it: the step of a lead, the sale.
    public let earnedAt: Instant
    /// Before which it was to be paid: by the target from the referral; within the business days
    /// and within the days from what earned it. Nil: the program had no such term.
    public var targetAt: Instant?
    public var creditAt: Instant?
    public var payAt: Instant?
    /// Nil for a benefit.
    public var promised: Promised?
}

/// By what times to reward are broken down. A month is that of the payment, in UTC.
public enum RewardTimeDimension: String, Sendable, CaseIterable {
    case trigger, kind
    case referrer = "referrer_kind"
    case month
}

/// One reward or benefit that was paid or given, as the report reads it.
public struct PaidRewardTime: Sendable {
    public let referredAt: Instant
    public let earnedAt: Instant
    /// Nil for a benefit that was given without.
    public let approvedAt: Instant?
    public let paidAt: Instant
    public let targetAt: Instant?
    public let creditAt: Instant?
    public let payAt: Instant?
    public let promised: RewardTime.Promised?
}

/// What is earned and not yet paid or given.
public struct WaitingRewards: Sendable, Equatable {
    public var count: Int64 = 0
    /// When the one that waits longest was referred; nil when none waits.
    public var oldest: Instant?
    /// Those that have missed their target.
    public var beyondTarget: Int64 = 0
}

/// Times to reward of one group, put together.
public struct RewardTimeTally: Sendable {
    /// How many of those that had a limit kept within it.
    public struct Share: Sendable, Equatable {
        public private(set) var kept: Int64 = 0
        public private(set) var all: Int64 = 0

        /// Counts one that happened at `instant` and was to happen before `limit`; none without a
        /// limit.
        mutating func add(_ instant: Instant?, before limit: Instant?) {
            guard let limit else { return }
            all += 1
            if let instant, instant < limit { kept += 1 }
        }
    }

    /// In seconds.
    public private(set) var whole: [Int64] = []
    public private(set) var toEvent: [Int64] = []
    public private(set) var toApproval: [Int64] = []
    public private(set) var toPayment: [Int64] = []
    public private(set) var withinTarget = Share()
    public private(set) var withinBusinessDays = Share()
    public private(set) var withinPayDays = Share()
    public private(set) var asPromised = Share()

    public init() {}

    public mutating func add(_ time: PaidRewardTime) {
        whole.append(RewardTimeRules.seconds(from: time.referredAt, to: time.paidAt))
        toEvent.append(RewardTimeRules.seconds(from: time.referredAt, to: time.earnedAt))
        if let approvedAt = time.approvedAt {
            toApproval.append(RewardTimeRules.seconds(from: time.earnedAt, to: approvedAt))
            toPayment.append(RewardTimeRules.seconds(from: approvedAt, to: time.paidAt))
        }
        withinTarget.add(time.paidAt, before: time.targetAt)
        withinBusinessDays.add(time.paidAt, before: time.creditAt)
        withinPayDays.add(time.paidAt, before: time.payAt)
        asPromised.add(
            time.promised?.promise == .credit ? time.approvedAt : time.paidAt,
            before: time.promised?.at)
    }
}
