import CSQLite
import Model
import Platform

/// The writer's transaction as a job sees it: everything a `Reader` can, and changes. It lives on
/// the writer thread and is lent to one job at a time; a job must not keep it.
///
/// What a job does stands or falls together: it runs in a savepoint of its own inside the batch.
public final class Transaction: Reader {
    /// The only clock of a write: the larger of the system's clock and the last committed instant,
    /// across restarts too, and the same for the whole batch.
    public internal(set) var now = Instant(milliseconds: 0)

    private var random = RandomPool()
    private let savepoint: Statement
    private let release: Statement
    private let rollback: Statement
    private(set) var isConfigurationChanged = false
    private var commitActions: [() -> Void] = []
    private var memory: [Remembered: any Sendable] = [:]
    private var mark = (isConfigurationChanged: false, commitActions: 0)

    init(writingOn connection: Connection) throws {
        savepoint = try connection.statement("SAVEPOINT job")
        release = try connection.statement("RELEASE job")
        rollback = try connection.statement("ROLLBACK TO job")
        super.init(connection)
    }

    /// Runs an INSERT, UPDATE or DELETE; rows it returns are passed over.
    public func run(_ sql: StaticString, _ values: any SQLConvertible...) throws {
        try checkUsable()
        try connection.statement(sql).run(values) { try $0.finish() }
    }

    public func run(_ query: Query) throws {
        try checkUsable()
        try connection.statement(text: query.text).run(query.values) { try $0.finish() }
    }

    /// Rows that the last statement changed, without those changed by triggers and foreign keys.
    public var changes: Int { Int(sqlite3_changes(connection.handle)) }

    /// A new identifier of this instant.
    public func makeID<Kind>(
        _ type: Identifier<Kind>.Type = Identifier<Kind>.self
    ) -> Identifier<Kind> {
        Identifier(at: now, using: &random)
    }

    /// Undoes everything the job did so far, its wishes for after the commit included; the job goes
    /// on.
    public func undo() throws {
        try checkUsable()
        try rollback.runAlone()
        forgetWishes()
    }

    /// Says that what the loops keep in memory is out of date once this commits.
    public func markConfigurationChanged() { isConfigurationChanged = true }

    /// What `load` reads of `id`, kept from one transaction to the next while no configuration
    /// changes: for rows of which every change is marked with `markConfigurationChanged`. What is
    /// not there is not kept.
    public func remembering<Kind, Value: Sendable>(
        _ id: Identifier<Kind>, _ load: () throws -> Value?
    ) throws -> Value? {
        // What this batch has changed may still be undone.
        guard !isConfigurationChanged else { return try load() }
        let key = Remembered(high: id.high, low: id.low)
        if let known = memory[key] as? Value { return known }
        guard let value = try load() else { return nil }
        if memory.count >= Self.memoryMax { memory.removeAll(keepingCapacity: true) }
        memory[key] = value
        return value
    }

    /// Rows kept at most; at about 500 bytes each, half a megabyte.
    private static let memoryMax = 1_000

    private struct Remembered: Hashable {
        let high: UInt64
        let low: UInt64
    }

    /// Has `body` run on the writer thread once the batch is committed, and not otherwise.
    public func afterCommit(_ body: @escaping () -> Void) { commitActions.append(body) }

    /// After a failure that ended the transaction, a statement would commit by itself: refused.
    override func checkUsable() throws {
        if connection.isAutocommit {
            throw DatabaseFault(operation: "transaction is gone", code: SQLITE_ABORT)
        }
    }
}

extension Transaction {
    func begin(at instant: Instant) {
        now = instant
        if isConfigurationChanged { memory.removeAll(keepingCapacity: true) }
        isConfigurationChanged = false
        commitActions.removeAll(keepingCapacity: true)
    }

    /// Runs `body` in a savepoint; an error undoes what it did, and is returned.
    func runInSavepoint(_ body: (Transaction) throws -> Void) -> (any Error)? {
        mark = (isConfigurationChanged, commitActions.count)
        do {
            try savepoint.runAlone()
        } catch {
            return error
        }
        do {
            try body(self)
            try checkUsable()
            try checkDeferredKeys()
            try release.runAlone()
            return nil
        } catch {
            forgetWishes()
            if !connection.isAutocommit {
                // When even this fails the batch must not be committed.
                do {
                    try rollback.runAlone()
                    try release.runAlone()
                } catch {
                    try? connection.execute("ROLLBACK")
                }
            }
            return error
        }
    }

    /// What the jobs of the committed batch asked for.
    func takeCommitActions() -> [() -> Void] {
        defer { commitActions.removeAll(keepingCapacity: true) }
        return commitActions
    }

    private func forgetWishes() {
        isConfigurationChanged = mark.isConfigurationChanged
        commitActions.removeSubrange(mark.commitActions...)
    }

    /// A deferred foreign key left open would fail the COMMIT, and with it every other job of the
    /// batch.
    private func checkDeferredKeys() throws {
        var open: Int32 = 0
        var peak: Int32 = 0
        sqlite3_db_status(
            connection.handle, SQLITE_DBSTATUS_DEFERRED_FKS, &open, &peak, 0)
        if open != 0 {
            throw DatabaseFault(
                operation: "deferred foreign keys", code: csqlite_constraint_foreign_key)
        }
    }
}
