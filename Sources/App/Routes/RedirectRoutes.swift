import HTTP
import JSON
import Model
import ReferralLinks

/// `/r/{code}`, and what a browser or a proxy may ask about how its visits are treated.
enum RedirectRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/r/{code}", .everyone, .redirect, redirecting)
        routes.add(.get, "/.well-known/gpc.json", .everyone, .direct(privacy), privacyStatement)
    }

    /// The path of a link that has slashes at its end, as addresses are copied; nil for any other.
    static func barePath(_ path: String) -> String? {
        guard path.hasPrefix("/r/"), let text = PercentCoding.decode(path.dropFirst(3)) else {
            return nil
        }
        let code = LinkCode.bare(text)
        return LinkCode.isWellFormed(code) && code != text ? "/r/" + code : nil
    }

    /// The Global Privacy Control support resource. The date is that of the statement.
    private static func privacy(_ call: Call) -> Response {
        var response = Response.json(
            200, Array(#"{"gpc":true,"lastUpdate":"2026-11-24"}"#.utf8))
        response.headers.append(("Cache-Control", "public, max-age=86400"))
        return response
    }

    private static let redirecting = Contract(
        operationID: "followLink",
        summary:
            "Send the visitor on to the link's destination with ref and click_id added. A link "
            + "that is off leads to the program's fallback_url, else its destination_url, without "
            + "them. HEAD records nothing. Click-Recorded tells when the click is not on the disk "
            + "yet or at all.",
        success: 302, answerType: "text/plain",
        others: [
            (
                410,
                "The link is off, and its program names neither a fallback_url nor a "
                    + "destination_url. HTML."
            ),
            (503, "A prefetch: nobody has clicked yet, so the click is kept for later."),
        ], pages: [404, 410, 503], keepsUnknownQuery: true)

    private static let privacyStatement = Contract(
        operationID: "getPrivacyControl", summary: "Says that Sec-GPC is honoured.",
        answer: .object([.required("gpc", .boolean), .required("lastUpdate", .text(10...10))]),
        keepsUnknownQuery: true)
}

/// The fixed answers of `/r/{code}`.
enum RedirectPage {
    /// 302, never a cacheable status: each click must reach us, and a changed link take effect at
    /// once.
    static func redirect(to location: String, tag: Int) -> Response {
        var response = Response(
            status: 302,
            headers: [
                ("Location", location), ("Content-Type", "text/plain; charset=utf-8"),
                ("Cache-Control", "no-store"), ("X-Robots-Tag", "noindex"),
                ("Referrer-Policy", referrerPolicy),
            ], body: body)
        response.tag = tag
        return response
    }

    /// The destination learns which site sent the visitor, but not which page: its address may say
    /// more than the visitor wants told.
    private static let referrerPolicy = "strict-origin-when-cross-origin"

    private static let body = Array("Found\n".utf8)

    static let unknown = page(
        404, "Link not found", "This link is not known here. Please check it for typing errors.")
    static let gone = page(
        410, "Link no longer in use", "This link has been retired and leads nowhere any more.")

    /// Browsers use a prefetched answer only when it is 2xx and ask again otherwise, so that the
    /// real click reaches us.
    static let notForPrefetch = Response(
        status: 503,
        headers: [
            ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
            ("X-Robots-Tag", "noindex"),
        ], body: Array("Not prefetched\n".utf8))

    private static func page(_ status: Int, _ title: String, _ words: String) -> Response {
        var response = Response.html(
            status,
            """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <title>\(title)</title>
            </head>
            <body>
            <h1>\(title)</h1>
            <p>\(words)</p>
            </body>
            </html>

            """)
        response.headers += [
            ("Cache-Control", "no-store"), ("X-Robots-Tag", "noindex"),
            ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", referrerPolicy),
            (
                "Content-Security-Policy",
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
        ]
        return response
    }
}
