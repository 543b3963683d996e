import CSQLite
import Model
import Platform

/// The writer's thread as others see it: starts it, tells it to serve, waits for its end.
///
/// The writer itself is made inside the thread and never leaves it.
final class WriterThread: Sendable {
    private struct State {
        var sinks: [@Sendable (Reader) throws -> any SinkRunner] = []
        var mayServe = false
        var failure: (any Error)?
    }

    private let queue: WriteQueue
    private let state = Locked(State())
    private let threads = JoinableThreads()
    /// Raised by the thread when it has done what it was told.
    private let answer: EventSignal
    /// Raised by others when the state has changed.
    private let order: EventSignal

    /// Starts the thread, which opens the file and brings its schema up to date; waits for that.
    init(
        path: String, migrations: [Migration], settings: DatabaseSettings, clock: Clock,
        queue: WriteQueue
    ) throws {
        self.queue = queue
        answer = try EventSignal(blocking: true)
        order = try EventSignal(blocking: true)
        threads.keep(
            try Thread("writer") { [self] in
                open(path, migrations, settings, clock)
            })
        try awaitAnswer()
    }

    func addSink(_ make: @escaping @Sendable (Reader) throws -> any SinkRunner) {
        state.withLock { $0.sinks.append(make) }
    }

    /// Has the sinks made and the queue opened.
    func start() throws {
        state.withLock { $0.mayServe = true }
        order.raise()
        try awaitAnswer()
    }

    func close() {
        queue.close()
        order.raise()
        threads.join()
    }

    private func awaitAnswer() throws {
        answer.wait()
        if let failure = state.withLock({ $0.failure }) {
            threads.join()
            throw failure
        }
    }

    /// The thread's whole life.
    private func open(
        _ path: String, _ migrations: [Migration], _ settings: DatabaseSettings, _ clock: Clock
    ) {
        do {
            let writer = try Writer(
                path: path, migrations: migrations, settings: settings, clock: clock, queue: queue)
            answer.raise()
            order.wait()
            let state = state.withLock { $0 }
            if state.mayServe {
                try writer.makeSinks(state.sinks)
                queue.open()
                answer.raise()
                writer.serve()
            }
            writer.close()
        } catch {
            self.state.withLock { $0.failure = error }
            answer.raise()
        }
    }
}
