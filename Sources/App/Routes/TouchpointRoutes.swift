import Attribution
import Database
import HTTP
import JSON
import Model
import Programs

/// `/v1/touchpoints`: every contact that may earn credit. Clicks and leads make theirs by
/// themselves.
enum TouchpointRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/touchpoints"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.post, base + "/bulk", .key(.write), .write(createMany), bulk)
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let record = try TouchpointWire.record(call.body, actor: call.principal.actor)
        return { tx in
            let (touch, isNew) = try record(tx)
            let json = TouchpointWire.json(touch, for: call.principal)
            return isNew ? .created(json, at: "/v1/touchpoints/\(touch.id)") : .object(json)
        }
    }

    private static func createMany(_ call: Call) throws -> WriteStep {
        let records = try BulkRequest.items(call, TouchpointWire.input) {
            try TouchpointWire.record($0, actor: call.principal.actor)
        }
        return { tx in
            let results = try BulkRequest.run(records, call) { try $0(tx) }
            return .object(
                BulkWire.json(results, call, status: { $0.isNew ? 201 : 200 }) { made, json in
                    json.field("id", made.touch.id.description)
                })
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        guard let touch = try TouchpointStore.find(call.id(), reader) else {
            throw Refused(.notFound())
        }
        try call.requireOwn(touch.participant)
        return .object(TouchpointWire.json(touch, for: call.principal))
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: TouchpointID) in
            guard let touch = try TouchpointStore.find(id, reader) else { return nil }
            if let own = call.participant, own != touch.participant { return nil }
            return try TouchpointStore.sequence(of: id, reader)
        }
        var filter = TouchpointStore.Filter()
        filter.program = call.queryID("program_id")
        filter.customer = call.queryID("customer_id")
        filter.participant = try call.ownParticipant("participant_id")
        filter.source = call.query["source"].flatMap { TouchSource(rawValue: $0) }
        filter.externalID = call.query["external_id"]
        filter.created = call.createdWindow
        let page = try TouchpointStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { touch, data in
            data.object { TouchpointWire.write(touch, for: call.principal, &$0) }
        }
    }

    // MARK: - Contracts

    private static let refusals: [Problem] = [
        TouchpointRefusal.inTheFuture.problem, TouchpointRefusal.participantRequired.problem,
        TouchpointRefusal.differs(field: "source").problem,
    ]

    private static let creation = Contract(
        operationID: "createTouchpoint",
        summary: "Record a contact that may earn credit; late ones are welcome, and change no "
            + "result by themselves. An external_id is unique for good: the same content gives the "
            + "same touch (200), and so does a click that has touched the customer before.",
        body: TouchpointWire.input, success: 201, answer: TouchpointWire.schema,
        others: [(200, "Recorded before, with the same content.")], refusals: refusals)

    private static let bulk = Contract(
        operationID: "createTouchpoints", summary: "Record up to 100 contacts, each by itself.",
        body: BulkRequest.schema(of: TouchpointWire.input),
        answer: BulkWire.schema(
            "TouchpointBulk", [.optional("id", .id(TouchpointID.self))]), refusals: refusals)

    private static let reading = Contract(
        operationID: "getTouchpoint", summary: "One touch.", answer: TouchpointWire.schema)

    private static let listing = Contract(
        operationID: "listTouchpoints",
        summary: "Touches, newest first. A participant reads its own.",
        query: ListRequest.fields(of: TouchpointID.self) + ListRequest.createdFields + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("customer_id", .id(CustomerID.self)),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("source", .choice(TouchSource.allCases.map(\.rawValue))),
            .optional("external_id", .key(1...200)),
        ], answer: .page(of: TouchpointWire.schema))
}

