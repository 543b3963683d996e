import Attribution
import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/conversions`: sales and sign-ups, their refunds, and who was given credit for them.
enum ConversionRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/conversions"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.post, base + "/{id}/refund", .key(.write), .write(refund), refunding)
        routes.amend { $0.idempotency = .required }
        routes.add(.get, base + "/{id}/refunds", .key(.read), .read(refunds), refundListing)
        routes.add(.get, base + "/{id}/attribution", .key(.read), .read(attribution), attributing)
        routes.add(
            .get, base + "/{id}/attributions", .key(.read), .read(attributions),
            attributionListing)
        routes.add(
            .post, base + "/{id}/reattribute", .key(.write), .write(reattribute), reattributing)
        routes.add(.get, base + "/{id}/explain", .key(.read), .read(explain), explaining)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let body = call.body
        let record = RecordConversion(
            program: body.id("program_id"), externalID: try body.requiredText("external_id"),
            customer: try NamedCustomer(
                body.nested("customer"), isNamedOtherwise: body.text("lead_id") != nil),
            lead: body.id("lead_id"), hints: Hints(body.object), product: body.text("product"),
            subscription: body.text("subscription"),
            kind: try body.required(
                "kind", body.text("kind").flatMap { Conversion.Kind(rawValue: $0) }),
            amount: try body.required("amount", body.money("amount")),
            occurredAt: body.time("occurred_at"), metadata: body.metadata,
            actor: call.principal.actor)
        guard record.isIdentified else {
            throw Refused(
                .unprocessable(
                    "customer_required", "Name a customer, lead_id, click_id, ref or code.",
                    at: "/customer"))
        }
        return { tx in
            let outcome = try record(tx)
            let json = ConversionWire.json(
                outcome.conversion, outcome.attribution, outcome.earned, for: call.principal)
            return outcome.isNew
                ? .created(json, at: "/v1/conversions/\(outcome.conversion.id)") : .object(json)
        }
    }

    private static func refund(_ call: Call) throws -> WriteStep {
        RefundRoutes.step(try RefundWire.refund(.id(try call.id()), call))
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let conversion = try find(call.id(), reader)
        if let participant = call.participant {
            guard let own = try OwnConversion.of(conversion, for: participant, reader) else {
                throw Refused(.notFound())
            }
            return .object(
                try ConversionWire.json(
                    own, nil, ConversionEarnings.of(conversion.id, by: participant, reader),
                    for: call.principal))
        }
        return .object(
            try ConversionWire.json(
                conversion, attribution(of: conversion, reader),
                ConversionEarnings.of(conversion.id, reader), for: call.principal))
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) {
            try ConversionStore.sequence(of: $0, creditedTo: call.participant, reader)
        }
        let page = try ConversionStore.page(
            window.page, program: call.queryID("program_id"),
            externalID: call.query["external_id"], created: try call.createdWindow(reader),
            creditedTo: call.participant ?? call.queryID("participant_id"),
            lead: call.participant == nil ? call.queryID("lead_id") : nil,
            customer: call.participant == nil ? call.queryID("customer_id") : nil, reader)
        let shown =
            try call.participant.map { own in
                Page(
                    items: try page.items.compactMap {
                        try OwnConversion.of($0, for: own, reader)
                    }, hasMore: page.hasMore, request: window.page,
                    total: page.total)
            } ?? page
        return .list(shown, call, id: { $0.id.description }) { conversion, data in
            data.object { ConversionWire.write(conversion, for: call.principal, &$0) }
        }
    }

    private static func refunds(_ call: Call, _ reader: Reader) throws -> Response {
        let conversion = try find(call.id(), reader)
        let window = try ListRequest(call) {
            try RefundStore.sequence(of: $0, in: conversion.id, reader)
        }
        var filter = RefundStore.Filter()
        filter.conversion = conversion.id
        let page = try RefundStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { refund, data in
            data.object { RefundWire.write(refund, conversion, &$0) }
        }
    }

    private static func attribution(_ call: Call, _ reader: Reader) throws -> Response {
        let conversion = try find(call.id(), reader)
        let attribution = try attribution(of: conversion, reader)
        guard let model = call.query["model"].flatMap({ AttributionModel(rawValue: $0) }) else {
            return .object(AttributionWire.json(attribution, conversion))
        }
        let terms = attribution.terms.with(model)
        let other = Attribution(
            id: attribution.id, conversion: conversion.id, cause: attribution.cause,
            causeReason: attribution.causeReason, actor: attribution.actor,
            programVersion: attribution.programVersion, terms: terms,
            decision: attribution.decision.under(
                model, attribution.terms, at: conversion.occurredAt),
            createdAt: attribution.createdAt)
        return .object(AttributionWire.json(other, conversion, isStored: false))
    }

    private static func attributions(_ call: Call, _ reader: Reader) throws -> Response {
        let conversion = try find(call.id(), reader)
        let window = try ListRequest(call) {
            try AttributionStore.sequence(of: $0, in: conversion.id, reader)
        }
        let page = try AttributionStore.page(window.page, of: conversion.id, reader)
        return .list(page, call, id: { $0.id.description }) { attribution, data in
            data.object { AttributionWire.write(attribution, conversion, &$0) }
        }
    }

    private static func reattribute(_ call: Call) throws -> WriteStep {
        let id: ConversionID = try call.id()
        let reattribute = ReattributeConversion(
            wish: try ReattributionWire.wish(call.body),
            reason: try call.body.requiredText("reason"), actor: call.principal.actor)
        return { tx in
            let conversion = try find(id, tx)
            let outcome = try reattribute(conversion, tx)
            let json = try ConversionWire.json(
                conversion, outcome.attribution, ConversionEarnings.of(id, tx),
                for: call.principal)
            return outcome.isNew
                ? .created(json, at: "/v1/conversions/\(id)/attribution") : .object(json)
        }
    }

    private static func explain(_ call: Call, _ reader: Reader) throws -> Response {
        let conversion = try find(call.id(), reader)
        let attribution = try attribution(of: conversion, reader)
        let program = try ProgramStore.find(conversion.program, reader)
        let known = try program.map {
            try GatherCreditFacts.run(conversion, $0, attribution.terms, reader)
        }
        let rewards = try RewardStore.oldest(
            of: conversion.id, limit: ConversionExplanationWire.rewardsMax, reader)
        return .object(
            ConversionExplanationWire.json(
                conversion, attribution, known: known ?? attribution.decision.facts, rewards,
                unrewarded: rewards.isEmpty
                    ? try EarnBySale.reason(of: conversion.id, reader) : nil))
    }

    private static func find(_ id: ConversionID, _ reader: Reader) throws -> Conversion {
        guard let conversion = try ConversionStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        return conversion
    }

    private static func attribution(
        of conversion: Conversion, _ reader: Reader
    ) throws -> Attribution {
        guard let attribution = try AttributionStore.newest(of: conversion.id, reader) else {
            throw DatabaseFault(operation: "read an attribution", code: DatabaseFault.corrupt)
        }
        return attribution
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createConversion",
        summary: "Record a sale or sign-up: its credit is decided and its rewards are granted. The "
            + "external_id is unique for good: a further report of the same sale is 200, adds what "
            + "it says, and within 24 hours its credit is decided from all reports together.",
        body: ConversionWire.input, success: 201, answer: ConversionWire.detailed,
        others: [(200, "Recorded before: a further report of the same sale.")],
        refusals: Problem.examples(of: ConversionRefusal.recording))

    private static let listing = Contract(
        operationID: "listConversions",
        summary: "Conversions, newest first. A participant reads those that credit it, with its "
            + "own share as the amount.",
        query: ListRequest.fields(of: ConversionID.self) + ListRequest.createdFields + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("external_id", .key(1...200)),
            .optional("participant_id", .id(ParticipantID.self), "Those that credit it."),
            .optional("lead_id", .id(LeadID.self), "Not for a participant's token."),
            .optional("customer_id", .id(CustomerID.self), "Not for a participant's token."),
        ], answer: .page(of: ConversionWire.schema))

    private static let reading = Contract(
        operationID: "getConversion",
        summary: "One conversion with its credit and what it earned. A participant reads its own "
            + "share as the amount, and what it earned itself.",
        answer: ConversionWire.detailed)

    private static let refunding = Contract(
        operationID: "refundConversion",
        summary: "Record a refund, chargeback or cancellation. The refunds in force take what they "
            + "ask for together, and never more than the sale; its rewards are what their rules "
            + "give for the rest.",
        body: RefundWire.input, success: 201, answer: RefundWire.schema,
        others: [(200, RefundWire.unchanged)],
        refusals: Problem.examples(of: ConversionRefusal.refunding))

    private static let refundListing = Contract(
        operationID: "listRefunds", summary: "The conversion's refunds, newest first.",
        query: ListRequest.fields(of: RefundID.self), answer: .page(of: RefundWire.schema))

    private static let attributing = Contract(
        operationID: "getAttribution",
        summary: "Who was given credit: model, version, window, every touch with its verdict and "
            + "parts. With model: what that model would give for the same touches; what a higher "
            + "rung decided stays.",
        query: [.optional("model", AttributionWire.model)],
        answer: AttributionWire.schema)

    private static let attributionListing = Contract(
        operationID: "listAttributions",
        summary: "Every result for the conversion, newest first; the newest counts.",
        query: ListRequest.fields(of: AttributionID.self), answer: .page(of: AttributionWire.schema)
    )

    private static let reattributing = Contract(
        operationID: "reattributeConversion",
        summary: "Decide the credit anew, by what is known now or by your word. It is a further "
            + "result with its reason; rewards follow by corrections in the journal. The same "
            + "result again changes nothing (200).",
        body: ReattributionWire.input, success: 201, answer: ConversionWire.detailed,
        others: [(200, "The result would be the same.")],
        refusals: [ReattributionWire.exclusive, ReattributionWire.twice])

    private static let explaining = Contract(
        operationID: "explainConversion", summary: "Why the credit went where it went, in words.",
        answer: ConversionExplanationWire.schema)
}

extension RecordConversion {
    /// Something must say who the customer is.
    var isIdentified: Bool {
        customer.isNamed || lead != nil || !hints.isEmpty
    }
}
