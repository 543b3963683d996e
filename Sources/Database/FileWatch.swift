import CSQLite
import Glibc
import Platform

/// Finds out when the files at the database's path are no longer those that are open: removed,
/// replaced, cut. What is then written goes where nobody finds it again, so nothing more is
/// acknowledged. Confined to the writer's thread.
///
/// It never opens the database file: closing any descriptor of a file gives up every lock that
/// SQLite holds on it (sqlite.org/howtocorrupt.html section 2.2).
final class FileWatch {
    private typealias Identity = FileDoor.Identity

    /// How long a look at the file's beginning may be ago.
    static let milliseconds: UInt64 = 1_000

    private let path: String
    private let connection: Connection
    private let pageBytes: Int64
    private var file: Identity?
    /// Of the log and of its index; nil until they were seen.
    private var companions: [String: Identity] = [:]
    /// As of the last checkpoint: the file only grows by those.
    private var fileBytes: Int64 = 0
    /// The file's first bytes. Only a checkpoint of ours changes them.
    private var header: [UInt8] = []
    private var nextLook = MonotonicInstant.now()

    /// Of the files that `connection` has just opened.
    init(path: String, _ connection: Connection) throws {
        self.path = path
        self.connection = connection
        pageBytes = try connection.integer("PRAGMA page_size")
        var info = stat()
        if stat(path, &info) == 0 { file = Identity(info) }
        // SQLite's own comparison, lest the file was replaced while it was being opened.
        guard file != nil, csqlite_has_moved(connection.handle) == 0 else {
            throw OpeningRefusal(
                .cannotOpen, "\(path) was replaced while it was being opened; start again")
        }
        noteCheckpoint()
    }

    /// Throws `DatabaseFault.moved` when something is wrong with the files. `logPages`: as many
    /// pages the log has at least. Two or three stat(2), and once a second a read of 100 bytes.
    func check(logPages: Int, isThorough: Bool = false) throws {
        if let reason = fault(logPages: logPages, isThorough: isThorough) {
            throw DatabaseFault(operation: reason, code: DatabaseFault.moved)
        }
    }

    /// A checkpoint of ours has changed the file.
    func noteCheckpoint() {
        var info = stat()
        if stat(path, &info) == 0, file == Identity(info) { fileBytes = Int64(info.st_size) }
        header = readHeader() ?? header
    }

    private func fault(logPages: Int, isThorough: Bool) -> String? {
        var info = stat()
        guard stat(path, &info) == 0 else {
            return "the database file \(path) is gone"
        }
        guard file == Identity(info) else {
            return "another file lies at \(path), the database's path"
        }
        guard Int64(info.st_size) >= fileBytes else {
            return "the database file \(path) was cut to \(info.st_size) bytes"
        }
        if let fault = companionFault(logPages) { return fault }
        let now = MonotonicInstant.now()
        guard isThorough || now >= nextLook else { return nil }
        nextLook = now.advanced(byMilliseconds: FileWatch.milliseconds)
        guard readHeader() == header else {
            return "another program has written into \(path), the database file"
        }
        return nil
    }

    private func companionFault(_ logPages: Int) -> String? {
        for suffix in ["-wal", "-shm"] {
            let name = path + suffix
            var info = stat()
            guard stat(name, &info) == 0 else {
                if companions[name] == nil { continue }
                return "\(name), which belongs to the database, is gone"
            }
            guard let known = companions[name] else {
                companions[name] = Identity(info)
                continue
            }
            guard known == Identity(info) else {
                return "another file lies at \(name), which belongs to the database"
            }
            // sqlite.org/fileformat.html section 4.1: a header of 32 bytes, 24 before each page.
            let bytes = logPages == 0 ? 0 : 32 + Int64(logPages) * (pageBytes + 24)
            if suffix == "-wal", Int64(info.st_size) < bytes {
                return "\(name), which belongs to the database, was cut to \(info.st_size) bytes"
            }
        }
        return nil
    }

    private func readHeader() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 100)
        return csqlite_read_beginning(connection.handle, &bytes, 100) == SQLITE_OK ? bytes : nil
    }
}
