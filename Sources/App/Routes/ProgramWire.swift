import HTTP
import JSON
import Model
import Programs
import Records

/// How a program looks on the wire.
enum ProgramWire {
    static let schema = Schema.named(
        "Program",
        .object(
            [
                .required("id", .id(ProgramID.self)), .required("object", .choice(["program"])),
                .required("name", .text(1...200)),
                .required("kind", .choice(Program.Kind.allCases.map(\.rawValue))),
                .required("status", .choice(Program.State.allCases.map(\.rawValue))),
                .required("currency", .currency),
                .required("hold_days", .integer(0...365)),
                .required(
                    "approval_threshold", .nullable(.money(from: 0)),
                    "Null for a participant's token, as is whatever else holds money back."),
                .required("destination_url", .nullable(.keptURL)),
                .required("fallback_url", .nullable(.keptURL)),
                .required("thank_you_url", .nullable(.keptURL)),
                .required("allowed_origins", .list(.text(8...300), count: 0...20)),
            ] + ProgramTermsWire.output + [
                .required(
                    "reward_target_in_reach", .nullable(.boolean),
                    "Whether a reward can be paid within service_levels.reward_target_days at "
                        + "all: false when hold_days alone are as long. Null without a target."),
                .required("metadata", .metadata, "Empty for a participant's token."),
                .required("version", .integer(1...Int64.max)),
                .required("created_at", .time), .required("updated_at", .time),
            ]))

    static let input = Schema.object(
        [
            .required("name", .text(1...200)),
            .optional(
                "kind", .choice(Program.Kind.allCases.map(\.rawValue)),
                "Who refers; customer unless told."),
            .required(
                "currency", .currency, "Of every reward of this program; fixed once activated."),
            .optional(
                "hold_days", .integer(0...365), "Days before a reward is approved; default 30."),
            .optional(
                "approval_threshold", .nullable(.money(from: 0)),
                "Rewards of this amount or more are reviewed; null: none is. A new program that "
                    + "does not say has 500 dollars in USD, none elsewhere."
            ),
            .optional(
                "destination_url", .nullable(.url), "Where links lead that name nothing else."),
            .optional(
                "fallback_url", .nullable(.url),
                "Where links lead that are off: disabled, expired, of a participant who is off, or "
                    + "of a program that has ended. Default destination_url."),
            .optional(
                "thank_you_url", .nullable(.url), "Where the form leads; default our own page."),
            .optional(
                "allowed_origins", .list(.origin, count: 0...20),
                "Pages that may post the referral form."),
            .optional("metadata", .metadata),
        ] + ProgramTermsWire.input)

    static let patch = input.asPatch

    static func json(_ program: Program, for caller: Principal) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(program, for: caller, &$0) }
        return json.bytes
    }

    /// A participant reads the terms that concern it, not how the operator checks and works.
    static func write(
        _ program: Program, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        let isOperator = caller.participant == nil
        let terms = program.terms.json.objectValue ?? [:]
        json.field("id", program.id.description)
        json.field("object", "program")
        json.field("name", program.name)
        json.field("kind", program.kind.rawValue)
        json.field("status", program.state.rawValue)
        json.field("currency", program.currency.code)
        json.field("hold_days", program.terms.holdDays)
        json.money("approval_threshold", isOperator ? threshold(program) : nil)
        json.field("destination_url", program.terms.destination?.text)
        json.field("fallback_url", program.terms.fallback?.text)
        json.field("thank_you_url", program.terms.thankYou?.text)
        json.field(
            "allowed_origins", JSONValue.array(program.terms.allowedOrigins.map { .string($0) }))
        for field in ProgramTermsWire.output {
            let isShown = isOperator || !ProgramTermsWire.internals.contains(field.name)
            json.field(field.name, isShown ? terms[field.name] ?? .null : .null)
        }
        json.field(
            "reward_target_in_reach",
            program.terms.serviceLevels.isTargetInReach(holdDays: program.terms.holdDays))
        json.field("metadata", JSONValue.object(isOperator ? program.metadata : [:]))
        json.field("version", program.version)
        json.field("created_at", program.createdAt.rfc3339)
        json.field("updated_at", program.updatedAt.rfc3339)
    }

    /// The members that the merge patch is applied to. A patch that names another currency and no
    /// threshold gets that currency's default.
    static func form(_ program: Program, patchedBy patch: Body) -> JSONValue {
        guard var form = program.terms.json.objectValue else { return [:] }
        form["name"] = .string(program.name)
        form["kind"] = .string(program.kind.rawValue)
        form["currency"] = .string(program.currency.code)
        form["approval_threshold"] = threshold(program).map(\.json) ?? .null
        if let currency = patch.currency("currency"), currency != program.currency {
            form["approval_threshold"] =
                ProgramRules.defaultThreshold(currency)
                .map { Money(amount: $0, currency: currency).json } ?? .null
        }
        form["metadata"] = .object(program.metadata)
        return .object(form)
    }

    private static func threshold(_ program: Program) -> Money? {
        program.terms.approvalThreshold.map { Money(amount: $0, currency: program.currency) }
    }
}

