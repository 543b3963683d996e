import Database
import Model

/// All SQL of refunds and their reversals, and of what they make of their sale.
public enum RefundStore {
    public static func find(_ id: RefundID, _ reader: Reader) throws -> Refund? {
        var query = Query(columns)
        query.append(" WHERE r.id = ?", id)
        return try reader.first(query, map: refund)
    }

    public static func find(
        externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> Refund? {
        var query = Query(columns)
        query.append(" WHERE r.program_id = ?", program)
        query.append(" AND r.external_id = ?", externalID)
        return try reader.first(query, map: refund)
    }

    /// The refund that a reversal of this name is about.
    public static func find(
        reversedBy externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> Refund? {
        var query = Query(columns)
        query.append(" WHERE v.program_id = ?", program)
        query.append(" AND v.external_id = ?", externalID)
        return try reader.first(query, map: refund)
    }

    /// What a list asks for; nil: everything.
    public struct Filter: Sendable {
        public var conversion: ConversionID?
        public var program: ProgramID?
        public var externalID: String?
        public var state: Refund.State?

        public init() {}
    }

    /// Newest first.
    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Refund> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let id = filter.conversion { query.append(" AND r.conversion_id = ?", id) }
        if let id = filter.program { query.append(" AND r.program_id = ?", id) }
        if let name = filter.externalID { query.append(" AND r.external_id = ?", name) }
        switch filter.state {
        case nil: break
        case .parked: query.append(" AND r.conversion_id IS NULL AND v.refund_id IS NULL")
        case .applied: query.append(" AND r.conversion_id IS NOT NULL AND v.refund_id IS NULL")
        case .reversed: query.append(" AND v.refund_id IS NOT NULL")
        }
        return try reader.page(query, request, map: refund)
    }

    public static func sequence(
        of id: RefundID, in conversion: ConversionID? = nil, _ reader: Reader
    ) throws -> Int64? {
        var query = Query("SELECT seq FROM refunds WHERE id = ?", id)
        if let conversion { query.append(" AND conversion_id = ?", conversion) }
        return try reader.integer(query)
    }

    /// Those that wait for the sale of this name, oldest first.
    public static func parked(
        for externalID: String, in program: ProgramID, limit: Int, _ reader: Reader
    ) throws -> [Refund] {
        var query = Query(columns)
        query.append(" WHERE r.program_id = ?", program)
        query.append(
            " AND r.conversion_external_id = ? AND r.conversion_id IS NULL ORDER BY r.seq LIMIT ?",
            externalID, Int64(limit))
        return try reader.all(query, map: refund)
    }

    /// The newest refund of the sale, in force or not.
    public static func newest(of sale: ConversionID, _ reader: Reader) throws -> RefundID? {
        try reader.first(
            "SELECT id FROM refunds WHERE conversion_id = ? ORDER BY seq DESC LIMIT 1", sale
        ) { try $0.id(0) }
    }

    /// The newest refund in force among the last hundred, which a reversal would have to name.
    public static func newestInForce(
        of sale: ConversionID, _ reader: Reader
    ) throws -> RefundID? {
        try reader.first(
            """
            SELECT id FROM (
                SELECT seq, id FROM refunds WHERE conversion_id = ? ORDER BY seq DESC LIMIT 100)
            WHERE NOT EXISTS (SELECT 1 FROM refund_reversals v WHERE v.refund_id = id)
            ORDER BY seq DESC LIMIT 1
            """, sale
        ) { try $0.id(0) }
    }

    // MARK: - What refunds make of a sale

    public static func total(of sale: Conversion, _ reader: Reader) throws -> RefundTotal {
        RefundTotal(
            asked: try reader.integer(
                "SELECT refunds_asked FROM conversions WHERE id = ?", sale.id) ?? 0,
            sale: sale.amount)
    }

    public static func set(_ total: RefundTotal, of sale: ConversionID, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE conversions SET refunds_asked = ?, refunded_amount = ?, is_refunded = ?
            WHERE id = ?
            """, total.asked, total.refunded, Int64(total.isWhole ? 1 : 0), sale)
    }

    /// Whether every sale of the lead is wholly refunded. A sign-up of nothing is no sale, unless
    /// there is nothing else.
    public static func isAllRefunded(_ lead: LeadID, _ reader: Reader) throws -> Bool {
        func exists(_ isRefunded: Int64, from least: Int64) throws -> Bool {
            try reader.integer(
                """
                SELECT 1 FROM conversions WHERE lead_id = ? AND is_refunded = ? AND amount >= ?
                LIMIT 1
                """, lead, isRefunded, least) != nil
        }
        if try exists(0, from: 1) { return false }
        if try exists(1, from: 1) { return true }
        return try exists(1, from: 0) && !exists(0, from: 0)
    }

    /// The oldest sale without a lead to one of `customers` that stands and is credited to the
    /// participant.
    public static func standing(
        of customers: [CustomerID], creditedTo participant: ParticipantID, _ reader: Reader
    ) throws -> ConversionID? {
        var query = Query(
            """
            SELECT id FROM conversions
            WHERE is_refunded = 0 AND lead_id IS NULL AND EXISTS (
                    SELECT 1 FROM conversion_credits
                    WHERE participant_id = ? AND conversion_credits.seq = conversions.seq)
                AND customer_id IN
            """, participant)
        query.appendList(customers)
        // The plus sign keeps the planner from walking through all conversions.
        query.append(" ORDER BY +seq LIMIT 1")
        return try reader.first(query) { try $0.id(0) }
    }

    // MARK: - Writes

    public static func insert(_ refund: Refund, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO refunds (
                id, program_id, external_id, conversion_external_id, conversion_id, kind,
                asked_amount, currency, applied_amount, reason, created_at, applied_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, refund.id, refund.program, refund.externalID, refund.conversionExternalID,
            refund.conversion, refund.kind.rawValue, refund.asked, refund.currency.code,
            refund.applied, refund.reason, refund.createdAt, refund.appliedAt)
    }

    /// The sale of a parked refund has come.
    public static func apply(_ refund: Refund, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE refunds SET conversion_id = ?, applied_amount = ?, applied_at = ? WHERE id = ?
            """, refund.conversion, refund.applied, refund.appliedAt, refund.id)
    }

