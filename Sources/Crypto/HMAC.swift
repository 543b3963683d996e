import CCrypto

/// HMAC (RFC 2104) by libcrypto. Stops the program when libcrypto is broken, as `SHA256` does and
/// for the same reason.
public enum HMAC {
    /// The 32 bytes of HMAC-SHA-256. The key may have any length (RFC 2104 section 3 wants 32
    /// bytes).
    public static func sha256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        // A null key would mean "the last one".
        [UInt8](unsafeUninitializedCapacity: 32) { code, count in
            guard let output = code.baseAddress else { return }
            let done = (key.isEmpty ? [0] : key).withUnsafeBytes { keyBytes in
                bytes.withUnsafeBytes { message in
                    ccrypto_hmac_sha256(
                        keyBytes.baseAddress, key.count, message.baseAddress, message.count, output)
                }
            }
            precondition(done == 1, "libcrypto cannot compute HMAC-SHA-256")
            count = 32
        }
    }
}

/// Whether both hold the same bytes, in a time that depends on the length alone. Different lengths
/// are unequal at once: compare digests or codes, whose length is no secret.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    guard !left.isEmpty else { return true }
    return left.withUnsafeBytes { leftBytes in
        right.withUnsafeBytes { rightBytes in
            ccrypto_equal(leftBytes.baseAddress, rightBytes.baseAddress, leftBytes.count) == 1
        }
    }
}
