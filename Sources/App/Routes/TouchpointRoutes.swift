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
            let outcome = try record(tx)
            let json = TouchpointWire.receipt(outcome, for: call.principal)
            guard let touch = outcome.touch, outcome.isNew else { return .object(json) }
            return .created(json, at: "/v1/touchpoints/\(touch.id)")
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
                    if let touch = made.touch { json.field("id", touch.id.description) }
                    IgnoredHintWire.write(made.ignored, for: call.principal, &json)
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
        filter.created = try call.createdWindow(reader)
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
        body: TouchpointWire.input, success: 201, answer: TouchpointWire.receipt,
        others: [
            (
                200,
                "Recorded before, with the same content. Or not recorded (id is null), because a "
                    + "referral or a partner's contact names nobody; ignored says why."
            )
        ], refusals: refusals)

    private static let bulk = Contract(
        operationID: "createTouchpoints", summary: "Record up to 100 contacts, each by itself.",
        body: BulkRequest.schema(of: TouchpointWire.input),
        answer: BulkWire.schema(
            "TouchpointBulk",
            [
                .optional("id", .id(TouchpointID.self)),
                .optional("ignored", IgnoredHintWire.list, IgnoredHintWire.about),
            ]), refusals: refusals)

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
        .object(
            [
                .required("id", .id(TouchpointID.self)),
                .required("object", .choice(["touchpoint"])),
            ] + fields))

    /// What was recorded and which hints were left out. Where nothing was recorded, `id` is null
    /// and the touch's other members are not there.
    static let receipt = Schema.named(
        "TouchpointReceipt",
        .object(
            [
                .required("id", .nullable(.id(TouchpointID.self)), "Null: nothing was recorded."),
                .required("object", .choice(["touchpoint"])),
                .required("ignored", IgnoredHintWire.list, IgnoredHintWire.about),
            ] + fields.map { .optional($0.name, $0.schema, $0.about) }))

    static let reclaimed = Schema.nullable(.choice(["bot", "preview", "duplicate"]))
    static let aboutReclaimed =
        "What its click was taken for. Somebody brought it, so a person clicked, and it counts."

    private static let fields: [Field] = [
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
        .required("reclaimed", reclaimed, aboutReclaimed),
        .required("occurred_at", .time), .required("created_at", .time),
    ]

    private static let source = Schema.choice(TouchSource.allCases.map(\.rawValue))

    static let input = Schema.object(
        [
            .optional(
                "program_id", .id(ProgramID.self),
                "Needed unless participant_id, click_id, ref or code names it."),
            .optional(
                "external_id", .key(1...200), "Your own id of the contact, unique for good."),
            .optional(
                "customer", NamedCustomer.schema, "Needed unless click_id names a click."),
            .required("source", source),
            .optional(
                "participant_id", .id(ParticipantID.self),
                "Who brought it about. A referral, or a partner's contact, needs this or a hint: "
                    + "click_id, ref, code or referrer_email."),
            .optional("channel", .text(1...100)), .optional("campaign", .text(1...100)),
            .optional(
                "occurred_at", .time, "The click's time or now unless told; not in the future."),
        ] + HintWire.input)

    static func record(_ body: Body, actor: String) throws -> RecordTouch {
        RecordTouch(
            program: body.id("program_id"), externalID: body.text("external_id"),
            customer: try NamedCustomer(body.nested("customer")),
            source: try body.required(
                "source", body.text("source").flatMap { TouchSource(rawValue: $0) }),
            participant: body.id("participant_id"), hints: Hints(body.object),
            channel: body.text("channel"), campaign: body.text("campaign"),
            occurredAt: body.time("occurred_at"), actor: actor)
    }

    static func receipt(_ outcome: RecordTouch.Outcome, for caller: Principal) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            if let touch = outcome.touch {
                write(touch, for: caller, &object)
            } else {
                object.null("id")
                object.field("object", "touchpoint")
            }
            IgnoredHintWire.write(outcome.ignored, for: caller, &object)
        }
        return json.bytes
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
        json.field("customer_id", caller.participant == nil ? touch.customer : nil)
        json.field("participant_id", touch.participant)
        json.field("source", touch.source.rawValue)
        json.field("kind", touch.kind.rawValue)
        json.field("channel", touch.channel)
        json.field("campaign", touch.campaign)
        json.field("external_id", caller.participant == nil ? touch.externalID : nil)
        json.field("link_id", touch.link)
        json.field("click_id", touch.click)
        json.field("lead_id", touch.lead)
        json.field("reclaimed", touch.reclaimed)
        json.field("occurred_at", touch.occurredAt.rfc3339)
        json.field("created_at", touch.createdAt.rfc3339)
    }
}

extension TouchpointRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .inTheFuture:
            .unprocessable("in_the_future", "occurred_at is later than now.", at: "/occurred_at")
        case .participantRequired:
            .unprocessable(
                "participant_required",
                "A referral or a partner's contact names who brought it about.",
                at: "/participant_id")
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
