import Attribution
import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// `/v1/customers` and `/v1/customer_merges`: who buys, and which of them are one person.
enum CustomerRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/customers"
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .key(.read), .read(get), reading)
        routes.add(.post, base + "/bulk", .key(.write), .write(keepMany), bulk)
        routes.add(.post, base + "/{id}/merge", .key(.write), .write(merge), merging)
        routes.add(.get, base + "/{id}/merges", .key(.read), .read(merges), history)
        routes.add(
            .get, "/v1/customer_merges/{id}", .key(.read), .read(getMerge), mergeReading)
        routes.add(
            .post, "/v1/customer_merges/{id}/undo", .key(.write), .write(undo), undoing)
    }

    // MARK: - Handlers

    private static func keepMany(_ call: Call) throws -> WriteStep {
        let items = try BulkRequest.items(call, KnownCustomer.schema) { try KnownCustomer($0) }
        return { tx in
            let results = try BulkRequest.run(items, call) { try $0.keep(tx) }
            return .object(
                BulkWire.json(results, call, status: { $0 == .created ? 201 : 200 }) {
                    $1.field("outcome", $0.rawValue)
                })
        }
    }

    private static func merge(_ call: Call) throws -> WriteStep {
        let id: CustomerID = try call.id()
        let other: CustomerID = try call.body.required("customer_id", call.body.id("customer_id"))
        let reason = try call.body.requiredText("reason")
        return { tx in
            let kept = try find(id, tx)
            guard let merged = try CustomerStore.find(other, tx) else {
                throw Refused(.unknownReference("/customer_id"))
            }
            let merge = try MergeCustomers.run(
                kept, merged, .operator, reason: reason, actor: call.principal.actor, tx)
            return .created(
                CustomerMergeWire.json(merge), at: "/v1/customer_merges/\(merge.id)")
        }
    }

    private static func undo(_ call: Call) throws -> WriteStep {
        let id: CustomerMergeID = try call.id()
        let reason = try call.body.requiredText("reason")
        return { tx in
            let merge = try findMerge(id, tx)
            return .object(
                CustomerMergeWire.json(
                    try MergeCustomers.undo(
                        merge, reason: reason, actor: call.principal.actor, tx)))
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let customer = try find(call.id(), reader)
        let person = try CustomerStore.person(customer.id, reader)
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            CustomerWire.write(customer, &object)
            object.array("person") { list in
                for member in person { list.element(member.id.description) }
            }
        }
        return .object(json.bytes)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { try CustomerStore.sequence(of: $0, reader) }
        let page = try CustomerStore.page(
            window.page, program: call.queryID("program_id"),
            externalID: call.query["external_id"],
            email: call.query["email"].flatMap { EmailAddress($0)?.normalized }, reader)
        return .list(page, call, id: { $0.id.description }) { customer, data in
            data.object { CustomerWire.write(customer, &$0) }
        }
    }

    private static func merges(_ call: Call, _ reader: Reader) throws -> Response {
        let merges = try CustomerStore.merges(
            of: find(call.id(), reader).id, limit: Response.wholeMax + 1, reader)
        return .whole(merges, call) { merge, data in
            data.object { CustomerMergeWire.write(merge, &$0) }
        }
    }

    private static func getMerge(_ call: Call, _ reader: Reader) throws -> Response {
        .object(CustomerMergeWire.json(try findMerge(call.id(), reader)))
    }

    private static func find(_ id: CustomerID, _ reader: Reader) throws -> Customer {
        guard let customer = try CustomerStore.find(id, reader) else { throw Refused(.notFound()) }
        return customer
    }

    private static func findMerge(
        _ id: CustomerMergeID, _ reader: Reader
    ) throws -> CustomerMerge {
        guard let merge = try CustomerStore.merge(id, reader) else { throw Refused(.notFound()) }
        return merge
    }

    // MARK: - Contracts

    private static let listing = Contract(
        operationID: "listCustomers", summary: "Customers, newest first.",
        query: ListRequest.fields(of: CustomerID.self) + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("external_id", .key(1...200)), .optional("email", .email),
        ], answer: .page(of: CustomerWire.schema))

    private static let reading = Contract(
        operationID: "getCustomer", summary: "One customer, and all who are the same person.",
        answer: CustomerWire.detailed)

    private static let bulk = Contract(
        operationID: "upsertKnownCustomers",
        summary: "Load up to 100 customers that you know: a sale to somebody who was one before a "
            + "participant first reached it is a returning customer's. Each has its own result, or "
            + "with atomic all or none. Of each, a keyed hash is kept alone.",
        body: BulkRequest.schema(of: KnownCustomer.schema),
        answer: BulkWire.schema(
            "KnownCustomerBulkResult",
            [
                .optional(
                    "outcome",
                    .choice(KnownCustomerStore.Outcome.allCases.map(\.rawValue)))
            ]))

    private static let merging = Contract(
        operationID: "mergeCustomers",
        summary: "Two customers are one person: later sales see the touches of both. Results that "
            + "are there stay; ask for a new decision where one is wanted.",
        body: .object([
            .required("customer_id", .id(CustomerID.self), "Who is the same person."),
            .required("reason", .prose(1...500)),
        ]), success: 201, answer: CustomerMergeWire.schema,
        refusals: [
            CustomerRefusal.otherProgram.problem, CustomerRefusal.alreadyOne.problem,
            CustomerRefusal.tooMany.problem,
        ])

    private static let history = Contract(
        operationID: "listCustomerMerges",
        summary: "The merges that a customer was part of, newest first, at most 100.",
        answer: .page(of: CustomerMergeWire.schema))

    private static let mergeReading = Contract(
        operationID: "getCustomerMerge", summary: "One merge.", answer: CustomerMergeWire.schema)

    private static let undoing = Contract(
        operationID: "undoCustomerMerge",
        summary:
            "The two are not one person: known apart again. No request that names both joins them "
            + "any more; a person can.",
        body: .object([.required("reason", .prose(1...500))]), answer: CustomerMergeWire.schema,
        refusals: [CustomerRefusal.alreadyUndone.problem])
}

