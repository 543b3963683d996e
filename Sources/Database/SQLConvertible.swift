import CSQLite
import Model

/// A value that can stand for a `?` of a statement. Enums with a raw value need only declare the
/// conformance.
public protocol SQLConvertible: Sendable {
    /// Binds the value as parameter `index`, counted from 1.
    func bind(to statement: StatementParameters, at index: Int32) throws
}

/// The parameters of a statement that is about to run.
public struct StatementParameters {
    let statement: OpaquePointer

    public func bind(_ value: Int64, at index: Int32) throws {
        try check(sqlite3_bind_int64(statement, index, value))
    }

    public func bind(_ value: String, at index: Int32) throws {
        var value = value
        try check(
            value.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    csqlite_bind_text(statement, index, $0.baseAddress, Int64($0.count))
                }
            })
    }

    public func bind(_ value: [UInt8], at index: Int32) throws {
        try check(
            value.withUnsafeBytes {
                csqlite_bind_blob(statement, index, $0.baseAddress, Int64($0.count))
            })
    }

    /// Binds 16 bytes, `high` first.
    public func bind(high: UInt64, low: UInt64, at index: Int32) throws {
        try check(csqlite_bind_halves(statement, index, high, low))
    }

    public func bindNull(at index: Int32) throws {
        try check(sqlite3_bind_null(statement, index))
    }

    private func check(_ code: Int32) throws {
        if code != SQLITE_OK { throw DatabaseFault(statement, code: code) }
    }
}

extension Int64: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(self, at: index)
    }
}

extension Int: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(Int64(self), at: index)
    }
}

extension Int32: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(Int64(self), at: index)
    }
}

/// 0 or 1.
extension Bool: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(self ? 1 : 0, at: index)
    }
}

extension String: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(self, at: index)
    }
}

extension StaticString: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(description, at: index)
    }
}

/// A blob.
extension [UInt8]: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(self, at: index)
    }
}

/// A blob of 16 bytes.
extension Identifier: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(high: high, low: low, at: index)
    }
}

/// Milliseconds since 1970.
extension Instant: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(milliseconds, at: index)
    }
}

/// NULL when nil.
extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        switch self {
        case .some(let value): try value.bind(to: statement, at: index)
        case .none: try statement.bindNull(at: index)
        }
    }
}

extension SQLConvertible where Self: RawRepresentable, RawValue: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try rawValue.bind(to: statement, at: index)
    }
}
