import JSON
import Model
import RewardLedger

/// How a campaign looks on the wire.
enum CampaignWire {
    static let schema = Schema.named(
        "Campaign",
        .object(
            [
                .required("id", .id(CampaignID.self)), .required("object", .choice(["campaign"])),
                .required("program_id", .id(ProgramID.self)),
                .required("status", .choice(Campaign.State.allCases.map(\.rawValue))),
            ] + members.map { .required($0.name, $0.schema.asAnswered, $0.about) } + [
                .required(
                    "used", .nullable(.integer(0...1_000_000)),
                    "With first: referrals that have a place."),
                .required("version", .integer(1...Int64.max)), .required("created_at", .time),
                .required("updated_at", .time),
            ]))

    private static let members: [Field] = [
        .required("name", .text(1...200)),
        .required(
            "starts_at", .dayOrTime,
            "Referrals that came in from this time or day on take part; a day of the program's "
                + "time_zone."),
        .required(
            "ends_at", .dayOrTime, "The first instant after it, or the last day that is part of it."
        ),
        .optional(
            "multiplier_basis_points", .nullable(.integer(1...1_000_000)),
            "What rules give, times this, over 10000: 20000 double it; 10000 at least."),
        .optional(
            "override_amount", .nullable(.money(from: 1)),
            "Or this instead of what rules give, be that less or more."),
        .optional(
            "industries", .list(.text(1...100), count: 0...50), "Of these only; empty: of all."),
        .optional(
            "countries", .list(ProgramTermsWire.country, count: 0...50),
            "Of these only; empty: of all."),
        .optional(
            "products", .list(.text(1...100), count: 0...50),
            "For sales of these only, as their product says; empty: for all, and for leads."),
        .optional(
            "first", .nullable(.integer(1...1_000_000)),
            "For so many referrals, in the order in which they first earn something by it; null: "
                + "for all. A referral is a customer with its leads and sales."),
        .optional(
            "reward_rule_ids", .list(.id(RewardRuleID.self), count: 0...50),
            "For what these rules give; empty: for what all give."),
        .optional("metadata", .metadata),
    ]

    static let input = Schema.object(members)

    static func json(_ campaign: Campaign, used: Int64?) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(campaign, used: used, &$0) }
        return json.bytes
    }

    static func write(_ campaign: Campaign, used: Int64?, _ json: inout JSONObjectWriter) {
        json.field("id", campaign.id)
        json.field("object", "campaign")
        json.field("program_id", campaign.program)
        json.field("status", campaign.state.rawValue)
        let form = form(campaign).objectValue ?? [:]
        for field in members { json.field(field.name, form[field.name] ?? .null) }
        json.field("used", used)
        json.field("version", campaign.version)
        json.field("created_at", campaign.createdAt)
        json.field("updated_at", campaign.updatedAt)
    }

    /// The campaign as its input would be, for merge patches.
    static func form(_ campaign: Campaign) -> JSONValue {
        var form: JSONObject = [
            "name": .string(campaign.name), "starts_at": .string(campaign.startsAt.rfc3339),
            "ends_at": .string(campaign.endsAt.rfc3339),
            "industries": .array(campaign.industries.map { .string($0) }),
            "countries": .array(campaign.countries.map { .string($0) }),
            "products": .array(campaign.products.map { .string($0) }),
            "first": campaign.first.map { .integer($0) } ?? .null,
            "reward_rule_ids": .array(campaign.rules.map { .string($0.description) }),
            "metadata": .object(campaign.metadata),
        ]
        switch campaign.effect {
        case .multiply(let points): form["multiplier_basis_points"] = .integer(points)
        case .override(let money): form["override_amount"] = money.json
        }
        return .object(form)
    }
}

/// A campaign as asked for.
struct CampaignForm: Sendable {
    let name: String
    let startsAt: Instant
    let endsAt: Instant
    let effect: Campaign.Effect
    let industries: [String]
    let countries: [String]
    let products: [String]
    let first: Int64?
    let rules: [RewardRuleID]
    let metadata: JSONObject

    init(_ asked: Body, in zone: TimeZone) throws {
        let body = asked.timed(in: zone, starts: ["starts_at"], ends: ["ends_at"])
        name = try body.requiredText("name")
        startsAt = try body.required("starts_at", body.time("starts_at"))
        endsAt = try body.required("ends_at", body.time("ends_at"))
        effect = try CampaignRules.effect(
            multiplier: body.integer("multiplier_basis_points"),
            override: body.money("override_amount"))
        industries = body.texts("industries") ?? []
        countries = (body.texts("countries") ?? []).map { $0.uppercased() }
        products = body.texts("products") ?? []
        first = body.integer("first")
        rules = (body.texts("reward_rule_ids") ?? []).compactMap { RewardRuleID($0) }
        metadata = body.metadata
    }

    func campaign(id: CampaignID, in program: ProgramID, at now: Instant) -> Campaign {
        Campaign(
            id: id, program: program, name: name, startsAt: startsAt, endsAt: endsAt,
            effect: effect, industries: industries, countries: countries, products: products,
            first: first, rules: rules, metadata: metadata, createdAt: now, updatedAt: now)
    }

    func changing(_ old: Campaign, at now: Instant) -> Campaign {
        Campaign(
            id: old.id, program: old.program, name: name, state: old.state, startsAt: startsAt,
            endsAt: endsAt, effect: effect, industries: industries, countries: countries,
            products: products, first: first, rules: rules, metadata: metadata,
            version: old.version + 1, createdAt: old.createdAt, updatedAt: now)
    }
}
