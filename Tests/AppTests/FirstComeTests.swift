import Foundation
import JSON
import Model
import Synchronization
import Testing

@testable import App

/// What is for the first referrals alone (R161, R193), and for some products (R189), over the real
/// server.
struct FirstComeTests {
    private func campaign(_ stage: MoneyStage, _ members: JSONObject) throws -> String {
        let now = stage.service.clock.clock.now()
        var body: JSONObject = [
            "name": "First come", "starts_at": .string(now.advanced(byDays: -1).rfc3339),
            "ends_at": .string(now.advanced(byDays: 30).rfc3339),
            "multiplier_basis_points": 20_000,
        ]
        for (name, value) in members { body[name] = value }
        let path = "/v1/programs/\(stage.program)/campaigns"
        return path + "/" + (try stage.service.make(path, .object(body)))
    }

    /// A sale without a lead, that the partner touched.
    private func sell(
        _ stage: MoneyStage, _ name: String, to customer: String? = nil, product: String? = nil,
        kind: String = "purchase"
    ) throws -> TestAnswer {
        let customer: JSONValue = ["external_id": .string(customer ?? name)]
        _ = try stage.service.post(
            "/v1/touchpoints",
            [
                "participant_id": .string(stage.participant), "source": "partner",
                "customer": customer,
            ])
        var body: JSONObject = [
            "program_id": .string(stage.program), "external_id": .string(name),
            "customer": customer, "kind": .string(kind), "amount": MoneyStage.usd(10_000),
        ]
        body["product"] = product.map { .string($0) }
        return try stage.service.post("/v1/conversions", .object(body))
    }

    private func amount(_ sale: TestAnswer) -> JSONValue? { sale["rewards.0.amount.amount"] }

