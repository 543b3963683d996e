import Glibc
import HTTP
import Platform

/// A network such as `10.0.0.0/8`, `::1/128`, or a single address.
struct AddressRange: Sendable, Equatable {
    private let network: Address
    private let bits: Int

    /// An address as 128 bits; IPv4 in its IPv4-mapped form, so that one comparison serves both.
    fileprivate struct Address: Sendable, Equatable {
        let high: UInt64
        let low: UInt64

        init?(_ peer: Peer) {
            switch peer {
            case .ipv4(let bits): self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(bits))
            case .ipv6(let high, let low): self.init(high: high, low: low)
            case .unix: return nil
            }
        }

        init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }

        func masked(_ bits: Int) -> Address {
            // A shift by the full width gives 0 in Swift.
            Address(
                high: high & (bits >= 64 ? .max : ~(UInt64.max >> bits)),
                low: low & (bits <= 64 ? 0 : ~(UInt64.max >> (bits - 64))))
        }
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let peer = Peer(address: String(parts[0])),
            let address = Address(peer)
        else { return nil }
        let isIPv4 = if case .ipv4 = peer { true } else { false }
        let width = isIPv4 ? 32 : 128
        var bits = width
        if parts.count == 2 {
            guard let number = Int(parts[1]), parts[1].allSatisfy(\.isNumber),
                (0...width).contains(number)
            else { return nil }
            bits = number
        }
        self.bits = bits + (isIPv4 ? 96 : 0)
        network = address.masked(self.bits)
    }

    func contains(_ peer: Peer) -> Bool {
        Address(peer).map { $0.masked(bits) == network } ?? false
    }
}

/// Finds out which address a request comes from: the peer's, or what a trusted proxy in front of us
/// says in `X-Forwarded-For`. The field is believed from the right, hop by hop, as long as each hop
/// is trusted.
struct ClientAddress: Sendable {
    private let trusted: [AddressRange]
    private let trustsLocalSockets: Bool

    /// A proxy on a Unix-domain socket counts as loopback.
    init(trusted: [AddressRange]) {
        self.trusted = trusted
        trustsLocalSockets = trusted.contains { $0.contains(.ipv4(0x7F00_0001)) }
    }

    func isTrusted(_ peer: Peer) -> Bool {
        if case .unix = peer { return trustsLocalSockets }
        return trusted.contains { $0.contains(peer) }
    }

    /// What the header told, or did not.
    enum Finding: Sendable {
        case plain
        /// The peer named somebody else, and is not trusted to.
        case ignored
        /// A trusted proxy names nobody: all of its visitors look like one.
        case missing
        /// A proxy that is not trusted stands before the trusted one, or a client says so: what it
        /// names is not believed.
        case untrustedHop
    }

    /// Who sent the request.
    func client(of request: Request) -> (address: Peer, finding: Finding) {
        guard request.hasHeader("x-forwarded-for") else {
            return (request.peer, isTrusted(request.peer) ? .missing : .plain)
        }
        guard isTrusted(request.peer) else { return (request.peer, .ignored) }
        var client = request.peer
        let field = request.header("x-forwarded-for") ?? ""
        var hops = field.utf8.split(separator: UInt8(ascii: ","))
        while let hop = hops.popLast() {
            guard let peer = Peer(forwarded: Substring(hop).trimmed) else { break }
            client = peer
            if !isTrusted(peer) { break }
        }
        return (client, hops.isEmpty ? .plain : .untrustedHop)
    }
}

/// Counts the requests of visitors whose `X-Forwarded-For` tells of a proxy that is set up wrongly,
/// and warns of each kind once.
final class Forwards: Sendable {
    private struct Counts {
        var ignored: UInt64 = 0
        var missing: UInt64 = 0
        var untrustedHop: UInt64 = 0
    }

    /// A client can make up one of these; a proxy makes many.
    private static let untrustedHopsMin: UInt64 = 100

    private let counts = Locked(Counts())
    private let log: Log
    /// Whether a missing header on this machine is a mistake: behind a public address there is a
    /// proxy.
    private let isPublic: Bool

    init(log: Log, isPublic: Bool) {
        self.log = log
        self.isPublic = isPublic
    }

    var ignored: UInt64 { counts.withLock { $0.ignored } }
    var missing: UInt64 { counts.withLock { $0.missing } }
    var untrustedHop: UInt64 { counts.withLock { $0.untrustedHop } }

    func note(_ finding: ClientAddress.Finding, _ peer: Peer) {
        switch finding {
        case .plain: return
        case .ignored:
            warn(
                counts.withLock { $0.ignored.raised() } == 1,
                "X-Forwarded-For came from an address outside REFERRALD_TRUSTED_PROXIES and was "
                    + "ignored; further ones are only counted")
        case .missing:
            guard isPublic || !peer.isThisMachine else { return }
            warn(
                counts.withLock { $0.missing.raised() } == 1,
                "a proxy among REFERRALD_TRUSTED_PROXIES sends no X-Forwarded-For, so all of its "
                    + "visitors count as one; further ones are only counted")
        case .untrustedHop:
            warn(
                counts.withLock { $0.untrustedHop.raised() } == Forwards.untrustedHopsMin,
                "X-Forwarded-For names further addresses behind one that is outside "
                    + "REFERRALD_TRUSTED_PROXIES: if that is a second proxy of yours, its visitors "
                    + "count as one until it is trusted")
        }
    }

    private func warn(_ isDue: Bool, _ message: String) {
        if isDue { log.write(.warning, message) }
    }
}

extension UInt64 {
    /// One more, which is also returned.
    fileprivate mutating func raised() -> UInt64 {
        self += 1
        return self
    }
}

extension Peer {
    fileprivate var isThisMachine: Bool {
        switch self {
        case .ipv4(let bits): bits >> 24 == 127
        case .ipv6(let high, let low): high == 0 && low == 1
        case .unix: true
        }
    }
}

extension Peer {
    /// An address as `inet_pton` reads it: no port, no octal or short forms, IPv4-mapped IPv6 as
    /// IPv4.
    init?(address text: String) {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self = .ipv4(UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let (high, low) = withUnsafeBytes(of: &v6) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self =
            high == 0 && low >> 32 == 0xFFFF
            ? .ipv4(UInt32(truncatingIfNeeded: low)) : .ipv6(high, low)
    }

    /// One hop of `X-Forwarded-For`: an address, with quotes, brackets and a port or without. Nil
    /// for `unknown`, names and whatever else.
    init?(forwarded hop: String) {
        var text = hop[...]
        if text.utf8.count >= 2, text.utf8.first == UInt8(ascii: "\""),
            text.utf8.last == UInt8(ascii: "\"")
        {
            text = text.dropFirst().dropLast()
        }
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            text = text[text.index(after: text.startIndex)..<end]
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            text.utf8.lastIndex(of: UInt8(ascii: ":")) == colon
        {
            text = text[..<colon]
        }
        self.init(address: String(text))
    }

    /// What stands for the address in a visitor's hash: IPv4 whole; of IPv6 the network, because
    /// the rest changes with every device and day.
    var visitorBytes: [UInt8] {
        switch self {
        case .ipv4(let bits): withUnsafeBytes(of: bits.bigEndian) { Array($0) }
        case .ipv6(let high, _): withUnsafeBytes(of: high.bigEndian) { Array($0) }
        case .unix: []
        }
    }
}
