import Database
import JSON
import Testing

@testable import App

/// New and returning customers (faults, section 5): what made somebody a customer before a
/// participant reached it.
struct ReturningCustomerTests {
    private func earned(_ sale: TestAnswer) -> Int64 {
        sale["rewards.0.amount.amount"]?.integerValue ?? 0
    }

    @Test("who bought before the first touch earns nobody anything, and keeps its credit")
    func boughtBefore() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let first = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(9)])
        #expect(first["reason"] == .null)
        try stage.touch(stage.ada, 5)
        let sale = try stage.sell("s2")
        #expect(sale["attribution.credits.0.participant_id"] == .string(stage.ada))
        #expect(sale["rewards"] == .array([]))
        #expect(sale["reason"] == "existing_customer")
        let id = try sale.id()
        #expect(try stage.service.get("/v1/conversions/\(id)")["reason"] == "existing_customer")
        let events = try stage.service.list("/v1/events?type=conversion.unrewarded")
        #expect(events.map { $0["reason"] } == ["existing_customer"])
        let withheld = try stage.service.list("/v1/events?type=reward.withheld")
        #expect(withheld.map { $0["reason"] } == ["existing_customer"])
    }

    @Test("a touch before everything else makes a new customer, however long ago it was")
    func touchedBefore() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 200)
        _ = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(100)])
        try stage.touch(stage.ada, 5)
        #expect(earned(try stage.sell("s2")) == 10_000)
    }

    @Test("a sale of nothing or one that was wholly refunded makes no customer")
    func noPaidSale() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.sell("trial", 0, ["kind": "signup", "occurred_at": stage.ago(9)])
        let back = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(8)]).id()
        #expect(
            try stage.service.post(
                "/v1/conversions/\(back)/refund", ["external_id": "r1"]
            ).status == 201)
        try stage.touch(stage.ada, 5)
        #expect(earned(try stage.sell("s2")) == 10_000)
    }

    @Test("a sale in another program, under the same address or id, makes a customer too")
    func otherProgram() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let other = try CreditStage(on: stage.service, suffix: "2")
        _ = try other.sell("o1", customer: "c7", ["occurred_at": stage.ago(9)])
        _ = try other.sell(
            "o2", customer: nil,
            ["customer": ["email": "sam@buyer.example"], "occurred_at": stage.ago(9)])
        try stage.touch(stage.ada, 5, customer: "c7")
        #expect(try stage.sell("s1", customer: "c7")["reason"] == "existing_customer")
        let sale = try stage.sell(
            "s2", customer: nil,
            ["customer": ["email": "Sam+shop@buyer.example"], "ref": "code-ada"])
        #expect(sale["reason"] == "existing_customer", "\(sale.text)")
        #expect(earned(try stage.sell("s3", customer: "c8", ["ref": "code-ada"])) == 10_000)
    }

    @Test("one answer for a sale: the earliest of those who share it decides for all")
    func shared() throws {
        let stage = try CreditStage(["model": "linear", "window_days": 30])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 20)
        _ = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(15)])
        try stage.touch(stage.ben, 10)
        let sale = try stage.sell("s2")
        #expect(
            sale["rewards"]?.arrayValue?.compactMap {
                $0.objectValue?["amount"]?.objectValue?["amount"]?.integerValue
            } == [5_000, 5_000], "\(sale.text)")
    }

    @Test("credit that a person gave, and renewals of who was referred, are never held back")
    func never() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let before = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(9)]).id()
        _ = try stage.reattribute(
            before, ["credits": [["participant_id": .string(stage.ada), "parts": 1]]])
        #expect(try stage.balance(stage.ada)[1] == 10_000)
        try stage.touch(stage.ada, 5)
        #expect(earned(try stage.sell("s2", customer: "c1", ["kind": "renewal"])) == 10_000)
    }

    @Test("a customer that the operator loaded is known since then, and under no other name")
    func loaded() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let loaded = try stage.service.post(
            "/v1/customers/bulk",
            [
                "items": [
                    ["email": "old@buyer.example", "customer_since": stage.ago(400)],
                    ["external_id": "c9", "customer_since": stage.ago(400)],
                    ["email": "today@buyer.example"],
                    ["email": "today@buyer.example"],
                    ["email": "old@buyer.example", "external_id": "c9"],
                    ["program_id": "prog_01h2xcejqtf2nbrexx3vqjhp41", "external_id": "c1"],
                    [
                        "program_id": .string(stage.program), "external_id": "c10",
                        "customer_since": stage.ago(400),
                    ],
                ]
            ])
        #expect(
            loaded["data"]?.arrayValue?.map { $0.objectValue?["status"]?.integerValue }
                == [201, 201, 201, 200, 422, 404, 201], "\(loaded.text)")
        func buy(_ name: String, _ customer: JSONValue, touched days: Double = 5) throws
            -> JSONValue?
        {
            _ = try stage.service.make(
                "/v1/touchpoints",
                [
                    "program_id": .string(stage.program), "source": "referral",
                    "participant_id": .string(stage.ada), "occurred_at": stage.ago(days),
                    "customer": customer,
                ])
            return try stage.sell(name, customer: nil, ["customer": customer])["reason"]
        }
        #expect(try buy("s1", ["email": "O.LD+a@buyer.example"]) == .null)
        #expect(
            try buy("s2", ["email": "OLD+a@buyer.example"]) == "existing_customer")
        #expect(try buy("s3", ["external_id": "c9"]) == "existing_customer")
        #expect(try buy("s4", ["external_id": "c10"]) == "existing_customer")
        // Loaded after the touch: what becomes known later changes nothing.
        #expect(try buy("s5", ["email": "today@buyer.example"]) == .null)
        // Of an address that has not bought, nothing can be read in the file.
        let hits = try stage.service.service.app.database.makeReader().integer(
            "SELECT count(*) FROM known_customers WHERE CAST(digest AS TEXT) LIKE '%old%'")
        #expect(hits == 0)
    }

    @Test("somebody at a company that was loaded as a customer is one; a former one is new")
    func account() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/accounts",
            ["domain": "acme.example", "relation": "customer", "customer_since": stage.ago(50)])
        _ = try stage.service.make(
            "/v1/accounts", ["domain": "gone.example", "relation": "former"])
        let late = try stage.service.post(
            "/v1/accounts", ["domain": "late.example", "relation": "customer"])
        #expect(late["customer_since"] != .null)
        for (name, reason) in [
            ("acme", "existing_customer"), ("gone", nil), ("late", nil),
        ] as [(String, String?)] {
            try stage.touch(
                stage.ada, 5,
                ["customer": ["email": .string("ann@\(name).example")]])
            let sale = try stage.sell(
                name, customer: nil, ["customer": ["email": .string("ann@\(name).example")]])
            #expect(sale["reason"] == (reason.map { .string($0) } ?? .null), "\(name)")
        }
    }

    @Test("a rule may be for those who were customers before, and partner programs ask nobody")
    func conditions() throws {
        let stage = try CreditStage(kind: "partner")
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)/reward_rules"
        #expect(try stage.service.list(path).first?["customers"] == "any")
        let rule = try stage.service.post(
            path,
            [
                "trigger": "conversion", "customers": "returning", "amount": MoneyStage.usd(500),
                "once_per": "occasion",
            ])
        #expect(rule["customers"] == "returning")
        _ = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(9)])
        try stage.touch(stage.ada, 5)
        #expect(try stage.sell("s2")["rewards"]?.arrayValue?.count == 2)
        let new = try stage.sell("s3", customer: "c2", ["ref": "code-ada"])
        #expect(new["rewards"]?.arrayValue?.count == 1)
        #expect(new["reason"] == .null)
    }

    @Test("R15: a lead of who bought before breaks not_a_customer, one of the same partner's not")
    func lead() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        func lead(_ participant: String, _ email: String) throws -> TestAnswer {
            let answer = try stage.service.post(
                "/v1/leads",
                ["participant_id": .string(participant), "email": .string(email)])
            #expect(answer.status == 201, "\(answer.text)")
            return answer
        }
        let customer: JSONValue = ["email": "sam@buyer.example"]
        try stage.touch(stage.ada, 9, ["customer": customer])
        _ = try stage.sell(
            "s1", customer: nil, ["customer": customer, "occurred_at": stage.ago(8)])
        let known = try lead(stage.ben, "sam@buyer.example")
        #expect(known["broken_rules"] == ["not_a_customer"], "\(known.text)")
        let refused = try stage.service.post("/v1/leads/\(try known.id())/qualify")
        #expect(refused["rules"] == ["not_a_customer"], "\(refused.text)")
        let own = try lead(stage.ada, "sam@buyer.example")
        #expect(own["broken_rules"] == .array([]), "\(own.text)")
        let other = try lead(stage.ben, "new@buyer.example")
        #expect(other["broken_rules"] == .array([]))
    }
}
