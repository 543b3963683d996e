import CSQLite
import Model
import Platform
import Synchronization

/// The writer: takes everything that waits, runs it in one transaction, commits once with a sync of
/// the disk, then tells each job what became of it. Owns the only read-write connection. Confined
/// to its thread.
final class Writer {
    private struct Finished {
        let job: WriteJob
        let error: (any Error)?
    }

    private let connection: Connection
    private let transaction: Transaction
    private let log: LogKeeper
    private let watch: FileWatch
    private let queue: WriteQueue
    private let settings: DatabaseSettings
    private var clock: CommitClock
    private var sinks: [any SinkRunner] = []
    /// Jobs taken from the queue; those before `next` have run.
    private var taken: [WriteJob] = []
    private var next = 0
    private var finished: [Finished] = []
    private var hasFailedWrite = false
    /// The last instant as the file has it.
    private var stored: Instant

    /// Opens the file, recovers it and brings its schema up to date.
    init(
        path: String, migrations: [Migration], settings: DatabaseSettings, clock: Clock,
        queue: WriteQueue
    ) throws {
        self.queue = queue
        self.settings = settings
        connection = try OpeningRefusal.translating(path) {
            let connection = try Connection.openWriter(
                path: path, busyMilliseconds: settings.busyMilliseconds)
            try Migrator(
                connection: connection, path: path, migrations: migrations, now: clock.now()
            ).run()
            return connection
        }
        transaction = try Transaction(writingOn: connection)
        watch = try FileWatch(path: path, connection)
        log = LogKeeper(connection, settings, watch, queue.statistics)
        let last = try connection.integer("SELECT last_instant FROM writer_clock WHERE id = 1")
        stored = Instant(milliseconds: last)
        self.clock = CommitClock(clock: clock, last: Instant(milliseconds: last))
        if last != 0 {
            queue.statistics.withLock { $0.lastCommit = Instant(milliseconds: last) }
        }
    }

    func makeSinks(_ makers: [@Sendable (Reader) throws -> any SinkRunner]) throws {
        let reader = Reader(connection)
        sinks = try makers.map { try $0(reader) }
    }

    /// Runs batches until the queue is closed and nothing is left.
    func serve() {
        var isIntakeOpen = true
        while true {
            if hasWork {
                runBatch()
                log.afterBatch()
            } else if !queue.isClosing {
                rest()
            } else if isIntakeOpen {
                // What was accepted before this is written still.
                for sink in sinks { sink.close() }
                isIntakeOpen = false
            } else {
                return
            }
        }
    }

    func close() {
        log.emptyAtClose()
    }

    private var hasWork: Bool {
        next < taken.count || queue.hasJobs || sinks.contains { $0.hasItems }
    }

    /// Sleeps until there is work, and uses a moment without any for the log.
    private func rest() {
        let isCalled = { self.hasWork || self.queue.isClosing }
        var hasCopied = false
        var milliseconds = settings.idleMilliseconds
        while true {
            if !log.wantsCopy, !log.wantsEmptying, !hasFailedWrite { milliseconds = -1 }
            if sleep(milliseconds, unless: isCalled) { return }
            if !hasCopied, log.wantsCopy {
                log.copyWhileIdle()
            } else if hasCopied {
                // Without traffic nothing else would find out that the disk has space again.
                if hasFailedWrite { runBatch(isProbe: true) }
                if log.wantsEmptying { log.emptyWhileIdle() }
            }
            hasCopied = true
            // A reader that stays in the log is asked ever more rarely.
            milliseconds =
                milliseconds < settings.restMilliseconds
                ? settings.restMilliseconds : min(milliseconds * 2, settings.restMilliseconds * 32)
            if hasFailedWrite { milliseconds = settings.restMilliseconds }
        }
    }

    /// Sleeps for `milliseconds` (-1: however long it takes), and looks after the file every second
    /// of it. True when there is work.
    private func sleep(_ milliseconds: Int32, unless isCalled: () -> Bool) -> Bool {
        var left = milliseconds
        while true {
            let most = Int32(FileWatch.milliseconds)
            let piece = left < 0 ? most : min(left, most)
            if queue.doorbell.sleep(milliseconds: piece, unless: isCalled) { return true }
            let isSound = lookAfterFile()
            if left >= 0 { left -= piece }
            if left == 0 || !isSound && milliseconds < 0 { return false }
        }
    }

    private func lookAfterFile() -> Bool {
        do {
            try watch.check(logPages: log.pages)
            return true
        } catch {
            hasFailedWrite = true
            let reason = (error as? DatabaseFault)?.words
            queue.statistics.withLock { $0.writeFailure = reason }
            return false
        }
    }
}

