import JSON
import Testing

@testable import App

/// How often a rule gives (faults, section 6), and what its other conditions leave of a sale.
struct OncePerTests {
    private static func flat(_ more: JSONObject = [:]) -> JSONValue {
        var rule: JSONObject = ["trigger": "purchase", "amount": MoneyStage.usd(1_000)]
        for (name, value) in more { rule[name] = value }
        return .object(rule)
    }

    /// A program without rules but this one.
    private func stage(_ rule: JSONValue, kind: String = "customer") throws
        -> (stage: CreditStage, rule: TestAnswer)
    {
        let stage = try CreditStage(kind: kind)
        let path = "/v1/programs/\(stage.program)/reward_rules"
        let first = try #require(try stage.service.list(path).first?["id"]?.stringValue)
        #expect(try stage.service.post(path + "/\(first)/archive").status == 200)
        let made = try stage.service.post(path, rule)
        #expect(made.status == 201, "\(made.text)")
        return (stage, made)
    }

    private func given(_ sale: TestAnswer) -> Int {
        (sale["rewards"]?.arrayValue?.count ?? 0) + (sale["benefits"]?.arrayValue?.count ?? 0)
    }

    @Test(
        "what a rule does not say of how often follows from the program and from what it gives",
        arguments: [
            ("customer", ["trigger": "purchase", "amount": MoneyStage.usd(1)], "customer"),
            ("partner", ["trigger": "signup", "amount": MoneyStage.usd(1)], "customer"),
            ("partner", ["trigger": "conversion", "basis_points": 5], "occasion"),
            ("partner", ["trigger": "renewal", "amount": MoneyStage.usd(1)], "occasion"),
            ("customer", ["trigger": "upsell", "amount": MoneyStage.usd(1)], "occasion"),
            ("partner", ["trigger": "lead.won", "amount": MoneyStage.usd(1)], "occasion"),
            ("customer", ["trigger": "lead.won", "amount": MoneyStage.usd(1)], "customer"),
            ("employee", ["trigger": "lead.qualified", "amount": MoneyStage.usd(1)], "customer"),
            ("customer", ["trigger": "purchase", "kind": "points", "points": 5], "occasion"),
            (
                "partner",
                [
                    "trigger": "conversion", "kind": "discount", "recipient": "referee",
                    "discount_basis_points": 5,
                ], "customer"
            ),
            (
                "partner",
                ["trigger": "renewal", "kind": "points", "points": 5, "recipient": "referee"],
                "customer"
            ),
            (
                "customer",
                [
                    "trigger": "milestone", "milestone": ["counts": "won", "at": 3],
                    "amount": MoneyStage.usd(1),
                ], nil
            ),
        ] as [(String, JSONObject, String?)])
    func defaults(kind: String, rule: JSONObject, once: String?) throws {
        let (stage, made) = try stage(.object(rule), kind: kind)
        defer { stage.service.stop() }
        #expect(made["once_per"] == (once.map { .string($0) } ?? .null))
        #expect(made["customers"] == (kind == "customer" ? "new" : "any"))
    }

