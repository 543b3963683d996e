import Glibc

/// State that threads share under a lock: the only way shared mutable state exists in referrald.
///
/// A `pthread_mutex_t` on the heap rather than `Synchronization.Mutex`, because ThreadSanitizer
/// cannot see the latter's futex and reports races that are none.
///
/// Sendable without the compiler's proof: `state` is reached only inside `withLock`, between lock
/// and unlock of one mutex.
public final class Locked<State: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var state: State

    public init(_ initial: State) {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        state = initial
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    public func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