/// How a touch looks on the wire.
enum TouchpointWire {
    static let schema = Schema.named(
        "Touchpoint",
        .object([
            .required("id", .id(TouchpointID.self)), .required("object", .choice(["touchpoint"])),
            .required("program_id", .id(ProgramID.self)),
            .required(
                "customer_id", .nullable(.id(CustomerID.self)),
                "Null for a participant's token, which names people by its own referrals."),
            .required("participant_id", .nullable(.id(ParticipantID.self))),
            .required("source", source),
            .required("kind", .choice(Touchpoint.Kind.allCases.map(\.rawValue))),
            .required("channel", .nullable(.text(1...100))),
            .required("campaign", .nullable(.text(1...100))),
            .required("external_id", .nullable(.text(1...200))),
            .required("link_id", .nullable(.id(LinkID.self))),
            .required("click_id", .nullable(.id(ClickID.self))),
            .required("lead_id", .nullable(.id(LeadID.self))),
            .required("occurred_at", .time), .required("created_at", .time),
        ]))

    private static let source = Schema.choice(TouchSource.allCases.map(\.rawValue))

    static let input = Schema.object([
        .optional(
            "program_id", .id(ProgramID.self), "Needed unless participant, click or ref names it."),
        .optional("external_id", .key(1...200), "Your own id of the contact, unique for good."),
        .optional(
            "customer", NamedCustomer.schema, "Needed unless click_id names somebody."),
        .required("source", source),
        .optional(
            "participant_id", .id(ParticipantID.self),
            "Who brought it about. A referral, or a partner's contact, needs this, click_id or "
                + "ref."),
        .optional("click_id", .id(ClickID.self)),
        .optional("ref", .text(3...64), "A referral code that was told or typed."),
        .optional("channel", .text(1...100)), .optional("campaign", .text(1...100)),
        .optional("occurred_at", .time, "The click's time or now unless told; not in the future."),
    ])

    static func record(_ body: Body, actor: String) throws -> RecordTouch {
        let record = RecordTouch(
            program: body.id("program_id"), externalID: body.text("external_id"),
            customer: NamedCustomer(body.nested("customer")),
            source: try body.required(
                "source", body.text("source").flatMap { TouchSource(rawValue: $0) }),
            participant: body.id("participant_id"), ref: body.text("ref"),
            click: body.id("click_id"), channel: body.text("channel"),
            campaign: body.text("campaign"), occurredAt: body.time("occurred_at"), actor: actor)
        guard record.customer.isNamed || record.click != nil else {
            throw Refused(.unprocessable("customer_required", "Name a customer or click_id."))
        }
        return record
    }

    static func json(_ touch: Touchpoint, for caller: Principal) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(touch, for: caller, &$0) }
        return json.bytes
    }

    /// The operator's own name of a contact is not for participants.
    static func write(
        _ touch: Touchpoint, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        json.field("id", touch.id.description)
        json.field("object", "touchpoint")
        json.field("program_id", touch.program.description)
        json.field("customer_id", touch.customer.description)
        json.field("participant_id", touch.participant)
        json.field("source", touch.source.rawValue)
        json.field("kind", touch.kind.rawValue)
        json.field("channel", touch.channel)
        json.field("campaign", touch.campaign)
        json.field("external_id", caller.participant == nil ? touch.externalID : nil)
        json.field("link_id", touch.link)
        json.field("click_id", touch.click)
        json.field("lead_id", touch.lead)
        json.field("occurred_at", touch.occurredAt.rfc3339)
        json.field("created_at", touch.createdAt.rfc3339)
    }
}

extension TouchpointRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .inTheFuture:
            .unprocessable("in_the_future", "occurred_at is later than now.")
        case .participantRequired:
            .unprocessable(
                "participant_required",
                "A referral or a partner's contact names who brought it about.")
        case .differs(let field):
            Problem(
                status: 409, code: "external_id_taken",
                detail: "This touch was recorded with another \(field).",
                errors: [
                    FieldError(pointer: "/\(field)", code: "differs", detail: "differs")
                ])
        }
    }
}
