import Database
import Model

/// All SQL of redemptions and of what they use.
public enum RedemptionStore {
    /// What a list asks for; nil: everything.
    public struct Filter: Sendable {
        public var state: String?
        public var participant: ParticipantID?
        public var program: ProgramID?
        public var item: CatalogItemID?
        public var created: Range<Instant>?

        public init() {}
    }

    public static func find(_ id: RedemptionID, _ reader: Reader) throws -> Redemption? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: redemption)
    }

    static func find(
        reference: String, of participant: ParticipantID, _ reader: Reader
    ) throws -> Redemption? {
        var query = Query(columns)
        query.append(" WHERE participant_id = ?", participant)
        query.append(" AND reference = ?", reference)
        return try reader.first(query, map: redemption)
    }

    public static func sequence(of id: RedemptionID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM redemptions WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Redemption> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let item = filter.item { query.append(" AND item_id = ?", item) }
        if let created = filter.created {
            query.append(" AND created_at >= ?", created.lowerBound)
            query.append(" AND created_at < ?", created.upperBound)
        }
        return try reader.page(query, request, map: redemption)
    }

    /// Hands every redemption to `body`, oldest first, without keeping them.
    static func forEach(_ reader: Reader, body: (Redemption) throws -> Void) throws {
        var query = Query(columns)
        query.append(" ORDER BY seq")
        try reader.forEach(query) { try body(redemption($0)) }
    }

    /// What the redemption uses, the oldest reward first.
    public static func items(
        of redemption: RedemptionID, _ reader: Reader
    ) throws -> [RedemptionItem] {
        try reader.all(
            """
            SELECT p.reward_id, p.amount
            FROM redemption_rewards p JOIN rewards r ON r.id = p.reward_id
            WHERE p.redemption_id = ? ORDER BY r.seq
            """, redemption
        ) { try RedemptionItem(reward: $0.id(0), amount: $0.int64(1)) }
    }

    /// What the participant's redemptions set off whose outcome is open.
    static func keptBack(of participant: ParticipantID, _ reader: Reader) throws -> Int64 {
        try reader.integer(
            """
            SELECT sum(clawback_amount) FROM redemptions
            WHERE participant_id = ? AND state = 'requested'
            """, participant) ?? 0
    }

    static func insert(_ redemption: Redemption, _ tx: Transaction) throws {
        let offer = redemption.offer
        try tx.run(
            """
            INSERT INTO redemptions (
                id, program_id, participant_id, item_id, reference, sku, name, kind, value_amount,
                value_currency, points, clawback_amount, takes_stock, country, state, version,
                created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, redemption.id, redemption.program, redemption.participant, redemption.item,
            redemption.reference, offer.sku, offer.name, offer.kind.rawValue, offer.value?.amount,
            offer.value?.currency.code, redemption.points, redemption.clawbackAmount,
            redemption.takesStock, redemption.country?.code, redemption.state.rawValue,
            redemption.version, redemption.createdAt, redemption.updatedAt)
    }

    static func insert(
        _ item: RedemptionItem, of redemption: RedemptionID, _ tx: Transaction
    ) throws {
        try tx.run(
            "INSERT INTO redemption_rewards (redemption_id, reward_id, amount) VALUES (?, ?, ?)",
            redemption, item.reward, item.amount)
    }

    static func update(_ redemption: Redemption, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE redemptions SET state = ?, fulfillment_reference = ?, reason = ?,
                settled_at = ?, version = ?, updated_at = ?
            WHERE id = ?
            """, redemption.state.rawValue, redemption.fulfillmentReference, redemption.reason,
            redemption.settledAt, redemption.version, redemption.updatedAt, redemption.id)
    }

    private static let columns: StaticString = """
        SELECT id, program_id, participant_id, item_id, reference, sku, name, kind, value_amount,
            value_currency, points, clawback_amount, takes_stock, country, state,
            fulfillment_reference, reason, settled_at, version, created_at, updated_at
        FROM redemptions
        """

    private static func redemption(_ row: Row) throws -> Redemption {
        guard let kind = try CatalogItem.Kind(rawValue: row.text(7)),
            let state = try Redemption.State(rawValue: row.text(14))
        else { throw DatabaseFault(operation: "read a redemption", code: DatabaseFault.corrupt) }
        return try Redemption(
            id: row.id(0), program: row.id(1), participant: row.id(2), item: row.id(3),
            reference: row.optionalText(4),
            offer: Redemption.Offer(
                sku: row.text(5), name: row.text(6), kind: kind, value: Money(row, from: 8)),
            points: row.int64(10), clawbackAmount: row.int64(11), takesStock: row.bool(12),
            country: row.optionalText(13).flatMap { CountryCode($0) }, state: state,
            fulfillmentReference: row.optionalText(15), reason: row.optionalText(16),
            settledAt: row.optionalInstant(17), version: row.int64(18), createdAt: row.instant(19),
            updatedAt: row.instant(20))
    }
}
