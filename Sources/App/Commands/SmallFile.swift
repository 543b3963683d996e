import Glibc
import Platform

/// Whole small files, such as a key's.
enum SmallFile {
    static let bytesMax = 65_536

    /// The file's text; nil when it cannot be read, is too large or is not UTF-8.
    static func read(_ path: String) -> String? {
        bytes(path).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// The file's bytes; nil when it cannot be read or is too large.
    static func bytes(_ path: String) -> [UInt8]? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        return bytes(of: FileDescriptor(owning: number))
    }

    /// What is left to read of an open file; nil when that fails or is too much.
    static func bytes(of descriptor: borrowing FileDescriptor) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes {
                Glibc.read(descriptor.number, $0.baseAddress, $0.count)
            }
            if got < 0 && errno == EINTR { continue }
            if got < 0 { return nil }
            if got == 0 { break }
            count += got
        }
        guard count <= bytesMax else { return nil }
        return Array(bytes[..<count])
    }
}
