import Database
import HTTP
import JSON
import Model
import Platform
import Programs

/// `/v1/leads/import`: leads by a CSV file.
enum ImportRoutes {
    /// Some 100,000 rows.
    private static let bodyBytesMax = 16 << 20

    private static let pieceBytes = 64 << 10

    /// Of an import that is rehearsed: all of it is one transaction, which redirects wait for.
    private static let rehearsedRowsMax = 500
    private static let rehearsedBytesMax = 256 << 10

    static func add(to routes: inout RouteTable) {
        routes.add(.post, "/v1/leads/import", .key(.write), .background(take), taking)
        routes.amend { $0.bodyBytesMax = bodyBytesMax }
    }

    private static func take(_ call: Call, _ app: Application, _ reply: Reply) throws {
        let isRehearsal = try DryRun.isAsked(call.request)
        let type = call.request.header("content-type")?.split(separator: ";").first?.trimmed
        guard type?.lowercased() == "text/csv" else {
            throw Refused(
                Problem(
                    status: 415, code: "unsupported_media_type", detail: "Send text/csv."))
        }
        guard let id: ProgramID = call.queryID("program_id") else {
            throw Refused(
                .invalidField("/program_id", code: "required", detail: "is missing"))
        }
        let isFree = app.lifecycle.withLock { lifecycle in
            defer { lifecycle.isImporting = true }
            return !lifecycle.isImporting
        }
        guard isFree else { throw Refused(.conflict("busy", "An import is running already.")) }
        do {
            let thread = try Thread("import") {
                let response = answer(call, id, isRehearsal: isRehearsal, app)
                app.lifecycle.withLock { $0.isImporting = false }
                reply.send(response)
            }
            thread.detach()
        } catch {
            app.lifecycle.withLock { $0.isImporting = false }
            throw error
        }
    }

    /// Runs on the import's own thread; the writer takes a slice at a time.
    private static func answer(
        _ call: Call, _ id: ProgramID, isRehearsal: Bool, _ app: Application
    ) -> Response {
        do {
            guard let program = try ProgramStore.find(id, app.database.makeReader()) else {
                throw Refused(.unknownReference("/program_id"))
            }
            try ProgramRules.checkTakesLeads(program.state)
            if isRehearsal { return try rehearsed(call, program, app) }
            return try imported(call, program) { rows, leads in
                try app.database.perform { try leads.run(rows, $0) }
            }
        } catch let header as ImportLeads.BadHeader {
            return Problem.unprocessable("bad_header", "The file cannot be read: \(header).")
                .response(requestID: call.request.id)
        } catch {
            let (response, line) = Failure.answer(to: error, requestID: call.request.id)
            if let line { app.log.write(.error, line, [("request_id", call.request.id)]) }
            return response
        }
    }

    private static func imported(
        _ call: Call, _ program: Program,
        by perform: @escaping ([[String]], ImportLeads) throws -> [ImportLeads.Outcome]
    ) throws -> Response {
        var run = ImportRun(program, actor: call.principal.actor, perform: perform)
        // In pieces, so that the rows of the whole file are never in memory together.
        var rest = call.request.body[...]
        while !rest.isEmpty {
            try run.feed(rest.prefix(pieceBytes))
            rest = rest.dropFirst(pieceBytes)
        }
        try run.finish()
        return .object(run.report.json.encoded())
    }

    /// All rows in one transaction that is rolled back, so that a row sees those before it as it
    /// would in earnest.
    private static func rehearsed(
        _ call: Call, _ program: Program, _ app: Application
    ) throws -> Response {
        guard call.request.body.count <= rehearsedBytesMax else { throw Refused(tooManyRows) }
        do {
            return try app.database.perform { tx in
                var count = 0
                var response = try imported(call, program) { rows, leads in
                    count += rows.count
                    guard count <= rehearsedRowsMax else { throw Refused(tooManyRows) }
                    return try leads.run(rows, tx)
                }
                response.headers.append(("Dry-Run", "true"))
                throw DryRunEnded(response: response)
            }
        } catch let ended as DryRunEnded {
            return ended.response
        }
    }

    private static let tooManyRows = Problem.unprocessable(
        "too_many_rows",
        "A dry run takes at most \(rehearsedRowsMax) rows and \(rehearsedBytesMax >> 10) KiB.")

    private static let taking = Contract(
        operationID: "importLeads",
        summary: "Refer the rows of a CSV file, each by the rules of POST /v1/leads. Refused rows "
            + "are told with line and reason; a row that was imported before adds nothing, so a "
            + "file can be sent again. A dry run tells the same of at most "
            + "\(rehearsedRowsMax) rows.",
        query: [.required("program_id", .id(ProgramID.self))],
        body: .prose(0...bodyBytesMax), bodyTypes: ["text/csv"], parsesBody: false,
        answer: .named(
            "Import",
            .object([
                .required("object", .choice(["import"])),
                .required("rows", .integer(0...Int64.max)),
                .required("created", .integer(0...Int64.max)),
                .required(
                    "duplicates", .integer(0...Int64.max), "Kept, and linked to the first one."),
                .required("repeated", .integer(0...Int64.max), "Imported before; nothing added."),
                .required("refused", .integer(0...Int64.max)),
                .required(
                    "errors",
                    .list(
                        .object([
                            .required("line", .integer(1...Int64.max), "Of the file."),
                            .required("row", .integer(1...Int64.max), "Without the header."),
                            .required("code", .text(1...60)), .required("detail", .text(0...2000)),
                        ]), count: 0...ImportReport.refusalsMax)),
                .required("errors_omitted", .integer(0...Int64.max)),
                .required(
                    "ignored",
                    .list(
                        .object(
                            [
                                .required("line", .integer(1...Int64.max), "Of the file."),
                                .required("row", .integer(1...Int64.max), "Without the header."),
                            ] + IgnoredHintWire.fields), count: 0...ImportReport.refusalsMax),
                    "Hints of rows that were taken without them."),
                .required("ignored_omitted", .integer(0...Int64.max)),
            ])),
        others: [
            (409, "The program is not active, or an import is running."),
            (422, "The header cannot be used, or a dry run has too many rows."),
        ],
        refusals: [
            .conflict("busy", "An import is running already."),
            .unprocessable("bad_header", "The file cannot be read: there is no column email."),
            tooManyRows,
        ], takesDryRun: true)
}
