import Database
import JSON
import Model

/// All SQL of leads.
public enum LeadStore {
    /// What a list of leads is narrowed to.
    public struct Filter: Sendable {
        public var program: ProgramID?
        public var participant: ParticipantID?
        /// Nil: every state but spam.
        public var state: Lead.State?
        public var email: EmailAddress?
        public var createdFrom: Instant?
        public var createdBefore: Instant?

        public init() {}
    }

    public static func find(_ id: LeadID, _ reader: Reader) throws -> Lead? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: lead)
    }

    public static func sequence(of id: LeadID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM leads WHERE id = ?", id)
    }

    /// The oldest lead of `program` for this mailbox that counts: neither a duplicate nor spam.
    public static func earliest(
        for email: EmailAddress, in program: ProgramID, _ reader: Reader
    ) throws -> LeadID? {
        try reader.first(
            """
            SELECT id FROM leads
            WHERE email_key = ? AND program_id = ? AND state NOT IN ('duplicate', 'spam')
            ORDER BY seq LIMIT 1
            """, email.normalized, program
        ) { try $0.id(0) }
    }

    /// The lead that a form post with this digest made after `start`.
    public static func posted(
        _ digest: [UInt8], for email: EmailAddress, in program: ProgramID, after start: Instant,
        _ reader: Reader
    ) throws -> Lead? {
        var query = Query(columns)
        query.append(
            " WHERE email_key = ? AND program_id = ? AND form_digest = ? AND created_at > ?",
            email.normalized, program, digest, start)
        query.append(" ORDER BY seq LIMIT 1")
        return try reader.first(query, map: lead)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Lead> {
        var query = Query(columns)
        switch filter.state {
        case nil: query.append(" WHERE state <> 'spam'")
        case .submitted: query.append(" WHERE state = 'submitted'")
        case let state?:
            // The first term is what the partial index is declared with.
            query.append(" WHERE state <> 'submitted' AND state = ?", state.rawValue)
        }
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let email = filter.email { query.append(" AND email_key = ?", email.normalized) }
        if let start = filter.createdFrom {
            guard let first = try firstSequence(from: start, reader) else {
                return Page(items: [], hasMore: false, request: request)
            }
            query.append(" AND seq >= ?", first)
        }
        if let end = filter.createdBefore, let first = try firstSequence(from: end, reader) {
            query.append(" AND seq < ?", first)
        }
        return try reader.page(query, request, map: lead)
    }

    /// The sequence of the first lead created at or after `start`; nil when there is none. Times
    /// rise with the sequence, and identifiers begin with the time, so their index finds the place;
    /// within its millisecond identifiers are in no order, hence the minimum.
    private static func firstSequence(from start: Instant, _ reader: Reader) throws -> Int64? {
        let created = try reader.integer(
            "SELECT created_at FROM leads WHERE id >= ? ORDER BY id LIMIT 1", lowestID(at: start))
        guard let created else { return nil }
        let instant = Instant(milliseconds: created)
        return try reader.integer(
            "SELECT min(seq) FROM leads WHERE id >= ? AND id < ?", lowestID(at: instant),
            lowestID(at: instant.advanced(byMilliseconds: 1)))
    }

    private static func lowestID(at instant: Instant) -> LeadID {
        let time = min(UInt64(clamping: instant.milliseconds), 0xFFFF_FFFF_FFFF)
        return LeadID(high: time << 16, low: 0)
    }

    public static func insert(_ lead: Lead, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO leads (
                id, program_id, participant_id, link_id, click_id, customer_id, state, source, name,
                email, email_key, company, domain, phone, note, intro, estimated_amount,
                estimated_currency, duplicate_of, reason_code, form_digest, metadata, version,
                created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, lead.id, lead.program, lead.referrer.participant, lead.referrer.link,
            lead.referrer.click, lead.customer, lead.state.rawValue, lead.source.rawValue,
            lead.contact.name, lead.contact.email?.text, lead.contact.email?.normalized,
            lead.contact.company, lead.contact.domain?.text, lead.contact.phone, lead.contact.note,
            lead.intro?.rawValue, lead.estimatedValue?.amount, lead.estimatedValue?.currency.code,
            lead.duplicateOf, lead.reasonCode, lead.formDigest, metadata(lead), lead.version,
            lead.createdAt, lead.updatedAt)
    }

    /// Writes every column that can change.
    public static func update(_ lead: Lead, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE leads SET state = ?, name = ?, company = ?, domain = ?, phone = ?, note = ?,
                intro = ?, estimated_amount = ?, estimated_currency = ?, won_amount = ?,
                won_currency = ?, reason_code = ?, reason = ?, follow_up_at = ?, qualified_at = ?,
                won_at = ?, metadata = ?, version = ?, updated_at = ?
            WHERE id = ?
            """, lead.state.rawValue, lead.contact.name, lead.contact.company,
            lead.contact.domain?.text, lead.contact.phone, lead.contact.note, lead.intro?.rawValue,
            lead.estimatedValue?.amount, lead.estimatedValue?.currency.code, lead.wonValue?.amount,
            lead.wonValue?.currency.code, lead.reasonCode, lead.reason, lead.followUpAt,
            lead.qualifiedAt, lead.wonAt, metadata(lead), lead.version, lead.updatedAt, lead.id)
    }

    private static let columns: StaticString = """
        SELECT id, program_id, participant_id, link_id, click_id, customer_id, state, source, name,
            email, company, domain, phone, note, intro, estimated_amount, estimated_currency,
            won_amount, won_currency, duplicate_of, reason_code, reason, follow_up_at, qualified_at,
            won_at, form_digest, metadata, version, created_at, updated_at
        FROM leads
        """

    private static func metadata(_ lead: Lead) -> String {
        lead.metadata.isEmpty ? "{}" : JSONValue.object(lead.metadata).text
    }

    private static func lead(_ row: Row) throws -> Lead {
        guard let state = try Lead.State(rawValue: row.text(6)),
            let source = try Lead.Source(rawValue: row.text(7)),
            let metadata = try JSONValue.parse(Array(row.text(26).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a lead", code: DatabaseFault.corrupt) }
        let contact = try Contact(
            name: row.optionalText(8), email: row.optionalText(9).flatMap { EmailAddress($0) },
            company: row.optionalText(10), domain: row.optionalText(11).flatMap { DomainName($0) },
            phone: row.optionalText(12), note: row.optionalText(13))
        return try Lead(
            id: row.id(0), program: row.id(1),
            referrer: Referrer(
                participant: row.optionalID(2), link: row.optionalID(3), click: row.optionalID(4)),
            customer: row.optionalID(5), state: state, source: source, contact: contact,
            intro: row.optionalText(14).flatMap { Lead.Intro(rawValue: $0) },
            estimatedValue: money(row, 15), wonValue: money(row, 17),
            duplicateOf: row.optionalID(19),
            reasonCode: row.optionalText(20), reason: row.optionalText(21),
            followUpAt: row.optionalInstant(22), qualifiedAt: row.optionalInstant(23),
            wonAt: row.optionalInstant(24), formDigest: row.optionalBlob(25), metadata: metadata,
            version: row.int64(27), createdAt: row.instant(28), updatedAt: row.instant(29))
    }

    private static func money(_ row: Row, _ index: Int) throws -> Money? {
        guard let amount = try row.optionalInt64(index),
            let currency = try row.optionalText(index + 1).flatMap({ Currency($0) })
        else { return nil }
        return Money(amount: amount, currency: currency)
    }
}