    @Test("R161: the first referrals get what a campaign gives, with all of their steps and sales")
    func places() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let path = try campaign(stage, ["first": 2])
        #expect(try stage.service.get(path)["used"] == 0)
        // Whoever earns first is first, not whoever came first.
        let leads = try ["a", "b", "c"].map { try stage.lead($0) }
        let amounts = try leads.reversed().map { lead in
            #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
            return try stage.rewards("&lead_id=\(lead)").first?["amount"]?.objectValue?["amount"]
        }
        #expect(amounts == [40_000, 40_000, 20_000])
        #expect(try stage.service.get(path)["used"] == 2)
        for (lead, due) in zip(leads, [1_000, 2_000, 2_000]) {
            let sale = try stage.service.post(
                "/v1/conversions",
                [
                    "external_id": .string("of-\(lead)"), "lead_id": .string(lead),
                    "kind": "purchase", "amount": MoneyStage.usd(10_000),
                ])
            #expect(amount(sale) == .integer(Int64(due)), "\(sale.text)")
        }
        // A later sale that names the customer alone is the same referral.
        let lead = try stage.service.get("/v1/leads/\(leads[1])")
        let again = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "again", "program_id": .string(stage.program),
                "customer": ["email": try #require(lead["email"])], "kind": "purchase",
                "amount": MoneyStage.usd(10_000),
            ])
        #expect(amount(again) == 2_000, "\(again.text)")
        #expect(amount(try sell(stage, "late")) == 1_000)
        #expect(try stage.service.get(path)["used"] == 2)
        let why = try stage.service.get(
            "/v1/rewards/\(try #require(again["rewards.0.id"]?.stringValue))/explain")
        #expect(why["basis.arithmetic.campaign.first"] == 2)
        try stage.expectSoundBooks()
    }

    @Test("R193: a rule for the first gives both sides nothing once its places are taken")
    func rule() throws {
        let gift: JSONValue = [
            "trigger": "signup", "recipient": "referee", "kind": "gift_card", "first": 2,
            "amount": MoneyStage.usd(5_000),
        ]
        let stage = try MoneyStage(rules: [
            gift, ["trigger": "signup", "basis_points": 1_000, "first": 1],
            ["trigger": "signup", "kind": "perk", "description": "A mug", "first": 3],
        ])
        defer { stage.service.stop() }
        let sales = try (1...4).map { try sell(stage, "s\($0)", kind: "signup") }
        #expect(sales.map { $0["rewards"]?.arrayValue?.count } == [1, 0, 0, 0])
        func benefits(_ kind: String) throws -> [JSONObject] {
            try stage.service.list("/v1/benefits?limit=100&kind=\(kind)")
        }
        #expect(try benefits("gift_card").count == 2)
        #expect(try benefits("perk").count == 3)
        // A place is not given to the next one when what it brought is taken back.
        for benefit in try benefits("gift_card") {
            let id = try #require(benefit["id"]?.stringValue)
            let void: JSONValue = ["reason": "r"]
            #expect(try stage.service.post("/v1/benefits/\(id)/void", void).status == 200)
        }
        _ = try sell(stage, "s5", kind: "signup")
        #expect(try benefits("gift_card").count == 2)
        let rules = try stage.service.list("/v1/programs/\(stage.program)/reward_rules")
        #expect(rules.map { $0["used"] } == [3, 1, 2])
    }

    @Test("a campaign multiplies the points of the first alone")
    func points() throws {
        let stage = try MoneyStage(rules: [
            [
                "trigger": "purchase", "recipient": "referee", "kind": "points", "points": 10,
            ]
        ])
        defer { stage.service.stop() }
        let path = try campaign(stage, ["first": 1])
        for name in ["a", "b"] { _ = try sell(stage, name) }
        let given = try stage.service.list("/v1/benefits")
        #expect(given.map { $0["points"] } == [10, 20])
        #expect(try stage.service.get(path)["used"] == 1)
    }

    @Test("a place belongs to the referral: a new decision about its credit keeps it")
    func correction() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let path = try campaign(stage, ["first": 1])
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let first = try sell(stage, "a")
        let second = try sell(stage, "b")
        #expect(amount(first) == 2_000 && amount(second) == 1_000)
        for (sale, due) in [(first, 2_000), (second, 1_000)] {
            let answer = try stage.service.post(
                "/v1/conversions/\(try sale.id())/reattribute",
                ["reason": "r", "credits": [["participant_id": .string(ben), "parts": 1]]])
            #expect(answer.status == 201, "\(answer.text)")
            #expect(answer["rewards.1.amount.amount"] == .integer(Int64(due)))
        }
        #expect(try stage.service.get(path)["used"] == 1)
        try stage.expectSoundBooks()
    }

    @Test("however many come at once, there is never one place too many or too few")
    func race() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let path = try campaign(stage, ["first": 5])
        let leads = try (1...16).map { try stage.lead("l\($0)") }
        let failures = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: leads.count) { place in
            let answer = try? stage.service.post("/v1/leads/\(leads[place])/qualify")
            if answer?.status != 200 { failures.add(1, ordering: .relaxed) }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        let amounts = try stage.rewards().map { $0["amount"]?.objectValue?["amount"] }
        #expect(amounts.filter { $0 == 40_000 }.count == 5)
        #expect(amounts.filter { $0 == 20_000 }.count == 11)
        #expect(try stage.service.get(path)["used"] == 5)
    }

    @Test("R189: campaigns and rules may be for some products, in any case of letters")
    func products() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "conversion", "basis_points": 1_000],
            ["trigger": "purchase", "amount": MoneyStage.usd(700), "products": ["Pro", "Team"]],
        ])
        defer { stage.service.stop() }
        _ = try campaign(stage, ["products": ["pro"]])
        let pro = try sell(stage, "a", product: "PRO")
        #expect(pro["product"] == "PRO")
        #expect(pro["rewards.0.amount.amount"] == 2_000 && pro["rewards.1.amount.amount"] == 1_400)
        let team = try sell(stage, "b", product: "Team")
        #expect(team["rewards.0.amount.amount"] == 1_000 && team["rewards.1.amount.amount"] == 700)
        let plain = try sell(stage, "c")
        #expect(plain["product"] == .null && plain["rewards"]?.arrayValue?.count == 1)
        #expect(try sell(stage, "b", product: "Team").status == 200)
        #expect(try sell(stage, "b").status == 200)
        let other = try sell(stage, "b", product: "Pro")
        #expect(other.status == 409 && other["errors.0.pointer"] == "/product")
        let events = try Scene.events(stage.service)
        let told = events.filter { $0["type"] == "conversion.attributed" }
        #expect(told.map { $0["data"]?.objectValue?["product"] } == ["PRO", "Team", nil])
        let lead: JSONValue = [
            "trigger": "lead.won", "amount": MoneyStage.usd(1), "products": ["Pro"],
        ]
        let refused = try stage.service.post(
            "/v1/programs/\(stage.program)/reward_rules", lead)
        #expect(refused.status == 422 && refused.code == "products_without_conversion")
    }
}
