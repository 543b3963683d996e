/// A statement put together from fixed fragments, for lists with optional filters. Its text comes
/// from literals alone, and every value is bound, so that no input can become SQL.
public struct Query: Sendable {
    private(set) var text: String
    private(set) var values: [any SQLConvertible]

    public init(_ sql: StaticString, _ values: any SQLConvertible...) {
        text = sql.description
        self.values = values
    }

    /// Appends a fragment and the values of its `?`. The fragment brings its own leading space.
    public mutating func append(_ sql: StaticString, _ values: any SQLConvertible...) {
        text += sql.description
        self.values += values
    }

    /// Appends another statement with its values.
    mutating func append(_ other: Query) {
        text += other.text
        values += other.values
    }

    /// Appends ` (?, ?, …)` with `list` bound, as what follows an `IN`; `(NULL)`, which matches
    /// nothing, for an empty list.
    public mutating func appendList(_ list: [any SQLConvertible]) {
        guard !list.isEmpty else {
            text += " (NULL)"
            return
        }
        text += " (" + repeatElement("?", count: list.count).joined(separator: ", ") + ")"
        values += list
    }
}
