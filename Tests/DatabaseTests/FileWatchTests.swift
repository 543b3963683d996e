import Database
import Glibc
import Model
import Platform
import Testing

/// The database's files under its feet: removed, replaced, cut. What then comes is refused, never
/// acknowledged into nothing.
@Suite struct FileWatchTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func add(_ text: String, _ database: Database) throws {
        try database.perform { try $0.run("INSERT INTO notes (text) VALUES (?)", text) }
    }

    private func isRefused(_ database: Database) -> Bool {
        do {
            try add("lost", database)
            return false
        } catch let fault as DatabaseFault {
            return fault.code == DatabaseFault.moved && fault.isRetryable
        } catch {
            return false
        }
    }

    private func copy(_ source: String, _ target: String) {
        let input = open(source, O_RDONLY)
        let output = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = read(input, &bytes, bytes.count), count > 0 {
            _ = Glibc.write(output, bytes, count)
        }
        Glibc.close(input)
        Glibc.close(output)
    }

    struct Harm: Sendable {
        let name: String
        let word: String
        let run: @Sendable (Scratch) -> Void
    }

    static let harms = [
        Harm(name: "file removed", word: "is gone") { unlink($0.file) },
        Harm(name: "file moved away", word: "is gone") { rename($0.file, $0.path + "/away") },
        Harm(name: "another file in its place", word: "another file lies at") {
            rename($0.file, $0.path + "/away")
            Glibc.close(open($0.file, O_WRONLY | O_CREAT, 0o600))
        },
        Harm(name: "file cut to nothing", word: "was cut to 0 bytes") { truncate($0.file, 0) },
        Harm(name: "file cut by a page", word: "was cut to") { scratch in
            var info = stat()
            stat(scratch.file, &info)
            truncate(scratch.file, info.st_size - 4096)
        },
        Harm(name: "log removed", word: "-wal, which belongs to the database, is gone") {
            unlink($0.file + "-wal")
        },
        Harm(name: "another log in its place", word: "another file lies at") {
            rename($0.file + "-wal", $0.path + "/away")
            Glibc.close(open($0.file + "-wal", O_WRONLY | O_CREAT, 0o600))
        },
        Harm(name: "log's index removed", word: "-shm, which belongs to the database, is gone") {
            unlink($0.file + "-shm")
        },
    ]

    @Test("a write is refused once the files are not those that are open", arguments: harms)
    func refused(_ harm: Harm) throws {
        // A whole file with pages of its own, as after a checkpoint.
        let first = try scratch.open()
        try add("kept", first)
        first.close()
        let database = try scratch.open()
        try add("kept too", database)
        #expect(database.health.writable)
        harm.run(scratch)
        #expect(isRefused(database))
        #expect(!database.health.writable)
        #expect(database.health.reason?.contains(harm.word) == true, "\(harm.name)")
        // Reads go on from what is open.
        #expect((try? database.makeReader().notes())?.contains("lost") != true)
        database.close()
    }

    @Test("a file put in the place of the open one by cp is found out within a second")
    func overwritten() throws {
        let first = try scratch.open()
        try add("old", first)
        first.close()
        copy(scratch.file, scratch.path + "/backup")
        let database = try scratch.open { $0.idleMilliseconds = 10 }
        for number in 0..<200 { try add("new \(number)", database) }
        try database.backup(to: scratch.path + "/second")
        copy(scratch.path + "/second", scratch.file)
        let end = MonotonicInstant.now().advanced(byMilliseconds: 5_000)
        while !isRefused(database), MonotonicInstant.now() < end { usleep(20_000) }
        #expect(database.health.reason?.contains("another program has written into") == true)
        database.close()
    }

    @Test("an idle service finds out by itself, and goes on when the same file is back")
    func idleAndBack() throws {
        let database = try scratch.open { $0.restMilliseconds = 50 }
        try add("kept", database)
        rename(scratch.file, scratch.path + "/away")
        let end = MonotonicInstant.now().advanced(byMilliseconds: 10_000)
        while database.health.writable, MonotonicInstant.now() < end { usleep(20_000) }
        #expect(database.health.reason?.contains("is gone") == true)
        #expect(isRefused(database))
        rename(scratch.path + "/away", scratch.file)
        while !database.health.writable, MonotonicInstant.now() < end { usleep(20_000) }
        #expect(database.health.writable)
        try add("again", database)
        #expect(try database.makeReader().notes() == ["kept", "again"])
        database.close()
    }

    @Test("a stop after the file is gone deletes no log, and the moved file has everything")
    func closing() throws {
        let database = try scratch.open { $0.idleMilliseconds = 60_000 }
        try add("kept", database)
        rename(scratch.file, scratch.path + "/away")
        database.close()
        #expect(scratch.names.contains("test.db-wal"))
        rename(scratch.path + "/away", scratch.file)
        let again = try scratch.open()
        #expect(try again.makeReader().notes() == ["kept"])
        again.close()
    }

    @Test("no database is made where the log or the key of another one lies, unless asked for")
    func remains() throws {
        func refusal(_ adjust: (inout DatabaseSettings) -> Void = { _ in }) -> OpeningRefusal? {
            do {
                try scratch.open { settings in
                    settings.remains = [scratch.path + "/key"]
                    adjust(&settings)
                }.close()
                return nil
            } catch {
                return error as? OpeningRefusal
            }
        }
        func make(_ name: String) {
            Glibc.close(open(scratch.path + "/" + name, O_WRONLY | O_CREAT, 0o600))
        }
        for name in ["test.db-wal", "test.db-shm", "test.db-journal", "key"] {
            make(name)
            let refused = try #require(refusal(), "\(name)")
            #expect(refused.reason == .remains)
            #expect(refused.description.contains(name))
            // An empty file is no database either.
            make("test.db")
            #expect(refusal()?.reason == .remains, "\(name)")
            unlink(scratch.file)
            unlink(scratch.path + "/" + name)
        }
        #expect(refusal { $0.making = .no }?.reason == .noDatabase)
        #expect(!scratch.names.contains("test.db"))
        make("key")
        let log = open(scratch.file + "-wal", O_WRONLY | O_CREAT, 0o600)
        _ = Glibc.write(log, "the last copy", 13)
        Glibc.close(log)
        #expect(refusal { $0.making = .besideRemains } == nil)
        let aside = try #require(scratch.names.first { $0.hasPrefix("test.db-wal.set-aside-") })
        var info = stat()
        #expect(stat(scratch.path + "/" + aside, &info) == 0 && info.st_size == 13)
        // Now there is one: its key is no remains.
        #expect(refusal() == nil)
    }

    @Test("a directory that is not there is told as the database's")
    func noDirectory() throws {
        let path = scratch.path + "/none/test.db"
        let refused = #expect(throws: OpeningRefusal.self) {
            try Database(path: path, migrations: Scratch.migrations)
        }
        #expect(refused?.description.hasPrefix("the database's directory ") == true)
        #expect(refused?.description.contains(".lock") == false)
    }

    @Test("a copy is read without a lock, a log or a change beside it")
    func readOnlyCopy() throws {
        let database = try scratch.open()
        try add("kept", database)
        try database.backup(to: scratch.path + "/copy")
        database.close()
        let copy = scratch.path + "/copy"
        chmod(copy, 0o400)
        let before = scratch.names
        let reader = try DatabaseCopy(path: copy, versions: Scratch.migrations.count).reader
        #expect(try reader.findProblems() == [])
        #expect(try reader.notes() == ["kept"])
        #expect(scratch.names == before)
        let other = #expect(throws: OpeningRefusal.self) {
            try DatabaseCopy(path: copy, versions: 99)
        }
        #expect(other?.description.contains("schema version") == true)
        let log = open(copy + "-wal", O_WRONLY | O_CREAT, 0o600)
        _ = Glibc.write(log, "more", 4)
        Glibc.close(log)
        #expect(throws: OpeningRefusal.self) { try DatabaseCopy(path: copy, versions: 1) }
    }
}
