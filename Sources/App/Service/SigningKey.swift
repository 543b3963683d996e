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

    /// Reads the key in the file at `path`, or makes both. `warn` is told of a key that others may
    /// read.
    static func load(_ path: String, warn: (String) -> Void = { _ in }) throws -> SigningKey {
        try find(path, warn: warn) ?? make(path)
    }

    /// The key in the file at `path`; nil when there is no file.
    static func find(_ path: String, warn: (String) -> Void = { _ in }) throws -> SigningKey? {
        try read(path, warn).map { try SigningKey(text: $0, path) }
    }

    /// A new key, in a file at `path`, where none may be.
    static func make(_ path: String) throws -> SigningKey {
        let seed = RandomPool.bytes(32)
        try write(prefix + Hex.encode(seed) + "\n", path)
        return SigningKey(key: try Ed25519.PrivateKey(seed: seed))
    }

    /// The public key in the file, for a check on the service's own machine; nil without a file.
    static func publicKey(at path: String) throws -> [UInt8]? {
        try read(path) { _ in }.map { try SigningKey(text: $0, path).publicKey }
    }

    /// The file's text, empty when it is no text; nil when there is no file. Anything but a plain
    /// file is refused before it is read, and opened so that a pipe without a writer cannot hold up
    /// the start.
    private static func read(_ path: String, _ warn: (String) -> Void) throws -> String? {
        let number = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        var status = stat()
        guard number >= 0 else {
            let fault = SystemError("open")
            guard fault.code == ENOENT else { throw unusable(path, "cannot be read: \(fault)") }
            guard lstat(path, &status) != 0 else {
                throw unusable(path, "is a symbolic link to a file that is not there.")
            }
            return nil
        }
        let descriptor = FileDescriptor(owning: number)
        guard fstat(descriptor.number, &status) == 0 else {
            throw unusable(path, "cannot be read: \(SystemError("fstat"))")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw unusable(path, "is a directory.")
        default: throw unusable(path, "is not a plain file.")
        }
        if status.st_mode & 0o044 != 0 {
            warn(
                "the signing key \(path) can be read by others than its owner, who could sign "
                    + "receipts with it; chmod 600 it")
        }
        return SmallFile.bytes(of: descriptor).flatMap { String(validating: $0, as: UTF8.self) }
            ?? ""
    }

    private static func unusable(_ path: String, _ why: String) -> ConfigurationError {
        ConfigurationError(description: "REFERRALD_SIGNING_KEY_FILE: \(path) \(why)")
    }

    private init(key: Ed25519.PrivateKey) { self.key = key }

    private init(text: String, _ path: String) throws {
        let line = text.trimmed
        guard line.hasPrefix(SigningKey.prefix),
            let seed = Hex.decode(String(line.dropFirst(SigningKey.prefix.count))),
            seed.count == 32
        else {
            throw SigningKey.unusable(path, "holds no signing key.")
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
            throw unusable(path, "cannot be made: \(SystemError("open"))")
        }
        let descriptor = FileDescriptor(owning: number)
        let bytes = Array(text.utf8)
        let written = bytes.withUnsafeBytes {
            Glibc.write(descriptor.number, $0.baseAddress, $0.count)
        }
        guard written == bytes.count, fsync(descriptor.number) == 0 else {
            let fault = SystemError("write")
            unlink(path)
            throw unusable(path, "cannot be written: \(fault)")
        }
    }
}
