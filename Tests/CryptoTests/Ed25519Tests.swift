import Crypto
import Testing

/// RFC 8032 section 7.1.
@Suite("Ed25519")
struct Ed25519Tests {
    private static let vectors: [(seed: String, key: String, message: String, signature: String)] =
        [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ]

    @Test("the published vectors are signed and verified")
    func vectors() throws {
        for vector in Self.vectors {
            let seed = try #require(Hex.decode(vector.seed))
            let message = try #require(Hex.decode(vector.message))
            let key = try Ed25519.PrivateKey(seed: seed)
            #expect(Hex.encode(key.publicKey) == vector.key)
            let signature = try key.sign(message)
            #expect(Hex.encode(signature) == vector.signature)
            #expect(Ed25519.verify(signature, of: message, by: key.publicKey))
            #expect(!Ed25519.verify(signature, of: message + [0], by: key.publicKey))
        }
    }

    @Test("what has another length is no seed, key or signature")
    func lengths() throws {
        #expect(throws: Ed25519.Failure.self) { try Ed25519.PrivateKey(seed: [1, 2, 3]) }
        let key = try Ed25519.PrivateKey(seed: [UInt8](repeating: 1, count: 32))
        let signature = try key.sign([1])
        #expect(!Ed25519.verify(Array(signature.dropLast()), of: [1], by: key.publicKey))
        #expect(!Ed25519.verify(signature, of: [1], by: []))
        #expect(!Ed25519.verify(signature, of: [1], by: [UInt8](repeating: 255, count: 32)))
    }
}
