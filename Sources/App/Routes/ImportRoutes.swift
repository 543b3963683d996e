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

    static func add(to routes: inout RouteTable) {
        routes.add(.post, "/v1/leads/import", .key(.write), .background(take), taking)
        routes.amend { $0.bodyBytesMax = bodyBytesMax }
    }

    private static func take(_ call: Call, _ app: Application, _ reply: Reply) throws {
        if call.request.header("dry-run") == "true" {
            throw Refused(
                .badRequest("dry_run_not_possible", "An import is not rehearsed; send fewer rows."))
        }
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
                let response = answer(call, id, app)
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
    private static func answer(_ call: Call, _ id: ProgramID, _ app: Application) -> Response {
        do {
            guard let program = try ProgramStore.find(id, app.database.makeReader()) else {
                throw Refused(.unknownReference("/program_id"))
            }
            try ProgramRules.checkOpen(program.state, draftToo: false)
            var run = ImportRun(program, actor: call.principal.actor) { rows, leads in
                try app.database.perform { try leads.run(rows, $0) }
            }
            // In pieces, so that the rows of the whole file are never in memory together.
            var rest = call.request.body[...]
            while !rest.isEmpty {
                try run.feed(rest.prefix(pieceBytes))
                rest = rest.dropFirst(pieceBytes)
            }
            try run.finish()
            return .object(run.report.json.encoded())
        } catch let header as ImportLeads.BadHeader {
            return Problem.unprocessable("bad_header", "The file cannot be read: \(header).")
                .response(requestID: call.request.id)
        } catch {
            let (response, line) = Failure.answer(to: error, requestID: call.request.id)
            if let line { app.log.write(.error, line, [("request_id", call.request.id)]) }
            return response
        }
    }

    private static let taking = Contract(
        operationID: "importLeads",
        summary: "Refer the rows of a CSV file, each by the rules of POST /v1/leads. Refused rows "
            + "are told with line and reason; a row that was imported before adds nothing, so a "
            + "file can be sent again.",
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
            ])),
        others: [
            (409, "The program is not active, or an import is running."),
            (422, "The header cannot be used."),
        ],
        refusals: [
            .conflict("busy", "An import is running already."),
            .unprocessable("bad_header", "The file cannot be read: there is no column email."),
        ])
}
