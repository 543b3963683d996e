import Database
import Glibc
import Model
import Platform
import Testing

@Suite struct OpeningTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func refusal(
        _ migrations: [Migration] = Scratch.migrations
    ) -> OpeningRefusal? {
        do {
            try Database(path: scratch.file, migrations: migrations).close()
            return nil
        } catch {
            return error as? OpeningRefusal
        }
    }

    private func write(_ bytes: [UInt8], to path: String) {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = Glibc.write(number, bytes, bytes.count)
        close(number)
    }

    private func read(_ path: String) -> [UInt8] {
        let number = open(path, O_RDONLY)
        defer { close(number) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(number, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    @Test("a new file is readable by its owner alone, and keeps what was written")
    func newFile() throws {
        let database = try scratch.open()
        try database.perform { try $0.run("INSERT INTO notes (text) VALUES (?)", "kept") }
        database.close()
        var info = stat()
        #expect(stat(scratch.file, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
        let again = try scratch.open()
        #expect(try again.makeReader().notes() == ["kept"])
        again.close()
    }

    @Test("the connection that writes uses the log, syncs fully and checks foreign keys")
    func writerSettings() throws {
        let database = try scratch.open()
        let settings = try database.perform { tx in
            [
                try tx.integer("PRAGMA synchronous"), try tx.integer("PRAGMA foreign_keys"),
                try tx.integer("PRAGMA trusted_schema"), try tx.integer("PRAGMA mmap_size"),
                try tx.integer("PRAGMA wal_autocheckpoint"), try tx.integer("PRAGMA user_version"),
                try tx.integer("PRAGMA application_id"), try tx.integer("PRAGMA cell_size_check"),
            ]
        }
        #expect(settings == [2, 1, 0, 0, 0, 1, 0x7266_7264, 1])
        #expect(
            try database.makeReader().first("PRAGMA journal_mode") { try $0.text(0) } == "wal")
        database.close()
    }

    @Test("a second opener is refused and told the first one's process")
    func secondOpener() throws {
        let database = try scratch.open()
        let refused = refusal()
        #expect(refused?.reason == .lockedByAnotherProcess)
        #expect(refused?.description.contains("process \(getpid())") == true)
        database.close()
        #expect(refusal() == nil)
    }

    @Test("a file that is no database is refused and left as it was")
    func notADatabase() {
        let bytes = Array(String(repeating: "hello, world. ", count: 100).utf8)
        write(bytes, to: scratch.file)
        #expect(refusal()?.reason == .notADatabase)
        let isUntouched = read(scratch.file) == bytes
        #expect(isUntouched)
    }

    @Test("another program's database is refused and left as it was")
    func foreignFile() throws {
        try scratch.open().close()
        var bytes = read(scratch.file)
        bytes[71] ^= 1
        write(bytes, to: scratch.file)
        #expect(refusal()?.reason == .foreignFile)
        let isUntouched = read(scratch.file) == bytes
        #expect(isUntouched)
    }

    @Test("a newer schema than the program knows is refused")
    func newerSchema() throws {
        let more = Migration(
            name: "0002_more.sql", sql: "CREATE TABLE more (id INTEGER) STRICT;", checksum: [2])
        try scratch.open(migrations: Scratch.migrations + [more]).close()
        let refused = refusal()
        #expect(refused?.reason == .newerSchema)
        #expect(refused?.description.contains("version 2") == true)
    }

    @Test("a migration that was edited after it was applied is refused")
    func changedMigration() throws {
        try scratch.open().close()
        var edited = Scratch.migrations
        edited[0] = Migration(name: edited[0].name, sql: edited[0].sql, checksum: [9])
        #expect(refusal(edited)?.reason == .changedMigration)
    }

    @Test("a migration that was renamed after it was applied is refused")
    func renamedMigration() throws {
        try scratch.open().close()
        let old = Scratch.migrations[0]
        let renamed = Migration(name: "0001_other.sql", sql: old.sql, checksum: old.checksum)
        #expect(refusal([renamed])?.reason == .changedMigration)
    }

    @Test("a gap in the numbers of the migrations is refused")
    func gap() {
        let late = Migration(name: "0003_late.sql", sql: "", checksum: [])
        #expect(refusal(Scratch.migrations + [late])?.reason == .badMigrationName)
    }

    @Test("a later start applies only the migrations that are new")
    func laterMigration() throws {
        try scratch.open().close()
        let more = Migration(
            name: "0002_more.sql",
            sql: "INSERT INTO notes (text) VALUES ('once');", checksum: [2])
        for _ in 0..<2 { try scratch.open(migrations: Scratch.migrations + [more]).close() }
        let database = try scratch.open(migrations: Scratch.migrations + [more])
        #expect(try database.makeReader().notes() == ["once"])
        database.close()
    }

    @Test("a migration that fails leaves nothing of itself, and the version before it")
    func failingMigration() throws {
        let bad = Migration(
            name: "0002_bad.sql",
            sql: "CREATE TABLE half (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
            checksum: [2])
        #expect(refusal(Scratch.migrations + [bad])?.reason == .migrationFailed)
        let database = try scratch.open()
        #expect(
            try database.makeReader().integer(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
        database.close()
    }

    @Test("a migration that leaves a broken reference is refused")
    func brokenReference() {
        let bad = Migration(
            name: "0002_bad.sql",
            sql: "INSERT INTO notes (text, parent) VALUES ('x', 99);", checksum: [2])
        #expect(refusal(Scratch.migrations + [bad])?.reason == .migrationFailed)
    }

    @Test("a migration that ends its transaction is refused")
    func committingMigration() {
        let bad = Migration(name: "0002_bad.sql", sql: "COMMIT;", checksum: [2])
        #expect(refusal(Scratch.migrations + [bad])?.reason == .migrationFailed)
    }

    @Test("a migration can rebuild a table that others refer to")
    func rebuildsTable() throws {
        let rebuild = Migration(
            name: "0002_rebuild.sql",
            sql: """
                INSERT INTO notes (id, text) VALUES (1, 'a');
                INSERT INTO notes (id, text, parent) VALUES (2, 'b', 1);
                CREATE TABLE fresh (
                    id INTEGER PRIMARY KEY, text TEXT, parent INTEGER REFERENCES fresh (id)
                ) STRICT;
                INSERT INTO fresh (id, text, parent) SELECT id, text, parent FROM notes;
                DROP TABLE notes;
                ALTER TABLE fresh RENAME TO notes;
                """, checksum: [2])
        let database = try scratch.open(migrations: Scratch.migrations + [rebuild])
        #expect(try database.makeReader().notes() == ["a", "b"])
        #expect(try database.perform { try $0.integer("PRAGMA foreign_keys") } == 1)
        database.close()
    }

    @Test("a copy of the files taken while it serves opens with every committed write")
    func crashLikeCopy() throws {
        let database = try scratch.open()
        for number in 0..<50 {
            try database.perform { try $0.run("INSERT INTO notes (text) VALUES (?)", "\(number)") }
        }
        // The writer rests; what a power cut would leave is the file and the log as they are now.
        let other = try Scratch()
        for suffix in ["", "-wal"] { write(read(scratch.file + suffix), to: other.file + suffix) }
        database.close()
        let recovered = try other.open()
        #expect(try recovered.makeReader().noteCount() == 50)
        #expect(try recovered.makeReader().findProblems() == [])
        recovered.close()
    }

    @Test("after kill -9 in the midst of writes every acknowledged one is there")
    func killed() async throws {
        let path: String = scratch.path
        let result = await #expect(
            processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
        ) { [path = path as String] in
            let database = try Database(path: path + "/test.db", migrations: Scratch.migrations)
            try database.start()
            let told = try Told<Bool>()
            for number in 1...5_000 {
                _ = database.write {
                    try $0.run("INSERT INTO notes (id) VALUES (?)", number)
                } completion: {
                    guard $0.isCommitted else { return }
                    let line = Array("ack \(number)\n".utf8)
                    _ = Glibc.write(1, line, line.count)
                    told.tell(true)
                }
                if number % 100 == 0 { _ = told.wait(for: number - 99) }
                if number == 2_000 { kill(getpid(), SIGKILL) }
            }
        }
        let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        let acknowledged = output.split(separator: "\n").compactMap { line in
            line.hasPrefix("ack ") ? Int64(line.dropFirst(4)) : nil
        }
        #expect(acknowledged.count > 1_000)
        let database = try scratch.open()
        let ids = Set(try database.makeReader().all("SELECT id FROM notes") { try $0.int64(0) })
        #expect(acknowledged.allSatisfy(ids.contains))
        #expect(try database.makeReader().findProblems() == [])
        database.close()
    }

    @Test("a second name of the file does not get around the lock")
    func symbolicLink() throws {
        let database = try scratch.open()
        let other = try Scratch()
        #expect(symlink(scratch.file, other.file) == 0)
        let refused = #expect(throws: OpeningRefusal.self) {
            try Database(path: other.file, migrations: Scratch.migrations)
        }
        #expect(refused?.reason == .lockedByAnotherProcess)
        database.close()
    }

    @Test("closing copies the log into the file and refuses later writes")
    func closing() throws {
        let database = try scratch.open()
        try database.perform { try $0.run("INSERT INTO notes (text) VALUES ('a')") }
        database.close()
        var info = stat()
        let size = stat(scratch.file + "-wal", &info) == 0 ? Int(info.st_size) : 0
        #expect(size == 0)
        #expect(!database.takesWrites)
    }

    @Test("a database that was opened and never started closes")
    func neverStarted() throws {
        let database = try Database(path: scratch.file, migrations: Scratch.migrations)
        #expect(!database.takesWrites)
        database.close()
        #expect(refusal() == nil)
    }
}
