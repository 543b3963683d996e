import Attribution
import Database
import HTTP
import JSON
import Model
import Programs
import Records
import RewardLedger

/// What a rehearsal changes in a program: a part of its attribution, rules of reward, or both.
struct RehearsalChange: Sendable {
    enum RuleChange: Sendable {
        case add(RewardRuleForm)
        case replace(RewardRuleID, RewardRuleForm)
        case archive(RewardRuleID)
    }

    let attribution: JSONObject?
    let rules: [RuleChange]

    static let input: [Field] = [
        .optional(
            "attribution", ProgramTermsWire.attribution, "Laid over the program's, as by a PATCH."),
        .optional(
            "reward_rules",
            .list(
                .object([
                    .optional(
                        "rule_id", .id(RewardRuleID.self), "Which rule changes; none: a new one."),
                    .optional("archive", .boolean, "Whether it ends; needs nothing else then."),
                    .optional(
                        "rule", RewardRuleWire.input, "The whole rule, as POST reward_rules."),
                ]), count: 0...20)),
    ]

    init(_ body: Body) throws {
        attribution = body.object["attribution"]?.objectValue
        let list = body.object["reward_rules"]?.arrayValue ?? []
        rules = try list.enumerated().map { index, value in
            let item = Body(value.objectValue ?? [:])
            let id: RewardRuleID? = item.id("rule_id")
            if item.flag("archive") == true, let id { return .archive(id) }
            guard let rule = item.nested("rule") else {
                throw Refused(
                    Problem(
                        status: 422, code: "rule_required",
                        detail: "A rule that does not end is given whole.",
                        errors: [
                            FieldError(
                                pointer: "/reward_rules/\(index)/rule", code: "required",
                                detail: "is missing")
                        ]))
            }
            let form = try RewardRuleForm(rule)
            return id.map { .replace($0, form) } ?? .add(form)
        }
        guard attribution != nil || !rules.isEmpty else { throw Refused(Self.nothing) }
    }

    static let nothing = Problem.unprocessable(
        "nothing_changed", "Name an attribution or reward_rules that would be different.")

    /// The program's attribution with the change laid over it.
    func terms(_ program: Program) throws -> AttributionTerms {
        guard let attribution else { return program.terms.attribution }
        let merged = program.terms.attribution.json.merging(.object(attribution))
        let terms = AttributionTerms(json: merged.objectValue)
        try ProgramRules.check(position: terms.position)
        return terms
    }

    /// The program's active rules with the change laid over them; refuses what names no rule of
    /// the program, and terms that do not fit it.
    func rules(_ program: Program, _ reader: Reader) throws -> [RewardRule] {
        var rules = try RewardRuleStore.active(in: program.id, reader)
        for (index, change) in self.rules.enumerated() {
            func place(_ id: RewardRuleID) throws -> Int {
                guard let place = rules.firstIndex(where: { $0.id == id }) else {
                    throw Refused(.unknownReference("/reward_rules/\(index)/rule_id"))
                }
                return place
            }
            switch change {
            case .add(let form):
                // It has no identity before it is activated.
                let id = RewardRuleID(high: 0, low: UInt64(index))
                rules.append(try form.rule(id: id, in: program, at: program.updatedAt))
            case .replace(let id, let form):
                let place = try place(id)
                rules[place] = try form.changing(
                    rules[place], in: program, at: rules[place].updatedAt)
            case .archive(let id): rules.remove(at: try place(id))
            }
        }
        try RewardRuleRules.checkCount(Int64(rules.count) - 1)
        return rules
    }

    /// The program's active rules, each with its version: what a change is laid over.
    static func activeVersions(
        in program: ProgramID, _ reader: Reader
    ) throws -> [RewardRuleID: Int64] {
        let rules = try RewardRuleStore.active(in: program, reader)
        return Dictionary(rules.map { ($0.id, $0.version) }) { first, _ in first }
    }

    /// Carries the change out. Refuses as the routes of programs and rules do.
    func activate(_ program: Program, actor: String, _ tx: Transaction) throws {
        // What it would be is checked as a whole before anything is written.
        _ = try rules(program, tx)
        let terms = try terms(program)
        if terms != program.terms.attribution {
            var changed = program
            changed.terms.attribution = terms
            changed.version += 1
            changed.updatedAt = tx.now
            try ProgramStore.update(changed, actor: actor, tx)
            try tell("program.updated", program.id, program.id, changed.version, actor, tx)
        }
        for change in rules {
            var rule: RewardRule
            let event: String
            switch change {
            case .add(let form):
                rule = try form.rule(id: tx.makeID(), in: program, at: tx.now)
                try RewardRuleStore.insert(rule, actor: actor, tx)
                event = "reward_rule.created"
            case .replace(let id, let form):
                rule = try form.changing(find(id, tx), in: program, at: tx.now)
                try RewardRuleStore.update(rule, actor: actor, tx)
                event = "reward_rule.updated"
            case .archive(let id):
                rule = try find(id, tx)
                rule.state = try rule.state.moved(by: .archive)
                rule.version += 1
                rule.updatedAt = tx.now
                try RewardRuleStore.update(rule, actor: actor, tx)
                event = "reward_rule.archived"
            }
            try tell(event, rule.id, program.id, rule.version, actor, tx)
        }
    }

    private func find(_ id: RewardRuleID, _ tx: Transaction) throws -> RewardRule {
        guard let rule = try RewardRuleStore.find(id, tx) else {
            throw Refused(.unknownReference("/reward_rules"))
        }
        return rule
    }

    private func tell<Kind>(
        _ event: String, _ id: Identifier<Kind>, _ program: ProgramID, _ version: Int64,
        _ actor: String, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                event, id, program: program, actor: actor, reason: "rehearsal",
                data: ["version": .integer(version)]), tx)
    }
}
