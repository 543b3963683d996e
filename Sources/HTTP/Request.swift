import Platform

/// One complete request. Header values become Strings only when asked for.
public struct Request: Sendable {
    /// From `RequestHandler.makeRequestID`, sent back as Request-Id.
    public let id: String
    public let method: Method
    /// The target's path as sent, still percent-encoded, without query; `*` for `OPTIONS *`.
    public let path: String
    /// Without transfer coding; empty in `RequestHandler.decideBody`.
    public internal(set) var body: [UInt8] = []
    public let peer: Peer
    /// The index into `ServerConfiguration.listeners`.
    public let listener: Int
    /// When the head was complete.
    public let arrival: MonotonicInstant
    let head: RequestHead

    init(
        _ head: RequestHead, id: String, peer: Peer, listener: Int, arrival: MonotonicInstant
    ) {
        self.id = id
        self.method = head.method
        self.path = head.path
        self.peer = peer
        self.listener = listener
        self.arrival = arrival
        self.head = head
    }

    /// The request of these bytes, for handlers that are called without a server; nil when `head`
    /// is not exactly one well-formed head.
    public init?(
        head bytes: [UInt8], body: [UInt8] = [], id: String, peer: Peer, listener: Int = 0,
        arrival: MonotonicInstant
    ) {
        var parser = RequestParser()
        let progress = bytes.withUnsafeBufferPointer { parser.advance(over: $0, limits: Limits()) }
        guard case .complete(let head, let length) = progress, length == bytes.count else {
            return nil
        }
        self.init(head, id: id, peer: peer, listener: listener, arrival: arrival)
        self.body = body
    }

    public var isHTTP10: Bool { head.isHTTP10 }

    /// The raw text after the path's "?", "" when there is none.
    public var query: String { head.text(head.query) }

    /// The method as sent, also for `Method.other`.
    public var methodText: String { head.text(head.methodText) }

    /// The host that the request is for, with its port if sent: the target's authority if it has
    /// one, else the Host field (RFC 9112 section 3.2.2). nil only in HTTP/1.0.
    public var host: String? { head.host.map(head.text) }

    /// The value of a header field, its name in any case; repeated fields joined with ", " (RFC
    /// 9110 section 5.3). Bytes that are not UTF-8 become U+FFFD.
    public func header(_ name: StaticString) -> String? {
        head.bytes.withUnsafeBufferPointer { bytes in
            var value: String?
            for field in head.fields where bytes.part(field.name).equalsIgnoringCase(name) {
                let text = String(decoding: bytes.part(field.value), as: UTF8.self)
                value = value.map { $0 + ", " + text } ?? text
            }
            return value
        }
    }

    /// Whether a header field is there. Allocates nothing.
    public func hasHeader(_ name: StaticString) -> Bool {
        withHeader(name) { $0 != nil }
    }

    /// Calls `body` with the bytes of the first field of this name, without allocating; nil when
    /// there is none.
    public func withHeader<Result>(
        _ name: StaticString, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        head.bytes.withUnsafeBufferPointer { bytes in
            for field in head.fields where bytes.part(field.name).equalsIgnoringCase(name) {
                return body(UnsafeRawBufferPointer(bytes.part(field.value)))
            }
            return body(nil)
        }
    }

    /// All header fields in the order sent, for logs and for handing on.
    public var headers: [(name: String, value: String)] {
        head.bytes.withUnsafeBufferPointer { bytes in
            head.fields.map { field in
                (
                    String(decoding: bytes.part(field.name), as: UTF8.self),
                    String(decoding: bytes.part(field.value), as: UTF8.self)
                )
            }
        }
    }
}
