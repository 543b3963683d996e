import CSQLite
import Model

/// One row of a result, valid only inside the closure it is handed to. Columns count from 0.
///
/// Every read is typed: a column of another type than asked for (NULL included) is a
/// `DatabaseFault` with the code SQLITE_MISMATCH, for then the file does not hold what its schema
/// promises.
public struct Row {
    let statement: OpaquePointer

    public func isNull(_ index: Int) -> Bool { type(index) == SQLITE_NULL }

    public func int64(_ index: Int) throws -> Int64 {
        guard type(index) == SQLITE_INTEGER else { throw mismatch(index, "an integer") }
        return sqlite3_column_int64(statement, column(index))
    }

    public func int(_ index: Int) throws -> Int { Int(try int64(index)) }

    public func int32(_ index: Int) throws -> Int32 {
        guard let value = Int32(exactly: try int64(index)) else {
            throw mismatch(index, "an integer of 32 bits")
        }
        return value
    }

    /// 0 or 1.
    public func bool(_ index: Int) throws -> Bool {
        switch try int64(index) {
        case 0: false
        case 1: true
        default: throw mismatch(index, "0 or 1")
        }
    }

    public func text(_ index: Int) throws -> String {
        guard type(index) == SQLITE_TEXT,
            let start = sqlite3_column_text(statement, column(index))
        else { throw mismatch(index, "text") }
        let count = Int(sqlite3_column_bytes(statement, column(index)))
        let bytes = UnsafeBufferPointer(start: start, count: count)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw mismatch(index, "UTF-8 text")
        }
        return text
    }

    public func blob(_ index: Int) throws -> [UInt8] {
        try withBlob(index) { Array($0) }
    }

    /// Lends the bytes of a blob without a copy.
    public func withBlob<T>(
        _ index: Int, _ body: (UnsafeRawBufferPointer) throws -> T
    ) throws -> T {
        guard type(index) == SQLITE_BLOB else { throw mismatch(index, "a blob") }
        let start = sqlite3_column_blob(statement, column(index))
        let count = Int(sqlite3_column_bytes(statement, column(index)))
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    public func id<Kind>(
        _ index: Int, as type: Identifier<Kind>.Type = Identifier<Kind>.self
    ) throws -> Identifier<Kind> {
        try withBlob(index) { bytes in
            guard bytes.count == 16 else { throw mismatch(index, "an identifier") }
            return Identifier(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    public func instant(_ index: Int) throws -> Instant {
        Instant(milliseconds: try int64(index))
    }

    public func optionalInt64(_ index: Int) throws -> Int64? {
        isNull(index) ? nil : try int64(index)
    }

    public func optionalInt(_ index: Int) throws -> Int? {
        isNull(index) ? nil : try int(index)
    }

    public func optionalInt32(_ index: Int) throws -> Int32? {
        isNull(index) ? nil : try int32(index)
    }

    public func optionalBool(_ index: Int) throws -> Bool? {
        isNull(index) ? nil : try bool(index)
    }

    public func optionalText(_ index: Int) throws -> String? {
        isNull(index) ? nil : try text(index)
    }

    public func optionalBlob(_ index: Int) throws -> [UInt8]? {
        isNull(index) ? nil : try blob(index)
    }

    public func optionalID<Kind>(
        _ index: Int, as type: Identifier<Kind>.Type = Identifier<Kind>.self
    ) throws -> Identifier<Kind>? {
        isNull(index) ? nil : try id(index, as: type)
    }

    public func optionalInstant(_ index: Int) throws -> Instant? {
        isNull(index) ? nil : try instant(index)
    }

    private func column(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: index) }

    /// SQLite answers NULL for a column that does not exist, so that this cannot go astray.
    private func type(_ index: Int) -> Int32 { sqlite3_column_type(statement, column(index)) }

    private func mismatch(_ index: Int, _ wanted: String) -> DatabaseFault {
        let place = DatabaseFault(statement, code: SQLITE_MISMATCH).operation
        return DatabaseFault(
            operation: "column \(index) is not \(wanted): \(place)", code: SQLITE_MISMATCH)
    }
}
