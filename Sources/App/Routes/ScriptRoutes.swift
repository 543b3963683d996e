import Crypto
import HTTP

/// `/referral.js`: the small script for marketing sites.
enum ScriptRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/referral.js", .everyone, .direct(script), serving)
    }

    private static let bytes: [UInt8] =
        EmbeddedFiles.all.first { $0.name == "referral.js" }.map { Array($0.text.utf8) } ?? []

    /// Strong: of the bytes that are sent (RFC 9110 section 8.8.3).
    private static let tag = "\"" + Hex.encode(Array(SHA256.hash(bytes).prefix(8))) + "\""

    private static func script(_ call: Call) -> Response {
        var response = Response(status: 200, content: .shared(bytes))
        response.headers = [
            ("Content-Type", "text/javascript; charset=utf-8"),
            ("Cache-Control", "public, max-age=3600"), ("ETag", tag),
            ("X-Content-Type-Options", "nosniff"),
            // Pages of every origin load it, those that isolate themselves too.
            ("Cross-Origin-Resource-Policy", "cross-origin"),
        ]
        guard let condition = call.request.header("if-none-match"), matches(condition) else {
            return response
        }
        response.status = 304
        response.body = []
        response.headers.removeFirst()
        return response
    }

    /// If-None-Match compares weakly (RFC 9110 section 13.1.2).
    private static func matches(_ condition: String) -> Bool {
        condition.split(separator: ",").contains { part in
            let candidate = part.trimmed
            return candidate == "*" || candidate == tag || candidate == "W/" + tag
        }
    }

    private static let serving = Contract(
        operationID: "getScript",
        summary:
            "Keeps ref and click_id of the page's address first-party and fills forms with them.",
        answerType: "text/javascript", others: [(304, "The copy you have is the current one.")],
        keepsUnknownQuery: true)
}
