import Database
import Model

/// What a run would come to, without making it: reads alone, of one moment.
public struct PayoutRunPreview: Sendable {
    /// Somebody with something to be paid who gets no payout, and why.
    public struct LeftOut: Sendable, Equatable {
        public let participant: ParticipantID
        public let reason: String
    }

    public private(set) var examined: Int64 = 0
    public private(set) var waiting: Int64 = 0
    public private(set) var skipped: Int64 = 0
    public private(set) var payouts: Int64 = 0
    public private(set) var amount: Int64 = 0
    public private(set) var clawbackAmount: Int64 = 0
    /// The first `leftOutMax` of them.
    public private(set) var leftOut: [LeftOut] = []

    public static let leftOutMax = 1_000

    private static let pageSize = 500

    /// Its drafts, as the run would count them.
    public var sum: PayoutRunSum {
        PayoutRunSum(
            state: .draft, payouts: payouts, amount: amount, clawbackAmount: clawbackAmount,
            paidAmount: 0)
    }

    /// Looks at everybody whom `run` would look at.
    public init(
        of run: PayoutRun, at now: Instant, _ reader: Reader,
        standing: (ParticipantID) throws -> PayoutStanding
    ) throws {
        var run = run
        while true {
            let page = try PayoutRunStore.candidates(
                run, limit: PayoutRunPreview.pageSize, reader)
            for participant in page {
                run.last = participant
                try look(at: participant, run, now, reader, standing)
            }
            if page.count < PayoutRunPreview.pageSize { break }
        }
        try nameUnpaid(run, reader)
    }

    private mutating func look(
        at participant: ParticipantID, _ run: PayoutRun, _ now: Instant, _ reader: Reader,
        _ standing: (ParticipantID) throws -> PayoutStanding
    ) throws {
        var known = try standing(participant)
        if case .payable = known, try PayoutReturn.isHeld(participant, run.kind, reader) {
            known = .leftOut(PayoutStanding.returned)
        }
        switch known {
        case .outside: return
        case .leftOut(let reason):
            skipped += 1
            leave(participant, reason)
        case .payable:
            do {
                let (sum, kept) = try PayoutBook.prospect(
                    of: run.order(for: participant, at: now), reader)
                payouts += 1
                amount += sum - kept
                clawbackAmount += kept
            } catch let refusal as PayoutRefusal {
                waiting += 1
                if case .belowMinimum = refusal {
                    leave(participant, "below_minimum")
                } else {
                    leave(participant, "owes")
                }
            }
        }
        examined += 1
    }

    /// Those that were asked for by name and have nothing to be paid.
    private mutating func nameUnpaid(_ run: PayoutRun, _ reader: Reader) throws {
        for participant in run.selection.participants ?? []
        where try !PayoutRunStore.hasPayable(participant, run, reader) {
            leave(participant, "nothing_to_pay")
        }
    }

    private mutating func leave(_ participant: ParticipantID, _ reason: String) {
        guard leftOut.count < PayoutRunPreview.leftOutMax else { return }
        leftOut.append(LeftOut(participant: participant, reason: reason))
    }
}

extension PayoutRun {
    /// As it would be once it is done.
    public mutating func foresee(_ preview: PayoutRunPreview, at now: Instant) {
        state = .done
        finishedAt = now
        examined = preview.examined
        waiting = preview.waiting
        skipped = preview.skipped
        draftedCount = preview.payouts
        draftedAmount = preview.amount
    }
}

extension PayoutBook {
    /// What `draft` would take of rewards and keep back, without writing.
    static func prospect(
        of order: PayoutOrder, _ reader: Reader
    ) throws -> (sum: Int64, kept: Int64) {
        var owed = try JournalStore.balance(
            .clawbackReceivable, of: order.participant, order.currency, reader)
        var amounts = try RewardStore.payable(order, limit: PayoutRules.rewardsMax, reader)
        var fitting = PayoutRules.fitting(amounts)
        if owed > 0, fitting.sum <= owed, try ClawbackOffset.isDue(order, owed: owed, reader) {
            (owed, amounts) = try ClawbackOffset.prospect(of: order, owed: owed, reader)
            fitting = PayoutRules.fitting(amounts)
        }
        let kept = try PayoutRules.clawback(sum: fitting.sum, owed: owed)
        try PayoutRules.checkMinimum(
            fitting.sum - kept, minimum: order.minimum,
            isFull: fitting.count < amounts.count || fitting.count == PayoutRules.rewardsMax)
        return (fitting.sum, kept)
    }
}

extension ClawbackOffset {
    /// What would still be owed after `run`, and what could be paid of the order's kind.
    static func prospect(
        of order: PayoutOrder, owed: Int64, _ reader: Reader
    ) throws -> (owed: Int64, amounts: [Int64]) {
        var left = owed
        var amounts: [Int64] = []
        for reward in try RewardStore.free(order, limit: order.offsetsMax, reader) {
            let part = min(left, reward.payable)
            left -= part
            if reward.kind.rawValue == order.kind.rawValue, reward.payable > part {
                amounts.append(reward.payable - part)
            }
        }
        return (left, amounts)
    }
}
