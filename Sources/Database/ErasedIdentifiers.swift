import CSQLite
import Model

/// A blob of 16 bytes; the prefix is the caller's to store.
extension AnyIdentifier: SQLConvertible {
    public func bind(to statement: StatementParameters, at index: Int32) throws {
        try statement.bind(high: high, low: low, at: index)
    }
}

extension Row {
    /// The two halves of an identifier whose kind another column names.
    public func halves(_ index: Int) throws -> (high: UInt64, low: UInt64) {
        let id: Identifier<RequestKey> = try id(index)
        return (id.high, id.low)
    }
}
