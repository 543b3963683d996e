import JSON
import Model
import Testing

@testable import App

/// Loyalty points, which the journal keeps as it keeps money, over the real server.
struct PointsTests {
    static let rule: JSONValue = ["trigger": "purchase", "kind": "points", "points": 101]

    static func points(_ stage: MoneyStage) throws -> [Int64] {
        let answer = try stage.service.get("/v1/participants/\(stage.participant)/points")
        #expect(answer.status == 200, "\(answer.text)")
        return ["pending", "available", "redeeming", "redeemed", "owed"].compactMap {
            answer[$0]?.integerValue
        }
    }

    @Test("R148: points are held, approved and taken back as money is, and held against none")
    func life() throws {
        let stage = try MoneyStage(holdDays: 5, threshold: 10, rules: [Self.rule])
        defer { stage.service.stop() }
        let terms: JSONValue = [
            "budget": ["amount": 1, "beyond": "refuse"], "reward_limits": ["participant_year": 1],
        ]
        #expect(
            try stage.service.send("PATCH", "/v1/programs/\(stage.program)", terms).status == 200)
        let (sale, reward) = try stage.sale("a", 10_000)
        #expect(try stage.reward(reward)["kind"] == "points")
        #expect(try stage.reward(reward)["amount"] == ["amount": 101, "currency": "PTS"])
        #expect(try Self.points(stage) == [101, 0, 0, 0, 0])
        stage.service.clock.advance(days: 5)
        stage.runJobs()
        #expect(try stage.reward(reward)["status"] == "approved")
        #expect(try Self.points(stage) == [0, 101, 0, 0, 0])
        // Half of 101 to the even neighbour.
        try stage.refund(sale, "half", 5_000)
        #expect(try Self.points(stage) == [0, 51, 0, 0, 0])
        let summary = try stage.service.get("/v1/participants/\(stage.participant)/summary")
        #expect(summary["rewards.approved"] == ["count": 1, "amount": 0, "points": 51])
        #expect(summary["balance.available"] == 0)
        let budget = try stage.service.get("/v1/programs/\(stage.program)/budget")
        #expect(budget["reserved.amount"] == 0 && budget["owed.due_now.count"] == 0)
        let accounts = try stage.service.list("/v1/ledger/accounts?kind=points_issued")
        #expect(accounts.map { $0["balance"] } == [51])
        let words = try stage.service.get("/v1/rewards/\(reward)/explain")
        #expect(words["summary"]?.stringValue?.hasSuffix("conversion: 101 points.") == true)
        let statement = "/v1/participants/\(stage.participant)/statement"
        let lines = try stage.service.get(statement + "?currency=PTS")
        #expect(lines["currency"] == "PTS" && lines["closing.available"] == 51)
        #expect(try stage.service.get(statement)["lines"] == .array([]))
        // Nothing of it is paid out.
        let payout = try stage.service.post(
            "/v1/payouts", ["participant_id": .string(stage.participant), "reference": "r"])
        #expect(payout.code == "nothing_to_pay")
        try stage.refund(sale, "rest")
        #expect(try stage.reward(reward)["status"] == "voided")
        #expect(try Self.points(stage) == [0, 0, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("R148: a campaign multiplies points, rounded down; an amount of money leaves them alone")
    func campaigns() throws {
        let stage = try MoneyStage(rules: [Self.rule])
        defer { stage.service.stop() }
        func campaign(_ effect: JSONObject) throws {
            let now = stage.service.clock.clock.now()
            var body = effect
            body["name"] = "More"
            body["starts_at"] = .string(now.rfc3339)
            body["ends_at"] = .string(now.advanced(byDays: 30).rfc3339)
            _ = try stage.service.make(
                "/v1/programs/\(stage.program)/campaigns", .object(body))
        }
        try campaign(["override_amount": MoneyStage.usd(1_000_000)])
        #expect(try stage.reward(stage.sale("a", 100).reward)["amount.amount"] == 101)
        try campaign(["multiplier_basis_points": 15_000])
        #expect(try stage.reward(stage.sale("b", 100).reward)["amount.amount"] == 151)
        try stage.expectSoundBooks()
    }

    @Test("a new decision about a sale's credit moves its points")
    func correction() throws {
        let stage = try MoneyStage(rules: [Self.rule])
        defer { stage.service.stop() }
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let sale = try stage.sale("a", 10_000).conversion
        let wish: JSONValue = [
            "reason": "r",
            "credits": [
                ["participant_id": .string(stage.participant), "parts": 1],
                ["participant_id": .string(ben), "parts": 1],
            ],
        ]
        #expect(
            try stage.service.post("/v1/conversions/\(sale)/reattribute", wish).status < 300)
        #expect(try Self.points(stage) == [0, 51, 0, 0, 0])
        let other = try stage.service.get("/v1/participants/\(ben)/points")
        #expect(other["available"] == 50)
        try stage.expectSoundBooks()
    }

    @Test("points are no currency of a program, a sale, a lead or a rule's amount")
    func wire() throws {
        let stage = try MoneyStage(rules: [])
        defer { stage.service.stop() }
        let points: JSONValue = ["amount": 100, "currency": "PTS"]
        for (path, body) in [
            ("/v1/programs", ["name": "P", "currency": "PTS"]),
            (
                "/v1/conversions",
                [
                    "external_id": "a", "program_id": .string(stage.program),
                    "customer": ["external_id": "c"], "kind": "purchase", "amount": points,
                ]
            ),
            (
                "/v1/leads",
                [
                    "participant_id": .string(stage.participant), "email": "a@buyer.example",
                    "estimated_value": points,
                ]
            ),
            (
                "/v1/programs/\(stage.program)/reward_rules",
                ["trigger": "lead.won", "amount": points]
            ),
        ] as [(String, JSONValue)] {
            let answer = try stage.service.post(path, body)
            #expect(answer.status == 400, "\(path): \(answer.text)")
            #expect(answer.pointer?.hasSuffix("/currency") == true, "\(path)")
        }
    }
}
