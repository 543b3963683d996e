import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// Leads come in by a CSV file: each row by the same rules as a request, known again for good, so
/// that the same file adds nothing when it is read once more.
struct ImportLeads: Sendable {
    /// What became of one row.
    enum Outcome: Sendable, Equatable {
        case created(ignored: [IgnoredHint])
        case duplicate(ignored: [IgnoredHint])
        /// The same row was imported before.
        case repeated
        case refused(code: String, detail: String)
    }

    /// The header of the file cannot be used.
    struct BadHeader: Error, CustomStringConvertible { let description: String }

    let program: ProgramID
    let currency: Currency
    let actor: String
    private let columns: [String]

    /// Rows of one transaction: a slice of a few milliseconds, so that no redirect waits for it.
    static let sliceRows = 50

    static let known: Set<String> = [
        "name", "email", "company", "domain", "phone", "note", "country", "industry",
        "company_size", "use_case", "intro", "estimated_value", "channel", "referred_at",
        "participant_id", "click_id", "ref", "ref_at", "code", "referrer_email",
    ]

    init(
        _ program: Program, header: [String], actor: String
    ) throws(BadHeader) {
        let columns = header.map { $0.lowercased().filter { $0 != " " } }
        if let unknown = columns.first(where: { !ImportLeads.known.contains($0) }) {
            throw BadHeader(
                description: "the column \"\(unknown.prefix(40))\" is not known; known are "
                    + ImportLeads.known.sorted().joined(separator: ", "))
        }
        guard Set(columns).count == columns.count else {
            throw BadHeader(description: "a column is there twice")
        }
        guard columns.contains("email") else {
            throw BadHeader(description: "there is no column email")
        }
        self.program = program.id
        currency = program.currency
        self.actor = actor
        self.columns = columns
    }

    /// Carries out the rows in one transaction.
    func run(_ rows: [[String]], _ tx: Transaction) throws -> [Outcome] {
        try rows.map { row in
            do {
                return try take(row, tx)
            } catch {
                guard let problem = BulkRequest.problem(of: error) else { throw error }
                let first = problem.errors.first
                return .refused(
                    code: first?.code ?? problem.code,
                    detail: first.map { "\($0.pointer.dropFirst()) \($0.detail)" }
                        ?? problem.detail)
            }
        }
    }

    private func take(_ row: [String], _ tx: Transaction) throws -> Outcome {
        guard row.count == columns.count else {
            return .refused(
                code: "wrong_count",
                detail: "it has \(row.count) fields, the header has \(columns.count)")
        }
        let values = zip(columns, row).filter { !$1.isEmpty }
        let digest = LeadRules.formDigest(
            values.map { (name: $0, value: $1) } + [(name: "program", value: program.description)])
        let start = Instant(milliseconds: Instant.representable.lowerBound)
        if try LeadStore.posted(digest, in: program, after: start, tx) != nil { return .repeated }
        let body = try body(Array(values))
        let form = LeadForm(body)
        let email = try body.required("email", body.email("email"))
        let submit = SubmitLead(
            program: program, participant: body.id("participant_id"),
            hints: Hints(body.object), contact: form.contact(email), firm: form.firm,
            channel: body.text("channel") ?? "import",
            referredAt: body.moment("referred_at"), email: email, intro: form.intro,
            estimatedValue: form.estimatedValue, metadata: [:], source: .import,
            isHoneypotFilled: false, formDigest: digest, actor: actor)
        let lead = try submit(tx)
        return lead.state == .duplicate
            ? .duplicate(ignored: lead.ignored) : .created(ignored: lead.ignored)
    }

    /// The row as a request's body, checked as one.
    private func body(_ values: [(String, String)]) throws -> Body {
        var object = JSONObject()
        for (name, text) in values {
            switch name {
            case "company_size": object[name] = Int64(text).map { .integer($0) } ?? .string(text)
            case "estimated_value":
                guard let amount = Int64(text) else {
                    throw Refused(
                        .invalidField(
                            "/estimated_value", code: "wrong_type",
                            detail: "must be a whole number of minor units"))
                }
                object[name] = Money(amount: amount, currency: currency).json
            default: object[name] = .string(text)
            }
        }
        return try Body(.object(object), by: LeadWire.input)
    }
}

/// The count of an import, what it refused, and which hints it left out.
struct ImportReport: Sendable {
    struct Refusal: Sendable {
        /// Where the row begins in the file, counted from 1; the header is the first.
        let line: Int
        /// Which row it is, counted from 1 without the header.
        let row: Int
        let code: String
        let detail: String
    }

