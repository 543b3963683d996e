import JSON
import Model
import Testing

@testable import App

/// Where money takes two: whoever decided whether something was earned, by whom, how much, or where
/// it goes, does not say yes to it.
struct HandsTests {
    /// A partner program that takes two, with a tenth of every sale on hold; made by the operator.
    private static func deals() throws -> RegistrationTests.Deals {
        let deals = try RegistrationTests.Deals(
            [:],
            [
                ("approvals", ["separate": true]), ("hold_days", 9),
                ("attribution", ["model": "linear"]),
            ])
        _ = try deals.service.make(
            "/v1/programs/\(deals.program)/reward_rules",
            ["trigger": "conversion", "basis_points": 1_000])
        return deals
    }

    static let deeds = [
        "sale", "lead", "touch", "merge", "registration", "approval", "ruling", "reattribution",
        "token", "payout details", "segment", "kind", "email", "admission",
    ]

    /// What Ada earned, with one deed by `doer` and all others by the operator.
    private static func earned(
        _ deals: RegistrationTests.Deals, _ deed: String, by doer: String
    ) throws -> String {
        let service = deals.service
        func key(_ step: String) -> String { deed == step ? doer : "admin" }
        func post(_ path: String, _ body: JSONValue, _ step: String) throws -> TestAnswer {
            let answer = try service.post(path, body, key: key(step))
            #expect((200..<300).contains(answer.status), "\(step): \(answer.text)")
            return answer
        }
        let ada = JSONValue.string(deals.ada.id)
        var sale: JSONObject = [
            "external_id": "o1", "kind": "purchase", "amount": MoneyStage.usd(10_000),
            "program_id": .string(deals.program), "customer": ["email": "sam@acme.example"],
        ]
        switch deed {
        case "lead":
            let lead = try post(
                "/v1/leads", ["participant_id": ada, "email": "sam@acme.example"], deed)
            sale["lead_id"] = lead["id"]
        case "token":
            let token = try post("/v1/participants/\(deals.ada.id)/tokens", [:], deed)
            let secret = try #require(token["secret"]?.stringValue)
            let lead = try service.post("/v1/leads", ["email": "sam@acme.example"], key: secret)
            #expect(lead.status == 201, "\(lead.text)")
            sale["lead_id"] = lead["id"]
        case "registration", "approval", "ruling":
            let first = try post(
                "/v1/registrations",
                RegistrationTests.Deals.body(
                    deed == "ruling" ? deals.ben : deals.ada, ["domain": "acme.example"]),
                "registration")
            _ = try post("/v1/registrations/\(first.id())/approve", [:], "approval")
            if deed == "ruling" {
                let refused = try service.post(
                    "/v1/registrations",
                    RegistrationTests.Deals.body(deals.ada, ["domain": "acme.example"]))
                let dispute = try post(
                    "/v1/disputes",
                    ["registration_id": refused["registration_id"] ?? .null, "reason": "x"], "")
                _ = try post(
                    "/v1/disputes/\(dispute.id())/resolve",
                    ["decision": "transfer", "reason": "x"], deed)
            }
        case "merge":
            let touch = try post(
                "/v1/touchpoints",
                [
                    "program_id": .string(deals.program), "source": "partner",
                    "participant_id": ada, "customer": ["external_id": "sam"],
                ], "")
            let other = try post(
                "/v1/touchpoints",
                [
                    "program_id": .string(deals.program), "source": "direct",
                    "customer": ["email": "sam@acme.example"],
                ], "")
            _ = try post(
                "/v1/customers/\(other["customer_id"]?.stringValue ?? "")/merge",
                ["customer_id": touch["customer_id"] ?? .null, "reason": "The same."], deed)
        default:
            _ = try post(
                "/v1/touchpoints",
                [
                    "program_id": .string(deals.program), "source": "partner",
                    "participant_id": deed == "reattribution" ? .string(deals.ben.id) : ada,
                    "customer": ["email": "sam@acme.example"],
                ], "touch")
        }
        if deed == "payout details" {
            let patch: JSONValue = [
                "payout_account": "DE89370400440532013000"
            ]
            let changed = try service.send(
                "PATCH", "/v1/participants/\(deals.ada.id)", patch, key: doer)
            #expect(changed.status == 200, "\(changed.text)")
        }
        let changes: [String: JSONValue] = [
            "segment": ["segment": "gold"], "kind": ["kind": "affiliate"],
            "email": ["email": "other@mail.example"],
        ]
        if let change = changes[deed] {
            let changed = try service.send(
                "PATCH", "/v1/participants/\(deals.ada.id)", change, key: doer)
            #expect(changed.status == 200, "\(changed.text)")
        }
        if deed == "admission" {
            _ = try post("/v1/participants/\(deals.ada.id)/suspend", [:], "")
            _ = try post("/v1/participants/\(deals.ada.id)/approve", [:], deed)
        }
        let conversion = try post("/v1/conversions", .object(sale), "sale")
        if deed == "reattribution" {
            _ = try post(
                "/v1/conversions/\(conversion.id())/reattribute",
                ["credits": [["participant_id": ada, "parts": 1]], "reason": "She was it."], deed)
        }
        let rewards = try service.get("/v1/rewards?participant_id=\(deals.ada.id)")
        return try #require(rewards.ids.first, "\(deed): \(conversion.text)")
    }

