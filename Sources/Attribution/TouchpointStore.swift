import Database
import Model

/// All SQL of touchpoints.
public enum TouchpointStore {
    /// Appends a touch. A click touches one customer once: a second touch by it changes nothing.
    public static func insert(_ touch: Touchpoint, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO touchpoints (
                id, program_id, customer_id, participant_id, source, channel, link_id, click_id,
                lead_id, occurred_at, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (click_id, customer_id) WHERE click_id IS NOT NULL DO NOTHING
            """, touch.id, touch.program, touch.customer, touch.participant, touch.source.rawValue,
            touch.channel, touch.link, touch.click, touch.lead, touch.occurredAt, touch.createdAt)
    }

    /// The newest `limit` touches of a customer at or before `end`, oldest first, ties by id.
    public static func touches(
        of customer: CustomerID, until end: Instant, limit: Int, _ reader: Reader
    ) throws -> [Touchpoint] {
        try reader.all(
            """
            SELECT id, program_id, customer_id, participant_id, source, channel, link_id, click_id,
                lead_id, occurred_at, created_at
            FROM touchpoints WHERE customer_id = ? AND occurred_at <= ?
            ORDER BY occurred_at DESC, id DESC LIMIT ?
            """, customer, end, Int64(limit), map: touch
        ).reversed()
    }

    private static func touch(_ row: Row) throws -> Touchpoint {
        guard let source = try Touchpoint.Source(rawValue: row.text(4)) else {
            throw DatabaseFault(operation: "read a touchpoint", code: DatabaseFault.corrupt)
        }
        return try Touchpoint(
            id: row.id(0), program: row.id(1), customer: row.id(2), participant: row.optionalID(3),
            source: source, channel: row.optionalText(5), link: row.optionalID(6),
            click: row.optionalID(7), lead: row.optionalID(8), occurredAt: row.instant(9),
            createdAt: row.instant(10))
    }
}
