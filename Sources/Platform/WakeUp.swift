import CLinux
import Glibc

/// Lets one thread rest for a time, unless another wakes it.
public final class WakeUp: Sendable {
    private let signal: EventSignal

    public init() throws { signal = try EventSignal(blocking: false) }

    public func raise() { signal.raise() }

    /// Returns after `milliseconds`, or at once when raised since the last call.
    public func wait(milliseconds: Int64) {
        var descriptor = pollfd(fd: signal.number, events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0 { signal.wait() }
    }
}
