import Database
import Glibc
import Model
import Platform
import Testing

@Suite struct WriterTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("a job that throws is undone alone, and the others of its batch are committed")
    func savepointIsolation() throws {
        let database = try scratch.open()
        let gate = try Gate()
        let told = try Told<String>()
        gate.hold(database)
        for name in ["a", "bad", "c"] {
            _ = database.write { tx in
                try tx.run("INSERT INTO notes (text) VALUES (?)", name)
                if name == "bad" { throw Refused() }
            } completion: { outcome in
                switch outcome {
                case .committed: told.tell("\(name) committed")
                case .failed(let error): told.tell("\(name) \(error is Refused)")
                case .notCommitted: told.tell("\(name) lost")
                }
            }
        }
        gate.open()
        #expect(told.wait(for: 3) == ["a committed", "bad true", "c committed"])
        #expect(try database.makeReader().notes() == ["a", "c"])
        #expect(database.statistics.batches == 1)
        database.close()
    }

    @Test("a job's error is told apart by its result code")
    func constraintCodes() throws {
        let database = try scratch.open()
        try database.perform { try $0.run("INSERT INTO notes (id, text) VALUES (1, 'a')") }
        let unique = #expect(throws: DatabaseFault.self) {
            try database.perform { try $0.run("INSERT INTO notes (text) VALUES ('a')") }
        }
        let primary = #expect(throws: DatabaseFault.self) {
            try database.perform { try $0.run("INSERT INTO notes (id, text) VALUES (1, 'b')") }
        }
        let null = #expect(throws: DatabaseFault.self) {
            try database.perform { try $0.run("INSERT INTO blobs (bytes) VALUES (NULL)") }
        }
        #expect(unique?.isUniqueViolation == true)
        #expect(primary?.isUniqueViolation == true)
        #expect(null?.isUniqueViolation == false && null?.isConstraintViolation == true)
        #expect(unique?.isRetryable == false)
        database.close()
    }

    @Test("a fault never shows a bound value")
    func faultHidesValues() throws {
        let database = try scratch.open()
        let insert: @Sendable (Transaction) throws -> Void = {
            try $0.run("INSERT INTO notes (text) VALUES (?)", "secret@example.com")
        }
        try database.perform(insert)
        let fault = #expect(throws: DatabaseFault.self) { try database.perform(insert) }
        #expect(fault?.description.contains("INSERT INTO notes") == true)
        #expect(fault?.description.contains("secret") == false)
        database.close()
    }

    @Test("undo takes back what the job did so far, and the job goes on")
    func undo() throws {
        let database = try scratch.open()
        let told = try Told<String>()
        try database.perform { tx in
            try tx.run("INSERT INTO notes (text) VALUES ('undone')")
            tx.afterCommit { told.tell("undone") }
            tx.markConfigurationChanged()
            try tx.undo()
            try tx.run("INSERT INTO notes (text) VALUES ('kept')")
            tx.afterCommit { told.tell("kept") }
        }
        #expect(told.wait(for: 1) == ["kept"])
        #expect(try database.makeReader().notes() == ["kept"])
        #expect(database.configurationGeneration == 0)
        database.close()
    }

    @Test("writes of many threads share commits")
    func groupCommit() throws {
        let database = try scratch.open()
        let gate = try Gate()
        let told = try Told<Bool>()
        gate.hold(database)
        for thread in 0..<4 {
            try Thread("load") {
                for number in 0..<50 {
                    _ = database.write {
                        try $0.run("INSERT INTO notes (text) VALUES (?)", "\(thread).\(number)")
                    } completion: {
                        told.tell($0.isCommitted)
                    }
                }
            }.join()
        }
        gate.open()
        #expect(told.wait(for: 200).allSatisfy { $0 })
        #expect(try database.makeReader().noteCount() == 200)
        #expect(database.statistics.jobs == 201)
        #expect(database.statistics.batches <= 20)
        database.close()
    }

    @Test("a batch takes no more jobs than its bound")
    func batchBound() throws {
        let database = try scratch.open {
            $0.batchJobsMax = 10
            $0.batchMilliseconds = 10_000
        }
        let gate = try Gate()
        let told = try Told<Bool>()
        gate.hold(database)
        for _ in 0..<49 {
            _ = database.write { _ in
            } completion: {
                told.tell($0.isCommitted)
            }
        }
        gate.open()
        _ = told.wait(for: 49)
        #expect(database.statistics.batches == 5)
        database.close()
    }

    @Test("a full queue refuses at once, and takes writes again once there is room")
    func queueBound() throws {
        let database = try scratch.open { $0.queuedJobsMax = 3 }
        let gate = try Gate()
        let told = try Told<Bool>()
        gate.hold(database)
        let accepted = (0..<5).map { _ in
            database.write { _ in
            } completion: {
                told.tell($0.isCommitted)
            }
        }
        #expect(accepted == [true, true, false, false, false])
        gate.open()
        #expect(told.wait(for: 2) == [true, true])
        #expect(try database.perform { _ in 1 } == 1)
        database.close()
    }

    @Test("what waits in the queue at close is written first")
    func closeDrains() throws {
        let database = try scratch.open()
        let told = try Told<Bool>()
        for number in 0..<100 {
            _ = database.write {
                try $0.run("INSERT INTO notes (text) VALUES (?)", "\(number)")
            } completion: {
                told.tell($0.isCommitted)
            }
        }
        database.close()
        #expect(told.wait(for: 100).allSatisfy { $0 })
        let again = try scratch.open()
        #expect(try again.makeReader().noteCount() == 100)
        again.close()
    }

    @Test("a job that leaves a deferred reference open fails alone")
    func deferredKey() throws {
        let database = try scratch.open()
        let gate = try Gate()
        let told = try Told<Bool>()
        gate.hold(database)
        _ = database.write {
            try $0.run("INSERT INTO notes (text, parent) VALUES ('orphan', 77)")
        } completion: {
            if case .failed(let error as DatabaseFault) = $0 {
                told.tell(error.isForeignKeyViolation)
            } else {
                told.tell(false)
            }
        }
        _ = database.write {
            try $0.run("INSERT INTO notes (text) VALUES ('good')")
        } completion: {
            told.tell($0.isCommitted)
        }
        gate.open()
        #expect(told.wait(for: 2) == [true, true])
        #expect(try database.makeReader().notes() == ["good"])
        database.close()
    }

    @Test("a job that swallows the failure that ended the transaction cannot write past it")
    func lostTransaction() throws {
        let database = try scratch.open()
        let gate = try Gate()
        let told = try Told<WriteOutcome>()
        gate.hold(database)
        _ = database.write {
            try $0.run("INSERT INTO notes (text) VALUES ('before')")
        } completion: {
            told.tell($0)
        }
        _ = database.write { tx in
            try tx.run("ROLLBACK")
            try? tx.run("INSERT INTO notes (text) VALUES ('past')")
        } completion: {
            told.tell($0)
        }
        _ = database.write {
            try $0.run("INSERT INTO notes (text) VALUES ('after')")
        } completion: {
            told.tell($0)
        }
        gate.open()
        let outcomes = told.wait(for: 3)
        #expect(outcomes[0].fault != nil && outcomes[1].fault != nil)
        #expect(outcomes[2].isCommitted)
        #expect(try database.makeReader().notes() == ["after"])
        database.close()
    }

    @Test("a full file fails writes as retryable, and they succeed again when there is room")
    func full() throws {
        let database = try scratch.open()
        let bytes = [UInt8](repeating: 7, count: 100_000)
        try database.perform { try $0.run("PRAGMA max_page_count = 15") }
        let fault = #expect(throws: DatabaseFault.self) {
            try database.perform { try $0.run("INSERT INTO blobs (bytes) VALUES (?)", bytes) }
        }
        #expect(fault?.isFull == true && fault?.isRetryable == true)
        #expect(!database.health.writable)
        #expect(try database.makeReader().noteCount() == 0)
        try database.perform { try $0.run("PRAGMA max_page_count = 1000000") }
        try database.perform { try $0.run("INSERT INTO blobs (bytes) VALUES (?)", bytes) }
        #expect(database.health.writable)
        #expect(try database.makeReader().integer("SELECT count(*) FROM blobs") == 1)
        database.close()
    }

    @Test("a batch that hangs shows in the health, and its end too")
    func stuck() throws {
        let database = try scratch.open { $0.stuckSeconds = 0 }
        let gate = try Gate()
        gate.hold(database)
        #expect(!database.health.writable)
        #expect(database.health.reason?.contains("has been running") == true)
        gate.open()
        try database.perform { _ in }
        database.close()
        #expect(database.health.writable)
    }

    @Test("a commit that the disk refuses loses its batch, and the writer recovers by itself")
    func commitFailure() async {
        let path: String = scratch.path
        await #expect(processExitsWith: .exitCode(0)) { [path = path as String] in
            var settings = DatabaseSettings()
            settings.restMilliseconds = 20
            let database = try Database(
                path: path + "/test.db", migrations: Scratch.migrations, settings: settings)
            try database.start()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 65_536, rlim_max: rlim_t.max)
            setrlimit(__rlimit_resource_t(1), &limit)
            let gate = try Gate()
            let told = try Told<WriteOutcome>()
            gate.hold(database)
            for _ in 0..<3 {
                _ = database.write {
                    try $0.run(
                        "INSERT INTO blobs (bytes) VALUES (?)",
                        [UInt8](repeating: 7, count: 100_000))
                } completion: {
                    told.tell($0)
                }
            }
            gate.open()
            let isLost = told.wait(for: 3).allSatisfy { $0.fault?.isRetryable == true }
            guard isLost, !database.health.writable else { exit(1) }
            limit.rlim_cur = rlim_t.max
            setrlimit(__rlimit_resource_t(1), &limit)
            // Nobody writes; the writer tries by itself.
            let end = MonotonicInstant.now().advanced(byMilliseconds: 5_000)
            while !database.health.writable {
                guard MonotonicInstant.now() < end else { exit(2) }
                sched_yield()
            }
            try database.perform { try $0.run("INSERT INTO notes (text) VALUES ('after')") }
            guard try database.makeReader().notes() == ["after"],
                try database.makeReader().integer("SELECT count(*) FROM blobs") == 0,
                try database.makeReader().findProblems() == []
            else { exit(3) }
            database.close()
            exit(0)
        }
    }

    @Test("the generation is raised before the completion of the write that calls for it")
    func generationOrder() throws {
        let database = try scratch.open()
        let told = try Told<UInt64>()
        _ = database.write {
            $0.markConfigurationChanged()
        } completion: { _ in
            told.tell(database.configurationGeneration)
        }
        #expect(told.wait(for: 1) == [1])
        try database.perform { try $0.run("INSERT INTO notes (text) VALUES ('a')") }
        #expect(database.configurationGeneration == 1)
        #expect(throws: Refused.self) {
            try database.perform { tx in
                tx.markConfigurationChanged()
                throw Refused()
            }
        }
        #expect(database.configurationGeneration == 1)
        database.close()
    }

    @Test("what a job wants after the commit does not happen when the job fails")
    func afterCommit() throws {
        let database = try scratch.open()
        let told = try Told<String>()
        #expect(throws: Refused.self) {
            try database.perform { tx in
                tx.afterCommit { told.tell("failed") }
                throw Refused()
            }
        }
        try database.perform { tx in tx.afterCommit { told.tell("committed") } }
        #expect(told.wait(for: 1) == ["committed"])
        database.close()
    }

    @Test("identifiers made in a transaction carry its instant and differ")
    func identifiers() throws {
        let database = try scratch.open(clock: TestClock(1_700_000_000_000).clock)
        let (first, second) = try database.perform { tx -> (LeadID, LeadID) in
            (tx.makeID(), tx.makeID())
        }
        #expect(first.instant.milliseconds == 1_700_000_000_000)
        #expect(first != second)
        database.close()
    }
}
