import CLinux
import Glibc

/// Who is at the other end of a connection. Ports are left out: nothing depends on them.
public enum Peer: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 address in host byte order; also what an IPv4-mapped IPv6 address becomes.
    case ipv4(UInt32)
    /// An IPv6 address: its high and low 64 bits in host byte order.
    case ipv6(UInt64, UInt64)
    /// A process on this machine, by its user id; -1 when the kernel does not tell.
    case unix(user: Int)

    /// The address in its usual text form (RFC 5952 for IPv6), without port.
    public var description: String {
        switch self {
        case .ipv4(let bits):
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        case .ipv6(let high, let low):
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else {
                return "::"
            }
            let length = text.firstIndex(of: 0) ?? text.count
            return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        case .unix(let user):
            return "unix:\(user)"
        }
    }

    /// The peer of an accepted socket, from what accept4(2) wrote.
    init(_ storage: sockaddr_storage, socket: Int32) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            self = withUnsafeBytes(of: storage) { bytes in
                .ipv4(UInt32(bigEndian: bytes.load(as: sockaddr_in.self).sin_addr.s_addr))
            }
        case AF_INET6:
            self = withUnsafeBytes(of: storage) { bytes in
                // sin6_addr starts at byte 8 of sockaddr_in6.
                let high = UInt64(bigEndian: bytes.load(fromByteOffset: 8, as: UInt64.self))
                let low = UInt64(bigEndian: bytes.load(fromByteOffset: 16, as: UInt64.self))
                // ::ffff:0:0/96, RFC 4291 section 2.5.5.2.
                return high == 0 && low >> 32 == 0xFFFF
                    ? .ipv4(UInt32(truncatingIfNeeded: low)) : .ipv6(high, low)
            }
        default:
            self = .unix(user: clinux_peer_user(socket))
        }
    }
}
