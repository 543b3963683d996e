import Crypto
import Glibc
import JSON
import LeadRegistration
import Platform

/// The key that signs receipts. Its seed is a line in a file of its own, which nobody but the
/// service's user can read; the file is made when there is none.
struct SigningKey: Sendable {
    private let key: Ed25519.PrivateKey

    private static let prefix = "ed25519-seed:"

    /// Reads the key in the file at `path`, or makes both.
    static func load(_ path: String) throws -> SigningKey {
        if let text = SmallFile.read(path) { return try SigningKey(text: text, path) }
        let seed = RandomPool.bytes(32)
        try write(prefix + Hex.encode(seed) + "\n", path)
        return SigningKey(key: try Ed25519.PrivateKey(seed: seed))
    }

    /// The public key in the file, for a check on the service's own machine; nil without a file.
    static func publicKey(at path: String) throws -> [UInt8]? {
        try SmallFile.read(path).map { try SigningKey(text: $0, path).publicKey }
    }

    private init(key: Ed25519.PrivateKey) { self.key = key }

    private init(text: String, _ path: String) throws {
        let line = text.trimmed
        guard line.hasPrefix(SigningKey.prefix),
            let seed = Hex.decode(String(line.dropFirst(SigningKey.prefix.count))),
            seed.count == 32
        else {
            throw ConfigurationError(
                description: "REFERRALD_SIGNING_KEY_FILE: \(path) holds no signing key.")
        }
        key = try Ed25519.PrivateKey(seed: seed)
    }

    var publicKey: [UInt8] { key.publicKey }

    func sign(_ body: ReceiptBody) throws -> [UInt8] {
        try key.sign(ReceiptBody.signedBytes(body.json.encoded()))
    }

    /// On the disk before it signs anything: a lost key could not sign the next receipt, and its
    /// public half could not be told.
    private static func write(_ text: String, _ path: String) throws {
        let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else {
            throw ConfigurationError(
                description: "REFERRALD_SIGNING_KEY_FILE: \(path) cannot be made: "
                    + SystemError("open").description)
        }
        let descriptor = FileDescriptor(owning: number)
        let bytes = Array(text.utf8)
        let written = bytes.withUnsafeBytes {
            Glibc.write(descriptor.number, $0.baseAddress, $0.count)
        }
        guard written == bytes.count, fsync(descriptor.number) == 0 else {
            unlink(path)
            throw ConfigurationError(
                description: "REFERRALD_SIGNING_KEY_FILE: \(path) cannot be written: "
                    + SystemError("write").description)
        }
    }
}
