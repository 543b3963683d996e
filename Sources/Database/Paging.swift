import Model

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
        var items = try all(query, map: map)
        let hasMore = items.count > request.limit
        if hasMore { items.removeLast() }
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
