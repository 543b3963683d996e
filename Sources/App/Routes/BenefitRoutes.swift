import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/benefits`: what was earned beside the journal, by participants and by referred customers.
enum BenefitRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/benefits"
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.post, base + "/{id}/approve", .key(.payouts), .write(approve), approving)
        routes.add(.post, base + "/{id}/fulfill", .key(.payouts), .write(fulfill), fulfilling)
        routes.add(.post, base + "/{id}/void", .key(.payouts), .write(void), voiding)
    }

    // MARK: - Handlers

    private static func approve(_ call: Call) throws -> WriteStep {
        let actor = call.principal.actor
        return try step(call) { benefit, tx in
            try SeparateDuties.check(
                benefit.id, of: benefit.owner.participant, in: benefit.program, call, tx
            ) { try SeparateDuties.checkApproval(benefit, by: actor, tx) }
            return try BenefitBook.approve(benefit, actor: actor, tx)
        }
    }

    private static func fulfill(_ call: Call) throws -> WriteStep {
        let reference = call.body.text("reference")
        return try step(call) {
            try BenefitBook.fulfill($0, reference: reference, actor: call.principal.actor, $1)
        }
    }

    private static func void(_ call: Call) throws -> WriteStep {
        let reason = try call.body.requiredText("reason")
        return try step(call) {
            try BenefitBook.void($0, .person, reason: reason, actor: call.principal.actor, $1)
        }
    }

    private static func step(
        _ call: Call, _ change: @escaping @Sendable (Benefit, Transaction) throws -> Benefit
    ) throws -> WriteStep {
        let id: BenefitID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let benefit = try change(old, tx)
            return .object(
                BenefitWire.json(benefit, for: call.principal), version: benefit.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let benefit = try find(call.id(), reader)
        try call.requireOwn(benefit.owner.participant)
        return .object(
            BenefitWire.json(benefit, for: call.principal), version: benefit.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: BenefitID) in
            guard let benefit = try BenefitStore.find(id, reader) else { return nil }
            if let own = call.participant, own != benefit.owner.participant { return nil }
            return try BenefitStore.sequence(of: id, reader)
        }
        var filter = BenefitStore.Filter()
        filter.state = call.query["status"]
        filter.kind = call.query["kind"]
        filter.participant = try call.ownParticipant("participant_id")
        filter.customer = call.queryID("customer_id")
        filter.program = call.queryID("program_id")
        filter.conversion = call.queryID("conversion_id")
        filter.lead = call.queryID("lead_id")
        let page = try BenefitStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { benefit, data in
            data.object { BenefitWire.write(benefit, for: call.principal, &$0) }
        }
    }

    private static func find(_ id: BenefitID, _ reader: Reader) throws -> Benefit {
        guard let benefit = try BenefitStore.find(id, reader) else { throw Refused(.notFound()) }
        return benefit
    }

    // MARK: - Contracts

    private static let listing = Contract(
        operationID: "listBenefits", summary: "Benefits, newest first.",
        query: ListRequest.fields(of: BenefitID.self) + [
            .optional("status", .choice(Benefit.State.allCases.map(\.rawValue))),
            .optional("kind", .choice(RewardRule.Kind.allCases.map(\.rawValue))),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("customer_id", .id(CustomerID.self)),
            .optional("program_id", .id(ProgramID.self)),
            .optional("conversion_id", .id(ConversionID.self)),
            .optional("lead_id", .id(LeadID.self)),
        ], answer: .page(of: BenefitWire.schema))

    private static let reading = Contract(
        operationID: "getBenefit", summary: "One benefit, and why it is what it is.",
        answer: BenefitWire.schema)

    private static let approving = Contract(
        operationID: "approveBenefit",
        summary: "Approve a benefit in review, or one on hold before its time.",
        body: .object([SeparateDuties.override]), answer: BenefitWire.schema,
        refusals: Problem.examples(of: [SeparateDuties.Refusal.recordedTheReward]))

    private static let fulfilling = Contract(
        operationID: "fulfillBenefit",
        summary: "Say that an approved benefit has been given: sent, booked or taken off a bill.",
        body: .object([.optional("reference", .nullable(.key(1...200)))]),
        answer: BenefitWire.schema)

    private static let voiding = Contract(
        operationID: "voidBenefit", summary: "Take back a benefit that has not been given.",
        body: .object([.required("reason", .prose(1...500))]), answer: BenefitWire.schema)
}

/// How a benefit looks on the wire.
enum BenefitWire {
    static let schema = Schema.named(
        "Benefit",
        .object([
            .required("id", .id(BenefitID.self)), .required("object", .choice(["benefit"])),
            .required("program_id", .id(ProgramID.self)),
            .required("recipient", .choice(RewardRule.Recipient.allCases.map(\.rawValue))),
            .required("participant_id", .nullable(.id(ParticipantID.self)), "Whose it is, or"),
            .required(
                "customer_id", .nullable(.id(CustomerID.self)), "the referred customer's."),
            .required("rule_id", .id(RewardRuleID.self)),
            .required("rule_version", .integer(1...Int64.max)),
            .required("trigger", .choice(RewardRule.TriggerName.ofRules.map(\.rawValue))),
            .required("kind", .choice(RewardRule.Kind.allCases.map(\.rawValue))),
            .required("lead_id", .nullable(.id(LeadID.self))),
            .required("conversion_id", .nullable(.id(ConversionID.self))),
            .required("status", .choice(Benefit.State.allCases.map(\.rawValue))),
            .required(
                "value", .nullable(.money(from: 1)),
                "What it is worth, where that is known, without what was refunded."),
            .required(
                "points", .nullable(.integer(1...Int64.max)), "Without what was refunded."),
            .required(
                "reversed_value", .nullable(.money(from: 0)), "What of its value was refunded."),
            .required("reversed_points", .nullable(.integer(0...Int64.max))),
            .required(
                "discount_basis_points", .nullable(.integer(1...10_000)),
                "Off the recipient's invoices, for as long as duration says."),
            .required(
                "duration", .nullable(.choice(DiscountDuration.names)),
                "For how long a discount in basis points is given."),
            .required(
                "duration_months", .nullable(.integer(1...120)), "With the duration months."),
            .required("description", .nullable(.text(1...300))),
            .required("basis", .anything, "Rule, inputs and arithmetic, as they were."),
            .required("reason", .nullable(.prose(0...500))),
            RewardWire.flags,
            .required("reference", .nullable(.text(1...200)), "By which it was given."),
            .required("hold_until", .time), .required("approved_at", .nullable(.time)),
            .required("fulfilled_at", .nullable(.time)),
            .required("version", .integer(1...Int64.max)), .required("created_at", .time),
            .required("updated_at", .time),
        ]))

    static func json(_ benefit: Benefit, for caller: Principal) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(benefit, for: caller, &$0) }
        return json.bytes
    }

    static func write(
        _ benefit: Benefit, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        let recipient: RewardRule.Recipient =
            benefit.owner.customer == nil ? .referrer : .referee
        json.field("id", benefit.id)
        json.field("object", "benefit")
        json.field("program_id", benefit.program)
        json.field("recipient", recipient.rawValue)
        json.field("participant_id", benefit.owner.participant)
        json.field("customer_id", benefit.owner.customer)
        json.field("rule_id", benefit.rule)
        json.field("rule_version", benefit.ruleVersion)
        json.field("trigger", benefit.trigger.rawValue)
        json.field("kind", benefit.kind.rawValue)
        json.field("lead_id", benefit.lead)
        json.field("conversion_id", benefit.conversion)
        json.field("status", benefit.state.rawValue)
        json.money("value", benefit.due.value)
        json.field("points", benefit.due.points)
        json.money(
            "reversed_value",
            benefit.offer.value.map {
                Money(amount: benefit.reversedValue, currency: $0.currency)
            })
        json.field("reversed_points", benefit.offer.points.map { _ in benefit.reversedPoints })
        json.field("discount_basis_points", benefit.offer.discount)
        json.field("duration", benefit.offer.duration?.name)
        json.field("duration_months", benefit.offer.duration?.months)
        json.field("description", benefit.offer.description)
        json.field("basis", RewardBasisWire.json(benefit.basis, for: caller))
        json.field("reason", benefit.reason)
        json.field("flags", JSONValue.array(benefit.flags.map(\.json)))
        json.field("reference", benefit.reference)
        json.field("hold_until", benefit.holdUntil)
        json.field("approved_at", benefit.approvedAt)
        json.field("fulfilled_at", benefit.fulfilledAt)
        json.field("version", benefit.version)
        json.field("created_at", benefit.createdAt)
        json.field("updated_at", benefit.updatedAt)
    }
}
