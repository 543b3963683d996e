import CCrypto

/// Ed25519 signatures (RFC 8032) by libcrypto.
public enum Ed25519 {
    /// libcrypto could not do it, or the seed has not 32 bytes.
    public struct Failure: Error {}

    /// A private key: its seed of 32 random bytes, and what follows from it.
    public struct PrivateKey: Sendable {
        private let seed: [UInt8]
        /// 32 bytes.
        public let publicKey: [UInt8]

        public init(seed: [UInt8]) throws(Failure) {
            guard seed.count == 32 else { throw Failure() }
            self.seed = seed
            var publicKey = [UInt8](repeating: 0, count: 32)
            guard ccrypto_ed25519_public_key(seed, &publicKey) == 1 else { throw Failure() }
            self.publicKey = publicKey
        }

        /// The 64 bytes of the signature; the same for the same message.
        public func sign(_ message: [UInt8]) throws(Failure) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: 64)
            guard ccrypto_ed25519_sign(seed, message, message.count, &signature) == 1 else {
                throw Failure()
            }
            return signature
        }
    }

    /// Whether `signature` is of `message` and by the owner of `publicKey`.
    public static func verify(
        _ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]
    ) -> Bool {
        guard signature.count == 64, publicKey.count == 32 else { return false }
        return ccrypto_ed25519_verify(publicKey, message, message.count, signature) == 1
    }
}