/// A program as asked for: decoded, with the defaults filled in.
struct ProgramForm: Sendable {
    let name: String
    let kind: Program.Kind
    let currency: Currency
    let terms: ProgramTerms
    let metadata: JSONObject

    /// `isNew`: what is left out has its default. The form of a program that there is says all of
    /// it, so that a threshold which is not there was taken away.
    init(_ body: Body, isNew: Bool) throws {
        name = try body.requiredText("name")
        kind = body.text("kind").flatMap { Program.Kind(rawValue: $0) } ?? .customer
        currency = try body.required("currency", body.currency("currency"))
        metadata = body.metadata
        let threshold = body.money("approval_threshold")
        let origins = body.texts("allowed_origins") ?? []
        try ProgramRules.check(threshold: threshold, currency: currency, origins: origins)
        var terms = ProgramTerms(
            holdDays: body.integer("hold_days") ?? 30,
            approvalThreshold: isNew && !body.has("approval_threshold")
                ? ProgramRules.defaultThreshold(currency) : threshold?.amount,
            destination: body.url("destination_url"), fallback: body.url("fallback_url"),
            thankYou: body.url("thank_you_url"), allowedOrigins: origins)
        _ = try ProgramRules.timeZone(body.text("time_zone"))
        terms.readSections(ProgramForm.clocked(body.object, kind, isNew: isNew), for: kind)
        // A merge patch takes away what it says is null.
        if !isNew, !body.has("clawback_days") { terms.clawbackDays = nil }
        try ProgramRules.check(position: terms.attribution.position)
        try ProgramRules.check(schedule: terms.payouts.schedule)
        self.terms = terms
    }

    /// `object` with null for each clock that is off. A merge patch takes a member away by null,
    /// so in the form of a program that there is, a clock which is missing was switched off. In a
    /// new customer program nobody waits for a decision, unless it says so.
    private static func clocked(
        _ object: JSONObject, _ kind: Program.Kind, isNew: Bool
    ) -> JSONObject {
        let name = "service_levels"
        let given = object[name]?.objectValue
        guard isNew ? kind == .customer : given != nil else { return object }
        var levels = given ?? [:]
        for clock in ServiceLevelTerms.clocks where levels[clock] == nil {
            if isNew && clock == "reward_target_days" { continue }
            levels[clock] = .null
        }
        var object = object
        object[name] = .object(levels)
        return object
    }

    func program(id: ProgramID, at now: Instant) -> Program {
        Program(
            id: id, name: name, kind: kind, state: .draft, currency: currency, terms: terms,
            metadata: metadata, version: 1, createdAt: now, updatedAt: now)
    }

    func changing(_ old: Program, at now: Instant) -> Program {
        var program = old
        program.name = name
        program.kind = kind
        program.currency = currency
        program.terms = terms
        program.metadata = metadata
        program.version += 1
        program.updatedAt = now
        return program
    }
}

/// One version of a program's or a reward rule's terms.
enum RuleVersionWire {
    static let schema = Schema.named(
        "RuleVersion",
        .object([
            .required("object", .choice(["rule_version"])),
            .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("actor", .text(1...64)),
            .required("rules", .anything),
        ]))

    static func write(_ version: RuleVersionStore.RuleVersion, _ json: inout JSONObjectWriter) {
        json.field("object", "rule_version")
        json.field("version", version.version)
        json.field("created_at", version.createdAt.rfc3339)
        json.field("actor", version.actor)
        json.raw("rules", Array(version.body.utf8))
    }
}
