import CLinux
import Glibc

/// An eventfd: wakes a thread that waits in epoll, or blocks in `wait`.
public final class EventSignal: Sendable {
    /// Non-blocking when `blocking` is false (for epoll).
    private let descriptor: FileDescriptor

    public init(blocking: Bool) throws {
        let flags = Int32(EFD_CLOEXEC) | (blocking ? 0 : Int32(EFD_NONBLOCK))
        let number = eventfd(0, flags)
        guard number >= 0 else { throw SystemError("eventfd") }
        descriptor = FileDescriptor(owning: number)
    }

    /// The descriptor's number, to be registered with epoll. Owned by this object.
    public var number: Int32 { descriptor.number }

    /// Wakes the waiter; never blocks.
    public func raise() {
        var one: UInt64 = 1
        while write(descriptor.number, &one, 8) < 0 && errno == EINTR {}
    }

    /// Takes what was raised since the last call. A blocking signal waits for the first.
    public func wait() {
        var count: UInt64 = 0
        while read(descriptor.number, &count, 8) < 0 && errno == EINTR {}
    }
}
