import CSQLite
import Glibc
import Platform

/// A database that is only read, as it lies there: an auditor's copy, which another user may own.
/// Makes no lock file, migrates nothing, writes nothing.
public final class DatabaseCopy {
    public let reader: Reader

    /// `versions` is the schema version that the program knows. Throws `OpeningRefusal` with a
    /// sentence for the operator.
    public init(path: String, versions: Int) throws {
        let path = FileDoor.resolved(path)
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw OpeningRefusal(.noDatabase, "there is no database at \(path)")
        }
        try DatabaseCopy.checkUnused(path)
        if stat(path + "-wal", &info) == 0, info.st_size > 0 {
            throw OpeningRefusal(
                .remains,
                "\(path) is not whole by itself: \(path)-wal holds the rest. Start the service "
                    + "on it once, or copy a live database by referrald backup")
        }
        let connection = try OpeningRefusal.translating(path) {
            let connection = try Connection(path: path, access: .immutable, busyMilliseconds: 0)
            guard try connection.integer("PRAGMA application_id") == Int64(applicationID) else {
                throw OpeningRefusal(.foreignFile, "\(path) is the database of another program")
            }
            return connection
        }
        let version = try connection.integer("PRAGMA user_version")
        guard version == Int64(versions) else {
            throw OpeningRefusal(
                .newerSchema,
                "\(path) has schema version \(version), and this program knows version "
                    + "\(versions): use the release that wrote it, nothing was changed")
        }
        reader = Reader(connection)
    }

    /// A service that runs holds the lock; it need not be this machine's user that may take it.
    private static func checkUnused(_ path: String) throws {
        let number = open(path + ".lock", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return }
        let lock = FileDescriptor(owning: number)
        let code = csqlite_try_lock(lock.number)
        if code == 0 { return csqlite_unlock(lock.number) }
        guard code == EWOULDBLOCK else { return }
        throw OpeningRefusal(
            .lockedByAnotherProcess,
            "\(path) is in use; ask the service that uses it, or read a copy that referrald "
                + "backup made")
    }
}
