import Database
import JSON
import Model

/// All SQL of registrations and of their earlier versions.
public enum RegistrationStore {
    /// What a list of registrations is narrowed to.
    public struct Filter: Sendable {
        public var program: ProgramID?
        public var participant: ParticipantID?
        public var state: Registration.State?

        public init() {}
    }

    public static func find(_ id: RegistrationID, _ reader: Reader) throws -> Registration? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: registration)
    }

    /// By its place in the table.
    public static func find(sequence: Int64, _ reader: Reader) throws -> Registration? {
        var query = Query(columns)
        query.append(" WHERE seq = ?", sequence)
        return try reader.first(query, map: registration)
    }

    /// The registration as it was at `instant`; nil before it was submitted.
    public static func find(
        _ id: RegistrationID, asOf instant: Instant, _ reader: Reader
    ) throws -> Registration? {
        guard let current = try find(id, reader), current.createdAt <= instant else { return nil }
        if current.updatedAt <= instant { return current }
        return try reader.first(
            """
            SELECT r.id, r.program_id, r.participant_id, v.state, r.account_name, r.account_domain,
                r.account_country, r.part, v.contact_name, v.contact_email, v.contact_phone,
                v.value_amount, v.value_currency, v.expected_close, v.evidence, r.terms,
                r.program_version, r.decision_due_at, r.window_ends_at, v.protected_until,
                r.protected_until_latest, v.share, v.extensions, v.decided_at, v.ended_at,
                v.won_amount, v.won_currency, v.reason_code, v.reason, r.blocked_by, NULL,
                v.dispute_id, r.nonce, v.metadata, v.version, r.created_at, v.updated_at,
                r.account_normalized, r.terms_version
            FROM registration_versions AS v JOIN registrations AS r ON r.id = v.id
            WHERE v.id = ? AND v.updated_at <= ? ORDER BY v.version DESC LIMIT 1
            """, id, instant, map: registration)
    }

    public static func sequence(of id: RegistrationID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM registrations WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Registration> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let state = filter.state { query.append(" AND state = ?", state.rawValue) }
        return try reader.page(query, request, map: registration)
    }

    /// The participant's claims that are submitted or approved, earliest first.
    public static func open(
        of participant: ParticipantID, limit: Int, _ reader: Reader
    ) throws -> [Registration] {
        var query = Query(columns)
        query.append(
            " WHERE participant_id = ? AND state IN ('submitted', 'approved')", participant)
        query.append(" ORDER BY seq LIMIT ?", Int64(limit))
        return try reader.all(query, map: registration)
    }

    /// The refused claim of this participant that the same registration stood in the way of.
    public static func refusal(
        of participant: ParticipantID, blockedBy blocker: RegistrationID, _ reader: Reader
    ) throws -> Registration? {
        var query = Query(columns)
        query.append(" WHERE blocked_by = ? AND participant_id = ?", blocker, participant)
        query.append(" AND state = 'refused' ORDER BY seq LIMIT 1")
        return try reader.first(query, map: registration)
    }

    /// The earliest refused claim that waits for this registration's account.
    public static func earliestRefused(
        by blocker: RegistrationID, _ reader: Reader
    ) throws -> Registration? {
        var query = Query(columns)
        query.append(
            " WHERE blocked_by = ? AND state = 'refused' AND told_free_at IS NULL", blocker)
        query.append(" ORDER BY seq LIMIT 1")
        return try reader.first(query, map: registration)
    }

    /// Whoever was refused for one registration waits for another from now on.
    public static func passOn(
        refusedBy old: RegistrationID, to new: RegistrationID, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            UPDATE registrations SET blocked_by = ?
            WHERE blocked_by = ? AND state = 'refused' AND id <> ?
            """, new, old, new)
    }

    public static func insert(_ registration: Registration, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO registrations (
                id, program_id, participant_id, state, account_name, account_domain,
                account_country, part, contact_name, contact_email, contact_phone, value_amount,
                value_currency, expected_close, evidence, terms, program_version, decision_due_at,
                window_ends_at, protected_until, protected_until_latest, share, extensions,
                decided_at, ended_at, won_amount, won_currency, reason_code, reason, blocked_by,
                told_free_at, dispute_id, nonce, metadata, version, created_at, updated_at,
                account_normalized, terms_version)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, registration.id, registration.program, registration.participant,
            registration.state.rawValue, registration.account.name,
            registration.account.domain?.text, registration.account.country?.code,
            registration.part, registration.contact.name, registration.contact.email?.text,
            registration.contact.phone, registration.opportunity.value?.amount,
            registration.opportunity.value?.currency.code, registration.opportunity.expectedClose,
            evidenceText(registration), registration.terms.json.text, registration.programVersion,
            registration.decisionDueAt, registration.windowEndsAt, registration.protectedUntil,
            registration.protectedUntilLatest, registration.share, registration.extensions,
            registration.decidedAt, registration.endedAt, registration.wonValue?.amount,
            registration.wonValue?.currency.code, registration.reasonCode, registration.reason,
            registration.blockedBy, registration.toldFreeAt, registration.dispute,
            registration.fingerprinted?.key, JSONValue.object(registration.metadata).text,
            registration.version, registration.createdAt, registration.updatedAt,
            registration.fingerprinted?.normalized, registration.termsVersion)
    }

    /// Keeps the row as it was and writes every column that can change.
    public static func update(_ registration: Registration, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO registration_versions (
                id, version, updated_at, state, contact_name, contact_email, contact_phone,
                value_amount, value_currency, expected_close, evidence, protected_until, share,
                extensions, decided_at, ended_at, won_amount, won_currency, reason_code, reason,
                dispute_id, metadata)
            SELECT id, version, updated_at, state, contact_name, contact_email, contact_phone,
                value_amount, value_currency, expected_close, evidence, protected_until, share,
                extensions, decided_at, ended_at, won_amount, won_currency, reason_code, reason,
                dispute_id, metadata
            FROM registrations WHERE id = ?
            """, registration.id)
        try tx.run(
            """
            UPDATE registrations SET state = ?, contact_name = ?, contact_email = ?,
                contact_phone = ?, value_amount = ?, value_currency = ?, expected_close = ?,
                evidence = ?, protected_until = ?, share = ?, extensions = ?, decided_at = ?,
                ended_at = ?, won_amount = ?, won_currency = ?, reason_code = ?, reason = ?,
                told_free_at = ?, dispute_id = ?, metadata = ?, version = ?, updated_at = ?
            WHERE id = ?
            """, registration.state.rawValue, registration.contact.name,
            registration.contact.email?.text, registration.contact.phone,
            registration.opportunity.value?.amount, registration.opportunity.value?.currency.code,
            registration.opportunity.expectedClose, evidenceText(registration),
            registration.protectedUntil, registration.share, registration.extensions,
            registration.decidedAt, registration.endedAt, registration.wonValue?.amount,
            registration.wonValue?.currency.code, registration.reasonCode, registration.reason,
            registration.toldFreeAt, registration.dispute,
            JSONValue.object(registration.metadata).text, registration.version,
            registration.updatedAt, registration.id)
    }

    // MARK: - Rows

    private static let columns: StaticString = """
        SELECT id, program_id, participant_id, state, account_name, account_domain,
            account_country, part, contact_name, contact_email, contact_phone, value_amount,
            value_currency, expected_close, evidence, terms, program_version, decision_due_at,
            window_ends_at, protected_until, protected_until_latest, share, extensions,
            decided_at, ended_at, won_amount, won_currency, reason_code, reason, blocked_by,
            told_free_at, dispute_id, nonce, metadata, version, created_at, updated_at,
            account_normalized, terms_version
        FROM registrations
        """

    private static func evidenceText(_ registration: Registration) -> String {
        let items = registration.opportunity.evidence.map { evidence -> JSONValue in
            [
                "kind": .string(evidence.kind.rawValue),
                "occurred_at": evidence.occurredAt.map { .integer($0.milliseconds) } ?? .null,
                "note": evidence.note.map { .string($0) } ?? .null,
            ]
        }
        return JSONValue.array(items).text
    }

    private static func evidence(_ text: String) throws -> [Opportunity.Evidence] {
        try JSONValue.parse(Array(text.utf8)).arrayValue?.compactMap { item in
            guard let object = item.objectValue,
                let kind = object["kind"]?.stringValue.flatMap({
                    RegistrationTerms.Evidence(rawValue: $0)
                })
            else { return nil }
            return Opportunity.Evidence(
                kind: kind,
                occurredAt: object["occurred_at"]?.integerValue.map { Instant(milliseconds: $0) },
                note: object["note"]?.stringValue)
        } ?? []
    }

    private static func registration(_ row: Row) throws -> Registration {
        guard let state = try Registration.State(rawValue: row.text(3)),
            let terms = try JSONValue.parse(Array(row.text(15).utf8)).objectValue,
            let metadata = try JSONValue.parse(Array(row.text(33).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a registration", code: DatabaseFault.corrupt) }
        return try Registration(
            id: row.id(0), program: row.id(1), participant: row.id(2), state: state,
            account: AccountName(
                name: row.optionalText(4), domain: row.optionalText(5).flatMap { DomainName($0) },
                country: row.optionalText(6).flatMap { CountryCode($0) }),
            part: row.optionalText(7),
            contact: RegistrationContact(
                name: row.optionalText(8),
                email: row.optionalText(9).flatMap { EmailAddress($0) },
                phone: row.optionalText(10)),
            opportunity: Opportunity(
                value: money(row, 11), expectedClose: row.optionalInstant(13),
                evidence: evidence(row.text(14))),
            terms: RegistrationTerms(json: terms), programVersion: row.int64(16),
            termsVersion: row.optionalInt64(38),
            decisionDueAt: row.instant(17), windowEndsAt: row.instant(18),
            protectedUntil: row.optionalInstant(19), protectedUntilLatest: row.instant(20),
            share: row.int64(21), extensions: row.int64(22), decidedAt: row.optionalInstant(23),
            endedAt: row.optionalInstant(24), wonValue: money(row, 25),
            reasonCode: row.optionalText(27), reason: row.optionalText(28),
            blockedBy: row.optionalID(29), toldFreeAt: row.optionalInstant(30),
            dispute: row.optionalID(31), fingerprinted: fingerprinted(row), metadata: metadata,
            version: row.int64(34), createdAt: row.instant(35), updatedAt: row.instant(36))
    }

    private static func fingerprinted(_ row: Row) throws -> FingerprintedAccount? {
        guard let key = try row.optionalBlob(32), let normalized = try row.optionalText(37) else {
            return nil
        }
        return FingerprintedAccount(key: key, normalized: normalized)
    }

    private static func money(_ row: Row, _ index: Int) throws -> Money? {
        guard let amount = try row.optionalInt64(index),
            let currency = try row.optionalText(index + 1).flatMap({ Currency(stored: $0) })
        else { return nil }
        return Money(amount: amount, currency: currency)
    }
}
