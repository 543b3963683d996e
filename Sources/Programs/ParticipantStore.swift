import Database
import JSON
import Model

/// All SQL of participants.
public enum ParticipantStore {
    public static func find(_ id: ParticipantID, _ reader: Reader) throws -> Participant? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: participant)
    }

    /// The participant of `program` with this normalised address.
    public static func find(
        email: EmailAddress, in program: ProgramID, _ reader: Reader
    ) throws -> Participant? {
        var query = Query(columns)
        query.append(" WHERE program_id = ? AND email_key = ?", program, email.normalized)
        return try reader.first(query, map: participant)
    }

    public static func owner(
        externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> ParticipantID? {
        try reader.first(
            "SELECT id FROM participants WHERE program_id = ? AND external_id = ?", program,
            externalID
        ) { try $0.id(0) }
    }

    /// As `find`, from the writer's memory when nothing was changed.
    public static func recall(_ id: ParticipantID, _ tx: Transaction) throws -> Participant? {
        try tx.remembering(id) { try find(id, tx) }
    }

    public static func isAny(in program: ProgramID, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT 1 FROM participants WHERE program_id = ? LIMIT 1", program)
            != nil
    }

    public static func sequence(of id: ParticipantID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM participants WHERE id = ?", id)
    }

    /// Which participants a list is of; nil: of all.
    public struct Filter: Sendable {
        public var program: ProgramID?
        public var state: String?
        public var only: ParticipantID?
        public var kind: String?
        public var externalID: String?
        public var email: EmailAddress?
        public var segment: String?
        /// The whole name, in any case of ASCII letters.
        public var name: String?

        public init() {}
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Participant> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let participant = filter.only { query.append(" AND id = ?", participant) }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let id = filter.externalID { query.append(" AND external_id = ?", id) }
        if let email = filter.email { query.append(" AND email_key = ?", email.normalized) }
        if let segment = filter.segment { query.append(" AND segment = ?", segment) }
        if let name = filter.name { query.append(" AND name = ? COLLATE NOCASE", name) }
        return try reader.page(query, request, map: self.participant)
    }

    public static func insert(_ participant: Participant, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO participants (
                id, program_id, kind, state, external_id, name, email, email_key, phone, company,
                payout_account, profile, metadata, version, created_at, updated_at,
                terms_version, terms_accepted_at, segment)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, participant.id, participant.program, participant.kind.rawValue,
            participant.state.rawValue, participant.externalID, participant.name,
            participant.email.text, participant.email.normalized, participant.phone,
            participant.company, participant.payoutAccount,
            JSONValue.object(participant.profile.json).text,
            JSONValue.object(participant.metadata).text, participant.version, participant.createdAt,
            participant.updatedAt, participant.acceptedTerms?.version,
            participant.acceptedTerms?.acceptedAt, participant.profile.segment)
        tx.markConfigurationChanged()
    }

    public static func update(_ participant: Participant, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE participants SET kind = ?, state = ?, external_id = ?, name = ?, email = ?,
                email_key = ?, phone = ?, company = ?, payout_account = ?, profile = ?,
                metadata = ?, version = ?, updated_at = ?, terms_version = ?,
                terms_accepted_at = ?, segment = ?
            WHERE id = ?
            """, participant.kind.rawValue, participant.state.rawValue, participant.externalID,
            participant.name, participant.email.text, participant.email.normalized,
            participant.phone, participant.company, participant.payoutAccount,
            JSONValue.object(participant.profile.json).text,
            JSONValue.object(participant.metadata).text, participant.version,
            participant.updatedAt, participant.acceptedTerms?.version,
            participant.acceptedTerms?.acceptedAt, participant.profile.segment, participant.id)
        tx.markConfigurationChanged()
    }

    private static let columns: StaticString = """
        SELECT id, program_id, kind, state, external_id, name, email, company, metadata, version,
            created_at, updated_at, profile, phone, payout_account, terms_version, terms_accepted_at
        FROM participants
        """

    private static func acceptedTerms(_ row: Row) throws -> AcceptedTerms? {
        guard let version = try row.optionalInt64(15), let instant = try row.optionalInstant(16)
        else { return nil }
        return AcceptedTerms(version: version, acceptedAt: instant)
    }

    private static func participant(_ row: Row) throws -> Participant {
        guard let kind = try Participant.Kind(rawValue: row.text(2)),
            let state = try Participant.State(rawValue: row.text(3)),
            let email = try EmailAddress(row.text(6)),
            let metadata = try JSONValue.parse(Array(row.text(8).utf8)).objectValue,
            let profile = try JSONValue.parse(Array(row.text(12).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a participant", code: DatabaseFault.corrupt) }
        return try Participant(
            id: row.id(0), program: row.id(1), kind: kind, state: state,
            externalID: row.optionalText(4), name: row.text(5), email: email,
            phone: row.optionalText(13), company: row.optionalText(7),
            payoutAccount: row.optionalText(14), profile: ParticipantProfile(json: profile),
            acceptedTerms: acceptedTerms(row), metadata: metadata, version: row.int64(9),
            createdAt: row.instant(10), updatedAt: row.instant(11))
    }
}
