import Database
import HTTP
import JSON
import Model
import Platform
import Programs
import RewardLedger

/// `/v1/payout_runs/{id}/results`: what became of a run's payouts, by a CSV file of the bank or the
/// provider.
enum PayoutResultRoutes {
    private static let bodyBytesMax = 16 << 20

    private static let pieceBytes = 64 << 10

    /// Of a file that is rehearsed: all of it is one transaction, which redirects wait for.
    private static let rehearsedRowsMax = 200

    static func add(to routes: inout RouteTable) {
        routes.add(
            .post, "/v1/payout_runs/{id}/results", .key(.payouts), .background(take), taking)
        routes.amend { $0.bodyBytesMax = bodyBytesMax }
    }

    private static func take(_ call: Call, _ app: Application, _ reply: Reply) throws {
        let isRehearsal = try DryRun.isAsked(call.request)
        let id: PayoutRunID = try call.id()
        let type = call.request.header("content-type")?.split(separator: ";").first?.trimmed
        guard type?.lowercased() == "text/csv" else {
            throw Refused(
                Problem(status: 415, code: "unsupported_media_type", detail: "Send text/csv."))
        }
        let isFree = app.lifecycle.withLock { lifecycle in
            defer { lifecycle.isLoadingResults = true }
            return !lifecycle.isLoadingResults
        }
        guard isFree else { throw Refused(busy) }
        do {
            let thread = try Thread("results") {
                let response = answer(call, id, isRehearsal: isRehearsal, app)
                app.lifecycle.withLock { $0.isLoadingResults = false }
                reply.send(response)
            }
            thread.detach()
        } catch {
            app.lifecycle.withLock { $0.isLoadingResults = false }
            throw error
        }
    }

    /// Runs on the file's own thread; the writer takes a slice at a time.
    private static func answer(
        _ call: Call, _ id: PayoutRunID, isRehearsal: Bool, _ app: Application
    ) -> Response {
        do {
            guard try PayoutRunStore.find(id, app.database.makeReader()) != nil else {
                throw Refused(.notFound())
            }
            if isRehearsal { return try rehearsed(call, id, app) }
            return try taken(call, id) { rows, results in
                try app.database.perform { try results.apply(rows, $0) }
            }
        } catch let header as LoadPayoutResults.BadHeader {
            return Problem.unprocessable("bad_header", "The file cannot be read: \(header).")
                .response(requestID: call.request.id)
        } catch {
            let (response, line) = Failure.answer(to: error, requestID: call.request.id)
            if let line { app.log.write(.error, line, [("request_id", call.request.id)]) }
            return response
        }
    }

    private typealias Perform =
        ([[String]], LoadPayoutResults) throws -> [LoadPayoutResults.Outcome]

    private static func taken(
        _ call: Call, _ id: PayoutRunID, by perform: @escaping Perform
    ) throws -> Response {
        var file = ResultFile(id, actor: call.principal.actor, perform: perform)
        // In pieces, so that the rows of the whole file are never in memory together.
        var rest = call.request.body[...]
        while !rest.isEmpty {
            try file.feed(rest.prefix(pieceBytes))
            rest = rest.dropFirst(pieceBytes)
        }
        try file.finish()
        return .object(PayoutResultsWire.json(file.report))
    }

    /// All rows in one transaction that is rolled back, so that a row sees those before it.
    private static func rehearsed(
        _ call: Call, _ id: PayoutRunID, _ app: Application
    ) throws -> Response {
        do {
            return try app.database.perform { tx in
                var count = 0
                var response = try taken(call, id) { rows, results in
                    count += rows.count
                    guard count <= rehearsedRowsMax else { throw Refused(tooManyRows) }
                    return try results.apply(rows, tx)
                }
                response.headers.append(("Dry-Run", "true"))
                throw DryRunEnded(response: response)
            }
        } catch let ended as DryRunEnded {
            return ended.response
        }
    }

    private static let busy = Problem.conflict(
        "busy", "A file of results is being read; send this one again when it is done.")

    private static let tooManyRows = Problem.unprocessable(
        "too_many_rows", "A dry run takes at most \(rehearsedRowsMax) rows.")

