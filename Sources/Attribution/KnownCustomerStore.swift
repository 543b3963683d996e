import Database
import Model

/// All SQL of customers that the operator knows (faults, section 5): since when each is one, by a
/// keyed hash of its address or of the operator's own id, in one program or in all.
public enum KnownCustomerStore {
    public enum Outcome: String, Sendable, CaseIterable { case created, updated, unchanged }

    /// `since` nil: as it is known, else from now on.
    public static func keep(
        _ digest: [UInt8], in program: ProgramID?, since: Instant?, _ tx: Transaction
    ) throws -> Outcome {
        let known = try tx.integer(
            "SELECT customer_since FROM known_customers WHERE digest = ? AND program_id = ?",
            digest, program?.bytes ?? [])
        guard known == nil || since.map({ $0.milliseconds != known }) == true else {
            return .unchanged
        }
        try tx.run(
            """
            INSERT INTO known_customers (digest, program_id, customer_since, loaded_at)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (digest, program_id) DO UPDATE SET customer_since = excluded.customer_since
            """, digest, program?.bytes ?? [], since ?? tx.now, tx.now)
        return known == nil ? .created : .updated
    }

    /// Whether one of `digests` was a customer before `instant` (nil: ever), as known in `program`
    /// until `recordedAt`.
    public static func isCustomer(
        _ digests: [[UInt8]], in program: ProgramID, before instant: Instant?,
        knownAt recordedAt: Instant, _ reader: Reader
    ) throws -> Bool {
        try digests.contains { digest in
            try reader.integer(
                """
                SELECT 1 FROM known_customers
                WHERE digest = ? AND program_id IN (?, x'') AND customer_since < ?
                    AND loaded_at <= ?
                LIMIT 1
                """, digest, program, instant?.milliseconds ?? .max, recordedAt) != nil
        }
    }
}
