import Database
import HTTP
import JSON
import Model
import Platform
import Programs
import RewardLedger

/// `/v1/payout_runs`: a draft for every participant of a program who is owed enough, by a call or
/// by the program's schedule.
enum PayoutRunRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/payout_runs"
        routes.add(
            .post, "/v1/programs/{id}/payout_runs", .key(.payouts),
            .previewed(create, by: preview), creation)
        routes.amend { $0.idempotency = .required }
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .key(.read), .read(get), reading)
        for action in PayoutRun.State.Action.allCases {
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", .key(.payouts),
                .write { try move($0, by: action) }, transition(action))
            routes.amend { $0.idempotency = .required }
        }
        PayoutResultRoutes.add(to: &routes)
        routes.add(.get, base + "/{id}/payouts.csv", .key(.read), .export(export), exporting)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let form = try PayoutRunForm(call)
        return { tx in
            guard let program = try ProgramStore.recall(form.program, tx) else {
                throw Refused(.notFound())
            }
            try form.checkParticipants(tx)
            let open = { try form.open(program, tx) }
            let (opened, isNew) = try open()
            var run = opened
            if isNew {
                run = try PayoutRunBook.first(opened, PayOut.standing, tx) { try open().run }
            }
            let json = PayoutRunWire.json(run, try PayoutRunStore.sums(of: run.id, tx))
            return isNew
                ? .created(json, at: "/v1/payout_runs/\(run.id)") : .object(json)
        }
    }

    /// What `create` would come to, with who is left out and why.
    private static func preview(_ call: Call, _ reader: Reader) throws -> Response {
        let form = try PayoutRunForm(call)
        guard let program = try ProgramStore.find(form.program, reader) else {
            throw Refused(.notFound())
        }
        try form.checkParticipants(reader)
        if let known = try PayoutRunStore.find(reference: form.reference, reader) {
            try PayoutRunRules.checkSame(
                known, program: program.id, kind: form.kind, form.selection)
            return .object(
                PayoutRunWire.json(known, try PayoutRunStore.sums(of: known.id, reader)))
        }
        let now = try LedgerReads.lastCommit(reader)
        var random = RandomPool()
        var run = PayoutRun(
            id: PayoutRunID(at: now, using: &random), program: program.id,
            reference: form.reference, kind: form.kind, currency: program.currency, period: nil,
            terms: program.terms.payouts, selection: form.selection, actor: form.actor,
            createdAt: now)
        let preview = try PayoutRunPreview(of: run, at: now, reader) { id in
            PayOut.standing(of: try ParticipantStore.find(id, reader), in: run)
        }
        run.foresee(preview, at: now)
        return .object(
            PayoutRunWire.json(run, [preview.sum], leftOut: preview.leftOut), status: 201)
    }

    private static func move(
        _ call: Call, by action: PayoutRun.State.Action
    ) throws -> WriteStep {
        let id: PayoutRunID = try call.id()
        let actor = call.principal.actor
        return { tx in
            let begin: () throws -> PayoutRun = {
                let old = try find(id, tx)
                if action == .submit { try SeparateDuties.checkSubmission(old, by: actor, tx) }
                return try PayoutRunBook.begin(
                    action, old, providerReference: call.body.text("provider_reference"),
                    actor: actor, tx)
            }
            let run = try PayoutRunBook.first(begin(), PayOut.standing, tx, again: begin)
            return .object(PayoutRunWire.json(run, try PayoutRunStore.sums(of: id, tx)))
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
        return PayoutRoutes.export("\(run.id).csv", filter, call)
    }

    private static func find(_ id: PayoutRunID, _ reader: Reader) throws -> PayoutRun {
        guard let run = try PayoutRunStore.find(id, reader) else { throw Refused(.notFound()) }
        return run
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createPayoutRun",
        summary: "Draft a payout for every participant of the program, or for the selected ones, "
            + "whose approved rewards of the kind come to the program's minimum, less what is owed "
            + "back. A large run goes on in the background; GET shows how far it is. A dry run "
            + "shows what the run comes to, and in left_out_participants who gets no payout and "
            + "why. The reference is unique for good: the same content gives the same run (200).",
        body: PayoutRunWire.input, success: 201, answer: PayoutRunWire.schema,
        others: [(200, "Made before, with the same content.")],
        refusals: Problem.examples(of: [PayoutRunRefusal.referenceTaken(member: "kind")]))

    private static func transition(_ action: PayoutRun.State.Action) -> Contract {
        switch action {
        case .submit:
            Contract(
                operationID: "submitPayoutRun",
                summary: "Submit every draft of the run. A draft of somebody who may not be paid, "
                    + "owes something since or had a payment come back stays a draft: the events "
                    + "payout_run.skipped name it. A large run goes on in the background with the "
                    + "status submitting.",
                body: .object([
                    .optional(
                        "provider_reference", .nullable(.text(1...200)),
                        "The provider's id of the whole batch, kept with each payout.")
                ]), answer: PayoutRunWire.schema,
                refusals: Problem.examples(of: [
                    PayoutRefusal.inReview(until: Instant(milliseconds: 1_790_000_000_000))
                ]) + Problem.examples(of: [SeparateDuties.Refusal.draftedThePayout]))
        case .confirm:
            Contract(
                operationID: "confirmPayoutRun",
                summary: "Confirm every submitted payout of the run as paid in whole. Payouts with "
                    + "the status unknown are left. A large run goes on in the background with the "
                    + "status confirming.",
                body: .emptyBody, answer: PayoutRunWire.schema)
        }
    }

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
            + ExportRow.words(PayoutWire.moreColumns),
        query: [
            .optional("status", .choice(Payout.State.allCases.map(\.rawValue))),
            ExportRow.spreadsheet,
        ],
        answerType: "text/csv")
}

/// A payout run as asked for.
struct PayoutRunForm: Sendable {
    let program: ProgramID
    let reference: String
    let kind: Payout.Kind
    let selection: PayoutRunSelection
    let actor: String

    init(_ call: Call) throws {
        program = try call.id()
        reference = try call.body.requiredText("reference")
        kind = call.body.text("kind").flatMap { Payout.Kind(rawValue: $0) } ?? .cash
        selection = PayoutRunSelection(
            participants: call.body.texts("participant_ids")?.compactMap { ParticipantID($0) },
            segment: call.body.text("segment"))
        actor = call.principal.actor
    }

    /// Whoever is named must be there: a run that leaves somebody out by a slip of the pen would
    /// not tell.
    func checkParticipants(_ reader: Reader) throws {
        for participant in selection.participants ?? [] {
            guard try ParticipantStore.find(participant, reader)?.program == program else {
                throw Refused(.unknownReference("/participant_ids"))
            }
        }
    }

    func open(_ program: Program, _ tx: Transaction) throws -> (run: PayoutRun, isNew: Bool) {
        try PayoutRunBook.open(
            reference: reference, program: program.id, kind: kind, currency: program.currency,
            terms: program.terms.payouts, selection: selection, actor: actor, tx)
    }
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