    /// A hint of a row that was left out.
    struct Ignored: Sendable {
        let line: Int
        let row: Int
        let hint: IgnoredHint
    }

    private(set) var rows = 0
    private(set) var created = 0
    private(set) var duplicates = 0
    private(set) var repeated = 0
    private(set) var refused = 0
    /// At most `refusalsMax`.
    private(set) var refusals: [Refusal] = []
    /// At most `refusalsMax`.
    private(set) var ignored: [Ignored] = []
    private var ignoredCount = 0

    static let refusalsMax = 10_000

    mutating func add(_ outcome: ImportLeads.Outcome, line: Int) {
        rows += 1
        switch outcome {
        case .created(let ignored):
            created += 1
            add(ignored, line: line)
        case .duplicate(let ignored):
            duplicates += 1
            add(ignored, line: line)
        case .repeated: repeated += 1
        case .refused(let code, let detail):
            refused += 1
            if refusals.count < ImportReport.refusalsMax {
                refusals.append(
                    Refusal(line: line, row: rows, code: code, detail: detail))
            }
        }
    }

    private mutating func add(_ hints: [IgnoredHint], line: Int) {
        ignoredCount += hints.count
        for hint in hints.prefix(ImportReport.refusalsMax - ignored.count) {
            ignored.append(Ignored(line: line, row: rows, hint: hint))
        }
    }

    /// What was refused since the last time, to be told and forgotten.
    mutating func takeRefusals() -> [Refusal] {
        defer { refusals.removeAll(keepingCapacity: true) }
        return refusals
    }

    var json: JSONValue {
        [
            "object": "import", "rows": .integer(Int64(rows)), "created": .integer(Int64(created)),
            "duplicates": .integer(Int64(duplicates)), "repeated": .integer(Int64(repeated)),
            "refused": .integer(Int64(refused)),
            "errors": .array(
                refusals.map {
                    [
                        "line": .integer(Int64($0.line)), "row": .integer(Int64($0.row)),
                        "code": .string($0.code),
                        "detail": .string($0.detail),
                    ]
                }),
            "errors_omitted": .integer(Int64(refused - refusals.count)),
            "ignored": .array(
                ignored.map {
                    [
                        "line": .integer(Int64($0.line)), "row": .integer(Int64($0.row)),
                        "name": .string($0.hint.name.rawValue),
                        "value": $0.hint.value.map { .string($0) } ?? .null,
                        "because": .string($0.hint.because.rawValue),
                    ]
                }),
            "ignored_omitted": .integer(Int64(ignoredCount - ignored.count)),
        ]
    }
}

/// Feeds the rows of a file to an import, slice by slice.
struct ImportRun {
    private let program: Program
    private let actor: String
    private let perform: ([[String]], ImportLeads) throws -> [ImportLeads.Outcome]
    private var reader = CSVReader()
    private var leads: ImportLeads?
    private var waiting: [(fields: [String], line: Int)] = []
    private(set) var report = ImportReport()

    init(
        _ program: Program, actor: String,
        perform: @escaping ([[String]], ImportLeads) throws -> [ImportLeads.Outcome]
    ) {
        self.program = program
        self.actor = actor
        self.perform = perform
    }

    mutating func feed(_ bytes: some Collection<UInt8>) throws {
        for row in reader.feed(bytes) { try take(row) }
    }

    /// Carries out what waits still. Refuses a file without a header.
    mutating func finish() throws {
        for row in reader.finish() { try take(row) }
        try flush()
        if leads == nil {
            throw ImportLeads.BadHeader(description: "the file is empty")
        }
    }

    mutating func takeRefusals() -> [ImportReport.Refusal] { report.takeRefusals() }

    private mutating func take(_ row: CSVReader.Row) throws {
        switch row {
        case .malformed(let why, let line):
            guard leads != nil else { throw ImportLeads.BadHeader(description: why) }
            try flush()
            report.add(.refused(code: "malformed_row", detail: why), line: line)
        case .fields(let fields, let line):
            guard leads != nil else {
                leads = try ImportLeads(program, header: fields, actor: actor)
                return
            }
            waiting.append((fields, line))
            if waiting.count == ImportLeads.sliceRows { try flush() }
        }
    }

    private mutating func flush() throws {
        guard let leads, !waiting.isEmpty else { return }
        let outcomes = try perform(waiting.map(\.fields), leads)
        for (outcome, row) in zip(outcomes, waiting) { report.add(outcome, line: row.line) }
        waiting.removeAll(keepingCapacity: true)
    }
}