    @Test("a flat amount is given once for a customer, whoever earns it and however it is named")
    func once() throws {
        let (stage, _) = try stage(Self.flat(), kind: "partner")
        defer { stage.service.stop() }
        func buy(_ name: String, _ customer: JSONValue, by code: String) throws -> TestAnswer {
            try stage.sell(
                name, customer: nil, ["customer": customer, "ref": .string("code-\(code)")])
        }
        let mail: JSONValue = "sam@buyer.example"
        #expect(given(try buy("s1", ["external_id": "c1", "email": mail], by: "ada")) == 1)
        #expect(try buy("s2", ["external_id": "c1"], by: "ada")["reason"] == "once_per_customer")
        #expect(try buy("s3", ["external_id": "c1"], by: "ben")["reason"] == "once_per_customer")
        #expect(try buy("s4", ["email": mail], by: "ben")["reason"] == "once_per_customer")
        // Another id of the operator's with the same mailbox is the same person here.
        let twin = try buy("s5", ["external_id": "c2", "email": mail], by: "eve")
        #expect(twin["reason"] == "once_per_customer", "\(twin.text)")
        #expect(
            try buy("s6", ["external_id": "c2"], by: "eve")["reason"] == "once_per_customer")
        #expect(given(try buy("s7", ["external_id": "c3"], by: "eve")) == 1)
        try stage.expectSoundBooks()
    }

    @Test("twenty sign-ups with one e-mail and twenty ids of the operator's are one person")
    func twentySignups() throws {
        let (stage, _) = try stage(["trigger": "signup", "amount": MoneyStage.usd(500)])
        defer { stage.service.stop() }
        var total = 0
        for number in 1...20 {
            let sale = try stage.sell(
                "s\(number)", 0, customer: nil,
                [
                    "kind": "signup", "ref": "code-ada",
                    "customer": [
                        "external_id": .string("u\(number)"), "email": "one@buyer.example",
                    ],
                ])
            total += given(sale)
        }
        #expect(total == 1)
        #expect(try stage.balance(stage.ada)[1] == 500)
    }

    @Test("a place whose reward was wholly taken back is free again; part of it is not enough")
    func freed() throws {
        let (stage, _) = try stage(Self.flat())
        defer { stage.service.stop() }
        let first = try stage.sell("s1", customer: "c1", ["ref": "code-ada"]).id()
        func refund(_ name: String, _ amount: Int64?) throws {
            var body: JSONObject = ["external_id": .string(name)]
            body["amount"] = amount.map { MoneyStage.usd($0) }
            let answer = try stage.service.post(
                "/v1/conversions/\(first)/refund", .object(body))
            #expect(answer.status == 201, "\(answer.text)")
        }
        try refund("r1", 50_000)
        #expect(given(try stage.sell("s2", customer: "c1", ["ref": "code-ada"])) == 0)
        try refund("r2", nil)
        #expect(given(try stage.sell("s3", customer: "c1", ["ref": "code-ada"])) == 1)
        #expect(given(try stage.sell("s4", customer: "c1", ["ref": "code-ada"])) == 0)
        try stage.expectSoundBooks()
    }

    @Test("merging two people takes nothing back, and counts from then on")
    func merged() throws {
        let (stage, _) = try stage(Self.flat())
        defer { stage.service.stop() }
        let one = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        let two = try stage.sell("s2", customer: "c2", ["ref": "code-ada"])
        #expect(given(one) + given(two) == 2)
        let kept = try #require(one["customer_id"]?.stringValue)
        let merge: JSONValue = [
            "customer_id": two["customer_id"] ?? .null, "reason": "One person",
        ]
        #expect(try stage.service.post("/v1/customers/\(kept)/merge", merge).status == 201)
        #expect(try stage.balance(stage.ada)[1] == 2_000)
        #expect(given(try stage.sell("s3", customer: "c2", ["ref": "code-ada"])) == 0)
    }

    @Test("a rule that replaces another inherits what that one gave, through all its versions")
    func replaced() throws {
        let (stage, old) = try stage(Self.flat())
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)/reward_rules"
        #expect(given(try stage.sell("s1", customer: "c1", ["ref": "code-ada"])) == 1)
        let id = try old.id()
        let patched = try stage.service.send(
            "PATCH", path + "/\(id)", ["amount": MoneyStage.usd(2_000)])
        #expect(patched["once_per"] == "customer")
        #expect(given(try stage.sell("s2", customer: "c1", ["ref": "code-ada"])) == 0)
        let new = try stage.service.post(path, Self.flat(["replaces": .string(id)]))
        #expect(new["replaces"] == .string(id))
        #expect(
            new["warnings"]?.arrayValue?.map { $0.objectValue?["code"] }
                == ["no_min_sale", "replaced_is_active"])
        #expect(try stage.service.post(path + "/\(id)/archive").status == 200)
        #expect(given(try stage.sell("s3", customer: "c1", ["ref": "code-ada"])) == 0)
        #expect(given(try stage.sell("s4", customer: "c2", ["ref": "code-ada"])) == 1)
        let moved = try stage.service.send(
            "PATCH", path + "/\(try new.id())", ["replaces": nil])
        #expect(moved.code == "replaces_fixed")
        #expect(
            try stage.service.post(path, Self.flat(["replaces": "rule_01h2xcejqtf2nbrexx3vqjhp41"]))
                .status == 404)
    }

    @Test("once_per occasion gives each time, and a second deal of a partner is a deal")
    func occasions() throws {
        let (stage, _) = try stage(Self.flat(["once_per": "occasion"]))
        defer { stage.service.stop() }
        for number in 1...3 {
            #expect(given(try stage.sell("s\(number)", customer: "c1", ["ref": "code-ada"])) == 1)
        }
        let (deals, _) = try self.stage(
            ["trigger": "lead.won", "amount": MoneyStage.usd(1_000)], kind: "partner")
        defer { deals.service.stop() }
        for number in 1...2 {
            let lead = try deals.service.make(
                "/v1/leads",
                [
                    "participant_id": .string(deals.ada), "email": "sam@buyer.example",
                    "company": .string("Deal \(number)"),
                ])
            let reopened = try deals.service.post(
                "/v1/leads/\(lead)/reopen", ["reason": "Another deal"])
            #expect(number == 1 || reopened.status == 200, "\(reopened.text)")
            for step in ["qualify", "advance", "win"] {
                let moved = try deals.service.post("/v1/leads/\(lead)/\(step)")
                #expect(moved.status == 200, "\(moved.text)")
            }
        }
        #expect(try deals.balance(deals.ada)[1] == 2_000)
    }

    @Test("the first paid sale is the service's finding, whatever its sender calls it")
    func firstPaid() throws {
        let (stage, _) = try stage(Self.flat())
        defer { stage.service.stop() }
        let trial = try stage.sell("t", 0, ["kind": "purchase", "ref": "code-ada"])
        #expect(given(trial) == 0)
        #expect(trial["reason"] == "nothing_paid")
        let first = try stage.sell("s1", customer: "c1", ["kind": "renewal", "ref": "code-ada"])
        #expect(given(first) == 1, "\(first.text)")
        #expect(first["kind"] == "renewal")
        #expect(
            given(try stage.sell("s2", customer: "c1", ["kind": "renewal", "ref": "code-ada"])) == 0
        )
        let (renewals, _) = try self.stage(["trigger": "renewal", "amount": MoneyStage.usd(1)])
        defer { renewals.service.stop() }
        #expect(
            given(try renewals.sell("s1", customer: "c1", ["kind": "renewal", "ref": "code-ada"]))
                == 0)
        #expect(
            given(try renewals.sell("s2", customer: "c1", ["kind": "renewal", "ref": "code-ada"]))
                == 1)
        #expect(
            given(try renewals.sell("s3", customer: "c1", ["kind": "renewal", "ref": "code-ada"]))
                == 1)
    }

    @Test("a sale of nothing counts for no milestone, and only a sign-up sets off signup")
    func nothing() throws {
        let (stage, _) = try stage(
            [
                "trigger": "milestone", "milestone": ["counts": "won", "at": 1],
                "amount": MoneyStage.usd(700),
            ])
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)/reward_rules"
        _ = try stage.service.make(path, ["trigger": "signup", "amount": MoneyStage.usd(50)])
        for kind in ["purchase", "renewal", "upsell"] {
            let sale = try stage.sell(
                kind, 0, customer: kind, ["kind": .string(kind), "ref": "code-ada"])
            #expect(given(sale) == 0, "\(kind)")
        }
        #expect(given(try stage.sell("s1", customer: "purchase", ["ref": "code-ada"])) == 1)
        let signup = try stage.sell(
            "s2", 0, customer: "new", ["kind": "signup", "ref": "code-ada"])
        #expect(given(signup) == 1)
        #expect(signup["rewards.0.amount.amount"] == 50)
    }

    @Test("smaller sales than min_sale give nothing, by what they were recorded as")
    func minSale() throws {
        let (stage, rule) = try stage(
            Self.flat(["min_sale": MoneyStage.usd(5_000), "once_per": "occasion"]))
        defer { stage.service.stop() }
        #expect(rule["warnings"] == nil)
        #expect(try stage.sell("s1", 4_999, ["ref": "code-ada"])["reason"] == "small_sale")
        let sale = try stage.sell("s2", 5_000, ["ref": "code-ada"])
        #expect(given(sale) == 1)
        let path = "/v1/programs/\(stage.program)/reward_rules"
        for (rule, code) in [
            (
                Self.flat(["trigger": "lead.won", "min_sale": MoneyStage.usd(1)]),
                "min_sale_without_sale"
            ),
            (Self.flat(["min_sale": ["amount": 1, "currency": "EUR"]]), "currency_mismatch"),
            (
                [
                    "trigger": "milestone", "milestone": ["counts": "won", "at": 1],
                    "amount": MoneyStage.usd(1), "once_per": "customer",
                ], "once_per_misplaced"
            ),
            (Self.flat(["duration_months": 3]), "duration_misplaced"),
            (Self.flat(["duration": "months"]), "duration_misplaced"),
        ] as [(JSONValue, String)] {
            #expect(try stage.service.post(path, rule).code == code)
        }
        for rule: JSONValue in [
            ["trigger": "signup", "amount": MoneyStage.usd(1)],
            ["trigger": "conversion", "basis_points": 100],
            ["trigger": "lead.won", "amount": MoneyStage.usd(1)],
        ] { #expect(try stage.service.post(path, rule)["warnings"] == nil) }
        #expect(
            try stage.service.post(
                path, ["trigger": "purchase", "kind": "perk", "description": "A mug"])[
                    "warnings.0.code"] == "no_min_sale")
    }
}
