/// Every size, count and wait of the HTTP server, each with its reason. Seconds may be fractions.
public struct Limits: Sendable {
    /// Longest request line without its CRLF, in bytes; beyond it 414. RFC 9112 section 3 asks for
    /// 8000 at least, and proxies in front of us stop at 8 KiB.
    public var requestLineBytesMax = 8192
    /// Longest header section including its last empty line, in bytes; beyond it 431. Room for
    /// large cookies and trace headers; what a slow client can make us hold per connection.
    public var headerBytesMax = 32_768
    /// Most header fields; beyond it 431. Browsers behind two proxies send about 40.
    public var headerFieldsMax = 100
    /// Longest body where the handler names no other bound, in bytes; beyond it 413.
    public var bodyBytesMax = 1_048_576
    /// Bytes of unfinished bodies that one loop holds for all its connections; beyond it whoever
    /// sends more is refused with 503. Four of the largest imports at a time.
    public var unfinishedBodiesBytesMax = 67_108_864
    /// Longest chunk extensions of one body together, in bytes; beyond it 400. They are ignored, so
    /// they must not be a way to send without end.
    public var chunkExtensionBytesMax = 4096
    /// Longest trailer section, in bytes; beyond it 431. Trailers are dropped.
    public var trailerBytesMax = 8192
    /// Most open connections of the whole server; beyond it 503 and close. Some kilobytes each.
    /// Also bounded by what RLIMIT_NOFILE leaves.
    public var connectionsMax = 16_384
    /// The server does not start with places for fewer: a proxy alone keeps some dozens.
    public var connectionsMin = 64
    /// Most open connections of one address (of IPv6: of a network of 64 bits); beyond it 429 and
    /// close. An office behind one address keeps some dozens; 0 sets no limit.
    public var connectionsPerAddressMax = 256
    /// Places that only the operator's listeners have: strangers must not lock it out.
    public var connectionsReserved = 32
    /// A connection that has rested this long may be closed for a new one when places are short.
    public var restSecondsMin = 1.0
    /// Descriptors left for the database, logs and outgoing connections.
    public var descriptorsReserved = 128
    /// Descriptors that each loop has for itself: epoll, signals, listeners, a database connection.
    public var descriptorsPerLoop = 12
    /// Connections over the limit, at one time, that are told so; any further are just closed.
    public var connectionsOverLimitMax = 128
    /// Unanswered requests of one connection, before no more are read from it.
    public var pipelineDepthMax = 32
    /// Unsent bytes of one connection, with the answers that wait for their turn, beyond which it
    /// is answered no further request.
    public var outboundBytesMax = 262_144
    /// Bytes of memory that answers of all connections hold which clients have not taken; beyond it
    /// the slowest readers are closed. 10,000 clients that read nothing must not fill the memory;
    /// shared bodies and streams hold next to none.
    public var unsentBytesMax = 67_108_864
    /// Unsent bytes of a streamed body below which its next slice is made, so that the client need
    /// not wait for it.
    public var streamBytesLow = 65_536
    /// Bytes that the kernel takes of a connection and cannot send yet. Without a bound it is some
    /// megabytes for each client that reads nothing.
    public static let kernelUnsentBytesMax: Int32 = 131_072
    /// From the first byte of a head to its end; then 408. A head fits into a few packets.
    public var headerSeconds = 10.0
    /// A body may take this long, plus a second for every `progressBytesPerSecondMin` received;
    /// then 408.
    public var bodySeconds = 10.0
    /// The same for answers that a client is slow to take; then the connection is closed.
    public var writeSeconds = 10.0
    /// The slowest link that is still served: 32 kbit/s.
    public var progressBytesPerSecondMin = 4096
    /// How long a connection may rest between requests. Longer than the 60 s that proxies keep
    /// theirs is not needed: they retry.
    public var idleSeconds = 60.0
    /// How long a handler may take with a deferred answer, before 503 goes out in its place.
    public var answerSeconds = 60.0
    /// How long a connection that we closed is still read from, so that the client sees the answer
    /// and not a reset (RFC 9112 section 9.6).
    public var lingerSeconds = 2.0
    /// How many bytes are read and dropped in that time. Whoever sends more does not wait for an
    /// answer.
    public var lingerBytesMax = 16_777_216
    /// How long a drain waits for requests in flight. Below the 30 s after which orchestrators
    /// kill.
    public var drainSeconds = 20.0
    /// How long a drain waits for the first request of a connection that has just been made.
    public var drainFirstRequestSeconds = 1.0

    public init() {}
}
