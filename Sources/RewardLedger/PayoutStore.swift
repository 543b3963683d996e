import Database
import Model
import Records

/// All SQL of payouts and of what is in them.
public enum PayoutStore {
    public struct Filter: Sendable {
        public var state: String?
        public var kind: String?
        public var run: PayoutRunID?
        public var participant: ParticipantID?
        public var program: ProgramID?
        public var created: Range<Instant>?

        public init() {}
    }

    public static func find(_ id: PayoutID, _ reader: Reader) throws -> Payout? {
        try reader.first(
            """
            SELECT id, program_id, participant_id, reference, state, currency, rewards_amount,
                clawback_amount, amount, paid_amount, reward_count, provider_reference, reason,
                submitted_at, settled_at, version, created_at, updated_at, kind, run_id,
                submit_from, returned_amount, settled_amount
            FROM payouts WHERE id = ?
            """, id, map: payout)
    }

    public static func find(reference: String, _ reader: Reader) throws -> Payout? {
        try reader.first(
            """
            SELECT id, program_id, participant_id, reference, state, currency, rewards_amount,
                clawback_amount, amount, paid_amount, reward_count, provider_reference, reason,
                submitted_at, settled_at, version, created_at, updated_at, kind, run_id,
                submit_from, returned_amount, settled_amount
            FROM payouts WHERE reference = ?
            """, reference, map: payout)
    }

    public static func sequence(of id: PayoutID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM payouts WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Payout> {
        try reader.page(query(filter), request, map: payout)
    }

    /// Every payout that fits, oldest first, up to `limit`, for exports.
    public static func all(
        _ filter: Filter, limit: Int, _ reader: Reader
    ) throws -> [Payout] {
        var query = query(filter)
        query.append(" ORDER BY seq LIMIT ?", Int64(limit))
        return try reader.all(query, map: payout)
    }

    /// Hands every payout that fits to `body`, oldest first, without keeping them.
    public static func forEach(
        _ filter: Filter, _ reader: Reader, body: (Payout) throws -> Void
    ) throws {
        var query = query(filter)
        query.append(" ORDER BY seq")
        try reader.forEach(query) { try body(payout($0)) }
    }

    /// The payout's rewards, oldest first.
    public static func items(of payout: PayoutID, _ reader: Reader) throws -> [PayoutItem] {
        try reader.all(
            """
            SELECT p.reward_id, p.amount, p.settled_amount
            FROM payout_rewards p JOIN rewards r ON r.id = p.reward_id
            WHERE p.payout_id = ? ORDER BY r.seq
            """, payout
        ) { try PayoutItem(reward: $0.id(0), amount: $0.int64(1), settledAmount: $0.int64(2)) }
    }

    static func item(
        _ reward: RewardID, of payout: PayoutID, _ reader: Reader
    ) throws -> PayoutItem? {
        try reader.first(
            """
            SELECT reward_id, amount, settled_amount FROM payout_rewards
            WHERE payout_id = ? AND reward_id = ?
            """, payout, reward
        ) { try PayoutItem(reward: $0.id(0), amount: $0.int64(1), settledAmount: $0.int64(2)) }
    }

    /// What the participant's payouts keep back whose outcome is open.
    static func keptBack(
        of participant: ParticipantID, _ currency: Currency, _ reader: Reader
    ) throws -> Int64 {
        try reader.integer(
            """
            SELECT sum(clawback_amount) FROM payouts
            WHERE participant_id = ? AND currency = ?
                AND state IN ('draft', 'processing', 'unknown')
            """, participant, currency.code) ?? 0
    }

    static func insert(_ payout: Payout, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO payouts (
                id, program_id, participant_id, reference, state, currency, rewards_amount,
                clawback_amount, amount, paid_amount, reward_count, version, created_at, updated_at,
                kind, run_id, submit_from, returned_amount, settled_amount)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, payout.id, payout.program, payout.participant, payout.reference,
            payout.state.rawValue, payout.currency.code, payout.rewardsAmount,
            payout.clawbackAmount, payout.amount, payout.paidAmount, payout.rewardCount,
            payout.version, payout.createdAt, payout.updatedAt, payout.kind.rawValue, payout.run,
            payout.submitFrom, payout.returnedAmount, payout.settledAmount)
        try count(payout, 1, tx)
    }

