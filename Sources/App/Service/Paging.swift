import Database
import HTTP
import JSON
import Model

/// A list's window as asked for: `limit`, `starting_after` or `ending_before`.
struct ListRequest {
    let page: PageRequest

    static func fields<Kind>(of kind: Identifier<Kind>.Type) -> [Field] {
        [
            .optional("limit", .integer(1...100), "How many, 10 unless told."),
            .optional("starting_after", .id(kind), "The id after which (older) the page begins."),
            .optional("ending_before", .id(kind), "The id before which (newer) the page ends."),
            .optional(
                "count", .boolean,
                "true: total_count says how many there are in all, counted to 10000."),
        ]
    }

    static let createdFields: [Field] = [
        .optional(
            "created_at[gte]", .dayOrTime,
            "Created at or after this time or the beginning of this day: of the program that "
                + "program_id names, else of UTC."),
        .optional("created_at[lt]", .dayOrTime, "Created before; a day as above."),
    ]

    /// Reads the window; `sequence` finds the place of the object that a cursor names. A cursor to
    /// nothing is 400, never an empty page.
    init<Kind>(_ call: Call, sequence: (Identifier<Kind>) throws -> Int64?) throws {
        func place(_ name: String) throws -> Int64? {
            guard let text = call.query[name] else { return nil }
            guard let id = Identifier<Kind>(text), let place = try sequence(id) else {
                throw Refused(
                    .invalidField(
                        "/\(name)", code: "unknown_cursor", detail: "names no object here"))
            }
            return place
        }
        let limit = call.query["limit"].flatMap { Int($0) } ?? 10
        let isCounted = call.query["count"] == "true"
        let after = try place("starting_after")
        let before = try place("ending_before")
        if after != nil && before != nil {
            throw Refused(
                .invalidField(
                    "/ending_before", code: "exclusive", detail: "excludes starting_after"))
        }
        if let before {
            page = PageRequest(limit: limit, window: .newer(than: before), isCounted: isCounted)
        } else {
            page = PageRequest(limit: limit, window: .older(than: after), isCounted: isCounted)
        }
    }
}

extension Response {
    /// A page as `{"object":"list","data":[…],"has_more":…,"url":…}`, with `Link` (RFC 8288) where
    /// the items have an id to go on from.
    static func list<Item>(
        _ page: Page<Item>, _ call: Call, id: ((Item) -> String)?,
        write: (Item, inout JSONArrayWriter) throws -> Void
    ) rethrows -> Response {
        var json = JSONWriter(capacity: 256 + 512 * page.items.count)
        try json.object { list in
            list.field("object", "list")
            try list.array("data") { data in
                for item in page.items { try write(item, &data) }
            }
            list.field("has_more", page.hasMore)
            list.field("url", call.request.path)
            if let total = page.total {
                list.field("total_count", min(total, Page<Item>.totalMost))
                list.field("total_count_exact", total <= Page<Item>.totalMost)
            }
        }
        var response = Response.object(json.bytes)
        if let id, let link = links(page, call, id: id) {
            response.headers.append(("Link", link))
        }
        return response
    }

    private static func links<Item>(
        _ page: Page<Item>, _ call: Call, id: (Item) -> String
    ) -> String? {
        guard let first = page.items.first, let last = page.items.last else { return nil }
        let kept = call.request.query.split(separator: "&").filter {
            !$0.hasPrefix("starting_after=") && !$0.hasPrefix("ending_before=")
        }.joined(separator: "&")
        let base = call.publicURL + call.request.path + "?" + (kept.isEmpty ? "" : kept + "&")
        var parts: [String] = []
        if page.hasOlder { parts.append("<\(base)starting_after=\(id(last))>; rel=\"next\"") }
        if page.hasNewer { parts.append("<\(base)ending_before=\(id(first))>; rel=\"prev\"") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
