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

    /// Who sent the request. `isIgnored`: the peer named somebody else, and is not trusted to.
    func client(of request: Request) -> (address: Peer, isIgnored: Bool) {
        guard request.hasHeader("x-forwarded-for") else { return (request.peer, false) }
        guard isTrusted(request.peer) else { return (request.peer, true) }
        var client = request.peer
        let field = request.header("x-forwarded-for") ?? ""
        for hop in field.utf8.split(separator: UInt8(ascii: ",")).reversed() {
            guard let peer = Peer(forwarded: Substring(hop).trimmed) else { break }
            client = peer
            if !isTrusted(peer) { break }
        }
        return (client, false)
    }
}

/// Counts the requests whose `X-Forwarded-For` was not believed, and warns of the first: most often
/// a proxy that REFERRALD_TRUSTED_PROXIES does not name.
final class IgnoredForwards: Sendable {
    private let total = Locked<UInt64>(0)
    private let log: Log

    init(log: Log) { self.log = log }

    var count: UInt64 { total.withLock { $0 } }

    func note() {
        let isFirst = total.withLock { total in
            total += 1
            return total == 1
        }
        guard isFirst else { return }
        log.write(
            .warning,
            "X-Forwarded-For came from an address outside REFERRALD_TRUSTED_PROXIES and was "
                + "ignored; further ones are only counted")
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
