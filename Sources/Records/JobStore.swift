import Database
import Model

/// Something that falls due: a reward's hold that ends, a payout that expires.
public struct Job: Sendable {
    public let sequence: Int64
    public let dueAt: Instant
    /// Which handler does it.
    public let kind: String
    public let subjectHigh: UInt64
    public let subjectLow: UInt64

    public func subject<Kind>(_ kind: Identifier<Kind>.Type) -> Identifier<Kind> {
        Identifier(high: subjectHigh, low: subjectLow)
    }
}

/// All SQL of due jobs. A job is done once: its row goes in the transaction that does it.
public enum JobStore {
    public static func schedule<Kind>(
        _ kind: String, _ subject: Identifier<Kind>, at due: Instant, _ tx: Transaction
    ) throws {
        try tx.run(
            "INSERT INTO jobs (due_at, kind, subject_id) VALUES (?, ?, ?)", due, kind, subject)
    }

    /// Up to `limit` jobs due at or before `now`, earliest first.
    public static func due(at now: Instant, limit: Int, _ reader: Reader) throws -> [Job] {
        try reader.all(
            """
            SELECT seq, due_at, kind, subject_id FROM jobs
            WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?
            """, now, Int64(limit)
        ) { row in
            let subject = try row.halves(3)
            return try Job(
                sequence: row.int64(0), dueAt: row.instant(1), kind: row.text(2),
                subjectHigh: subject.high, subjectLow: subject.low)
        }
    }

    public static func remove(_ job: Job, _ tx: Transaction) throws {
        try tx.run("DELETE FROM jobs WHERE seq = ?", job.sequence)
    }

    /// Has the job fall due later.
    public static func putOff(_ job: Job, to due: Instant, _ tx: Transaction) throws {
        try tx.run("UPDATE jobs SET due_at = ? WHERE seq = ?", due, job.sequence)
    }

    /// Takes back what was scheduled for `subject`.
    public static func cancel<Kind>(_ subject: Identifier<Kind>, _ tx: Transaction) throws {
        try tx.run("DELETE FROM jobs WHERE subject_id = ?", subject)
    }

    /// Takes back the jobs of one kind alone.
    public static func cancel<Kind>(
        _ subject: Identifier<Kind>, kind: String, _ tx: Transaction
    ) throws {
        try tx.run("DELETE FROM jobs WHERE subject_id = ? AND kind = ?", subject, kind)
    }

    /// When the next job falls due; nil when there is none.
    public static func nextDue(_ reader: Reader) throws -> Instant? {
        try reader.integer("SELECT min(due_at) FROM jobs").map { Instant(milliseconds: $0) }
    }
}
