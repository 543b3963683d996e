import Database
import Glibc
import Model
import Records

/// A backup that has proved itself: consistent, and with a ledger that balances.
enum Backup {
    private static let counter = "backup.last_good"

    static func write(_ database: Database, to path: String) throws {
        try database.backup(to: path)
        // After a restart the metric must still know of it.
        try database.perform { tx in
            try CounterStore.add(tx.now.milliseconds - last(tx), to: counter, tx)
        }
    }

    /// When the last one was found sound, in milliseconds since 1970; 0: never.
    static func last(_ reader: Reader) throws -> Int64 {
        try CounterStore.all(prefix: counter, reader).first?.value ?? 0
    }
}

/// Where `backup` writes, and what it deletes afterwards.
struct BackupPlan: Sendable {
    let target: String
    private let directory: String?
    private let keep: Int?

    private static let prefix = "referrald-"
    private static let suffix = ".db"

    init(_ arguments: Arguments, now: Instant = Clock.system.now()) throws {
        directory = arguments.options["--dir"]
        switch (arguments.operands.first, directory) {
        case (let file?, nil): target = file
        case (nil, let directory?):
            // 20261130T235900Z: sorts as it was written, and is no trouble in a file's name.
            let time = now.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }
            target = directory + "/" + BackupPlan.prefix + time + "Z" + BackupPlan.suffix
        default: throw UsageError(description: "it takes FILE or --dir DIR.")
        }
        guard let text = arguments.options["--keep"] else {
            keep = nil
            return
        }
        guard directory != nil, let number = Int(text), (1...100_000).contains(number) else {
            throw UsageError(description: "--keep takes a number from 1, with --dir.")
        }
        keep = number
    }

    /// Deletes the copies beyond the newest `keep`, and returns their paths. Only names that this
    /// command gives count: whatever else lies there is left alone.
    func deleteOld() throws -> [String] {
        guard let directory, let keep, let entries = opendir(directory) else { return [] }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if BackupPlan.isOurs(name) { names.append(name) }
        }
        let old = names.sorted(by: >).dropFirst(keep).map { directory + "/" + $0 }
        return old.filter { unlink($0) == 0 }
    }

    static func isOurs(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
        let time = name.dropFirst(prefix.count).dropLast(suffix.count).utf8
        return time.count == 16 && time.last == UInt8(ascii: "Z")
            && time.enumerated().allSatisfy { place, byte in
                place == 8
                    ? byte == UInt8(ascii: "T") : place == 15 || (0x30...0x39).contains(byte)
            }
    }
}
