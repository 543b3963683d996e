import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// `/v1/accounts`: the companies that the operator knows, most often from its CRM.
enum AccountRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/accounts"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.post, base + "/bulk", .key(.write), .write(keepMany), bulk)
        routes.add(.get, base, .key(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .key(.read), .read(get), reading)
        routes.add(.patch, base + "/{id}", .key(.write), .write(update), change)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let wish = try AccountWire.wish(call.body)
        return { tx in
            let (account, outcome) = try KeepAccount.run(wish, actor: call.principal.actor, tx)
            guard outcome == .created else {
                return .object(AccountWire.json(account), version: account.version)
            }
            return .created(
                AccountWire.json(account), at: "/v1/accounts/\(account.id)",
                version: account.version)
        }
    }

    private static func keepMany(_ call: Call) throws -> WriteStep {
        let wishes = try BulkRequest.items(call, AccountWire.input) { try AccountWire.wish($0) }
        return { tx in
            let results = try BulkRequest.run(wishes, call) { wish in
                try KeepAccount.run(wish, actor: call.principal.actor, tx)
            }
            return .object(
                BulkWire.json(
                    results, call, status: { $0.outcome == .created ? 201 : 200 }
                ) { kept, json in
                    json.field("id", kept.account.id.description)
                    json.field("outcome", kept.outcome.rawValue)
                })
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let id: AccountID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let wish = try AccountWire.wish(
                call.patched(AccountWire.form(old), by: AccountWire.input))
            var changed = old
            changed.externalID = wish.externalID
            changed.account = wish.account
            changed.relation = wish.relation
            changed.metadata = wish.metadata ?? [:]
            changed = changed.following(wish.customerSince, at: tx.now)
            let account = try KeepAccount.replace(
                old, by: changed, actor: call.principal.actor, tx)
            return .object(AccountWire.json(account), version: account.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let account = try find(call.id(), reader)
        return .object(AccountWire.json(account), version: account.version)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: AccountID) in
            try AccountStore.sequence(of: id, reader)
        }
        let page = try AccountStore.page(
            window.page,
            relation: call.query["relation"].flatMap { Account.Relation(rawValue: $0) },
            externalID: call.query["external_id"],
            domain: call.query["domain"].flatMap { DomainName(typed: $0) }, reader)
        return .list(page, call, id: { $0.id.description }) { account, data in
            data.object { AccountWire.write(account, &$0) }
        }
    }

    private static func find(_ id: AccountID, _ reader: Reader) throws -> Account {
        guard let account = try AccountStore.find(id, reader) else { throw Refused(.notFound()) }
        return account
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createAccount",
        summary: "Know a company. One that is known by its external_id, domain, or name and "
            + "country is changed instead (200).",
        body: AccountWire.input, success: 201, answer: AccountWire.schema,
        others: [(200, "Known already, and changed.")],
        refusals: Problem.examples(of: AccountRefusal.all))

    private static let bulk = Contract(
        operationID: "upsertAccounts",
        summary: "Know up to 100 companies; each has its own result, or with atomic all or none.",
        body: BulkRequest.schema(of: AccountWire.input),
        answer: BulkWire.schema(
            "AccountBulkResult",
            [
                .optional("id", .id(AccountID.self)),
                .optional("outcome", .choice(["created", "updated", "unchanged"])),
            ]))

    private static let reading = Contract(
        operationID: "getAccount", summary: "One company.", answer: AccountWire.schema)

    private static let listing = Contract(
        operationID: "listAccounts", summary: "Known companies, newest first.",
        query: ListRequest.fields(of: AccountID.self) + [
            .optional("relation", AccountWire.relation),
            .optional("external_id", .key(1...200)),
            .optional("domain", LeadWire.typedDomain, "Every spelling and sub-domain is found."),
        ], answer: .page(of: AccountWire.schema))

    private static let change = Contract(
        operationID: "updateAccount", summary: "Change a known company by JSON Merge Patch.",
        body: AccountWire.input.asPatch, bodyTypes: Contract.patchTypes,
        answer: AccountWire.schema, refusals: Problem.examples(of: AccountRefusal.all))
}

extension AccountRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notIdentifiable:
            .unprocessable(
                "account_not_identifiable",
                "Name the account's own domain, or its name and country.", at: "/domain")
        case .externalIDTaken:
            .conflict("external_id_taken", "The external_id names another account.")
        case .domainTaken:
            .conflict("domain_taken", "The domain is another account's.")
        }
    }
}
