import Database
import Foundation
import JSON
import Testing

@testable import App

/// Changed rules tried out on what happened, and made the rule afterwards.
struct RehearsalTests {
    private static func rehearse(
        _ stage: CreditStage, _ change: JSONObject
    ) throws -> (id: String, answer: TestAnswer) {
        var body = change
        body["from"] = stage.ago(365)
        body["to"] = stage.ago(-1)
        let id = try stage.service.make(
            "/v1/programs/\(stage.program)/rehearsals", .object(body))
        let isDone = try eventually {
            try stage.service.get("/v1/rehearsals/\(id)")["status"] != "queued"
                && stage.service.get("/v1/rehearsals/\(id)")["status"] != "running"
        }
        #expect(isDone)
        return (id, try stage.service.get("/v1/rehearsals/\(id)"))
    }

    private static func line(_ answer: TestAnswer, _ participant: String?) -> JSONObject {
        let list = answer["result.participants"]?.arrayValue ?? []
        return list.first { $0.objectValue?["participant_id"]?.stringValue == participant }?
            .objectValue ?? [:]
    }

    private static func sums(_ value: JSONValue?) -> [Int64?] {
        ["actual", "rehearsed", "delta"].map { value?.objectValue?[$0]?.integerValue }
    }

    @Test("a changed model and rule are replayed without effect, and tell who gains and who loses")
    func replay() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        for number in 0..<3 {
            try stage.touch(stage.ada, 9, customer: "c\(number)")
            try stage.touch(stage.ben, 5, customer: "c\(number)")
            _ = try stage.sell("s-\(number)", 10_000, customer: "c\(number)")
        }
        _ = try stage.sell("s-none", 500, customer: "none")
        let rules = try stage.service.get("/v1/programs/\(stage.program)/reward_rules").ids
        let rewards = try stage.service.list("/v1/rewards?limit=100").count
        let (_, answer) = try Self.rehearse(
            stage,
            [
                "attribution": ["model": "first_touch"],
                "reward_rules": [
                    [
                        "rule_id": .string(rules[0]),
                        "rule": ["trigger": "conversion", "basis_points": 2_000],
                    ],
                    ["rule": ["trigger": "conversion", "amount": MoneyStage.usd(7)]],
                ],
            ])
        #expect(answer["status"] == "done", "\(answer.text)")
        #expect(answer["processed"] == 4)
        #expect(answer["result.conversions_changed"] == 3)
        #expect(Self.sums(answer["result.credit"]) == [30_500, 30_500, 0])
        #expect(Self.sums(answer["result.rewards"]) == [3_000, 6_021, 3_021])
        let ada = Self.line(answer, stage.ada)
        #expect(Self.sums(ada["credit"]) == [0, 30_000, 30_000])
        #expect(Self.sums(ada["rewards"]) == [0, 6_021, 6_021])
        #expect(Self.sums(Self.line(answer, stage.ben)["rewards"]) == [3_000, 0, -3_000])
        #expect(Self.sums(Self.line(answer, nil)["credit"]) == [500, 500, 0])
        // Nothing has happened.
        #expect(try stage.service.list("/v1/rewards?limit=100").count == rewards)
        #expect(
            try stage.service.get("/v1/programs/\(stage.program)")["attribution.model"]
                == "last_touch")
        try stage.expectSoundBooks()
    }

    @Test("the same rules rehearsed make no difference, whatever limits and budget withheld")
    func sameRules() throws {
        let limits: [JSONObject] = [
            ["reward_limits": ["participant_total": 800]],
            ["reward_limits": ["referee": 700]],
            ["budget": ["amount": 1_500, "beyond": "refuse"]],
            ["budget": ["amount": 1_500, "beyond": "queue"], "reward_limits": ["referee": 1_200]],
        ]
        for change in limits {
            let stage = try CreditStage(["model": "linear"])
            defer { stage.service.stop() }
            let path = "/v1/programs/\(stage.program)"
            #expect(try stage.service.send("PATCH", path, .object(change)).status == 200)
            try stage.touch(stage.ada, 9, customer: "c")
            try stage.touch(stage.ben, 5, customer: "c")
            for number in 0..<3 {
                _ = try stage.sell("s-\(number)", 10_000, customer: "c")
            }
            let granted = try stage.service.list("/v1/rewards?limit=100").compactMap {
                $0["amount"]?.objectValue?["amount"]?.integerValue
            }
            #expect(granted.reduce(0, +) < 3_000, "\(change)")
            let rules = try stage.service.get(path + "/reward_rules").ids
            let same: JSONValue = [
                "rule_id": .string(rules[0]),
                "rule": ["trigger": "conversion", "basis_points": 1_000],
            ]
            let (_, answer) = try Self.rehearse(stage, ["reward_rules": [same]])
            #expect(answer["result.limits_and_budget"] == "not_applied", "\(answer.text)")
            #expect(Self.sums(answer["result.rewards"]) == [3_000, 3_000, 0], "\(change)")
            for person in [stage.ada, stage.ben] {
                #expect(
                    Self.sums(Self.line(answer, person)["rewards"]) == [1_500, 1_500, 0],
                    "\(change)")
            }
        }
    }

    @Test("a wider window sees touches that were too early, and late touches too")
    func window() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 40)
        let sale = try stage.sell("s-1", 10_000).id()
        #expect(try stage.credits(sale) == [:])
        let (_, answer) = try Self.rehearse(stage, ["attribution": ["window_days": 60]])
        #expect(Self.sums(Self.line(answer, stage.ada)["rewards"]) == [0, 1_000, 1_000])
        #expect(Self.sums(Self.line(answer, nil)["credit"]) == [10_000, 0, -10_000])
    }

    @Test("what was rehearsed becomes the rule at its time, once, and changes no result")
    func activation() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 9)
        try stage.touch(stage.ben, 5)
        let before = try stage.sell("s-1").id()
        let (id, done) = try Self.rehearse(
            stage,
            [
                "attribution": ["model": "first_touch"],
                "reward_rules": [["rule": ["trigger": "lead.won", "amount": MoneyStage.usd(7)]]],
            ])
        #expect(done["status"] == "done")
        let path = "/v1/rehearsals/\(id)"
        let scheduled = try stage.service.post(path + "/activate", ["at": stage.ago(-10)])
        #expect(scheduled["status"] == "done", "\(scheduled.text)")
        #expect(scheduled["activate_at"]?.stringValue != nil)
        stage.service.clock.advance(days: 11)
        let isActive = try eventually { try stage.service.get(path)["status"] == "activated" }
        #expect(isActive)
        let program = try stage.service.get("/v1/programs/\(stage.program)")
        #expect(program["attribution.model"] == "first_touch")
        #expect(
            try stage.service.get("/v1/programs/\(stage.program)/reward_rules").ids.count == 2)
        #expect(try stage.credits(before) == [stage.ben: 100_000])
        #expect(try stage.credits(stage.sell("s-2").id()) == [stage.ada: 100_000])
        #expect(try stage.service.post(path + "/activate")["code"] == "invalid_transition")
        #expect(try stage.service.post(path + "/cancel")["code"] == "invalid_transition")
        #expect(try stage.service.list("/v1/events?type=rehearsal.activated").count == 1)
    }

    @Test(
        "a change is not activated over reward rules it was not rehearsed with, nor after the end")
    func overtaken() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let rules = "/v1/programs/\(stage.program)/reward_rules"
        let change: JSONObject = ["attribution": ["model": "linear"]]
        let (first, _) = try Self.rehearse(stage, change)
        let later = try Self.rehearse(stage, change).id
        let scheduled = try stage.service.post(
            "/v1/rehearsals/\(later)/activate", ["at": stage.ago(-1)])
        #expect(scheduled.status == 200, "\(scheduled.text)")
        _ = try stage.service.make(
            rules, ["trigger": "conversion", "kind": "cash", "basis_points": 50])
        let changed = try stage.service.post("/v1/rehearsals/\(first)/activate")
        #expect(changed.status == 409 && changed["code"] == "program_changed")
        stage.service.clock.advance(days: 2)
        let hasFailed = try eventually {
            try stage.service.get("/v1/rehearsals/\(later)")["status"] == "failed"
        }
        #expect(hasFailed)

        let (last, _) = try Self.rehearse(stage, change)
        #expect(try stage.service.post("/v1/programs/\(stage.program)/end").status == 200)
        let ended = try stage.service.post("/v1/rehearsals/\(last)/activate")
        #expect(ended.status == 409 && ended["code"] == "program_not_active", "\(ended.text)")
    }

    @Test("an activation that is yet to come can be taken back")
    func cancelling() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let (id, _) = try Self.rehearse(stage, ["attribution": ["model": "linear"]])
        #expect(
            try stage.service.post("/v1/rehearsals/\(id)/activate", ["at": stage.ago(-10)]).status
                == 200)
        #expect(try stage.service.post("/v1/rehearsals/\(id)/cancel")["status"] == "cancelled")
        stage.service.clock.advance(days: 11)
        var reader: Reader?
        while stage.service.service.jobs.runSlice(&reader) {}
        #expect(
            try stage.service.get("/v1/programs/\(stage.program)")["attribution.model"]
                == "last_touch")
    }

    @Test("a rehearsal of what is not possible is refused at once")
    func refusals() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        func refused(_ change: JSONObject) throws -> TestAnswer {
            var body = change
            body["from"] = body["from"] ?? stage.ago(9)
            body["to"] = stage.ago(1)
            return try stage.service.post(
                "/v1/programs/\(stage.program)/rehearsals", .object(body))
        }
        #expect(try refused([:])["code"] == "nothing_changed")
        #expect(try refused(["from": stage.ago(1), "attribution": [:]])["code"] == "no_time")
        #expect(
            try refused(["attribution": ["position": ["first": 90]]]).pointer
                == "/attribution/position")
        #expect(
            try refused([
                "reward_rules": [
                    ["rule_id": "rule_01h455vb4pex5vsknk084sn02q", "archive": true]
                ]
            ]).pointer == "/reward_rules/0/rule_id")
        let euro: JSONValue = ["amount": 7, "currency": "EUR"]
        #expect(
            try refused([
                "reward_rules": [["rule": ["trigger": "conversion", "amount": euro]]]
            ])["code"] == "currency_mismatch")
        #expect(try refused(["reward_rules": [[:]]]).pointer == "/reward_rules/0/rule")
        #expect(try stage.service.get("/v1/programs/\(stage.program)/rehearsals").ids.isEmpty)
    }
}
