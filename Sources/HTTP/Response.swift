/// An answer to one request. The server adds Date, Content-Length, Request-Id and Connection;
/// handlers must not set those.
public struct Response: Sendable {
    public var status: Int
    /// In the order in which they are sent. Control characters in a value are sent as spaces.
    public var headers: [(String, String)]
    /// Not sent for HEAD (its length is) and never for 1xx, 204 and 304.
    public var content: Content
    /// The connection closes once this answer is sent.
    public var closesConnection = false
    /// The route's index for metrics, given back in `Answered`. 0 when no route was found.
    public var tag = 0

    /// What the body is made of.
    public enum Content: Sendable {
        /// Made for this answer alone.
        case bytes([UInt8])
        /// Bytes that live as long as the process, such as the contract: they are sent from where
        /// they are, however many clients wait for them.
        case shared([UInt8])
        /// Too large for memory: made while the client takes it.
        case stream(BodyStream)
    }

    public init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.init(status: status, headers: headers, content: .bytes(body))
    }

    public init(status: Int, headers: [(String, String)] = [], content: Content) {
        self.status = status
        self.headers = headers
        self.content = content
    }

    /// The body that is whole in memory; empty for a stream.
    public var body: [UInt8] {
        get {
            switch content {
            case .bytes(let bytes), .shared(let bytes): bytes
            case .stream: []
            }
        }
        set { content = .bytes(newValue) }
    }

    /// Bytes of memory that this answer alone holds.
    var cost: Int {
        if case .bytes(let bytes) = content { bytes.count } else { 0 }
    }

    /// `bytes` are JSON text.
    public static func json(_ status: Int, _ bytes: [UInt8]) -> Response {
        Response(status: status, headers: [("Content-Type", "application/json")], body: bytes)
    }

    public static func text(_ status: Int, _ text: String) -> Response {
        Response(
            status: status, headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: Array(text.utf8))
    }

    public static func html(_ status: Int, _ text: String) -> Response {
        Response(
            status: status, headers: [("Content-Type", "text/html; charset=utf-8")],
            body: Array(text.utf8))
    }

    /// A redirect to `location`, 302 unless told otherwise.
    public static func redirect(_ location: String, status: Int = 302) -> Response {
        Response(status: status, headers: [("Location", location)])
    }

    public static var noContent: Response { Response(status: 204) }

    /// The first value of a header, its name in any ASCII case.
    public func header(_ name: String) -> String? {
        headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }
}
