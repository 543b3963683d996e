import CSQLite
import Platform
import Synchronization

/// A few threads for reads that take long, each with its own connection, so that a report never
/// holds up a redirect.
final class LongReads: Sendable {
    private struct State {
        var jobs: [@Sendable (Reader) -> Void] = []
        var isOpen = false
    }

    private let path: String
    private let settings: DatabaseSettings
    private let name: String
    private let threadCount: Int
    private let queuedMax: Int
    private let state = Locked(State())
    private let threads = JoinableThreads()
    private let isClosing = Atomic<Bool>(false)
    private let signal: EventSignal

    init(
        path: String, settings: DatabaseSettings, name: String, threads: Int, queuedMax: Int
    ) throws {
        self.path = path
        self.settings = settings
        self.name = name
        threadCount = threads
        self.queuedMax = queuedMax
        signal = try EventSignal(blocking: true)
    }

    func start() throws {
        state.withLock { $0.isOpen = true }
        for number in 0..<threadCount {
            let reader = try DeadlineReader(path: path, settings: settings, owner: self)
            threads.keep(try Thread("\(name)-\(number)") { [self] in serve(reader) })
        }
    }

    func push(isContinued: Bool, _ job: @escaping @Sendable (Reader) -> Void) -> Bool {
        let accepted = state.withLock { state in
            guard state.isOpen, isContinued || state.jobs.count < queuedMax
            else { return false }
            state.jobs.append(job)
            return true
        }
        if accepted { signal.raise() }
        return accepted
    }

    /// Interrupts the reads that run and those that wait, each of which learns of it, and ends the
    /// threads.
    func close() {
        isClosing.store(true, ordering: .relaxed)
        state.withLock { $0.isOpen = false }
        signal.raise()
        threads.join()
    }

    var isEnding: Bool { isClosing.load(ordering: .relaxed) }

    private func serve(_ reader: DeadlineReader) {
        lowerThreadPriority()
        while true {
            signal.wait()
            while let job = next() { reader.run(job) }
            if !state.withLock({ $0.isOpen }) {
                // The end is passed on as well.
                signal.raise()
                return
            }
        }
    }

    /// The next read; the signal is passed on when others are left for other threads.
    private func next() -> (@Sendable (Reader) -> Void)? {
        let (job, isMore) = state.withLock { state in
            (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), !state.jobs.isEmpty)
        }
        if isMore { signal.raise() }
        return job
    }
}

/// A reader whose statements are interrupted once their time is over.
private final class DeadlineReader {
    private let reader: Reader
    private let deadline: Deadline
    private let seconds: UInt64

    private final class Deadline {
        var instant = MonotonicInstant(nanoseconds: .max)
        unowned let owner: LongReads
        init(_ owner: LongReads) { self.owner = owner }

        var isOver: Bool { owner.isEnding || MonotonicInstant.now() > instant }
    }

    init(path: String, settings: DatabaseSettings, owner: LongReads) throws {
        deadline = Deadline(owner)
        seconds = settings.longReadSeconds
        let connection = try Connection(
            path: path, access: .reader, busyMilliseconds: settings.busyMilliseconds)
        reader = Reader(connection)
        reader.breather = Breather()
        // Asked every 10 000 steps of SQLite's virtual machine: about a millisecond.
        sqlite3_progress_handler(
            connection.handle, 10_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Deadline>.fromOpaque(context).takeUnretainedValue().isOver ? 1 : 0
            }, Unmanaged.passUnretained(deadline).toOpaque())
    }

    deinit { sqlite3_progress_handler(reader.connection.handle, 0, nil, nil) }

    func run(_ job: (Reader) -> Void) {
        deadline.instant = MonotonicInstant.now().advanced(byMilliseconds: seconds &* 1_000)
        job(reader)
    }
}

/// Has long work make way for others on its core several thousand times a second: a redirect that
/// shares the core would otherwise wait for the scheduler's whole slice, some milliseconds.
final class Breather {
    private static let pieceNanoseconds: UInt64 = 200_000

    private var next = MonotonicInstant.now()

    func breathe() {
        guard MonotonicInstant.now() > next else { return }
        yieldThread()
        next = MonotonicInstant(
            nanoseconds: MonotonicInstant.now().nanoseconds &+ Breather.pieceNanoseconds)
    }
}
