import CSQLite
import Glibc

/// One connection to the file and its prepared statements. Confined to one thread.
final class Connection {
    enum Access {
        case writer, reader, copying
        /// A file that nobody changes: no lock is taken and no log looked for.
        case immutable
    }

    let handle: OpaquePointer
    /// By the address of the literal: two literals never share one.
    private var literals: [UInt: Statement] = [:]
    private var built: [String: Statement] = [:]
    private var uses: UInt64 = 0

    /// Opens `path`; the writer creates it when it is missing.
    init(path: String, access: Access, busyMilliseconds: Int32) throws {
        _ = Connection.configured
        let mode =
            switch access {
            case .writer: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .reader, .copying: SQLITE_OPEN_READONLY
            case .immutable: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            }
        let name = access == .immutable ? Connection.immutableURI(path) : path
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(
            name, &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw DatabaseFault(operation: "open", code: code == SQLITE_OK ? SQLITE_NOMEM : code)
        }
        handle = opened
        // Before anything else: a log that another connection recovers is busy at the first
        // statement.
        sqlite3_busy_timeout(handle, busyMilliseconds)
        restrict(access)
        try configure(access)
    }

    deinit {
        literals = [:]
        built = [:]
        sqlite3_close_v2(handle)
    }

    /// sqlite.org/uri.html: what is special in a URI is escaped.
    private static func immutableURI(_ path: String) -> String {
        let escaped = path.utf8.reduce(into: "") { text, byte in
            let isPlain = byte.isASCIILetterOrDigit || "/._-".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            text += isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
        }
        return "file:" + escaped + "?immutable=1"
    }

    private static let configured: Int32 = csqlite_configure()

    private func restrict(_ access: Access) {
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_DQS_DML, 0)
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
        _ = csqlite_set_switch(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
        // Only the writer may copy the log into the file: sqlite.org/wal.html, "the WAL-reset bug".
        if access != .writer { _ = csqlite_keep_log_at_close(handle) }
        sqlite3_wal_autocheckpoint(handle, 0)
        for (limit, value) in StatementLimits.all { sqlite3_limit(handle, limit, value) }
        // VACUUM INTO attaches its target.
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, access == .copying ? 1 : 0)
    }

    private func configure(_ access: Access) throws {
        try execute("PRAGMA foreign_keys = ON")
        try execute("PRAGMA temp_store = MEMORY")
        try execute("PRAGMA mmap_size = 0")
        try execute("PRAGMA cell_size_check = ON")
        // What a thousand busy partners touch in each index stays in the writer's memory.
        try execute("PRAGMA cache_size = \(access == .writer ? -32_000 : -2_000)")
    }

    /// Whether no transaction is open: none was begun, or a failure ended it.
    var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// Runs a script whose text is ours.
    func execute(_ script: String) throws {
        let code = sqlite3_exec(handle, script, nil, nil, nil)
        guard code == SQLITE_OK else {
            throw DatabaseFault(operation: explained(script), code: code)
        }
    }

    /// The statement of a literal, prepared once. One that is running already gets a second,
    /// short-lived one.
    func statement(_ sql: StaticString) throws -> Statement {
        guard sql.hasPointerRepresentation else {
            throw DatabaseFault(operation: "prepare", code: SQLITE_MISUSE)
        }
        let address = UInt(bitPattern: sql.utf8Start)
        if let cached = literals[address] {
            return cached.isRunning
                ? try prepare(sql.utf8Start, sql.utf8CodeUnitCount, flags: 0) : cached
        }
        let fresh = try prepare(
            sql.utf8Start, sql.utf8CodeUnitCount, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
        literals[address] = fresh
        return fresh
    }

    /// The statement of a built text; the ones used least recently make room.
    func statement(text: String) throws -> Statement {
        uses += 1
        if let cached = built[text], !cached.isRunning {
            cached.lastUse = uses
            return cached
        }
        var text = text
        let fresh = try text.withUTF8 { bytes in
            guard let start = bytes.baseAddress else {
                throw DatabaseFault(operation: "prepare", code: SQLITE_MISUSE)
            }
            return try prepare(start, bytes.count, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
        }
        fresh.lastUse = uses
        if built[text] == nil {
            if built.count >= StatementLimits.builtCached,
                let oldest = built.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                built[oldest.key] = nil
            }
            built[text] = fresh
        }
        return fresh
    }

    private func prepare(
        _ start: UnsafePointer<UInt8>, _ count: Int, flags: UInt32
    ) throws -> Statement {
        var prepared: OpaquePointer?
        var isWhole = true
        let code = start.withMemoryRebound(to: CChar.self, capacity: count) { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(
                handle, text, Int32(clamping: count), flags, &prepared, &tail)
            if let tail {
                let rest = UnsafeBufferPointer(start: tail, count: max(0, text + count - tail))
                isWhole = rest.allSatisfy { isspace(Int32($0)) != 0 || $0 == 0x3B }
            }
            return code
        }
        let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        guard code == SQLITE_OK else {
            throw DatabaseFault(operation: explained(text), code: code)
        }
        // A second statement in the text would be dropped in silence.
        guard let prepared, isWhole else {
            sqlite3_finalize(prepared)
            throw DatabaseFault(
                operation: DatabaseFault.beginning(of: text), code: SQLITE_MISUSE)
        }
        return Statement(prepared)
    }

    /// The text's beginning with SQLite's words, which quote the text and the schema, and values
    /// never.
    private func explained(_ text: String) -> String {
        let words = sqlite3_errmsg(handle).map { String(cString: $0) } ?? ""
        return DatabaseFault.beginning(of: text) + " (" + words + ")"
    }
}

