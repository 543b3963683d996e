import Testing

@testable import RewardLedger

@Suite struct CSVTableTests {
    private func record(_ cell: String?) -> String {
        var table = CSVTable(columns: ["a", "b"])
        table.text(cell)
        table.number(-5)
        table.endRecord()
        return String(decoding: table.bytes, as: UTF8.self)
    }

    static let cells: [(cell: String?, written: String)] = [
        (nil, ""), ("", ""), ("plain", "plain"), ("a=b", "a=b"),
        ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\"'\t=1\""), ("\r=1", "\"'\r=1\""), ("\n=1", "\"'\n=1\""),
        ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\r\nb", "\"a\r\nb\""),
        ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
        ("Ünïcode", "Ünïcode"),
        ("＝1+1", "'＝1+1"), ("＋1", "'＋1"), ("－1", "'－1"), ("＠SUM(A1)", "'＠SUM(A1)"),
        (" =1", "' =1"), ("\u{a0}\u{3000}+1", "'\u{a0}\u{3000}+1"),
        ("\u{feff}=1", "'\u{feff}=1"), ("\u{200b}@A1", "'\u{200b}@A1"), ("\0=1", "'\0=1"),
        ("a;b", "\"a;b\""), ("a\tb", "\"a\tb\""), ("a;=1", "\"'a;=1\""),
        ("a\t +1", "\"'a\t +1\""), ("a;b=1", "\"a;b=1\""), ("a;\"=1\"", "\"'a;\"\"=1\"\"\""),
        (" a=1", " a=1"), ("  ", "  "), ("\u{200b}", "\u{200b}"),
    ]

    @Test("a cell that was marked is read without its mark, and no other", arguments: cells.indices)
    func unmarking(place: Int) {
        guard let cell = CSVTableTests.cells[place].cell else { return }
        let isMarked = record(cell).contains("'")
        #expect(CSVTable.unmarked(isMarked ? "'" + cell : cell) == cell)
        #expect(CSVTable.unmarked("'it's") == "'it's")
    }

    @Test("a cell is quoted as RFC 4180 says and never a formula", arguments: cells.indices)
    func quoting(place: Int) {
        let (cell, written) = CSVTableTests.cells[place]
        #expect(record(cell) == "a,b\r\n\(written),-5\r\n")
    }
}
