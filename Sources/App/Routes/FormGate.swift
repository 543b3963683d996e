import HTTP
import Platform

/// How often one address may post the referral form: a number of posts in ten minutes, counted in
/// memory from an address's first post on, so a restart forgets it.
final class FormGate: Sendable {
    static let windowSeconds: Double = 600
    /// Addresses remembered at once. Past it those whose time is over go; when none is, all do:
    /// better to let a robot in, which the honeypot may still catch, than to grow without end or
    /// turn people away.
    static let addressesMax = 50_000

    private struct Visits {
        let since: MonotonicInstant
        var posts: Int
    }

    private let limit: Int
    private let visits = Locked<[Peer: Visits]>([:])

    /// `postsPerTenMinutes` 0 sets no limit.
    init(postsPerTenMinutes: Int) { limit = postsPerTenMinutes }

    /// Counts a post from `address`. Nil when it may go on; else after how many seconds it may.
    func admit(_ address: Peer, at now: MonotonicInstant) -> Int? {
        guard limit > 0 else { return nil }
        let key = FormGate.key(address)
        return visits.withLock { visits in
            if let known = visits[key] {
                let left = FormGate.windowSeconds - now.seconds(since: known.since)
                if left > 0 {
                    guard known.posts < limit else { return Int(left.rounded(.up)) }
                    visits[key]?.posts += 1
                    return nil
                }
            } else if visits.count >= FormGate.addressesMax {
                visits = visits.filter {
                    now.seconds(since: $0.value.since) < FormGate.windowSeconds
                }
                if visits.count >= FormGate.addressesMax { visits = [:] }
            }
            visits[key] = Visits(since: now, posts: 1)
            return nil
        }
    }

    /// Of an IPv6 address the network of 64 bits: whoever has one address has them all.
    private static func key(_ address: Peer) -> Peer {
        if case .ipv6(let high, _) = address { .ipv6(high, 0) } else { address }
    }
}
