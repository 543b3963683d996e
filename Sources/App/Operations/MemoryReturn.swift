import CLinux
import HTTP

/// Gives memory back to the kernel after a crowd has gone: the heap keeps what it was given
/// otherwise, in pieces. On the jobs' thread, as it takes some milliseconds.
struct MemoryReturn {
    /// Connections, and bytes of unsent answers, that must have gone since the last time.
    private static let connectionsMin = 500
    private static let bytesMin = 8 << 20

    private var connections = 0
    private var bytes = 0

    /// Called about once a second.
    mutating func look(_ statistics: ServerStatistics) {
        connections = max(connections, statistics.connectionsOpen)
        bytes = max(bytes, statistics.unsentBytes)
        guard
            connections - statistics.connectionsOpen >= MemoryReturn.connectionsMin
                || bytes - statistics.unsentBytes >= MemoryReturn.bytesMin
        else { return }
        connections = statistics.connectionsOpen
        bytes = statistics.unsentBytes
        clinux_trim_heap()
    }
}
