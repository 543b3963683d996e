import Foundation
import JSON
import Testing

@testable import App
@testable import Model

/// The ladder of credit through the real server: who is credited, by which rung, what is earned.
struct CreditLadderJourneyTests {
    private static func rung(_ answer: TestAnswer) -> [JSONValue?] {
        [answer["attribution.rung"], answer["attribution.reason"]]
    }

    private static func lead(
        _ stage: CreditStage, by participant: String, _ steps: [String],
        email: String = "grace@buyer.example", _ more: JSONObject = [:]
    ) throws -> String {
        var body: JSONObject = [
            "participant_id": .string(participant), "email": .string(email),
        ]
        for (name, value) in more { body[name] = value }
        let lead = try stage.service.make("/v1/leads", .object(body))
        for step in steps {
            let answer = try stage.service.post(
                "/v1/leads/\(lead)/\(step)",
                ["lose", "disqualify"].contains(step)
                    ? ["reason_code": "no_budget", "reason": "none"] : [:])
            #expect(answer.status == 200, "\(answer.text)")
        }
        return lead
    }

    private static func with(_ kind: String, _ more: JSONObject = [:]) -> JSONObject {
        var body = more
        body["kind"] = .string(kind)
        return body
    }

    private static let grace: JSONObject = ["customer": ["email": "grace@buyer.example"]]

    // MARK: - Renewals and upsells

