import CSQLite

/// The database failed: what was being done, and SQLite's extended result code. Never values: the
/// operation is the beginning of a statement's text, which holds none.
public struct DatabaseFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let operation: String
    /// SQLite's extended result code (sqlite.org/rescode.html).
    public let code: Int32

    public init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// A stored value is not one that this program knows. Ours, and none of SQLite's: the file may
    /// be sound.
    public static let corrupt: Int32 = -2
    /// The files at the database's path are not those that are open.
    public static let moved: Int32 = -3

    public var description: String {
        switch code {
        case DatabaseFault.moved: operation
        case DatabaseFault.corrupt: "\(operation): \(words)"
        default: "\(operation): \(words) (\(code))"
        }
    }

    /// What is wrong, without the statement.
    public var words: String {
        switch code {
        case DatabaseFault.moved: operation
        case DatabaseFault.corrupt: "a stored value is not one that this version knows"
        default: String(cString: sqlite3_errstr(code))
        }
    }

    /// A row holds what this program cannot read, though the database may be sound.
    public var isUnreadableValue: Bool {
        code == DatabaseFault.corrupt || code == SQLITE_MISMATCH
    }

    /// The lower eight bits of the code: its class.
    public var primaryCode: Int32 { code < 0 ? code : code & 0xFF }

    public var isConstraintViolation: Bool { primaryCode == SQLITE_CONSTRAINT }

    /// A UNIQUE constraint, a unique index or a primary key refused the row.
    public var isUniqueViolation: Bool {
        code == csqlite_constraint_unique || code == csqlite_constraint_primary_key
    }

    public var isForeignKeyViolation: Bool { code == csqlite_constraint_foreign_key }

    public var isCheckViolation: Bool { code == csqlite_constraint_check }

    /// A trigger raised: an append-only table was to be changed.
    public var isTriggerRefusal: Bool { code == csqlite_constraint_trigger }

    /// The disk, or what the database may use of it, is full.
    public var isFull: Bool { primaryCode == SQLITE_FULL }

    /// A deadline ended the statement.
    public var isInterrupted: Bool { primaryCode == SQLITE_INTERRUPT }

    /// The same request may succeed later: busy, full, out of memory, input or output failed,
    /// interrupted.
    public var isRetryable: Bool {
        switch primaryCode {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM, SQLITE_INTERRUPT,
            SQLITE_CANTOPEN, SQLITE_ABORT, SQLITE_PROTOCOL, DatabaseFault.moved:
            true
        default: false
        }
    }
}

extension DatabaseFault {
    /// A statement's fault, named by the beginning of its text.
    init(_ statement: OpaquePointer, code: Int32) {
        let text = sqlite3_sql(statement).map { String(cString: $0) } ?? "statement"
        self.init(operation: DatabaseFault.beginning(of: text), code: code)
    }

    /// At most 80 characters of `sql`, on one line.
    static func beginning(of sql: String) -> String {
        let words = sql.prefix(400).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.count <= 80 ? words : words.prefix(80) + "…"
    }
}

/// The database cannot be opened, and why, in a sentence for the person who started the program.
public struct OpeningRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: Sendable, Equatable {
        case lockedByAnotherProcess, notADatabase, foreignFile, newerSchema, changedMigration
        case badMigrationName, migrationFailed, networkFileSystem, settingRefused, cannotOpen
        case noDatabase, remains
    }

    public let reason: Reason
    public let description: String

    init(_ reason: Reason, _ sentence: String) {
        self.reason = reason
        description = sentence
    }
}

extension OpeningRefusal {
    /// Turns what SQLite says of a file it cannot open into a sentence; other errors pass.
    static func translating<T>(_ path: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let fault as DatabaseFault {
            switch fault.primaryCode {
            case SQLITE_NOTADB:
                throw OpeningRefusal(.notADatabase, "\(path) is not an SQLite database")
            case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
                throw OpeningRefusal(.cannotOpen, "cannot open \(path): \(fault.description)")
            default: throw fault
            }
        }
    }
}
