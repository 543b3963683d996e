import JSON
import Model
import Programs
import RewardLedger

/// How a reward rule looks on the wire.
enum RewardRuleWire {
    static let schema = Schema.named(
        "RewardRule",
        .object([
            .required("id", .id(RewardRuleID.self)), .required("object", .choice(["reward_rule"])),
            .required("program_id", .id(ProgramID.self)),
            .required("name", .nullable(.text(1...100))),
            .required("status", .choice(RewardRule.State.allCases.map(\.rawValue))),
            .required("trigger", trigger), .required("recipient", recipient),
            .required("kind", kind), .required("amount", .nullable(.money(from: 1))),
            .required("basis_points", .nullable(.integer(1...10_000))),
            .required("max_amount", .nullable(.money(from: 1))),
            .required("conversion_kinds", .nullable(kinds)), .required("metadata", .metadata),
            .required("version", .integer(1...Int64.max)), .required("created_at", .time),
            .required("updated_at", .time),
        ]))

    private static let trigger = Schema.choice(RewardRule.TriggerName.allCases.map(\.rawValue))
    private static let recipient = Schema.choice(RewardRule.Recipient.allCases.map(\.rawValue))
    private static let kind = Schema.choice(RewardRule.Kind.allCases.map(\.rawValue))
    private static let kinds = Schema.list(.text(1...40), count: 1...10)

    static let input = Schema.object([
        .optional("name", .nullable(.text(1...100))),
        .required("trigger", trigger, "What earns the reward."),
        .optional("recipient", recipient, "referrer unless told."),
        .optional("kind", kind, "cash unless told."),
        .optional(
            "amount", .nullable(.money(from: 1)), "A flat amount, in the program's currency."),
        .optional(
            "basis_points", .nullable(.integer(1...10_000)),
            "Or hundredths of a percent of the credited amount; 1000 are 10 %."),
        .optional("max_amount", .nullable(.money(from: 1)), "With basis_points: never more."),
        .optional(
            "conversion_kinds", .nullable(kinds),
            "With the trigger conversion: for these kinds only."),
        .optional("metadata", .metadata),
    ])

    static func json(_ rule: RewardRule) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(rule, &$0) }
        return json.bytes
    }

    static func write(_ rule: RewardRule, _ json: inout JSONObjectWriter) {
        json.field("id", rule.id)
        json.field("object", "reward_rule")
        json.field("program_id", rule.program)
        json.field("name", rule.name)
        json.field("status", rule.state.rawValue)
        json.field("trigger", rule.terms.trigger.rawValue)
        json.field("recipient", rule.terms.recipient.rawValue)
        json.field("kind", rule.terms.kind.rawValue)
        json.money("amount", rule.terms.rate.flat)
        json.field("basis_points", rule.terms.rate.basisPoints)
        json.money("max_amount", rule.terms.rate.maximum)
        json.field(
            "conversion_kinds",
            rule.terms.conversionKinds.map { JSONValue.array($0.map { .string($0) }) })
        json.field("metadata", JSONValue.object(rule.metadata))
        json.field("version", rule.version)
        json.field("created_at", rule.createdAt)
        json.field("updated_at", rule.updatedAt)
    }

    /// The rule as its input would be, for merge patches.
    static func form(_ rule: RewardRule) -> JSONValue {
        var form: JSONObject = [
            "trigger": .string(rule.terms.trigger.rawValue),
            "recipient": .string(rule.terms.recipient.rawValue),
            "kind": .string(rule.terms.kind.rawValue),
            "metadata": .object(rule.metadata),
        ]
        form["name"] = rule.name.map { .string($0) }
        form["amount"] = rule.terms.rate.flat?.json
        form["basis_points"] = rule.terms.rate.basisPoints.map { .integer($0) }
        form["max_amount"] = rule.terms.rate.maximum?.json
        form["conversion_kinds"] = rule.terms.conversionKinds.map {
            .array($0.map { .string($0) })
        }
        return .object(form)
    }
}

extension RewardTerms.Rate {
    var flat: Money? { if case .flat(let money) = self { money } else { nil } }

    var basisPoints: Int64? {
        if case .basisPoints(let points, _) = self { points } else { nil }
    }

    var maximum: Money? { if case .basisPoints(_, let most) = self { most } else { nil } }
}

/// A reward rule as asked for, with the defaults filled in.
struct RewardRuleForm: Sendable {
    let name: String?
    let terms: RewardTerms
    let metadata: JSONObject

    init(_ body: Body) throws {
        name = body.text("name")
        metadata = body.metadata
        terms = RewardTerms(
            trigger: try body.required(
                "trigger", body.text("trigger").flatMap { RewardRule.TriggerName(rawValue: $0) }),
            recipient: body.text("recipient").flatMap { RewardRule.Recipient(rawValue: $0) }
                ?? .referrer,
            kind: body.text("kind").flatMap { RewardRule.Kind(rawValue: $0) } ?? .cash,
            rate: try RewardRuleRules.rate(
                amount: body.money("amount"), basisPoints: body.integer("basis_points"),
                atMost: body.money("max_amount")),
            conversionKinds: body.texts("conversion_kinds"))
    }

    func rule(id: RewardRuleID, in program: Program, at now: Instant) throws -> RewardRule {
        try RewardRuleRules.check(terms, currency: program.currency)
        return RewardRule(
            id: id, program: program.id, name: name, state: .active, terms: terms,
            metadata: metadata, version: 1, createdAt: now, updatedAt: now)
    }

    func changing(_ old: RewardRule, in program: Program, at now: Instant) throws -> RewardRule {
        try RewardRuleRules.checkMayChange(old.state)
        try RewardRuleRules.check(terms, currency: program.currency)
        var rule = old
        rule.name = name
        rule.terms = terms
        rule.metadata = metadata
        rule.version += 1
        rule.updatedAt = now
        return rule
    }
}
