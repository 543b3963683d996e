import CSQLite

/// A read-only view of one connection, confined to one thread. Statements are literals (or a
/// `Query` made of literals), prepared at their first use and kept; values are bound.
public class Reader {
    let connection: Connection
    /// Long work rests here between its rows.
    var breather: Breather?

    init(_ connection: Connection) { self.connection = connection }

    /// The first row through `map`, nil when there is none.
    public func first<T>(
        _ sql: StaticString, _ values: any SQLConvertible..., map: (Row) throws -> T
    ) throws -> T? {
        try first(connection.statement(sql), values, map)
    }

    public func first<T>(_ query: Query, map: (Row) throws -> T) throws -> T? {
        try first(connection.statement(text: query.text), query.values, map)
    }

    /// Every row through `map`.
    public func all<T>(
        _ sql: StaticString, _ values: any SQLConvertible..., map: (Row) throws -> T
    ) throws -> [T] {
        try all(connection.statement(sql), values, map)
    }

    public func all<T>(_ query: Query, map: (Row) throws -> T) throws -> [T] {
        try all(connection.statement(text: query.text), query.values, map)
    }

    /// Every row in turn, without keeping any.
    public func forEach(
        _ sql: StaticString, _ values: any SQLConvertible..., body: (Row) throws -> Void
    ) throws {
        try forEach(connection.statement(sql), values, body)
    }

    public func forEach(_ query: Query, body: (Row) throws -> Void) throws {
        try forEach(connection.statement(text: query.text), query.values, body)
    }

    /// The first column of the first row; nil when there is no row, or it is NULL.
    public func integer(_ sql: StaticString, _ values: any SQLConvertible...) throws -> Int64? {
        try first(connection.statement(sql), values) { try $0.optionalInt64(0) } ?? nil
    }

    public func integer(_ query: Query) throws -> Int64? {
        try first(query) { try $0.optionalInt64(0) } ?? nil
    }

    /// Runs `body` in one transaction, so that all its statements see one state. Inside a
    /// transaction already, which sees one state by itself, it only runs `body`.
    public func snapshot<T>(_ body: () throws -> T) throws -> T {
        guard connection.isAutocommit else { return try body() }
        try connection.statement("BEGIN").runAlone()
        do {
            let result = try body()
            try connection.statement("COMMIT").runAlone()
            return result
        } catch {
            // The first error is the one to tell.
            if !connection.isAutocommit { try? connection.statement("ROLLBACK").runAlone() }
            throw error
        }
    }

    /// Asked before every statement; a transaction refuses when it is gone.
    func checkUsable() throws {}

    private func first<T>(
        _ statement: Statement, _ values: [any SQLConvertible], _ map: (Row) throws -> T
    ) throws -> T? {
        try checkUsable()
        return try statement.run(values) { statement in
            guard try statement.step() else { return nil }
            let result = try map(Row(statement: statement.handle))
            // A change with RETURNING checks its foreign keys at its end, and must get there.
            if !statement.isReadOnly { try statement.finish() }
            return result
        }
    }

    private func all<T>(
        _ statement: Statement, _ values: [any SQLConvertible], _ map: (Row) throws -> T
    ) throws -> [T] {
        try checkUsable()
        return try statement.run(values) { statement in
            var rows: [T] = []
            while try statement.step() {
                // A row that this version cannot read must not take the list with it.
                if let row = try readable({ try map(Row(statement: statement.handle)) }) {
                    rows.append(row)
                }
                breather?.breathe()
            }
            return rows
        }
    }

    private func forEach(
        _ statement: Statement, _ values: [any SQLConvertible], _ body: (Row) throws -> Void
    ) throws {
        try checkUsable()
        try statement.run(values) { statement in
            while try statement.step() {
                try body(Row(statement: statement.handle))
                breather?.breathe()
            }
        }
    }
}