/// How a customer looks on the wire. The address itself is the lead's and not shown here.
enum CustomerWire {
    static let schema = Schema.named("Customer", .object(fields))

    static let detailed = Schema.named(
        "CustomerDetail",
        .object(
            fields + [
                .required(
                    "person", .list(.id(CustomerID.self), count: 1...CustomerRules.membersMax),
                    "All customers that are this person, who speaks for them first.")
            ]))

    private static let fields: [Field] = [
        .required("id", .id(CustomerID.self)), .required("object", .choice(["customer"])),
        .required("program_id", .id(ProgramID.self)),
        .required("external_id", .nullable(.text(1...200))),
        .required("email", .nullable(.text(1...320)), "Normalised."),
        .required(
            "merged_into", .nullable(.id(CustomerID.self)), "Who this one was found to be."),
        .required("created_at", .time),
    ]

    static func write(_ customer: Customer, _ json: inout JSONObjectWriter) {
        json.field("id", customer.id.description)
        json.field("object", "customer")
        json.field("program_id", customer.program.description)
        json.field("external_id", customer.externalID)
        json.field("email", customer.emailKey)
        json.field("merged_into", customer.mergedInto)
        json.field("created_at", customer.createdAt.rfc3339)
    }
}

/// How a sale or a touch tells of its customer.
extension NamedCustomer {
    static let schema = Schema.object([
        .optional("external_id", .key(1...200), "Your own id of the customer."),
        .optional(
            "email", .prose(0...1000),
            "An address. If it is empty or none and the customer has another name, it is ignored."),
        .optional(
            "phone", .text(1...40),
            "With a plus sign and the country's code; another is not compared. \(keyed)"),
        .optional(
            "payment_account", .text(1...200),
            "Where it pays from: an IBAN, an address, a token. \(keyed)"),
        .optional("device_id", DeviceWire.schema, "What it buys with. \(DeviceWire.about)"),
    ])

