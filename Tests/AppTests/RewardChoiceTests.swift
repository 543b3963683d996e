import JSON
import Model
import Testing

@testable import App

/// The recipient chooses in which form a reward is paid (R131, R155), over the real server.
struct RewardChoiceTests {
    private static func rule(days: Int64? = nil) -> JSONValue {
        var rule: JSONObject = [
            "trigger": "conversion", "kind": "choice", "basis_points": 1_000,
            "choices": ["gift_card", "cash", "donation"],
        ]
        rule["choose_within_days"] = days.map { .integer($0) }
        return .object(rule)
    }

    private func choose(
        _ kind: String, for reward: String, _ stage: MoneyStage, key: String = "admin"
    ) throws -> TestAnswer {
        try stage.service.post(
            "/v1/rewards/\(reward)/choose", ["kind": .string(kind)], key: key)
    }

    private func draft(_ stage: MoneyStage, _ reference: String, _ kind: String) throws
        -> TestAnswer
    {
        try stage.service.post(
            "/v1/payouts",
            [
                "participant_id": .string(stage.participant), "reference": .string(reference),
                "kind": .string(kind),
            ])
    }

    @Test("a reward waits for its recipient's choice, is paid as chosen, and nothing moves by that")
    func life() throws {
        let stage = try MoneyStage(rules: [Self.rule()])
        defer { stage.service.stop() }
        let ada = try Scene.token(stage.service, of: stage.participant)
        let reward = try stage.sale("a", 10_000).reward
        let other = try stage.sale("b", 20_000).reward
        let granted = try stage.reward(reward)
        #expect(granted["kind"] == "choice" && granted["choose_by"] == .null)
        #expect(granted["choices"] == ["gift_card", "cash", "donation"])
        #expect(try stage.balance() == [0, 3_000, 0, 0, 0])
        #expect(try draft(stage, "early", "cash").code == "nothing_to_pay")
        let waiting = "/v1/rewards?kind=choice&status=approved"
        #expect(try stage.service.get(waiting, key: ada).ids == [other, reward])

        let chosen = try choose("cash", for: reward, stage, key: ada)
        #expect(chosen["kind"] == "cash" && chosen["status"] == "approved", "\(chosen.text)")
        // It may be changed; the same again changes nothing.
        let changed = try choose("gift_card", for: reward, stage)
        #expect(changed["kind"] == "gift_card" && changed["version"] == 3)
        #expect(try choose("gift_card", for: reward, stage)["version"] == 3)
        #expect(try stage.service.get(waiting).ids == [other])
        let events = try Scene.events(stage.service).filter { $0["type"] == "reward.chosen" }
        #expect(events.map { $0["data"]?.objectValue?["kind"] } == ["cash", "gift_card"])
        #expect(try stage.journal("reward_id=\(reward)") == ["reward_granted", "reward_approved"])

        let payout = try draft(stage, "cards", "gift_card")
        #expect(payout["amount.amount"] == 1_000 && payout["kind"] == "gift_card")
        let late = try choose("cash", for: reward, stage, key: ada)
        #expect(late.status == 409 && late.code == "reward_in_payout")
        let path = "/v1/payouts/\(try payout.id())"
        #expect(try stage.service.post(path + "/submit").status == 200)
        #expect(try stage.service.post(path + "/confirm")["status"] == "paid")
        #expect(try choose("cash", for: reward, stage).code == "invalid_transition")
        let summary = try stage.service.get("/v1/participants/\(stage.participant)/summary")
        #expect(summary["paid_by_year.0.gift_card"] == 1_000)
        #expect(summary["paid_by_year.0.amount"] == 1_000)
        #expect(try stage.balance() == [0, 2_000, 0, 1_000, 0])
        try stage.expectSoundBooks()
    }

