import Database
import HTTP
import JSON
import Model
import Programs
import Records
import ReferralLinks
import RewardLedger

/// `/v1/programs`: programs, their terms and every version of them.
enum ProgramRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.post, "/v1/programs", .key(.write), .write(create), creation)
        routes.add(.get, "/v1/programs", .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, "/v1/programs/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.patch, "/v1/programs/{id}", .key(.write), .write(update), change)
        routes.add(.get, "/v1/programs/{id}/versions", .key(.read), .read(versions), history)
        for action in Program.State.Action.allCases {
            routes.add(
                .post, "/v1/programs/{id}/\(action.rawValue)", .key(.write),
                .write { try move($0, by: action) }, transition(action))
        }
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let form = try ProgramForm(call.body, isNew: true)
        return { tx in
            let program = form.program(id: tx.makeID(), at: tx.now)
            try requireControl(of: program, from: nil, call)
            try ProgramStore.insert(program, actor: call.principal.actor, tx)
            try EventStore.append(
                NewEvent(
                    "program.created", program.id, program: program.id, actor: call.principal.actor,
                    to: program.state.rawValue), tx)
            return .created(
                ProgramWire.json(program, for: call.principal), at: "/v1/programs/\(program.id)",
                version: program.version)
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let id: ProgramID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let form = try ProgramForm(
                call.patched(ProgramWire.form(old, patchedBy: call.body), by: ProgramWire.input),
                isNew: false)
            try ProgramRules.checkCurrency(
                from: old.currency, to: form.currency, state: old.state,
                isUsed: form.currency != old.currency && isCurrencyUsed(in: id, tx))
            try ProgramRules.checkTimeZone(
                from: old.terms.timeZone, to: form.terms.timeZone, state: old.state)
            let program = form.changing(old, at: tx.now)
            try requireControl(of: program, from: old, call)
            try ProgramStore.update(program, actor: call.principal.actor, tx)
            try SchedulePayouts.follow(program, from: old, tx)
            try EventStore.append(
                NewEvent(
                    "program.updated", id, program: id, actor: call.principal.actor,
                    data: ["version": .integer(program.version)]), tx)
            return .object(ProgramWire.json(program, for: call.principal), version: program.version)
        }
    }

    private static func move(
        _ call: Call, by action: Program.State.Action
    ) throws -> WriteStep {
        let id: ProgramID = try call.id()
        return { tx in
            var program = try find(id, tx)
            try call.requireMatch(version: program.version)
            let old = program
            program.state = try program.state.moved(by: action)
            program.version += 1
            program.updatedAt = tx.now
            try ProgramStore.update(program, actor: call.principal.actor, tx)
            try SchedulePayouts.follow(program, from: old, tx)
            try EventStore.append(
                NewEvent(
                    "program.\(program.state.rawValue)", id, program: id,
                    actor: call.principal.actor, from: old.state.rawValue,
                    to: program.state.rawValue),
                tx)
            return .object(ProgramWire.json(program, for: call.principal), version: program.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let program = try find(call.id(), reader)
        if let own = call.principal.program, own != program.id { throw Refused(.notFound()) }
        return .object(ProgramWire.json(program, for: call.principal), version: program.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: ProgramID) in
            if let own = call.principal.program, own != id { return nil }
            return try ProgramStore.sequence(of: id, reader)
        }
        let page = try ProgramStore.page(
            window.page, state: call.query["status"], only: call.principal.program, reader)
        return .list(page, call, id: { $0.id.description }) { program, data in
            data.object { ProgramWire.write(program, for: call.principal, &$0) }
        }
    }

    private static func versions(_ call: Call, _ reader: Reader) throws -> Response {
        let program = try find(call.id(), reader)
        let versions = try RuleVersionStore.versions(
            of: program.id, limit: Response.wholeMax + 1, reader)
        return .whole(versions, call) { version, data in
            data.object { RuleVersionWire.write(version, &$0) }
        }
    }

    /// What holds money back is set with the scope `admin` alone: else the key that it binds could
    /// loosen it.
    private static func requireControl(
        of program: Program, from old: Program?, _ call: Call
    ) throws {
        let changed = ProgramRules.changedControls(
            program.terms, in: program.currency, from: old.map { ($0.terms, $0.currency) })
        guard changed.isEmpty || call.principal.may(.admin) else {
            throw Refused(
                Problem(
                    status: 403, code: "forbidden",
                    detail: "Terms that hold money back are set with the scope admin.",
                    errors: changed.map {
                        FieldError(
                            pointer: "/\($0)", code: "not_allowed",
                            detail: "needs the scope admin")
                    }))
        }
    }

    /// Whether something of the program has its amounts in the program's currency.
    private static func isCurrencyUsed(in id: ProgramID, _ reader: Reader) throws -> Bool {
        try RewardRuleStore.isAny(in: id, reader) || LinkStore.isAny(in: id, reader)
            || ParticipantStore.isAny(in: id, reader) || CatalogItemStore.isAny(in: id, reader)
    }

    private static func find(_ id: ProgramID, _ reader: Reader) throws -> Program {
        guard let program = try ProgramStore.find(id, reader) else { throw Refused(.notFound()) }
        return program
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createProgram",
        summary: "Create a program, as a draft. Terms that hold money back ("
            + "\(ProgramTerms.controls.joined(separator: ", "))) need the scope admin, unless they "
            + "are as by default.",
        body: ProgramWire.input, success: 201, answer: ProgramWire.schema)

    private static let reading = Contract(
        operationID: "getProgram", summary: "One program.", answer: ProgramWire.schema)

    private static let listing = Contract(
        operationID: "listPrograms", summary: "Programs, newest first.",
        query: ListRequest.fields(of: ProgramID.self) + [
            .optional("status", .choice(Program.State.allCases.map(\.rawValue)))
        ], answer: .page(of: ProgramWire.schema))

    private static let change = Contract(
        operationID: "updateProgram",
        summary:
            "Change a program by JSON Merge Patch; every change is a new version of its rules. To "
            + "change \(ProgramTerms.controls.joined(separator: ", ")) needs the scope admin.",
        body: ProgramWire.patch, bodyTypes: Contract.patchTypes,
        answer: ProgramWire.schema,
        refusals: Problem.examples(of: [
            ProgramRefusal.currencyIsFixed, ProgramRefusal.timeZoneIsFixed,
            ProgramRefusal.timeZoneUnknown,
        ]))

    private static let history = Contract(
        operationID: "listProgramVersions",
        summary: "Every version of the program's rules, newest first, at most 100.",
        answer: .page(of: RuleVersionWire.schema))

    private static func transition(_ action: Program.State.Action) -> Contract {
        Contract(
            operationID: "\(action.rawValue)Program",
            summary: "Program: \(action.rawValue) (draft → active ⇄ paused → ended).",
            body: .emptyBody, answer: ProgramWire.schema)
    }
}

