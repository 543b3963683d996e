import Database
import JSON
import Model

/// All SQL of disputes and their evidence.
public enum DisputeStore {
    /// What a list of disputes is narrowed to.
    public struct Filter: Sendable {
        public var program: ProgramID?
        /// On either side.
        public var participant: ParticipantID?
        public var state: Dispute.State?

        public init() {}
    }

    public static func find(_ id: DisputeID, _ reader: Reader) throws -> Dispute? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: dispute)
    }

    /// The newest disputes about the claim, on either side.
    public static func about(
        _ registration: RegistrationID, limit: Int, _ reader: Reader
    ) throws -> [DisputeID] {
        try reader.all(
            """
            SELECT id FROM disputes WHERE claim_id = ? OR contested_id = ?
            ORDER BY seq DESC LIMIT ?
            """, registration, registration, Int64(limit)
        ) { try $0.id(0) }
    }

    public static func sequence(of id: DisputeID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM disputes WHERE id = ?", id)
    }

    /// The open dispute over these two claims.
    public static func open(
        claim: RegistrationID, contested: RegistrationID, _ reader: Reader
    ) throws -> DisputeID? {
        try reader.first(
            """
            SELECT id FROM disputes
            WHERE claim_id = ? AND contested_id = ? AND state <> 'resolved'
            """, claim, contested
        ) { try $0.id(0) }
    }

    /// The newest ruled dispute between two claims, whoever of them asked.
    public static func ruled(
        between one: RegistrationID, _ other: RegistrationID, _ reader: Reader
    ) throws -> DisputeID? {
        try reader.first(
            """
            SELECT id FROM disputes
            WHERE state = 'resolved' AND (
                (claim_id = ? AND contested_id = ?) OR (claim_id = ? AND contested_id = ?))
            ORDER BY seq DESC LIMIT 1
            """, one, other, other, one
        ) { try $0.id(0) }
    }

    /// The first of the open disputes that a claim is in, on either side.
    public static func earliestOpen(
        about registration: RegistrationID, _ reader: Reader
    ) throws -> DisputeID? {
        try reader.first(
            """
            SELECT id FROM disputes
            WHERE (claim_id = ? OR contested_id = ?) AND state <> 'resolved'
            ORDER BY seq LIMIT 1
            """, registration, registration
        ) { try $0.id(0) }
    }

    /// Whether the participant asks for a ruling just now, or the operator does for it.
    public static func hasOpen(_ participant: ParticipantID, _ reader: Reader) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM disputes
            WHERE claimant_id = ? AND state <> 'resolved' AND opened_by <> 'system' LIMIT 1
            """, participant) != nil
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Dispute> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let participant = filter.participant {
            query.append(" AND (claimant_id = ? OR respondent_id = ?)", participant, participant)
        }
        if let state = filter.state { query.append(" AND state = ?", state.rawValue) }
        return try reader.page(query, request, map: dispute)
    }

    public static func insert(_ dispute: Dispute, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO disputes (
                id, program_id, claim_id, contested_id, claimant_id, respondent_id, opened_by,
                state, reason, owner, due_at, metadata, version, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, dispute.id, dispute.program, dispute.claim, dispute.contested, dispute.claimant,
            dispute.respondent, dispute.openedBy.rawValue, dispute.state.rawValue, dispute.reason,
            dispute.owner, dispute.dueAt, JSONValue.object(dispute.metadata).text,
            dispute.version, dispute.createdAt, dispute.updatedAt)
    }

    /// Writes every column that can change.
    public static func update(_ dispute: Dispute, _ tx: Transaction) throws {
        var share: Int64?
        if case .split(let claimantShare)? = dispute.ruling?.decision { share = claimantShare }
        try tx.run(
            """
            UPDATE disputes SET state = ?, owner = ?, escalated_at = ?, decision = ?,
                claimant_share = ?, ruling_reason = ?, ruled_by = ?, ruled_at = ?, metadata = ?,
                version = ?, updated_at = ?
            WHERE id = ?
            """, dispute.state.rawValue, dispute.owner, dispute.escalatedAt,
            dispute.ruling?.decision.name, share, dispute.ruling?.reason, dispute.ruling?.by,
            dispute.ruling?.at, JSONValue.object(dispute.metadata).text, dispute.version,
            dispute.updatedAt, dispute.id)
    }

    // MARK: - Evidence

    public static func add(
        _ evidence: DisputeEvidence, to dispute: DisputeID, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO dispute_evidence (dispute_id, party, note, created_at)
            VALUES (?, ?, ?, ?)
            """, dispute, evidence.party.rawValue, evidence.note, evidence.createdAt)
    }

    /// Oldest first; all of it, for there is a limit.
    public static func evidence(
        of dispute: DisputeID, _ reader: Reader
    ) throws -> [DisputeEvidence] {
        try reader.all(
            """
            SELECT party, note, created_at FROM dispute_evidence WHERE dispute_id = ? ORDER BY seq
            """, dispute
        ) { row in
            try DisputeEvidence(
                party: Dispute.Party(rawValue: row.text(0)) ?? .operator, note: row.text(1),
                createdAt: row.instant(2))
        }
    }

    // MARK: - Rows

    private static let columns: StaticString = """
        SELECT id, program_id, claim_id, contested_id, claimant_id, respondent_id, opened_by, state,
            reason, owner, due_at, escalated_at, decision, claimant_share, ruling_reason, ruled_by,
            ruled_at, metadata, version, created_at, updated_at
        FROM disputes
        """

    private static func dispute(_ row: Row) throws -> Dispute {
        guard let openedBy = try Dispute.Opener(rawValue: row.text(6)),
            let state = try Dispute.State(rawValue: row.text(7)),
            let metadata = try JSONValue.parse(Array(row.text(17).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a dispute", code: DatabaseFault.corrupt) }
        return try Dispute(
            id: row.id(0), program: row.id(1), claim: row.id(2), contested: row.id(3),
            claimant: row.id(4), respondent: row.id(5), openedBy: openedBy, state: state,
            reason: row.optionalText(8), owner: row.optionalText(9), dueAt: row.instant(10),
            escalatedAt: row.optionalInstant(11), ruling: ruling(row), metadata: metadata,
            version: row.int64(18), createdAt: row.instant(19), updatedAt: row.instant(20))
    }

    private static func ruling(_ row: Row) throws -> Ruling? {
        guard let name = try row.optionalText(12) else { return nil }
        let decision: Ruling.Decision
        switch name {
        case "uphold": decision = .uphold
        case "transfer": decision = .transfer
        case "split": decision = .split(claimantShare: try row.int64(13))
        default: decision = .reject
        }
        return try Ruling(
            decision: decision, reason: row.text(14), by: row.text(15), at: row.instant(16))
    }
}
