import CLinux
import Glibc
import Platform

// New connections: accepting, limits, and the end of accepting.
extension Loop {
    /// Connections accepted in one turn from one listener; more wait for the next, so that the
    /// others are served.
    private static var acceptsPerTurn: Int { 64 }

    func acceptConnections(_ index: Int, atMost count: Int = acceptsPerTurn) {
        guard index < listeners.count, let listener = listeners[index] else { return }
        for _ in 0..<count {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let number = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    clinux_accept(listener.descriptor.number, $0, &length)
                }
            }
            if number >= 0 {
                admit(FileDescriptor(owning: number), storage, listener.listener)
                continue
            }
            switch errno {
            case EAGAIN: return
            case EMFILE, ENFILE: return shed(index, listener)
            case ENOBUFS, ENOMEM, EINVAL, EBADF, ENOTSOCK, EOPNOTSUPP: return pause(index)
            default: continue  // The connection failed, not the listener (accept(2)).
            }
        }
    }

    private func admit(
        _ socket: consuming FileDescriptor, _ storage: sockaddr_storage, _ listener: Int
    ) {
        counters.accepted.raise()
        let peer = Peer(storage, socket: socket.number)
        let place = place(for: peer, listener)
        if case .none = place { return counters.refused.raise() }
        generation = (generation + 1) & 0x7FFF_FFFF
        let id = generation << 32 | UInt64(UInt32(bitPattern: socket.number))
        let connection = Connection(
            id: id, socket: socket, peer: peer, listener: listener, place: place)
        do {
            try add(connection)
        } catch {
            return gauge.leave(place)
        }
        guard case .told(let shortage) = place else { return }
        counters.refused.raise()
        switch shortage {
        case .server:
            refuse(
                connection,
                Problem(
                    503, "too_many_connections",
                    detail: "The server has as many connections as it may. Try again soon.",
                    headers: [("Retry-After", "1")]))
        case .address:
            refuse(
                connection,
                Problem(
                    429, "too_many_connections",
                    detail: "Your address has as many connections as one address may have.",
                    headers: [("Retry-After", "1")]))
        }
    }

    private func place(for peer: Peer, _ listener: Int) -> ConnectionGauge.Place {
        let isReserved = admission.reservedListeners.contains(listener)
        let isProxy = admission.isProxy(peer)
        let place = gauge.enter(peer, isReserved: isReserved, isProxy: isProxy)
        let shortage: ConnectionGauge.Shortage
        switch place {
        case .reserved, .proxy, .address: return place
        case .told(let kind), .none(let kind): shortage = kind
        }
        guard closeIdle(of: shortage == .address ? peer.network : nil) else { return place }
        gauge.leave(place)
        return gauge.enter(peer, isReserved: isReserved, isProxy: isProxy)
    }

    /// Places are short: closes this loop's connections that have rested the longest, of one
    /// network or of all. Several at a time, because the search looks at every connection; after a
    /// search in vain the next one waits.
    private func closeIdle(of network: Peer?) -> Bool {
        guard now >= nextIdleSearch else { return false }
        let rest = UInt64(limits.restSecondsMin * 1e9)
        var idle: [Connection] = []
        for case let connection? in connections
        where connection.isResting && connection.wait == .request
            && now.nanoseconds > connection.waitStart.nanoseconds &+ rest
            && (network == nil || connection.peer.network == network)
        {
            idle.append(connection)
        }
        guard !idle.isEmpty else {
            nextIdleSearch = now.advanced(byMilliseconds: 100)
            return false
        }
        idle.sort { $0.waitStart < $1.waitStart }
        for connection in idle.prefix(network == nil ? 16 : 1) {
            counters.idleClosed.raise()
            close(connection)
        }
        return true
    }

    /// Descriptors ran out. One waiting client is told by a close instead of being left to wait,
    /// and the listener rests for a moment: it stays readable, and the loop would spin.
    private func shed(_ index: Int, _ listener: ListeningSocket) {
        counters.refused.raise()
        if spareDescriptor >= 0 {
            Glibc.close(spareDescriptor)
            let number = clinux_accept(listener.descriptor.number, nil, nil)
            if number >= 0 { Glibc.close(number) }
            spareDescriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
        pause(index)
    }

    private func pause(_ index: Int) {
        guard let listener = listeners[index] else { return }
        unregister(listener.descriptor.number)
        pausedListeners.append(index)
    }

    func resumeListeners() {
        let paused = pausedListeners
        pausedListeners = []
        for index in paused {
            do { try register(listener: index) } catch { pausedListeners.append(index) }
        }
    }

    /// Takes the connections that clients made before they could know, then stops listening.
    /// Resting connections close; new ones have a moment for their first request.
    func beginDrain() {
        guard drainDeadline == nil else { return }
        drainDeadline = now.advanced(byMilliseconds: allowances.drain / 1_000_000)
        for index in listeners.indices {
            acceptConnections(index, atMost: 4096)
            guard let listener = listeners[index] else { continue }
            unregister(listener.descriptor.number)
            listeners[index] = nil
        }
        pausedListeners = []
        for case let connection? in connections where connection.isResting {
            // A request may be on its way through this very turn.
            connection.isReadable = true
            read(connection)
            touch(connection)
        }
    }
}
