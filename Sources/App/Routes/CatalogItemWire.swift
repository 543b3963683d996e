import JSON
import Model
import RewardLedger

/// How an item of the catalogue looks on the wire.
enum CatalogItemWire {
    static let schema = Schema.named(
        "CatalogItem",
        .object(
            [
                .required("id", .id(CatalogItemID.self)),
                .required("object", .choice(["catalog_item"])),
                .required("program_id", .id(ProgramID.self)),
                .required("status", .choice(CatalogItem.State.allCases.map(\.rawValue))),
            ] + members.map { .required($0.name, $0.schema.asAnswered, $0.about) } + [
                .required("version", .integer(1...Int64.max)), .required("created_at", .time),
                .required("updated_at", .time),
            ]))

    static let kind = Schema.choice(CatalogItem.Kind.allCases.map(\.rawValue))
    static let category = Schema.text(1...60)
    static let sku = Schema.key(1...100)

    private static let members: [Field] = [
        .required("sku", sku, "Your own name for it, unique in the program."),
        .required("name", .text(1...200)),
        .optional("description", .nullable(.prose(1...2000))),
        .optional(
            "category", .nullable(category),
            "A word of yours; usual are groceries, subscriptions, dining, gadgets, travel, "
                + "learning, entertainment, fitness, charity."),
        .required("kind", kind), .required("points", .integer(1...1_000_000_000), "The price."),
        .optional("value", .nullable(.money(from: 1)), "What it is worth, in any currency."),
        .optional("vendor", .nullable(.text(1...200)), "From whom it comes; not for tokens."),
        .optional(
            "countries", .nullable(.list(ProgramTermsWire.country, count: 1...250)),
            "Where it can be given; null: everywhere."),
        .optional(
            "stock", .nullable(.integer(0...1_000_000_000)),
            "How many are left: each redemption takes one. null: as many as are wanted."),
        .optional("available_from", .nullable(.time)),
        .optional("available_until", .nullable(.time), "The first instant after it."),
        .optional("metadata", .metadata, "Not for tokens."),
    ]

    static let input = Schema.object(
        [.required("program_id", .id(ProgramID.self))] + members)

    /// What can be changed: everything but the program.
    static let changeable = Schema.object(members)

    static func json(_ item: CatalogItem, isOperator: Bool) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(item, isOperator: isOperator, &$0) }
        return json.bytes
    }

    static func write(
        _ item: CatalogItem, isOperator: Bool, _ json: inout JSONObjectWriter
    ) {
        var form = form(item).objectValue ?? [:]
        if !isOperator {
            form["vendor"] = .null
            form["metadata"] = [:]
        }
        json.field("id", item.id)
        json.field("object", "catalog_item")
        json.field("program_id", item.program)
        json.field("status", item.state.rawValue)
        for field in members { json.field(field.name, form[field.name] ?? .null) }
        json.field("version", item.version)
        json.field("created_at", item.createdAt)
        json.field("updated_at", item.updatedAt)
    }

    /// The item as its input would be, for merge patches.
    static func form(_ item: CatalogItem) -> JSONValue {
        let terms = item.terms
        var form: JSONObject = [
            "sku": .string(terms.sku), "name": .string(terms.name),
            "kind": .string(terms.kind.rawValue), "points": .integer(terms.points),
            "metadata": .object(terms.metadata),
        ]
        form["description"] = terms.description.map { .string($0) }
        form["category"] = terms.category.map { .string($0) }
        form["value"] = terms.value?.json
        form["vendor"] = terms.vendor.map { .string($0) }
        form["countries"] = terms.countries.map { .array($0.map { .string($0.code) }) }
        form["stock"] = terms.stock.map { .integer($0) }
        form["available_from"] = terms.availableFrom.map { .string($0.rfc3339) }
        form["available_until"] = terms.availableUntil.map { .string($0.rfc3339) }
        return .object(form)
    }

    static func terms(_ body: Body) throws -> CatalogItem.Terms {
        CatalogItem.Terms(
            sku: try body.requiredText("sku"), name: try body.requiredText("name"),
            description: body.text("description"), category: body.text("category"),
            kind: try body.required(
                "kind", body.text("kind").flatMap { CatalogItem.Kind(rawValue: $0) }),
            points: try body.requiredInteger("points"), value: body.money("value"),
            vendor: body.text("vendor"),
            countries: body.texts("countries")?.compactMap { CountryCode($0) },
            stock: body.integer("stock"), availableFrom: body.time("available_from"),
            availableUntil: body.time("available_until"), metadata: body.metadata)
    }

    static func wish(_ body: Body) throws -> KeepCatalogItem.Wish {
        KeepCatalogItem.Wish(
            program: try body.required("program_id", body.id("program_id")),
            terms: try terms(body))
    }
}
