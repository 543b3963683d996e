import Database
import Model
import Platform

/// All SQL of traces and of the key that hashes them.
public enum TraceStore {
    /// Kept of one kind for one subject; older ones make room. Addresses are new every day, and a
    /// reward may be granted long after the day.
    public static func kept(of kind: Trace.Kind) -> Int {
        switch kind {
        case .phone, .account, .device, .mailbox, .customer: 10
        case .address, .browser: 100
        }
    }

    /// `subject` is known by `values` from now on.
    public static func keep<Kind>(
        _ values: [TraceValue], of subject: Identifier<Kind>, _ tx: Transaction
    ) throws {
        guard !values.isEmpty else { return }
        let key = try key(tx)
        for trace in values.map({ $0.hashed(by: key) }) {
            try tx.run(
                """
                INSERT INTO traces (subject_id, kind, digest, seen_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (subject_id, kind, digest) DO UPDATE SET seen_at = excluded.seen_at
                    WHERE excluded.seen_at >= seen_at + 86400000
                """, subject, trace.kind.rawValue, trace.digest, tx.now)
            try tx.run(
                """
                DELETE FROM traces WHERE subject_id = ? AND kind = ? AND digest IN (
                    SELECT digest FROM traces WHERE subject_id = ? AND kind = ?
                    ORDER BY seen_at DESC, digest LIMIT -1 OFFSET ?)
                """, subject, trace.kind.rawValue, subject, trace.kind.rawValue,
                kept(of: trace.kind))
        }
    }

    /// `subject` is not known by any trace of this kind any more.
    public static func forget<Kind>(
        _ kind: Trace.Kind, of subject: Identifier<Kind>, _ tx: Transaction
    ) throws {
        try tx.run(
            "DELETE FROM traces WHERE subject_id = ? AND kind = ?", subject, kind.rawValue)
    }

    /// What `subject` is known by: its traces, and `values`, which are kept elsewhere.
    public static func all<Kind>(
        of subject: Identifier<Kind>, and values: [TraceValue] = [], _ tx: Transaction
    ) throws -> Set<Trace> {
        let kept = try tx.all(
            "SELECT kind, digest FROM traces WHERE subject_id = ?", subject, map: trace)
        guard !values.isEmpty else { return Set(kept) }
        let key = try key(tx)
        return Set(kept + values.map { $0.hashed(by: key) })
    }

    /// The hash of `value`, for what is kept and compared elsewhere.
    public static func digest(_ value: TraceValue, _ tx: Transaction) throws -> [UInt8] {
        value.hashed(by: try key(tx)).digest
    }

    /// The same of several; none before anything was ever hashed.
    public static func digests(_ values: [TraceValue], _ reader: Reader) throws -> [[UInt8]] {
        guard let key = try knownKey(reader) else { return [] }
        return values.map { $0.hashed(by: key).digest }
    }

    /// Customers that share a mailbox with one of `subjects`, at most `limit`. Participants are
    /// among them, whose ids are no customer's.
    public static func sharingMailbox(
        with subjects: [CustomerID], limit: Int, _ reader: Reader
    ) throws -> [CustomerID] {
        var query = Query(
            """
            SELECT DISTINCT subject_id FROM traces WHERE kind = 'mailbox' AND digest IN (
                SELECT digest FROM traces WHERE kind = 'mailbox' AND subject_id IN
            """)
        query.appendList(subjects)
        query.append(") ORDER BY subject_id LIMIT ?", Int64(limit))
        return try reader.all(query) { try $0.id(0) }
    }

    /// Whom an address or a browser is known from, at most `limit`. Leads are among them, whose ids
    /// are no participant's.
    public static func subjects(
        ofAddress trace: Trace, limit: Int, _ reader: Reader
    ) throws -> [ParticipantID] {
        try reader.all(
            """
            SELECT subject_id FROM traces
            WHERE digest = ? AND kind IN ('address', 'browser') LIMIT ?
            """, trace.digest, limit
        ) { try $0.id(0) }
    }

    private static func trace(_ row: Row) throws -> Trace {
        guard let kind = try Trace.Kind(rawValue: row.text(0)) else {
            throw DatabaseFault(operation: "read a trace", code: DatabaseFault.corrupt)
        }
        return try Trace(kind: kind, digest: row.blob(1))
    }

    private static func knownKey(_ reader: Reader) throws -> [UInt8]? {
        try reader.first("SELECT secret FROM trace_keys", map: { try $0.blob(0) })
    }

    private static func key(_ tx: Transaction) throws -> [UInt8] {
        if let key = try knownKey(tx) { return key }
        let key = RandomPool.bytes(32)
        try tx.run("INSERT INTO trace_keys (id, secret) VALUES (1, ?)", key)
        return key
    }
}
