import CSQLite
import Model

/// Brings the schema up to date, and keeps the module's own tables: `schema_migrations` (what was
/// applied), `writer_clock` (the last committed instant) and `copy_mark` (see `CopyMark`).
struct Migrator {
    let connection: Connection
    let path: String
    let migrations: [Migration]
    let now: Instant

    func run() throws {
        try checkNames()
        let applied = try connection.integer("PRAGMA user_version")
        guard applied >= 0, applied <= Int64(migrations.count) else {
            throw OpeningRefusal(
                .newerSchema,
                "\(path) has schema version \(applied), and this program knows versions up to "
                    + "\(migrations.count): it was written by a newer release, use that one")
        }
        try connection.execute(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                checksum BLOB NOT NULL,
                applied_at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE IF NOT EXISTS writer_clock (
                id INTEGER PRIMARY KEY CHECK (id = 1),
                last_instant INTEGER NOT NULL
            ) STRICT;
            INSERT INTO writer_clock (id, last_instant) VALUES (1, 0) ON CONFLICT DO NOTHING;
            CREATE TABLE IF NOT EXISTS copy_mark (
                id INTEGER PRIMARY KEY CHECK (id = 1),
                made_at INTEGER NOT NULL
            ) STRICT;
            COMMIT;
            """)
        try checkApplied(Int(applied))
        guard Int(applied) < migrations.count else { return }
        // A table that others refer to can only be rebuilt with the keys off, which a transaction
        // cannot switch; they are checked before each commit instead
        // (sqlite.org/lang_altertable.html section 7).
        try connection.execute("PRAGMA foreign_keys = OFF")
        for number in Int(applied) + 1...migrations.count { try apply(number) }
        try connection.execute("PRAGMA foreign_keys = ON")
    }

    private func checkNames() throws {
        for (index, migration) in migrations.enumerated() {
            let digits = String(index + 1)
            let prefix = String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_"
            guard migration.name.hasPrefix(prefix), migration.name.hasSuffix(".sql") else {
                throw OpeningRefusal(
                    .badMigrationName,
                    "migration \(index + 1) is named \(migration.name), "
                        + "and should be named \(prefix)….sql")
            }
        }
    }

    private func checkApplied(_ applied: Int) throws {
        let rows = try Reader(connection).all(
            "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
        ) { (number: try $0.int(0), name: try $0.text(1), sum: try $0.blob(2)) }
        guard rows.map(\.number) == Array(1..<(applied + 1)) else {
            throw OpeningRefusal(
                .changedMigration,
                "\(path) has schema version \(applied), and its list of migrations has "
                    + "\(rows.count) entries: the file was changed by hand")
        }
        for (row, migration) in zip(rows, migrations)
        where row.name != migration.name || row.sum != migration.checksum {
            throw OpeningRefusal(
                .changedMigration,
                "migration \(migration.name) is not the one that \(path) was made with "
                    + "(\(row.name)): a released migration must never be edited")
        }
    }

    private func apply(_ number: Int) throws {
        let migration = migrations[number - 1]
        do {
            try connection.execute("BEGIN IMMEDIATE")
            try connection.execute(migration.sql)
            guard !connection.isAutocommit else {
                throw DatabaseFault(
                    operation: "it ends the transaction it runs in", code: SQLITE_MISUSE)
            }
            let broken = try Reader(connection).all("PRAGMA foreign_key_check") { try $0.text(0) }
            if let table = broken.first {
                throw DatabaseFault(
                    operation: "it leaves broken references in \(table)",
                    code: csqlite_constraint_foreign_key)
            }
            try connection.statement(
                """
                INSERT INTO schema_migrations (number, name, checksum, applied_at)
                VALUES (?, ?, ?, ?)
                """
            ).run([number, migration.name, migration.checksum, now]) { try $0.finish() }
            try connection.execute("PRAGMA user_version = \(number)")
            try connection.execute("COMMIT")
        } catch {
            if !connection.isAutocommit { try? connection.execute("ROLLBACK") }
            guard let fault = error as? DatabaseFault, !fault.isRetryable else { throw error }
            throw OpeningRefusal(
                .migrationFailed, "migration \(migration.name) failed: \(fault.description)")
        }
    }
}

extension Connection {
    /// The integer that a pragma answers.
    func integer(_ pragma: StaticString) throws -> Int64 {
        guard let value = try Reader(self).integer(pragma) else {
            throw DatabaseFault(operation: pragma.description, code: SQLITE_MISMATCH)
        }
        return value
    }

    /// The text that a pragma answers.
    func text(_ pragma: StaticString) throws -> String {
        try Reader(self).first(pragma) { try $0.text(0) } ?? ""
    }

    /// Opens the writer's connection: marks a new file as ours, and makes sure of what durability
    /// rests on.
    static func openWriter(path: String, busyMilliseconds: Int32) throws -> Connection {
        let connection = try Connection(
            path: path, access: .writer, busyMilliseconds: busyMilliseconds)
        if try connection.integer("PRAGMA application_id") != Int64(applicationID) {
            guard try connection.integer("SELECT count(*) FROM sqlite_schema") == 0 else {
                throw OpeningRefusal(
                    .foreignFile, "\(path) is the database of another program; it was not touched")
            }
            try connection.execute("PRAGMA application_id = \(applicationID)")
        }
        try connection.execute("PRAGMA journal_mode = WAL")
        try connection.execute("PRAGMA synchronous = FULL")
        try connection.execute("PRAGMA journal_size_limit = \(64 << 20)")
        // Read back, for a setting that is not taken is not reported either.
        let journal = try connection.text("PRAGMA journal_mode")
        guard journal == "wal" else {
            throw OpeningRefusal(
                .settingRefused, "\(path): SQLite keeps journal_mode \(journal) instead of wal")
        }
        let synchronous = try connection.integer("PRAGMA synchronous")
        guard synchronous == 2 else {
            throw OpeningRefusal(
                .settingRefused, "\(path): SQLite keeps synchronous \(synchronous) instead of 2")
        }
        guard try connection.integer("PRAGMA foreign_keys") == 1 else {
            throw OpeningRefusal(.settingRefused, "\(path): SQLite does not check foreign keys")
        }
        return connection
    }
}
