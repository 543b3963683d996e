import Database
import Model
import Platform
import Testing

/// Writes notes; refuses batches with the item "bad", and tells what it is told.
private struct NoteSink: BatchSink {
    let told: Told<String>

    mutating func process(_ items: [String], in transaction: Transaction) throws {
        for item in items {
            try transaction.run("INSERT INTO notes (text) VALUES (?)", item)
            if item == "bad" { throw Refused() }
            if item == "ruin" { try transaction.run("ROLLBACK") }
        }
    }

    mutating func committed(_ items: [String]) {
        for item in items { told.tell("\(item) committed") }
    }

    mutating func failed(_ items: [String], _ error: any Error) {
        for item in items { told.tell("\(item) \(error is Refused ? "refused" : "lost")") }
    }
}

@Suite struct SinkTests {
    let scratch: Scratch
    let told: Told<String>

    init() throws {
        scratch = try Scratch()
        told = try Told<String>()
    }

    private func open(
        limit: Int = 100, batch: Int = 100
    ) throws -> (Database, Intake<String>) {
        var settings = DatabaseSettings()
        settings.batchItemsMax = batch
        let database = try Database(
            path: scratch.file, migrations: Scratch.migrations, settings: settings)
        let told = told
        let intake = database.addSink(limit: limit) { reader -> NoteSink in
            let count = try reader.noteCount()
            #expect(count == 0)
            return NoteSink(told: told)
        }
        try database.start()
        return (database, intake)
    }

    @Test("an item alone wakes the writer and is committed")
    func oneItem() throws {
        let (database, intake) = try open()
        for (place, name) in ["a", "b", "c"].enumerated() {
            #expect(intake.push(name))
            #expect(told.wait(for: place + 1).last == "\(name) committed")
        }
        #expect(try database.makeReader().notes() == ["a", "b", "c"])
        database.close()
    }

    @Test("items ride the batch of the jobs, in slices of the bound")
    func ridesAlong() throws {
        let (database, intake) = try open(batch: 4)
        let gate = try Gate()
        gate.hold(database)
        for number in 0..<10 { #expect(intake.push("\(number)")) }
        gate.open()
        #expect(told.wait(for: 10) == (0..<10).map { "\($0) committed" })
        #expect(database.statistics.batches == 3)
        #expect(database.statistics.items == 10)
        database.close()
    }

    @Test("a sink that throws loses its items alone")
    func failingSink() throws {
        let (database, intake) = try open()
        let gate = try Gate()
        gate.hold(database)
        _ = database.write {
            try $0.run("INSERT INTO notes (text) VALUES ('job')")
        } completion: {
            [told] in
            told.tell("job \($0.isCommitted)")
        }
        #expect(intake.push("a"))
        #expect(intake.push("bad"))
        gate.open()
        #expect(told.wait(for: 3) == ["job true", "a refused", "bad refused"])
        #expect(try database.makeReader().notes() == ["job"])
        database.close()
    }

    @Test("a sink is told when the batch is lost")
    func lostBatch() throws {
        let (database, intake) = try open()
        let gate = try Gate()
        gate.hold(database)
        #expect(intake.push("ruin"))
        gate.open()
        #expect(told.wait(for: 1) == ["ruin lost"])
        #expect(intake.push("next"))
        #expect(told.wait(for: 2).last == "next committed")
        database.close()
    }

    @Test("a full intake refuses at once")
    func bound() throws {
        let (database, intake) = try open(limit: 2)
        let gate = try Gate()
        gate.hold(database)
        #expect((0..<3).map { intake.push("\($0)") } == [true, true, false])
        #expect(intake.depth == 2)
        gate.open()
        _ = told.wait(for: 2)
        database.close()
    }

    @Test("items accepted before the close are written, and later ones refused")
    func close() throws {
        let (database, intake) = try open()
        for number in 0..<50 { #expect(intake.push("\(number)")) }
        database.close()
        #expect(told.wait(for: 50).allSatisfy { $0.hasSuffix("committed") })
        #expect(!intake.push("late"))
    }

    @Test("a sink that cannot be made stops the start")
    func failingMake() throws {
        let database = try Database(path: scratch.file, migrations: Scratch.migrations)
        let told = told
        _ = database.addSink(limit: 1) { _ -> NoteSink in
            if told.wait(for: 0).isEmpty { throw Refused() }
            return NoteSink(told: told)
        }
        #expect(throws: Refused.self) { try database.start() }
        database.close()
    }
}
