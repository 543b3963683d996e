import Database
import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// How much every table holds, to tell whether anything was written.
struct DatabaseContent: Equatable {
    private let counts: [String: Int64]

    init(_ service: TestService) throws {
        let reader = try TurnReader(service.service.app.database)
        let view = try reader.current()
        var counts: [String: Int64] = [:]
        for (name, sql) in DatabaseContent.queries {
            counts[name] = try #require(try view.integer(Query(sql)))
        }
        let tables = try view.all(
            """
            SELECT name FROM sqlite_schema WHERE type = 'table'
            AND name NOT LIKE 'sqlite%' AND name NOT IN ('schema_migrations', 'writer_clock')
            """
        ) { try $0.text(0) }
        #expect(Set(tables).isSubset(of: Set(counts.keys)), "a table is not looked at")
        try reader.endTurn()
        self.counts = counts
    }

    private static let queries: [(String, StaticString)] = [
        ("api_keys", "SELECT COUNT(*) + COUNT(revoked_at) FROM api_keys"),
        ("attributions", "SELECT COUNT(*) FROM attributions"),
        ("clicks", "SELECT COUNT(*) FROM clicks"),
        ("conversions", "SELECT COUNT(*) + COALESCE(SUM(refunded_amount), 0) FROM conversions"),
        ("counters", "SELECT COUNT(*) + COALESCE(SUM(value), 0) FROM counters"),
        ("customers", "SELECT COUNT(*) FROM customers"),
        ("events", "SELECT COUNT(*) FROM events"),
        ("idempotency_answers", "SELECT COUNT(*) FROM idempotency_answers"),
        ("jobs", "SELECT COUNT(*) FROM jobs"),
        ("leads", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM leads"),
        ("ledger_accounts", "SELECT COUNT(*) FROM ledger_accounts"),
        ("ledger_postings", "SELECT COUNT(*) FROM ledger_postings"),
        ("ledger_transactions", "SELECT COUNT(*) FROM ledger_transactions"),
        ("link_days", "SELECT COUNT(*) FROM link_days"),
        ("links", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM links"),
        ("participants", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM participants"),
        ("payout_rewards", "SELECT COUNT(*) FROM payout_rewards"),
        ("payouts", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM payouts"),
        ("programs", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM programs"),
        ("refunds", "SELECT COUNT(*) FROM refunds"),
        ("reward_rules", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM reward_rules"),
        ("rewards", "SELECT COUNT(*) + COALESCE(SUM(version), 0) FROM rewards"),
        ("rule_versions", "SELECT COUNT(*) FROM rule_versions"),
        ("touchpoints", "SELECT COUNT(*) FROM touchpoints"),
        ("visitor_salts", "SELECT COUNT(*) FROM visitor_salts"),
    ]
}

/// `Dry-Run: true`: the whole answer, and nothing written.
struct DryRunTests {
    /// A valid body for every write route; routes without a row take none.
    private static func body(_ endpoint: Endpoint, _ both: TwoReferrers) -> JSONValue {
        let ada = JSONValue.string(both.ada.id)
        let program = JSONValue.string(both.program)
        let cents: JSONValue = ["amount": 100, "currency": "USD"]
        switch endpoint.name {
        case "POST /v1/programs": return ["name": "B", "kind": "partner", "currency": "USD"]
        case "PATCH /v1/programs/{id}": return ["name": "C"]
        case "POST /v1/programs/{id}/reward_rules":
            return [
                "trigger": "lead.qualified", "recipient": "referrer", "kind": "cash",
                "amount": cents,
            ]
        case "PATCH /v1/programs/{id}/reward_rules/{rule_id}": return ["basis_points": 500]
        case "POST /v1/participants":
            return ["program_id": program, "name": "Eve", "email": "eve@partner.example"]
        case "PATCH /v1/participants/{id}": return ["name": "Ada L."]
        case "POST /v1/links": return ["participant_id": ada]
        case "POST /v1/links/bulk": return ["items": [["participant_id": ada]]]
        case "PATCH /v1/links/{id}": return ["campaign": "spring"]
        case "POST /v1/leads": return ["participant_id": ada, "email": "dry@buyer.example"]
        case "PATCH /v1/leads/{id}": return ["company": "Acme"]
        case "POST /v1/leads/{id}/disqualify", "POST /v1/leads/{id}/lose":
            return ["reason_code": "no_budget", "reason": "next year"]
        case "POST /v1/leads/{id}/nurture": return ["follow_up_at": "2099-01-01T00:00:00Z"]
        case "POST /v1/leads/{id}/reopen": return ["reason": "they called"]
        case "POST /v1/conversions": return TwoReferrers.sale("dry", of: both.ada.lead)
        case "POST /v1/conversions/{id}/refund": return ["external_id": "dry", "amount": cents]
        case "POST /v1/rewards/{id}/reject", "POST /v1/rewards/{id}/void",
            "POST /v1/payouts/{id}/fail":
            return ["reason": "because"]
        case "POST /v1/payouts": return ["participant_id": ada, "reference": "dry"]
        case "POST /v1/api_keys": return ["name": "dry", "scopes": ["read"]]
        default: return [:]
        }
    }

    private static func target(
        _ endpoint: Endpoint, _ both: TwoReferrers, rule: String, key: String
    ) throws -> String {
        let ids = [
            "programs": both.program, "reward_rules": rule, "participants": both.ada.id,
            "tokens": both.ada.tokenID, "links": both.ada.link, "leads": both.ada.lead,
            "conversions": both.ada.conversion, "rewards": both.ada.reward,
            "payouts": both.ada.payout, "api_keys": key,
        ]
        var parts = endpoint.path.components(separatedBy: "/")
        for index in parts.indices where parts[index].hasPrefix("{") {
            parts[index] = try #require(ids[parts[index - 1]], "no id for \(endpoint.name)")
        }
        return parts.joined(separator: "/")
    }

    @Test("a dry run of any write answers in full and writes nothing, not even its key")
    func everyWrite() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        // Something to be paid out.
        let sale = try service.post(
            "/v1/conversions", TwoReferrers.sale("second", of: both.ada.lead))
        #expect(sale.status == 201)
        let rules = try service.get("/v1/programs/\(both.program)/reward_rules")
        let rule = try #require(rules["data.0.id"]?.stringValue)
        let key = try service.make("/v1/api_keys", ["name": "old", "scopes": ["read"]])

        let before = try DatabaseContent(service)
        var accepted = 0
        for endpoint in RouteTable.all.endpoints where endpoint.idempotency != .none {
            let answer = try service.send(
                endpoint.method.rawValue,
                Self.target(endpoint, both, rule: rule, key: key), Self.body(endpoint, both),
                headers: [("Dry-Run", "true"), ("Idempotency-Key", "dry")])
            #expect(answer.header("dry-run") == "true", "\(endpoint.name): \(answer.text)")
            #expect(answer.header("idempotent-replayed") == nil)
            // The state may forbid an action, but the body is right.
            #expect(
                answer.status < 300 || answer.status == 409, "\(endpoint.name): \(answer.text)")
            if answer.status < 300 { accepted += 1 }
            if endpoint.secretMember != nil {
                #expect(answer["secret"] == .null, "\(endpoint.name)")
            }
            #expect(try DatabaseContent(service) == before, "\(endpoint.name)")
        }
        #expect(accepted >= 25)
    }

    @Test("the key of a dry run is free for the real thing")
    func keyStaysFree() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/leads/\(both.ada.lead)/qualify"
        let rehearsal = try service.send(
            "POST", path, [:], headers: [("Dry-Run", "true"), ("Idempotency-Key", "one")])
        #expect(rehearsal["status"] == "qualified")
        #expect(try service.get("/v1/leads/\(both.ada.lead)")["status"] == "submitted")
        let real = try service.send("POST", path, [:], headers: [("Idempotency-Key", "one")])
        #expect(real.header("idempotent-replayed") == nil)
        #expect(real.header("dry-run") == nil)
        #expect(try service.get("/v1/leads/\(both.ada.lead)")["status"] == "qualified")
    }

    @Test("a dry run tells what a sale would earn")
    func rehearsedRewards() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let answer = try service.send(
            "POST", "/v1/conversions", TwoReferrers.sale("dry", of: both.ada.lead, cents: 7_000),
            headers: [("Dry-Run", "true")])
        #expect(answer.status == 201)
        #expect(answer["rewards.0.amount.amount"] == 700)
        #expect(answer["rewards.0.participant_id"] == .string(both.ada.id))
    }

    @Test("what moves money needs its key in a dry run as well, or not at all")
    func dryRunWithoutKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let answer = try service.send(
            "POST", "/v1/payouts/\(both.ada.payout)/submit", [:], headers: [("Dry-Run", "true")])
        // The key is neither looked up nor stored, so it is not asked for.
        #expect(answer.status == 200)
        #expect(answer["status"] == "processing")
        #expect(try service.get("/v1/payouts/\(both.ada.payout)")["status"] == "draft")
    }

    @Test("a dry run's refusal says that it was one")
    func refusedDryRun() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let answer = try service.send(
            "POST", "/v1/leads/\(both.ada.lead)/win", [:], headers: [("Dry-Run", "true")])
        #expect(answer.status == 409)
        #expect(answer["code"] == "invalid_transition")
        #expect(answer.header("dry-run") == "true")
    }

    @Test("Dry-Run: false writes, and anything else is refused")
    func otherValues() throws {
        let service = try TestService()
        defer { service.stop() }
        let body: JSONValue = ["name": "A", "kind": "partner", "currency": "USD"]
        for value in ["1", "yes", "TRUE", ""] {
            let answer = try service.send(
                "POST", "/v1/programs", body, headers: [("Dry-Run", value)])
            #expect(answer.status == 400, "\(value)")
            #expect(answer["code"] == "bad_dry_run")
        }
        #expect(try service.get("/v1/programs")["data"] == .array([]))
        let real = try service.send(
            "POST", "/v1/programs", body, headers: [("Dry-Run", "false")])
        #expect(real.status == 201)
        let list = try service.get("/v1/programs")
        #expect(list["data.0.id"] == real["id"])
    }
}
