import Glibc
import Platform

/// What a server is made of.
public struct ServerConfiguration: Sendable {
    public var listeners: [ListenAddress]
    /// Event loops, one thread each; at least 1 runs.
    public var loops: Int
    public var limits: Limits

    public init(
        listeners: [ListenAddress], loops: Int = usableCores(), limits: Limits = Limits()
    ) {
        self.listeners = listeners
        self.loops = loops
        self.limits = limits
    }
}

/// Listens, and answers requests through one handler per loop. Starts when made.
public final class Server: Sendable {
    /// Binds the listeners and starts the loops. `makeHandler` is called once in each loop's thread with the
    /// loop's index; what it throws, and whatever cannot be bound, is thrown here.
    public init(
        configuration: ServerConfiguration,
        makeHandler: @escaping @Sendable (Int) throws -> any RequestHandler
    ) throws {}

    /// The bound addresses, one per configured listener, with the real port where 0 was asked for.
    public var addresses: [String] { [] }
    /// The bound ports, one per configured listener; 0 for Unix-domain sockets.
    public var ports: [Int] { [] }
    /// Stops accepting, closes resting connections, answers what is in flight with Connection: close. Bounded
    /// by `Limits.drainSeconds`. Returns at once; calling it again changes nothing.
    public func drain() {}
    /// Returns when all loops have ended, which they do after `drain`.
    public func wait() {}
    public var statistics: ServerStatistics { ServerStatistics() }
}
