import CSQLite
import Glibc
import Model
import Platform
import Synchronization

/// The one SQLite file: opened by one process, written by one thread, read by many.
///
/// It owns the lock file, the writer thread and the threads for long reads. `makeReader` hands each
/// loop its own read-only connection; every write goes through `write` or an `Intake`.
public final class Database: Sendable {
    let path: String
    let settings: DatabaseSettings
    private let queue: WriteQueue
    private let writer: WriterThread
    private let longReads: LongReads
    private let pageReads: LongReads
    private let lock: ProcessLock
    private let identity: FileDoor.Identity?
    /// Whether there was none, so that it was made.
    public let isNew: Bool

    /// Opens the file, creating it when it is missing and may be, recovers it after a crash and
    /// brings its schema up to date. Throws `OpeningRefusal` with a sentence for the operator, or
    /// `DatabaseFault`.
    public init(
        path: String, migrations: [Migration], settings: DatabaseSettings = .init(),
        clock: Clock = .system
    ) throws {
        // One lock for one file, whatever link leads to it.
        let path = FileDoor.resolved(path)
        self.path = path
        self.settings = settings
        try FileDoor.checkDirectory(of: path)
        lock = try ProcessLock(databasePath: path)
        isNew = try FileDoor.check(path, settings)
        queue = try WriteQueue(limit: settings.queuedJobsMax)
        longReads = try LongReads(
            path: path, settings: settings, name: "long-read", threads: settings.longReadThreads,
            queuedMax: settings.queuedLongReadsMax)
        pageReads = try LongReads(
            path: path, settings: settings, name: "page-read", threads: settings.pageReadThreads,
            queuedMax: settings.queuedPageReadsMax)
        writer = try WriterThread(
            path: path, migrations: migrations, settings: settings, clock: clock, queue: queue)
        identity = FileDoor.identity(of: path)
    }

    deinit { close() }

    /// Announces a stream of items; `make` runs on the writer thread in `start`, and may read. Only
    /// before `start`. `limit` is the number of items that may wait.
    public func addSink<Sink: BatchSink>(
        limit: Int, make: @escaping @Sendable (Reader) throws -> Sink
    ) -> Intake<Sink.Item> {
        let intake = Intake<Sink.Item>(limit: limit, doorbell: queue.doorbell)
        writer.addSink { TypedSinkRunner(try make($0), intake) }
        return intake
    }

    /// Begins to serve writes and long reads. Throws what a sink's `make` threw.
    public func start() throws {
        try longReads.start()
        try pageReads.start()
        try writer.start()
    }

    /// A read-only connection for the thread that asks.
    public func makeReader() throws -> Reader {
        try checkFile()
        return Reader(
            try Connection(
                path: path, access: .reader, busyMilliseconds: settings.busyMilliseconds))
    }

    /// Queues a write. `body` runs on the writer thread in a savepoint of its own; `completion`
    /// follows there once the batch is committed or lost, and must be short. False when the queue
    /// is full or the database is not open for writes: then neither is called.
    public func write(
        _ body: @escaping @Sendable (Transaction) throws -> Void,
        completion: @escaping @Sendable (WriteOutcome) -> Void
    ) -> Bool {
        let accepted = leave(body, completion: completion)
        if accepted { callWriter() }
        return accepted
    }

    /// As `write`, without calling the writer: `callWriter` must follow. A loop leaves what a turn
    /// brings and calls once, so that more writes share a commit and its sync.
    public func leave(
        _ body: @escaping @Sendable (Transaction) throws -> Void,
        completion: @escaping @Sendable (WriteOutcome) -> Void
    ) -> Bool {
        queue.leave(WriteJob(body: body, completion: completion))
    }

    /// Wakes the writer for what was left, if it sleeps.
    public func callWriter() { queue.doorbell.ring() }

    /// Writes and waits for the commit; for commands, jobs and tests, never on a loop, and never on
    /// the writer thread. Throws what `body` threw, or the `DatabaseFault` that lost the batch.
    public func perform<T: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> T
    ) throws -> T {
        let result = Locked<T?>(nil)
        let outcome = Locked<WriteOutcome?>(nil)
        let done = try EventSignal(blocking: true)
        let accepted = write { transaction in
            let value = try body(transaction)
            result.withLock { $0 = value }
        } completion: { told in
            outcome.withLock { $0 = told }
            done.raise()
        }
        guard accepted else { throw DatabaseFault(operation: "write queue", code: SQLITE_BUSY) }
        done.wait()
        switch outcome.withLock({ $0 }) {
        case .failed(let error): throw error
        case .notCommitted(let fault): throw fault
        case .committed, nil: break
        }
        guard let value = result.withLock({ $0 }) else {
            throw DatabaseFault(operation: "write", code: SQLITE_INTERNAL)
        }
        return value
    }

    /// Queues a read that may take long, for a thread of its own kind. Its statements fail with
    /// `isInterrupted` past the deadline. False when the queue is full; one that goes on with what
    /// was begun (`isContinued`) always has a place, so its caller bounds how many there are.
    public func longRead(
        isContinued: Bool = false, _ body: @escaping @Sendable (Reader) -> Void
    ) -> Bool {
        longReads.push(isContinued: isContinued, body)
    }

    /// Queues a read of one page, which must not wait for the long ones; as `longRead` in all else.
    public func pageRead(_ body: @escaping @Sendable (Reader) -> Void) -> Bool {
        pageReads.push(isContinued: false, body)
    }

    /// Refuses to open what is not the file that the writer has open. SQLite would take an empty
    /// one for a new database, and delete the log, which holds perhaps the last of the old one.
    func checkFile() throws {
        guard FileDoor.identity(of: path) == identity else {
            throw DatabaseFault(
                operation: "the file at \(path) is not the database that is open",
                code: DatabaseFault.moved)
        }
    }

    var commits: UInt64 { queue.commits.load(ordering: .acquiring) }

    /// Rises with each commit that changed the configuration, before the commit's completions run.
    /// What a loop keeps in memory is valid while this is what it was before it read.
    public var configurationGeneration: UInt64 {
        queue.configurationGeneration.load(ordering: .acquiring)
    }

    public var statistics: DatabaseStatistics {
        var statistics = queue.statistics.withLock { $0 }
        statistics.queueDepth = queue.depth
        var info = stat()
        statistics.logBytes = stat(path + "-wal", &info) == 0 ? Int64(info.st_size) : 0
        return statistics
    }

    /// Whether writes succeed, and if not, why, in words for an operator.
    public var health: (writable: Bool, reason: String?) {
        let started = queue.batchStarted.load(ordering: .relaxed)
        if started != 0 {
            let seconds = MonotonicInstant.now().seconds(
                since: MonotonicInstant(nanoseconds: started))
            if seconds > settings.stuckSeconds {
                return (false, "a write batch has been running for \(Int(seconds)) s")
            }
        }
        let failure = queue.statistics.withLock { $0.writeFailure }
        return (failure == nil, failure)
    }

    /// Refuses new writes, finishes the queued ones, copies the log into the file, ends the threads
    /// and gives up the lock. A second call does nothing.
    public func close() {
        longReads.close()
        pageReads.close()
        writer.close()
        lock.release()
    }
}
