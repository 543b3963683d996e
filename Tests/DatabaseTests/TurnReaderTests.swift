import Database
import Platform
import Testing

@Suite struct TurnReaderTests {
    let scratch: Scratch
    let database: Database
    let turn: TurnReader

    init() throws {
        scratch = try Scratch()
        database = try scratch.open()
        turn = try TurnReader(database)
    }

    private func write(_ text: String) throws {
        try database.perform { tx in try tx.run("INSERT INTO notes (text) VALUES (?)", text) }
    }

    @Test("whoever was told of a commit reads it, within a turn too")
    func readsOwnWrites() throws {
        defer { database.close() }
        for count in 1...20 {
            try write("note \(count)")
            #expect(try turn.current().noteCount() == Int64(count))
            #expect(try turn.current().noteCount() == Int64(count))
            if count.isMultiple(of: 3) { try turn.endTurn() }
        }
        try turn.endTurn()
    }

    @Test("the reads of a turn see one state while a batch is being written")
    func sharedView() throws {
        defer { database.close() }
        try write("first")
        let gate = try Gate()
        _ = try turn.current().noteCount()
        gate.hold(database)
        #expect(try turn.current().noteCount() == 1)
        gate.open()
        try write("second")
        #expect(try turn.current().noteCount() == 2)
        try turn.endTurn()
    }

    @Test("what walks over too much is interrupted, and the next request has its time again")
    func budget() throws {
        defer { database.close() }
        try write("first")
        func count(to last: Int64) throws -> Int64? {
            try turn.current().integer(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                SELECT count(*) FROM n
                """, last)
        }
        for _ in 0..<50 { #expect(try count(to: 2_000) == 2_000) }
        for _ in 0..<3 {
            do {
                _ = try count(to: 10_000_000)
                Issue.record("it was not interrupted")
            } catch let fault as DatabaseFault { #expect(fault.isInterrupted) }
            #expect(try count(to: 2_000) == 2_000)
            #expect(try turn.current().noteCount() == 1)
        }
        try turn.endTurn()
        try write("second")
        #expect(try turn.current().noteCount() == 2)
        try turn.endTurn()
    }

    @Test("between turns nothing is held, so the log can be emptied")
    func holdsNothing() throws {
        defer { database.close() }
        try write("first")
        _ = try turn.current().noteCount()
        try turn.endTurn()
        try turn.endTurn()
        try write("second")
        #expect(try turn.current().noteCount() == 2)
        try turn.endTurn()
    }
}
