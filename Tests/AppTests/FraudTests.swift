import Database
import JSON
import Testing

@testable import App

/// Rewards that a person must look at: self-referral, participants who are not approved, and who
/// may say yes.
struct FraudTests {
    private static func buyer(_ email: String) -> JSONObject {
        ["customer": ["email": .string(email)], "ref": "code-ada"]
    }

    @Test(
        "a reward for a sale to oneself is granted and waits in review with its evidence",
        arguments: [
            ("customer", "Ada+x@partner.example", ["email", "domain"]),
            ("customer", "colleague@partner.example", ["domain"]),
            ("customer", "sam@buyer.example", []),
            ("employee", "colleague@partner.example", ["domain"]),
            ("partner", "ada@partner.example", ["email"]),
            ("partner", "colleague@partner.example", []),
        ])
    func sale(kind: String, email: String, signals: [String]) throws {
        let stage = try CreditStage(kind: kind)
        defer { stage.service.stop() }
        let sale = try stage.sell("s1", customer: nil, Self.buyer(email))
        let id = try #require(sale["rewards.0.id"]?.stringValue)
        let reward = try stage.service.get("/v1/rewards/\(id)")
        #expect(reward["status"] == (signals.isEmpty ? "approved" : "review"))
        let flags = reward["flags"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(
            flags.map { $0["evidence"]?.objectValue?["signal"]?.stringValue } == signals)
        guard !signals.isEmpty else { return }
        #expect(reward["amount.amount"] == 10_000)
        #expect(!reward.text.contains("partner.example"))
        let explained = try stage.service.get("/v1/rewards/\(id)/explain")
        #expect(explained["basis.flags"] == reward["flags"])
        #expect(explained["hold"]?.stringValue?.hasPrefix("A person reviews it") == true)
        // Nothing but a person ends it.
        stage.service.clock.advance(days: 400)
        var reader: Reader?
        while stage.service.service.jobs.runSlice(&reader) {}
        #expect(try stage.service.get("/v1/rewards/\(id)")["status"] == "review")
        #expect(try stage.service.post("/v1/rewards/\(id)/approve")["status"] == "approved")
    }

    @Test("every address of the person and every account of the operator's is compared")
    func person() throws {
        let stage = try CreditStage(kind: "partner")
        defer { stage.service.stop() }
        _ = try stage.sell(
            "s1", customer: nil,
            ["customer": ["external_id": "c1", "email": "sam@buyer.example"], "ref": "code-ben"])
        let sale = try stage.sell(
            "s2", customer: nil,
            ["customer": ["external_id": "c1", "email": "ada@partner.example"], "ref": "code-ada"])
        #expect(sale["rewards.0.flags.0.code"] == "self_referral", "\(sale.text)")
        let again = try stage.sell("s3", customer: "c1", ["ref": "code-ada"])
        #expect(again["rewards.0.flags.0.evidence.signal"] == "email", "\(again.text)")
    }

    @Test(
        "R235, R238: what is earned beside money waits like a reward, and so does the referee's",
        arguments: ["self_referral", "participant_not_approved"])
    func benefits(code: String) throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        for rule: JSONValue in [
            ["trigger": "conversion", "kind": "gift_card", "basis_points": 500],
            ["trigger": "conversion", "kind": "perk", "description": "Beta access"],
            [
                "trigger": "conversion", "kind": "discount", "discount_basis_points": 2_000,
                "recipient": "referee",
            ],
        ] { _ = try stage.service.make(path + "/reward_rules", rule) }
        #expect(try stage.service.send("PATCH", path, ["hold_days": 5]).status == 200)
        if code == "participant_not_approved" {
            let suspended = try stage.service.post("/v1/participants/\(stage.ada)/suspend")
            #expect(suspended.status == 200)
            try stage.touch(stage.ada, 1)
        }
        let sale = try stage.sell(
            "s1", customer: code == "self_referral" ? nil : "c1",
            code == "self_referral" ? Self.buyer("ada@partner.example") : [:])
        let flags = try #require(sale["rewards.0.flags"])
        #expect(sale["rewards.0.flags.0.code"] == .string(code))
        stage.service.clock.advance(days: 400)
        var reader: Reader?
        while stage.service.service.jobs.runSlice(&reader) {}
        let benefits = try stage.service.list("/v1/benefits")
        #expect(benefits.count == 3)
        for benefit in benefits {
            #expect(benefit["status"] == "review" && benefit["flags"] == flags)
            let one = "/v1/benefits/\(try #require(benefit["id"]?.stringValue))"
            #expect(try stage.service.post(one + "/fulfill").code == "invalid_transition")
            guard benefit["kind"] != "perk" else {
                let voided = try stage.service.post(one + "/void", ["reason": "His own"])
                #expect(voided["status"] == "voided" && voided["flags.0.code"] == .string(code))
                continue
            }
            #expect(try stage.service.post(one + "/approve")["status"] == "approved")
            #expect(try stage.service.post(one + "/fulfill")["status"] == "fulfilled")
        }
    }

