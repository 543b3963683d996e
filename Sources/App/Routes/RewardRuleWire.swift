import JSON
import Model
import Programs
import RewardLedger

/// How a reward rule looks on the wire.
enum RewardRuleWire {
    static let schema = Schema.named(
        "RewardRule",
        .object(
            [
                .required("id", .id(RewardRuleID.self)),
                .required("object", .choice(["reward_rule"])),
                .required("program_id", .id(ProgramID.self)),
                .required("name", .nullable(.text(1...100))),
                .required("status", .choice(RewardRule.State.allCases.map(\.rawValue))),
                .required("trigger", trigger), .required("recipient", recipient),
                .required("kind", kind),
            ] + rates.map { .required($0.name, $0.schema, $0.about) } + [
                .required("tiers", .nullable(tiers.whole)),
                .required("conversion_kinds", .nullable(kinds)),
            ] + (filters + conditions).map { .required($0.name, $0.schema, $0.about) } + [
                .required("limits", ProgramTermsWire.limits.whole),
                .optional(
                    "warnings", .list(warning, count: 0...5),
                    "What may not be meant; in the answer to a change alone."),
                .required(
                    "used", .nullable(.integer(0...1_000_000)),
                    "With first: referrals that have a place."),
                .required("metadata", .metadata),
                .required("version", .integer(1...Int64.max)), .required("created_at", .time),
                .required("updated_at", .time),
            ]))

    private static let warning = Schema.named(
        "RewardRuleWarning",
        .object([
            .required("code", .choice(RewardRuleWarning.allCases.map(\.rawValue))),
            .required("detail", .text(1...300)),
        ]))

    private static let trigger = Schema.choice(RewardRule.TriggerName.ofRules.map(\.rawValue))
    private static let recipient = Schema.choice(RewardRule.Recipient.allCases.map(\.rawValue))
    private static let kind = Schema.choice(RewardRule.Kind.allCases.map(\.rawValue))
    private static let kinds = Schema.list(.text(1...40), count: 1...10)
    private static let counts = Schema.choice(ReferralCount.Event.allCases.map(\.rawValue))

    private static let rates: [Field] = [
        .optional(
            "amount", .nullable(.money(from: 1)), "A flat amount, in the program's currency."),
        .optional(
            "basis_points", .nullable(.integer(1...10_000)),
            "Or hundredths of a percent of the credited amount; 1000 are 10 %."),
        .optional(
            "min_amount", .nullable(.money(from: 1)),
            "With basis_points: never less, of an amount that is not zero."),
        .optional("max_amount", .nullable(.money(from: 1)), "With basis_points: never more."),
    ]

    private static let tiers = Schema.object([
        .optional(
            "counts", counts, "Which referrals of the participant count; default qualified."),
        .optional(
            "period",
            .choice([RewardTiers.allTime] + CalendarPeriod.Length.allCases.map(\.rawValue)),
            "Since when, in calendar periods in the program's time_zone; default all_time."),
        .optional(
            "evaluated_at", .choice(RewardTiers.Moment.allCases.map(\.rawValue)),
            "event: the tier when the reward is earned; submission: when the referral came in. "
                + "Default event. The referral that is rewarded counts."),
        .optional(
            "retroactive", .boolean,
            "Whether the first reward of a tier brings what the earlier ones lack; default false."),
        .required(
            "levels",
            .list(level, count: 1...20),
            "In rising order; below the first nothing is given."),
    ])

    /// One tier.
    static let level = Schema.object(
        [
            .optional("name", .nullable(.text(1...100))),
            .required("from", .integer(1...1_000_000), "So many referrals."),
        ] + rates)

