import CSQLite
import Glibc
import Model
import Platform

extension Database {
    /// Copies the database as it is at one moment to `target`, while it serves; blocks the calling
    /// thread.
    ///
    /// The copy carries a mark (`Reader.isCopy`). It is made beside the target under another name,
    /// synced and checked, and only then bears the target's: what is there under that name is
    /// whole. Throws `BackupRefusal` when the target exists or the copy is not sound,
    /// `DatabaseFault` or `SystemError` when it could not be written.
    public func backup(to target: String) throws {
        let draft = target + ".\(getpid()).partial"
        guard access(target, F_OK) != 0 else { throw BackupRefusal.targetExists }
        try checkFile()
        try makeEmpty(draft)
        do {
            let source = try Connection(
                path: path, access: .copying, busyMilliseconds: settings.busyMilliseconds)
            try source.statement("VACUUM INTO ?").run([draft]) { try $0.finish() }
            let last = try Reader(source).integer(
                "SELECT last_instant FROM writer_clock WHERE id = 1")
            try CopyMark.set(at: draft, settings, Instant(milliseconds: last ?? 0))
            try sync(draft, flags: O_RDWR)
            let copy = try Connection(
                path: draft, access: .reader, busyMilliseconds: settings.busyMilliseconds)
            let problems = try Reader(copy).findProblems()
            guard problems.isEmpty else { throw BackupRefusal.notSound(problems) }
            // Unlike rename, link never replaces what has come to be there meanwhile.
            guard link(draft, target) == 0 else {
                throw errno == EEXIST ? BackupRefusal.targetExists : SystemError("link")
            }
            unlink(draft)
            try sync(directory(of: target), flags: O_RDONLY | O_DIRECTORY)
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// The copy is readable by its owner alone; SQLite accepts an empty file as the target.
    private func makeEmpty(_ path: String) throws {
        let file = FileDescriptor(
            owning: open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        guard file.number >= 0 else { throw SystemError("create backup") }
    }

    private func sync(_ path: String, flags: Int32) throws {
        let file = FileDescriptor(owning: open(path, flags | O_CLOEXEC))
        guard file.number >= 0, fsync(file.number) == 0 else { throw SystemError("sync backup") }
    }

    private func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// Why there is no backup.
public enum BackupRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    case targetExists
    case notSound([String])

    public var description: String {
        switch self {
        case .targetExists: "the target of the backup exists already; it was not touched"
        case .notSound(let problems):
            "the copy is not sound, and was removed: " + problems.joined(separator: "; ")
        }
    }
}

extension Reader {
    /// What `integrity_check` and `foreign_key_check` find, at most 100 of each, in SQLite's words;
    /// takes as long as reading the whole file does.
    public func findProblems() throws -> [String] {
        try snapshot {
            let structure = try all("PRAGMA integrity_check(100)") { try $0.text(0) }
            var references: [String] = []
            try forEach("PRAGMA foreign_key_check") { row in
                guard references.count < 100 else { return }
                references.append(
                    "\(try row.text(0)) row \(try row.optionalInt64(1) ?? 0) refers to nothing in "
                        + (try row.text(2)))
            }
            return structure.filter { $0 != "ok" } + references
        }
    }
}
