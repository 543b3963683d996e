import Glibc
import Platform

/// The loops' threads: tells when all have started, or why one could not, and when all have ended.
final class Crew: Sendable {
    private struct State {
        var starting: Int
        var running: Int
        var failure: (any Error)?
    }

    private let state: Locked<State>
    private let started: EventSignal
    private let ended: EventSignal

    init(_ count: Int) throws {
        state = Locked(State(starting: count, running: count))
        started = try EventSignal(blocking: true)
        ended = try EventSignal(blocking: true)
    }

    /// Starts a thread that makes its loop and runs it. What cannot be made is told by
    /// `waitForStart`.
    func start(_ name: String, _ make: @escaping @Sendable () throws -> Loop) {
        do {
            _ = try Thread(name) { [self] in
                pthread_detach(pthread_self())
                run(make)
                leave()
            }
        } catch {
            arrive(error)
            leave()
        }
    }

    /// Returns when every thread has made its loop; throws what the first failed with.
    func waitForStart() throws {
        started.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// Returns when every thread has ended. Any number of threads may wait.
    func waitForEnd() {
        ended.wait()
        ended.raise()
    }

    private func run(_ make: () throws -> Loop) {
        do {
            let loop = try make()
            arrive(nil)
            loop.run()
        } catch {
            arrive(error)
        }
    }

    private func arrive(_ failure: (any Error)?) {
        let isLast = state.withLock { state in
            state.failure = state.failure ?? failure
            state.starting -= 1
            return state.starting == 0
        }
        if isLast { started.raise() }
    }

    private func leave() {
        let isLast = state.withLock { state in
            state.running -= 1
            return state.running == 0
        }
        if isLast { ended.raise() }
    }
}
