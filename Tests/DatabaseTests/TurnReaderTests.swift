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
