import Model
import Platform

extension Reader {
    /// Runs `query` (a SELECT that ends in its WHERE clause, one table with a `seq` column) for one
    /// window of a list, newest first.
    public func page<Item>(
        _ query: Query, _ request: PageRequest, map: (Row) throws -> Item
    ) throws -> Page<Item> {
        let total = try request.isCounted ? count(query, most: Page<Item>.totalMost + 1) : nil
        var query = query
        switch request.window {
        case .older(let place):
            if let place { query.append(" AND seq < ?", place) }
            query.append(" ORDER BY seq DESC LIMIT ?", Int64(request.limit + 1))
        case .newer(let place):
            query.append(" AND seq > ?", place)
            query.append(" ORDER BY seq ASC LIMIT ?", Int64(request.limit + 1))
        }
        // A row that is left out has its place in the window.
        var rows = try all(query) { row in try readable { try map(row) } }
        let hasMore = rows.count > request.limit
        if hasMore { rows.removeLast() }
        var items = rows.compactMap { $0 }
        if case .newer = request.window { items.reverse() }
        return Page(items: items, hasMore: hasMore, request: request, total: total)
    }

    /// How many rows `query` has, of the first `most`.
    private func count(_ query: Query, most: Int64) throws -> Int64 {
        var counting = Query("SELECT count(*) FROM (")
        counting.append(query)
        counting.append(" LIMIT ?)", most)
        return try integer(counting) ?? 0
    }
}

extension Reader {
    /// What `body` reads of a row of a list; nil, counted and told of, when the row holds a value
    /// that this program does not know. A transaction refuses such a row instead: what is decided
    /// must not rest on a part of the rows.
    public func readable<Item>(_ body: () throws -> Item) throws -> Item? {
        guard !(self is Transaction) else { return try body() }
        do {
            return try body()
        } catch let fault as DatabaseFault {
            guard fault.isUnreadableValue else { throw fault }
            UnreadableRows.note(fault.description)
            return nil
        } catch {
            // Such as a document that is no JSON.
            UnreadableRows.note("a stored value is none: \(type(of: error))")
            return nil
        }
    }
}

/// Rows that lists left out, of the whole process.
public enum UnreadableRows {
    private struct Known {
        var count: UInt64 = 0
        /// What they were left out for, without values, each once.
        var reasons: Set<String> = []
        var unsaid: [String] = []
    }

    /// Statements are fixed texts, so that there are not many; more are counted alone.
    private static let reasonsMax = 200

    private static let rows = Locked(Known())

    static func note(_ reason: String) {
        rows.withLock { rows in
            rows.count += 1
            guard rows.reasons.count < reasonsMax, rows.reasons.insert(reason).inserted else {
                return
            }
            rows.unsaid.append(reason)
        }
    }

    public static var count: UInt64 { rows.withLock { $0.count } }

    /// What was not taken for the log yet.
    public static func takeReasons() -> [String] {
        rows.withLock { rows in
            defer { rows.unsaid = [] }
            return rows.unsaid
        }
    }
}