    private static let filters: [Field] = [
        .optional(
            "participant_kinds",
            .nullable(.list(.choice(Participant.Kind.allCases.map(\.rawValue)), count: 1...6)),
            "For participants of these kinds only."),
        .optional(
            "segments", .nullable(.list(.text(1...100), count: 1...50)),
            "For participants of these segments only."),
        .optional(
            "products", .nullable(.list(.text(1...100), count: 1...50)),
            "For sales of these only, as their product says."),
        .optional(
            "first", .nullable(.integer(1...1_000_000)),
            "To so many referrals, in the order in which they first earn something by it; null: to "
                + "all. A referral is a customer with its leads and sales."),
        .optional(
            "first_months", .nullable(.integer(1...120)),
            "For sales within so many months from the customer's first credited one only."),
        .optional(
            "milestone",
            .nullable(
                .object([
                    .required("counts", counts), .required("at", .integer(1...1_000_000)),
                ])),
            "With the trigger milestone: once, when so many referrals have counted."),
        .optional(
            "points", .nullable(.integer(1...1_000_000_000)), "With the kind points: how many."),
        .optional(
            "discount_basis_points", .nullable(.integer(1...10_000)),
            "With the kind discount, instead of an amount: off the recipient's invoices."),
        .optional(
            "duration", .nullable(.choice(DiscountDuration.names)),
            "For how long a discount in basis points is given: once (the next invoice, the "
                + "default), months (with duration_months), forever."),
        .optional(
            "duration_months", .nullable(.integer(1...120)),
            "A discount for so many months; duration is then months."),
        .optional(
            "value", .nullable(.money(from: 1)), "With the kind perk: what it is worth."),
        .optional(
            "max_discount_basis_points", .nullable(.integer(1...10_000)),
            "What the recipient's open discounts may add up to; default all."),
        .optional(
            "description", .nullable(.text(1...300)),
            "What a perk is, to whom a donation goes, where a gift card is good."),
        .optional(
            "choices",
            .nullable(.list(.choice(RewardRule.Kind.choosable.map(\.rawValue)), count: 2...4)),
            "With the kind choice: what the referrer may choose among."),
        .optional(
            "choose_within_days", .nullable(.integer(1...365)),
            "With the kind choice: so many days after its approval the first of choices is taken; "
                + "else the reward waits."),
    ]

    /// How often, for whom and from when on; what a request leaves out follows from the program.
    private static let conditions: [Field] = [
        .optional(
            "once_per",
            .nullable(.choice(RewardTerms.OncePer.allCases.map(\.rawValue))),
            "occasion: for each lead or sale. customer: once for each referred customer, under all "
                + "ids of it, whoever earns it; free again when it was wholly taken back. Default "
                + "customer for what the customer gets and for flat amounts on signup, purchase, "
                + "conversion and, in customer and employee programs, leads; else occasion. A "
                + "milestone has none."),
        .optional(
            "customers",
            .nullable(.choice(RewardTerms.Customers.allCases.map(\.rawValue))),
            "new: for those whom nothing had made a customer before a participant first reached "
                + "them; returning: for the others. Default new in customer programs, else any."),
        .optional(
            "min_sale", .nullable(.money(from: 1)),
            "Smaller sales give nothing, as they were recorded."),
        .optional(
            "hold_days", .nullable(.integer(0...365)),
            "Days before what it gives is approved; null: as the program says."),
        .optional(
            "replaces", .nullable(.id(RewardRuleID.self)),
            "A rule whose place it takes: what that one gave once for a customer is given. Said "
                + "when the rule is made."),
    ]

    static let input = Schema.object(
        [
            .optional("name", .nullable(.text(1...100))),
            .required("trigger", trigger, "What earns the reward."),
            .optional("recipient", recipient, "referrer unless told."),
            .optional(
                "kind", kind,
                "cash unless told. cash, account_credit, choice and points to a referrer are "
                    + "rewards, everything else is a benefit."),
        ] + rates + [
            .optional("tiers", .nullable(tiers), "Or rates by the participant's referrals."),
            .optional(
                "conversion_kinds", .nullable(kinds),
                "With the trigger conversion: for these kinds only."),
        ] + filters + conditions + [
            .optional(
                "limits", ProgramTermsWire.limits,
                "The most that the rule gives to a participant or for a referred customer: in "
                    + "minor units, in points, or in pieces of what has no value; what is beyond "
                    + "is cut."),
            .optional("metadata", .metadata),
        ])

