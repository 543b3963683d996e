import Crypto
import Database
import Model
import Platform

/// The keys of visitor hashes, one for each UTC day. A visitor is a keyed hash of address and
/// agent: it tells repeated clicks of a day apart from new ones, and nothing once the day's key is
/// gone.
///
/// The key is kept in the file for its day, so that a restart does not make everybody new; it is
/// deleted with the next day's first click, or by `ClickStore.deleteSalts`, whichever comes first.
/// Consequence: nobody is recognised across midnight UTC.
///
/// Shared by the loops, which hash, and the writer, which stores.
public final class VisitorSalts: Sendable {
    struct Salt: Sendable {
        let day: Int64
        let bytes: [UInt8]
        var isStored: Bool
    }

    private let current = Locked<Salt?>(nil)

    public init() {}

    /// 64 bits that stand for a visitor on the day of `instant`. `address` is four bytes of IPv4,
    /// or the eight bytes of an IPv6 network, whose other half changes with every device and day.
    /// Without an agent it is the address, whatever is used there.
    public func visitor(address: [UInt8], userAgent: String, at instant: Instant) -> Int64 {
        var message = address
        message.reserveCapacity(address.count + userAgent.utf8.count)
        message.append(contentsOf: userAgent.utf8)
        let code = HMAC.sha256(key: salt(on: instant.day), message)
        return code.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// The key of `day`, made when it is the first to ask. A clock that goes back keeps the later
    /// day's.
    func salt(on day: Int64) -> [UInt8] {
        current.withLock { salt in
            if let salt, salt.day >= day { return salt.bytes }
            let bytes = RandomPool.bytes(32)
            salt = Salt(day: day, bytes: bytes, isStored: false)
            return bytes
        }
    }

    /// Takes up what an earlier run stored.
    func restore(day: Int64, bytes: [UInt8]) {
        current.withLock { $0 = Salt(day: day, bytes: bytes, isStored: true) }
    }

    /// The key that is not in the file yet.
    func unstored() -> Salt? { current.withLock { $0.flatMap { $0.isStored ? nil : $0 } } }

    func markStored(day: Int64) {
        current.withLock { salt in
            if salt?.day == day { salt?.isStored = true }
        }
    }
}
