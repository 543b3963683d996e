import JSON

/// An error answer (RFC 9457): what went wrong, in words for people and a code for programs.
public struct Problem: Sendable {
    /// One fault of the request's content. `pointer` is a JSON Pointer (RFC 6901) into the body.
    public struct FieldError: Sendable, Hashable {
        public let pointer: String
        public let code: String
        public let detail: String

        public init(pointer: String, code: String, detail: String) {
            self.pointer = pointer
            self.code = code
            self.detail = detail
        }
    }

    public var status: Int
    /// Stable, in snake_case: what programs decide by.
    public var code: String
    public var title: String
    /// Never a value of the request.
    public var detail: String
    public var errors: [FieldError]
    public var headers: [(String, String)]

    /// `title` is the status's reason phrase unless given, as the type is always `about:blank`.
    public init(
        _ status: Int, _ code: String, title: String? = nil, detail: String = "",
        errors: [FieldError] = [], headers: [(String, String)] = []
    ) {
        self.status = status
        self.code = code
        self.title = title ?? reasonPhrase(status)
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    public func response(requestID: String) -> Response {
        Response(status: status, headers: headers)
    }
}
