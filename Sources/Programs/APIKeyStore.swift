import Database
import Model

/// All SQL of keys.
public enum APIKeyStore {
    public static func insert(
        _ key: APIKey, hash: [UInt8], by actor: String, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO api_keys (
                id, kind, name, scopes, participant_id, program_id, secret_hash, hint, created_by,
                created_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, key.id, key.kind.rawValue, key.name,
            key.scopes.map(\.rawValue).sorted().joined(separator: " "), key.participant,
            key.program,
            hash, key.hint, actor, key.createdAt, key.expiresAt)
    }

    /// The key whose secret has this hash, revoked and expired ones too.
    public static func find(hash: [UInt8], _ reader: Reader) throws -> APIKey? {
        try reader.first(
            """
            SELECT id, kind, name, scopes, participant_id, program_id, hint, created_at, expires_at,
                revoked_at
            FROM api_keys WHERE secret_hash = ?
            """, hash, map: key)
    }

    public static func find(_ id: APIKeyID, _ reader: Reader) throws -> APIKey? {
        try reader.first(
            """
            SELECT id, kind, name, scopes, participant_id, program_id, hint, created_at, expires_at,
                revoked_at
            FROM api_keys WHERE id = ?
            """, id, map: key)
    }

    /// Whether `actor` made a token of the participant.
    public static func hasMade(
        _ actor: String, tokenOf participant: ParticipantID, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            "SELECT 1 FROM api_keys WHERE participant_id = ? AND created_by = ? LIMIT 1",
            participant, actor) != nil
    }

    public static func sequence(of id: APIKeyID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM api_keys WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, participant: ParticipantID? = nil, _ reader: Reader
    ) throws -> Page<APIKey> {
        var query = Query(
            """
            SELECT id, kind, name, scopes, participant_id, program_id, hint, created_at, expires_at,
                revoked_at
            FROM api_keys WHERE 1 = 1
            """)
        if let participant { query.append(" AND participant_id = ?", participant) }
        return try reader.page(query, request, map: key)
    }

    /// Whether any secret key may still administer.
    public static func count(_ reader: Reader) throws -> Int64 {
        try reader.integer("SELECT count(*) FROM api_keys") ?? 0
    }

    /// Marks the key as revoked; a second call changes nothing.
    public static func revoke(_ id: APIKeyID, _ tx: Transaction) throws {
        try tx.run(
            "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", tx.now, id)
        tx.markConfigurationChanged()
    }

    /// Revokes every token of the participant that is not; which ones.
    public static func revokeAll(
        of participant: ParticipantID, _ tx: Transaction
    ) throws -> [APIKeyID] {
        let tokens: [APIKeyID] = try tx.all(
            "SELECT id FROM api_keys WHERE participant_id = ? AND revoked_at IS NULL ORDER BY seq",
            participant
        ) { try $0.id(0) }
        for token in tokens { try revoke(token, tx) }
        return tokens
    }

    private static func key(_ row: Row) throws -> APIKey {
        try APIKey(
            id: row.id(0), kind: APIKey.Kind(rawValue: row.text(1)) ?? .participant,
            name: row.text(2),
            scopes: Set(
                row.text(3).split(separator: " ").compactMap { Scope(rawValue: String($0)) }),
            participant: row.optionalID(4), program: row.optionalID(5), hint: row.text(6),
            createdAt: row.instant(7), expiresAt: row.optionalInstant(8),
            revokedAt: row.optionalInstant(9))
    }
}
