import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/redemptions`: points that participants give for items of the catalogue.
enum RedemptionRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/redemptions"
        routes.add(.post, base, .keyOrParticipant(.write), .write(create), creation)
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.post, base + "/{id}/fulfill", .key(.payouts), .write(fulfill), fulfilling)
        routes.amend { $0.idempotency = .required }
        routes.add(.post, base + "/{id}/cancel", .key(.payouts), .write(cancel), cancelling)
        routes.amend { $0.idempotency = .required }
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let participant = try call.named(call.body)
        try call.requireOwn(participant)
        let redeem = RedeemPoints(
            participant: participant,
            item: try call.body.required("item_id", call.body.id("item_id")),
            reference: call.body.text("reference"),
            country: call.body.text("country").flatMap { CountryCode($0) },
            actor: call.principal.actor)
        return { tx in
            let (redemption, isNew) = try redeem(tx)
            let json = RedemptionWire.json(
                redemption, try RedemptionStore.items(of: redemption.id, tx))
            return isNew
                ? .created(
                    json, at: "/v1/redemptions/\(redemption.id)", version: redemption.version)
                : .object(json, version: redemption.version)
        }
    }

    private static func fulfill(_ call: Call) throws -> WriteStep {
        let reference = call.body.text("reference")
        return try step(call) {
            try RedemptionBook.fulfill($0, reference: reference, actor: call.principal.actor, $1)
        }
    }

    private static func cancel(_ call: Call) throws -> WriteStep {
        let reason = try call.body.requiredText("reason")
        return try step(call) {
            try RedemptionBook.cancel($0, reason: reason, actor: call.principal.actor, $1)
        }
    }

    private static func step(
        _ call: Call,
        _ change: @escaping @Sendable (Redemption, Transaction) throws -> Redemption
    ) throws -> WriteStep {
        let id: RedemptionID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let redemption = try change(old, tx)
            return .object(
                RedemptionWire.json(redemption, try RedemptionStore.items(of: id, tx)),
                version: redemption.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let redemption = try find(call.id(), reader)
        try call.requireOwn(redemption.participant)
        return .object(
            RedemptionWire.json(
                redemption, try RedemptionStore.items(of: redemption.id, reader)),
            version: redemption.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: RedemptionID) in
            guard let redemption = try RedemptionStore.find(id, reader) else { return nil }
            if let own = call.participant, own != redemption.participant { return nil }
            return try RedemptionStore.sequence(of: id, reader)
        }
        var filter = RedemptionStore.Filter()
        filter.state = call.query["status"]
        filter.participant = try call.ownParticipant("participant_id")
        filter.program = call.queryID("program_id")
        filter.item = call.queryID("item_id")
        filter.created = try call.createdWindow(reader)
        let page = try RedemptionStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { redemption, data in
            data.object { RedemptionWire.write(redemption, &$0) }
        }
    }

    private static func find(_ id: RedemptionID, _ reader: Reader) throws -> Redemption {
        guard let redemption = try RedemptionStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        return redemption
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createRedemption",
        summary: "Give points for an item of the catalogue: they are on their way until it is "
            + "fulfilled or cancelled. What is owed is set off first.",
        body: RedemptionWire.input, success: 201, answer: RedemptionWire.detailed,
        others: [(200, "Requested before under this reference, with the same content.")],
        refusals: Problem.examples(of: RedemptionRefusal.all) + [PayOut.notApproved])

    private static let listing = Contract(
        operationID: "listRedemptions", summary: "Redemptions, newest first.",
        query: ListRequest.fields(of: RedemptionID.self) + ListRequest.createdFields + [
            .optional("status", .choice(Redemption.State.allCases.map(\.rawValue))),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("program_id", .id(ProgramID.self)),
            .optional("item_id", .id(CatalogItemID.self)),
        ], answer: .page(of: RedemptionWire.schema))

    private static let reading = Contract(
        operationID: "getRedemption", summary: "One redemption with the rewards that it uses.",
        answer: RedemptionWire.detailed)

    private static let fulfilling = Contract(
        operationID: "fulfillRedemption",
        summary: "Say that the item has been given: its points have left.",
        body: .object([.optional("reference", .nullable(.key(1...200)))]),
        answer: RedemptionWire.detailed)

    private static let cancelling = Contract(
        operationID: "cancelRedemption",
        summary: "Do not give the item: points and stock are there again.",
        body: .object([.required("reason", .prose(1...500))]), answer: RedemptionWire.detailed)
}

extension RedemptionRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .referenceTaken(let member):
            Problem(
                status: 409, code: "reference_taken",
                detail: "This reference belongs to a redemption with another \(member).",
                errors: [
                    FieldError(pointer: "/\(member)", code: "differs", detail: "differs")
                ])
        case .itemNotAvailable:
            .conflict("item_not_available", "The item is not available just now.")
        case .outOfStock: .conflict("out_of_stock", "Nothing is left of the item.")
        case .notInCountry(let countries):
            Problem(
                status: 422, code: "not_in_country",
                detail: "The item is for some countries only: name one of them as country.",
                extra: [("countries", .array(countries.map { .string($0.code) }))])
        case .notEnoughPoints(let available, let needed):
            Problem(
                status: 409, code: "not_enough_points",
                detail: "\(needed) points are needed, and \(available) are available after what "
                    + "is owed.",
                extra: [("available", .integer(available)), ("needed", .integer(needed))])
        case .tooManyRewards:
            .conflict(
                "too_many_rewards",
                "The points are spread over more than \(RedemptionRules.rewardsMax) rewards; "
                    + "redeem something smaller first.")
        }
    }
}
