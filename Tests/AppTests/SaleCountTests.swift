import JSON
import Model
import Testing

@testable import App

/// Tiers and milestones that count won referrals count customers who bought without a lead, over
/// the real server.
struct SaleCountTests {
    private static let tiers: JSONValue = [
        // A customer's further sales earn too, so that they show what was counted.
        "trigger": "conversion", "once_per": "occasion",
        "tiers": [
            "counts": "won",
            "levels": [
                ["from": 1, "amount": MoneyStage.usd(100)],
                ["from": 2, "amount": MoneyStage.usd(200)],
                ["from": 3, "amount": MoneyStage.usd(300)],
            ],
        ],
    ]

    /// A sale without a lead, that `participant` touched; what the conversion's answer says.
    private func sell(
        _ stage: MoneyStage, _ name: String, to customer: String, by participant: String? = nil
    ) throws -> TestAnswer {
        let customer: JSONValue = ["email": .string("\(customer)@buyer.example")]
        _ = try stage.service.post(
            "/v1/touchpoints",
            [
                "participant_id": .string(participant ?? stage.participant),
                "source": "partner", "customer": customer,
            ])
        let answer = try stage.service.post(
            "/v1/conversions",
            [
                "program_id": .string(stage.program), "external_id": .string(name),
                "customer": customer, "kind": "purchase", "amount": MoneyStage.usd(10_000),
            ])
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    private func amount(_ sale: TestAnswer) -> JSONValue? { sale["rewards.0.amount.amount"] }

    @Test("a customer counts once, by the first credited sale, also after that was refunded")
    func tiers() throws {
        let stage = try MoneyStage(rules: [Self.tiers])
        defer { stage.service.stop() }
        let first = try sell(stage, "1", to: "a")
        let amounts =
            try [amount(first)]
            + [("2", "b"), ("3", "a"), ("4", "b")].map { amount(try sell(stage, $0, to: $1)) }
        #expect(amounts == [100, 200, 200, 200])
        try stage.refund(try first.id(), "1")
        #expect(amount(try sell(stage, "5", to: "c")) == 300)
        let why = try stage.service.get("/v1/conversions/\(try first.id())")
        #expect(why["rewards.0.status"] == "voided")
        try stage.expectSoundBooks()
    }

    @Test("a customer who was won by a lead does not count again, whichever came first")
    func leads() throws {
        let stage = try MoneyStage(rules: [Self.tiers])
        defer { stage.service.stop() }
        func win(_ name: String) throws {
            let lead = try stage.lead(name)
            for action in ["qualify", "win"] {
                let answer = try stage.service.post("/v1/leads/\(lead)/\(action)")
                #expect(answer.status == 200, "\(answer.text)")
            }
        }
        try win("a")
        #expect(amount(try sell(stage, "1", to: "a")) == 100)
        #expect(amount(try sell(stage, "2", to: "b")) == 200)
        try win("b")
        #expect(amount(try sell(stage, "3", to: "b")) == 200)
        #expect(amount(try sell(stage, "4", to: "c")) == 300)
    }

    @Test("a milestone is reached by a sale, once, and goes back with it")
    func milestone() throws {
        let stage = try MoneyStage(rules: [
            [
                "trigger": "milestone", "amount": MoneyStage.usd(5_000),
                "milestone": ["counts": "won", "at": 2],
            ],
            [
                "trigger": "milestone", "kind": "perk", "description": "A dinner",
                "milestone": ["counts": "won", "at": 3],
            ],
        ])
        defer { stage.service.stop() }
        let sales = try [("1", "a"), ("2", "a"), ("3", "b"), ("4", "b"), ("5", "c")].map {
            try sell(stage, $0, to: $1)
        }
        #expect(sales.map { $0["rewards"]?.arrayValue?.count } == [0, 0, 1, 0, 0])
        #expect(sales.map { $0["benefits"]?.arrayValue?.count } == [0, 0, 0, 0, 1])
        // What counts of referrals gave does not hang on one sale's money.
        try stage.refund(try sales[2].id(), "half", 5_000)
        #expect(try stage.balance() == [0, 5_000, 0, 0, 0])
        // b has bought again, c has not.
        try stage.refund(try sales[2].id(), "whole")
        #expect(try stage.balance() == [0, 5_000, 0, 0, 0])
        func perk() throws -> JSONValue? {
            try stage.service.list("/v1/benefits").first?["status"]
        }
        #expect(try perk() == "approved")
        let refund = try stage.refund(try sales[4].id(), "c").id()
        #expect(try perk() == "voided")
        try reverse(stage, refund)
        #expect(try perk() == "approved")
        try stage.expectSoundBooks()
    }

    private func reverse(_ stage: MoneyStage, _ refund: String) throws {
        let answer = try stage.service.post(
            "/v1/refunds/\(refund)/reverse",
            ["external_id": .string("back \(refund)"), "kind": "mistake"])
        #expect(answer.status == 201, "\(answer.text)")
    }

    @Test("a milestone that a refunded sale reached goes back unless paid, and comes again with it")
    func milestoneGoesBack() throws {
        let stage = try MoneyStage(rules: [
            [
                "trigger": "milestone", "amount": MoneyStage.usd(5_000),
                "milestone": ["counts": "won", "at": 2],
            ]
        ])
        defer { stage.service.stop() }
        let sales = try [("1", "a"), ("2", "b")].map { try sell(stage, $0, to: $1) }
        #expect(try stage.balance() == [0, 5_000, 0, 0, 0])
        // Not the sale that reached it: any that counted.
        let refund = try stage.refund(try sales[0].id(), "1").id()
        #expect(try stage.balance() == [0, 0, 0, 0, 0])
        let gone = try #require(try stage.rewards().first)
        #expect(gone["reason"] == "below_milestone")
        try reverse(stage, refund)
        #expect(try stage.balance() == [0, 5_000, 0, 0, 0])
        try stage.paid("p1")
        try stage.refund(try sales[0].id(), "again")
        #expect(try stage.balance() == [0, 0, 0, 5_000, 0])
        let kept = try Scene.events(stage.service).filter { $0["type"] == "reward.kept" }
        #expect(kept.map { $0["reason"] } == ["below_milestone_but_paid"])
        // It is not paid again when the count recovers.
        _ = try sell(stage, "3", to: "c")
        #expect(try stage.balance() == [0, 0, 0, 5_000, 0])
        try stage.expectSoundBooks()
    }

    @Test("a new decision about the sale's credit moves the count")
    func correction() throws {
        let stage = try MoneyStage(rules: [Self.tiers])
        defer { stage.service.stop() }
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let sale = try sell(stage, "1", to: "a")
        let wish: JSONValue = [
            "reason": "r", "credits": [["participant_id": .string(ben), "parts": 1]],
        ]
        let path = "/v1/conversions/\(try sale.id())/reattribute"
        #expect(try stage.service.post(path, wish).status == 201)
        #expect(amount(try sell(stage, "2", to: "b")) == 100)
        #expect(amount(try sell(stage, "3", to: "c", by: ben)) == 200)
    }
}