    @Test("a debt is set off against what is chosen, and leaves whole what is not")
    func debtAndChoice() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "purchase", "basis_points": 10_000],
            [
                "trigger": "upsell", "kind": "choice", "basis_points": 10_000,
                "choices": ["gift_card", "cash"],
            ],
        ])
        defer { stage.service.stop() }
        let sale = try stage.sale("a", 1_000)
        try stage.paid("one")
        try stage.refund(sale.conversion, "a", 300)
        // To the customer of before: the first paid sale to somebody is a purchase.
        let lead = try #require(
            try stage.service.get("/v1/conversions/\(sale.conversion)")["lead_id"])
        let upsell = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "up", "lead_id": lead, "kind": "upsell",
                "amount": MoneyStage.usd(5_000),
            ])
        let reward = try #require(upsell["rewards.0.id"]?.stringValue, "\(upsell.text)")
        _ = try stage.sale("b", 100)
        #expect(try draft(stage, "two", "cash").code == "nothing_to_pay")
        #expect(try stage.balance() == [0, 5_100, 0, 1_000, 300])
        #expect(try choose("gift_card", for: reward, stage)["status"] == "approved")
        let payout = try draft(stage, "three", "gift_card")
        #expect(payout["amount.amount"] == 4_700, "\(payout.text)")
        try stage.expectSoundBooks()
    }

    @Test("only its own recipient chooses, among the rule's kinds, where there is a choice")
    func refused() throws {
        let stage = try MoneyStage(rules: [
            Self.rule(),
            ["trigger": "lead.qualified", "kind": "cash", "amount": MoneyStage.usd(100)],
        ])
        defer { stage.service.stop() }
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben")
        let reward = try stage.sale("a", 10_000).reward
        #expect(try choose("cash", for: reward, stage, key: ben.token).status == 404)
        let credit = try choose("account_credit", for: reward, stage)
        #expect(credit.status == 422 && credit.code == "kind_not_offered")
        #expect(try choose("points", for: reward, stage).status == 400)
        let cash = try stage.qualified("q").reward
        #expect(try choose("cash", for: cash, stage).code == "nothing_to_choose")
        #expect(try stage.reward(cash)["choices"] == [])
        let void: JSONValue = ["reason": "r"]
        #expect(try stage.service.post("/v1/rewards/\(reward)/void", void).status == 200)
        let late = try choose("cash", for: reward, stage)
        #expect(late.status == 409 && late.code == "invalid_transition")
        #expect(try stage.reward(reward)["kind"] == "choice")
    }

    @Test("who says nothing gets the first of the choices, so many days after approval")
    func inTime() throws {
        let stage = try MoneyStage(holdDays: 10, rules: [Self.rule(days: 14)])
        defer { stage.service.stop() }
        let silent = try stage.sale("a", 10_000).reward
        let early = try stage.sale("b", 20_000).reward
        let refunded = try stage.sale("c", 30_000)
        #expect(try choose("donation", for: early, stage)["status"] == "pending")
        stage.service.clock.advance(days: 10)
        stage.runJobs()
        try stage.refund(refunded.conversion, "c")
        let by = try #require(try stage.reward(silent)["choose_by"]?.stringValue)
        stage.service.clock.advance(days: 13)
        stage.runJobs()
        #expect(try stage.reward(silent)["kind"] == "choice")
        stage.service.clock.advance(days: 1)
        stage.runJobs()
        let taken = try stage.reward(silent)
        #expect(taken["kind"] == "gift_card" && taken["choose_by"] == .null)
        #expect(taken["updated_at"]?.stringValue ?? "" >= by)
        #expect(try stage.reward(early)["kind"] == "donation")
        #expect(try stage.reward(refunded.reward)["status"] == "voided")
        let told = try Scene.events(stage.service).filter { $0["type"] == "reward.chosen" }
        #expect(told.map { $0["reason"] ?? .null } == [.null, "not_chosen_in_time"])
        #expect(told.last?["actor"] == "system")
        // Even then it can be changed, as long as no payout holds it.
        #expect(try choose("cash", for: silent, stage)["kind"] == "cash")
        try stage.expectSoundBooks()
    }

    @Test("a choice before approval keeps, and the time to pay counts from the choice")
    func clocks() throws {
        let stage = try MoneyStage(rules: [Self.rule()])
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 10_000).reward
        stage.service.clock.advance(days: 100)
        stage.runJobs()
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
        #expect(try choose("cash", for: reward, stage).status == 200)
        stage.service.clock.advance(days: 29)
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
        // Another choice does not give the operator more time.
        #expect(try choose("gift_card", for: reward, stage).status == 200)
        stage.service.clock.advance(days: 2)
        stage.runJobs()
        #expect(try stage.service.list("/v1/rewards/overdue").count == 1)
        let payout = try draft(stage, "p", "gift_card")
        let path = "/v1/payouts/\(try payout.id())"
        #expect(try stage.service.post(path + "/submit").status == 200)
        #expect(try stage.service.post(path + "/confirm").status == 200)
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
    }

    @Test("a scheduled period has a run for each kind that there is anything of")
    func runs() throws {
        let stage = try MoneyStage(rules: [Self.rule()])
        defer { stage.service.stop() }
        let terms: JSONValue = ["payouts": ["schedule": ["every": "monthly", "day": 1]]]
        let program = "/v1/programs/\(stage.program)"
        #expect(try stage.service.send("PATCH", program, terms).status == 200)
        let kinds = ["gift_card", "donation", "cash"]
        for kind in kinds {
            #expect(
                try choose(kind, for: stage.sale(kind, 10_000).reward, stage).status == 200)
        }
        _ = try stage.sale("waits", 10_000)
        stage.service.clock.advance(days: 31)
        stage.runJobs()
        let runs = try stage.service.list("/v1/payout_runs")
        #expect(Set(runs.compactMap { $0["kind"]?.stringValue }) == Set(kinds))
        #expect(runs.allSatisfy { $0["payout_count"] == 1 })
        #expect(try stage.service.list("/v1/rewards?kind=choice").count == 1)
    }

    @Test("a part that a payout left unpaid is paid on in the same form")
    func partlyPaid() throws {
        let stage = try MoneyStage(rules: [Self.rule()])
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 10_000).reward
        #expect(try choose("cash", for: reward, stage).status == 200)
        let payout = try stage.submitted("p")
        let part: JSONValue = ["paid_amount": MoneyStage.usd(400)]
        #expect(try stage.service.post("/v1/payouts/\(payout)/confirm", part).status == 200)
        #expect(try choose("donation", for: reward, stage).code == "reward_partly_paid")
        #expect(try draft(stage, "rest", "cash")["amount.amount"] == 600)
        try stage.expectSoundBooks()
    }

    @Test("a rule has choices with the kind choice and for referrers alone")
    func rules() throws {
        let stage = try MoneyStage(rules: [Self.rule(days: 7)])
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)/reward_rules"
        let rule = try #require(try stage.service.list(path).first)
        #expect(rule["choose_within_days"] == 7)
        let changes: [JSONValue] = [
            ["choices": ["cash", "cash"]], ["choices": nil], ["kind": "cash"],
            ["kind": "cash", "choices": nil], ["recipient": "referee"],
        ]
        let one = "\(path)/\(try #require(rule["id"]?.stringValue))"
        for change in changes {
            let answer = try stage.service.send("PATCH", one, change)
            #expect(answer.status == 422 && answer.code == "choices_misplaced", "\(change)")
        }
        let plain: JSONValue = ["kind": "cash", "choices": nil, "choose_within_days": nil]
        #expect(try stage.service.send("PATCH", one, plain)["choices"] == .null)
    }
}
