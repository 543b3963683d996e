/// A body that is made in slices while the client takes them, so that it is never in memory as a
/// whole. The loop asks for a slice when the one before is nearly sent; it drops the stream, and
/// with it what the stream holds, at the end or when the client is gone.
public struct BodyStream: Sendable {
    public enum Slice: Sendable {
        /// The body's next bytes, some 64 KB.
        case bytes([UInt8])
        /// There is no more: the body is whole.
        case end
        /// The rest cannot be made. The connection is reset, so that no client takes the part that
        /// it has for the whole.
        case failed
    }

    let pull: @Sendable (_ deliver: @escaping @Sendable (Slice) -> Void) -> Void

    /// `pull` hands the next slice to its argument: once, from any thread, at once or later. It is
    /// called on the loop, and never while a slice is being made, so it must not block.
    public init(
        pull: @escaping @Sendable (_ deliver: @escaping @Sendable (Slice) -> Void) -> Void
    ) {
        self.pull = pull
    }
}

/// A stream that a connection is sending.
struct Streaming {
    let stream: BodyStream
    let slot: Connection.Slot
    let tag: Int
    let status: Int
    /// When its head was written.
    let seconds: Double
    /// RFC 9112 section 7.1; HTTP/1.0 ends the body with the connection instead.
    let isChunked: Bool
    /// Bytes of head and body so far.
    var bytes: Int
    /// A slice is being made.
    var isPulling = false

    var answered: Answered {
        Answered(
            method: slot.method, tag: tag, status: status, bytes: bytes, seconds: seconds,
            requestID: slot.requestID, refusedByParser: false)
    }
}
