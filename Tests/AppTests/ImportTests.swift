import Foundation
import JSON
import Testing

@testable import App

/// CSV files, read piece by piece.
struct CSVReaderTests {
    private func read(_ text: String, pieces: Int) -> [CSVReader.Row] {
        var reader = CSVReader()
        var rows: [CSVReader.Row] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            rows += reader.feed(bytes[start..<min(start + pieces, bytes.count)])
        }
        return rows + reader.finish()
    }

    private static let files: [(text: String, rows: [CSVReader.Row])] = [
        ("", []), ("\n\n", []), ("a,b", [.fields(["a", "b"], line: 1)]),
        ("a,b\r\n1,2\r\n", [.fields(["a", "b"], line: 1), .fields(["1", "2"], line: 2)]),
        ("\u{FEFF}a\n1\n", [.fields(["a"], line: 1), .fields(["1"], line: 2)]),
        (
            "\u{FEFF}a,b\n1,\u{FEFF}2",
            [
                .fields(["a", "b"], line: 1), .fields(["1", "\u{FEFF}2"], line: 2),
            ]
        ),
        ("\u{FEFF}\"a\",\"b\"\r\n", [.fields(["a", "b"], line: 1)]),
        ("\u{FEFE},b", [.fields(["\u{FEFE}", "b"], line: 1)]),
        (
            "\"a\"\r\"b\"\nc",
            [
                .malformed("text follows a closing quote", line: 1), .fields(["c"], line: 2),
            ]
        ),
        (
            "\"a,\"\"b\"\"\nc\",d\ne",
            [.fields(["a,\"b\"\nc", "d"], line: 1), .fields(["e"], line: 3)]
        ),
        (",\n", [.fields(["", ""], line: 1)]),
        ("\"\"\n", []),
        (
            "a\"b,c\nd\n",
            [.malformed("a quote stands within a field", line: 1), .fields(["d"], line: 2)]
        ),
        (
            "\"a\"b\nc",
            [.malformed("text follows a closing quote", line: 1), .fields(["c"], line: 2)]
        ),
        ("x\n\"a\nb", [.fields(["x"], line: 1), .malformed("a quote is not closed", line: 2)]),
    ]

    @Test("every file gives the same rows, however it is cut into pieces")
    func pieces() {
        for (text, rows) in Self.files {
            for size in 1...max(1, text.utf8.count) {
                #expect(read(text, pieces: size) == rows, "\(text.debugDescription) by \(size)")
            }
        }
    }

    @Test("a row that is too long, too wide or no text is told and passed over")
    func limits() {
        let long = String(repeating: "x", count: CSVReader.rowBytesMax + 1)
        let wide = String(repeating: ",", count: CSVReader.fieldsMax)
        for bad in [long, wide] {
            let rows = read("a\n\(bad)\nb\n", pieces: 1_000)
            #expect(rows.count == 3)
            guard case .malformed(_, line: 2) = rows[1] else {
                Issue.record("not refused")
                continue
            }
            #expect(rows[2] == .fields(["b"], line: 3))
        }
        var reader = CSVReader()
        let rows = reader.feed([0x61, 0xFF, 0x0A, 0x62, 0x0A])
        #expect(rows == [.malformed("the text is not UTF-8", line: 1), .fields(["b"], line: 2)])
    }
}

/// Leads by a file, through the API and the command.
struct ImportTests {
    private static let file = """
        email,name,company,domain,country,intro,estimated_value,note,ref
        grace@navy.example,Grace Hopper,Navy,navy.example,US,strong,500000,"Two
        lines",ada
        g.hopper@navy.example,Grace,,,,,,,ada
        not an address,Nobody,,,,,,,ada
        a@one.example,Ann,,,,,12.50,,ada
        a@one.example,Ann,,,,lukewarm,,,ada
        a@one.example,Ann,,,,,,
        b"ad,row,,,,,,,ada
        b@two.example,Ben,,,,,,,nobody
        c@three.example,Cora,,,,,,,ada
        """

    private func post(_ scene: Scene, _ text: String, type: String = "text/csv") throws
        -> TestAnswer
    {
        try scene.service.sendBytes(
            "POST", "/v1/leads/import?program_id=\(scene.program)", Array(text.utf8),
            headers: [("Content-Type", type)])
    }

