/// What an identifier names; `prefix` is the part before the underscore.
public protocol IdentifierKind: Sendable {
    static var prefix: String { get }
}

/// A TypeID: the kind's prefix and a UUIDv7 in base32, such as `lead_01h2xcejqtf2nbrexx3vqjhp41`.
///
/// Sorted by time (48 bits of milliseconds), then by 74 fresh random bits, never a counter, so that
/// nobody can guess a neighbour. Stored as 16 bytes.
public struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, Comparable {
    public let high: UInt64
    public let low: UInt64

    /// The identifier whose UUID has these two halves, as read from storage.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Its 16 bytes as they are stored.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
    }

    /// A new identifier for `instant` (RFC 9562 section 5.7).
    public init(at instant: Instant, using random: inout some RandomNumberGenerator) {
        let time = UInt64(clamping: instant.milliseconds) & 0xFFFF_FFFF_FFFF
        high = time << 16 | 0x7000 | (random.next() & 0x0FFF)
        low = 0x8000_0000_0000_0000 | (random.next() >> 2)
    }

    /// Reads `prefix_` and 26 characters of base32. Nil for anything else: another prefix, upper
    /// case, a letter outside the alphabet, more than 128 bits.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let prefix = Array(Kind.prefix.utf8)
        guard bytes.count == prefix.count + 27, bytes.starts(with: prefix),
            bytes[prefix.count] == UInt8(ascii: "_")
        else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (place, byte) in bytes[(prefix.count + 1)...].enumerated() {
            let value = Base32.values[Int(byte)]
            guard value < 32, place > 0 || value < 8 else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.high = high
        self.low = low
    }

    /// The instant in the first 48 bits.
    public var instant: Instant { Instant(milliseconds: Int64(high >> 16)) }

    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension Identifier: CustomStringConvertible {
    public var description: String { AnyIdentifier(self).description }
}

/// An identifier whose kind is known only when the program runs: the subject of an event.
public struct AnyIdentifier: Hashable, Sendable, CustomStringConvertible {
    public let prefix: String
    public let high: UInt64
    public let low: UInt64

    public init<Kind>(_ id: Identifier<Kind>) {
        self.init(prefix: Kind.prefix, high: id.high, low: id.low)
    }

    public init(prefix: String, high: UInt64, low: UInt64) {
        self.prefix = prefix
        self.high = high
        self.low = low
    }

    public var description: String {
        let prefix = prefix.utf8
        return String(unsafeUninitializedCapacity: prefix.count + 27) { buffer in
            var place = 0
            for byte in prefix {
                buffer[place] = byte
                place += 1
            }
            buffer[place] = UInt8(ascii: "_")
            var high = high
            var low = low
            for digit in stride(from: place + 26, to: place, by: -1) {
                buffer[digit] = Base32.alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            return place + 27
        }
    }
}

/// Crockford's alphabet in lower case, as TypeID prescribes: no i, l, o, u.
private enum Base32 {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()
}