extension ProgramRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .thresholdCurrency:
            .unprocessable(
                "currency_mismatch", "approval_threshold must be in the program's currency.",
                at: "/approval_threshold/currency")
        case .currencyIsFixed:
            .conflict(
                "currency_fixed",
                "The currency cannot change once the program was activated, or has rules, links, "
                    + "participants or catalogue items.")
        case .timeZoneIsFixed:
            .conflict("time_zone_fixed", "The time zone cannot change after activation.")
        case .timeZoneUnknown:
            Problem(
                status: 422, code: "time_zone_unknown",
                detail:
                    "This machine knows no such time zone (package tzdata). Give a name such as "
                    + "Europe/Berlin.",
                errors: [
                    FieldError(
                        pointer: "/time_zone", code: "unknown_value",
                        detail: "must be a name of the IANA time zone database")
                ])
        case .badOrigin(let index):
            .invalidField(
                "/allowed_origins/\(index)", code: "bad_format",
                detail: "must be scheme://host or scheme://host:port")
        case .badPosition:
            Problem(
                status: 422, code: "position_not_whole",
                detail: "The parts of position-based attribution must sum to 100.",
                errors: [
                    FieldError(
                        pointer: "/attribution/position", code: "not_whole",
                        detail: "first, middle and last must sum to 100")
                ])
        case .badSchedule:
            Problem(
                status: 422, code: "schedule_day_not_possible",
                detail: "A weekly schedule has a day from 1 to 7, a monthly one from 1 to 28.",
                errors: [
                    FieldError(
                        pointer: "/payouts/schedule/day", code: "out_of_range",
                        detail: "must be 1 to 7 for weekly, 1 to 28 for monthly")
                ])
        case .notActive(let state):
            Problem(
                status: 409, code: "program_not_active",
                detail: "The program is \(state.rawValue), so nothing new can start in it.")
        }
    }
}
