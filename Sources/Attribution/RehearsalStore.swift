import Database
import JSON
import Model

/// All SQL of rehearsals.
public enum RehearsalStore {
    private static let columns: StaticString = """
        SELECT id, program_id, state, change, period_from, period_to, program_version, conversions,
            processed, result, reason, activate_at, version, created_at, updated_at,
            reward_rules
        FROM rehearsals
        """

    public static func find(_ id: RehearsalID, _ reader: Reader) throws -> Rehearsal? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: rehearsal)
    }

    /// The one that is to be computed next, the oldest; nil when there is none.
    public static func next(_ reader: Reader) throws -> Rehearsal? {
        var query = Query(columns)
        query.append(" WHERE state IN ('queued', 'running') ORDER BY seq LIMIT 1")
        return try reader.first(query, map: rehearsal)
    }

    public static func countOpen(_ reader: Reader) throws -> Int64 {
        try reader.integer(
            "SELECT count(*) FROM rehearsals WHERE state IN ('queued', 'running')") ?? 0
    }

    public static func sequence(of id: RehearsalID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM rehearsals WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, program: ProgramID, _ reader: Reader
    ) throws -> Page<Rehearsal> {
        var query = Query(columns)
        query.append(" WHERE program_id = ?", program)
        return try reader.page(query, request, map: rehearsal)
    }

    public static func insert(_ rehearsal: Rehearsal, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO rehearsals (
                id, program_id, state, change, period_from, period_to, program_version,
                conversions, processed, version, created_at, updated_at, reward_rules)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, rehearsal.id, rehearsal.program, rehearsal.state.rawValue, rehearsal.change.text,
            rehearsal.period.lowerBound, rehearsal.period.upperBound, rehearsal.programVersion,
            rehearsal.conversions, rehearsal.processed, rehearsal.version, rehearsal.createdAt,
            rehearsal.updatedAt, rehearsal.rewardRules.map(json))
    }

    /// Writes what may change.
    public static func update(_ rehearsal: Rehearsal, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE rehearsals SET state = ?, conversions = ?, processed = ?, result = ?, reason = ?,
                activate_at = ?, version = ?, updated_at = ?
            WHERE id = ?
            """, rehearsal.state.rawValue, rehearsal.conversions, rehearsal.processed,
            rehearsal.result?.text, rehearsal.reason, rehearsal.activateAt, rehearsal.version,
            rehearsal.updatedAt, rehearsal.id)
    }

    /// Conversions of a program that occurred in `period`.
    public static func count(
        in program: ProgramID, _ period: Range<Instant>, _ reader: Reader
    ) throws -> Int64 {
        try reader.integer(
            """
            SELECT count(*) FROM conversions
            WHERE program_id = ? AND occurred_at >= ? AND occurred_at < ?
            """, program, period.lowerBound, period.upperBound) ?? 0
    }

    /// The next conversions of a walk through `period`, by time and sequence, after `place`.
    public static func slice(
        in program: ProgramID, _ period: Range<Instant>, after place: (Instant, Int64)?,
        limit: Int, _ reader: Reader
    ) throws -> [(id: ConversionID, place: (Instant, Int64))] {
        let (start, sequence) = place ?? (period.lowerBound, -1)
        return try reader.all(
            """
            SELECT id, occurred_at, seq FROM conversions
            WHERE program_id = ? AND (occurred_at, seq) > (?, ?) AND occurred_at < ?
            ORDER BY occurred_at, seq LIMIT ?
            """, program, start, sequence, period.upperBound, Int64(limit)
        ) { row in try (row.id(0), (row.instant(1), row.int64(2))) }
    }

    private static func json(_ rules: [RewardRuleID: Int64]) -> String {
        var object = JSONObject()
        for (id, version) in rules.sorted(by: { $0.key.description < $1.key.description }) {
            object[id.description] = .integer(version)
        }
        return JSONValue.object(object).text
    }

    private static func rewardRules(_ text: String) throws -> [RewardRuleID: Int64] {
        var rules: [RewardRuleID: Int64] = [:]
        for (name, version) in try JSONValue.parse(Array(text.utf8)).objectValue ?? [:] {
            if let id = RewardRuleID(name) { rules[id] = version.integerValue }
        }
        return rules
    }

    private static func rehearsal(_ row: Row) throws -> Rehearsal {
        guard let state = try Rehearsal.State(rawValue: row.text(2)) else {
            throw DatabaseFault(operation: "read a rehearsal", code: DatabaseFault.corrupt)
        }
        let start = try row.instant(4)
        return try Rehearsal(
            id: row.id(0), program: row.id(1), state: state,
            change: JSONValue.parse(Array(row.text(3).utf8)),
            period: start..<max(start, row.instant(5)), programVersion: row.int64(6),
            rewardRules: row.optionalText(15).map(rewardRules),
            conversions: row.int64(7), processed: row.int64(8),
            result: row.optionalText(9).map { try JSONValue.parse(Array($0.utf8)) },
            reason: row.optionalText(10), activateAt: row.optionalInstant(11),
            version: row.int64(12), createdAt: row.instant(13), updatedAt: row.instant(14))
    }
}
