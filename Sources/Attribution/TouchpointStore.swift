import Database
import Model

/// All SQL of touchpoints.
public enum TouchpointStore {
    /// What a list asks for; nil: everything.
    public struct Filter: Sendable {
        public var program: ProgramID?
        public var customer: CustomerID?
        public var participant: ParticipantID?
        public var source: TouchSource?
        public var externalID: String?
        public var created: Range<Instant>?

        public init() {}
    }

    /// Appends a touch. A click touches one customer once: a second touch by it changes nothing.
    public static func insert(_ touch: Touchpoint, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO touchpoints (
                id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (click_id, customer_id) WHERE click_id IS NOT NULL DO NOTHING
            """, touch.id, touch.program, touch.customer, touch.participant, touch.source.rawValue,
            touch.kind.rawValue, touch.channel, touch.campaign, touch.externalID, touch.link,
            touch.click, touch.lead, touch.occurredAt, touch.createdAt, touch.reclaimed,
            touch.conversion)
    }

    public static func find(_ id: TouchpointID, _ reader: Reader) throws -> Touchpoint? {
        try reader.first(
            """
            SELECT id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id
            FROM touchpoints WHERE id = ?
            """, id, map: touch)
    }

    /// Whether the customer has a touch of the same kind, link and participant at the same time.
    public static func isKnown(like touch: Touchpoint, _ reader: Reader) throws -> Bool {
        try reader.integer(
            """
            SELECT seq FROM touchpoints
            WHERE customer_id = ? AND occurred_at = ? AND kind = ? AND link_id IS ?
                AND participant_id IS ?
            LIMIT 1
            """, touch.customer, touch.occurredAt, touch.kind.rawValue, touch.link,
            touch.participant) != nil
    }

    public static func find(
        externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> Touchpoint? {
        try reader.first(
            """
            SELECT id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id
            FROM touchpoints WHERE program_id = ? AND external_id = ?
            """, program, externalID, map: touch)
    }

    /// The touch of a customer by a click; of whichever customer it touched first, unless told.
    public static func find(
        click: ClickID, of customer: CustomerID? = nil, _ reader: Reader
    ) throws -> Touchpoint? {
        var query = Query(
            """
            SELECT id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id
            FROM touchpoints WHERE click_id = ?
            """, click)
        if let customer { query.append(" AND customer_id = ?", customer) }
        query.append(" ORDER BY seq LIMIT 1")
        return try reader.first(query, map: touch)
    }

    public static func sequence(of id: TouchpointID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM touchpoints WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Touchpoint> {
        var query = Query(
            """
            SELECT id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id
            FROM touchpoints WHERE 1 = 1
            """)
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let customer = filter.customer { query.append(" AND customer_id = ?", customer) }
        if let own = filter.participant { query.append(" AND participant_id = ?", own) }
        if let source = filter.source { query.append(" AND source = ?", source.rawValue) }
        if let id = filter.externalID {
            // It is unique within a program: found in each, of which there are few.
            query.append(" AND external_id = ? AND program_id IN (SELECT id FROM programs)", id)
        }
        if let created = filter.created {
            query.append(" AND created_at >= ?", created.lowerBound)
            query.append(" AND created_at < ?", created.upperBound)
        }
        return try reader.page(query, request, map: touch)
    }

    /// The newest touches of a customer at or before `end`, oldest first, ties by id.
    public static func touches(
        of customer: CustomerID, until end: Instant, limit: Int = touchesMax, _ reader: Reader
    ) throws -> [Touchpoint] {
        try reader.all(
            """
            SELECT id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id
            FROM touchpoints WHERE customer_id = ? AND occurred_at <= ?
            ORDER BY occurred_at DESC, id DESC LIMIT ?
            """, customer, end, Int64(limit), map: touch
        ).reversed()
    }

    /// What the reports of a sale tell beside clicks, of whichever of `customers`.
    public static func told(
        by conversion: ConversionID, of customers: [CustomerID], _ reader: Reader
    ) throws -> [Touchpoint] {
        var query = Query(
            """
            SELECT id, program_id, customer_id, participant_id, source, kind, channel, campaign,
                external_id, link_id, click_id, lead_id, occurred_at, created_at, reclaimed,
                conversion_id
            FROM touchpoints WHERE customer_id IN
            """)
        query.appendList(customers)
        query.append(
            " AND conversion_id = ? AND click_id IS NULL ORDER BY seq LIMIT 100", conversion)
        return try reader.all(query, map: touch)
    }

    /// The reports of a sale together tell otherwise. The results that saw the touch keep it.
    public static func remove(_ id: TouchpointID, _ tx: Transaction) throws {
        try tx.run("DELETE FROM touchpoints WHERE id = ? AND conversion_id IS NOT NULL", id)
    }

    /// The newest touches that are looked at.
    public static let touchesMax = 500

    private static func touch(_ row: Row) throws -> Touchpoint {
        guard let source = try TouchSource(rawValue: row.text(4)),
            let kind = try Touchpoint.Kind(rawValue: row.text(5))
        else { throw DatabaseFault(operation: "read a touchpoint", code: DatabaseFault.corrupt) }
        return try Touchpoint(
            id: row.id(0), program: row.id(1), customer: row.id(2), participant: row.optionalID(3),
            source: source, kind: kind, channel: row.optionalText(6), campaign: row.optionalText(7),
            externalID: row.optionalText(8), link: row.optionalID(9), click: row.optionalID(10),
            lead: row.optionalID(11), reclaimed: row.optionalText(14),
            conversion: row.optionalID(15),
            occurredAt: row.instant(12),
            createdAt: row.instant(13))
    }
}