// One batch.
extension Writer {
    /// Runs everything that waits, within bounds, in one transaction. A probe writes the clock
    /// alone, to find out whether writes succeed again.
    private func runBatch(isProbe: Bool = false) {
        let started = MonotonicInstant.now()
        queue.batchStarted.store(max(1, started.nanoseconds), ordering: .relaxed)
        defer { queue.batchStarted.store(0, ordering: .relaxed) }
        let (now, jump) = clock.next(started)
        if let jump { report(jump) }
        transaction.begin(at: now)
        var batch = Batch()
        do {
            try begin(&batch)
            let before = sqlite3_total_changes64(connection.handle)
            try runJobs(&batch)
            try runSinks(&batch)
            batch.isChanged = sqlite3_total_changes64(connection.handle) != before
            // The last instant must outlive a restart; a batch that changed nothing costs no sync.
            let isStored = isProbe || batch.isChanged && now > stored
            if isStored { try store(now) }
            let committing = MonotonicInstant.now()
            try connection.statement("COMMIT").runAlone()
            batch.commitSeconds = MonotonicInstant.now().seconds(since: committing)
            // Before anybody is told: what went into a file that is gone was not kept.
            try watch.check(logPages: log.pages)
            clock.committed(now)
            if isStored { stored = now }
        } catch {
            batch.lost =
                error as? DatabaseFault
                ?? DatabaseFault(operation: "batch", code: SQLITE_INTERNAL)
            // A failure may have ended the transaction already (sqlite.org/lang_transaction.html).
            if !connection.isAutocommit { try? connection.execute("ROLLBACK") }
        }
        if let fault = batch.lost ?? batch.fault {
            hasFailedWrite = true
            record(batch, failure: fault.words)
        } else {
            if isProbe || batch.isChanged { hasFailedWrite = false }
            record(batch, failure: nil)
        }
        conclude(batch.lost)
    }

    private func begin(_ batch: inout Batch) throws {
        do {
            try watch.check(logPages: log.pages)
            try connection.statement("BEGIN IMMEDIATE").runAlone()
        } catch {
            // Whoever waited had its chance; else a lock that nobody gives up would hold them for
            // ever.
            while finished.count < settings.batchJobsMax, let job = nextJob() {
                finished.append(Finished(job: job, error: nil))
            }
            for sink in sinks { batch.items += sink.skip(atMost: settings.batchItemsMax) }
            throw error
        }
    }

    /// Runs jobs until none waits or the batch is full. Throws when the transaction is lost; what
    /// has not run by then waits for the next batch.
    private func runJobs(_ batch: inout Batch) throws {
        let end = MonotonicInstant.now().advanced(byMilliseconds: settings.batchMilliseconds)
        while finished.count < settings.batchJobsMax, let job = nextJob() {
            let error = transaction.runInSavepoint(job.body)
            finished.append(Finished(job: job, error: error))
            if let error { try batch.note(error, isLost: connection.isAutocommit) }
            if MonotonicInstant.now() > end { break }
        }
    }

    private func runSinks(_ batch: inout Batch) throws {
        for sink in sinks {
            let (count, error) = sink.process(
                atMost: settings.batchItemsMax, in: transaction)
            batch.items += count
            if let error { try batch.note(error, isLost: connection.isAutocommit) }
        }
    }

    private func nextJob() -> WriteJob? {
        if next == taken.count {
            taken.removeAll(keepingCapacity: taken.capacity <= settings.batchJobsMax)
            next = 0
            queue.take(into: &taken)
            if taken.isEmpty { return nil }
        }
        next += 1
        return taken[next - 1]
    }

    private func store(_ now: Instant) throws {
        try connection.statement("UPDATE writer_clock SET last_instant = ? WHERE id = 1")
            .run([now]) { try $0.finish() }
    }

    /// Tells everybody what became of the batch.
    private func conclude(_ lost: DatabaseFault?) {
        let actions = transaction.takeCommitActions()
        if lost == nil {
            // First: whoever sees a new configuration reads it from a view that has it.
            queue.commits.add(1, ordering: .releasing)
            if transaction.isConfigurationChanged {
                queue.configurationGeneration.add(1, ordering: .releasing)
            }
            for action in actions { action() }
        }
        queue.finished(finished.count)
        for one in finished {
            if let lost {
                one.job.completion(.notCommitted(lost))
            } else if let error = one.error {
                one.job.completion(.failed(error))
            } else {
                one.job.completion(.committed)
            }
        }
        finished.removeAll(keepingCapacity: true)
        for sink in sinks { sink.conclude(lost) }
        settings.onBatchEnd?()
    }

    private func record(_ batch: Batch, failure: String?) {
        queue.statistics.withLock {
            $0.batches += 1
            $0.jobs += UInt64(finished.count)
            $0.items += UInt64(batch.items)
            $0.batchSize.observe(Double(finished.count + batch.items))
            if batch.lost == nil {
                $0.commitSeconds.observe(batch.commitSeconds)
                $0.lastCommit = clock.last
            } else {
                $0.lostBatches += 1
            }
            if failure != nil || !hasFailedWrite { $0.writeFailure = failure }
        }
    }

    private func report(_ jump: String) {
        queue.statistics.withLock { $0.clockJumps += 1 }
        settings.onNotice?(jump)
    }
}

/// What a batch did so far.
private struct Batch {
    var items = 0
    var isChanged = false
    var commitSeconds = 0.0
    /// Nothing of the batch is committed, for this reason.
    var lost: DatabaseFault?
    /// A job failed for want of the disk, and the batch survived it.
    var fault: DatabaseFault?

    /// Takes a job's error down. Throws when the transaction went with it.
    mutating func note(_ error: any Error, isLost: Bool) throws {
        guard let fault = error as? DatabaseFault else {
            if isLost { throw DatabaseFault(operation: "transaction is gone", code: SQLITE_ABORT) }
            return
        }
        if isLost { throw fault }
        switch fault.primaryCode {
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_READONLY: self.fault = fault
        default: break
        }
    }
}
