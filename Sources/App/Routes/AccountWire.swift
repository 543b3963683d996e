import HTTP
import JSON
import LeadRegistration
import Model

/// How a known account looks on the wire.
enum AccountWire {
    static let schema = Schema.named(
        "Account",
        .object([
            .required("id", .id(AccountID.self)), .required("object", .choice(["account"])),
            .required("external_id", .nullable(.text(1...200))),
            .required("name", .nullable(.text(1...200))),
            .required("domain", .nullable(.text(3...253)), "As given, in ASCII."),
            .required("country", .nullable(ProgramTermsWire.country)),
            .required("relation", relation),
            .required(
                "customer_since", .nullable(.time), "Since when it is a customer; null: it is none."
            ),
            .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    static let input = Schema.object([
        .optional("external_id", .nullable(.key(1...200)), "Your CRM's id, unique."),
        .optional("name", .nullable(.text(1...200))),
        .optional("domain", .nullable(LeadWire.typedDomain)),
        .optional("country", .nullable(ProgramTermsWire.country)),
        .required("relation", relation, "customer and pipeline cannot be referred any more."),
        .optional(
            "customer_since", .nullable(.dayOrTime),
            "With relation customer: since when, or since which day of UTC, it is one. Default: "
                + "from the request on. A sale to somebody there "
                + "whom a participant reached before is to a new customer."),
        .optional("metadata", .metadata),
    ])

    static let relation = Schema.choice(Account.Relation.allCases.map(\.rawValue))

    static func json(_ account: Account) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(account, &$0) }
        return json.bytes
    }

    static func write(_ account: Account, _ json: inout JSONObjectWriter) {
        json.field("id", account.id.description)
        json.field("object", "account")
        json.field("external_id", account.externalID)
        json.field("name", account.account.name)
        json.field("domain", account.account.domain?.text)
        json.field("country", account.account.country?.code)
        json.field("relation", account.relation.rawValue)
        json.field("customer_since", account.customerSince)
        json.field("metadata", JSONValue.object(account.metadata))
        json.field("version", account.version)
        json.field("created_at", account.createdAt)
        json.field("updated_at", account.updatedAt)
    }

    static func form(_ account: Account) -> JSONValue {
        var form: JSONObject = [
            "relation": .string(account.relation.rawValue), "metadata": .object(account.metadata),
        ]
        form["customer_since"] = account.customerSince.map { .string($0.rfc3339) }
        form["external_id"] = account.externalID.map { .string($0) }
        form["name"] = account.account.name.map { .string($0) }
        form["domain"] = account.account.domain.map { .string($0.text) }
        form["country"] = account.account.country.map { .string($0.code) }
        return .object(form)
    }

    static func wish(_ body: Body) throws -> KeepAccount.Wish {
        KeepAccount.Wish(
            externalID: body.text("external_id"),
            account: AccountName(
                name: body.text("name"),
                domain: body.text("domain").flatMap { DomainName(typed: $0) },
                country: body.text("country").flatMap { CountryCode($0) }),
            relation: try body.required(
                "relation", body.text("relation").flatMap { Account.Relation(rawValue: $0) }),
            customerSince: body.moment("customer_since")?.start(in: .utc),
            metadata: body.nested("metadata")?.object)
    }
}
