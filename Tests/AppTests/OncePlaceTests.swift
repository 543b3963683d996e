import JSON
import Testing

@testable import App

/// Where a rule gives once for a customer, a refund frees the place, and another occasion may take
/// it: a reversal gives back only what still has its place, under all ids of the person (faults,
/// sections 6 and 8).
struct OncePlaceTests {
    /// When the operator says that the two customers are one person.
    enum Merge: Sendable, CaseIterable { case beforeSecondSale, afterSecondSale, byMailbox, never }

    private let flat: JSONValue = [
        "trigger": "purchase", "amount": MoneyStage.usd(1_000), "once_per": "customer",
    ]
    private let perk: JSONValue = [
        "trigger": "purchase", "kind": "perk", "description": "A free month",
        "recipient": "referee",
    ]

    private func stage(_ rule: JSONValue) throws -> CreditStage {
        let stage = try CreditStage(kind: "partner")
        let path = "/v1/programs/\(stage.program)/reward_rules"
        let first = try #require(try stage.service.list(path).first?["id"]?.stringValue)
        #expect(try stage.service.post(path + "/\(first)/archive").status == 200)
        _ = try stage.service.make(path, rule)
        return stage
    }

    private func buy(_ stage: CreditStage, _ name: String, _ customer: JSONValue) throws
        -> TestAnswer
    {
        try stage.sell(name, customer: nil, ["customer": customer, "ref": "code-ada"])
    }

    private func merge(_ stage: CreditStage, _ one: JSONValue?, _ two: JSONValue?) throws {
        let kept = try #require(one?.stringValue)
        let answer = try stage.service.post(
            "/v1/customers/\(kept)/merge", ["customer_id": two ?? .null, "reason": "One person"])
        #expect(answer.status == 201, "\(answer.text)")
    }

    private func refund(_ stage: CreditStage, _ sale: String) throws -> String {
        try stage.service.make(
            "/v1/conversions/\(sale)/refund", ["external_id": .string("refund of \(sale)")])
    }

    private func reverse(_ stage: CreditStage, _ refund: String) throws {
        let answer = try stage.service.post(
            "/v1/refunds/\(refund)/reverse",
            ["external_id": .string("back \(refund)"), "kind": "mistake"])
        #expect(answer.status == 201, "\(answer.text)")
    }

    /// A sale that is refunded, one of the other id that takes the place, and the reversal.
    private func play(_ stage: CreditStage, _ merge: Merge) throws {
        let mailbox: JSONValue = "sam@buyer.example"
        func customer(_ id: JSONValue) -> JSONValue {
            merge == .byMailbox
                ? ["external_id": id, "email": mailbox] : ["external_id": id]
        }
        let first = try buy(stage, "s1", customer("c1"))
        let refund = try refund(stage, first.id())
        if merge == .beforeSecondSale {
            let known = try stage.service.post(
                "/v1/touchpoints",
                [
                    "program_id": .string(stage.program), "source": "sales",
                    "customer": ["external_id": "c2"],
                ])
            try self.merge(stage, known["customer_id"], first["customer_id"])
        }
        let second = try buy(stage, "s2", customer("c2"))
        if merge == .afterSecondSale {
            try self.merge(stage, second["customer_id"], first["customer_id"])
        }
        try reverse(stage, refund)
    }

    @Test("a reversal gives nothing to a person whose place another occasion took, however named")
    func rewards() throws {
        for merge in Merge.allCases {
            let stage = try stage(flat)
            defer { stage.service.stop() }
            try play(stage, merge)
            // Two people that nobody joined have a place each.
            #expect(
                try stage.balance(stage.ada)[1] == (merge == .never ? 2_000 : 1_000), "\(merge)")
            try stage.expectSoundBooks()
        }
    }

    @Test("the same of what the friend gets")
    func benefits() throws {
        for merge in Merge.allCases {
            let stage = try stage(perk)
            defer { stage.service.stop() }
            try play(stage, merge)
            let given = try stage.service.list("/v1/benefits").filter {
                $0["status"]?.stringValue != "voided"
            }
            #expect(given.count == (merge == .never ? 2 : 1), "\(merge)")
        }
    }

    @Test(
        "twenty ids with one mailbox have one place, in any order of reversals")
    func twenty() throws {
        let stage = try stage(flat)
        defer { stage.service.stop() }
        var refunds: [String] = []
        for number in 1...20 {
            let sale = try buy(
                stage, "s\(number)",
                ["external_id": .string("u\(number)"), "email": "one@buyer.example"])
            #expect(sale["rewards.0.amount.amount"] == 1_000, "\(sale.text)")
            refunds.append(try refund(stage, sale.id()))
        }
        #expect(try stage.balance(stage.ada)[1] == 0)
        for refund in refunds.reversed() { try reverse(stage, refund) }
        #expect(try stage.balance(stage.ada)[1] == 1_000)
        try stage.expectSoundBooks()
    }

    @Test("what a win earned comes back with its sale unless another win took the place")
    func wins() throws {
        for isTaken in [false, true] {
            let stage = try stage(
                [
                    "trigger": "lead.won", "amount": MoneyStage.usd(1_000),
                    "once_per": "customer",
                ])
            defer { stage.service.stop() }
            let first = try won(stage, "one")
            let sale = try stage.sell("s1", customer: nil, ["lead_id": .string(first)])
            #expect(try stage.balance(stage.ada)[1] == 1_000)
            let refund = try refund(stage, sale.id())
            #expect(try stage.balance(stage.ada)[1] == 0)
            if isTaken {
                let second = try won(stage, "two")
                let other = try stage.sell("s2", customer: nil, ["lead_id": .string(second)])
                try merge(stage, other["customer_id"], sale["customer_id"])
                #expect(try stage.balance(stage.ada)[1] == 1_000)
            }
            try reverse(stage, refund)
            #expect(try stage.balance(stage.ada)[1] == 1_000)
            try stage.expectSoundBooks()
        }
    }

    private func won(_ stage: CreditStage, _ name: String) throws -> String {
        let lead = try stage.service.make(
            "/v1/leads",
            [
                "participant_id": .string(stage.ada), "email": .string("\(name)@\(name).example"),
            ])
        for step in ["qualify", "advance", "win"] {
            #expect(try stage.service.post("/v1/leads/\(lead)/\(step)").status == 200)
        }
        return lead
    }
}
