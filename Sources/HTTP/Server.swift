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

/// Listens, and answers requests through one handler per loop. Starts when made, and runs until it
/// is drained, whether or not this object is kept.
public final class Server: Sendable {
    /// The bound addresses, one per configured listener, with the real port where 0 was asked for.
    public let addresses: [String]
    /// The bound ports, one per configured listener; 0 for Unix-domain sockets.
    public let ports: [Int]

    private let mailboxes: [Mailbox]
    private let counters: [LoopCounters]
    private let gauge: ConnectionGauge
    private let crew: Crew

    /// Binds the listeners and starts the loops. `makeHandler` is called once in each loop's thread
    /// with the loop's index; what it throws, and whatever cannot be bound, is thrown here.
    public init(
        configuration: ServerConfiguration,
        makeHandler: @escaping @Sendable (Int) throws -> any RequestHandler
    ) throws {
        let count = max(configuration.loops, 1)
        let limits = configuration.limits
        let sockets = try configuration.listeners.enumerated().map { index, address in
            try ListeningSocket.open(address, listener: index, loops: count)
        }
        addresses = sockets.map { $0[0].address }
        ports = sockets.map { $0[0].port }
        mailboxes = try (0..<count).map { _ in try Mailbox() }
        counters = (0..<count).map { _ in LoopCounters() }
        gauge = ConnectionGauge(
            limit: Self.connectionsMax(limits), overLimitMax: limits.connectionsOverLimitMax)
        crew = try Crew(count)
        for index in 0..<count {
            // Handed over, not shared: a socket must close when the loops let go of it.
            let own = Locked(sockets.map { $0.count > 1 ? $0[index] : $0[0] })
            let (mailbox, counters, gauge) = (mailboxes[index], counters[index], gauge)
            crew.start("http-\(index)") {
                try Loop(
                    listeners: own.withLock { sockets in
                        defer { sockets = [] }
                        return sockets
                    },
                    limits: limits, handler: makeHandler(index), mailbox: mailbox,
                    counters: counters, gauge: gauge, loops: count)
            }
        }
        do {
            try crew.waitForStart()
        } catch {
            drain()
            wait()
            throw error
        }
    }

    /// Wakes the loops for which answers were left with `Reply.leave`.
    public func deliver() {
        for mailbox in mailboxes { mailbox.call() }
    }

    /// Stops accepting, closes resting connections, answers what is in flight with Connection:
    /// close. Bounded by `Limits.drainSeconds`. Returns at once; calling it again changes nothing.
    public func drain() {
        for mailbox in mailboxes { mailbox.post(.drain) }
    }

    /// Returns when all loops have ended, which they do after `drain`.
    public func wait() {
        crew.waitForEnd()
    }

    public var statistics: ServerStatistics {
        var sum = ServerStatistics()
        sum.connectionsOpen = gauge.count
        for loop in counters {
            sum.connectionsAccepted += loop.accepted.count
            sum.connectionsRefused += loop.refused.count
            sum.requests += loop.requests.count
            sum.requestsRefused += loop.requestsRefused.count
            sum.timeouts += loop.timeouts.count
            sum.answersLate += loop.answersLate.count
            sum.slowReadersClosed += loop.slowReadersClosed.count
            sum.unsentBytes += loop.unsentBytes.count
        }
        return sum
    }

    /// The configured limit, or what the process's descriptors allow.
    private static func connectionsMax(_ limits: Limits) -> Int {
        var descriptors = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0,
            descriptors.rlim_cur < rlim_t(Int32.max)
        else { return limits.connectionsMax }
        let available =
            Int(descriptors.rlim_cur) - limits.descriptorsReserved - limits.connectionsOverLimitMax
        return min(limits.connectionsMax, max(available, 1))
    }
}
