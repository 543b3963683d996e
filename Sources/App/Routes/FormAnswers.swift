import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// The answers to a form post, in the client's language: pages for who accepts HTML, JSON for the
/// others, each with what CORS asks for.
struct FormAnswers: Sendable {
    let origin: FormOrigin
    private let isPage: Bool
    private let requestID: String

    init(_ call: Call) {
        origin = FormOrigin(call.request, publicURL: call.publicURL)
        isPage = FormAnswers.prefersHTML(call.request.header("accept") ?? "")
        requestID = call.request.id
    }

    /// The same for a new lead, a duplicate and spam: who posts must not learn whom we know.
    func success(_ lead: Lead, _ program: Program) -> Response {
        var response: Response
        if isPage {
            let location = program.terms.thankYou?.text ?? "/f/\(program.id)/thanks"
            response = .redirect(location, status: 303)
            response.headers.append(("Cache-Control", "no-store"))
        } else {
            var json = JSONWriter(capacity: 128)
            json.object { receipt in
                receipt.field("id", lead.id.description)
                receipt.field("object", "lead")
                receipt.field("status", "submitted")
            }
            response = .object(json.bytes, status: 201)
        }
        return finished(response, isAllowed: true)
    }

    /// A refusal that a form cannot mend.
    func refusal(_ problem: Problem, isAllowed: Bool) -> Response {
        guard isPage else {
            return finished(problem.response(requestID: requestID), isAllowed: isAllowed)
        }
        var response = FormPage.refusal(problem)
        response.headers += problem.headers
        return finished(response, isAllowed: isAllowed)
    }

    /// A refusal of what was typed: the form again, as it was, with what is wrong.
    func refusal(
        _ problem: Problem, _ post: FormPost, _ program: Program, isAllowed: Bool = true
    ) -> Response {
        guard isPage else { return refusal(problem, isAllowed: isAllowed) }
        let notice =
            problem.errors.isEmpty
            ? problem.detail : "Please look at the fields that are marked and send the form again."
        var response = FormPage.form(
            program, values: post.values, faults: problem.errors, notice: notice,
            status: problem.status)
        response.headers += problem.headers
        return finished(response, isAllowed: isAllowed)
    }

    private func finished(_ response: Response, isAllowed: Bool) -> Response {
        var response = response
        response.headers += origin.headers(isAllowed: isAllowed)
        return response
    }

    /// Whether `accept` names `text/html` and likes JSON no better (RFC 9110 section 12.5.1).
    /// Wildcards do not count: scripts and curl send them.
    static func prefersHTML(_ accept: String) -> Bool {
        var html = 0
        var json = 0
        for range in accept.split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let type = parts.first?.lowercased() else { continue }
            let weight = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            let thousandths = weight.map { FormAnswers.thousandths($0.dropFirst(2)) } ?? 1000
            if type == "text/html" || type == "application/xhtml+xml" {
                html = max(html, thousandths)
            }
            if type == "application/json" || type == "application/problem+json" {
                json = max(json, thousandths)
            }
        }
        return html > 0 && html >= json
    }

    /// A qvalue: `1`, `0.8`, `0.125`; anything else counts as 0.
    private static func thousandths(_ text: Substring) -> Int {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, whole == "0" || whole == "1",
            case let fraction = parts.count == 2 ? parts[1] : "", fraction.utf8.count <= 3,
            fraction.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return 0 }
        if whole == "1" { return 1000 }
        return Int(fraction + String(repeating: "0", count: 3 - fraction.utf8.count)) ?? 0
    }
}
