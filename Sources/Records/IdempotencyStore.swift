import Database
import Model

/// The answer to a request with `Idempotency-Key`, as it was given.
public struct StoredAnswer: Sendable {
    public let fingerprint: [UInt8]
    public let status: Int
    /// `Name: value` lines.
    public let headers: String
    public let body: [UInt8]

    public init(fingerprint: [UInt8], status: Int, headers: String, body: [UInt8]) {
        self.fingerprint = fingerprint
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// All SQL of stored answers. The answer is written in the transaction of its effect, so a crash
/// leaves both or neither.
public enum IdempotencyStore {
    /// How long an answer can be replayed.
    public static let keptMilliseconds: Int64 = 86_400_000

    /// The answer under `key`, unless it has passed its 24 hours.
    public static func find(_ key: [UInt8], _ tx: Transaction) throws -> StoredAnswer? {
        try tx.first(
            """
            SELECT fingerprint, status, headers, body FROM idempotency_answers
            WHERE request_key = ? AND created_at > ?
            """, key, tx.now.advanced(byMilliseconds: -keptMilliseconds)
        ) { row in
            try StoredAnswer(
                fingerprint: row.blob(0), status: row.int(1), headers: row.text(2),
                body: row.blob(3))
        }
    }

    public static func insert(_ answer: StoredAnswer, under key: [UInt8], _ tx: Transaction) throws
    {
        // An answer past its time makes room.
        try tx.run(
            """
            INSERT OR REPLACE INTO idempotency_answers (
                request_key, fingerprint, created_at, status, headers, body)
            VALUES (?, ?, ?, ?, ?, ?)
            """, key, answer.fingerprint, tx.now, answer.status, answer.headers, answer.body)
    }

    /// Whether the oldest answer is past its time.
    public static func isPruningDue(at now: Instant, _ reader: Reader) throws -> Bool {
        let oldest = try reader.integer(
            "SELECT created_at FROM idempotency_answers ORDER BY seq LIMIT 1")
        return oldest.map { $0 <= now.advanced(byMilliseconds: -keptMilliseconds).milliseconds }
            ?? false
    }

    /// Deletes those of the `limit` oldest answers that are past their time; returns how many. They
    /// are in the order of their times, so the others need no look.
    public static func prune(limit: Int, _ tx: Transaction) throws -> Int {
        try tx.run(
            """
            DELETE FROM idempotency_answers WHERE seq IN (
                SELECT seq FROM (
                    SELECT seq, created_at FROM idempotency_answers ORDER BY seq LIMIT ?)
                WHERE created_at <= ?)
            """, Int64(limit), tx.now.advanced(byMilliseconds: -keptMilliseconds))
        return tx.changes
    }
}
