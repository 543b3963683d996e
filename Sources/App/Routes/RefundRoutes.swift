import Attribution
import Database
import HTTP
import JSON
import Model
import Programs

/// `/v1/refunds`: what goes back to customers, by the sale's own name, and how it is reversed.
enum RefundRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/refunds"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.amend { $0.idempotency = .required }
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .key(.read), .read(get), reading)
        routes.add(.post, base + "/{id}/reverse", .key(.write), .write(reverse), reversing)
        routes.amend { $0.idempotency = .required }
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let program: ProgramID = try call.body.required(
            "program_id", call.body.id("program_id"))
        let sale = try call.body.requiredText("conversion_external_id")
        return step(try RefundWire.refund(.named(sale, in: program), call))
    }

    /// 201 for a refund that is new, 200 where nothing is other than before.
    static func step(_ refund: RefundConversion) -> WriteStep {
        return { tx in
            let outcome = try refund(tx)
            let json = RefundWire.json(outcome.refund, outcome.conversion)
            return outcome.isNew
                ? .created(json, at: "/v1/refunds/\(outcome.refund.id)") : .object(json)
        }
    }

    private static func reverse(_ call: Call) throws -> WriteStep {
        let body = call.body
        let reverse = ReverseRefund(
            refund: try call.id(), externalID: try body.requiredText("external_id"),
            kind: try body.required(
                "kind", body.text("kind").flatMap { Refund.Reversal.Kind(rawValue: $0) }),
            reason: body.text("reason"), actor: call.principal.actor)
        return { tx in
            let outcome = try reverse(tx)
            let json = RefundWire.json(outcome.refund, outcome.conversion)
            return outcome.isNew
                ? .created(json, at: "/v1/refunds/\(outcome.refund.id)") : .object(json)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        guard let refund = try RefundStore.find(try call.id(), reader) else {
            throw Refused(.notFound())
        }
        return .object(RefundWire.json(refund, try sale(of: refund, reader)))
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { try RefundStore.sequence(of: $0, reader) }
        var filter = RefundStore.Filter()
        filter.program = call.queryID("program_id")
        filter.conversion = call.queryID("conversion_id")
        filter.externalID = call.query["external_id"]
        filter.state = call.query["status"].flatMap { Refund.State(rawValue: $0) }
        let page = try RefundStore.page(window.page, filter, reader)
        var sales: [RefundID: Conversion] = [:]
        for refund in page.items {
            sales[refund.id] = try reader.readable { try sale(of: refund, reader) } ?? nil
        }
        return .list(page, call, id: { $0.id.description }) { refund, data in
            data.object { RefundWire.write(refund, sales[refund.id], &$0) }
        }
    }

    private static func sale(of refund: Refund, _ reader: Reader) throws -> Conversion? {
        try refund.conversion.flatMap { try ConversionStore.find($0, reader) }
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createRefund",
        summary: "Record a refund by the sale's external_id. If the sale has not come yet, the "
            + "refund is parked and applied when it comes.",
        body: RefundWire.namingInput, success: 201, answer: RefundWire.schema,
        others: [(200, RefundWire.unchanged)],
        refusals: Problem.examples(of: ConversionRefusal.parking))

    private static let listing = Contract(
        operationID: "listAllRefunds", summary: "Refunds, newest first.",
        query: ListRequest.fields(of: RefundID.self) + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("conversion_id", .id(ConversionID.self)),
            .optional("external_id", .key(1...200)),
            .optional(
                "status", .choice(Refund.State.allCases.map(\.rawValue)),
                "parked: those that wait for their sale."),
        ], answer: .page(of: RefundWire.schema))

    private static let reading = Contract(
        operationID: "getRefund", summary: "One refund.", answer: RefundWire.schema)

    private static let reversing = Contract(
        operationID: "reverseRefund",
        summary: "Reverse a refund for good: a won chargeback, an order that is paid after all, a "
            + "mistake. Rewards are what their rules give for the rest, also after a payout.",
        body: RefundWire.reversalInput, success: 201, answer: RefundWire.schema,
        others: [(200, "Reversed before, with the same content.")],
        refusals: Problem.examples(of: ConversionRefusal.reversing))
}
