import Database
import JSON
import Model

/// All SQL of links.
public enum LinkStore {
    public static func find(_ id: LinkID, _ reader: Reader) throws -> Link? {
        try reader.first(
            """
            SELECT id, program_id, participant_id, code, destination_url, channel, campaign, utm,
                state,
                expires_at, metadata, version, created_at, updated_at, disabled_at,
                hidden
            FROM links WHERE id = ?
            """, id, map: link)
    }

    /// The link of this code, in whatever case.
    public static func find(code: String, _ reader: Reader) throws -> Link? {
        try locate(code: code, reader)?.link
    }

    /// The link of this code with its sequence, which its clicks carry.
    public static func locate(
        code: String, _ reader: Reader
    ) throws -> (link: Link, sequence: Int64)? {
        try reader.first(
            """
            SELECT id, program_id, participant_id, code, destination_url, channel, campaign, utm,
                state,
                expires_at, metadata, version, created_at, updated_at, disabled_at,
                hidden, seq
            FROM links WHERE code_key = ?
            """, LinkCode.key(of: code)
        ) { row in try (link(row), row.int64(16)) }
    }

    /// A code, as it is spelled, that differs from `code` in one letter; of another participant
    /// than `owner`.
    public static func neighbour(
        of code: String, exceptOf owner: ParticipantID? = nil, _ reader: Reader
    ) throws -> String? {
        let keys = JSONValue.array(
            LinkCode.neighbours(of: LinkCode.key(of: code)).map { .string($0) })
        var query = Query(
            "SELECT code FROM links WHERE code_key IN (SELECT value FROM json_each(?))", keys.text)
        if let owner { query.append(" AND participant_id <> ?", owner) }
        query.append(" LIMIT 1")
        return try reader.first(query) { try $0.text(0) }
    }

    public static func hasAny(of participant: ParticipantID, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT seq FROM links WHERE participant_id = ? LIMIT 1", participant)
            != nil
    }

    public static func isTaken(code: String, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT seq FROM links WHERE code_key = ?", LinkCode.key(of: code))
            != nil
    }

    public static func isAny(in program: ProgramID, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT 1 FROM links WHERE program_id = ? LIMIT 1", program) != nil
    }

    public static func sequence(of id: LinkID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM links WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, program: ProgramID? = nil, participant: ParticipantID? = nil,
        state: String? = nil, channel: String? = nil, isHidden: Bool = false,
        created: Range<Instant>? = nil,
        _ reader: Reader
    ) throws -> Page<Link> {
        var query = Query(
            """
            SELECT id, program_id, participant_id, code, destination_url, channel, campaign, utm,
                state,
                expires_at, metadata, version, created_at, updated_at, disabled_at,
                hidden
            FROM links WHERE hidden = ?
            """, isHidden ? 1 : 0)
        if let program { query.append(" AND program_id = ?", program) }
        if let participant { query.append(" AND participant_id = ?", participant) }
        if let state { query.append(" AND state = ?", state) }
        if let channel { query.append(" AND channel = ?", channel) }
        if let created {
            query.append(
                " AND created_at >= ? AND created_at < ?", created.lowerBound, created.upperBound)
        }
        return try reader.page(query, request, map: link)
    }

    /// Needs no new generation of what the loops keep: they keep no code that they did not find.
    public static func insert(_ link: Link, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO links (
                id, program_id, participant_id, code, code_key, destination_url, channel, campaign,
                utm,
                state, expires_at, metadata, version, created_at, updated_at, disabled_at, hidden)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, link.id, link.program, link.participant, link.code, LinkCode.key(of: link.code),
            link.destination?.text, link.channel.rawValue, link.campaign,
            JSONValue.object(link.utm.json).text, link.state.rawValue, link.expiresAt,
            JSONValue.object(link.metadata).text, link.version, link.createdAt, link.updatedAt,
            link.disabledAt, link.isHidden ? 1 : 0)
    }

    public static func update(_ link: Link, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE links SET destination_url = ?, channel = ?, campaign = ?, utm = ?, state = ?,
                expires_at = ?, metadata = ?, version = ?, updated_at = ?,
                disabled_at = ?, hidden = ?
            WHERE id = ?
            """, link.destination?.text, link.channel.rawValue, link.campaign,
            JSONValue.object(link.utm.json).text, link.state.rawValue, link.expiresAt,
            JSONValue.object(link.metadata).text, link.version, link.updatedAt,
            link.disabledAt, link.isHidden ? 1 : 0, link.id)
        tx.markConfigurationChanged()
    }

    private static func link(_ row: Row) throws -> Link {
        guard let channel = try Link.Channel(rawValue: row.text(5)),
            let state = try Link.State(rawValue: row.text(8)),
            let utm = try JSONValue.parse(Array(row.text(7).utf8)).objectValue,
            let metadata = try JSONValue.parse(Array(row.text(10).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a link", code: DatabaseFault.corrupt) }
        let destination = try row.optionalText(4)
        let url = destination.flatMap { WebURL($0) }
        guard (destination == nil) == (url == nil) else {
            throw DatabaseFault(operation: "read a link", code: DatabaseFault.corrupt)
        }
        return try Link(
            id: row.id(0), program: row.id(1), participant: row.id(2), code: row.text(3),
            destination: url, channel: channel, campaign: row.optionalText(6),
            utm: CampaignTags(utm), state: state, disabledAt: row.optionalInstant(14),
            isHidden: row.int64(15) != 0, expiresAt: row.optionalInstant(9),
            metadata: metadata, version: row.int64(11), createdAt: row.instant(12),
            updatedAt: row.instant(13))
    }
}
