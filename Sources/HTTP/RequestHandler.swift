/// Answers requests. One per loop, made inside the loop's thread and never leaving it, so it may
/// hold connections and caches without locks. No call may block for long: the loop's other clients
/// wait.
public protocol RequestHandler: AnyObject {
    /// A new request id, sent as Request-Id. Also asked for requests that the parser refuses.
    func makeRequestID() -> String

    /// Called after the head of a request that announces a body, before the body is read.
    /// `head.body` is empty. Not called for requests without a body.
    func decideBody(_ head: Request) -> BodyDecision

    /// Called with each complete request. `reply` may be kept and used later from any thread when
    /// the outcome is `later` or `laterOr`; it does nothing otherwise.
    func handle(_ request: Request, _ reply: Reply) -> Outcome

    /// Called for every answer handed to the socket, also for those which the server gave by
    /// itself.
    func didAnswer(_ answer: Answered)

    /// Called once at the end of each epoll turn, for what is better done for many requests at a
    /// time.
    func turnEnded()
}

/// What a handler makes of a request.
public enum Outcome: Sendable {
    case answer(Response)
    /// The answer comes through the `Reply`.
    case later
    /// As `later`; when nothing came within `milliseconds` (precise to about 10 ms, at most 10
    /// minutes) the loop answers with the closure's response, and what comes after is dropped.
    case laterOr(milliseconds: Int, @Sendable () -> Response)
}

/// Whether the body of a request is read.
public enum BodyDecision: Sendable {
    /// Read it; 413 once it is longer than `bytesMax`, before any of it is read when it says so
    /// itself.
    case accept(bytesMax: Int)
    /// Read it, up to `Limits.bodyBytesMax`.
    case acceptUpToLimit
    /// Answer without reading it, and close the connection.
    case refuse(Response)
}

/// Answers one request later, from any thread, once. Later calls, and calls for a connection that
/// is gone, do nothing.
public struct Reply: Sendable {
    let mailbox: Mailbox
    let connection: UInt64
    let sequence: UInt32

    public func send(_ response: Response) {
        mailbox.post(.answer(connection: connection, sequence: sequence, response))
    }

    /// The same without waking the loop, for one of many answers: `Server.deliver` must follow.
    public func leave(_ response: Response) {
        mailbox.leave(.answer(connection: connection, sequence: sequence, response))
    }
}

/// One answer that was handed to the socket, for metrics and the log.
public struct Answered: Sendable {
    public let method: Method
    /// The response's `tag`.
    public let tag: Int
    public let status: Int
    /// Bytes of the whole answer, head and body.
    public let bytes: Int
    /// From the end of the request's head to the answer.
    public let seconds: Double
    public let requestID: String
    /// The server refused by itself: malformed, too large, too slow.
    public let refusedByParser: Bool
}