/// A prepared statement.
final class Statement {
    let handle: OpaquePointer
    let parameterCount: Int
    let isReadOnly: Bool
    var isRunning = false
    var lastUse: UInt64 = 0

    init(_ handle: OpaquePointer) {
        self.handle = handle
        parameterCount = Int(sqlite3_bind_parameter_count(handle))
        isReadOnly = sqlite3_stmt_readonly(handle) != 0
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds `values` and lends the statement to `body`; afterwards it is reset, whatever happened.
    func run<Result>(
        _ values: [any SQLConvertible], _ body: (Statement) throws -> Result
    ) throws -> Result {
        isRunning = true
        defer {
            sqlite3_reset(handle)
            if parameterCount > 0 { sqlite3_clear_bindings(handle) }
            isRunning = false
        }
        guard values.count == parameterCount else {
            throw DatabaseFault(handle, code: SQLITE_RANGE)
        }
        let parameters = StatementParameters(statement: handle)
        var index: Int32 = 1
        for value in values {
            try value.bind(to: parameters, at: index)
            index += 1
        }
        return try body(self)
    }

    /// Runs a statement without parameters or rows: BEGIN, SAVEPOINT and their like.
    func runAlone() throws {
        let code = sqlite3_step(handle)
        sqlite3_reset(handle)
        guard code == SQLITE_DONE else { throw DatabaseFault(handle, code: code) }
    }

    /// Goes on to the next row; false at the end.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: true
        case SQLITE_DONE: false
        case let code: throw DatabaseFault(handle, code: code)
        }
    }

    func finish() throws {
        while try step() {}
    }
}

/// What a statement may use: far above what ours need, far below what could hurt.
enum StatementLimits {
    /// Prepared statements of built texts that a connection keeps.
    static let builtCached = 64

    static let all: [(Int32, Int32)] = [
        (SQLITE_LIMIT_LENGTH, 64 << 20),
        (SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (SQLITE_LIMIT_COLUMN, 200),
        (SQLITE_LIMIT_EXPR_DEPTH, 100),
        (SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (SQLITE_LIMIT_FUNCTION_ARG, 32),
        (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (SQLITE_LIMIT_VARIABLE_NUMBER, 2_000),
        (SQLITE_LIMIT_TRIGGER_DEPTH, 10),
        (SQLITE_LIMIT_WORKER_THREADS, 0),
    ]
}

extension UInt8 {
    fileprivate var isASCIILetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