    private static let taking = Contract(
        operationID: "loadPayoutResults",
        summary: "Load what became of the run's payouts: a CSV file with the columns payout_id, "
            + "outcome (paid, failed, returned, unclaimed, unknown), amount, provider_reference "
            + "and reason; the run's export with an outcome added will do. amount is in minor "
            + "units, of paid what was paid in all, of returned what came back; empty: the whole. "
            + "Each row is taken by itself and once, so a file can be sent again. A dry run "
            + "shows the same of at most \(rehearsedRowsMax) rows.",
        body: .prose(0...bodyBytesMax), bodyTypes: ["text/csv"], parsesBody: false,
        answer: PayoutResultsWire.schema,
        others: [
            (409, "A file of results is being read."),
            (422, "The header cannot be used, or a dry run has too many rows."),
        ],
        refusals: [
            busy,
            .unprocessable("bad_header", "The file cannot be read: there is no column outcome."),
            tooManyRows,
        ], takesDryRun: true)
}

/// Feeds the rows of a file to a run's payouts, slice by slice.
private struct ResultFile {
    private let run: PayoutRunID
    private let actor: String
    private let perform: ([[String]], LoadPayoutResults) throws -> [LoadPayoutResults.Outcome]
    private var reader = CSVReader()
    private var results: LoadPayoutResults?
    private var waiting: [(fields: [String], line: Int)] = []
    private(set) var report = PayoutResultsReport()

    init(
        _ run: PayoutRunID, actor: String,
        perform: @escaping ([[String]], LoadPayoutResults) throws -> [LoadPayoutResults.Outcome]
    ) {
        self.run = run
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
        if results == nil {
            throw LoadPayoutResults.BadHeader(description: "the file is empty")
        }
    }

    private mutating func take(_ row: CSVReader.Row) throws {
        switch row {
        case .malformed(let why, let line):
            guard results != nil else { throw LoadPayoutResults.BadHeader(description: why) }
            try flush()
            report.add(.refused(code: "malformed_row", detail: why), line: line)
        case .fields(let fields, let line):
            guard results != nil else {
                results = try LoadPayoutResults(run, header: fields, actor: actor)
                return
            }
            waiting.append((fields, line))
            if waiting.count == LoadPayoutResults.sliceRows { try flush() }
        }
    }

    private mutating func flush() throws {
        guard let results, !waiting.isEmpty else { return }
        let outcomes = try perform(waiting.map(\.fields), results)
        for (outcome, row) in zip(outcomes, waiting) { report.add(outcome, line: row.line) }
        waiting.removeAll(keepingCapacity: true)
    }
}

/// How the count of a file of results looks on the wire.
enum PayoutResultsWire {
    static let schema = Schema.named(
        "PayoutResults",
        .object([
            .required("object", .choice(["payout_results"])),
            .required("rows", count, "Rows of the file, without the header."),
            .required("applied", count, "Rows that moved their payout."),
            .required("unchanged", count, "Rows that were read before or say what is known."),
            .required("refused", count, "Rows that changed nothing; errors has the reasons."),
            .required(
                "errors",
                .list(
                    .object([
                        .required("line", .integer(1...Int64.max), "Of the file."),
                        .required("row", .integer(1...Int64.max), "Without the header."),
                        .required("code", .text(1...60)), .required("detail", .text(0...2000)),
                    ]), count: 0...ImportReport.refusalsMax)),
            .required("errors_omitted", count, "Refused rows beyond those in errors."),
        ]))

    private static let count = Schema.integer(0...Int64.max)

    static func json(_ report: PayoutResultsReport) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("object", "payout_results")
            object.field("rows", report.rows)
            object.field("applied", report.applied)
            object.field("unchanged", report.unchanged)
            object.field("refused", report.refused)
            object.array("errors") { list in
                for refusal in report.refusals {
                    list.object { json in
                        json.field("line", refusal.line)
                        json.field("row", refusal.row)
                        json.field("code", refusal.code)
                        json.field("detail", refusal.detail)
                    }
                }
            }
            object.field("errors_omitted", report.refused - Int64(report.refusals.count))
        }
        return json.bytes
    }
}
