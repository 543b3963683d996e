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
    /// The path without symbolic links; as it is when nothing is there yet.
    static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Refuses a file that is not ours, or on a network's file system; makes a missing one,
    /// readable by its owner alone.
    static func check(_ path: String) throws {
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