    private static let keyed = "Kept as a keyed hash, to find out who refers himself."

    /// `isNamedOtherwise`: a lead says who it is. Throws 422 if all that names the customer is no
    /// address.
    init(_ body: Body?, isNamedOtherwise: Bool = false) throws {
        let typed = body?.text("email")
        let isNone = typed != nil && body?.email("email") == nil
        if isNone, !isNamedOtherwise, body?.text("external_id") == nil {
            throw Refused(
                .unprocessable(
                    "customer_required",
                    "customer.email must be an address such as ada@example.com, or an external_id "
                        + "must name the customer.", at: "/customer/email"))
        }
        self.init(
            externalID: body?.text("external_id"), email: body?.email("email"),
            traces: [
                body?.text("phone").flatMap { PhoneNumber($0, country: nil) }
                    .map { .phone($0) },
                body?.text("payment_account").flatMap { PaymentAccount($0) }
                    .map { .account($0) },
                DeviceWire.trace(body),
            ].compactMap { $0 })
        guard isNone, let typed else { return }
        let isEmpty = NaturalKey.trimmed(typed).isEmpty
        ignored = [IgnoredHint(.customerEmail, typed, isEmpty ? .empty : .malformed)]
    }
}

/// How a merge looks on the wire.
enum CustomerMergeWire {
    static let schema = Schema.named(
        "CustomerMerge",
        .object([
            .required("id", .id(CustomerMergeID.self)),
            .required("object", .choice(["customer_merge"])),
            .required("program_id", .id(ProgramID.self)),
            .required("kept_id", .id(CustomerID.self), "Who speaks for both."),
            .required("merged_id", .id(CustomerID.self)),
            .required("cause", .choice(CustomerMerge.Cause.allCases.map(\.rawValue))),
            .required("because", .text(1...300)),
            .required("reason", .nullable(.prose(1...500))),
            .required("actor", .text(1...64)), .required("created_at", .time),
            .required("undone_at", .nullable(.time)),
            .required("undone_by", .nullable(.text(1...64))),
            .required("undone_reason", .nullable(.prose(1...500))),
        ]))

    static func json(_ merge: CustomerMerge) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(merge, &$0) }
        return json.bytes
    }

    static func write(_ merge: CustomerMerge, _ json: inout JSONObjectWriter) {
        json.field("id", merge.id.description)
        json.field("object", "customer_merge")
        json.field("program_id", merge.program.description)
        json.field("kept_id", merge.kept.description)
        json.field("merged_id", merge.merged.description)
        json.field("cause", merge.cause.rawValue)
        json.field("because", because(merge.cause))
        json.field("reason", merge.reason)
        json.field("actor", merge.actor)
        json.field("created_at", merge.createdAt.rfc3339)
        json.field("undone_at", merge.undone?.at.rfc3339)
        json.field("undone_by", merge.undone?.by)
        json.field("undone_reason", merge.undone?.reason)
    }

    private static func because(_ cause: CustomerMerge.Cause) -> String {
        switch cause {
        case .namedTogether: "A request named the id of one and the e-mail of the other."
        case .lead: "A sale named one as its customer and a lead of the other."
        case .operator: "A person said so."
        }
    }
}

extension CustomerRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .otherProgram:
            .conflict("program_differs", "The customers belong to two programs.")
        case .alreadyOne: .conflict("already_merged", "The customers are one person already.")
        case .tooMany:
            .conflict(
                "too_many_merged",
                "One person is at most \(CustomerRules.membersMax) customers.")
        case .alreadyUndone: .conflict("already_undone", "The merge was undone before.")
        }
    }
}
