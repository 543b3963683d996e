import JSON
import Model
import Testing

@testable import App

/// What a lead takes with it that is lost, disqualified or refunded, over the real server.
struct LeadTakeBackTests {
    private static func stage(clawbackDays: JSONValue? = nil) throws -> MoneyStage {
        let stage = try MoneyStage(rules: [
            ["trigger": "lead.qualified", "amount": MoneyStage.usd(20_000)],
            ["trigger": "lead.won", "amount": MoneyStage.usd(50_000)],
        ])
        if let clawbackDays {
            let answer = try stage.service.send(
                "PATCH", "/v1/programs/\(stage.program)", ["clawback_days": clawbackDays])
            #expect(answer.status == 200 && answer["clawback_days"] == clawbackDays)
        }
        return stage
    }

    private func move(
        _ stage: MoneyStage, _ lead: String, _ action: String, _ body: JSONObject = [:]
    ) throws -> TestAnswer {
        try stage.service.post("/v1/leads/\(lead)/\(action)", .object(body))
    }

    private func won(_ stage: MoneyStage, _ name: String = "sam") throws -> String {
        let lead = try stage.qualified(name).lead
        #expect(try move(stage, lead, "win").status == 200)
        return lead
    }

    @Test("a deal that is lost takes nothing of what was earned before it, paid or not (R18)")
    func lost() throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        let (unpaid, first) = try stage.qualified("a")
        #expect(try move(stage, unpaid, "lose", ["reason": "Budget"]).status == 200)
        #expect(try stage.reward(first)["status"] == "approved")
        try stage.paid("p1")
        let (drafted, second) = try stage.qualified("b")
        _ = try stage.submitted("p2")
        #expect(
            try move(stage, drafted, "lose", ["reason": "Budget", "take_back": true]).status
                == 200)
        #expect(try stage.reward(second)["clawed_back.amount"] == 0)
        #expect(try stage.balance() == [0, 0, 20_000, 20_000, 0])
        try stage.expectSoundBooks()
    }

    @Test(
        "a disqualified lead takes back what is not paid, and what is paid only when told, in time")
    func disqualified() throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        let reason: JSONObject = ["reason": "Not a company", "reason_code": "other"]
        let (keeps, first) = try stage.qualified("a")
        let (gives, second) = try stage.qualified("b")
        let (late, third) = try stage.qualified("c")
        try stage.paid("p1")
        #expect(try move(stage, keeps, "disqualify", reason).status == 200)
        #expect(try stage.reward(first)["status"] == "paid")
        var takesBack = reason
        takesBack["take_back"] = true
        #expect(try move(stage, gives, "disqualify", takesBack).status == 200)
        #expect(try stage.reward(second)["status"] == "clawed_back")
        #expect(try stage.reward(second)["reason"] == "lead_disqualified")
        #expect(try stage.balance() == [0, 0, 0, 60_000, 20_000])
        stage.service.clock.advance(days: 91)
        let refused = try move(stage, late, "disqualify", takesBack)
        #expect(refused.status == 409 && refused.code == "taken_back_too_late")
        #expect(try stage.service.get("/v1/leads/\(late)")["status"] == "qualified")
        #expect(try move(stage, late, "disqualify", reason).status == 200)
        #expect(try stage.reward(third)["status"] == "paid")
        try stage.expectSoundBooks()
    }

    @Test("a program whose clawback_days are null takes nothing back that was paid")
    func never() throws {
        let stage = try Self.stage(clawbackDays: .null)
        defer { stage.service.stop() }
        let (paid, _) = try stage.qualified("a")
        try stage.paid("p1")
        let (unpaid, reward) = try stage.qualified("b")
        let body: JSONObject = ["reason": "r", "reason_code": "other", "take_back": true]
        #expect(try move(stage, paid, "disqualify", body).code == "never_taken_back")
        #expect(try move(stage, unpaid, "disqualify", body).status == 200)
        #expect(try stage.reward(reward)["status"] == "voided")
        let days = try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)", ["clawback_days": 0])
        #expect(days["clawback_days"] == 0)
        #expect(try stage.service.get("/v1/programs/\(stage.program)")["clawback_days"] == 0)
    }

    @Test("a new program takes back for 90 days")
    func byDefault() throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        #expect(try stage.service.get("/v1/programs/\(stage.program)")["clawback_days"] == 90)
    }

    @Test("a won deal that falls through takes back what its win earned, and nothing before it")
    func lostAfterWin() throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        let lead = try won(stage)
        #expect(try move(stage, lead, "lose").status == 400)
        #expect(try move(stage, lead, "lose", ["reason": "Cancelled"])["status"] == "lost")
        #expect(try stage.balance() == [0, 20_000, 0, 0, 0])

        let other = try won(stage, "tom")
        try stage.paid("p1")
        #expect(try move(stage, other, "lose", ["reason": "Cancelled"]).status == 200)
        #expect(try stage.balance() == [0, 0, 0, 90_000, 0])
        let third = try won(stage, "tim")
        try stage.paid("p2")
        let told: JSONObject = ["reason": "Cancelled", "take_back": true]
        #expect(try move(stage, third, "lose", told).status == 200)
        #expect(try stage.balance() == [0, 0, 0, 160_000, 50_000])
        // One that is won again earns again.
        #expect(try move(stage, third, "reopen", ["reason": "Back"]).status == 200)
        #expect(try move(stage, third, "qualify").status == 200)
        #expect(try move(stage, third, "win").status == 200)
        #expect(try stage.balance() == [0, 50_000, 0, 160_000, 50_000])
        try stage.expectSoundBooks()
    }

    @Test(
        "R175: lead.won goes back, paid or not, when the last sale of the lead is wholly refunded")
    func salesRefunded() throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        let lead = try won(stage)
        try stage.paid("p1")
        func sell(_ name: String, _ amount: Int64, _ kind: String = "purchase") throws -> String {
            try stage.service.make(
                "/v1/conversions",
                [
                    "external_id": .string(name), "lead_id": .string(lead), "kind": .string(kind),
                    "amount": MoneyStage.usd(amount),
                ])
        }
        _ = try sell("signup", 0, "signup")
        let (first, second) = (try sell("1", 10_000), try sell("2", 20_000))
        stage.service.clock.advance(days: 400)
        try stage.refund(first, "1")
        try stage.refund(second, "part", 19_999)
        #expect(try stage.balance() == [0, 0, 0, 70_000, 0])
        let last = try stage.refund(second, "rest").id()
        #expect(try stage.balance() == [0, 0, 0, 70_000, 50_000])
        let gone = try #require(
            try stage.rewards().first { $0["trigger"] == "lead.won" })
        #expect(gone["status"] == "clawed_back" && gone["reason"] == "sales_refunded")
        let back = try stage.service.post(
            "/v1/refunds/\(last)/reverse", ["external_id": "b", "kind": "chargeback_won"])
        #expect(back.status == 201, "\(back.text)")
        #expect(try stage.balance() == [0, 0, 0, 70_000, 0])
        try stage.expectSoundBooks()
    }

    @Test("a sale's reward follows its sale, not its lead")
    func sale() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        let lead = try #require(
            try stage.service.get("/v1/conversions/\(conversion)")["lead_id"]?.stringValue)
        let body: JSONObject = ["reason": "r", "reason_code": "other"]
        #expect(try move(stage, lead, "disqualify", body).status == 200)
        #expect(try stage.reward(reward)["status"] == "approved")
    }

    // MARK: - By hand

    @Test("claw_back takes all that still counts, paid or not, and no reversal gives it back")
    func clawBack() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 100_000)
        let refund = try stage.refund(sale, "1", 25_000).id()
        try stage.paid("p1")
        let path = "/v1/rewards/\(reward)/claw_back"
        #expect(try stage.service.post(path).status == 400)
        let gone = try stage.service.post(path, ["reason": "Bought for himself"])
        #expect(gone["status"] == "clawed_back" && gone["withdrawn.amount"] == 10_000)
        #expect(try stage.balance() == [0, 0, 0, 7_500, 7_500])
        #expect(try stage.service.post(path, ["reason": "again"]).status == 409)
        #expect(
            try stage.service.post(
                "/v1/refunds/\(refund)/reverse", ["external_id": "b", "kind": "mistake"]
            ).status == 201)
        #expect(try stage.balance() == [0, 0, 0, 7_500, 7_500])
        try stage.refund(sale, "2")
        #expect(try stage.balance() == [0, 0, 0, 7_500, 7_500])
        #expect(
            try stage.journal("reward_id=\(reward)").last == "reward_clawed_back")
        let (_, unpaid) = try stage.sale("b", 100_000)
        let voided = try stage.service.post(
            "/v1/rewards/\(unpaid)/claw_back", ["reason": "Bought for himself"])
        #expect(voided["status"] == "voided")
        try stage.expectSoundBooks()
    }

    private func give(
        _ stage: MoneyStage, _ body: JSONObject, key: String = "admin"
    ) throws -> TestAnswer {
        var body = body
        body["participant_id"] = body["participant_id"] ?? .string(stage.participant)
        return try stage.service.post("/v1/rewards", .object(body), key: key)
    }

    @Test("a reward by hand has a reason and no rule, and is paid and clawed back as others are")
    func manual() throws {
        let stage = try MoneyStage(holdDays: 30, threshold: 50_000)
        defer { stage.service.stop() }
        let given = try give(stage, ["amount": MoneyStage.usd(4_000), "reason": "Thank you"])
        #expect(given.status == 201 && given["status"] == "approved", "\(given.text)")
        #expect(given["rule_id"] == .null && given["trigger"] == "manual")
        #expect(given["reason"] == "Thank you")
        let why = try stage.service.get("/v1/rewards/\(try given.id())/explain")
        #expect(
            why["summary"] == "Given by hand: 4000 USD minor units. Thank you", "\(why.text)")
        #expect(try stage.balance() == [0, 4_000, 0, 0, 0])
        try stage.paid("p1")
        let back = try stage.service.post(
            "/v1/rewards/\(try given.id())/claw_back", ["reason": "A mistake"])
        #expect(back["status"] == "clawed_back")
        let large = try give(stage, ["amount": MoneyStage.usd(50_000), "reason": "r"])
        #expect(large["status"] == "review")
        let points = try give(stage, ["points": 70, "reason": "r"])
        #expect(points["kind"] == "points" && points["status"] == "approved")
        let credit = try give(
            stage, ["amount": MoneyStage.usd(1), "kind": "account_credit", "reason": "r"])
        #expect(credit["kind"] == "account_credit")
        for body: JSONObject in [
            ["reason": "r"], ["amount": MoneyStage.usd(1), "points": 1, "reason": "r"],
            ["points": 1, "kind": "cash", "reason": "r"],
        ] { #expect(try give(stage, body).code == "amount_or_points") }
        #expect(try give(stage, ["amount": MoneyStage.usd(1)]).status == 400)
        let euro: JSONValue = ["amount": 1, "currency": "EUR"]
        #expect(try give(stage, ["amount": euro, "reason": "r"]).code == "currency_mismatch")
        let statement = try stage.service.get(
            "/v1/participants/\(stage.participant)/statement")
        #expect(statement.text.contains("a decision by hand"), "\(statement.text)")
        try stage.expectSoundBooks()
    }

    @Test("where duties are separate, another key approves what was given by hand")
    func separate() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let patched = try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)", ["approvals": ["separate": true]])
        #expect(patched.status == 200)
        let given = try give(stage, ["amount": MoneyStage.usd(4_000), "reason": "Thank you"])
        #expect(given["status"] == "review")
        let path = "/v1/rewards/\(try given.id())/approve"
        #expect(try stage.service.post(path).code == "separate_approval")
        let key = try Scene.key(stage.service, "payouts").secret
        #expect(try stage.service.post(path, key: key)["status"] == "approved")
        try stage.expectSoundBooks()
    }
}
