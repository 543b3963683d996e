import Database
import Model

/// All SQL of claims on accounts: who holds which account when.
public enum AccountClaimStore {
    /// The claims under `key` that hold at `instant`, earliest first, at most 100.
    public static func holding(
        _ key: AccountKey, at instant: Instant, _ reader: Reader
    ) throws -> [AccountClaim] {
        try reader.all(
            """
            SELECT key, kind, has_domain, scope, part, registration_id, participant_id, held_from,
                held_until, registration_seq
            FROM account_claims
            WHERE key = ? AND held_from <= ? AND held_until > ?
            ORDER BY held_from, registration_id LIMIT 100
            """, key.bytes, instant, instant, map: claim)
    }

    /// When one of `participants` first claimed the account under `key`.
    public static func firstReach(
        _ key: AccountKey, by participants: [ParticipantID], _ reader: Reader
    ) throws -> Instant? {
        var query = Query(
            "SELECT min(held_from) FROM account_claims WHERE key = ? AND participant_id IN",
            key.bytes)
        query.appendList(participants)
        return try reader.integer(query).map { Instant(milliseconds: $0) }
    }

    /// Whether a registration holds its account at `instant`.
    public static func isHeld(
        by registration: RegistrationID, at instant: Instant, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM account_claims
            WHERE registration_id = ? AND held_from <= ? AND held_until > ? LIMIT 1
            """, registration, instant, instant) != nil
    }

    /// When the participant's newest claim under `key` that came to nothing ended: it lapsed, was
    /// lost, or was given up, which must not be a way around the limit of extensions. Nil when none
    /// has.
    public static func lastLapse(
        of participant: ParticipantID, _ key: AccountKey, scope: ProgramID?, at now: Instant,
        _ reader: Reader
    ) throws -> Instant? {
        try reader.integer(
            """
            SELECT max(c.held_until)
            FROM account_claims AS c JOIN registrations AS r ON r.seq = c.registration_seq
            WHERE c.key = ? AND c.participant_id = ? AND c.scope = ? AND c.held_until <= ?
                AND r.state IN ('expired', 'withdrawn', 'lost')
            """, key.bytes, participant, scopeBytes(scope), now
        ).map { Instant(milliseconds: $0) }
    }

    public static func insert(_ claim: AccountClaim, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO account_claims (
                key, held_from, registration_id, registration_seq, kind, has_domain, scope, part,
                participant_id, held_until)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key, held_from, registration_id)
                DO UPDATE SET held_until = excluded.held_until
            """, claim.key.bytes, claim.heldFrom, claim.registration, claim.sequence,
            claim.kind.rawValue, claim.hasDomain, scopeBytes(claim.scope), claim.part ?? "",
            claim.participant,
            claim.heldUntil)
    }

    /// Has the registration hold its account until `end`. What had ended before stays as it was:
    /// others may have held the account since.
    public static func hold(
        _ registration: RegistrationID, until end: Instant, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            UPDATE account_claims SET held_until = max(held_from, ?)
            WHERE registration_id = ? AND held_until > ?
            """, end, registration, tx.now)
    }

    private static func scopeBytes(_ scope: ProgramID?) -> [UInt8] {
        scope?.bytes ?? []
    }

    private static func claim(_ row: Row) throws -> AccountClaim {
        guard let key = try AccountKey(bytes: row.blob(0)),
            let kind = try AccountClaim.Kind(rawValue: row.text(1))
        else { throw DatabaseFault(operation: "read a claim", code: DatabaseFault.corrupt) }
        let part = try row.text(4)
        return try AccountClaim(
            key: key, kind: kind, hasDomain: row.bool(2),
            scope: row.blob(3).isEmpty ? nil : row.id(3), part: part.isEmpty ? nil : part,
            registration: row.id(5), sequence: row.int64(9), participant: row.id(6),
            heldFrom: row.instant(7), heldUntil: row.instant(8))
    }
}
