import Database
import JSON
import Testing

@testable import App

/// Who may refer, asked again when something is earned (R2 to R4, R163), and told to whoever reads
/// the participant.
struct EligibilityAtGrantTests {
    private func flags(_ answer: TestAnswer) -> [String] {
        answer["rewards.0.flags"]?.arrayValue?.compactMap {
            $0.objectValue?["code"]?.stringValue
        } ?? []
    }

    @Test(
        "who may not refer earns by link into review, with the rule that is broken",
        arguments: [
            ("customer", ["plan": "trial"], "plan"),
            ("customer", ["in_collections": true], "in_collections"),
            ("customer", ["good_standing": false], "good_standing"),
            ("customer", ["account_since": "@3"], "account_age"),
            ("customer", ["account_since": "@100"], nil),
            ("partner", ["plan": "trial"], nil),
            ("employee", ["account_since": "@3"], nil),
            ("partner", ["at_risk": true], "at_risk"),
        ] as [(String, JSONObject, String?)])
    func sale(kind: String, facts: JSONObject, rule: String?) throws {
        let stage = try CreditStage(kind: kind)
        defer { stage.service.stop() }
        var facts = facts
        if let days = facts["account_since"]?.stringValue?.dropFirst() {
            facts["account_since"] = stage.ago(try #require(Double(days)))
        }
        let path = "/v1/participants/\(stage.ada)"
        let changed = try stage.service.send("PATCH", path, .object(facts))
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed["may_refer"] == .bool(rule == nil))
        #expect(changed["because"] == (rule.map { .string($0) } ?? .null))
        let sale = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        #expect(sale["rewards.0.amount.amount"] == 10_000)
        #expect(sale["rewards.0.status"] == (rule == nil ? "approved" : "review"))
        #expect(flags(sale) == (rule == nil ? [] : ["not_eligible"]))
        guard let rule else { return }
        #expect(sale["rewards.0.flags.0.evidence.rule"] == .string(rule))
        // A person may still say yes.
        let id = try #require(sale["rewards.0.id"]?.stringValue)
        #expect(try stage.service.post("/v1/rewards/\(id)/approve")["status"] == "approved")
    }

