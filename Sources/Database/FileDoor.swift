import CSQLite
import Glibc
import Platform
import Synchronization

/// "rfrd": marks the file as ours (PRAGMA application_id).
let applicationID: UInt32 = 0x7266_7264

/// Sees to it that one process has the database: an advisory lock on a file beside it, which the
/// kernel gives up when the process ends, however it ends.
final class ProcessLock: Sendable {
    private let descriptor: FileDescriptor
    private let isReleased = Atomic<Bool>(false)

    init(databasePath: String) throws {
        let path = databasePath + ".lock"
        let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else {
            throw OpeningRefusal(
                .cannotOpen, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        descriptor = FileDescriptor(owning: number)
        let code = csqlite_try_lock(number)
        guard code == 0 else {
            if code != EWOULDBLOCK {
                throw OpeningRefusal(
                    .cannotOpen, "cannot lock \(path): \(String(cString: strerror(code)))")
            }
            throw OpeningRefusal(
                .lockedByAnotherProcess,
                "\(databasePath) is in use by \(ProcessLock.holder(of: number)); "
                    + "only one process may open it")
        }
        ftruncate(number, 0)
        let line = Array("\(getpid())\n".utf8)
        _ = pwrite(number, line, line.count, 0)
    }

    /// Gives the lock up. The file stays: removing it would let two processes lock two files.
    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        ftruncate(descriptor.number, 0)
        csqlite_unlock(descriptor.number)
    }

    private static func holder(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty
            ? "another process" : "process " + String(decoding: digits, as: UTF8.self)
    }
}

/// What is looked at before SQLite may touch the file.
enum FileDoor {
    /// Which file it is, whatever its name.
    struct Identity: Equatable, Sendable {
        let device: UInt64
        let inode: UInt64

        init(_ info: stat) {
            device = UInt64(info.st_dev)
            inode = UInt64(info.st_ino)
        }
    }

    /// The identity of the file at `path`; nil when there is none, or nothing in it.
    static func identity(of path: String) -> Identity? {
        var info = stat()
        return stat(path, &info) == 0 && info.st_size > 0 ? Identity(info) : nil
    }

    /// The path without symbolic links; as it is when nothing is there yet.
    static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Refuses a directory that is not there, before a lock is tried in it.
    static func checkDirectory(of path: String) throws {
        let directory = directory(of: path)
        var info = stat()
        guard stat(directory, &info) != 0 else { return }
        throw OpeningRefusal(
            .cannotOpen,
            "the database's directory \(directory) cannot be used: "
                + String(cString: strerror(errno)))
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Refuses a file that is not ours, or on a network's file system, and decides whether a
    /// missing one is made, readable by its owner alone. Returns whether it is new.
    static func check(_ path: String, _ settings: DatabaseSettings) throws -> Bool {
        var info = stat()
        // SQLite takes an empty file for a new database, and deletes the log of another beside it.
        let isNew = stat(path, &info) != 0 || info.st_size == 0
        if isNew { try checkMaking(path, settings) }
        try checkFile(path)
        return isNew
    }

    private static func checkMaking(_ path: String, _ settings: DatabaseSettings) throws {
        guard settings.making != .no else {
            throw OpeningRefusal(.noDatabase, "there is no database at \(path)")
        }
        var info = stat()
        let logs = ["-wal", "-shm", "-journal"].map { path + $0 }.filter { stat($0, &info) == 0 }
        let found = logs + settings.remains.filter { stat($0, &info) == 0 }
        guard !found.isEmpty else { return }
        guard settings.making == .besideRemains else {
            throw OpeningRefusal(
                .remains,
                "there is no database at \(path), but one was there: "
                    + found.joined(separator: ", ") + " is still there. Put the database back, "
                    + "or a backup of it. If a new one is wanted, use serve --init")
        }
        for log in logs {
            let aside = log + ".set-aside-\(time(nil))"
            guard rename(log, aside) == 0 else {
                throw OpeningRefusal(
                    .remains, "\(log) cannot be set aside: \(String(cString: strerror(errno)))")
            }
            settings.onNotice?("\(log), of an earlier database, is now \(aside)")
        }
    }

    private static func checkFile(_ path: String) throws {
        let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else {
            throw OpeningRefusal(
                .cannotOpen, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        let file = FileDescriptor(owning: number)
        if csqlite_is_network_file_system(path) == 1 {
            throw OpeningRefusal(
                .networkFileSystem,
                "\(path) is on a network file system, where SQLite's write-ahead log does not "
                    + "work; use a local disk")
        }
        // sqlite.org/fileformat.html section 1.3: 16 bytes of magic, the application id at 68.
        var header = [UInt8](repeating: 0, count: 72)
        let count = pread(file.number, &header, header.count, 0)
        if count == 0 { return }
        guard count == header.count, header.starts(with: Array("SQLite format 3\u{0}".utf8)) else {
            throw OpeningRefusal(.notADatabase, "\(path) is not an SQLite database")
        }
        let found = header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard found == applicationID else {
            throw OpeningRefusal(
                .foreignFile, "\(path) is the database of another program; it was not touched")
        }
    }
}
