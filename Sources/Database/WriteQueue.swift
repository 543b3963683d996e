import Glibc
import Model
import Platform
import Synchronization

/// What became of a write.
public enum WriteOutcome: Sendable {
    /// It is on the disk.
    case committed
    /// The job threw this error: what it did is undone, alone.
    case failed(any Error)
    /// The batch could not be committed: nothing of it is there, and a retry may succeed.
    case notCommitted(DatabaseFault)
}

/// A write that waits for the writer.
struct WriteJob: Sendable {
    let body: @Sendable (Transaction) throws -> Void
    let completion: @Sendable (WriteOutcome) -> Void
}

/// What the writer thread shares with all others: the jobs that wait, the door bell, and what is
/// known of the writer from outside.
final class WriteQueue: Sendable {
    struct State {
        var jobs: [WriteJob] = []
        /// Jobs accepted whose outcome is not yet told.
        var outstanding = 0
        var isOpen = false
        var isClosing = false
    }

    let doorbell: Doorbell
    let statistics = Locked(DatabaseStatistics())
    let configurationGeneration = Atomic<UInt64>(0)
    /// Rises with each commit, before anybody is told of it.
    let commits = Atomic<UInt64>(0)
    /// CLOCK_MONOTONIC at the beginning of the batch that runs; 0 between batches.
    let batchStarted = Atomic<UInt64>(0)
    private let state = Locked(State())
    private let limit: Int

    init(limit: Int) throws {
        self.limit = limit
        doorbell = try Doorbell()
    }

    /// The writer is not called: a ring of the door bell must follow.
    func leave(_ job: WriteJob) -> Bool {
        state.withLock { state in
            guard state.isOpen, state.outstanding < limit else { return false }
            state.outstanding += 1
            state.jobs.append(job)
            return true
        }
    }

    func open() { state.withLock { $0.isOpen = !$0.isClosing } }

    /// Accepts nothing more and wakes the writer, which does what is left and ends.
    func close() {
        state.withLock {
            $0.isOpen = false
            $0.isClosing = true
        }
        doorbell.ring()
    }

    var hasJobs: Bool { state.withLock { !$0.jobs.isEmpty } }

    var isClosing: Bool { state.withLock { $0.isClosing } }

    var depth: Int { state.withLock { $0.outstanding } }

    /// Swaps everything that waits for the emptied `jobs`.
    func take(into jobs: inout [WriteJob]) {
        state.withLock { swap(&$0.jobs, &jobs) }
    }

    func finished(_ count: Int) {
        state.withLock { $0.outstanding -= count }
    }
}

/// Wakes the one thread that sleeps on it, and costs no system call while that thread is awake.
final class Doorbell: Sendable {
    private let isSleeping = Atomic<Bool>(false)
    private let signal: EventSignal

    init() throws { signal = try EventSignal(blocking: true) }

    /// To be called after the work is in its queue, under the queue's lock.
    func ring() {
        // The sleeper says that it sleeps before it looks at the queues a last time: either it sees
        // the work there, or this sees it asleep.
        if isSleeping.load(ordering: .sequentiallyConsistent),
            isSleeping.exchange(false, ordering: .sequentiallyConsistent)
        {
            signal.raise()
        }
    }

    /// Sleeps until the bell rings or `milliseconds` have passed (-1: however long it takes). Does
    /// not sleep when `hasWork` says so. Returns false when the time ran out.
    func sleep(milliseconds: Int32, unless hasWork: () -> Bool) -> Bool {
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        defer { isSleeping.store(false, ordering: .sequentiallyConsistent) }
        if hasWork() { return true }
        return signal.wait(milliseconds: milliseconds)
    }
}

extension EventSignal {
    /// Like `wait`, for at most `milliseconds` (-1: however long it takes). False when the time ran
    /// out.
    func wait(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        guard milliseconds < 0 || poll(&entry, 1, milliseconds) > 0 else { return false }
        wait()
        return true
    }
}
