/// What a server has done and holds, summed over its loops. Each number is exact; together they are
/// not one instant.
public struct ServerStatistics: Sendable, Equatable {
    public var connectionsOpen = 0
    public var connectionsAccepted = 0
    /// Closed or answered 503 because of `Limits.connectionsMax` or for want of descriptors.
    public var connectionsRefused = 0
    public var requests = 0
    /// Requests that the server refused by itself: malformed, too large, too slow.
    public var requestsRefused = 0
    /// Connections that ended by a time limit other than resting idle.
    public var timeouts = 0
    /// Answers that the loop gave because a deferred one was late.
    public var answersLate = 0
    /// Connections that were closed because answers that nobody took held too much memory.
    public var slowReadersClosed = 0
    /// Resting connections that were closed because places were short.
    public var idleClosed = 0
    /// Bytes of memory that answers hold which clients have not taken.
    public var unsentBytes = 0
}
