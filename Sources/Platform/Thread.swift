import CLinux
import Glibc

/// A POSIX thread that runs one closure to its end. Objects made inside the closure never leave it.
public struct Thread: ~Copyable {
    private let handle: pthread_t

    /// Starts a thread named `name` (15 bytes at most are kept).
    public init(_ name: String, _ body: sending @escaping () -> Void) throws {
        let box = Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                clinux_name_thread(String(start.name.prefix(15)))
                start.body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemError("pthread_create", code: code)
        }
        self.handle = handle
    }

    /// Waits for the thread's end.
    public consuming func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread end by itself.
    public consuming func detach() {
        pthread_detach(handle)
    }

    /// The handle, for somebody who joins it later.
    public consuming func release() -> pthread_t { handle }

    private final class Start {
        let name: String
        let body: () -> Void
        init(name: String, body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

/// Has the calling thread give way to others: for long work that nobody waits for in person. (On
/// Linux the niceness is the thread's own, setpriority(2).)
public func lowerThreadPriority() {
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
}

/// Lets whoever waits for this core go first: what long work does between its small pieces, so that
/// a visitor waits for one piece at most.
public func yieldThread() { _ = sched_yield() }

/// The number of cores this process may use.
public func usableCores() -> Int { Int(clinux_usable_cores()) }
