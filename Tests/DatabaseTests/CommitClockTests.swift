import Database
import Model
import Testing

@Suite struct CommitClockTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func write(_ database: Database, _ text: String) throws -> Int64 {
        try database.perform { tx in
            try tx.run("INSERT INTO notes (text) VALUES (?)", text)
            return tx.now.milliseconds
        }
    }

    @Test("a transaction's instant stays at the last commit while the clock is behind it")
    func clockJumpsBack() throws {
        let time = TestClock(1_000_000)
        let notices = try Told<String>()
        let database = try scratch.open(clock: time.clock) { settings in
            settings.onNotice = { notices.tell($0) }
        }
        #expect(try write(database, "a") == 1_000_000)
        time.set(970_000)
        #expect(try write(database, "b") == 1_000_000)
        #expect(try write(database, "c") == 1_000_000)
        time.set(1_000_001)
        #expect(try write(database, "d") == 1_000_001)
        #expect(database.statistics.clockJumps == 1)
        #expect(notices.wait(for: 1).count == 1)
        #expect(database.statistics.lastCommit?.milliseconds == 1_000_001)
        database.close()
    }

    @Test("the last committed instant is kept across a restart")
    func acrossRestart() throws {
        let time = TestClock(5_000_000)
        var database = try scratch.open(clock: time.clock)
        _ = try write(database, "a")
        database.close()
        time.set(10)
        database = try scratch.open(clock: time.clock)
        #expect(database.statistics.lastCommit?.milliseconds == 5_000_000)
        #expect(try write(database, "b") == 5_000_000)
        database.close()
    }

    @Test("a write in the same millisecond as one that changed nothing is kept across a restart")
    func sameMillisecond() throws {
        let time = TestClock(5_000_000)
        var database = try scratch.open(clock: time.clock)
        try database.perform { _ in }
        _ = try write(database, "a")
        database.close()
        time.set(10)
        database = try scratch.open(clock: time.clock)
        #expect(try write(database, "b") == 5_000_000)
        database.close()
    }

    @Test("a jump of the clock far ahead is counted")
    func clockJumpsForward() throws {
        let time = TestClock(1_000_000)
        let database = try scratch.open(clock: time.clock)
        _ = try write(database, "a")
        time.set(1_000_000 + 3_600_000)
        _ = try write(database, "b")
        #expect(database.statistics.clockJumps == 1)
        database.close()
    }

    @Test("a clock at the ends of what can be counted does no harm")
    func extremes() throws {
        let time = TestClock(.max)
        let database = try scratch.open(clock: time.clock)
        #expect(try write(database, "a") == .max)
        time.set(.min)
        #expect(try write(database, "b") == .max)
        database.close()
    }
}
