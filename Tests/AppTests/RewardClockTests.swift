import Database
import JSON
import Model
import Testing

@testable import App

/// What is promised about rewards, and what happens when it is not kept.
struct RewardClockTests {
    private func overdueEvents(_ stage: MoneyStage) throws -> [JSONObject] {
        stage.runJobs()
        return try Scene.events(stage.service).filter { $0["type"] == "reward.overdue" }
    }

    @Test("a reward for a qualified lead that is not credited in time is told once, and listed")
    func credit() throws {
        let stage = try MoneyStage(threshold: 1)
        defer { stage.service.stop() }
        let reward = try stage.qualified().reward
        let overdue = "/v1/rewards/overdue"
        #expect(try stage.service.get(overdue)["data"] == [])
        stage.service.clock.advance(days: 4)
        #expect(try overdueEvents(stage).isEmpty)
        // Five business days are seven days at most.
        stage.service.clock.advance(days: 4)
        let told = try overdueEvents(stage)
        #expect(told.map { $0["reason"] } == ["credit"])
        stage.service.clock.advance(days: 30)
        #expect(try overdueEvents(stage).count == 1)
        let list = try stage.service.get(overdue)
        #expect(list["data.0.reward_id"] == .string(reward), "\(list.text)")
        #expect(try stage.service.get(overdue + "?promise=payment")["data"] == [])
        #expect(
            try stage.service.get("/metrics").text.contains(
                #"referrald_rewards_overdue{promise="credit"} 1"#))
        #expect(try stage.service.post("/v1/rewards/\(reward)/approve").status == 200)
        #expect(try stage.service.get(overdue)["data"] == [])
    }

    @Test("a reward for a sale is due after its hold, approved or not, until it is paid or void")
    func payment() throws {
        let stage = try MoneyStage(holdDays: 10)
        defer { stage.service.stop() }
        let late = try stage.sale("late", 100_000).reward
        let void = try stage.sale("void", 100_000).reward
        let early = try stage.sale("early", 100_000).reward
        for reward in [late, void, early] {
            #expect(try stage.service.post("/v1/rewards/\(reward)/approve").status == 200)
        }
        #expect(
            try stage.service.post("/v1/rewards/\(void)/void", ["reason": "no"]).status == 200)
        stage.service.clock.advance(days: 39)
        #expect(try overdueEvents(stage).isEmpty)
        stage.service.clock.advance(days: 2)
        #expect(try overdueEvents(stage).count == 2)
        #expect(try stage.service.list("/v1/rewards/overdue").count == 2)
        try stage.paid("p1")
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
        #expect(try stage.reward(late)["status"] == "paid")
        try stage.expectSoundBooks()
    }

    @Test("what cannot be paid is told apart from what the operator can clear, or is not late")
    func blocked() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        func gauge(_ name: String) throws -> Bool {
            try stage.service.get("/metrics").text.contains("referrald_rewards_overdue\(name)\n")
        }
        func blockedBy() throws -> [JSONValue?] {
            try stage.service.list("/v1/rewards/overdue").map { $0["blocked_by"] }
        }
        // All of it is taken back while the provider has it: nothing is left to pay.
        let refunded = try stage.sale("a", 100_000)
        let payout = try stage.submitted("p1")
        try stage.refund(refunded.conversion, "a")
        stage.service.clock.advance(days: 31)
        #expect(try overdueEvents(stage).isEmpty)
        #expect(try blockedBy() == [])
        #expect(try stage.service.post("/v1/payouts/\(payout)/confirm").status == 200)
        // What is due is less than what is owed.
        _ = try stage.sale("b", 50_000)
        stage.service.clock.advance(days: 31)
        let told = try overdueEvents(stage)
        #expect(told.map { $0["data"]?.objectValue?["blocked_by"] } == ["owes"])
        #expect(try blockedBy() == ["owes"])
        #expect(try gauge(#"{promise="payment"} 0"#))
        #expect(try gauge(#"_blocked{promise="payment",blocked_by="owes"} 1"#))
        // A further sale is more than that: both are for the operator to pay.
        _ = try stage.sale("c", 80_000)
        stage.service.clock.advance(days: 31)
        #expect(try blockedBy() == [.null, .null])
        #expect(try gauge(#"{promise="payment"} 2"#))
        let suspended = try stage.service.post(
            "/v1/participants/\(stage.participant)/suspend")
        #expect(suspended.status == 200, "\(suspended.text)")
        #expect(try blockedBy() == ["participant_not_approved", "participant_not_approved"])
        #expect(try gauge(#"{promise="payment"} 0"#))
        #expect(
            try gauge(#"_blocked{promise="payment",blocked_by="participant_not_approved"} 2"#))
    }

    @Test("what falls due while the service is stopped is told once, after however many starts")
    func stopped() throws {
        let first = try MoneyStage(threshold: 1)
        _ = try first.qualified()
        first.service.stop(keepingFiles: true)
        first.service.clock.advance(days: 90)
        for start in 1...3 {
            let service = try TestService(folder: first.service.folder, clock: first.service.clock)
            let stage = MoneyStage(first, reopenedBy: service)
            let isTold = try eventually { try overdueEvents(stage).count == 1 }
            #expect(isTold)
            stage.runJobs()
            #expect(try overdueEvents(stage).count == 1)
            service.stop(keepingFiles: start < 3)
        }
    }

    @Test("a program's holidays move what is due; a date that does not exist is refused")
    func holidays() throws {
        let stage = try MoneyStage(threshold: 1)
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        let today = stage.service.clock.clock.now()
        let free = (1...10).map { days in
            JSONValue.string(String(today.advanced(byDays: days).rfc3339.prefix(10)))
        }
        let wrong: JSONValue = ["service_levels": ["holidays": ["2027-02-29"]]]
        #expect(try stage.service.send("PATCH", path, wrong).status == 400)
        let terms: JSONValue = ["service_levels": ["holidays": .array(free), "weekend_days": []]]
        #expect(try stage.service.send("PATCH", path, terms).status == 200)
        _ = try stage.qualified()
        stage.service.clock.advance(days: 14)
        #expect(try overdueEvents(stage).isEmpty)
        stage.service.clock.advance(days: 2)
        #expect(try overdueEvents(stage).count == 1)
    }

    @Test("a reward that is credited at once or in time is never late")
    func kept() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        _ = try stage.qualified()
        _ = try stage.sale("s", 100_000)
        try stage.paid("p1")
        stage.service.clock.advance(days: 400)
        #expect(try overdueEvents(stage).isEmpty)
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
    }
}