    @Test("a lead whose referrer has come into collections since earns into review")
    func lead() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        let path = "/v1/participants/\(stage.participant)"
        #expect(try stage.service.send("PATCH", path, ["in_collections": true]).status == 200)
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        let reward = try #require(try stage.rewards().first)
        #expect(reward["status"] == "review")
        let flag = try #require(reward["flags"]?.arrayValue?.first?.objectValue)
        #expect(flag["code"] == "not_eligible")
        #expect(flag["evidence"]?.objectValue?["rule"] == "in_collections")
    }

    @Test("the age of an account is that at the sale's own time")
    func lateNotice() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.service.send(
            "PATCH", "/v1/participants/\(stage.ada)", ["account_since": stage.ago(100)])
        try stage.touch(stage.ada, 25)
        let then = try stage.sell("s1", customer: "c1", ["occurred_at": stage.ago(20)])
        #expect(flags(then) == ["not_eligible"])
        #expect(flags(try stage.sell("s2", customer: "c1")) == [])
    }

    @Test("a token reads what it can know of itself, and operator_decision for all else")
    func told() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let token = try Scene.token(stage.service, of: stage.ada)
        let path = "/v1/participants/\(stage.ada)"
        func because(_ facts: JSONObject) throws -> [JSONValue?] {
            let cleared: JSONObject = ["plan": nil, "at_risk": nil, "good_standing": nil]
            var facts = facts
            for (name, value) in cleared where facts[name] == nil { facts[name] = value }
            #expect(try stage.service.send("PATCH", path, .object(facts)).status == 200)
            let own = try stage.service.get(path, key: token)
            #expect(own["may_refer"] == .bool(own["because"] == .null))
            return [try stage.service.get(path)["because"], own["because"]]
        }
        #expect(try because([:]) == [.null, .null])
        #expect(try because(["plan": "trial"]) == ["plan", "plan"])
        #expect(try because(["at_risk": true]) == ["at_risk", "operator_decision"])
        #expect(
            try because(["good_standing": false, "plan": "trial"])
                == ["good_standing", "operator_decision"])
        #expect(try stage.service.post(path + "/suspend")["because"] == "not_approved")
        #expect(try stage.service.get(path, key: token)["because"] == "not_approved")
        let listed = try stage.service.list("/v1/participants?program_id=\(stage.program)")
        #expect(
            listed.map { $0["may_refer"] } == [.bool(true), .bool(true), .bool(false)])
    }

    @Test("a reached limit is a reason that the participant may know, until its period ends")
    func limit() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        let limits: JSONValue = ["reward_limits": ["participant_month": 10_000]]
        #expect(try stage.service.send("PATCH", path, limits).status == 200)
        let token = try Scene.token(stage.service, of: stage.ada)
        let own = "/v1/participants/\(stage.ada)"
        #expect(try stage.service.get(own, key: token)["may_refer"] == true)
        _ = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        #expect(try stage.service.get(own, key: token)["because"] == "limit_reached")
        stage.service.clock.advance(days: 40)
        #expect(try stage.service.get(own)["may_refer"] == true)
    }

    @Test("defaults about age and plan are those of customer programs alone, and shown")
    func defaults() throws {
        let service = try TestService()
        defer { service.stop() }
        for (kind, days, plans) in [
            ("customer", 90, ["trial"]), ("partner", 0, []), ("employee", 0, []),
        ] as [(String, Int64, [JSONValue])] {
            let made = try service.post(
                "/v1/programs",
                ["name": "P", "kind": .string(kind), "currency": "USD", "eligibility": [:]])
            #expect(made["eligibility.min_account_days"] == .integer(days))
            #expect(made["eligibility.excluded_plans"] == .array(plans))
            let id = try made.id()
            let said = try service.send(
                "PATCH", "/v1/programs/\(id)", ["eligibility": ["min_account_days": 7]])
            #expect(said["eligibility.min_account_days"] == 7)
            #expect(said["eligibility.excluded_plans"] == .array(plans))
        }
    }

    @Test("a paused program grants into review, and resuming leaves it there as a queue")
    func paused() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        #expect(try stage.service.post(path + "/pause").status == 200)
        let sale = try stage.sell("s1", customer: "c1", ["ref": "code-ada"])
        #expect(flags(sale) == ["program_paused"])
        #expect(sale["rewards.0.status"] == "review")
        #expect(try stage.service.post(path + "/activate").status == 200)
        stage.service.clock.advance(days: 60)
        var reader: Reader?
        while stage.service.service.jobs.runSlice(&reader) {}
        let queue = try stage.service.list("/v1/rewards?status=review")
        #expect(queue.map { $0["id"] } == [sale["rewards.0.id"]])
        #expect(flags(try stage.sell("s2", customer: "c2", ["ref": "code-ada"])) == [])
    }

    /// A browser follows the participant's link, and the customer is found to be behind it.
    private func click(_ stage: CreditStage, _ name: String, _ customer: String) throws {
        let answer = try stage.service.raw(
            "GET", "/r/code-\(name)",
            headers: [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) \(customer)")])
        let location = try #require(answer.header("location"))
        let click = try #require(location.firstMatch(of: /click_[0-9a-z]{26}/)).output
        _ = try stage.service.make(
            "/v1/touchpoints",
            [
                "click_id": .string(String(click)), "source": "partner",
                "customer": ["external_id": .string(customer)],
            ])
    }

    @Test("a code whose sales keep following others' clicks earns into review from the tenth on")
    func codePoaching() throws {
        let stage = try CreditStage(["codes": "first"], kind: "partner")
        defer { stage.service.stop() }
        for number in 1...12 {
            let customer = "c\(number)"
            // The third and the fifth came by the code alone.
            if number != 3, number != 5 {
                try click(stage, "ben", customer)
            }
            let sale = try stage.sell(
                "s\(number)", customer: customer, ["code": "code-ada"])
            #expect(sale["attribution.credits.0.participant_id"] == .string(stage.ada))
            #expect(flags(sale) == (number < 12 ? [] : ["code_poaching"]), "sale \(number)")
        }
        // Another's code is not meant.
        try click(stage, "ada", "d1")
        let other = try stage.sell("d1", customer: "d1", ["code": "code-ben"])
        #expect(flags(other) == [])
        try stage.expectSoundBooks()
    }
}