    @Test("whoever had a hand in it does not approve it, and another does", arguments: deeds)
    func hands(deed: String) throws {
        let deals = try Self.deals()
        defer { deals.service.stop() }
        let doer = try Scene.key(deals.service, "admin").secret
        let other = try Scene.key(deals.service, "payouts").secret
        let reward = try Self.earned(deals, deed, by: doer)
        let path = "/v1/rewards/\(reward)"
        let refused = try deals.service.post(path + "/approve", key: doer)
        #expect(refused.status == 403 && refused.code == "separate_approval", "\(refused.text)")
        #expect(try deals.service.post(path + "/approve", key: other)["status"] == "approved")
        // Where it is paid is weighed again when the payout goes out.
        let payout = try deals.service.post(
            "/v1/payouts",
            ["participant_id": .string(deals.ada.id), "reference": "p1"], key: other)
        let submitted = try deals.service.post("/v1/payouts/\(payout.id())/submit", key: doer)
        #expect(submitted.status == (deed == "payout details" ? 403 : 200), "\(submitted.text)")
    }

    @Test("where everybody had a hand, an administrator goes on with a reason, in the log for good")
    func override() throws {
        let deals = try Self.deals()
        defer { deals.service.stop() }
        let doer = try Scene.key(deals.service, "admin")
        let clerk = try Scene.key(deals.service, "read", "write", "payouts")
        let reward = try Self.earned(deals, "sale", by: doer.secret)
        let path = "/v1/rewards/\(reward)"
        let reason: JSONValue = ["override_reason": "We are two, and the other is ill."]
        // Not by whom the scope is missing: it made the touch that is credited.
        _ = try deals.service.post(
            "/v1/touchpoints",
            [
                "program_id": .string(deals.program), "source": "partner",
                "participant_id": .string(deals.ada.id), "customer": ["external_id": "c2"],
            ], key: clerk.secret)
        let sale = try deals.service.post(
            "/v1/conversions",
            [
                "external_id": "o2", "kind": "purchase", "amount": MoneyStage.usd(500),
                "program_id": .string(deals.program), "customer": ["external_id": "c2"],
            ])
        let second = try #require(sale["rewards.0.id"]?.stringValue)
        let refused = try deals.service.post(
            "/v1/rewards/\(second)/approve", reason, key: clerk.secret)
        #expect(refused.status == 403 && refused.code == "forbidden", "\(refused.text)")

        #expect(try deals.service.post(path + "/approve", key: doer.secret).status == 403)
        let approved = try deals.service.post(path + "/approve", reason, key: doer.secret)
        #expect(approved["status"] == "approved", "\(approved.text)")
        let events = try Scene.events(deals.service).filter { $0["type"] == "duties.overridden" }
        #expect(events.count == 1)
        #expect(events.first?["actor"] == .string(doer.id))
        #expect(events.first?["subject_id"] == .string(reward))
        #expect(events.first?["reason"] == "We are two, and the other is ill.")
        // A reason that nobody needs leaves nothing.
        let other = try Scene.key(deals.service, "admin").secret
        let plain = try deals.service.post("/v1/rewards/\(second)/approve", reason, key: other)
        #expect(plain["status"] == "approved")
        #expect(
            try Scene.events(deals.service).count { $0["type"] == "duties.overridden" } == 1)
    }
}
