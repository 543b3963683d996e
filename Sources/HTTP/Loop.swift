import CLinux
import Glibc
import Platform

/// One event loop: an epoll, its connections, and the handler that answers their requests. Made and
/// used in one thread; others reach it only through its mailbox.
///
/// A turn: wait; for each socket read, handle, and send what was answered; let the handler batch.
/// Sockets are registered once, edge-triggered, so a request costs one wait, one recv and one send.
final class Loop {
    let limits: Limits
    let allowances: Allowances
    let handler: any RequestHandler
    let mailbox: Mailbox
    let counters: LoopCounters
    let gauge: ConnectionGauge
    /// Which listeners have places of their own, and which peers speak for many.
    let admission: Admission
    let epoll: FileDescriptor
    let receiveBuffer: UnsafeMutableBufferPointer<UInt8>
    var writer = ResponseWriter()

    /// Indexed by descriptor.
    var connections: [Connection?] = []
    var openCount = 0
    /// Bytes of all unfinished bodies.
    var heldBytes = 0
    /// Bytes of memory that answers hold which clients have not taken.
    var unsentBytes = 0
    /// This loop's share of what the process may hold of them.
    let unsentBytesMax: Int
    var generation: UInt64 = 0
    var listeners: [ListeningSocket?]
    var pausedListeners: [Int] = []
    /// When resting connections may next be looked through for one to close.
    var nextIdleSearch = MonotonicInstant.now()
    /// Given up to accept, and close, one connection when descriptors run out.
    var spareDescriptor: Int32

    /// Connections that need sending, closing or new deadlines at the end of this turn.
    var touched: [Connection] = []
    /// Connections with more to read, for the next turn, so that one client cannot hold a turn for
    /// itself.
    var carried: [Connection] = []
    var spareBuffers: [[UInt8]] = []
    var spareLetters: [Mailbox.Letter] = []

    /// Of this turn.
    var now = MonotonicInstant.now()
    var second = time(nil)
    var nextSweep: MonotonicInstant
    var lanes: [DeadlineLane] = []
    var drainDeadline: MonotonicInstant?

    static let receiveBytes = 65_536
    static let sweepMilliseconds: UInt64 = 250
    private static let eventsMax = 256
    private static let mailboxMark = UInt64.max
    private static let listenerMark: UInt64 = 1 << 63
    private let events: UnsafeMutablePointer<epoll_event>

