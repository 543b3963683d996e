import Database
import Glibc
import JSON
import LeadRegistration
import Model
import Platform
import Programs

/// `referrald import-leads FILE --program ID`: through the running daemon in pieces, or on the
/// database itself. Memory does not grow with the file.
enum ImportCommand {
    /// Rows sent to the daemon at a time, and their bytes: the last row may go beyond.
    private static let pieceRows = 1_000
    private static let pieceBytesMax = 4 << 20

    static func run(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        guard let program = arguments.options["--program"].flatMap({ ProgramID($0) }) else {
            throw UsageError(description: "--program must be a program's id, prog_….")
        }
        let file = try InputFile(arguments.operands[0])
        let daemon = DaemonClient(path: configuration.socketPath)
        Terminal.print("line,code,detail")
        let total =
            try daemon.isAnswered
            ? through(daemon, file, program) : onFile(configuration, file, program)
        Terminal.error(
            "\n\(total.rows) rows: \(total.created) created, \(total.duplicates) duplicates, "
                + "\(total.repeated) imported before, \(total.refused) refused; "
                + "\(total.progress.rate) rows/s")
        return 0
    }

    private struct Total {
        var rows = 0
        var created = 0
        var duplicates = 0
        var repeated = 0
        var refused = 0
        var progress = Progress()
    }

    // MARK: - On the database itself

    private static func onFile(
        _ configuration: Configuration, _ file: InputFile, _ id: ProgramID
    ) throws -> Total {
        try Maintenance.withDatabase(configuration) { database in
            guard let program = try ProgramStore.find(id, database.makeReader()),
                program.state == .active
            else { throw ImportFailure(description: "\(id) is no active program") }
            var run = ImportRun(program, actor: "operator") { rows, leads in
                try database.perform { try leads.run(rows, $0) }
            }
            var total = Total()
            while let piece = try file.read() {
                try run.feed(piece)
                tell(&run, &total)
            }
            try run.finish()
            tell(&run, &total)
            return total
        }
    }

    private static func tell(_ run: inout ImportRun, _ total: inout Total) {
        for refusal in run.takeRefusals() {
            printRefusal(refusal.line, refusal.code, refusal.detail)
        }
        let report = run.report
        total.rows = report.rows
        total.created = report.created
        total.duplicates = report.duplicates
        total.repeated = report.repeated
        total.refused = report.refused
        total.progress.show(total.rows)
    }

    // MARK: - Through the daemon

    private static func through(
        _ daemon: DaemonClient, _ file: InputFile, _ id: ProgramID
    ) throws -> Total {
        var reader = CSVReader()
        var header: [String]?
        var lines: [Int] = []
        var text = ""
        var total = Total()
        func send() throws {
            guard let header, !lines.isEmpty else { return }
            let answer = try daemon.post(
                "/v1/leads/import?program_id=\(id)", text: line(header) + text, type: "text/csv")
            guard answer.status == 200 else {
                throw ImportFailure(
                    description: answer.json["detail"]?.stringValue
                        ?? "the daemon answered \(answer.status)")
            }
            add(answer.json, lines: lines, &total)
            lines.removeAll(keepingCapacity: true)
            text = ""
        }
        func take(_ row: CSVReader.Row) throws {
            switch row {
            case .malformed(let why, let line):
                guard header != nil else { throw ImportLeads.BadHeader(description: why) }
                printRefusal(line, "malformed_row", why)
                total.rows += 1
                total.refused += 1
            case .fields(let fields, let number):
                guard header != nil else { return header = fields }
                lines.append(number)
                text += line(fields)
                if lines.count == pieceRows || text.utf8.count > pieceBytesMax { try send() }
            }
        }
        while let piece = try file.read() {
            for row in reader.feed(piece) { try take(row) }
        }
        for row in reader.finish() { try take(row) }
        try send()
        return total
    }

    private static func add(_ report: JSONObject, lines: [Int], _ total: inout Total) {
        func count(_ name: String) -> Int { Int(report[name]?.integerValue ?? 0) }
        total.rows += count("rows")
        total.created += count("created")
        total.duplicates += count("duplicates")
        total.repeated += count("repeated")
        total.refused += count("refused")
        for error in report["errors"]?.arrayValue?.compactMap(\.objectValue) ?? [] {
            let row = Int(error["row"]?.integerValue ?? 0) - 1
            printRefusal(
                lines.indices.contains(row) ? lines[row] : 0, error["code"]?.stringValue ?? "",
                error["detail"]?.stringValue ?? "")
        }
        total.progress.show(total.rows)
    }

    private static func line(_ fields: [String]) -> String {
        fields.map { quoted($0) }.joined(separator: ",") + "\n"
    }

    private static func printRefusal(_ line: Int, _ code: String, _ detail: String) {
        Terminal.print("\(line),\(code),\(quoted(detail))")
    }

    private static func quoted(_ field: String) -> String {
        "\""
            + field.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\"")
            + "\""
    }
}

/// The import cannot go on.
private struct ImportFailure: Error, CustomStringConvertible { let description: String }

/// Tells about once a second how far it has come.
private struct Progress {
    private let start = MonotonicInstant.now()
    private var last = MonotonicInstant.now()
    private var rows = 0

    var rate: Int {
        Int(Double(rows) / max(0.001, MonotonicInstant.now().seconds(since: start)))
    }

    mutating func show(_ rows: Int) {
        self.rows = rows
        guard MonotonicInstant.now().seconds(since: last) >= 1 else { return }
        last = .now()
        Terminal.progress("\(rows) rows, \(rate) rows/s")
    }
}

/// A file, or standard input, read in pieces.
private final class InputFile {
    private let descriptor: FileDescriptor
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(_ path: String) throws {
        let number = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw ImportFailure(description: "\(path) cannot be read") }
        descriptor = FileDescriptor(owning: number)
    }

    /// The next piece; nil at the end.
    func read() throws -> ArraySlice<UInt8>? {
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Glibc.read(descriptor.number, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read") }
            return count == 0 ? nil : buffer[..<count]
        }
    }
}
