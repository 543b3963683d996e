import Database
import Model

/// One version of a program's legal terms, as people read and accept them (R34): eligibility, what
/// counts, amounts and conditions, when it is paid, limits, the right to change or end the program,
/// fraud, tax. Never changed once published; a change is the next version.
public struct PublishedTerms: Sendable, Equatable {
    public let program: ProgramID
    /// Counts from 1 in each program.
    public let version: Int64
    public let text: String
    public let actor: String
    public let createdAt: Instant

    public init(
        program: ProgramID, version: Int64, text: String, actor: String, createdAt: Instant
    ) {
        self.program = program
        self.version = version
        self.text = text
        self.actor = actor
        self.createdAt = createdAt
    }
}

/// Which version of the terms a participant accepted, and when.
public struct AcceptedTerms: Sendable, Equatable {
    public let version: Int64
    public let acceptedAt: Instant

    public init(version: Int64, acceptedAt: Instant) {
        self.version = version
        self.acceptedAt = acceptedAt
    }
}

/// All SQL of published terms.
public enum PublishedTermsStore {
    /// The newest version; nil when the program has published none.
    public static func newest(
        of program: ProgramID, _ reader: Reader
    ) throws -> PublishedTerms? {
        try versions(of: program, limit: 1, reader).first
    }

    public static func find(
        version: Int64, of program: ProgramID, _ reader: Reader
    ) throws -> PublishedTerms? {
        try reader.first(
            """
            SELECT program_id, version, body, actor, created_at FROM program_terms
            WHERE program_id = ? AND version = ?
            """, program, version, map: terms)
    }

    /// The newest versions, newest first.
    public static func versions(
        of program: ProgramID, limit: Int, _ reader: Reader
    ) throws -> [PublishedTerms] {
        try reader.all(
            """
            SELECT program_id, version, body, actor, created_at FROM program_terms
            WHERE program_id = ? ORDER BY version DESC LIMIT ?
            """, program, Int64(limit), map: terms)
    }

    public static func insert(_ terms: PublishedTerms, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO program_terms (program_id, version, body, actor, created_at)
            VALUES (?, ?, ?, ?, ?)
            """, terms.program, terms.version, terms.text, terms.actor, terms.createdAt)
    }

    private static func terms(_ row: Row) throws -> PublishedTerms {
        try PublishedTerms(
            program: row.id(0), version: row.int64(1), text: row.text(2), actor: row.text(3),
            createdAt: row.instant(4))
    }
}