    public static func insert(
        _ reversal: Refund.Reversal, of refund: Refund, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO refund_reversals (
                refund_id, program_id, external_id, kind, applied_amount, reason, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, refund.id, refund.program, reversal.externalID, reversal.kind.rawValue,
            reversal.applied, reversal.reason, reversal.createdAt)
    }

    private static let columns: StaticString = """
        SELECT r.id, r.program_id, r.external_id, r.conversion_external_id, r.conversion_id, r.kind,
            r.asked_amount, r.currency, r.applied_amount, r.reason, r.created_at, r.applied_at,
            v.external_id, v.kind, v.applied_amount, v.reason, v.created_at
        FROM refunds r LEFT JOIN refund_reversals v ON v.refund_id = r.id
        """

    private static func refund(_ row: Row) throws -> Refund {
        guard let kind = try Refund.Kind(rawValue: row.text(5)),
            let currency = try Currency(row.text(7))
        else { throw DatabaseFault(operation: "read a refund", code: DatabaseFault.corrupt) }
        return try Refund(
            id: row.id(0), program: row.id(1), externalID: row.text(2),
            conversionExternalID: row.text(3), conversion: row.optionalID(4), kind: kind,
            asked: row.optionalInt64(6), currency: currency, applied: row.optionalInt64(8),
            reason: row.optionalText(9), createdAt: row.instant(10),
            appliedAt: row.optionalInstant(11), reversal: reversal(row))
    }

    private static func reversal(_ row: Row) throws -> Refund.Reversal? {
        guard let externalID = try row.optionalText(12) else { return nil }
        guard let kind = try Refund.Reversal.Kind(rawValue: row.text(13)) else {
            throw DatabaseFault(operation: "read a refund", code: DatabaseFault.corrupt)
        }
        return try Refund.Reversal(
            externalID: externalID, kind: kind, applied: row.int64(14),
            reason: row.optionalText(15), createdAt: row.instant(16))
    }
}