    @Test("what is earned beside money by a sale to somebody else waits for nobody")
    func freeBenefit() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/programs/\(stage.program)/reward_rules",
            ["trigger": "conversion", "kind": "gift_card", "basis_points": 500])
        _ = try stage.sell("s1", customer: nil, Self.buyer("sam@buyer.example"))
        let benefit = try stage.service.list("/v1/benefits").first
        #expect(benefit?["status"] == "approved" && benefit?["flags"] == .array([]))
    }

    @Test("a lead of one's own is flagged like a sale")
    func lead() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.service.make(
            "/v1/leads",
            ["participant_id": .string(stage.participant), "email": "bob@partner.example"])
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        let reward = try #require(try stage.rewards("&lead_id=\(lead)").first)
        #expect(reward["status"] == "review")
        #expect(
            reward["flags"]?.arrayValue?.first?.objectValue?["evidence"]?.objectValue?["lead_id"]
                == .string(lead))
        try stage.expectSoundBooks()
    }

    @Test("a program may switch the detection off")
    func ignored() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let patch: JSONValue = ["fraud": ["self_referral": "ignore"]]
        let patched = try stage.service.send("PATCH", "/v1/programs/\(stage.program)", patch)
        #expect(patched["fraud.self_referral"] == "ignore", "\(patched.text)")
        let sale = try stage.sell("s1", customer: nil, Self.buyer("ada@partner.example"))
        #expect(sale["rewards.0.status"] == "approved")
        #expect(sale["rewards.0.flags"] == .array([]))
    }

    @Test("a decision anew flags the new reward too")
    func reattributed() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let sale = try stage.sell(
            "s1", customer: nil,
            ["customer": ["email": "ben@partner.example"], "ref": "code-ada"]
        ).id()
        _ = try stage.reattribute(
            sale, ["credits": [["participant_id": .string(stage.ben), "parts": 1]]])
        let rewards = try stage.service.list("/v1/rewards?participant_id=\(stage.ben)")
        #expect(rewards.first?["status"] == "review")
    }

    @Test(
        "who is suspended or closed still earns, into review; what it had earned is paid if closed")
    func notApproved() throws {
        for action in ["suspend", "close"] {
            let stage = try CreditStage()
            defer { stage.service.stop() }
            try stage.touch(stage.ada, 1)
            _ = try stage.sell("before")
            let path = "/v1/participants/\(stage.ada)"
            #expect(try stage.service.post(path + "/" + action).status == 200)
            let sale = try stage.sell("after")
            #expect(sale["rewards.0.status"] == "review")
            #expect(sale["rewards.0.flags.0.code"] == "participant_not_approved")
            let body: JSONValue = ["participant_id": .string(stage.ada), "reference": "p1"]
            let answer = try stage.service.post("/v1/payouts", body)
            guard action == "suspend" else {
                #expect(answer.status == 201 && answer["amount.amount"] == 10_000)
                continue
            }
            #expect(answer.status == 409 && answer.code == "participant_not_approved")
            #expect(try stage.service.list("/v1/payouts").isEmpty)
            #expect(try stage.service.post(path + "/approve").status == 200)
            #expect(try stage.service.post("/v1/payouts", body).status == 201)
            #expect(try stage.service.post(path + "/suspend").status == 200)
            // What was drafted stays the answer to its reference.
            #expect(try stage.service.post("/v1/payouts", body).status == 200)
        }
    }

    @Test("a draft of somebody who was suspended since is not submitted, of somebody closed it is")
    func draftOfSuspended() throws {
        let (scene, draft) = try PayoutWayTests.draft()
        let service = scene.service
        defer { service.stop() }
        // With the provider before, and approved without a payout.
        try scene.sale(scene.ben, "c", 40_000)
        let under = try scene.payout(scene.ben, "under way")
        #expect(try service.post("/v1/payouts/\(under)/submit").status == 200)
        try scene.sale(scene.ben, "d", 30_000)
        for partner in [scene.ada, scene.ben] {
            let moved = try service.post("/v1/participants/\(partner.id)/suspend")
            #expect(moved.status == 200, "\(moved.text)")
        }
        let refused = try service.post("/v1/payouts/\(draft)/submit")
        #expect(refused.status == 409 && refused.code == "participant_not_approved")
        #expect(try service.get("/v1/payouts/\(draft)")["status"] == "draft")
        #expect(try service.post("/v1/payouts/\(under)/confirm")["status"] == "paid")
        #expect(try service.post("/v1/participants/\(scene.ada.id)/close").status == 200)
        #expect(try service.post("/v1/payouts/\(draft)/submit")["status"] == "processing")
        try PayoutWayTests.expectSound(service)
    }

    @Test("where it takes two, who caused a reward does not approve it, nor submits his own draft")
    func twoPeople() throws {
        let stage = try MoneyStage(threshold: 1)
        defer { stage.service.stop() }
        let program = "/v1/programs/\(stage.program)"
        let separate: JSONValue = ["approvals": ["separate": true]]
        #expect(try stage.service.send("PATCH", program, separate)["approvals.separate"] == true)
        let recorder = try Scene.key(stage.service, "write", "payouts")
        let other = try Scene.key(stage.service, "payouts")
        let sale: JSONValue = [
            "external_id": "o1", "lead_id": .string(try stage.lead()), "kind": "purchase",
            "amount": MoneyStage.usd(1_000),
        ]
        let recorded = try stage.service.post("/v1/conversions", sale, key: recorder.secret)
        let reward = try #require(recorded["rewards.0.id"]?.stringValue, "\(recorded.text)")
        let approve = "/v1/rewards/\(reward)/approve"
        // The first recorded the sale, the second made the rule.
        for key in [recorder.secret, "admin"] {
            let refused = try stage.service.post(approve, key: key)
            #expect(refused.status == 403 && refused.code == "separate_approval")
        }
        #expect(try stage.service.post(approve, key: other.secret)["status"] == "approved")
        let payout = try #require(try stage.draft("p1")["id"]?.stringValue)
        let refused = try stage.service.post("/v1/payouts/\(payout)/submit")
        #expect(refused.status == 403 && refused.code == "separate_submission")
        let submitted = try stage.service.post("/v1/payouts/\(payout)/submit", key: other.secret)
        #expect(submitted["status"] == "processing")
    }
}
