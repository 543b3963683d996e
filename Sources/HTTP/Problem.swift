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
    /// Extension members (RFC 9457 section 3.2), after the others.
    public var members: [(String, JSONValue)]

    /// `title` is the status's reason phrase unless given, as the type is always `about:blank`.
    public init(
        _ status: Int, _ code: String, title: String? = nil, detail: String = "",
        errors: [FieldError] = [], headers: [(String, String)] = [],
        members: [(String, JSONValue)] = []
    ) {
        self.status = status
        self.code = code
        self.title = title ?? reasonPhrase(status)
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.members = members
    }

    /// The answer as `application/problem+json`. `detail` and `errors` are left out when empty.
    public func response(requestID: String) -> Response {
        var json = JSONWriter()
        json.object { problem in
            problem.field("type", "about:blank")
            problem.field("title", title)
            problem.field("status", status)
            if !detail.isEmpty { problem.field("detail", detail) }
            problem.field("code", code)
            problem.field("request_id", requestID)
            if !errors.isEmpty {
                problem.array("errors") { list in
                    for error in errors {
                        list.object { item in
                            item.field("pointer", error.pointer)
                            item.field("code", error.code)
                            item.field("detail", error.detail)
                        }
                    }
                }
            }
            for (name, value) in members { problem.field(name, value) }
        }
        return Response(
            status: status, headers: [("Content-Type", "application/problem+json")] + headers,
            body: json.bytes)
    }
}

extension Problem {
    init(_ refusal: Malformation) {
        self.init(refusal.status, refusal.code, detail: refusal.detail)
    }
}
