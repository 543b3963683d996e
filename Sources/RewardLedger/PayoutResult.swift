import Database
import Model

/// What a bank or a provider says of one payout.
public struct PayoutResult: Sendable {
    public enum Outcome: String, Sendable, CaseIterable {
        case paid, failed, returned, unclaimed, unknown

        /// Whether it may be of a part of the payout.
        public var mayBePart: Bool { self == .paid || self == .returned }
    }

    public let outcome: Outcome
    /// What was paid in all, or came back; nil: the whole.
    public let amount: Int64?
    public let providerReference: String?
    public let reason: String?

    public init(
        outcome: Outcome, amount: Int64?, providerReference: String?, reason: String?
    ) {
        self.outcome = outcome
        self.amount = amount
        self.providerReference = providerReference
        self.reason = reason
    }

    /// Moves the payout by the result, once. False: it was taken before, or says what is known.
    public static func take(
        _ result: PayoutResult, for known: Payout, actor: String, _ tx: Transaction
    ) throws -> Bool {
        if try PayoutResultStore.exists(result, of: known.id, tx) || result.isKnown(of: known) {
            return false
        }
        var payout = known
        payout.providerReference = result.providerReference ?? known.providerReference
        let reason = result.reason
        switch result.outcome {
        case .paid: _ = try PayoutBook.confirm(payout, paid: result.amount, actor: actor, tx)
        case .failed:
            _ = try PayoutBook.fail(payout, reason: reason ?? "failed", actor: actor, tx)
        case .returned:
            _ = try PayoutReturn.run(
                payout, amount: result.amount, reason: reason ?? "returned", actor: actor, tx)
        case .unclaimed:
            try PayoutBook.wait(payout, reason: reason ?? "unclaimed", actor: actor, tx)
        case .unknown: _ = try PayoutBook.markUnknown(payout, reason: reason, actor: actor, tx)
        }
        try PayoutResultStore.insert(result, of: known.id, tx)
        return true
    }

    private func isKnown(of payout: Payout) -> Bool {
        switch outcome {
        case .paid:
            (amount ?? payout.amount) == payout.paidAmount
        case .failed: payout.state == .failed
        case .returned: payout.state == .returned && amount == nil
        case .unclaimed: false
        case .unknown: payout.state == .unknown
        }
    }
}

extension PayoutBook {
    /// The money waits at the provider until the recipient claims it: it stays on its way.
    static func wait(
        _ old: Payout, reason: String, actor: String, _ tx: Transaction
    ) throws {
        // Whatever may fail is on its way, and nothing else is.
        _ = try old.state.moved(by: .fail)
        var payout = old
        payout.state = .processing
        payout.reason = reason
        try save(&payout, from: old, as: "unclaimed", actor: actor, tx)
    }
}

/// All SQL of results that were taken.
enum PayoutResultStore {
    static func exists(
        _ result: PayoutResult, of payout: PayoutID, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM payout_results
            WHERE payout_id = ? AND outcome = ? AND amount = ? AND provider_reference = ?
            """, payout, result.outcome.rawValue, result.amount ?? 0,
            result.providerReference ?? "") != nil
    }

    static func insert(
        _ result: PayoutResult, of payout: PayoutID, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO payout_results (payout_id, outcome, amount, provider_reference, taken_at)
            VALUES (?, ?, ?, ?, ?)
            """, payout, result.outcome.rawValue, result.amount ?? 0,
            result.providerReference ?? "", tx.now)
    }
}
