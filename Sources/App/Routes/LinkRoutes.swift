import Database
import HTTP
import JSON
import Model
import Platform
import Programs
import Records
import ReferralLinks

/// `/v1/links`: referral links, one by one and in bulk, and their numbers.
enum LinkRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/links"
        routes.add(.post, base, .keyOrParticipant(.write), .write(create), creation)
        routes.add(.post, base + "/bulk", .key(.write), .write(createMany), bulkCreation)
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.patch, base + "/{id}", .key(.write), .write(update), change)
        for action in Link.State.Action.allCases {
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", .key(.write),
                .write { try move($0, by: action) }, transition(action))
        }
        routes.add(.get, base + "/{id}/stats", .keyOrParticipant(.read), .read(stats), counting)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let item = try LinkItem(call.body, call)
        return { tx in
            let link = try item.insert(call, tx)
            return .created(
                LinkWire.json(link, call.publicURL), at: "/v1/links/\(link.id)",
                version: link.version)
        }
    }

    private static func createMany(_ call: Call) throws -> WriteStep {
        let items = try BulkRequest.items(call, LinkWire.input) { try LinkItem($0, call) }
        return { tx in
            let results = try BulkRequest.run(items, call) { try $0.insert(call, tx) }
            return .object(
                BulkWire.json(results, call) { link, json in
                    json.field("id", link.id.description)
                    json.field("code", link.code)
                    json.field("url", "\(call.publicURL)/r/\(link.code)")
                })
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let id: LinkID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let program = try ProgramStore.find(old.program, tx)
            let form = LinkForm(
                try call.patched(LinkWire.form(old), by: LinkWire.changeable),
                in: program?.terms.timeZone ?? .utc)
            try LinkRules.checkDestination(form.destination, program: program?.terms.destination)
            let link = form.changing(old, at: tx.now)
            try LinkStore.update(link, tx)
            try EventStore.append(
                event("link.updated", link, call, data: ["version": .integer(link.version)]), tx)
            return .object(LinkWire.json(link, call.publicURL), version: link.version)
        }
    }

    private static func move(_ call: Call, by action: Link.State.Action) throws -> WriteStep {
        let id: LinkID = try call.id()
        return { tx in
            var link = try find(id, tx)
            try call.requireMatch(version: link.version)
            let from = link.state
            link.state = try link.state.moved(by: action)
            link.disabledAt = link.state == .disabled ? tx.now : nil
            link.version += 1
            link.updatedAt = tx.now
            try LinkStore.update(link, tx)
            try EventStore.append(event("link.\(link.state.rawValue)", link, call, from: from), tx)
            return .object(LinkWire.json(link, call.publicURL), version: link.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let link = try find(call.id(), reader)
        try call.requireOwn(link.participant)
        return .object(LinkWire.json(link, call.publicURL), version: link.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let asked: ParticipantID? = call.queryID("participant_id")
        if let asked { try call.requireOwn(asked) }
        let window = try ListRequest(call) { (id: LinkID) in
            guard let link = try LinkStore.find(id, reader) else { return nil }
            if let own = call.participant, own != link.participant { return nil }
            return try LinkStore.sequence(of: id, reader)
        }
        let page = try LinkStore.page(
            window.page, program: call.queryID("program_id"),
            participant: call.participant ?? asked, state: call.query["status"],
            channel: call.query["channel"], isHidden: call.query["hidden"] == "true",
            created: try call.createdWindow(reader), reader)
        return .list(page, call, id: { $0.id.description }) { link, data in
            data.object { LinkWire.write(link, call.publicURL, &$0) }
        }
    }

    private static func stats(_ call: Call, _ reader: Reader) throws -> Response {
        let link = try find(call.id(), reader)
        try call.requireOwn(link.participant)
        guard let sequence = try LinkStore.sequence(of: link.id, reader) else {
            throw Refused(.notFound())
        }
        let days = try ClickStore.days(
            link: sequence, latest: Int(call.query["days"] ?? "") ?? 30, reader)
        return .object(
            LinkStatsWire.json(link.id, try ClickStore.totals(link: sequence, reader), days))
    }

    private static func find(_ id: LinkID, _ reader: Reader) throws -> Link {
        guard let link = try LinkStore.find(id, reader) else { throw Refused(.notFound()) }
        return link
    }

    fileprivate static func event(
        _ type: String, _ link: Link, _ call: Call, from: Link.State? = nil, data: JSONValue = [:]
    ) -> NewEvent {
        NewEvent(
            type, link.id, program: link.program, participant: link.participant,
            actor: call.principal.actor, from: from?.rawValue, to: link.state.rawValue, data: data)
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createLink",
        summary:
            "Create a link. A participant's token creates its own, leading only to the program's "
            + "own sites.", body: LinkWire.input, success: 201, answer: LinkWire.schema)

    private static let bulkCreation = Contract(
        operationID: "createLinks",
        summary: "Create up to 100 links; each has its own result, or with atomic all or none.",
        body: BulkRequest.schema(of: LinkWire.input),
        answer: BulkWire.schema(
            "LinkBulkResult",
            [
                .optional("id", .id(LinkID.self)), .optional("code", LinkWire.code),
                .optional("url", .text(1...400)),
            ]))

    private static let reading = Contract(
        operationID: "getLink", summary: "One link.", answer: LinkWire.schema)

    private static let listing = Contract(
        operationID: "listLinks", summary: "Links, newest first.",
        query: ListRequest.fields(of: LinkID.self) + ListRequest.createdFields + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("status", .choice(Link.State.allCases.map(\.rawValue))),
            .optional("channel", LinkWire.channel),
            .optional(
                "hidden", .choice(["true", "false"]), "true: the hidden ones; default the others."),
        ], answer: .page(of: LinkWire.schema))

    private static let change = Contract(
        operationID: "updateLink", summary: "Change a link by JSON Merge Patch; its code stays.",
        body: LinkWire.changeable.asPatch, bodyTypes: Contract.patchTypes, answer: LinkWire.schema)

    private static let counting = Contract(
        operationID: "getLinkStats", summary: "Clicks of a link by class, in all and by day.",
        query: [
            .optional("days", .integer(1...90), "The latest days with clicks, 30 unless told.")
        ], answer: LinkStatsWire.schema)

    private static func transition(_ action: Link.State.Action) -> Contract {
        Contract(
            operationID: "\(action.rawValue)Link",
            summary: "Link: \(action.rawValue) (active ⇄ disabled).",
            body: .emptyBody, answer: LinkWire.schema)
    }
}

/// One link to be created, decoded.
private struct LinkItem: Sendable {
    let participant: ParticipantID
    let body: Body
    let isForced: Bool

    init(_ body: Body, _ call: Call) throws {
        participant = try call.named(body)
        self.body = body
        isForced = body.flag("force") ?? false
    }

    /// Everything is checked before anything is written, so that a refused item leaves no trace.
    func insert(_ call: Call, _ tx: Transaction) throws -> Link {
        guard call.participant == nil || call.participant == participant,
            let owner = try ParticipantStore.find(participant, tx),
            let program = try ProgramStore.find(owner.program, tx)
        else { throw Refused(.unknownReference("/participant_id")) }
        try ProgramRules.checkOpen(program.state, draftToo: true)
        try ParticipantRules.checkApproved(owner.state)
        let terms = program.terms
        let form = LinkForm(body, in: terms.timeZone)
        try LinkRules.checkDestination(form.destination, program: terms.destination)
        if call.participant != nil {
            try LinkRules.checkParticipantDestination(
                form.destination, program: terms.destination, allowedOrigins: terms.allowedOrigins)
        }
        let link = form.link(
            id: tx.makeID(), program: program.id, participant: participant,
            code: try code(form.code, program, isParticipant: call.participant != nil, tx),
            at: tx.now)
        try LinkStore.insert(link, tx)
        try EventStore.append(LinkRoutes.event("link.created", link, call), tx)
        return link
    }

    /// The given code if it may be had, or a free one.
    private func code(
        _ asked: String?, _ program: Program, isParticipant: Bool, _ tx: Transaction
    ) throws -> String {
        guard let code = asked else { return try MakeLink.freeCode(tx) }
        try LinkRules.checkChoice(
            code, reserved: program.terms.reservedCodes, isParticipant: isParticipant,
            isForced: isForced)
        try LinkRules.checkCode(
            isTaken: LinkStore.isTaken(code: code, tx),
            isSimilar: isParticipant
                && LinkStore.neighbour(of: code, exceptOf: participant, tx) != nil)
        return code
    }
}

extension LinkRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .noDestination:
            .conflict(
                "no_destination", "Neither the link nor its program has a destination_url.")
        case .destinationNotAllowed:
            Problem(
                status: 403, code: "destination_not_allowed",
                detail: "A participant's links may only lead to the program's own sites.")
        case .codeTaken:
            .conflict("code_taken", "The code is in use, or was.")
        case .codeReserved(let mayForce):
            LinkRefusal.ofCode(
                "code_reserved",
                "The code is a reserved word or a coupon of the shop."
                    + (mayForce ? " Send \"force\": true to take it all the same." : ""))
        case .codeTooShort:
            LinkRefusal.ofCode(
                "code_too_short",
                "A participant's code has at least \(LinkRules.participantCodeMin) characters.")
        case .codeSimilar:
            LinkRefusal.ofCode(
                "code_similar", "The code differs in one letter from another participant's.")
        case .noFreeCode:
            .unavailable("no_free_code", "No free code was found; try again.")
        }
    }

    private static func ofCode(_ code: String, _ detail: String) -> Problem {
        Problem(
            status: 422, code: code, detail: detail,
            errors: [FieldError(pointer: "/code", code: code, detail: "cannot be had")])
    }
}
