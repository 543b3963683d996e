import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/payout_runs`: a draft for every participant of a program who is owed enough, by a call or
/// by the program's schedule.
enum PayoutRunRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/payout_runs"
        routes.add(
            .post, "/v1/programs/{id}/payout_runs", .key(.payouts), .write(create), creation)
        routes.amend { $0.idempotency = .required }
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .key(.read), .read(get), reading)
        routes.add(.get, base + "/{id}/payouts.csv", .key(.read), .export(export), exporting)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let id: ProgramID = try call.id()
        let reference = try call.body.requiredText("reference")
        let kind = call.body.text("kind").flatMap { Payout.Kind(rawValue: $0) } ?? .cash
        return { tx in
            guard let program = try ProgramStore.recall(id, tx) else {
                throw Refused(.notFound())
            }
            let (run, isNew) = try PayoutRunBook.open(
                reference: reference, program: id, kind: kind, currency: program.currency,
                terms: program.terms.payouts, actor: call.principal.actor, tx)
            let json = PayoutRunWire.json(run, try PayoutRunStore.sums(of: run.id, tx))
            return isNew
                ? .created(json, at: "/v1/payout_runs/\(run.id)") : .object(json)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        // Progress and sums are of one moment.
        try reader.snapshot {
            let run = try find(call.id(), reader)
            return .object(PayoutRunWire.json(run, try PayoutRunStore.sums(of: run.id, reader)))
        }
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: PayoutRunID) in
            try PayoutRunStore.sequence(of: id, reader)
        }
        var filter = PayoutRunStore.Filter()
        filter.state = call.query["status"]
        filter.kind = call.query["kind"]
        filter.program = call.queryID("program_id")
        return try reader.snapshot {
            let page = try PayoutRunStore.page(window.page, filter, reader)
            let sums = try page.items.map { try PayoutRunStore.sums(of: $0.id, reader) }
            var rest = sums[...]
            return .list(page, call, id: { $0.id.description }) { run, data in
                data.object { PayoutRunWire.write(run, rest.popFirst() ?? [], &$0) }
            }
        }
    }

    private static func export(_ call: Call, _ reader: Reader) throws -> Export {
        let run = try find(call.id(), reader)
        var filter = PayoutStore.Filter()
        filter.run = run.id
        filter.state = call.query["status"]
        return .csv("\(run.id).csv", columns: PayoutRunWire.columns) {
            [filter] last, reader, table in
            let (payouts, place) = try PayoutRoutes.next(after: last, filter, reader)
            for payout in payouts {
                let payee = try ParticipantStore.find(payout.participant, reader)
                PayoutRunWire.write(payout, to: payee, &table)
            }
            return place
        }
    }

    private static func find(_ id: PayoutRunID, _ reader: Reader) throws -> PayoutRun {
        guard let run = try PayoutRunStore.find(id, reader) else { throw Refused(.notFound()) }
        return run
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createPayoutRun",
        summary: "Draft a payout for every participant of the program whose approved rewards of "
            + "the kind come to the program's minimum, less what is owed back. The run goes on in "
            + "the background; its answer tells how far it is. The reference is unique for good: "
            + "the same content gives the same run (200).",
        body: PayoutRunWire.input, success: 201, answer: PayoutRunWire.schema,
        others: [(200, "Made before, with the same content.")],
        refusals: Problem.examples(of: [PayoutRunRefusal.referenceTaken(member: "kind")]))

    private static let reading = Contract(
        operationID: "getPayoutRun", summary: "One run, with how far it is and what it comes to.",
        answer: PayoutRunWire.schema)

    private static let listing = Contract(
        operationID: "listPayoutRuns", summary: "Runs, newest first.",
        query: ListRequest.fields(of: PayoutRunID.self) + [
            .optional("status", .choice(PayoutRun.State.allCases.map(\.rawValue))),
            .optional("kind", .choice(Payout.Kind.allCases.map(\.rawValue))),
            .optional("program_id", .id(ProgramID.self)),
        ], answer: .page(of: PayoutRunWire.schema))

    private static let exporting = Contract(
        operationID: "exportPayoutRun",
        summary: "The run's payouts as CSV (RFC 4180, UTF-8, CRLF), oldest first: "
            + PayoutRunWire.columns.joined(separator: ", ")
            + ". amount is in minor units, amount_decimal the same with the currency's decimals. "
            + "A text that a spreadsheet would take for a formula has an apostrophe before it.",
        query: [.optional("status", .choice(Payout.State.allCases.map(\.rawValue)))],
        answerType: "text/csv")
}

extension PayoutRunRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .referenceTaken(let member):
            Problem(
                status: 409, code: "reference_taken",
                detail: "This reference belongs to a run with another \(member).",
                errors: [FieldError(pointer: "/\(member)", code: "differs", detail: "differs")])
        }
    }
}