    static func json(
        _ rule: RewardRule, used: Int64?, warnings: [RewardRuleWarning] = []
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            write(rule, used: used, &object)
            guard !warnings.isEmpty else { return }
            object.array("warnings") { list in
                for warning in warnings {
                    list.object {
                        $0.field("code", warning.rawValue)
                        $0.field("detail", warning.detail)
                    }
                }
            }
        }
        return json.bytes
    }

    static func write(_ rule: RewardRule, used: Int64?, _ json: inout JSONObjectWriter) {
        let terms = rule.terms.json.objectValue ?? [:]
        json.field("id", rule.id)
        json.field("object", "reward_rule")
        json.field("program_id", rule.program)
        json.field("name", rule.name)
        json.field("status", rule.state.rawValue)
        for name in ["trigger", "recipient", "kind"] { json.field(name, terms[name] ?? .null) }
        for field in rates { json.field(field.name, terms[field.name] ?? .null) }
        json.field("tiers", rule.terms.tiers.map { whole($0) } ?? .null)
        json.field("conversion_kinds", terms["conversion_kinds"] ?? .null)
        for field in filters + conditions { json.field(field.name, terms[field.name] ?? .null) }
        json.field("limits", rule.terms.limits.json)
        json.field("used", used)
        json.field("metadata", JSONValue.object(rule.metadata))
        json.field("version", rule.version)
        json.field("created_at", rule.createdAt)
        json.field("updated_at", rule.updatedAt)
    }

    /// With every member of every level.
    private static func whole(_ tiers: RewardTiers) -> JSONValue {
        guard var object = tiers.json.objectValue else { return .null }
        object["levels"] = .array(tiers.levels.map { json($0) })
        return .object(object)
    }

    /// With every member.
    static func json(_ level: RewardTiers.Level) -> JSONValue {
        var object = level.json.objectValue ?? [:]
        for field in rates where object[field.name] == nil { object[field.name] = .null }
        return .object(object)
    }

    /// The rule as its input would be, for merge patches.
    static func form(_ rule: RewardRule) -> JSONValue {
        guard var form = rule.terms.json.objectValue else { return [:] }
        form["metadata"] = .object(rule.metadata)
        form["name"] = rule.name.map { .string($0) }
        return .object(form)
    }
}

/// What of a rule may not be meant.
enum RewardRuleWarning: String, CaseIterable {
    case noMinSale = "no_min_sale"
    case replacedIsActive = "replaced_is_active"

    var detail: String {
        switch self {
        case .noMinSale:
            "It gives the same for a sale of one cent as for any other; min_sale sets the least."
        case .replacedIsActive:
            "The rule that it replaces is active too; archive it, or both give."
        }
    }
}

/// A reward rule as asked for, with the defaults filled in.
struct RewardRuleForm: Sendable {
    let name: String?
    let terms: RewardTerms
    let metadata: JSONObject

