import JSON
import Model
import Testing

@testable import App

/// Refunds, and back again, over the real server: refunded is what the refunds in force ask for,
/// and never more than the sale.
struct RefundTests {
    private static func usd(_ amount: Int64) -> JSONValue { MoneyStage.usd(amount) }

    private static func capped() throws -> MoneyStage {
        try MoneyStage(rules: [
            ["trigger": "conversion", "basis_points": 2_000, "max_amount": usd(1_500)]
        ])
    }

    private func refund(
        _ stage: MoneyStage, _ sale: String, _ name: String, _ amount: Int64? = nil,
        _ kind: String = "refund"
    ) throws -> TestAnswer {
        var body: JSONObject = ["external_id": .string(name), "kind": .string(kind)]
        if let amount { body["amount"] = Self.usd(amount) }
        return try stage.service.post("/v1/conversions/\(sale)/refund", .object(body))
    }

    private func reverse(
        _ stage: MoneyStage, _ refund: String, _ name: String, _ kind: String = "mistake"
    ) throws -> TestAnswer {
        try stage.service.post(
            "/v1/refunds/\(refund)/reverse",
            ["external_id": .string(name), "kind": .string(kind), "reason": "the bank said so"])
    }

    private func net(_ stage: MoneyStage, _ reward: String) throws -> Int64? {
        try stage.reward(reward)["net_amount.amount"]?.integerValue
    }

    // MARK: - What refunds take

