import Platform

/// The connections of the whole server, held against their limits: all of them, those of one
/// address, and those of proxies, which speak for many. Some places are kept for the listeners by
/// which an operator looks after the service.
final class ConnectionGauge: Sendable {
    /// What a connection is counted as, from `enter` to `leave`.
    enum Place: Sendable, Equatable {
        case reserved, proxy, address(Peer)
        /// Over a limit, and told so before it is closed.
        case told(Shortage)
        /// Over a limit, and closed at once.
        case none(Shortage)
    }

    enum Shortage: Sendable, Equatable { case server, address }

    private struct Counts {
        var open = 0
        var reserved = 0
        var proxies = 0
        var told = 0
        var addresses: [Peer: Int] = [:]
    }

    private let limits: Limits
    private let limit: Int
    private let counts = Locked(Counts())

    /// `limit` is the number of connections that the process has descriptors for.
    init(limit: Int, limits: Limits) {
        self.limit = limit
        self.limits = limits
    }

    func enter(_ peer: Peer, isReserved: Bool, isProxy: Bool) -> Place {
        counts.withLock { counts in
            if isReserved, counts.reserved < limits.connectionsReserved {
                counts.reserved += 1
                return .reserved
            }
            if counts.open >= limit { return refused(.server, &counts) }
            if isProxy || peer.isLocalSocket {
                // The last tenth is for those who come by no proxy: health checks, operators.
                guard counts.proxies < limit / 10 * 9 else { return refused(.server, &counts) }
                counts.proxies += 1
                counts.open += 1
                return .proxy
            }
            let network = peer.network
            let known = counts.addresses[network, default: 0]
            if limits.connectionsPerAddressMax > 0, known >= limits.connectionsPerAddressMax {
                return refused(.address, &counts)
            }
            counts.addresses[network] = known + 1
            counts.open += 1
            return .address(network)
        }
    }

    private func refused(_ shortage: Shortage, _ counts: inout Counts) -> Place {
        guard counts.told < limits.connectionsOverLimitMax else { return .none(shortage) }
        counts.told += 1
        return .told(shortage)
    }

    func leave(_ place: Place) {
        counts.withLock { counts in
            switch place {
            case .reserved: counts.reserved -= 1
            case .proxy:
                counts.proxies -= 1
                counts.open -= 1
            case .address(let network):
                let left = counts.addresses[network, default: 1] - 1
                counts.addresses[network] = left > 0 ? left : nil
                counts.open -= 1
            case .told: counts.told -= 1
            case .none: break
            }
        }
    }

    var count: Int { counts.withLock { $0.open + $0.reserved + $0.told } }
}

extension Peer {
    /// Of an IPv6 address the network of 64 bits: a client that has one address has them all.
    var network: Peer {
        if case .ipv6(let high, _) = self { .ipv6(high, 0) } else { self }
    }

    fileprivate var isLocalSocket: Bool {
        if case .unix = self { true } else { false }
    }
}