    init(_ body: Body) throws {
        name = body.text("name")
        metadata = body.metadata
        let kind = body.text("kind").flatMap { RewardRule.Kind(rawValue: $0) } ?? .cash
        let gift = try RewardRuleForm.gift(body)
        var terms = RewardTerms(
            trigger: try body.required(
                "trigger", body.text("trigger").flatMap { RewardRule.TriggerName(rawValue: $0) }),
            recipient: body.text("recipient").flatMap { RewardRule.Recipient(rawValue: $0) }
                ?? .referrer,
            kind: kind,
            rate: try RewardRuleForm.rate(
                body,
                isElsewhere: body.nested("tiers") != nil || kind == .points || kind == .perk
                    || gift.discount != nil),
            conversionKinds: body.texts("conversion_kinds"))
        terms.tiers = try body.nested("tiers").map { try RewardRuleForm.tiers($0) }
        terms.participantKinds = body.texts("participant_kinds")
        terms.segments = body.texts("segments")
        terms.products = body.texts("products")
        terms.first = body.integer("first")
        terms.firstMonths = body.integer("first_months")
        terms.milestone = body.nested("milestone").flatMap { stone in
            guard let at = stone.integer("at"),
                let counts = stone.text("counts").flatMap({ ReferralCount.Event(rawValue: $0) })
            else { return nil }
            return RewardTerms.Milestone(counts: counts, at: at)
        }
        terms.oncePer = body.text("once_per").flatMap { RewardTerms.OncePer(rawValue: $0) }
        terms.customers = body.text("customers").flatMap { RewardTerms.Customers(rawValue: $0) }
        terms.minSale = body.money("min_sale")
        terms.holdDays = body.integer("hold_days")
        terms.replaces = body.id("replaces")
        terms.limits = RewardLimits(json: body.nested("limits")?.object)
        terms.gift = gift
        terms.choice = RewardChoice(
            kinds: (body.texts("choices") ?? []).compactMap { RewardRule.Kind(rawValue: $0) },
            withinDays: body.integer("choose_within_days"))
        self.terms = terms
    }

    private static func gift(_ body: Body) throws -> RewardTerms.Gift {
        let (name, months) = (body.text("duration"), body.integer("duration_months"))
        let duration = DiscountDuration(name: name, months: months)
        if duration == nil, name != nil || months != nil {
            throw RewardRuleRefusal.durationMisplaced
        }
        return RewardTerms.Gift(
            points: body.integer("points"), discount: body.integer("discount_basis_points"),
            discountMost: body.integer("max_discount_basis_points"), duration: duration,
            description: body.text("description"), value: body.money("value"))
    }

    private static func rate(_ body: Body, isElsewhere: Bool) throws -> RewardTerms.Rate? {
        try RewardRuleRules.rate(
            amount: body.money("amount"), basisPoints: body.integer("basis_points"),
            atLeast: body.money("min_amount"), atMost: body.money("max_amount"),
            isElsewhere: isElsewhere)
    }

    private static func tiers(_ body: Body) throws -> RewardTiers {
        let levels = body.object["levels"]?.arrayValue ?? []
        return RewardTiers(
            counts: body.text("counts").flatMap { ReferralCount.Event(rawValue: $0) }
                ?? .qualified,
            period: body.text("period").flatMap { CalendarPeriod.Length(rawValue: $0) },
            moment: body.text("evaluated_at").flatMap { RewardTiers.Moment(rawValue: $0) }
                ?? .event,
            isRetroactive: body.flag("retroactive") ?? false,
            levels: try levels.compactMap { value in
                let level = Body(value.objectValue ?? [:])
                guard let rate = try rate(level, isElsewhere: false) else { return nil }
                return RewardTiers.Level(
                    name: level.text("name"), from: try level.requiredInteger("from"), rate: rate)
            })
    }

    func rule(id: RewardRuleID, in program: Program, at now: Instant) throws -> RewardRule {
        let terms = try completed(in: program)
        return RewardRule(
            id: id, program: program.id, name: name, state: .active, terms: terms,
            metadata: metadata, version: 1, createdAt: now, updatedAt: now)
    }

    private func completed(in program: Program) throws -> RewardTerms {
        try RewardRuleRules.check(terms, currency: program.currency)
        return terms.completed(
            in: RewardTerms.Audience(rawValue: program.kind.rawValue) ?? .customer)
    }

    func changing(_ old: RewardRule, in program: Program, at now: Instant) throws -> RewardRule {
        try RewardRuleRules.checkMayChange(old.state)
        try RewardRuleRules.checkReplaces(terms, as: old.terms)
        let terms = try completed(in: program)
        var rule = old
        rule.name = name
        rule.terms = terms
        rule.metadata = metadata
        rule.version += 1
        rule.updatedAt = now
        return rule
    }
}
