import Database
import Model

/// All SQL of payout runs, and of the sums over their payouts, which change with each payout.
public enum PayoutRunStore {
    public struct Filter: Sendable {
        public var state: String?
        public var kind: String?
        public var program: ProgramID?

        public init() {}
    }

    public static func find(_ id: PayoutRunID, _ reader: Reader) throws -> PayoutRun? {
        try reader.first(
            """
            SELECT id, program_id, reference, kind, currency, state, period, minimum, review_days,
                last_participant_id, examined, waiting, failed, actor, created_at, finished_at,
                skipped, participant_ids, segment, drafted_count, drafted_amount, cursor,
                action_actor, provider_reference, left_out
            FROM payout_runs WHERE id = ?
            """, id, map: run)
    }

    public static func find(reference: String, _ reader: Reader) throws -> PayoutRun? {
        try reader.first(
            """
            SELECT id, program_id, reference, kind, currency, state, period, minimum, review_days,
                last_participant_id, examined, waiting, failed, actor, created_at, finished_at,
                skipped, participant_ids, segment, drafted_count, drafted_amount, cursor,
                action_actor, provider_reference, left_out
            FROM payout_runs WHERE reference = ?
            """, reference, map: run)
    }

    /// Whether the schedule has made the program's run of this period.
    static func exists(
        _ program: ProgramID, _ kind: Payout.Kind, period: Int64, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            "SELECT 1 FROM payout_runs WHERE program_id = ? AND kind = ? AND period = ?",
            program, kind.rawValue, period) != nil
    }

    /// The oldest run that is not done, or is being submitted or confirmed.
    public static func running(_ reader: Reader) throws -> PayoutRun? {
        try reader.first(
            """
            SELECT id, program_id, reference, kind, currency, state, period, minimum, review_days,
                last_participant_id, examined, waiting, failed, actor, created_at, finished_at,
                skipped, participant_ids, segment, drafted_count, drafted_amount, cursor,
                action_actor, provider_reference, left_out
            FROM payout_runs WHERE state <> 'done' ORDER BY seq LIMIT 1
            """, map: run)
    }

    public static func sequence(of id: PayoutRunID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM payout_runs WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<PayoutRun> {
        var query = Query(
            """
            SELECT id, program_id, reference, kind, currency, state, period, minimum, review_days,
                last_participant_id, examined, waiting, failed, actor, created_at, finished_at,
                skipped, participant_ids, segment, drafted_count, drafted_amount, cursor,
                action_actor, provider_reference, left_out
            FROM payout_runs WHERE 1 = 1
            """)
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        return try reader.page(query, request, map: run)
    }

    static func insert(_ run: PayoutRun, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO payout_runs (
                id, program_id, reference, kind, currency, state, period, minimum, review_days,
                last_participant_id, examined, waiting, failed, actor, created_at, finished_at,
                skipped, participant_ids, segment, drafted_count, drafted_amount, cursor,
                left_out)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, run.id, run.program, run.reference, run.kind.rawValue, run.currency.code,
            run.state.rawValue, run.period, run.minimum, run.reviewDays, run.last, run.examined,
            run.waiting, run.failed, run.actor, run.createdAt, run.finishedAt, run.skipped,
            run.selection.participants.map { $0.map(\.description).joined(separator: " ") },
            run.selection.segment, run.draftedCount, run.draftedAmount, run.cursor, run.leftOut)
    }

    /// Writes how far the run has come.
    static func update(_ run: PayoutRun, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE payout_runs SET state = ?, last_participant_id = ?, examined = ?, waiting = ?,
                failed = ?, finished_at = ?, skipped = ?, drafted_count = ?, drafted_amount = ?,
                cursor = ?, action_actor = ?, provider_reference = ?, left_out = ?
            WHERE id = ?
            """, run.state.rawValue, run.last, run.examined, run.waiting, run.failed,
            run.finishedAt, run.skipped, run.draftedCount, run.draftedAmount, run.cursor,
            run.actionActor, run.providerReference, run.leftOut, run.id)
    }

    // MARK: - Participants

    /// Who has something to be paid and has not been looked at, in the order of the run.
    static func candidates(
        _ run: PayoutRun, limit: Int, _ reader: Reader
    ) throws -> [ParticipantID] {
        if let chosen = run.selection.participants {
            var found: [ParticipantID] = []
            for participant in chosen where found.count < limit {
                if let last = run.last, participant <= last { continue }
                if try hasPayable(participant, run, reader) { found.append(participant) }
            }
            return found
        }
        var query = Query(
            """
            SELECT DISTINCT participant_id FROM rewards
            WHERE program_id = ? AND kind = ? AND currency = ?
                AND state = 'approved' AND payout_id IS NULL
            """, run.program, run.kind.rawValue, run.currency.code)
        if let last = run.last { query.append(" AND participant_id > ?", last) }
        query.append(" ORDER BY participant_id LIMIT ?", Int64(limit))
        return try reader.all(query) { try $0.id(0) }
    }

    /// Whether the participant has something that the run could pay.
    static func hasPayable(
        _ participant: ParticipantID, _ run: PayoutRun, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM rewards
            WHERE program_id = ? AND kind = ? AND currency = ? AND participant_id = ?
                AND state = 'approved' AND payout_id IS NULL LIMIT 1
            """, run.program, run.kind.rawValue, run.currency.code, participant) != nil
    }

    // MARK: - Payouts

    /// The next payouts of a run that is submitted or confirmed, in whatever state, with their
    /// sequence.
    static func payouts(
        of run: PayoutRun, limit: Int, _ reader: Reader
    ) throws -> [(sequence: Int64, payout: Payout)] {
        let ids: [PayoutID] = try reader.all(
            """
            SELECT id FROM payouts WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?
            """, run.id, run.cursor, Int64(limit)
        ) { try $0.id(0) }
        return try ids.compactMap { id -> (sequence: Int64, payout: Payout)? in
            guard let payout = try PayoutStore.find(id, reader),
                let sequence = try PayoutStore.sequence(of: id, reader)
            else { return nil }
            return (sequence, payout)
        }
    }

    // MARK: - Sums

    /// The run's payouts by state; states without payouts are left out.
    public static func sums(of run: PayoutRunID, _ reader: Reader) throws -> [PayoutRunSum] {
        try reader.all(
            """
            SELECT state, payouts, amount, clawback_amount, paid_amount
            FROM payout_run_states WHERE run_id = ? AND payouts > 0
            """, run
        ) { row in
            guard let state = try Payout.State(rawValue: row.text(0)) else {
                throw DatabaseFault(operation: "read a run", code: DatabaseFault.corrupt)
            }
            return try PayoutRunSum(
                state: state, payouts: row.int64(1), amount: row.int64(2),
                clawbackAmount: row.int64(3), paidAmount: row.int64(4))
        }
    }

    /// Counts a payout in or out of its state.
    static func count(
        _ payout: Payout, in run: PayoutRunID, _ sign: Int64, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO payout_run_states (
                run_id, state, payouts, amount, clawback_amount, paid_amount)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (run_id, state) DO UPDATE SET payouts = payouts + excluded.payouts,
                amount = amount + excluded.amount,
                clawback_amount = clawback_amount + excluded.clawback_amount,
                paid_amount = paid_amount + excluded.paid_amount
            """, run, payout.state.rawValue, sign, sign * payout.amount,
            sign * payout.clawbackAmount, sign * payout.paidAmount)
    }

    private static func run(_ row: Row) throws -> PayoutRun {
        guard let kind = try Payout.Kind(rawValue: row.text(3)),
            let currency = try Currency(stored: row.text(4)),
            let state = try PayoutRun.State(rawValue: row.text(5))
        else { throw DatabaseFault(operation: "read a run", code: DatabaseFault.corrupt) }
        let chosen = try row.optionalText(17)?.split(separator: " ").compactMap {
            ParticipantID(String($0))
        }
        var run = try PayoutRun(
            id: row.id(0), program: row.id(1), reference: row.text(2), kind: kind,
            currency: currency, state: state, period: row.optionalInt64(6),
            minimum: row.int64(7), reviewDays: row.int64(8),
            selection: PayoutRunSelection(participants: chosen, segment: row.optionalText(18)),
            last: row.optionalID(9),
            examined: row.int64(10), waiting: row.int64(11), failed: row.int64(12),
            skipped: row.int64(16), actor: row.text(13), createdAt: row.instant(14),
            finishedAt: row.optionalInstant(15))
        run.draftedCount = try row.int64(19)
        run.draftedAmount = try row.int64(20)
        run.cursor = try row.int64(21)
        run.actionActor = try row.optionalText(22)
        run.providerReference = try row.optionalText(23)
        run.leftOut = try row.int64(24)
        return run
    }
}
