import Foundation
import JSON
import Model
import Testing

@testable import App

/// Credit from touch to money and back, through the real server; each ends with sound books.
struct CreditJourneyTests {
    @Test("a late touch changes nothing by itself, and everything once a new decision is asked for")
    func lateTouch() throws {
        let stage = try CreditStage(["model": "linear"])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 3)
        let sale = try stage.sell("order-1").id()
        #expect(try stage.credits(sale) == [stage.ada: 100_000])
        let late = try stage.touch(stage.ben, 2)
        #expect(try stage.credits(sale) == [stage.ada: 100_000])
        #expect(try stage.explain(sale)["late_touches"] == [.string(late)])
        try stage.pay(stage.ada, "p-1")

        let again = try stage.reattribute(sale)
        #expect(again["attribution.cause"] == "reattribution")
        #expect(try stage.credits(sale) == [stage.ada: 50_000, stage.ben: 50_000])
        // What was paid already is owed, and the next payout keeps it back once.
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 10_000, 5_000])
        #expect(try stage.balance(stage.ben) == [0, 5_000, 0, 0, 0])
        #expect(
            try stage.reattribute(sale, status: 200)["attribution.id"] == again["attribution.id"])
        #expect(try stage.service.list("/v1/conversions/\(sale)/attributions").count == 2)
        #expect(try stage.service.list("/v1/events?type=conversion.reattributed").count == 1)
        try stage.expectSoundBooks()
    }

    @Test("a sale of after the program's end earns nothing in any decision, one of before it does")
    func afterTheEnd() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 2)
        let before = try stage.sell("before").id()
        #expect(try stage.service.post("/v1/programs/\(stage.program)/end").status == 200)
        let after = try stage.sell("after").id()
        #expect(try stage.credits(after) == [stage.ada: 100_000])
        let toBen: JSONObject = [
            "credits": [["participant_id": .string(stage.ben), "parts": 1]]
        ]
        #expect(try stage.reattribute(after, toBen)["rewards"] == [])
        #expect(try stage.balance(stage.ben) == [0, 0, 0, 0, 0])
        #expect(try stage.reattribute(before, toBen)["rewards"]?.arrayValue?.count == 2)
        #expect(try stage.balance(stage.ben) == [0, 10_000, 0, 0, 0])
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("all results and refunds of a sale can be read, page by page, and rewards are bounded")
    func pages() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let sale = try stage.sell("order-1").id()
        for turn in 0..<101 {
            _ = try stage.reattribute(
                sale,
                [
                    "credits": [
                        ["participant_id": .string([stage.ada, stage.ben][turn % 2]), "parts": 1]
                    ]
                ])
            let refund = try stage.service.post(
                "/v1/conversions/\(sale)/refund",
                ["external_id": .string("r-\(turn)"), "amount": MoneyStage.usd(10)])
            #expect(refund.status == 201, "\(refund.text)")
        }
        for (list, count) in [("attributions", 102), ("refunds", 101)] {
            let path = "/v1/conversions/\(sale)/\(list)?limit=100"
            let first = try stage.service.get(path)
            #expect(first.ids.count == 100)
            #expect(first["has_more"] == true)
            let rest = try stage.service.get("\(path)&starting_after=\(first.ids[99])")
            #expect(rest["has_more"] == false)
            #expect(Set(first.ids + rest.ids).count == count)
            let foreign = try stage.sell("other-\(list)").id()
            let astray = try stage.service.get(
                "/v1/conversions/\(foreign)/\(list)?starting_after=\(first.ids[0])")
            #expect(astray["errors.0.code"] == "unknown_cursor")
        }
        let detail = try stage.service.get("/v1/conversions/\(sale)")
        let rewards = try stage.service.get("/v1/rewards?limit=100&conversion_id=\(sale)")
        #expect(detail["has_more_rewards"] == rewards["has_more"])
        #expect(detail["rewards"]?.arrayValue?.count == rewards.ids.count)
    }

    @Test("two customers that are one person share their touches, until they are taken apart")
    func merge() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 3, customer: "phone-app")
        let sale = try stage.sell("order-1", customer: "web-shop")
        let id = try sale.id()
        #expect(try stage.credits(id) == [:])
        let other = try stage.service.get("/v1/customers?external_id=phone-app").ids[0]
        let kept = try #require(sale["customer_id"]?.stringValue)
        let merge = try stage.service.make(
            "/v1/customers/\(kept)/merge",
            ["customer_id": .string(other), "reason": "Same telephone"])
        let person = try stage.service.get("/v1/customers/\(other)")
        #expect(person["person"] == [.string(kept), .string(other)])
        #expect(try stage.credits(id) == [:])
        _ = try stage.reattribute(id)
        #expect(try stage.credits(id) == [stage.ada: 100_000])
        #expect(try stage.balance(stage.ada) == [0, 10_000, 0, 0, 0])
        // A sale of now sees both as well.
        #expect(try stage.credits(try stage.sell("order-2", customer: "web-shop").id()).count == 1)

        let undone = try stage.service.post(
            "/v1/customer_merges/\(merge)/undo", ["reason": "Brothers"])
        #expect(undone["undone_reason"] == "Brothers")
        #expect(
            try stage.service.post("/v1/customer_merges/\(merge)/undo", ["reason": "x"])["code"]
                == "already_undone")
        _ = try stage.reattribute(id)
        #expect(try stage.credits(id) == [:])
        #expect(try stage.balance(stage.ada) == [0, 10_000, 0, 0, 0])
        #expect(try stage.credits(try stage.sell("order-3", customer: "web-shop").id()) == [:])
        try stage.expectSoundBooks()
    }

    @Test("a sale that names an id and an e-mail known apart makes them one person, once")
    func namedTogether() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/leads",
            ["participant_id": .string(stage.ada), "email": "grace@buyer.example"])
        try stage.touch(nil, 9, customer: "u-1", source: "direct")
        let named: JSONObject = [
            "customer": ["external_id": "u-1", "email": "Grace@Buyer.example"]
        ]
        let sale = try stage.sell("order-1", customer: nil, named)
        #expect(try stage.credits(sale.id()) == [stage.ada: 100_000])
        let kept = try #require(sale["customer_id"]?.stringValue)
        let merges = try stage.service.list("/v1/customers/\(kept)/merges")
        #expect(merges.count == 1)
        #expect(merges[0]["cause"] == "named_together")
        let merge = try #require(merges[0]["id"]?.stringValue)
        #expect(
            try stage.service.post(
                "/v1/customer_merges/\(merge)/undo", ["reason": "A shared mailbox"]
            ).status == 200)
        // A person has said that they are two: naming both again does not join them.
        let apart = try stage.sell("order-2", customer: nil, named).id()
        #expect(try stage.credits(apart) == ["nobody": 100_000])
        #expect(try stage.service.list("/v1/customers/\(kept)/merges").count == 1)
        try stage.expectSoundBooks()
    }

    @Test("two ids of the operator's with one mailbox are two customers, and no sale is lost")
    func twoAccounts() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 1, customer: "u-1")
        func sell(_ name: String, _ id: String) throws -> String {
            try stage.sell(
                name, customer: nil,
                ["customer": ["external_id": .string(id), "email": "office@buyer.example"]]
            ).id()
        }
        #expect(try stage.credits(sell("order-1", "u-1")) == [stage.ada: 100_000])
        #expect(try stage.credits(sell("order-2", "u-2")) == [:])
        try stage.expectSoundBooks()
    }

    @Test("the operator's word moves credit and money, and back, without an edit")
    func manual() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 1)
        let sale = try stage.sell("order-1", 100_100).id()
        let split = try stage.reattribute(
            sale,
            [
                "credits": [
                    ["participant_id": .string(stage.ben), "parts": 1],
                    ["participant_id": .string(stage.eve), "parts": 1],
                ]
            ])
        #expect(split["attribution.reason"] == "manual")
        #expect(try stage.credits(sale) == [stage.ben: 50_050, stage.eve: 50_050])
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 5_005, 0, 0, 0])
        _ = try stage.reattribute(sale, ["reason": "It was Ada after all"])
        #expect(try stage.balance(stage.ada) == [0, 10_010, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 0, 0, 0, 0])
        let rewards = try stage.service.list("/v1/rewards?limit=100")
        #expect(rewards.count == 4)
        #expect(
            rewards.reduce(0) { sum, reward in
                sum + (reward["net_amount"]?.objectValue?["amount"]?.integerValue ?? 0)
            } == 10_010)
        let both = try stage.service.post(
            "/v1/conversions/\(sale)/reattribute",
            [
                "reason": "x", "model": "linear",
                "credits": [
                    ["participant_id": .string(stage.ben), "parts": 1]
                ],
            ])
        #expect(both["code"] == "credits_exclude_model")
        try stage.expectSoundBooks()
    }

    @Test("a partial refund after the payout mirrors the split, in whatever steps, to the cent")
    func refundAfterPayout() throws {
        let stage = try CreditStage(["model": "position_based"], points: 10_000)
        defer { stage.service.stop() }
        for (person, days) in [(stage.ada, 4.0), (stage.ben, 3), (stage.eve, 2), (stage.ada, 1)] {
            try stage.touch(person, days)
        }
        let sale = try stage.sell("order-1", 1_001).id()
        // 401, 100, 100, 400; both of Ada's together.
        #expect(try stage.credits(sale) == [stage.ada: 801, stage.ben: 100, stage.eve: 100])
        try stage.pay(stage.ada, "p-ada")
        try stage.pay(stage.ben, "p-ben")
        for (number, amount) in [333, 1, 667].enumerated() {
            let answer = try stage.service.post(
                "/v1/conversions/\(sale)/refund",
                [
                    "external_id": .string("r-\(number)"),
                    "amount": MoneyStage.usd(Int64(amount)),
                ])
            #expect(answer.status == 201)
            let credits = try stage.service.get("/v1/conversions/\(sale)/attribution")["credits"]
            let gone = credits?.arrayValue?.reduce(0) { sum, credit in
                sum + (credit.objectValue?["refunded"]?.objectValue?["amount"]?.integerValue ?? 0)
            }
            #expect(gone == [333, 334, 1_001][number])
        }
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 801, 801])
        #expect(try stage.balance(stage.ben) == [0, 0, 0, 100, 100])
        #expect(try stage.balance(stage.eve) == [0, 0, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test(
        "a draft that a refund or a new decision has overtaken is not submitted, but drafted again")
    func overtakenDraft() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 1)
        try stage.touch(stage.ada, 1, customer: "c2")
        let sale = try stage.sell("order-1").id()
        _ = try stage.sell("order-2", 50_000, customer: "c2")
        let draft = try stage.service.make(
            "/v1/payouts", ["participant_id": .string(stage.ada), "reference": "p-1"])
        _ = try stage.reattribute(
            sale, ["credits": [["participant_id": .string(stage.ben), "parts": 1]]])
        let refused = try stage.service.post("/v1/payouts/\(draft)/submit")
        #expect(refused.status == 409)
        #expect(refused["code"] == "owes_since_draft")
        #expect(refused["owed"] == 10_000)
        #expect(try stage.service.post("/v1/payouts/\(draft)/cancel").status == 200)
        try stage.pay(stage.ada, "p-2")
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 5_000, 0])
        #expect(try stage.balance(stage.ben) == [0, 10_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a reward that a person voided does not come back with the credit")
    func voidedStays() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 1)
        let sold = try stage.sell("order-1")
        let reward = try #require(sold["rewards.0.id"]?.stringValue)
        let void = try stage.service.post("/v1/rewards/\(reward)/void", ["reason": "fraud"])
        #expect(void["status"] == "voided")
        for person in [stage.ben, stage.ada] {
            _ = try stage.reattribute(
                sold.id(), ["credits": [["participant_id": .string(person), "parts": 1]]])
        }
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 0, 0, 0, 0])
        let kept = try stage.service.get("/v1/rewards/\(reward)")
        #expect(kept["reason"] == "fraud" && kept["corrected.amount"] == 0)
        try stage.expectSoundBooks()
    }

    @Test(
        "a new decision after a partial refund moves what is left, and a full refund ends at zero")
    func refundAndDecision() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 1)
        let sale = try stage.sell("order-1", 100_000).id()
        func refund(_ name: String, _ amount: Int64?) throws {
            var body: JSONObject = ["external_id": .string(name)]
            if let amount { body["amount"] = MoneyStage.usd(amount) }
            #expect(
                try stage.service.post("/v1/conversions/\(sale)/refund", .object(body)).status
                    == 201)
        }
        try refund("r-1", 30_000)
        #expect(try stage.balance(stage.ada) == [0, 7_000, 0, 0, 0])
        _ = try stage.reattribute(
            sale, ["credits": [["participant_id": .string(stage.ben), "parts": 1]]])
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 7_000, 0, 0, 0])
        try stage.expectSoundBooks()
        try refund("r-2", nil)
        _ = try stage.reattribute(sale)
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 0, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a later change of the rules changes no result; the rules of today can be asked for")
    func rulesOfToday() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 2)
        try stage.touch(stage.ben, 1)
        let sale = try stage.sell("order-1").id()
        let change = try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)", ["attribution": ["model": "first_touch"]])
        #expect(change.status == 200)
        #expect(try stage.credits(sale) == [stage.ben: 100_000])
        _ = try stage.reattribute(sale, status: 200)
        let today = try stage.reattribute(sale, ["rules": "today"])
        #expect(today["attribution.program_version"] == change["version"])
        #expect(try stage.credits(sale) == [stage.ada: 100_000])
        try stage.expectSoundBooks()
    }

    @Test("credit that is decided anew is held from the day of the sale, not again")
    func holdFromSale() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/programs/\(stage.program)/reward_rules",
            ["trigger": "conversion", "amount": MoneyStage.usd(300), "hold_days": 10])
        try stage.touch(stage.ada, 1)
        let sale = try stage.sell("o1").id()
        stage.service.clock.advance(days: 4)
        _ = try stage.reattribute(
            sale, ["credits": [["participant_id": .string(stage.ben), "parts": 1]]])
        let held = try stage.service.get("/v1/rewards?participant_id=\(stage.ben)&status=pending")
        let sold = try stage.service.get("/v1/conversions/\(sale)")["created_at"]?.stringValue
        let recorded = try #require(sold.flatMap { Instant(rfc3339: $0) })
        #expect(
            held["data.0.hold_until"] == .string(recorded.advanced(byDays: 10).rfc3339),
            "\(held.text)")
        stage.service.clock.advance(days: 7)
        _ = try stage.reattribute(
            sale, ["credits": [["participant_id": .string(stage.eve), "parts": 1]]])
        let over = try stage.service.get("/v1/rewards?participant_id=\(stage.eve)")
        #expect(
            over["data.0.status"] == "approved" && over["data.1.status"] == "approved",
            "\(over.text)")
        try stage.expectSoundBooks()
    }

    @Test("a touch with an external id is recorded once for good, in bulk as alone")
    func touchOnce() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let body: JSONObject = [
            "program_id": .string(stage.program), "external_id": "mail-1", "source": "marketing",
            "customer": ["external_id": "c1"], "campaign": "spring",
        ]
        let first = try stage.service.post("/v1/touchpoints", .object(body))
        #expect(first.status == 201)
        #expect(try stage.service.post("/v1/touchpoints", .object(body)).status == 200)
        var other = body
        other["source"] = "sales"
        let refused = try stage.service.post("/v1/touchpoints", .object(other))
        #expect(refused.status == 409)
        #expect(refused.pointer == "/source")
        let bulk = try stage.service.post(
            "/v1/touchpoints/bulk", ["items": [.object(body), .object(other)]])
        #expect(bulk["data.0.status"] == 200)
        #expect(bulk["data.1.status"] == 409)
        #expect(try stage.service.get("/v1/touchpoints?source=marketing").ids.count == 1)
        var nobody = body
        nobody["external_id"] = "mail-2"
        nobody["source"] = "referral"
        #expect(
            try stage.service.post("/v1/touchpoints", .object(nobody))["code"]
                == "participant_required")
    }
}
