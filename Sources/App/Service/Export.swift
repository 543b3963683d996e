import Database
import HTTP
import Platform
import RewardLedger
import Synchronization

/// A table of any length, read and sent slice by slice while the client takes it. Each slice is a
/// short read of its own on the threads for long reads, so a slow client holds back neither the log
/// nor a thread; a row that changes meanwhile is sent once, as it was when its slice was read.
struct Export: Sendable {
    /// Rows that are read at once: a page.
    static let rowsPerPage = 100
    /// A slice is sent when it has as many bytes.
    private static let sliceBytesMin = 65_536

    let headers: [(String, String)]
    /// The next bytes, and whether more may follow.
    fileprivate let next: @Sendable (Reader) throws -> (bytes: [UInt8], isLast: Bool)

    /// A table to save under `name`. `rows` appends the next rows behind a place (nil: the first),
    /// about `rowsPerPage`, and returns the place of the last one; nil when no more follow.
    static func csv<Place: Sendable>(
        _ name: String, columns: [String], _ call: Call,
        rows: @escaping @Sendable (Place?, Reader, inout CSVTable) throws -> Place?
    ) -> Export {
        let place = Locked<Place?>(nil)
        let hasMark = call.query["spreadsheet"] == "true"
        return Export(headers: Response.csvHeaders(name)) { reader in
            var last = place.withLock { $0 }
            var table =
                last == nil ? CSVTable(columns: columns, hasMark: hasMark) : CSVTable()
            repeat {
                last = try rows(last, reader, &table)
            } while last != nil && table.bytes.count < sliceBytesMin
            place.withLock { [last] in $0 = last }
            return (table.bytes, last == nil)
        }
    }
}

/// An export under way. Its place is free again when the client has it all, or is gone.
final class ExportRun: Sendable {
    private let export: Export
    private let database: Database
    private let onFault: @Sendable (any Error) -> Void
    private let places: ExportPlaces
    private let isLast = Atomic<Bool>(false)

    /// Refuses when as many exports are under way as may be (503).
    init(
        _ export: Export, _ database: Database, _ places: ExportPlaces,
        onFault: @escaping @Sendable (any Error) -> Void
    ) throws {
        self.export = export
        self.database = database
        self.places = places
        self.onFault = onFault
        try places.enter()
    }

    deinit { places.leave() }

    /// The answer, with its first slice read already: what fails there is a proper refusal.
    func response(_ reader: Reader) throws -> Response {
        let first = try slice(reader)
        if isLast.load(ordering: .relaxed) {
            return Response(status: 200, headers: export.headers, body: first)
        }
        let waiting = Locked<[UInt8]?>(first)
        let stream = BodyStream { [self] deliver in
            let first = waiting.withLock { bytes in
                defer { bytes = nil }
                return bytes
            }
            if let first { return deliver(.bytes(first)) }
            if isLast.load(ordering: .relaxed) { return deliver(.end) }
            let isTaken = database.longRead(isContinued: true) { [self] reader in
                do {
                    deliver(.bytes(try slice(reader)))
                } catch {
                    onFault(error)
                    deliver(.failed)
                }
            }
            // The database is closing.
            if !isTaken { deliver(.failed) }
        }
        return Response(status: 200, headers: export.headers, content: .stream(stream))
    }

    private func slice(_ reader: Reader) throws -> [UInt8] {
        let (bytes, isLast) = try reader.snapshot { try export.next(reader) }
        self.isLast.store(isLast, ordering: .relaxed)
        return bytes
    }
}

/// How many exports are under way: each holds a slice, and a place among the long reads.
final class ExportPlaces: Sendable {
    /// Of the whole service; a client that reads slowly keeps its place for long.
    static let most = 64

    private let taken = Atomic<Int>(0)

    func enter() throws {
        guard taken.wrappingAdd(1, ordering: .relaxed).newValue <= ExportPlaces.most else {
            leave()
            throw Refused(Failure.busy)
        }
    }

    func leave() { taken.wrappingSubtract(1, ordering: .relaxed) }
}
