import Database
import Glibc
import Model
import Platform
import Synchronization

/// A directory that goes away with its owner.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/referrald-database-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    var file: String { path + "/test.db" }

    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// A database on this directory's file that serves.
    func open(
        migrations: [Migration] = Scratch.migrations, clock: Clock = .system,
        _ adjust: (inout DatabaseSettings) -> Void = { _ in }
    ) throws -> Database {
        var settings = DatabaseSettings()
        adjust(&settings)
        let database = try Database(
            path: file, migrations: migrations, settings: settings, clock: clock)
        try database.start()
        return database
    }

    static let migrations = [
        Migration(
            name: "0001_create_notes.sql",
            sql: """
                CREATE TABLE notes (
                    id INTEGER PRIMARY KEY, text TEXT UNIQUE, parent INTEGER
                    REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED
                ) STRICT;
                CREATE TABLE blobs (
                    id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, note INTEGER REFERENCES notes (id)
                ) STRICT;
                """,
            checksum: [1])
    ]
}

/// A clock that tests set.
final class TestClock: Sendable {
    private let milliseconds: Atomic<Int64>
    init(_ milliseconds: Int64) { self.milliseconds = Atomic(milliseconds) }
    func set(_ value: Int64) { milliseconds.store(value, ordering: .relaxed) }
    var clock: Clock {
        Clock { [self] in Instant(milliseconds: milliseconds.load(ordering: .relaxed)) }
    }
}

/// Collects what other threads tell, and lets a test wait for a number of them.
final class Told<Value: Sendable>: Sendable {
    private let values = Locked<[Value]>([])
    private let signal: EventSignal

    init() throws { signal = try EventSignal(blocking: true) }

    func tell(_ value: Value) {
        values.withLock { $0.append(value) }
        signal.raise()
    }

    func wait(for count: Int) -> [Value] {
        while true {
            let all = values.withLock { $0 }
            if all.count >= count { return all }
            signal.wait()
        }
    }
}

/// Holds the writer inside a job until it is opened, so that a test decides what is in a batch.
final class Gate: Sendable {
    private let entered: EventSignal
    private let opened: EventSignal

    init() throws {
        entered = try EventSignal(blocking: true)
        opened = try EventSignal(blocking: true)
    }

    /// Occupies the writer of `database`; returns once it stands at the gate.
    func hold(_ database: Database) {
        _ = database.write { [self] _ in
            entered.raise()
            opened.wait()
        } completion: { _ in
        }
        entered.wait()
    }

    func open() { opened.raise() }
}

struct Refused: Error {}

extension WriteOutcome {
    var isCommitted: Bool {
        if case .committed = self { true } else { false }
    }
    var fault: DatabaseFault? {
        if case .notCommitted(let fault) = self { fault } else { nil }
    }
}

extension Reader {
    func noteCount() throws -> Int64 { try integer("SELECT count(*) FROM notes") ?? -1 }
    func notes() throws -> [String] {
        try all("SELECT text FROM notes ORDER BY id") { try $0.text(0) }
    }
}

extension Database {
    var takesWrites: Bool { write({ _ in }, completion: { _ in }) }
}
