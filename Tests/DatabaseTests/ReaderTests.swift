import Database
import Model
import Platform
import Testing

@Suite struct ReaderTests {
    let scratch: Scratch
    let database: Database
    let reader: Reader

    init() throws {
        scratch = try Scratch()
        database = try scratch.open()
        reader = try database.makeReader()
    }

    private enum Color: String, SQLConvertible { case red }

    @Test("every kind of value comes back as it was bound")
    func roundTrip() throws {
        let id = LeadID(high: 0x0102_0304_0506_0708, low: 0xF0E0_D0C0_B0A0_9080)
        let none: String? = nil
        let isThere: Void? = try reader.first(
            "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", Int64.min, 7, Int32(-1), true, "ä\u{0}b",
            [1, 0, 2] as [UInt8], id, Instant(milliseconds: 5), none, Color.red
        ) { (row: Row) throws -> Void in
            #expect(try row.int64(0) == .min)
            #expect(try row.int(1) == 7)
            #expect(try row.int32(2) == -1)
            #expect(try row.bool(3))
            #expect(try row.text(4) == "ä\u{0}b")
            #expect(try row.blob(5) == [1, 0, 2])
            #expect(try row.id(6) == id)
            #expect(
                try row.blob(6) == [
                    1, 2, 3, 4, 5, 6, 7, 8, 0xF0, 0xE0, 0xD0, 0xC0, 0xB0,
                    0xA0, 0x90, 0x80,
                ])
            #expect(try row.instant(7) == Instant(milliseconds: 5))
            #expect(try row.optionalText(8) == nil)
            #expect(row.isNull(8))
            #expect(try row.text(9) == "red")
        }
        #expect(isThere != nil)
    }

    @Test("an empty text and an empty blob are values, not NULL")
    func emptyValues() throws {
        let (text, blob) = try #require(
            try reader.first("SELECT ?, ?", "", [UInt8]()) { (try $0.text(0), try $0.blob(1)) })
        #expect(text == "" && blob == [])
    }

    @Test(
        "a column of another type than asked for is a fault",
        arguments: 0..<10)
    func mismatch(_ number: Int) throws {
        let reads: [(Row) throws -> Void] = [
            { row in _ = try row.int64(0) },
            { row in _ = try row.text(1) },
            { row in _ = try row.blob(0) },
            { row in _ = try row.id(2, as: LeadID.self) },
            { row in _ = try row.bool(1) },
            { row in _ = try row.int64(3) },
            { row in _ = try row.text(4) },
            { row in _ = try row.int32(5) },
            { row in _ = try row.int64(99) },
            { row in _ = try row.int64(-1) },
        ]
        let fault = #expect(throws: DatabaseFault.self) {
            _ = try reader.first(
                "SELECT 'text', 2, x'01', NULL, CAST(x'ff' AS TEXT), 5000000000",
                map: reads[number])
        }
        #expect(fault?.operation.contains("column") == true)
    }

    @Test("a statement with more or fewer values than it has parameters is a fault")
    func parameterCount() {
        #expect(throws: DatabaseFault.self) { try reader.integer("SELECT ?, ?", 1) }
        #expect(throws: DatabaseFault.self) { try reader.integer("SELECT 1", 1) }
    }

    @Test("a text with a second statement is a fault")
    func secondStatement() throws {
        #expect(throws: DatabaseFault.self) { try reader.integer("SELECT 1; SELECT 2") }
        #expect(try reader.integer("SELECT 1; ") == 1)
    }

    @Test("two statements keep their own texts, and the same one serves again and again")
    func statementCache() throws {
        for number in 0..<200 {
            #expect(try reader.integer("SELECT ? + 1", number) == Int64(number + 1))
            #expect(try reader.integer("SELECT ? + 2", number) == Int64(number + 2))
        }
    }

    @Test("a statement runs inside its own rows")
    func nestedStatement() throws {
        func count(_ depth: Int) throws -> Int {
            var sum = 0
            try reader.forEach("SELECT 1 UNION ALL SELECT 2") { _ in
                sum += depth == 0 ? 1 : try count(depth - 1)
            }
            return sum
        }
        #expect(try count(3) == 16)
    }

    @Test("an error inside the rows leaves the statement fit for use")
    func errorInRows() throws {
        #expect(throws: Refused.self) {
            try reader.forEach("SELECT 1 UNION ALL SELECT 2") { _ in throw Refused() }
        }
        #expect(throws: Refused.self) {
            try reader.forEach("SELECT 1 UNION ALL SELECT 2") { _ in throw Refused() }
        }
    }

    @Test("a built query binds its values in order, past the size of its cache too")
    func builtQuery() throws {
        try database.perform { tx in
            for number in 1...10 { try tx.run("INSERT INTO notes (text) VALUES (?)", "\(number)") }
        }
        for length in 1...100 {
            var query = Query("SELECT text FROM notes WHERE id > ?", 2)
            query.append(" AND id IN ")
            query.appendList(Array(1...length))
            query.append(" ORDER BY id LIMIT ?", 2)
            let texts = try reader.all(query) { try $0.text(0) }
            #expect(texts == Array(["3", "4"].prefix(max(0, length - 2))))
        }
        var none = Query("SELECT count(*) FROM notes WHERE id IN ")
        none.appendList([])
        #expect(try reader.integer(none) == 0)
    }

    @Test("a reader cannot write")
    func readOnly() {
        #expect(throws: DatabaseFault.self) {
            try reader.integer("INSERT INTO notes (text) VALUES ('x') RETURNING id")
        }
    }

    @Test("a snapshot sees one state while others commit, and the next read sees theirs")
    func snapshot() throws {
        try reader.snapshot {
            #expect(try reader.noteCount() == 0)
            try database.perform { try $0.run("INSERT INTO notes (text) VALUES ('a')") }
            #expect(try reader.noteCount() == 0)
            #expect(try reader.snapshot { try reader.noteCount() } == 0)
        }
        #expect(try reader.noteCount() == 1)
    }

    @Test("a snapshot that throws ends")
    func failingSnapshot() throws {
        #expect(throws: Refused.self) {
            try reader.snapshot {
                _ = try reader.noteCount()
                throw Refused()
            }
        }
        try database.perform { try $0.run("INSERT INTO notes (text) VALUES ('a')") }
        #expect(try reader.noteCount() == 1)
    }

    @Test("a change that returns a row is done, and counted")
    func returning() throws {
        let (id, changes) = try database.perform { tx in
            let id = try tx.integer("INSERT INTO notes (text) VALUES ('a'), ('b') RETURNING id")
            return (id, tx.changes)
        }
        #expect(id == 1 && changes == 2)
        #expect(try reader.noteCount() == 2)
    }

    @Test("a change that returns a row has its foreign keys checked")
    func returningChecksKeys() {
        let fault = #expect(throws: DatabaseFault.self) {
            try database.perform { tx in
                try tx.integer(
                    """
                    INSERT INTO blobs (bytes, note) VALUES (x'00', 98), (x'00', 99) RETURNING id
                    """)
            }
        }
        #expect(fault?.isForeignKeyViolation == true)
    }

    @Test("text in double quotes is not taken for a string")
    func doubleQuotes() {
        #expect(throws: DatabaseFault.self) { try reader.integer("SELECT \"no such column\"") }
    }
}
