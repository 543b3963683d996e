import Glibc
import Platform

/// Whole files of bounded size, such as a key's.
enum SmallFile {
    static let bytesMax = 65_536

    /// The file's text; nil when it cannot be read, is too large or is not UTF-8.
    static func read(_ path: String) -> String? {
        bytes(path).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// The file's bytes; nil when it cannot be read or is larger than `bytesMax`.
    static func bytes(_ path: String, bytesMax: Int = bytesMax) -> [UInt8]? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        return bytes(of: FileDescriptor(owning: number), bytesMax: bytesMax)
    }

    /// What is left to read of an open file; nil when that fails or is too much.
    static func bytes(
        of descriptor: borrowing FileDescriptor, bytesMax: Int = bytesMax
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= bytesMax {
            let got = Glibc.read(descriptor.number, &chunk, chunk.count)
            if got < 0 && errno == EINTR { continue }
            if got < 0 { return nil }
            if got == 0 { return bytes }
            bytes += chunk[..<got]
        }
        return nil
    }
}
