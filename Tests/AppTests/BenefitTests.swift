import JSON
import Model
import Testing

@testable import App

/// What is earned beside money, over the real server, and the presets of rules.
struct BenefitTests {
    private func benefits(_ stage: MoneyStage, _ filter: String = "") throws -> [JSONObject] {
        try stage.service.list("/v1/benefits?limit=100" + filter).reversed()
    }

    private func sell(_ stage: MoneyStage, _ name: String) throws -> TestAnswer {
        try stage.service.post(
            "/v1/conversions",
            [
                "external_id": .string(name), "lead_id": .string(try stage.lead(name)),
                "kind": "purchase", "amount": MoneyStage.usd(10_000),
            ])
    }

    @Test("R147: gift cards, donations and perks wait, are approved and given, as no money")
    func life() throws {
        let stage = try MoneyStage(
            holdDays: 5, threshold: 10_000,
            rules: [
                [
                    "trigger": "lead.qualified", "kind": "gift_card",
                    "amount": MoneyStage.usd(5_000),
                ],
                [
                    "trigger": "lead.qualified", "kind": "donation", "description": "Red Cross",
                    "amount": MoneyStage.usd(10_000),
                ],
                ["trigger": "lead.qualified", "kind": "perk", "description": "Beta access"],
            ])
        defer { stage.service.stop() }
        let lead = try stage.lead()
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        #expect(try stage.rewards().isEmpty)
        #expect(try benefits(stage).map { $0["kind"] } == ["gift_card", "donation", "perk"])
        #expect(try benefits(stage).allSatisfy { $0["status"] == "pending" })
        stage.service.clock.advance(days: 5)
        stage.runJobs()
        #expect(
            try benefits(stage).map { $0["status"] } == ["approved", "review", "approved"])
        for benefit in try benefits(stage) {
            let path = "/v1/benefits/\(try #require(benefit["id"]?.stringValue))"
            if benefit["status"] == "review" {
                #expect(try stage.service.post(path + "/fulfill").code == "invalid_transition")
                #expect(try stage.service.post(path + "/approve")["status"] == "approved")
            }
            let given = try stage.service.post(path + "/fulfill", ["reference": "order 7"])
            #expect(given["status"] == "fulfilled" && given["reference"] == "order 7")
            let late = try stage.service.post(path + "/void", ["reason": "r"])
            #expect(late.code == "invalid_transition")
        }
        #expect(try stage.balance() == [0, 0, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a program's limits hold for whatever has a value in money, gifts too")
    func limits() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "conversion", "basis_points": 1_000],
            ["trigger": "conversion", "kind": "gift_card", "amount": MoneyStage.usd(5_000)],
        ])
        defer { stage.service.stop() }
        let limits: JSONValue = ["reward_limits": ["participant_total": 600]]
        let path = "/v1/programs/\(stage.program)"
        #expect(try stage.service.send("PATCH", path, limits).status == 200)
        for name in ["a", "b"] { #expect(try sell(stage, name).status == 201) }
        let money = try stage.rewards().map { $0["amount"]?.objectValue?["amount"] }
        #expect(money == [600])
        let gifts = try benefits(stage).map { $0["value"]?.objectValue?["amount"] }
        #expect(gifts == [])
    }

    @Test(
        "R143, R144: both sides get something, in records of their own, and only who was referred")
    func bothSides() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "purchase", "basis_points": 1_000],
            [
                "trigger": "purchase", "recipient": "referee", "kind": "account_credit",
                "basis_points": 500,
            ],
            [
                "trigger": "lead.submitted", "recipient": "referee", "kind": "perk",
                "description": "A trial of 30 days instead of 14",
            ],
        ])
        defer { stage.service.stop() }
        let sale = try sell(stage, "a")
        #expect(sale["rewards.0.amount.amount"] == 1_000)
        let given = try benefits(stage, "&customer_id=\(sale["customer_id"]?.stringValue ?? "")")
        #expect(given.map { $0["kind"] } == ["perk", "account_credit"])
        #expect(given.last?["value"]?.objectValue?["amount"] == 500)
        #expect(given.allSatisfy { $0["recipient"] == "referee" && $0["participant_id"] == .null })
        let direct = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "direct", "program_id": .string(stage.program),
                "customer": ["external_id": "nobody's"], "kind": "purchase",
                "amount": MoneyStage.usd(10_000),
            ])
        #expect(direct.status == 201)
        #expect(try benefits(stage).count == 2)
        // A full refund takes back what has not been given.
        try stage.refund(try sale.id(), "all")
        #expect(
            try benefits(stage, "&conversion_id=\(try sale.id())").map { $0["status"] }
                == ["voided"])
        try stage.expectSoundBooks()
    }

    @Test("R138, R139: open renewal discounts add up to no more than the rule's maximum")
    func discounts() throws {
        let stage = try MoneyStage(rules: [
            [
                "trigger": "lead.qualified", "kind": "discount", "discount_basis_points": 2_000,
                "max_discount_basis_points": 5_000,
            ]
        ])
        defer { stage.service.stop() }
        for number in 1...4 {
            let lead = try stage.lead("l\(number)")
            #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        }
        #expect(
            try benefits(stage).map { $0["discount_basis_points"] } == [2_000, 2_000, 1_000])
        #expect(try stage.service.list("/v1/events?type=benefit.withheld").count == 1)
    }

    @Test("a new decision about a sale's credit moves what is not yet given")
    func correction() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "purchase", "kind": "perk", "description": "A mug"]
        ])
        defer { stage.service.stop() }
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let sale = try sell(stage, "a")
        let wish: JSONValue = [
            "reason": "r", "credits": [["participant_id": .string(ben), "parts": 1]],
        ]
        let path = "/v1/conversions/\(try sale.id())/reattribute"
        #expect(try stage.service.post(path, wish).status < 300)
        #expect(
            try benefits(stage).map { $0["participant_id"] }
                == [.string(stage.participant), .string(ben)])
        #expect(try benefits(stage).map { $0["status"] } == ["voided", "approved"])
    }

    @Test("a partial refund takes its exact part of value and points, however it is cut")
    func partialRefund() throws {
        let stage = try MoneyStage(
            holdDays: 5,
            rules: [
                ["trigger": "purchase", "kind": "gift_card", "amount": MoneyStage.usd(999)],
                ["trigger": "purchase", "recipient": "referee", "kind": "points", "points": 7],
                ["trigger": "purchase", "kind": "perk", "description": "A mug"],
                ["trigger": "purchase", "kind": "discount", "discount_basis_points": 500],
            ])
        defer { stage.service.stop() }
        let sale = try sell(stage, "a")
        let path = "/v1/conversions/\(try sale.id())"
        #expect(sale["benefits"]?.arrayValue?.count == 4, "\(sale.text)")
        #expect(try sell(stage, "b")["benefits.0.kind"] == "gift_card")
        // 3,333 of 10,000, then half: the same as half at once.
        for (name, amount, value, points) in [("1", 3_333, 666, 5), ("2", 1_667, 499, 3)] {
            try stage.refund(try sale.id(), name, Int64(amount))
            let rest = try stage.service.get(path)
            #expect(rest["benefits.0.value.amount"] == .integer(Int64(value)), "\(rest.text)")
            #expect(rest["benefits.0.reversed_value.amount"] == .integer(Int64(999 - value)))
            #expect(rest["benefits.1.points"] == .integer(Int64(points)))
            #expect(rest["benefits.2.status"] == "pending")
            #expect(rest["benefits.3.discount_basis_points"] == 500)
        }
        let told = try stage.service.list("/v1/events?type=benefit.reversed")
        #expect(told.count == 4)
        #expect(told.allSatisfy { $0["data"]?.objectValue?["refund_id"] != nil })
        // What was given stays; the last of the sale takes all that was not.
        stage.service.clock.advance(days: 5)
        stage.runJobs()
        let card = try #require(try stage.service.get(path)["benefits.0.id"]?.stringValue)
        #expect(try stage.service.post("/v1/benefits/\(card)/fulfill")["value.amount"] == 499)
        try stage.refund(try sale.id(), "3")
        let end = try stage.service.get(path)
        #expect(end["benefits.0.status"] == "fulfilled" && end["benefits.0.value.amount"] == 499)
        for place in 1...3 { #expect(end["benefits.\(place).status"] == "voided") }
    }

    @Test("what a new decision gives of a sale that was refunded in part lacks that part")
    func correctionAfterRefund() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "purchase", "kind": "gift_card", "amount": MoneyStage.usd(1_000)]
        ])
        defer { stage.service.stop() }
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let sale = try sell(stage, "a")
        try stage.refund(try sale.id(), "a", 2_500)
        let answer = try stage.service.post(
            "/v1/conversions/\(try sale.id())/reattribute",
            ["reason": "r", "credits": [["participant_id": .string(ben), "parts": 1]]])
        #expect(answer["benefits.0.status"] == "voided")
        #expect(answer["benefits.1.value.amount"] == 750, "\(answer.text)")
    }

    // MARK: - Presets

    @Test("every preset is taken as a rule, from its low to its high end")
    func presets() throws {
        let stage = try MoneyStage(rules: [])
        defer { stage.service.stop() }
        let rules = "/v1/programs/\(stage.program)/reward_rules"
        let presets = try stage.service.list("/v1/reward_presets")
        #expect(presets.count == 19)
        for preset in presets {
            for end in ["low", "high"] {
                for rule in preset[end]?.arrayValue ?? [] {
                    let made = try stage.service.post(rules, rule)
                    #expect(made.status == 201, "\(preset["name"] ?? .null): \(made.text)")
                    #expect(
                        try stage.service.post("\(rules)/\(try made.id())/archive").status == 200)
                }
            }
        }
    }

    private func preset(_ stage: MoneyStage, _ name: String, _ end: String) throws -> [JSONObject] {
        let all = try stage.service.list("/v1/reward_presets")
        let preset = try #require(all.first { $0["name"] == .string(name) })
        return (preset[end]?.arrayValue ?? []).compactMap(\.objectValue)
    }

    @Test(
        "presets have the figures of their requirement",
        arguments: [
            // R19: resellers get a margin of 20 to 40 %.
            ("reseller", "basis_points", 2_000, 4_000),
            // R20: affiliates get 10 to 20 % of the first year.
            ("affiliate", "basis_points", 1_000, 2_000),
            // R22: service partners get a fee of 10 to 15 %.
            ("service", "basis_points", 1_000, 1_500),
            // R23: partners get 20 to 30 % of the first year.
            ("partner", "basis_points", 2_000, 3_000),
            // R24: a recurring commission of 25 %.
            ("recurring", "basis_points", 2_500, 2_500),
            // R26: employees get $50 to $500 for a qualified lead.
            ("employee", "amount", 5_000, 50_000),
            // R132: $500 for a qualified lead.
            ("saas_lead", "amount", 50_000, 50_000),
            // R133: a cash bonus of $100 to $1,000.
            ("b2b_cash", "amount", 10_000, 100_000),
            // R136: credit of $200 to $500 for a qualified referral.
            ("account_credit", "amount", 20_000, 50_000),
            // R137: gift cards of $100 to $250 for a qualified referral.
            ("gift_card", "amount", 10_000, 25_000),
            // R138: 10 to 20 % off the next renewal.
            ("renewal_discount", "discount_basis_points", 1_000, 2_000),
            // R143: the referee gets 10 to 20 % off the first year.
            ("referee_discount", "discount_basis_points", 1_000, 2_000),
        ] as [(String, String, Int64, Int64)])
    func figures(name: String, member: String, low: Int64, high: Int64) throws {
        let stage = try MoneyStage(rules: [])
        defer { stage.service.stop() }
        func figure(_ end: String) throws -> Int64? {
            let value = try preset(stage, name, end).first?[member]
            return value?.integerValue ?? value?.objectValue?["amount"]?.integerValue
        }
        #expect(try figure("low") == low)
        #expect(try figure("high") == high)
    }

    @Test("R141: the preset of tiers pays 200, 250 and 300 dollars, and 1,000, 1,500 and 2,000")
    func tierPreset() throws {
        let first = try MoneyStage(rules: [])
        let rules = try preset(first, "tiers", "low").map { JSONValue.object($0) }
        first.service.stop()
        let stage = try MoneyStage(rules: rules)
        defer { stage.service.stop() }
        let leads = try (1...7).map { try stage.lead("l\($0)") }
        for action in ["qualify", "win"] {
            for lead in leads {
                #expect(try stage.service.post("/v1/leads/\(lead)/\(action)").status == 200)
            }
        }
        let amounts = try stage.rewards().compactMap {
            $0["amount"]?.objectValue?["amount"]?.integerValue
        }
        #expect(amounts.reduce(0, +) == 175_000 + 1_400_000)
        #expect(try benefits(stage).map { $0["description"] } == ["The special perks of Gold"])
    }
}
