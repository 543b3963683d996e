import Attribution
import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// `/v1/programs/{id}/rehearsals` and `/v1/rehearsals`: changed rules tried out on what happened.
enum RehearsalRoutes {
    static func add(to routes: inout RouteTable) {
        let ofProgram = "/v1/programs/{id}/rehearsals"
        let one = "/v1/rehearsals/{id}"
        routes.add(.post, ofProgram, .key(.write), .write(create), creation)
        routes.add(.get, ofProgram, .key(.read), .read(list), listing)
        routes.add(.get, one, .key(.read), .read(get), reading)
        routes.add(.post, one + "/activate", .key(.write), .write(activate), activating)
        routes.add(.post, one + "/cancel", .key(.write), .write(cancel), cancelling)
    }

    /// That wait or are under way, in the whole service.
    private static let openMax: Int64 = 20

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let id: ProgramID = try call.id()
        let change = try RehearsalChange(call.body)
        let from = try call.body.required("from", call.body.moment("from"))
        let to = try call.body.required("to", call.body.moment("to"))
        var stored = call.body.object
        stored["from"] = nil
        stored["to"] = nil
        let kept = JSONValue.object(stored)
        return { tx in
            guard let program = try ProgramStore.recall(id, tx) else {
                throw Refused(.notFound())
            }
            let zone = program.terms.timeZone
            guard from.start(in: zone) < to.end(in: zone) else { throw Refused(Period.empty) }
            let period = from.start(in: zone)..<to.end(in: zone)
            // What could not be activated is refused before it is computed.
            _ = try change.terms(program)
            _ = try change.rules(program, tx)
            guard try RehearsalStore.countOpen(tx) < openMax else { throw Refused(tooMany) }
            let rehearsal = Rehearsal(
                id: tx.makeID(), program: id, change: kept, period: period,
                programVersion: program.version,
                rewardRules: try RehearsalChange.activeVersions(in: id, tx),
                conversions: try RehearsalStore.count(in: id, period, tx), createdAt: tx.now)
            try RehearsalStore.insert(rehearsal, tx)
            try EventStore.append(
                NewEvent(
                    "rehearsal.queued", rehearsal.id, program: id, actor: call.principal.actor,
                    to: rehearsal.state.rawValue), tx)
            return .created(
                RehearsalWire.json(rehearsal), at: "/v1/rehearsals/\(rehearsal.id)",
                version: rehearsal.version)
        }
    }

    private static func activate(_ call: Call) throws -> WriteStep {
        let id: RehearsalID = try call.id()
        let instant = call.body.time("at")
        return { tx in
            let rehearsal = try find(id, tx)
            try call.requireMatch(version: rehearsal.version)
            let activated = try ActivateRehearsal.run(
                rehearsal, at: instant, actor: call.principal.actor, tx)
            return .object(RehearsalWire.json(activated), version: activated.version)
        }
    }

    private static func cancel(_ call: Call) throws -> WriteStep {
        let id: RehearsalID = try call.id()
        return { tx in
            let rehearsal = try find(id, tx)
            try call.requireMatch(version: rehearsal.version)
            let cancelled = try ActivateRehearsal.cancel(
                rehearsal, actor: call.principal.actor, tx)
            return .object(RehearsalWire.json(cancelled), version: cancelled.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let rehearsal = try find(call.id(), reader)
        return .object(RehearsalWire.json(rehearsal), version: rehearsal.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let id: ProgramID = try call.id()
        guard try ProgramStore.find(id, reader) != nil else { throw Refused(.notFound()) }
        let window = try ListRequest(call) { (cursor: RehearsalID) in
            guard try RehearsalStore.find(cursor, reader)?.program == id else { return nil }
            return try RehearsalStore.sequence(of: cursor, reader)
        }
        let page = try RehearsalStore.page(window.page, program: id, reader)
        return .list(page, call, id: { $0.id.description }) { rehearsal, data in
            data.object { RehearsalWire.write(rehearsal, &$0) }
        }
    }

    private static func find(_ id: RehearsalID, _ reader: Reader) throws -> Rehearsal {
        guard let rehearsal = try RehearsalStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        return rehearsal
    }

    private static let tooMany = Problem.conflict(
        "too_many_rehearsals", "\(openMax) rehearsals wait already; cancel one, or wait.")

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createRehearsal",
        summary: "Replay the conversions of a period under a changed attribution or changed reward "
            + "rules, without effect. It is computed in the background; read it for progress and "
            + "result.",
        body: .object(
            [
                .required(
                    "from", .dayOrTime, "Conversions that occurred at or after this time or day."),
                .required(
                    "to", .dayOrTime,
                    "Conversions that occurred before this time, or with the whole of this day."),
            ] + RehearsalChange.input), success: 201, answer: RehearsalWire.schema,
        refusals: [Period.empty, RehearsalChange.nothing, tooMany])

    private static let reading = Contract(
        operationID: "getRehearsal", summary: "One rehearsal, with progress and result.",
        answer: RehearsalWire.schema)

    private static let listing = Contract(
        operationID: "listRehearsals", summary: "A program's rehearsals, newest first.",
        query: ListRequest.fields(of: RehearsalID.self), answer: .page(of: RehearsalWire.schema))

    private static let activating = Contract(
        operationID: "activateRehearsal",
        summary: "Make the rehearsed change the program's rule, now or at a time. Results that are "
            + "there stay.",
        body: .object([.optional("at", .time, "Now unless told; not in the past.")]),
        answer: RehearsalWire.schema,
        refusals: [
            ActivateRehearsal.inThePast, ActivateRehearsal.programChanged,
            ProgramRefusal.notActive(state: .ended).problem,
        ])

    private static let cancelling = Contract(
        operationID: "cancelRehearsal",
        summary: "Stop computing it, or take back its activation that is yet to come.",
        body: .emptyBody, answer: RehearsalWire.schema)
}

/// How a rehearsal looks on the wire.
enum RehearsalWire {
    static let schema = Schema.named(
        "Rehearsal",
        .object([
            .required("id", .id(RehearsalID.self)), .required("object", .choice(["rehearsal"])),
            .required("program_id", .id(ProgramID.self)),
            .required("status", .choice(Rehearsal.State.allCases.map(\.rawValue))),
            .required("from", .time), .required("to", .time),
            .required("change", .anything, "As it was asked for."),
            .required(
                "program_version", .integer(1...Int64.max),
                "Of the rules that the change was laid over."),
            .required("conversions", .integer(0...Int64.max), "In the period."),
            .required("processed", .integer(0...Int64.max)),
            .required("result", .nullable(result)),
            .required("reason", .nullable(.text(0...500)), "Why it failed."),
            .required("activate_at", .nullable(.time)),
            .required("version", .integer(1...Int64.max)), .required("created_at", .time),
            .required("updated_at", .time),
        ]))

    private static let sum = Schema.object([
        .required("actual", .integer(-Money.maximum...Money.maximum)),
        .required("rehearsed", .integer(-Money.maximum...Money.maximum)),
        .required("delta", .integer(-Money.maximum...Money.maximum)),
    ])

    private static let result = Schema.object([
        .required("conversions", .integer(0...Int64.max)),
        .required("conversions_changed", .integer(0...Int64.max), "Whose credit would differ."),
        .required("credit", sum, "Minor units of the program's currency, refunds aside."),
        .required(
            "rewards", sum,
            "By rules of the trigger conversion, refunds, limits and budgets aside: actual is what "
                + "the rules of the day gave before these."),
        .optional(
            "limits_and_budget", .choice([RehearseProgram.limitsAndBudget]),
            "Neither side is held against them; missing in results of older versions."),
        .required(
            "participants",
            .list(
                .object([
                    .required(
                        "participant_id", .nullable(.id(ParticipantID.self)),
                        "Null: what nobody is credited with."),
                    .required("credit", sum), .required("rewards", sum),
                ]), count: 0...RehearseProgram.linesMax), "The largest differences first."),
        .required("participants_omitted", .integer(0...Int64.max)),
    ])

    static func json(_ rehearsal: Rehearsal) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(rehearsal, &$0) }
        return json.bytes
    }

    static func write(_ rehearsal: Rehearsal, _ json: inout JSONObjectWriter) {
        json.field("id", rehearsal.id)
        json.field("object", "rehearsal")
        json.field("program_id", rehearsal.program)
        json.field("status", rehearsal.state.rawValue)
        json.field("from", rehearsal.period.lowerBound)
        json.field("to", rehearsal.period.upperBound)
        json.field("change", rehearsal.change)
        json.field("program_version", rehearsal.programVersion)
        json.field("conversions", rehearsal.conversions)
        json.field("processed", rehearsal.processed)
        json.field("result", rehearsal.result ?? .null)
        json.field("reason", rehearsal.reason)
        json.field("activate_at", rehearsal.activateAt)
        json.field("version", rehearsal.version)
        json.field("created_at", rehearsal.createdAt)
        json.field("updated_at", rehearsal.updatedAt)
    }
}
