import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/catalog_items`: what participants may have for their points.
enum CatalogItemRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/catalog_items"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.post, base + "/bulk", .key(.write), .write(load), loading)
        routes.add(.get, base, .keyOrParticipant(.read), .serviceRead(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .serviceRead(get), reading)
        routes.add(.patch, base + "/{id}", .key(.write), .write(update), change)
        for action in CatalogItem.State.Action.allCases {
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", .key(.write),
                .write { try move($0, by: action) }, transition(action))
        }
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let wish = try CatalogItemWire.wish(call.body)
        return { tx in
            let item = try KeepCatalogItem.create(wish, actor: call.principal.actor, tx)
            return .created(
                CatalogItemWire.json(item, isOperator: true), at: "/v1/catalog_items/\(item.id)",
                version: item.version)
        }
    }

    private static func load(_ call: Call) throws -> WriteStep {
        let wishes = try BulkRequest.items(call, CatalogItemWire.input) {
            try CatalogItemWire.wish($0)
        }
        return { tx in
            let results = try BulkRequest.run(wishes, call) {
                try KeepCatalogItem.load($0, actor: call.principal.actor, tx)
            }
            return .object(
                BulkWire.json(
                    results, call, status: { $0.outcome == .created ? 201 : 200 }
                ) { loaded, json in
                    json.field("id", loaded.item.id)
                    json.field("sku", loaded.item.terms.sku)
                    json.field("outcome", loaded.outcome.rawValue)
                })
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        try step(call) { old, tx in
            let body = try call.patched(
                CatalogItemWire.form(old), by: CatalogItemWire.changeable)
            return try KeepCatalogItem.change(
                old, to: CatalogItemWire.terms(body), actor: call.principal.actor, tx)
        }
    }

    private static func move(
        _ call: Call, by action: CatalogItem.State.Action
    ) throws -> WriteStep {
        try step(call) { old, tx in
            try KeepCatalogItem.move(old, by: action, actor: call.principal.actor, tx)
        }
    }

    private static func step(
        _ call: Call,
        _ change: @escaping @Sendable (CatalogItem, Transaction) throws -> CatalogItem
    ) throws -> WriteStep {
        let id: CatalogItemID = try call.id()
        return { tx in
            guard let old = try CatalogItemStore.find(id, tx) else { throw Refused(.notFound()) }
            try call.requireMatch(version: old.version)
            let item = try change(old, tx)
            return .object(
                CatalogItemWire.json(item, isOperator: true), version: item.version)
        }
    }

    private static func get(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let sight = try Sight(call, app, reader)
        guard let item = try CatalogItemStore.find(call.id(), reader), sight.has(item) else {
            throw Refused(.notFound())
        }
        return .object(
            CatalogItemWire.json(item, isOperator: sight.isOperator), version: item.version)
    }

    private static func list(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let sight = try Sight(call, app, reader)
        let window = try ListRequest(call) { (id: CatalogItemID) in
            guard let item = try CatalogItemStore.find(id, reader), sight.has(item) else {
                return nil
            }
            return try CatalogItemStore.sequence(of: id, reader)
        }
        var filter = CatalogItemStore.Filter()
        filter.program = try sight.program(asked: call.queryID("program_id"))
        filter.state = call.query["status"]
        filter.kind = call.query["kind"]
        filter.category = call.query["category"]
        filter.sku = call.query["sku"]
        filter.country = call.query["country"].flatMap { CountryCode($0) }
        filter.availableAt =
            !sight.isOperator || call.query["available"] == "true" ? sight.now : nil
        let page = try CatalogItemStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { item, data in
            data.object { CatalogItemWire.write(item, isOperator: sight.isOperator, &$0) }
        }
    }

    /// What the caller may see: a participant, what it may have in its own program just now.
    private struct Sight {
        let own: ProgramID?
        let now: Instant

        var isOperator: Bool { own == nil }

        init(_ call: Call, _ app: Application, _ reader: Reader) throws {
            own = call.principal.program
            now = try max(app.clock.now(), LedgerReads.lastCommit(reader))
        }

        func has(_ item: CatalogItem) -> Bool {
            guard let own else { return true }
            return item.program == own && CatalogItemRules.isAvailable(item, at: now)
        }

        func program(asked: ProgramID?) throws -> ProgramID? {
            guard let own else { return asked }
            if let asked, asked != own { throw Refused(.notFound()) }
            return own
        }
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createCatalogItem",
        summary: "Offer something for points to the program's participants.",
        body: CatalogItemWire.input, success: 201, answer: CatalogItemWire.schema,
        refusals: Problem.examples(of: [
            CatalogItemRefusal.availableUntilNotLater, CatalogItemRefusal.skuTaken,
        ]))

    private static let loading = Contract(
        operationID: "loadCatalogItems",
        summary: "Load up to 100 items by their sku: each becomes what is told here, a new one "
            + "where there is none, and has its own result, or with atomic all or none.",
        body: BulkRequest.schema(of: CatalogItemWire.input),
        answer: BulkWire.schema(
            "CatalogItemBulkResult",
            [
                .optional("id", .id(CatalogItemID.self)),
                .optional("sku", .text(1...100)),
                .optional(
                    "outcome", .choice(KeepCatalogItem.Outcome.allCases.map(\.rawValue))),
            ]))

    private static let listing = Contract(
        operationID: "listCatalogItems",
        summary: "The catalogue, newest first. Tokens see what is available just now in their "
            + "program.",
        query: ListRequest.fields(of: CatalogItemID.self) + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("status", .choice(CatalogItem.State.allCases.map(\.rawValue))),
            .optional("kind", CatalogItemWire.kind),
            .optional("category", CatalogItemWire.category),
            .optional("sku", CatalogItemWire.sku),
            .optional("country", ProgramTermsWire.country, "What can be given there."),
            .optional("available", .boolean, "true: what participants may have just now."),
        ], answer: .page(of: CatalogItemWire.schema))

    private static let reading = Contract(
        operationID: "getCatalogItem", summary: "One item of the catalogue.",
        answer: CatalogItemWire.schema)

    private static let change = Contract(
        operationID: "updateCatalogItem",
        summary: "Change an item by JSON Merge Patch, from now on: redemptions keep the price of "
            + "their moment.",
        body: CatalogItemWire.changeable.asPatch, bodyTypes: Contract.patchTypes,
        answer: CatalogItemWire.schema,
        refusals: Problem.examples(of: CatalogItemRefusal.allCases))

    private static func transition(_ action: CatalogItem.State.Action) -> Contract {
        let summary =
            switch action {
            case .enable: "Offer a disabled item again."
            case .disable: "Offer an item no more, for now."
            case .archive: "Offer an item no more, for good; its redemptions stay."
            }
        return Contract(
            operationID: "\(action.rawValue)CatalogItem", summary: summary, body: .emptyBody,
            answer: CatalogItemWire.schema)
    }
}

extension CatalogItemRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .availableUntilNotLater:
            .unprocessable(
                "until_not_later", "available_until must be later than available_from.",
                at: "/available_until")
        case .archived: .conflict("item_archived", "An archived item does not change.")
        case .skuTaken: .conflict("sku_taken", "The sku names another item of the program.")
        }
    }
}
