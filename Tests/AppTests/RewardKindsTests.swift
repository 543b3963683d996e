import JSON
import Testing

@testable import App

/// Limits for every kind of reward, a rule's own hold, how long a discount is given, and what a
/// perk is worth.
struct RewardKindsTests {
    private func stage(_ rule: JSONValue) throws -> CreditStage {
        let stage = try CreditStage()
        let path = "/v1/programs/\(stage.program)/reward_rules"
        let first = try #require(try stage.service.list(path).first?["id"]?.stringValue)
        #expect(try stage.service.post(path + "/\(first)/archive").status == 200)
        let made = try stage.service.post(path, rule)
        #expect(made.status == 201, "\(made.text)")
        return stage
    }

    private func sales(_ stage: CreditStage, _ count: Int) throws -> [TestAnswer] {
        try (1...count).map {
            try stage.sell("s\($0)", customer: "c\($0)", ["ref": "code-ada"])
        }
    }

    @Test("points are limited in points, what has a value in money, all else in pieces")
    func limits() throws {
        let points = try stage([
            "trigger": "purchase", "kind": "points", "points": 100,
            "limits": ["participant_total": 250],
        ])
        defer { points.service.stop() }
        #expect(
            try sales(points, 4).map { $0["rewards.0.amount.amount"]?.integerValue }
                == [100, 100, 50, nil])

        let perks = try stage([
            "trigger": "purchase", "kind": "perk", "description": "A month",
            "limits": ["participant_month": 2],
        ])
        defer { perks.service.stop() }
        #expect(
            try sales(perks, 4).map { $0["benefits"]?.arrayValue?.count } == [1, 1, 0, 0])
        perks.service.clock.advance(days: 40)
        let later = try perks.sell("later", customer: "later", ["ref": "code-ada"])
        #expect(later["benefits"]?.arrayValue?.count == 1)

        let cards = try stage([
            "trigger": "purchase", "kind": "gift_card", "amount": MoneyStage.usd(1_000),
            "limits": ["participant_total": 1_500],
        ])
        defer { cards.service.stop() }
        #expect(
            try sales(cards, 3).map { $0["benefits.0.value.amount"]?.integerValue }
                == [1_000, 500, nil])
        let events = try cards.service.list("/v1/events?type=benefit.withheld")
        #expect(events.map { $0["reason"] } == ["limit"])

        let friends = try stage([
            "trigger": "purchase", "kind": "perk", "description": "A month",
            "value": MoneyStage.usd(700),
            "recipient": "referee", "once_per": "occasion", "limits": ["referee": 1_500],
        ])
        defer { friends.service.stop() }
        let given = try (1...3).map {
            try friends.sell("s\($0)", customer: "c1", ["ref": "code-ada"])
        }
        #expect(given.map { $0["benefits"]?.arrayValue?.count } == [1, 1, 0])
    }

    @Test("gift cards count to the program's limits of money, and points do not")
    func programLimits() throws {
        let stage = try stage([
            "trigger": "purchase", "kind": "gift_card", "amount": MoneyStage.usd(1_000),
        ])
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        let limits: JSONValue = ["reward_limits": ["participant_total": 1_200]]
        #expect(try stage.service.send("PATCH", path, limits).status == 200)
        _ = try stage.service.make(
            path + "/reward_rules", ["trigger": "purchase", "kind": "points", "points": 5_000])
        let sales = try sales(stage, 2)
        #expect(sales.map { $0["benefits.0.value.amount"]?.integerValue } == [1_000, 200])
        #expect(sales.map { $0["rewards.0.amount.amount"]?.integerValue } == [5_000, 5_000])
    }

    private func day(_ time: JSONValue?) -> String.SubSequence? { time?.stringValue?.prefix(10) }

    @Test("a rule has a hold of its own, for rewards and benefits; null: the program's")
    func hold() throws {
        let stage = try stage([
            "trigger": "purchase", "amount": MoneyStage.usd(100), "hold_days": 14,
        ])
        defer { stage.service.stop() }
        stage.service.clock.moveToNoon()
        let path = "/v1/programs/\(stage.program)"
        _ = try stage.service.make(
            path + "/reward_rules",
            ["trigger": "purchase", "kind": "perk", "description": "A mug", "hold_days": 2])
        _ = try stage.service.make(
            path + "/reward_rules", ["trigger": "purchase", "kind": "points", "points": 5])
        let sale = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        #expect(sale["rewards.0.status"] == "pending")
        #expect(day(sale["rewards.0.hold_until"]) == day(stage.ago(-14)))
        #expect(sale["rewards.1.status"] == "approved")
        #expect(day(sale["benefits.0.hold_until"]) == day(stage.ago(-2)))
        let reward = try #require(sale["rewards.0.id"]?.stringValue)
        let why = try stage.service.get("/v1/rewards/\(reward)/explain")
        #expect(why["basis.hold_days"] == 14)
    }

    @Test(
        "a discount says for how long",
        arguments: [
            ([:], "once", nil), (["duration": "forever"], "forever", nil),
            (["duration_months": 6], "months", 6),
            (["duration": "months", "duration_months": 12], "months", 12),
        ] as [(JSONObject, String, Int64?)])
    func duration(said: JSONObject, name: String, months: Int64?) throws {
        var rule: JSONObject = [
            "trigger": "purchase", "kind": "discount", "discount_basis_points": 2_000,
            "recipient": "referee",
        ]
        for (name, value) in said { rule[name] = value }
        let stage = try stage(.object(rule))
        defer { stage.service.stop() }
        let sale = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        #expect(sale["benefits.0.duration"] == .string(name))
        #expect(
            sale["benefits.0.duration_months"] == (months.map { .integer($0) } ?? .null))
    }

    @Test("a perk has a value, which no refund divides")
    func perk() throws {
        let stage = try stage([
            "trigger": "purchase", "kind": "perk", "description": "A bag of coffee",
            "value": MoneyStage.usd(1_800), "hold_days": 5,
        ])
        defer { stage.service.stop() }
        let sale = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        #expect(sale["benefits.0.value.amount"] == 1_800)
        let refund: JSONValue = ["external_id": "r1", "amount": MoneyStage.usd(30_000)]
        let id = try sale.id()
        #expect(try stage.service.post("/v1/conversions/\(id)/refund", refund).status == 201)
        #expect(
            try stage.service.get("/v1/conversions/\(id)")["benefits.0.value.amount"] == 1_800)
        let path = "/v1/programs/\(stage.program)/reward_rules"
        let refused = try stage.service.post(
            path,
            ["trigger": "purchase", "amount": MoneyStage.usd(1), "value": MoneyStage.usd(1)])
        #expect(refused.code == "gift_misplaced")
    }

    @Test("presets say how often, for whom and for how long")
    func presets() throws {
        let service = try TestService()
        defer { service.stop() }
        let presets = try service.list("/v1/reward_presets")
        func rule(_ name: String) -> JSONObject? {
            presets.first { $0["name"] == .string(name) }?["low"]?.arrayValue?.first?.objectValue
        }
        #expect(rule("saas_free_month")?["once_per"] == "customer")
        #expect(rule("saas_free_month")?["customers"] == "new")
        #expect(rule("recurring")?["once_per"] == "occasion")
        #expect(rule("recurring")?["customers"] == "any")
        #expect(rule("referee_discount")?["duration_months"] == 12)
        #expect(rule("renewal_discount")?["duration"] == "once")
    }
}