    @Test("20 % with a cap of 15.00 of 100.00 is 15.00 with 25.00 back, and 12.00 with 40.00 back")
    func cap() throws {
        let stage = try Self.capped()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 10_000)
        #expect(try net(stage, reward) == 1_500)
        #expect(try refund(stage, sale, "r1", 2_500).status == 201)
        #expect(try net(stage, reward) == 1_500)
        #expect(try refund(stage, sale, "r2", 1_500).status == 201)
        #expect(try net(stage, reward) == 1_200)
        try stage.expectSoundBooks()
    }

    @Test("a chargeback of the whole after a partial refund takes the rest, and tells both amounts")
    func chargebackAfterRefund() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 10_000)
        let first = try refund(stage, sale, "r1", 3_000)
        #expect(first["asked.amount"] == 3_000 && first["applied.amount"] == 3_000)
        let all = try refund(stage, sale, "cb", nil, "chargeback")
        #expect(all.status == 201 && all["asked.amount"] == 10_000)
        #expect(all["applied.amount"] == 7_000 && all["conversion_refunded.amount"] == 10_000)
        #expect(try stage.reward(reward)["status"] == "voided")
        // The dispute is won: what the first refund took stays taken.
        let won = try reverse(stage, all.id(), "won", "chargeback_won")
        #expect(won.status == 201 && won["status"] == "reversed", "\(won.text)")
        #expect(won["reversal.applied.amount"] == 7_000)
        #expect(won["conversion_refunded.amount"] == 3_000)
        #expect(try net(stage, reward) == 700)
        #expect(try stage.balance() == [0, 700, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a refund that is reversed while another asks for all gives nothing back")
    func overlap() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 10_000)
        let part = try refund(stage, sale, "r1", 3_000).id()
        #expect(try refund(stage, sale, "r2").status == 201)
        let back = try reverse(stage, part, "b1")
        #expect(back["reversal.applied.amount"] == 0)
        #expect(try net(stage, reward) == 0)
        let list = try stage.service.list("/v1/conversions/\(sale)/refunds")
        #expect(list.map { $0["status"] } == ["applied", "reversed"])
        try stage.expectSoundBooks()
    }

    @Test(
        "lines that come to a cent more than the sale take all of it, more than it in one is 422"
    )
    func lines() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 10_000)
        for (name, amount) in [("l1", 3_334), ("l2", 3_334)] {
            #expect(try refund(stage, sale, name, Int64(amount)).status == 201)
        }
        let last = try refund(stage, sale, "l3", 3_333)
        #expect(last.status == 201 && last["applied.amount"] == 3_332, "\(last.text)")
        #expect(try net(stage, reward) == 0)
        let gross = try refund(stage, sale, "gross", 11_900)
        #expect(gross.status == 422 && gross.code == "refund_too_large")
        let detail = gross["detail"]?.stringValue ?? ""
        #expect(detail.contains("net or gross") && detail.contains("leave amount out"), "\(detail)")
        try stage.expectSoundBooks()
    }

    @Test("a full refund that is told twice is 200, under its own id or another one")
    func toldTwice() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, _) = try stage.sale("a", 10_000)
        #expect(try refund(stage, sale, "r1").status == 201)
        #expect(try refund(stage, sale, "r1").status == 200)
        #expect(try refund(stage, sale, "r1", 10_000).status == 200)
        #expect(try refund(stage, sale, "r1", 9_999).status == 409)
        let other = try refund(stage, sale, "r2")
        #expect(other.status == 200 && other["applied.amount"] == 0, "\(other.text)")
        // Both are in force, so that one reversal changes nothing.
        #expect(try reverse(stage, other.id(), "b")["reversal.applied.amount"] == 0)
        #expect(try stage.balance() == [0, 0, 0, 0, 0])
    }

    @Test("refunds and reversals in any order end at the same cent, before and after the payout")
    func anyOrder() throws {
        let stage = try Self.capped()
        defer { stage.service.stop() }
        let asked: [Int64?] = [2_500, 4_000, nil]
        var ends: Set<[Int64]> = []
        for (round, order) in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]].enumerated() {
            let partner = try Scene.partner(
                stage.service, program: stage.program, name: "partner\(round)"
            ).id
            let lead = try stage.service.make(
                "/v1/leads",
                ["participant_id": .string(partner), "email": .string("b\(round)@buyer.example")])
            let sale = try stage.service.make(
                "/v1/conversions",
                [
                    "external_id": .string("order \(round)"), "lead_id": .string(lead),
                    "kind": "purchase", "amount": Self.usd(10_000),
                ])
            var whole = ""
            for (step, place) in order.enumerated() {
                if step == round % 3 {
                    let payout = try stage.service.post(
                        "/v1/payouts",
                        ["participant_id": .string(partner), "reference": .string("p \(round)")])
                    if payout.status == 201 {
                        for action in ["submit", "confirm"] {
                            let id = try payout.id()
                            let answer = try stage.service.post("/v1/payouts/\(id)/\(action)")
                            #expect(answer.status == 200, "\(answer.text)")
                        }
                    }
                }
                let answer = try refund(stage, sale, "\(round) \(place)", asked[place])
                #expect(answer.status < 300)
                if place == 2 { whole = try answer.id() }
            }
            #expect(try reverse(stage, whole, "back \(round)").status == 201)
            let rewards = try stage.service.list("/v1/rewards?participant_id=\(partner)")
            let nets = rewards.compactMap {
                $0["net_amount"]?.objectValue?["amount"]?.integerValue
            }
            let money = MoneyStage.amounts(
                try stage.service.get("/v1/participants/\(partner)/balance")["balances.0"]?
                    .objectValue ?? [:])
            ends.insert(nets + [money[0] + money[1] + money[2] + money[3] - money[4]])
        }
        // 65.00 are back: 20 % of 35.00.
        #expect(ends == [[700, 700]])
        try stage.expectSoundBooks()
    }

    @Test("twenty partners lose together what one would")
    func twenty() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let partners = try (0..<20).map {
            try Scene.partner(stage.service, program: stage.program, name: "partner\($0)").id
        }
        let sale = try stage.sell("order", 9_999)
        let id = try sale.id()
        _ = try stage.reattribute(
            id,
            [
                "credits": .array(
                    partners.map { ["participant_id": .string($0), "parts": 1] })
            ])
        func nets() throws -> [Int64] {
            try stage.service.list("/v1/rewards?limit=100&conversion_id=\(id)").compactMap {
                $0["net_amount"]?.objectValue?["amount"]?.integerValue
            }
        }
        #expect(try nets().reduce(0, +) == 1_000)
        var total: Int64 = 0
        for (place, amount) in [1, 333, 4_000, 17, 5_000].enumerated() {
            let answer = try stage.service.post(
                "/v1/conversions/\(id)/refund",
                ["external_id": .string("r\(place)"), "amount": Self.usd(Int64(amount))])
            #expect(answer.status == 201, "\(answer.text)")
            total += Int64(amount)
            let one = Money(amount: 9_999 - total, currency: Currency("USD")!)
            #expect(try nets().reduce(0, +) == one.basisPoints(1_000).amount)
        }
        try stage.expectSoundBooks()
    }

    // MARK: - Back again

    @Test("a reversal after the payout cancels what is owed, and gives what was kept back again")
    func afterPayout() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 100_000)
        try stage.paid("p1")
        let first = try refund(stage, sale, "r1").id()
        #expect(try stage.balance() == [0, 0, 0, 10_000, 10_000])
        #expect(try reverse(stage, first, "b1").status == 201)
        #expect(try stage.balance() == [0, 0, 0, 10_000, 0])
        #expect(try stage.reward(reward)["status"] == "paid")

        let second = try refund(stage, sale, "r2").id()
        _ = try stage.sale("b", 300_000)
        try stage.paid("p2")
        #expect(try stage.balance() == [0, 0, 0, 30_000, 0])
        #expect(try reverse(stage, second, "b2", "chargeback_won").status == 201)
        #expect(try stage.balance() == [0, 10_000, 0, 30_000, 0])
        #expect(try stage.reward(reward)["status"] == "approved")
        try stage.paid("p3")
        #expect(try stage.balance() == [0, 0, 0, 40_000, 0])
        #expect(
            try stage.journal("reward_id=\(reward)").filter { $0 == "reward_restored" }.count == 2)
        let told = try stage.service.get("/v1/participants/\(stage.participant)/statement")
        #expect(told.text.contains("counts again"), "\(told.text)")
        try stage.expectSoundBooks()
    }

    @Test("a reversal while a payout has the reward is paid by the next one")
    func whileHeld() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.sale("a", 100_000)
        let part = try refund(stage, sale, "r1", 40_000).id()
        let payout = try stage.submitted("p1")
        #expect(try reverse(stage, part, "b1").status == 201)
        #expect(try stage.service.post("/v1/payouts/\(payout)/confirm")["status"] == "paid")
        #expect(try stage.balance() == [0, 4_000, 0, 6_000, 0])
        #expect(try stage.reward(reward)["status"] == "approved")
        try stage.paid("p2")
        #expect(try stage.balance() == [0, 0, 0, 10_000, 0])
        try stage.expectSoundBooks()
    }

    @Test("a reversal brings a reward on hold back to its hold, and a refused one not at all")
    func onHold() throws {
        let stage = try MoneyStage(holdDays: 10)
        defer { stage.service.stop() }
        let (held, first) = try stage.sale("a", 100_000)
        let (refused, second) = try stage.sale("b", 100_000)
        let refund1 = try refund(stage, held, "r1").id()
        let refund2 = try refund(stage, refused, "r2", 50_000).id()
        #expect(
            try stage.service.post("/v1/rewards/\(second)/reject", ["reason": "fraud"]).status
                == 200)
        for (place, id) in [refund1, refund2].enumerated() {
            #expect(try reverse(stage, id, "b\(place)").status == 201)
        }
        #expect(try stage.reward(first)["status"] == "pending")
        #expect(try stage.reward(second)["status"] == "rejected")
        #expect(try stage.balance() == [10_000, 0, 0, 0, 0])
        stage.service.clock.advance(days: 10)
        stage.runJobs()
        #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a reversal is told once, by its own id, and a refund is reversed once")
    func reversedOnce() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (sale, _) = try stage.sale("a", 10_000)
        let (other, _) = try stage.sale("b", 10_000)
        let first = try refund(stage, sale, "r1", 1_000).id()
        let second = try refund(stage, other, "r2", 1_000).id()
        #expect(try reverse(stage, first, "b1").status == 201)
        #expect(try reverse(stage, first, "b1").status == 200)
        #expect(try reverse(stage, first, "b1", "reinstated").code == "external_id_taken")
        #expect(try reverse(stage, second, "b1").code == "external_id_taken")
        let again = try reverse(stage, first, "b2")
        #expect(again.status == 409 && again.code == "refund_reversed")
        #expect(try reverse(stage, "refund_01h2xcejqtf2nbrexx3vqjhp41", "b3").status == 404)
        #expect(try stage.service.get("/v1/refunds/\(first)")["status"] == "reversed")
    }

    @Test("a benefit that is not given yet goes and comes with its sale")
    func benefits() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "conversion", "basis_points": 1_000],
            [
                "trigger": "conversion", "kind": "gift_card", "basis_points": 2_000,
                "max_amount": Self.usd(1_500),
            ],
        ])
        defer { stage.service.stop() }
        let (sale, _) = try stage.sale("a", 10_000)
        func benefit() throws -> [JSONValue?] {
            let told = try stage.service.list("/v1/benefits").first
            return [
                told?["status"],
                told?["value"]?.objectValue?["amount"],
                told?["reversed_value"]?.objectValue?["amount"],
            ]
        }
        let granted = try benefit()
        let part = try refund(stage, sale, "r1", 4_000)
        #expect(part.status == 201)
        let reduced = try benefit()
        #expect(reduced != granted, "\(reduced)")
        let all = try refund(stage, sale, "r2").id()
        #expect(try benefit()[0] == "voided")
        #expect(try reverse(stage, all, "b2").status == 201)
        #expect(try benefit() == reduced)
        #expect(try reverse(stage, part.id(), "b1").status == 201)
        #expect(try benefit() == granted)
    }

    // MARK: - By the sale's name

    private func post(
        _ stage: MoneyStage, _ sale: String, _ name: String, _ amount: Int64? = nil
    ) throws -> TestAnswer {
        var body: JSONObject = [
            "program_id": .string(stage.program), "conversion_external_id": .string(sale),
            "external_id": .string(name),
        ]
        if let amount { body["amount"] = Self.usd(amount) }
        return try stage.service.post("/v1/refunds", .object(body))
    }

    @Test("a refund names its sale by the external id, and waits for one that has not come")
    func parked() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let early = try post(stage, "order-a", "r1", 2_500)
        #expect(early.status == 201 && early["status"] == "parked", "\(early.text)")
        #expect(early["conversion_id"] == .null && early["applied"] == .null)
        #expect(early["asked.amount"] == 2_500)
        #expect(try post(stage, "order-a", "r1", 2_500).status == 200)
        #expect(try post(stage, "order-b", "r1", 2_500).code == "external_id_taken")
        #expect(try post(stage, "order-a", "eur").status == 201)
        let waiting = try stage.service.list("/v1/refunds?status=parked")
        #expect(waiting.count == 2)
        let mistaken = try #require(waiting.first?["id"]?.stringValue)
        #expect(try reverse(stage, mistaken, "none").status == 201)

        let (sale, reward) = try stage.sale("a", 10_000)
        #expect(try net(stage, reward) == 750)
        let applied = try stage.service.get("/v1/refunds/\(try early.id())")
        #expect(applied["status"] == "applied" && applied["applied.amount"] == 2_500)
        #expect(applied["conversion_id"] == .string(sale))
        let late = try post(stage, "order-a", "r2", 2_500)
        #expect(late.status == 201 && late["conversion_refunded.amount"] == 5_000)
        #expect(try stage.service.list("/v1/refunds?status=parked").isEmpty)
        try stage.expectSoundBooks()
    }

    @Test("a parked refund of more than its sale takes all of it, whatever it asked for")
    func parkedTooMuch() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let early = try post(stage, "order-a", "r1", 11_900).id()
        let lead = try stage.lead("a")
        let sale = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "order-a", "lead_id": .string(lead), "kind": "purchase",
                "amount": Self.usd(10_000),
            ])
        #expect(sale.status == 201 && sale["refunded.amount"] == 10_000, "\(sale.text)")
        #expect(sale["rewards.0.status"] == "voided")
        let told = try stage.service.get("/v1/refunds/\(early)")
        #expect(told["asked.amount"] == 11_900 && told["applied.amount"] == 10_000)
        try stage.expectSoundBooks()
    }

    @Test("a cancelled order that is paid after all says so in its 409 and names the call")
    func reinstated() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead("a")
        let time = stage.service.clock.clock.now().rfc3339
        let body: JSONObject = [
            "external_id": "order-a", "lead_id": .string(lead), "kind": "purchase",
            "amount": Self.usd(10_000), "occurred_at": .string(time),
        ]
        let sale = try stage.service.post("/v1/conversions", .object(body))
        let cancelled = try refund(stage, sale.id(), "c1", nil, "cancellation").id()
        // The old notice once more is no news.
        #expect(try stage.service.post("/v1/conversions", .object(body)).status == 200)
        var paid = body
        paid["occurred_at"] = nil
        let refused = try stage.service.post("/v1/conversions", .object(paid))
        #expect(refused.status == 409 && refused.code == "sale_refunded")
        let detail = refused["detail"]?.stringValue ?? ""
        #expect(detail.contains("POST /v1/refunds/\(cancelled)/reverse"), "\(detail)")
        #expect(try reverse(stage, cancelled, "b1", "reinstated").status == 201)
        #expect(try stage.service.post("/v1/conversions", .object(paid)).status == 200)
        #expect(try stage.balance() == [0, 1_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }
}
