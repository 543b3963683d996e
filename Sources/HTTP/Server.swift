import Glibc
import Platform

/// What a server is made of.
public struct ServerConfiguration: Sendable {
    public var listeners: [ListenAddress]
    /// Event loops, one thread each; at least 1 runs.
    public var loops: Int
    public var limits: Limits
    public var admission: Admission

    public init(
        listeners: [ListenAddress], loops: Int = usableCores(), limits: Limits = Limits(),
        admission: Admission = Admission()
    ) {
        self.listeners = listeners
        self.loops = loops
        self.limits = limits
        self.admission = admission
    }
}

/// Whose connections are not counted like a stranger's.
public struct Admission: Sendable {
    /// Listeners, by index, that have places of their own: the operator's.
    public var reservedListeners: Set<Int>
    /// Peers that speak for many clients, such as a reverse proxy; one address may have only so
    /// many connections otherwise.
    public var isProxy: @Sendable (Peer) -> Bool

    public init(
        reservedListeners: Set<Int> = [],
        isProxy: @escaping @Sendable (Peer) -> Bool = { _ in false }
    ) {
        self.reservedListeners = reservedListeners
        self.isProxy = isProxy
    }
}

/// The process may not open as many files as the service needs.
public struct TooFewDescriptors: Error, CustomStringConvertible {
    let allowed: Int
    let needed: Int

    public var description: String {
        "ulimit -n allows \(allowed) open files, and the service needs at least \(needed); "
            + "raise it (LimitNOFILE= of a systemd unit, --ulimit nofile= of a container)"
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
            limit: try Self.connectionsMax(limits, loops: count), limits: limits)
        crew = try Crew(count)
        for index in 0..<count {
            // Handed over, not shared: a socket must close when the loops let go of it.
            let own = Locked(sockets.map { $0.count > 1 ? $0[index] : $0[0] })
            let (mailbox, counters, gauge) = (mailboxes[index], counters[index], gauge)
            let admission = configuration.admission
            crew.start("http-\(index)") {
                try Loop(
                    listeners: own.withLock { sockets in
                        defer { sockets = [] }
                        return sockets
                    },
                    limits: limits, handler: makeHandler(index), mailbox: mailbox,
                    counters: counters, gauge: gauge, admission: admission, loops: count)
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
            sum.idleClosed += loop.idleClosed.count
            sum.unsentBytes += loop.unsentBytes.count
        }
        return sum
    }

    /// The configured limit, or what the process's descriptors leave.
    private static func connectionsMax(_ limits: Limits, loops: Int) throws -> Int {
        var descriptors = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0,
            descriptors.rlim_cur < rlim_t(Int32.max)
        else { return limits.connectionsMax }
        let allowed = Int(descriptors.rlim_cur)
        let taken =
            limits.descriptorsReserved + loops * limits.descriptorsPerLoop
            + limits.connectionsOverLimitMax + limits.connectionsReserved
        let least = min(limits.connectionsMin, limits.connectionsMax)
        guard allowed - taken >= least else {
            throw TooFewDescriptors(allowed: allowed, needed: taken + least)
        }
        return min(limits.connectionsMax, allowed - taken)
    }
}
