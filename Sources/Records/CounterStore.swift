import Database
import Model

/// All SQL of counters: numbers that pages and metrics show, changed in the transaction that
/// changes what they count, so that their cost stays flat.
public enum CounterStore {
    /// Adds `change` to the counter `name` of the whole service.
    public static func add(_ change: Int64, to name: String, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO counters (name, scope, value) VALUES (?, x'', ?)
            ON CONFLICT (name, scope) DO UPDATE SET value = value + excluded.value
            """, name, change)
    }

    /// Adds `change` to the counter `name` of one object.
    public static func add<Kind>(
        _ change: Int64, to name: String, of scope: Identifier<Kind>, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO counters (name, scope, value) VALUES (?, ?, ?)
            ON CONFLICT (name, scope) DO UPDATE SET value = value + excluded.value
            """, name, scope, change)
    }

    /// Counts one more, and returns how many there were before: whose turn it is.
    public static func takeTurn<Kind>(
        _ name: String, of scope: Identifier<Kind>, _ tx: Transaction
    ) throws -> Int64 {
        let count = try tx.integer(
            """
            INSERT INTO counters (name, scope, value) VALUES (?, ?, 1)
            ON CONFLICT (name, scope) DO UPDATE SET value = value + 1 RETURNING value
            """, name, scope)
        return (count ?? 1) - 1
    }

    /// Every counter of the whole service whose name begins with `prefix`, by name.
    public static func all(prefix: String, _ reader: Reader) throws -> [(
        name: String, value: Int64
    )] {
        try reader.all(
            """
            SELECT name, value FROM counters
            WHERE scope = x'' AND name >= ? AND name < ? ORDER BY name
            """,
            prefix, prefix + "\u{10FFFF}"
        ) { try ($0.text(0), $0.int64(1)) }
    }

    public static func all<Kind>(
        of scope: Identifier<Kind>, prefix: String, _ reader: Reader
    ) throws -> [(name: String, value: Int64)] {
        try reader.all(
            """
            SELECT name, value FROM counters
            WHERE scope = ? AND name >= ? AND name < ? ORDER BY name
            """,
            scope, prefix, prefix + "\u{10FFFF}"
        ) { try ($0.text(0), $0.int64(1)) }
    }
}
