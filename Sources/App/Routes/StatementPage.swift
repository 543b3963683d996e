import Crypto
import HTTP
import Model
import Programs
import RewardLedger

/// A participant's statement as a page to read and to print: no script, no foreign resource,
/// everything stored escaped.
enum StatementPage {
    /// For whom, of what, and when.
    struct Heading {
        let participant: Participant
        let program: Program
        let period: StatementPeriod
    }

    static func response(_ statement: Statement, _ heading: Heading) -> Response {
        let title = "Statement for \(heading.participant.name)"
        var html = HTML()
        html.raw("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        html.raw("<meta name=\"robots\" content=\"noindex\">")
        html.tag("title", title)
        html.raw("<style>\(style)</style></head><body><main><h1>")
        html.text(title)
        html.raw("</h1>")
        write(heading, statement, &html)
        writeBalances(statement, &html)
        writeLines(statement, &html)
        html.tag(
            "p",
            "Of the journal up to entry \(statement.head.sequence), whose hash is "
                + "\(Hex.encode(statement.head.hash)).")
        html.raw("</main></body></html>\n")
        var response = Response.html(200, html.markup)
        response.headers += headers
        return response
    }

    private static func write(_ heading: Heading, _ statement: Statement, _ html: inout HTML) {
        html.raw("<p>")
        html.text(heading.program.name)
        if let company = heading.participant.company {
            html.raw("<br>")
            html.text(company)
        }
        html.raw("<br>\(heading.participant.id)</p><p>")
        let from = heading.period.from.map { "from \($0.rfc3339)" } ?? "from the beginning"
        let to = heading.period.to.map { "before \($0.rfc3339)" }
        let end = to ?? "up to \(heading.period.asOf.rfc3339)"
        html.text("Period: \(from), \(end). Currency: \(statement.currency.code).")
        html.raw("</p>")
    }

    private static let accounts: [(name: String, amount: @Sendable (ParticipantBalance) -> Int64)] =
        [
            ("On hold or in review", { $0.pending }), ("Available", { $0.available }),
            ("In payout", { $0.inPayout }), ("Paid", { $0.paid }),
            ("Owed back", { $0.clawbackOwed }),
        ]

    private static func writeBalances(_ statement: Statement, _ html: inout HTML) {
        html.raw("<h2>Balances</h2><table><thead><tr><th scope=\"col\">Account</th>")
        html.raw("<th scope=\"col\">Opening</th><th scope=\"col\">Closing</th></tr></thead><tbody>")
        for account in accounts {
            html.raw("<tr><th scope=\"row\">\(account.name)</th>")
            amount(account.amount(statement.opening), statement, &html)
            amount(account.amount(statement.closing), statement, &html)
            html.raw("</tr>")
        }
        html.raw("<tr><th scope=\"row\">Owed to you in all</th>")
        amount(statement.opening.owed, statement, &html)
        amount(statement.closing.owed, statement, &html)
        html.raw("</tr></tbody></table>")
    }

    private static func writeLines(_ statement: Statement, _ html: inout HTML) {
        html.raw("<h2>What happened</h2><table class=\"lines\"><thead><tr>")
        for name in ["Time", "What"] + accounts.map(\.name) + ["Owed to you"] {
            html.raw("<th scope=\"col\">\(name)</th>")
        }
        html.raw("</tr></thead><tbody>")
        for line in statement.lines {
            html.raw("<tr><td>\(line.postedAt.rfc3339)</td><td class=\"words\">")
            html.text(line.words(in: statement.currency))
            html.raw("</td>")
            for account in accounts {
                let change = account.amount(line.change)
                if change == 0 {
                    html.raw("<td></td>")
                } else {
                    amount(change, statement, &html)
                }
            }
            amount(line.owed, statement, &html)
            html.raw("</tr>")
        }
        html.raw("</tbody></table>")
        if statement.lines.isEmpty { html.tag("p", "Nothing happened in this period.") }
    }

    private static func amount(_ amount: Int64, _ statement: Statement, _ html: inout HTML) {
        html.raw("<td class=\"amount\">")
        html.text(Money(amount: amount, currency: statement.currency).decimal)
        html.raw("</td>")
    }

    private static let headers: [(String, String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src '\(styleHash)'; form-action 'none'; base-uri 'none'; "
                + "frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]

    private static let style = """
        body{font:14px/1.5 system-ui,sans-serif;margin:0;color:#1c1c1c;background:#fff}\
        main{max-width:72rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}\
        table{border-collapse:collapse;margin:1rem 0}\
        th,td{padding:.3rem .6rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}\
        .amount{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
        .words{min-width:18rem}\
        @media print{@page{margin:1.5cm}body{font-size:9pt}main{max-width:none;margin:0;padding:0}\
        thead{display:table-header-group}tr{break-inside:avoid}h2{break-after:avoid}\
        .words{min-width:0}}
        """

    /// The one style that the page may have (CSP level 3, hash source).
    private static let styleHash = "sha256-" + Base64.encode(SHA256.hash(style))
}
