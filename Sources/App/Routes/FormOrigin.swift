import HTTP
import Model

/// Which page a form post comes from, as the browser tells, and whether it may.
///
/// Forms are "simple" requests (Fetch): no preflight protects the endpoint, so every post is
/// checked.
struct FormOrigin: Sendable {
    /// The Origin field; nil from programs and old browsers.
    let text: String?
    private let site: String?
    private let host: String?
    private let ownOrigin: String?

    init(_ request: Request, publicURL: String) {
        text = request.header("origin")
        site = request.header("sec-fetch-site")
        host = request.host?.lowercased()
        ownOrigin = WebURL(publicURL)?.origin
    }

    /// Whether a page of this origin may post the form. `null` (a sandboxed page) may not.
    func isAllowed(by origins: [String]) -> Bool {
        guard let text else {
            // Browsers that tell the site always send Origin with a foreign post.
            return site != "cross-site" && site != "same-site"
        }
        return isOwn || origins.contains(text)
    }

    /// Our own page, by the public address or by the one that the browser used.
    private var isOwn: Bool {
        guard let text else { return true }
        return text == ownOrigin
            || host.map { text == "http://\($0)" || text == "https://\($0)" } == true
    }

    /// What lets a script of an allowed origin read the answer. Every answer varies by Origin,
    /// refusals too.
    func headers(isAllowed: Bool) -> [(String, String)] {
        var headers = [("Vary", "Origin, Accept")]
        if isAllowed, let text {
            headers.append(("Access-Control-Allow-Origin", text))
            headers.append(("Access-Control-Expose-Headers", "Request-Id, Retry-After"))
        }
        return headers
    }

    /// The further headers that answer a preflight. Chromium keeps one for 7200 seconds at most.
    static let preflight = [
        ("Access-Control-Allow-Methods", "POST"),
        ("Access-Control-Allow-Headers", "Content-Type"),
        ("Access-Control-Max-Age", "7200"),
    ]
}
