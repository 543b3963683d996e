import Database
import Glibc
import Model
import Platform
import Testing

@Suite struct LogAndBackupTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func write(_ count: Int, _ database: Database) throws {
        for _ in 0..<count {
            try database.perform {
                try $0.run(
                    "INSERT INTO blobs (bytes) VALUES (?)", [UInt8](repeating: 1, count: 40_000))
            }
        }
    }

    /// Runs `body` while threads take one short snapshot after another.
    private func whileReading(
        _ database: Database, threads: Int, _ body: () throws -> Void
    ) throws {
        guard threads > 0 else { return try body() }
        let stop = Locked(false)
        let reader = try database.makeReader()
        let thread = try Thread("reader") {
            while !stop.withLock({ $0 }) {
                try? reader.snapshot {
                    _ = try reader.noteCount()
                    _ = try reader.integer(
                        """
                        WITH RECURSIVE numbers (n) AS (
                            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000
                        ) SELECT count(*) FROM numbers
                        """)
                }
            }
        }
        let result = Result { try whileReading(database, threads: threads - 1, body) }
        stop.withLock { $0 = true }
        thread.join()
        try result.get()
    }

    /// Waits for what the writer does by itself, without a sleep; false after 5 s.
    private func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        let end = MonotonicInstant.now().advanced(byMilliseconds: 5_000)
        while try !condition() {
            if MonotonicInstant.now() > end { return false }
            sched_yield()
        }
        return true
    }

    @Test("under load the log stays within its bound")
    func boundUnderLoad() throws {
        let database = try scratch.open {
            $0.logPagesForced = 100
            $0.idleMilliseconds = 60_000
        }
        try write(200, database)
        // 200 writes of some 11 pages each would be 9 MB.
        #expect(database.statistics.logBytes < 1_000_000)
        #expect(database.statistics.checkpoints > 5)
        database.close()
    }

    @Test("a reader's snapshot lets the log grow, and it shrinks once the reader is gone")
    func pinnedReader() throws {
        let database = try scratch.open {
            $0.logPagesForced = 100
            $0.logPagesIdle = 50
            $0.idleMilliseconds = 1
            $0.restMilliseconds = 1
        }
        let reader = try database.makeReader()
        try reader.snapshot {
            _ = try reader.noteCount()
            try write(60, database)
            #expect(database.statistics.logBytes > 2_000_000)
            #expect(try reader.integer("SELECT count(*) FROM blobs") == 0)
        }
        try write(1, database)
        // The last write alone may stay, when the log was emptied just before it.
        #expect(eventually { database.statistics.logBytes < 100_000 })
        #expect(try reader.integer("SELECT count(*) FROM blobs") == 61)
        database.close()
    }

    @Test("readers whose short snapshots overlap without end do not keep the log growing")
    func overlappingReaders() throws {
        let database = try scratch.open {
            $0.logPagesForced = 100
            $0.idleMilliseconds = 60_000
        }
        var longest: Int64 = 0
        try whileReading(database, threads: 3) {
            for _ in 0..<40 {
                try write(10, database)
                longest = max(longest, database.statistics.logBytes)
            }
        }
        // The 400 writes come to 18 MB; how soon a reader is gone is for the scheduler to say.
        #expect(longest < 12_000_000)
        database.close()
    }

    @Test("a quiet writer empties the log")
    func emptiesWhenIdle() throws {
        let database = try scratch.open {
            $0.logPagesIdle = 50
            $0.idleMilliseconds = 1
            $0.restMilliseconds = 1
        }
        try write(20, database)
        #expect(eventually { database.statistics.logBytes == 0 })
        #expect(database.statistics.checkpointFailures == 0)
        database.close()
    }

    @Test("a backup under load is whole, sound and a database of ours")
    func backupUnderLoad() throws {
        let database = try scratch.open()
        try write(20, database)
        let told = try Told<Bool>()
        let stop = Locked(false)
        let load = try Thread("load") {
            while !stop.withLock({ $0 }) {
                do {
                    try database.perform { try $0.run("INSERT INTO notes DEFAULT VALUES") }
                    told.tell(true)
                } catch {
                    told.tell(false)
                    return
                }
            }
        }
        _ = told.wait(for: 5)
        let copies = try Scratch()
        try database.backup(to: copies.file)
        stop.withLock { $0 = true }
        load.join()
        #expect(copies.names == ["test.db"])
        var info = stat()
        #expect(stat(copies.file, &info) == 0 && info.st_mode & 0o777 == 0o600)
        let written = try database.makeReader().noteCount()
        database.close()
        let copy = try copies.open()
        #expect(try copy.makeReader().findProblems() == [])
        #expect(try copy.makeReader().integer("SELECT count(*) FROM blobs") == 20)
        #expect((5...written).contains(try copy.makeReader().noteCount()))
        copy.close()
    }

    @Test("a backup never replaces a file")
    func backupTargetExists() throws {
        let database = try scratch.open()
        let copies = try Scratch()
        try database.backup(to: copies.file)
        #expect(throws: BackupRefusal.targetExists) { try database.backup(to: copies.file) }
        #expect(copies.names == ["test.db"])
        database.close()
    }

    @Test("a backup that cannot be written leaves nothing behind")
    func backupFails() throws {
        let database = try scratch.open()
        #expect(throws: SystemError.self) {
            try database.backup(to: scratch.path + "/missing/copy.db")
        }
        database.close()
    }

    @Test("a file that is damaged is reported by the check")
    func damaged() throws {
        var database = try scratch.open()
        try write(20, database)
        database.close()
        let number = open(scratch.file, O_WRONLY)
        let noise = [UInt8](repeating: 0xEE, count: 4_096)
        #expect(pwrite(number, noise, noise.count, 4_096 * 4) == noise.count)
        close(number)
        database = try scratch.open()
        let problems = try? database.makeReader().findProblems()
        #expect(problems != [])
        database.close()
    }

    @Test("a long read is interrupted at its deadline")
    func longReadDeadline() throws {
        let database = try scratch.open { $0.longReadSeconds = 0 }
        let told = try Told<Bool>()
        let isTaken = database.longRead { reader in
            do {
                _ = try reader.integer(
                    """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
                    SELECT count(*) FROM numbers
                    """)
                told.tell(false)
            } catch {
                told.tell((error as? DatabaseFault)?.isInterrupted == true)
            }
        }
        #expect(isTaken)
        #expect(told.wait(for: 1) == [true])
        database.close()
    }

    @Test("closing interrupts a long read")
    func closeInterrupts() throws {
        let database = try scratch.open()
        let told = try Told<Bool>()
        let isTaken = database.longRead { reader in
            told.tell(true)
            do {
                _ = try reader.integer(
                    """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
                    SELECT count(*) FROM numbers
                    """)
            } catch {
                told.tell((error as? DatabaseFault)?.isInterrupted == true)
            }
        }
        #expect(isTaken)
        _ = told.wait(for: 1)
        database.close()
        #expect(told.wait(for: 2) == [true, true])
    }

    @Test("long reads run on several threads, and their queue is bounded")
    func longReadQueue() throws {
        let database = try scratch.open {
            $0.longReadThreads = 2
            $0.queuedLongReadsMax = 1
        }
        let entered = try Told<Int>()
        let leave = try EventSignal(blocking: true)
        for number in 0..<2 {
            let isTaken = database.longRead { _ in
                entered.tell(number)
                leave.wait()
                leave.raise()
            }
            #expect(isTaken)
            _ = entered.wait(for: number + 1)
        }
        let third = database.longRead { _ in entered.tell(2) }
        let fourth = database.longRead { _ in entered.tell(3) }
        #expect(third && !fourth)
        leave.raise()
        #expect(entered.wait(for: 3).contains(2))
        database.close()
    }
}
