import Database
import JSON
import Model
import Records

/// All SQL of reward rules.
public enum RewardRuleStore {
    public static func find(_ id: RewardRuleID, _ reader: Reader) throws -> RewardRule? {
        try reader.first(
            """
            SELECT id, program_id, name, state, terms, metadata, version, created_at, updated_at
            FROM reward_rules WHERE id = ?
            """, id, map: rule)
    }

    public static func isAny(in program: ProgramID, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT 1 FROM reward_rules WHERE program_id = ? LIMIT 1", program)
            != nil
    }

    public static func sequence(of id: RewardRuleID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM reward_rules WHERE id = ?", id)
    }

    /// The program's rules that are in force for `trigger`, oldest first.
    static func active(
        in program: ProgramID, for trigger: RewardRule.Trigger, _ reader: Reader
    ) throws -> [RewardRule] {
        var query = Query(
            """
            SELECT id, program_id, name, state, terms, metadata, version, created_at, updated_at
            FROM reward_rules WHERE program_id = ? AND state = 'active' AND trigger_name IN
            """, program)
        query.appendList(trigger.names.map(\.rawValue))
        query.append(" ORDER BY seq")
        return try reader.all(query, map: rule).filter { RewardRuleRules.applies($0, to: trigger) }
    }

    /// Whether a rule of the program is in force for `trigger`.
    public static func isAwaited(
        _ trigger: RewardRule.Trigger, in program: ProgramID, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM reward_rules
            WHERE program_id = ? AND state = 'active' AND trigger_name = ? LIMIT 1
            """, program, trigger.name.rawValue) != nil
    }

    /// The program's active rules, oldest first.
    public static func active(in program: ProgramID, _ reader: Reader) throws -> [RewardRule] {
        try reader.all(
            """
            SELECT id, program_id, name, state, terms, metadata, version, created_at, updated_at
            FROM reward_rules WHERE program_id = ? AND state = 'active' ORDER BY seq
            """, program, map: rule)
    }

    /// The program's rules that ever waited for a milestone and still do, oldest first.
    static func milestones(in program: ProgramID, _ reader: Reader) throws -> [RewardRule] {
        try reader.all(
            """
            SELECT id, program_id, name, state, terms, metadata, version, created_at, updated_at
            FROM reward_rules WHERE program_id = ? AND trigger_name = 'milestone' ORDER BY seq
            """, program, map: rule)
    }

    /// The program's rules as they were in force for `trigger` at `instant`, oldest first: what a
    /// sale that was recorded then promised. `granted` has the versions that gave rewards for it:
    /// a rule may have changed at the very same instant, and then they alone tell the order.
    public static func inForce(
        in program: ProgramID, for trigger: RewardRule.Trigger, at instant: Instant,
        granted: [RewardRuleID: Int64] = [:], _ reader: Reader
    ) throws -> [RewardRule] {
        let rules = try reader.all(
            """
            SELECT id, program_id, name, state, terms, metadata, version, created_at, updated_at
            FROM reward_rules WHERE program_id = ? ORDER BY seq
            """, program, map: rule)
        return try rules.compactMap { now in
            let kept =
                try granted[now.id].map { try RuleVersionStore.find(now.id, version: $0, reader) }
                ?? RuleVersionStore.inForce(now.id, at: instant, reader)
            guard let kept else { return nil }
            // A rule in force would be among those that granted.
            if !granted.isEmpty, granted[now.id] == nil, kept.createdAt == instant { return nil }
            let body = try JSONValue.parse(Array(kept.body.utf8))
            guard let terms = RewardTerms(json: body),
                let state = body.objectValue?["state"]?.stringValue.flatMap({
                    RewardRule.State(rawValue: $0)
                })
            else {
                throw DatabaseFault(operation: "read a rule's version", code: DatabaseFault.corrupt)
            }
            var then = now
            then.terms = terms
            then.state = state
            then.version = kept.version
            return state == .active && RewardRuleRules.applies(then, to: trigger) ? then : nil
        }
    }

    public static func countActive(in program: ProgramID, _ reader: Reader) throws -> Int64 {
        try reader.integer(
            "SELECT count(*) FROM reward_rules WHERE program_id = ? AND state = 'active'", program)
            ?? 0
    }

    public static func page(
        _ request: PageRequest, program: ProgramID, state: String?, _ reader: Reader
    ) throws -> Page<RewardRule> {
        var query = Query(
            """
            SELECT id, program_id, name, state, terms, metadata, version, created_at, updated_at
            FROM reward_rules WHERE program_id = ?
            """, program)
        if let state { query.append(" AND state = ?", state) }
        return try reader.page(query, request, map: rule)
    }

    public static func insert(_ rule: RewardRule, actor: String, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO reward_rules (
                id, program_id, name, state, trigger_name, terms, metadata, version, created_at,
                updated_at, lineage_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                coalesce((SELECT lineage_id FROM reward_rules WHERE id = ?), ?))
            """, rule.id, rule.program, rule.name, rule.state.rawValue,
            rule.terms.trigger.rawValue, rule.terms.json.text,
            JSONValue.object(rule.metadata).text, rule.version, rule.createdAt, rule.updatedAt,
            rule.terms.replaces, rule.id)
        try keepVersion(rule, actor: actor, tx)
    }

    public static func update(_ rule: RewardRule, actor: String, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE reward_rules SET name = ?, state = ?, trigger_name = ?, terms = ?, metadata = ?,
                version = ?, updated_at = ?
            WHERE id = ?
            """, rule.name, rule.state.rawValue, rule.terms.trigger.rawValue,
            rule.terms.json.text, JSONValue.object(rule.metadata).text, rule.version,
            rule.updatedAt, rule.id)
        try keepVersion(rule, actor: actor, tx)
    }

    private static func keepVersion(_ rule: RewardRule, actor: String, _ tx: Transaction) throws {
        guard var body = rule.terms.json.objectValue else { return }
        body["state"] = .string(rule.state.rawValue)
        try RuleVersionStore.append(
            rule.id, version: rule.version, actor: actor, body: JSONValue.object(body).text, tx)
    }

    private static func rule(_ row: Row) throws -> RewardRule {
        guard let state = try RewardRule.State(rawValue: row.text(3)),
            let terms = try RewardTerms(json: JSONValue.parse(Array(row.text(4).utf8))),
            let metadata = try JSONValue.parse(Array(row.text(5).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a reward rule", code: DatabaseFault.corrupt) }
        return try RewardRule(
            id: row.id(0), program: row.id(1), name: row.optionalText(2), state: state,
            terms: terms, metadata: metadata, version: row.int64(6), createdAt: row.instant(7),
            updatedAt: row.instant(8))
    }
}