    @Test("each row is taken by the rules of a request, and each refused one told with its line")
    func rows() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let report = try post(scene, Self.file)
        #expect(report.status == 200, "\(report.text)")
        #expect(report["rows"] == 9)
        #expect(report["created"] == 3)
        #expect(report["duplicates"] == 1)
        #expect(report["refused"] == 5)
        let errors = report["errors"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(errors.compactMap { $0["line"]?.integerValue } == [5, 6, 7, 8, 9])
        #expect(
            errors.compactMap { $0["code"]?.stringValue } == [
                "bad_format", "wrong_type", "unknown_value", "wrong_count", "malformed_row",
            ])
        // What names nobody costs no row: it is left out, and told.
        #expect(
            report["ignored"] == [
                ["line": 10, "row": 8, "name": "ref", "value": "nobody", "because": "unknown"]
            ])
        #expect(report["ignored_omitted"] == 0)
        let leads = try scene.service.get("/v1/leads?limit=100")
        #expect(leads.ids.count == 4)
        #expect(leads["data.3.note"] == "Two\nlines")
        #expect(leads["data.3.source"] == "import")
        #expect(leads["data.3.estimated_value.amount"] == 500_000)
        #expect(leads["data.3.participant_id"] == .string(scene.ada.id))
        #expect(leads["data.1.participant_id"] == .null)
        #expect(
            leads["data.1.ignored"] == [
                ["name": "ref", "value": "nobody", "because": "unknown"]
            ])
    }

    @Test("the same file sent again adds nothing, also after more than a day")
    func again() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try post(scene, Self.file)
        let before = try Scene.rowCount(scene.service)
        scene.service.clock.advance(days: 3)
        let report = try post(scene, Self.file)
        #expect(report["created"] == 0)
        #expect(report["repeated"] == 4)
        #expect(report["refused"] == 5)
        #expect(try Scene.rowCount(scene.service) == before)
    }

    @Test("a file with a wrong header, type or program is refused whole")
    func refused() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for text in ["", "name\nx\n", "email,colour\na@b.example,red\n", "email,email\n"] {
            let answer = try post(scene, text)
            #expect(answer.status == 422, "\(text)")
            #expect(answer.code == "bad_header")
        }
        #expect(try post(scene, Self.file, type: "application/json").status == 415)
        let elsewhere = try scene.service.sendBytes(
            "POST", "/v1/leads/import?program_id=prog_01h455vb4pex5vsknk084sn02q",
            Array(Self.file.utf8), headers: [("Content-Type", "text/csv")])
        #expect(elsewhere.status == 404)
    }

    @Test("a dry run tells what an import would, row by row, and leaves no trace")
    func rehearsal() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        func rehearse(_ text: String, _ asked: String = "true") throws -> TestAnswer {
            try scene.service.sendBytes(
                "POST", "/v1/leads/import?program_id=\(scene.program)", Array(text.utf8),
                headers: [("Content-Type", "text/csv"), ("Dry-Run", asked)])
        }
        // The last row repeats one of another slice.
        let many = (0..<ImportLeads.sliceRows).map { "p\($0)@one\($0).example" }
        let file = "email\n" + (many + [many[0], "a@two.example"]).joined(separator: "\n")
        for text in [Self.file, file] {
            let before = try Scene.rowCount(scene.service)
            let told = try rehearse(text)
            #expect(told.header("dry-run") == "true")
            #expect(try Scene.rowCount(scene.service) == before)
            let done = try post(scene, text)
            #expect(told.text == done.text)
            #expect(done.header("dry-run") == nil)
        }
        #expect(try post(scene, file)["repeated"] == 52)
        let long = "email\n" + (0...500).map { "q\($0)@two.example\n" }.joined()
        #expect(try rehearse(long).code == "too_many_rows")
        #expect(try rehearse("email\n" + String(repeating: "x", count: 300_000)).status == 422)
        #expect(try rehearse(file, "maybe").code == "bad_dry_run")
        #expect(try rehearse("nonsense\n").code == "bad_header")
    }

    @Test("the command imports through the daemon and without it, and both know each other's rows")
    func command() throws {
        let scene = try Scene(TestService())
        let path = scene.service.folder.appending(path: "leads.csv")
        try Data(Self.file.utf8).write(to: path)
        let database = scene.service.folder.appending(path: "test.db").path
        let words = [
            "import-leads", path.path, "--program", scene.program, "--database", database,
        ]
        #expect(Referrald.run(words, environment: [:]) == 0)
        #expect(try scene.service.get("/v1/leads?limit=100").ids.count == 4)
        let before = try Scene.rowCount(scene.service)
        scene.service.stop(keepingFiles: true)
        #expect(Referrald.run(words, environment: [:]) == 0)
        let next = try TestService(folder: scene.service.folder)
        defer { next.stop() }
        #expect(try Scene.rowCount(next) == before)
    }
}
