import CLinux
import Glibc

/// The kernel's random numbers, fetched 512 bytes at a time; every byte is used once. One per
/// thread.
public struct RandomPool: RandomNumberGenerator {
    private var words: [UInt64] = []

    public init() {}

    public mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words = [UInt64](repeating: 0, count: 64)
        words.withUnsafeMutableBytes { clinux_random($0.baseAddress!, $0.count) }
        return words.removeLast()
    }

    /// `count` random bytes, for secrets.
    public static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { clinux_random(base, buffer.count) }
        }
        return bytes
    }
}
