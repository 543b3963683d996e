import Database
import JSON
import Model
import Records

/// All SQL of programs.
public enum ProgramStore {
    public static func find(_ id: ProgramID, _ reader: Reader) throws -> Program? {
        try reader.first(
            """
            SELECT id, name, kind, state, currency, rules, metadata, version, created_at, updated_at
            FROM programs WHERE id = ?
            """, id, map: program)
    }

    /// As `find`, from the writer's memory when nothing was changed.
    public static func recall(_ id: ProgramID, _ tx: Transaction) throws -> Program? {
        try tx.remembering(id) { try find(id, tx) }
    }

    public static func sequence(of id: ProgramID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM programs WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, state: String?, only program: ProgramID?, _ reader: Reader
    ) throws -> Page<Program> {
        var query = Query(
            """
            SELECT id, name, kind, state, currency, rules, metadata, version, created_at, updated_at
            FROM programs WHERE 1 = 1
            """)
        if let state { query.append(" AND state = ?", state) }
        if let program { query.append(" AND id = ?", program) }
        return try reader.page(query, request, map: self.program)
    }

    /// The names of all programs' time zones; read once, at the start.
    public static func timeZones(_ reader: Reader) throws -> [String] {
        try reader.all(
            "SELECT DISTINCT json_extract(rules, '$.time_zone') FROM programs"
        ) { try $0.text(0) }
    }

    public static func insert(_ program: Program, actor: String, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO programs (
                id, name, kind, state, currency, rules, metadata, version, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, program.id, program.name, program.kind.rawValue, program.state.rawValue,
            program.currency.code, program.terms.json.text, JSONValue.object(program.metadata).text,
            program.version, program.createdAt, program.updatedAt)
        try keepVersion(program, actor: actor, tx)
    }

    /// Writes every changed column and keeps the new version.
    public static func update(_ program: Program, actor: String, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE programs SET name = ?, kind = ?, state = ?, currency = ?, rules = ?,
                metadata = ?,
                version = ?, updated_at = ?
            WHERE id = ?
            """, program.name, program.kind.rawValue, program.state.rawValue, program.currency.code,
            program.terms.json.text, JSONValue.object(program.metadata).text, program.version,
            program.updatedAt, program.id)
        try keepVersion(program, actor: actor, tx)
    }

    /// A version of the program's terms; nil when it is not kept.
    public static func version(
        _ version: Int64, of id: ProgramID, _ reader: Reader
    ) throws -> ProgramVersion? {
        try RuleVersionStore.find(id, version: version, reader).flatMap { try self.version($0) }
    }

    /// The version of the program's terms that was in force at `instant`; nil before the first.
    public static func version(
        of id: ProgramID, at instant: Instant, _ reader: Reader
    ) throws -> ProgramVersion? {
        try RuleVersionStore.inForce(id, at: instant, reader).flatMap { try version($0) }
    }

    private static func version(
        _ kept: RuleVersionStore.RuleVersion
    ) throws -> ProgramVersion? {
        try ProgramVersion(json: JSONValue.parse(Array(kept.body.utf8)))
    }

    private static func keepVersion(
        _ program: Program, actor: String, _ tx: Transaction
    ) throws {
        let kept = ProgramVersion(
            program, by: actor, after: try version(program.version - 1, of: program.id, tx))
        try RuleVersionStore.append(
            program.id, version: program.version, actor: actor, body: kept.json.text, tx)
        tx.markConfigurationChanged()
    }

    private static func program(_ row: Row) throws -> Program {
        guard let kind = try Program.Kind(rawValue: row.text(2)),
            let state = try Program.State(rawValue: row.text(3)),
            let currency = try Currency(stored: row.text(4)),
            let terms = try ProgramTerms(json: JSONValue.parse(Array(row.text(5).utf8))),
            let metadata = try JSONValue.parse(Array(row.text(6).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a program", code: DatabaseFault.corrupt) }
        return try Program(
            id: row.id(0), name: row.text(1), kind: kind, state: state, currency: currency,
            terms: terms, metadata: metadata, version: row.int64(7), createdAt: row.instant(8),
            updatedAt: row.instant(9))
    }
}
