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
        // A row that holds a word which this version does not know must not take the list with it.
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
    func readable<Item>(_ body: () throws -> Item) throws -> Item? {
        do {
            return try body()
        } catch let fault as DatabaseFault where fault.isUnreadableValue && !(self is Transaction) {
            UnreadableRows.note(fault)
            return nil
        }
    }
}

/// Rows that lists left out, of the whole process.
public enum UnreadableRows {
    private static let rows = Locked<(count: UInt64, last: String)>((0, ""))

    static func note(_ fault: DatabaseFault) {
        rows.withLock { rows in
            rows.count += 1
            rows.last = fault.description
        }
    }

    public static var count: UInt64 { rows.withLock { $0.count } }
    /// What the last one was refused for.
    public static var last: String { rows.withLock { $0.last } }
}