    init(
        listeners: [ListeningSocket], limits: Limits, handler: any RequestHandler,
        mailbox: Mailbox, counters: LoopCounters, gauge: ConnectionGauge,
        admission: Admission, loops: Int
    ) throws {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw SystemError("epoll_create1") }
        epoll = FileDescriptor(owning: number)
        self.limits = limits
        self.admission = admission
        unsentBytesMax = limits.unsentBytesMax / loops
        allowances = Allowances(limits)
        self.handler = handler
        self.mailbox = mailbox
        self.counters = counters
        self.gauge = gauge
        self.listeners = listeners
        receiveBuffer = .allocate(capacity: Self.receiveBytes)
        events = .allocate(capacity: Self.eventsMax)
        spareDescriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        nextSweep = now.advanced(byMilliseconds: Self.sweepMilliseconds)
        try register(mailbox.descriptor, EPOLLIN.rawValue, mark: Self.mailboxMark)
        for index in listeners.indices { try register(listener: index) }
    }

    deinit {
        receiveBuffer.deallocate()
        events.deallocate()
        if spareDescriptor >= 0 { Glibc.close(spareDescriptor) }
    }

    /// Serves until drained.
    func run() {
        while drainDeadline == nil || openCount > 0 {
            let count = epoll_wait(epoll.number, events, Int32(Self.eventsMax), timeout())
            now = .now()
            second = time(nil)
            resumeCarried()
            for index in 0..<max(Int(count), 0) {
                handle(events[index].events, mark: events[index].data.u64)
            }
            answerLate()
            if now >= nextSweep { sweep() }
            handler.turnEnded()
            settleTouched()
        }
        mailbox.close()
    }

    private func handle(_ flags: UInt32, mark: UInt64) {
        if mark == Self.mailboxMark {
            readMailbox()
        } else if mark & Self.listenerMark != 0 {
            acceptConnections(Int(mark & ~Self.listenerMark))
        } else if let connection = connection(mark) {
            if flags & EPOLLERR.rawValue != 0 { return close(connection) }
            if flags & EPOLLOUT.rawValue != 0, !connection.isWritable {
                connection.isWritable = true
                touch(connection)
            }
            let inbound = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue
            guard flags & inbound != 0 else { return }
            connection.isReadable = true
            // The end may follow the bytes at once, and then no further edge tells of it.
            if flags & inbound != EPOLLIN.rawValue { connection.expectsEnd = true }
            read(connection)
        }
    }

    private func readMailbox() {
        var letters = mailbox.take(spare: spareLetters)
        spareLetters = []
        for letter in letters {
            switch letter {
            case .answer(let id, let sequence, let response):
                guard let connection = connection(id),
                    let index = connection.waitingSlot(sequence)
                else { continue }
                settle(connection, slot: index, with: response)
            case .slice(let id, let sequence, let slice):
                guard let connection = connection(id) else { continue }
                take(slice, of: sequence, connection)
            case .drain:
                beginDrain()
            }
        }
        letters.removeAll(keepingCapacity: letters.capacity <= 4096)
        spareLetters = letters
    }

    // MARK: Connections

    /// The connection of this identity, unless it is gone.
    func connection(_ id: UInt64) -> Connection? {
        let index = Int(id & 0xFFFF_FFFF)
        guard index < connections.count, let connection = connections[index],
            connection.id == id
        else { return nil }
        return connection
    }

    func add(_ connection: Connection) throws {
        let flags =
            EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        try register(connection.socket.number, flags, mark: connection.id)
        let index = Int(connection.socket.number)
        while connections.count <= index { connections.append(nil) }
        connections[index] = connection
        openCount += 1
        touch(connection)
    }

    /// Forgets the connection. Its descriptor closes when the last reference goes, within this
    /// turn.
    func close(_ connection: Connection) {
        guard !connection.isClosed else { return }
        connection.isClosed = true
        release(connection)
        connection.streaming = nil
        unsentBytes -= connection.countedCost
        connection.countedCost = 0
        connections[Int(connection.socket.number)] = nil
        openCount -= 1
        gauge.leave(connection.place)
    }

    /// Has the connection looked at when the turn ends.
    func touch(_ connection: Connection) {
        guard !connection.isTouched else { return }
        connection.isTouched = true
        touched.append(connection)
    }

    private func settleTouched() {
        guard !touched.isEmpty else { return }
        // Sending touches nothing anew, so the list is walked once.
        for connection in touched {
            connection.isTouched = false
            if !connection.isClosed { settle(connection) }
        }
        touched.removeAll(keepingCapacity: true)
        if unsentBytes > unsentBytesMax { closeSlowReaders() }
        counters.unsentBytes.set(unsentBytes)
    }

    private func resumeCarried() {
        guard !carried.isEmpty else { return }
        let connections = carried
        carried = []
        for connection in connections where !connection.isClosed {
            connection.isCarried = false
            resume(connection)
        }
    }

    // MARK: Epoll

    func register(_ descriptor: Int32, _ flags: UInt32, mark: UInt64) throws {
        var event = epoll_event(events: flags, data: epoll_data_t(u64: mark))
        guard epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }

    func register(listener index: Int) throws {
        guard let socket = listeners[index] else { return }
        // Of the loops that share a socket, one is woken for a connection, not all.
        let flags = EPOLLIN.rawValue | (socket.isShared ? EPOLLEXCLUSIVE.rawValue : 0)
        try register(socket.descriptor.number, flags, mark: Self.listenerMark | UInt64(index))
    }

    func unregister(_ descriptor: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, &event)
    }
}
