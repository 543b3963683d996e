import Database
import Foundation
import JSON
import Testing

@testable import App

/// A service with an active program and two approved partners, for tests of what may not be seen
/// or done.
struct Scene {
    let service: TestService
    let program: String
    let ada: Partner
    let ben: Partner

    /// One partner with a link and a token.
    struct Partner {
        let id: String
        let code: String
        let link: String
        let token: String
    }

    init(_ service: TestService, holdDays: Int64 = 0) throws {
        self.service = service
        let stage = try JourneyTests.Stage(service, holdDays: holdDays)
        program = stage.program
        let links = try service.get("/v1/links?participant_id=\(stage.participant)")
        ada = Partner(
            id: stage.participant, code: "ada",
            link: try #require(links["data.0.id"]?.stringValue),
            token: try Scene.token(service, of: stage.participant))
        ben = try Scene.partner(service, program: program, name: "ben")
    }

    /// A further approved partner, whose link has its name as code.
    static func partner(_ service: TestService, program: String, name: String) throws -> Partner {
        let id = try service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": .string(name),
                "email": .string("\(name)@partner.example"), "status": "approved",
            ])
        let link = try service.make(
            "/v1/links", ["participant_id": .string(id), "code": .string(name)])
        return Partner(id: id, code: name, link: link, token: try token(service, of: id))
    }

    static func token(_ service: TestService, of participant: String) throws -> String {
        let answer = try service.post("/v1/participants/\(participant)/tokens")
        return try #require(answer["secret"]?.stringValue)
    }

    /// A secret key with these scopes.
    static func key(_ service: TestService, _ scopes: String..., days: Int64? = nil) throws
        -> (id: String, secret: String)
    {
        let answer = try service.post(
            "/v1/api_keys",
            [
                "name": "test", "scopes": .array(scopes.map { .string($0) }),
                "expires_in_days": days.map { .integer($0) } ?? .null,
            ])
        return (
            try #require(answer["id"]?.stringValue), try #require(answer["secret"]?.stringValue)
        )
    }

    /// A lead that `partner` refers.
    func lead(_ partner: Partner, _ email: String) throws -> String {
        try service.make(
            "/v1/leads", ["participant_id": .string(partner.id), "email": .string(email)])
    }

    /// A sale credited to `partner` by its code; what the conversion's answer says.
    @discardableResult
    func sale(_ partner: Partner, _ externalID: String, _ amount: Int64 = 120_000) throws
        -> TestAnswer
    {
        let answer = try service.post(
            "/v1/conversions",
            [
                "external_id": .string(externalID), "ref": .string(partner.code),
                "customer": ["email": .string("\(externalID)@buyer.example")],
                "kind": "purchase", "amount": ["amount": .integer(amount), "currency": "USD"],
            ])
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    /// Drafts a payout of everything approved.
    func payout(_ partner: Partner, _ reference: String) throws -> String {
        try service.make(
            "/v1/payouts",
            ["participant_id": .string(partner.id), "reference": .string(reference)])
    }

    /// An item of the program's catalogue for 500 points, with this sku.
    static func catalogItem(
        _ service: TestService, in program: String, sku: String = "mug", _ more: JSONObject = [:]
    ) throws -> String {
        var body: JSONObject = [
            "program_id": .string(program), "sku": .string(sku), "name": "A mug", "kind": "perk",
            "points": 500,
        ]
        for (name, value) in more { body[name] = value }
        return try service.make("/v1/catalog_items", .object(body))
    }

    /// How many rows there are, in all tables together.
    static func rowCount(_ service: TestService) throws -> Int64? {
        try service.service.app.database.makeReader().integer(
            """
            SELECT
            (SELECT count(*) FROM api_keys) +
            (SELECT count(*) FROM idempotency_answers) +
            (SELECT count(*) FROM events) +
            (SELECT count(*) FROM feeds) +
            (SELECT count(*) FROM jobs) +
            (SELECT count(*) FROM rule_versions) +
            (SELECT count(*) FROM counters) +
            (SELECT count(*) FROM programs) +
            (SELECT count(*) FROM participants) +
            (SELECT count(*) FROM links) +
            (SELECT count(*) FROM clicks) +
            (SELECT count(*) FROM link_days) +
            (SELECT count(*) FROM visitor_salts) +
            (SELECT count(*) FROM leads) +
            (SELECT count(*) FROM lead_versions) +
            (SELECT count(*) FROM lead_keys) +
            (SELECT count(*) FROM lead_clocks) +
            (SELECT count(*) FROM funnel_days) +
            (SELECT count(*) FROM accounts) +
            (SELECT count(*) FROM registrations) +
            (SELECT count(*) FROM registration_versions) +
            (SELECT count(*) FROM account_claims) +
            (SELECT count(*) FROM receipts) +
            (SELECT count(*) FROM traces) +
            (SELECT count(*) FROM trace_keys) +
            (SELECT count(*) FROM signing_keys) +
            (SELECT count(*) FROM disputes) +
            (SELECT count(*) FROM dispute_evidence) +
            (SELECT count(*) FROM customers) +
            (SELECT count(*) FROM customer_merges) +
            (SELECT count(*) FROM known_customers) +
            (SELECT count(*) FROM first_paid_sales) +
            (SELECT count(*) FROM code_sales) +
            (SELECT count(*) FROM rehearsals) +
            (SELECT count(*) FROM touchpoints) +
            (SELECT count(*) FROM conversions) +
            (SELECT count(*) FROM refunds) +
            (SELECT count(*) FROM refund_reversals) +
            (SELECT count(*) FROM attributions) +
            (SELECT count(*) FROM conversion_credits) +
            (SELECT count(*) FROM reward_rules) +
            (SELECT count(*) FROM campaigns) +
            (SELECT count(*) FROM referral_counts) +
            (SELECT count(*) FROM first_come_places) +
            (SELECT count(*) FROM payouts) +
            (SELECT count(*) FROM payout_runs) +
            (SELECT count(*) FROM payout_run_states) +
            (SELECT count(*) FROM rewards) +
            (SELECT count(*) FROM benefits) +
            (SELECT count(*) FROM catalog_items) +
            (SELECT count(*) FROM redemptions) +
            (SELECT count(*) FROM redemption_rewards) +
            (SELECT count(*) FROM payout_rewards) +
            (SELECT count(*) FROM reward_clocks) +
            (SELECT count(*) FROM reward_times) +
            (SELECT count(*) FROM ledger_accounts) +
            (SELECT count(*) FROM ledger_transactions) +
            (SELECT count(*) FROM ledger_postings)
            """)
    }

    /// The types of all events, oldest first.
    static func events(_ service: TestService, key: String = "admin") throws -> [JSONObject] {
        var events: [JSONObject] = []
        var cursor = "0"
        while true {
            let page = try service.get("/v1/events?limit=100&after=\(cursor)", key: key)
            try #require(page.status == 200)
            events += page["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
            cursor = try #require(page["next_cursor"]?.stringValue)
            if page["has_more"] != true { return events }
        }
    }
}

extension TestAnswer {
    /// The `code` of a problem.
    var code: String? { self["code"]?.stringValue }

    /// The ids of a list's items.
    var ids: [String] {
        self["data"]?.arrayValue?.compactMap { $0.objectValue?["id"]?.stringValue } ?? []
    }

    /// The pointer of the first of a problem's errors.
    var pointer: String? { self["errors.0.pointer"]?.stringValue }
}

extension TestAnswer {
    /// The id of the object.
    func id() throws -> String { try #require(self["id"]?.stringValue, "\(text)") }
}
