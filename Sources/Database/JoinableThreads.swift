import Platform

/// Threads that are to be waited for, once, by whoever closes what they serve.
///
/// Sendable without the compiler's proof: `Thread` cannot be stored in a `Locked` (it cannot be
/// copied), so `threads` is reached only while `turn` is held.
final class JoinableThreads: @unchecked Sendable {
    private final class Kept {
        var thread: Thread?
        init(_ thread: consuming Thread) { self.thread = consume thread }
    }

    private let turn = Locked(())
    private var threads: [Kept] = []

    func keep(_ thread: consuming Thread) {
        let kept = Kept(thread)
        turn.withLock { _ in threads.append(kept) }
    }

    /// Waits for the end of all; a second call finds none.
    func join() {
        let all = turn.withLock { _ in
            defer { threads = [] }
            return threads
        }
        for kept in all { kept.thread.take()?.join() }
    }
}