    /// Puts the first of what `RewardStore.payable` told into the payout, in the same order; one
    /// statement, as there may be a thousand.
    static func insertItems(
        of payout: Payout, _ order: PayoutOrder, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO payout_rewards (payout_id, reward_id, amount, settled_amount)
            SELECT ?, id, amount - reversed_amount + clawback_amount - settled_amount, 0
            FROM rewards
            WHERE program_id = ? AND kind = ? AND currency = ? AND participant_id = ?
                AND state = 'approved' AND payout_id IS NULL
            ORDER BY seq LIMIT ?
            """, payout.id, order.program, order.kind.rawValue, order.currency.code,
            order.participant, payout.rewardCount)
        guard tx.changes == payout.rewardCount else {
            throw DatabaseFault(operation: "fill a payout", code: DatabaseFault.corrupt)
        }
    }

    static func update(_ payout: Payout, from old: Payout, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE payouts SET state = ?, paid_amount = ?, provider_reference = ?, reason = ?,
                submitted_at = ?, settled_at = ?, version = ?, updated_at = ?, rewards_amount = ?,
                amount = ?, reward_count = ?, returned_amount = ?, settled_amount = ?
            WHERE id = ?
            """, payout.state.rawValue, payout.paidAmount, payout.providerReference, payout.reason,
            payout.submittedAt, payout.settledAt, payout.version, payout.updatedAt,
            payout.rewardsAmount, payout.amount, payout.rewardCount, payout.returnedAmount,
            payout.settledAmount, payout.id)
        try count(old, -1, tx)
        try count(payout, 1, tx)
    }

    private static func count(_ payout: Payout, _ sign: Int64, _ tx: Transaction) throws {
        try CounterStore.add(sign, to: "payouts.\(payout.state.rawValue)", tx)
        if let run = payout.run { try PayoutRunStore.count(payout, in: run, sign, tx) }
    }

    static func settle(
        _ reward: RewardID, in payout: PayoutID, _ amount: Int64, _ tx: Transaction
    ) throws {
        try tx.run(
            "UPDATE payout_rewards SET settled_amount = ? WHERE payout_id = ? AND reward_id = ?",
            amount, payout, reward)
    }

    /// Takes a reward out of a draft.
    static func remove(_ reward: RewardID, from draft: PayoutID, _ tx: Transaction) throws {
        try tx.run(
            "DELETE FROM payout_rewards WHERE payout_id = ? AND reward_id = ?", draft, reward)
    }

    private static func query(_ filter: Filter) -> Query {
        var query = Query(
            """
            SELECT id, program_id, participant_id, reference, state, currency, rewards_amount,
                clawback_amount, amount, paid_amount, reward_count, provider_reference, reason,
                submitted_at, settled_at, version, created_at, updated_at, kind, run_id,
                submit_from, returned_amount, settled_amount
            FROM payouts WHERE 1 = 1
            """)
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let run = filter.run { query.append(" AND run_id = ?", run) }
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let created = filter.created {
            query.append(" AND created_at >= ?", created.lowerBound)
            query.append(" AND created_at < ?", created.upperBound)
        }
        return query
    }

    private static func payout(_ row: Row) throws -> Payout {
        guard let state = try Payout.State(rawValue: row.text(4)),
            let kind = try Payout.Kind(rawValue: row.text(18)),
            let currency = try Currency(stored: row.text(5))
        else { throw DatabaseFault(operation: "read a payout", code: DatabaseFault.corrupt) }
        return try Payout(
            id: row.id(0), program: row.id(1), participant: row.id(2), reference: row.text(3),
            kind: kind, run: row.optionalID(19), state: state, currency: currency,
            rewardsAmount: row.int64(6),
            clawbackAmount: row.int64(7), amount: row.int64(8), paidAmount: row.int64(9),
            returnedAmount: row.int64(21), settledAmount: row.int64(22),
            rewardCount: row.int64(10), providerReference: row.optionalText(11),
            reason: row.optionalText(12), submitFrom: row.optionalInstant(20),
            submittedAt: row.optionalInstant(13),
            settledAt: row.optionalInstant(14), version: row.int64(15), createdAt: row.instant(16),
            updatedAt: row.instant(17))
    }
}
