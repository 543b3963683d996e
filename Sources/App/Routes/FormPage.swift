import Crypto
import HTTP
import Model
import Programs

/// The referral form as a page of our own: no script, no foreign resource, everything typed
/// escaped.
enum FormPage {
    /// The form for `program`, with what was typed and what is wrong with it.
    static func form(
        _ program: Program, values: [String: String], faults: [FieldError] = [],
        notice: String? = nil,
        status: Int = 200
    ) -> Response {
        var html = HTML()
        html.tag("h1", program.name)
        if let notice {
            html.raw("<p class=\"notice\" role=\"alert\">")
            html.text(notice)
            html.raw("</p>")
        }
        html.raw("<form method=\"post\" action=\"/f/\(program.id)\">")
        let isReferrerKnown = ["ref", "click_id"].contains { values[$0] != nil }
        let company = Input.company.filter { values[$0.name] != nil }
        let seen = Input.all.filter { !(isReferrerKnown && Input.hints.contains($0.name)) }
        for input in seen + company {
            field(
                input, values[input.name], faults.filter { $0.pointer == "/\(input.name)" }, &html)
        }
        // Off the screen and out of the tab order: only robots fill it in.
        html.raw(
            "<p class=\"trap\" aria-hidden=\"true\"><label>Website <input name=\""
                + FormPost.honeypot + "\" tabindex=\"-1\" autocomplete=\"off\"></label></p>")
        for name in FormPost.hidden + FormPost.campaign {
            guard let value = values[name] else { continue }
            html.raw("<input type=\"hidden\" name=\"\(name)\" value=\"")
            html.text(value)
            html.raw("\">")
        }
        html.raw("<p><button>Send</button></p></form>")
        return page(program.name, html, program, status: status)
    }

    /// Where a post leads when the program names no page of its own.
    static func thanks(_ program: Program) -> Response {
        var html = HTML()
        html.tag("h1", "Thank you")
        html.tag("p", "Your referral has been received. We will be in touch.")
        return page("Thank you", html, program, status: 200)
    }

    /// A refusal in words, when there is no form to go back to.
    static func refusal(_ problem: Problem) -> Response {
        var html = HTML()
        html.tag("h1", problem.title)
        html.tag("p", problem.detail)
        return page(problem.title, html, nil, status: problem.status)
    }

    /// One field that people see.
    private struct Input {
        let name: String
        let label: String
        let type: String
        let autocomplete: String
        let most: Int
        var isRequired = false

        static let all = [
            Input(name: "name", label: "Name", type: "text", autocomplete: "name", most: 200),
            Input(
                name: "email", label: "E-mail", type: "email", autocomplete: "email", most: 254,
                isRequired: true),
            Input(
                name: "company", label: "Company", type: "text", autocomplete: "organization",
                most: 200),
            Input(name: "phone", label: "Phone", type: "tel", autocomplete: "tel", most: 40),
            Input(name: "note", label: "Note", type: "textarea", autocomplete: "off", most: 2000),
            Input(
                name: "code", label: "Referral code (optional)", type: "text",
                autocomplete: "off", most: 64),
            Input(
                name: "referrer_email", label: "E-mail of the person who referred you (optional)",
                type: "email", autocomplete: "off", most: 254),
        ]

        /// Not asked where the page that led here said who brought the visitor.
        static let hints = ["code", "referrer_email"]

        /// What a program's own form may ask about the company; shown when it was given.
        static let company = [
            Input(
                name: "industry", label: "Industry", type: "text", autocomplete: "off", most: 100),
            Input(
                name: "company_size", label: "Employees", type: "text", autocomplete: "off",
                most: 20),
            Input(
                name: "country", label: "Country code", type: "text", autocomplete: "country",
                most: 40),
        ]
    }

    private static func field(
        _ input: Input, _ value: String?, _ faults: [FieldError], _ html: inout HTML
    ) {
        html.raw("<p><label for=\"\(input.name)\">\(input.label)</label>")
        var attributes =
            "id=\"\(input.name)\" name=\"\(input.name)\""
            + " autocomplete=\"\(input.autocomplete)\" maxlength=\"\(input.most)\""
        if input.isRequired { attributes += " required" }
        if !faults.isEmpty {
            attributes += " aria-invalid=\"true\" aria-describedby=\"\(input.name)-fault\""
        }
        if input.type == "textarea" {
            // A line break right behind the tag is not part of the text (HTML, 13.1.2.5).
            html.raw("<textarea rows=\"4\" \(attributes)>\n")
            html.text(value ?? "")
            html.raw("</textarea>")
        } else {
            html.raw("<input type=\"\(input.type)\" \(attributes) value=\"")
            html.text(value ?? "")
            html.raw("\">")
        }
        if let fault = faults.first {
            html.raw("<span class=\"fault\" id=\"\(input.name)-fault\">")
            html.text("This \(fault.detail).")
            html.raw("</span>")
        }
        html.raw("</p>")
    }

    private static func page(
        _ title: String, _ body: HTML, _ program: Program?, status: Int
    ) -> Response {
        var html = HTML()
        html.raw("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        html.raw("<meta name=\"robots\" content=\"noindex\">")
        html.tag("title", title)
        html.raw("<style>\(style)</style></head><body><main>")
        html.raw(body.markup)
        html.raw("</main></body></html>\n")
        var response = Response.html(status, html.markup)
        response.headers += headers(program)
        return response
    }

    /// `form-action` also governs where a post is redirected to, so the thank-you page's origin is
    /// in it.
    private static func headers(_ program: Program?) -> [(String, String)] {
        let thanks = program?.terms.thankYou.map { " \($0.origin)" } ?? ""
        return [
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src '\(styleHash)'; img-src 'self'; "
                    + "form-action 'self'\(thanks); base-uri 'none'; frame-ancestors 'none'"
            ),
            ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
            ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cache-Control", "no-store"),
        ]
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1c1c1c;background:#fafafa}\
        main{max-width:32rem;margin:2rem auto;padding:0 1rem}\
        label{display:block;font-weight:600}\
        input,textarea{box-sizing:border-box;width:100%;padding:.5rem;font:inherit;\
        border:1px solid #767676;border-radius:4px}\
        [aria-invalid]{border-color:#b00020}\
        .fault,.notice{color:#b00020}\
        button{padding:.6rem 1.4rem;font:inherit;color:#fff;background:#1a56b0;border:0;\
        border-radius:4px}\
        .trap{position:absolute;left:-10000px}
        """

    /// The one style that the page may have (CSP level 3, hash source).
    private static let styleHash = "sha256-" + Base64.encode(SHA256.hash(style))
}

/// Markup put together from literals, with every text escaped.
struct HTML {
    private(set) var markup = ""

    /// Markup as it is: literals and ids alone.
    mutating func raw(_ text: String) { markup += text }

    /// Text for an element or a quoted attribute.
    mutating func text(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup += "&amp;"
            case "<": markup += "&lt;"
            case ">": markup += "&gt;"
            case "\"": markup += "&quot;"
            case "'": markup += "&#39;"
            default: markup.unicodeScalars.append(scalar)
            }
        }
    }

    mutating func tag(_ name: String, _ text: String) {
        raw("<\(name)>")
        self.text(text)
        raw("</\(name)>")
    }
}