    @Test(
        "a sale stays with the first one's credit, by the program's rule",
        arguments: [
            ("none", false, false), ("renewals", true, false), ("all", true, true),
        ])
    func binds(binds: String, renewalStays: Bool, purchaseStays: Bool) throws {
        let stage = try CreditStage(["binds": .string(binds)])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 1)
        #expect(try stage.credits(stage.sell("order-1").id()) == [stage.ada: 100_000])
        stage.service.clock.advance(days: 60)
        for (turn, other) in [[:], [stage.ben: Int64(100_000)]].enumerated() {
            if turn == 1 { try stage.touch(stage.ben, 1) }
            for (kind, stays) in [
                ("renewal", renewalStays), ("upsell", renewalStays), ("purchase", purchaseStays),
            ] {
                let sale = try stage.sell("\(kind)-\(turn)", customer: "c1", Self.with(kind))
                #expect(
                    try stage.credits(sale.id()) == (stays ? [stage.ada: 100_000] : other),
                    "\(kind) \(turn)")
                #expect((sale["attribution.rung"] == "bound") == stays)
            }
        }
        try stage.expectSoundBooks()
    }

    @Test("each subscription of a customer has its own referrer, and its first sale is no renewal")
    func subscriptions() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        func sell(_ name: String, _ kind: String, _ subscription: String) throws -> TestAnswer {
            try stage.sell(
                name, customer: "c1", Self.with(kind, ["subscription": .string(subscription)]))
        }
        try stage.touch(stage.ada, 1)
        _ = try sell("a-1", "purchase", "sub-a")
        stage.service.clock.advance(days: 40)
        try stage.touch(stage.ben, 1)
        // A billing system that calls the first payment after a trial a renewal.
        let first = try sell("b-1", "renewal", "sub-b")
        #expect(try stage.credits(first.id()) == [stage.ben: 100_000])
        #expect(Self.rung(first) == ["touches", "credited"])
        stage.service.clock.advance(days: 40)
        #expect(try stage.credits(sell("a-2", "renewal", "sub-a").id()) == [stage.ada: 100_000])
        #expect(try stage.credits(sell("b-2", "renewal", "sub-b").id()) == [stage.ben: 100_000])
        #expect(try stage.credits(sell("a-3", "upsell", "sub-a").id()) == [stage.ada: 100_000])
        // Without a subscription the customer's first credited sale counts.
        let plain = try stage.sell("c-1", customer: "c1", Self.with("renewal"))
        #expect(try stage.credits(plain.id()) == [stage.ada: 100_000])
        #expect(plain["subscription"] == .null)
        try stage.expectSoundBooks()
    }

    @Test("a renewal has all shares of the first sale's newest result")
    func sharedRenewal() throws {
        let stage = try CreditStage(["model": "linear"])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 2)
        try stage.touch(stage.ben, 1)
        let first = try stage.sell("order-1").id()
        stage.service.clock.advance(days: 50)
        let renewal = Self.with("renewal")
        let half: [String: Int64] = [stage.ada: 50_000, stage.ben: 50_000]
        #expect(try stage.credits(stage.sell("r-1", customer: "c1", renewal).id()) == half)
        _ = try stage.reattribute(
            first, ["credits": [["participant_id": .string(stage.eve), "parts": 1]]])
        #expect(
            try stage.credits(stage.sell("r-2", customer: "c1", renewal).id()) == [
                stage.eve: 100_000
            ])
        // A model says nothing of it, in any way of asking.
        let third = try stage.sell("r-3", customer: "c1", renewal).id()
        #expect(try stage.credits(third, model: "first_touch") == [stage.eve: 100_000])
        let compared = try stage.service.get("/v1/conversions/\(third)/compare")
        #expect(compared["participants.0.actual.amount"] == 100_000)
        for place in 0..<6 {
            #expect(compared["participants.0.models.\(place).difference"] == 0)
        }
        try stage.expectSoundBooks()
    }

    @Test("nobody is credited with a renewal of what nobody was credited with; an upsell is open")
    func nobodyBound() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let plan: JSONObject = ["subscription": "sub-1"]
        _ = try stage.sell("order-1", customer: "c1", plan)
        stage.service.clock.advance(days: 20)
        try stage.touch(stage.ben, 1)
        let renewal = try stage.sell("r-1", customer: "c1", Self.with("renewal", plan))
        #expect(try stage.credits(renewal.id()) == [:])
        #expect(Self.rung(renewal) == ["bound", "nobody_bound"])
        let explanation = try stage.explain(renewal.id())
        #expect(explanation["rung"] == "bound")
        #expect(explanation["rule"]?.stringValue?.hasPrefix("Rung 3 of 6, bound:") == true)
        #expect(
            try stage.service.list("/v1/events?type=conversion.unattributed").contains {
                $0["reason"] == "nobody_bound"
            })
        let upsell = try stage.sell("u-1", customer: "c1", Self.with("upsell", plan))
        #expect(try stage.credits(upsell.id()) == [stage.ben: 100_000])
        try stage.expectSoundBooks()
    }

    @Test("a customer named in two ways keeps its subscription; a plan's name binds nobody")
    func subscriptionOfAnother() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        func sell(_ name: String, _ customer: String, _ kind: String, _ plan: String) throws
            -> [String: Int64]
        {
            try stage.credits(
                stage.sell(
                    name, customer: customer,
                    ["kind": .string(kind), "subscription": .string(plan)]
                ).id())
        }
        try stage.touch(stage.ada, 1, customer: "old-name")
        #expect(try sell("o-1", "old-name", "purchase", "sub-1") == [stage.ada: 100_000])
        #expect(try sell("o-2", "new-name", "renewal", "sub-1") == [stage.ada: 100_000])
        for name in ["x", "y"] { _ = try sell("p-\(name)", name, "purchase", "monthly") }
        try stage.touch(stage.ben, 1, customer: "z")
        #expect(try sell("p-z", "z", "renewal", "monthly") == [stage.ben: 100_000])
        try stage.expectSoundBooks()
    }

    @Test("first_months count from the first paid sale of the subscription")
    func firstMonths() throws {
        // Its rules are for returning customers too.
        let stage = try CreditStage(kind: "partner", points: 1)
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/programs/\(stage.program)/reward_rules",
            [
                "trigger": "conversion", "kind": "cash", "basis_points": 1_000, "first_months": 2,
            ])
        func sell(_ name: String, _ kind: String, _ plan: String, _ amount: Int64 = 10_000) throws
            -> Bool
        {
            let sale = try stage.sell(
                name, amount, customer: "c1", Self.with(kind, ["subscription": .string(plan)])
            )
            // The stage's own rule gives 1 of it to everybody.
            return sale["rewards"]?.arrayValue?.count == 2
        }
        try stage.touch(stage.ada, 1)
        // The trial is not paid: its 50 days take nothing of the two months.
        _ = try sell("a-0", "signup", "sub-a", 0)
        stage.service.clock.advance(days: 50)
        #expect(try sell("a-1", "renewal", "sub-a"))
        stage.service.clock.advance(days: 50)
        #expect(try sell("a-2", "renewal", "sub-a"))
        stage.service.clock.advance(days: 50)
        #expect(try !sell("a-3", "renewal", "sub-a"))
        // Another subscription of the same customer has months of its own.
        try stage.touch(stage.ben, 1)
        #expect(try sell("b-1", "purchase", "sub-b"))
        #expect(try sell("b-2", "renewal", "sub-b"))
        try stage.expectSoundBooks()
    }

    @Test(
        "of those a customer is bound to, a suspended one waits for review and a closed one is out")
    func boundAndOff() throws {
        let stage = try CreditStage(["model": "linear"])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 2)
        try stage.touch(stage.ben, 1)
        _ = try stage.sell("order-1")
        let flat = try stage.service.make(
            "/v1/programs/\(stage.program)/reward_rules",
            ["trigger": "renewal", "kind": "cash", "amount": MoneyStage.usd(1_000)])
        stage.service.clock.advance(days: 50)
        for (person, action) in [(stage.ada, "suspend"), (stage.ben, "close")] {
            let answer = try stage.service.post("/v1/participants/\(person)/\(action)")
            #expect(answer.status == 200, "\(answer.text)")
        }
        try stage.touch(stage.eve, 1)
        let renewal = try stage.sell("r-1", customer: "c1", Self.with("renewal"))
        #expect(
            try stage.credits(renewal.id()) == [stage.ada: 50_000, stage.ben: 50_000])
        let rewards = renewal["rewards"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(rewards.count == 2, "\(renewal.text)")
        // Neither the sale's share nor half of the flat amount goes to another.
        #expect(rewards.allSatisfy { $0["participant_id"] == .string(stage.ada) })
        #expect(rewards.allSatisfy { $0["status"] == "review" })
        let amounts = rewards.compactMap { $0["amount"]?.objectValue?["amount"]?.integerValue }
        #expect(amounts.sorted() == [500, 5_000])
        #expect(rewards.contains { $0["rule_id"] == .string(flat) })
        try stage.expectSoundBooks()
    }

    // MARK: - Registrations

    @Test("a registration of after the first sale takes no renewal, but a further purchase")
    func lateRegistration() throws {
        let stage = try CreditStage(kind: "partner")
        defer { stage.service.stop() }
        let buyer: JSONObject = ["customer": ["email": "cfo@buyer.example"]]
        try stage.touch(stage.ada, 1, buyer)
        _ = try stage.sell("order-1", customer: nil, buyer)
        stage.service.clock.advance(days: 5)
        let deal = try stage.service.make(
            "/v1/registrations",
            ["participant_id": .string(stage.eve), "account": ["domain": "buyer.example"]])
        #expect(try stage.service.post("/v1/registrations/\(deal)/approve").status == 200)
        for (kind, who, rung) in [
            ("renewal", stage.ada, "bound"), ("upsell", stage.ada, "bound"),
            ("purchase", stage.eve, "registration"),
        ] {
            let sale = try stage.sell(
                kind, customer: nil, Self.with(kind, buyer))
            #expect(try stage.credits(sale.id()) == [who: 100_000], "\(kind)")
            #expect(sale["attribution.rung"] == .string(rung))
        }
        try stage.expectSoundBooks()
    }

    // MARK: - Leads

    @Test("a lead that sales took on holds from click to lead, not from click to sale")
    func qualifiedLead() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let lead = try Self.lead(stage, by: stage.ada, ["qualify", "advance"])
        stage.service.clock.advance(days: 200)
        try stage.touch(stage.ben, 1, customer: "grace")
        let both: JSONObject = [
            "customer": ["email": "grace@buyer.example", "external_id": "grace"]
        ]
        let sale = try stage.sell("order-1", customer: nil, both)
        #expect(try stage.credits(sale.id()) == [stage.ada: 100_000])
        #expect(Self.rung(sale) == ["lead", "lead"])
        #expect(sale["attribution.credits.0.lead_id"] == .string(lead))
        #expect(
            try stage.explain(sale.id())["rule"]?.stringValue?.hasPrefix("Rung 4 of 6, lead:")
                == true)
        // Beyond lead_days the touches decide, unless the sale names the lead.
        stage.service.clock.advance(days: 166)
        try stage.touch(stage.ben, 1, customer: "grace")
        #expect(
            try stage.credits(stage.sell("order-2", customer: nil, both).id())
                == [stage.ben: 100_000])
        let named = try stage.sell("order-3", customer: nil, ["lead_id": .string(lead)])
        #expect(try stage.credits(named.id()) == [stage.ada: 100_000])
        try stage.expectSoundBooks()
    }

    @Test(
        "what a lead came to decides whether it counts",
        arguments: [
            (["qualify"], true), (["qualify", "advance", "win"], true), (["disqualify"], false),
            (["qualify", "lose"], false), ([], true),
        ])
    func standing(steps: [String], counts: Bool) throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let lead = try Self.lead(stage, by: stage.ada, steps)
        stage.service.clock.advance(days: 60)
        let sale = try stage.sell("order-1", customer: nil, Self.grace)
        #expect(try stage.credits(sale.id()) == (counts ? [stage.ada: 100_000] : [:]))
        // A submitted one is a touch within its 90 days, any further one a rung of its own.
        #expect(sale["attribution.rung"] == (counts && !steps.isEmpty ? "lead" : "touches"))
        if !counts { #expect(sale["attribution.touches.0.verdict"] == "outside_window") }
        let named = try stage.sell("order-2", customer: nil, ["lead_id": .string(lead)])
        #expect(try stage.credits(named.id()) == (counts ? [stage.ada: 100_000] : [:]))
        try stage.expectSoundBooks()
    }

    @Test("a waiting lead is a touch for its validity, and no longer")
    func waitingLead() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try Self.lead(stage, by: stage.ada, [])
        stage.service.clock.advance(days: 89)
        let valid = try stage.sell("order-1", customer: nil, Self.grace)
        #expect(try stage.credits(valid.id()) == [stage.ada: 100_000])
        stage.service.clock.advance(days: 2)
        let late = try stage.sell("order-2", customer: nil, Self.grace)
        #expect(try stage.credits(late.id()) == [:])
        let because = try stage.explain(late.id())["touches.0.because"]?.stringValue ?? ""
        #expect(because == "It came 1 d before the window of 90 days began.", "\(because)")
    }

    @Test("the lead with the newest last step decides among several")
    func newestStep() throws {
        let stage = try CreditStage(kind: "partner")
        defer { stage.service.stop() }
        let office: JSONObject = ["company": "Buyer"]
        let first = try Self.lead(stage, by: stage.ada, [], email: "a@one.example", office)
        let second = try Self.lead(stage, by: stage.ben, [], email: "b@two.example")
        for (lead, step) in [(first, "qualify"), (second, "qualify"), (first, "advance")] {
            stage.service.clock.advance(days: 1)
            #expect(try stage.service.post("/v1/leads/\(lead)/\(step)").status == 200)
        }
        // One person with two mailboxes.
        for email in ["a@one.example", "b@two.example"] {
            try stage.touch(
                nil, 0, source: "direct",
                ["customer": ["external_id": "c1", "email": .string(email)]])
        }
        let sale = try stage.sell("order-1")
        #expect(sale["attribution.credits.0.lead_id"] == .string(first))
        #expect(try stage.credits(sale.id()) == [stage.ada: 100_000])
    }

    // MARK: - Links that are off

    @Test("a touch of after its link was off counts as absent, earlier ones and late notices count")
    func disabledLink() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let link = try #require(
            try stage.service.get("/v1/links?participant_id=\(stage.ada)").ids.first)
        try stage.touch(nil, 0.5, ["ref": "code-ada"])
        #expect(try stage.service.post("/v1/links/\(link)/disable").status == 200)
        let early = try stage.sell("order-1")
        #expect(try stage.credits(early.id()) == [stage.ada: 100_000])
        stage.service.clock.advance(days: 2)
        // The next rung decides: here an older click of somebody else.
        try stage.touch(stage.ben, 1, customer: "c2")
        let off = try stage.sell("order-2", customer: "c2", ["ref": "code-ada"])
        #expect(try stage.credits(off.id()) == [stage.ben: 100_000])
        #expect(off["attribution.touches.1.verdict"] == "link_disabled")
        // A late notice of a sale of before.
        let late = try stage.sell(
            "order-3", customer: "c3", ["ref": "code-ada", "occurred_at": stage.ago(3)])
        #expect(try stage.credits(late.id()) == [stage.ada: 100_000])
        try stage.expectSoundBooks()
    }

    @Test("an expired link's touches count up to its end")
    func expiredLink() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let end = stage.service.clock.clock.now().advanced(byDays: 1)
        _ = try stage.service.make(
            "/v1/links",
            [
                "participant_id": .string(stage.ada), "code": "short-lived",
                "expires_at": .string(end.rfc3339),
            ])
        stage.service.clock.advance(days: 3)
        for (name, age, counts) in [
            ("before", 2.000001, true), ("at-end", 2, false), ("after", 1, false),
        ] as [(String, Double, Bool)] {
            let sale = try stage.sell(
                name, customer: name, ["ref": "short-lived", "occurred_at": stage.ago(age)])
            #expect(try stage.credits(sale.id()).isEmpty == !counts, "\(name)")
        }
    }
}
