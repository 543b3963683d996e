import Database
import Model

/// All SQL of rule versions: every version of a program's or a reward rule's terms, kept for good,
/// so that a result can name the version that decided it.
public enum RuleVersionStore {
    public struct RuleVersion: Sendable {
        public let version: Int64
        public let createdAt: Instant
        public let actor: String
        /// The rule as a JSON object.
        public let body: String
    }

    public static func append<Kind>(
        _ subject: Identifier<Kind>, version: Int64, actor: String, body: String, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO rule_versions (subject_id, version, created_at, actor, body)
            VALUES (?, ?, ?, ?, ?)
            """, subject, version, tx.now, actor, body)
    }

    /// The newest versions, newest first.
    public static func versions<Kind>(
        of subject: Identifier<Kind>, limit: Int, _ reader: Reader
    ) throws -> [RuleVersion] {
        try reader.all(
            """
            SELECT version, created_at, actor, body FROM rule_versions
            WHERE subject_id = ? ORDER BY version DESC LIMIT ?
            """, subject, Int64(limit), map: ruleVersion)
    }

    /// One version; nil when it is not kept.
    public static func find<Kind>(
        _ subject: Identifier<Kind>, version: Int64, _ reader: Reader
    ) throws -> RuleVersion? {
        try reader.first(
            """
            SELECT version, created_at, actor, body FROM rule_versions
            WHERE subject_id = ? AND version = ?
            """, subject, version, map: ruleVersion)
    }

    /// Whether `actor` made the subject or changed it, up to this version.
    public static func hasMade<Kind>(
        _ actor: String, _ subject: Identifier<Kind>, through version: Int64, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM rule_versions
            WHERE subject_id = ? AND version <= ? AND actor = ? LIMIT 1
            """, subject, version, actor) != nil
    }

    /// The version that was in force at `instant`; nil before the first.
    public static func inForce<Kind>(
        _ subject: Identifier<Kind>, at instant: Instant, _ reader: Reader
    ) throws -> RuleVersion? {
        try reader.first(
            """
            SELECT version, created_at, actor, body FROM rule_versions
            WHERE subject_id = ? AND created_at <= ? ORDER BY version DESC LIMIT 1
            """, subject, instant, map: ruleVersion)
    }

    private static func ruleVersion(_ row: Row) throws -> RuleVersion {
        try RuleVersion(
            version: row.int64(0), createdAt: row.instant(1), actor: row.text(2), body: row.text(3))
    }
}
