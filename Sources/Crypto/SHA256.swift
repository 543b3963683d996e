import CCrypto

/// SHA-256 (FIPS 180-4) by libcrypto.
///
/// Hashing memory cannot fail except when libcrypto itself is broken (no provider, out of memory
/// for its context). No honest answer exists then: a wrong digest would let a key in or break a
/// chain. So the program stops there, and callers need no error path. Input cannot bring this
/// about.
public enum SHA256 {
    /// The 32 bytes of the digest.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { digest(of: $0) }
    }

    /// The 32 bytes of the digest of the UTF-8 bytes of `text`.
    public static func hash(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { digest(of: UnsafeRawBufferPointer($0)) }
    }

    /// The digest of several pieces, each preceded by its length as 8 bytes (big endian), so that
    /// no two lists of pieces give the same input: ("ab", "c") and ("a", "bc") differ.
    public static func hash(framing pieces: [UInt8]...) -> [UInt8] {
        var framed: [UInt8] = []
        framed.reserveCapacity(pieces.reduce(0) { $0 + $1.count + 8 })
        for piece in pieces {
            withUnsafeBytes(of: UInt64(piece.count).bigEndian) { framed.append(contentsOf: $0) }
            framed.append(contentsOf: piece)
        }
        return hash(framed)
    }

    private static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            // Unwrapped by the capacity above: a buffer of 32 bytes has an address.
            guard let output = digest.baseAddress else { return }
            let done = ccrypto_sha256(bytes.baseAddress, bytes.count, output)
            precondition(done == 1, "libcrypto cannot compute SHA-256")
            count = 32
        }
    }
}
