import JSON
import Model
import Testing

@testable import App

/// A program's budget over the real server: reserved when granted, released when taken back.
struct BudgetTests {
    private func stage(_ beyond: String, holdDays: Int64 = 0) throws -> MoneyStage {
        let stage = try MoneyStage(holdDays: holdDays)
        let patch: JSONValue = ["budget": ["amount": 50_000, "beyond": .string(beyond)]]
        let answer = try stage.service.send("PATCH", "/v1/programs/\(stage.program)", patch)
        #expect(answer["budget.period"] == "quarter", "\(answer.text)")
        return stage
    }

    private func budget(_ stage: MoneyStage, at: Instant? = nil) throws -> TestAnswer {
        let query = at.map { "?at=\($0.rfc3339)" } ?? ""
        return try stage.service.get("/v1/programs/\(stage.program)/budget" + query)
    }

    private func quarter(_ stage: MoneyStage) -> CalendarPeriod {
        CalendarPeriod(.quarter, containing: stage.service.clock.clock.now(), in: .utc)
    }

    @Test("R173: a reward beyond the quarter's budget is refused, and told by an event")
    func refuse() throws {
        let stage = try stage("refuse")
        defer { stage.service.stop() }
        for number in 1...2 { _ = try stage.qualified("l\(number)") }
        let full = try budget(stage)
        #expect(full["period"] == .string(quarter(stage).name))
        #expect(full["reserved.amount"] == 40_000 && full["available.amount"] == 10_000)
        let third = try stage.lead("l3")
        #expect(try stage.service.post("/v1/leads/\(third)/qualify").status == 200)
        #expect(try stage.rewards("&lead_id=\(third)").isEmpty)
        let told = try stage.service.list("/v1/events?type=reward.withheld")
        #expect(told.map { $0["reason"] } == ["budget"])
        let basis = told.first?["data"]?.objectValue?["basis"]?.objectValue?["budget"]
        #expect(basis?.objectValue?["outcome"] == "refused")
        #expect(basis?.objectValue?["reserved"] == 40_000)
        // What is voided is free for the next.
        let first = try #require(try stage.rewards().last?["id"]?.stringValue)
        #expect(
            try stage.service.post("/v1/rewards/\(first)/void", ["reason": "r"]).status == 200)
        #expect(try budget(stage)["reserved.amount"] == 20_000)
        _ = try stage.qualified("l4")
        #expect(try budget(stage)["reserved.amount"] == 40_000)
        try stage.expectSoundBooks()
    }

    @Test("R173: what waits is set aside, and an expense once it is approved")
    func reserve() throws {
        let stage = try stage("refuse", holdDays: 10)
        defer { stage.service.stop() }
        func cost() throws -> [JSONValue?] {
            let budget = try budget(stage)
            return [budget["budget_reserve.amount"], budget["program_expense.amount"]]
        }
        #expect(try cost() == [0, 0])
        _ = try stage.qualified("l1")
        let second = try stage.qualified("l2").reward
        #expect(try cost() == [40_000, 0])
        let early = try stage.service.post("/v1/rewards/\(second)/approve")
        #expect(early.status == 200)
        #expect(try cost() == [20_000, 20_000])
        stage.service.clock.advance(days: 10)
        stage.runJobs()
        #expect(try cost() == [0, 40_000])
        #expect(
            try stage.service.post("/v1/rewards/\(second)/void", ["reason": "r"]).status == 200)
        #expect(try cost() == [0, 20_000])
        let accounts = try stage.service.list(
            "/v1/ledger/accounts?kind=budget_reserve&program_id=\(stage.program)")
        #expect(accounts.map { $0["balance"] } == [0])
        #expect(accounts.map { $0["participant_id"] } == [.null])
        try stage.expectSoundBooks()
    }

    @Test("R173: a reward beyond the budget goes to a person, with and without a hold")
    func review() throws {
        for holdDays in [0, 5] as [Int64] {
            let stage = try stage("review", holdDays: holdDays)
            defer { stage.service.stop() }
            for number in 1...3 { _ = try stage.qualified("l\(number)") }
            stage.service.clock.advance(days: holdDays)
            stage.runJobs()
            let states = try stage.rewards().map { $0["status"] }
            #expect(states == ["review", "approved", "approved"])
            let over = try budget(stage, at: stage.service.clock.clock.now())
            #expect(over["exceeded_by.amount"] == 10_000 || holdDays > 0, "\(over.text)")
            try stage.expectSoundBooks()
        }
    }

    @Test("R173: a queued reward counts to the next quarter with room, and is held until then")
    func queue() throws {
        let stage = try stage("queue")
        defer { stage.service.stop() }
        for number in 1...6 { _ = try stage.qualified("l\(number)") }
        let (now, next) = (quarter(stage), quarter(stage).next)
        let rewards = Array(try stage.rewards().reversed())
        #expect(
            rewards.map { $0["status"] }
                == ["approved", "approved", "pending", "pending", "pending", "pending"])
        #expect(rewards[2]["hold_until"] == .string(next.start.rfc3339))
        #expect(rewards[4]["hold_until"] == .string(next.next.start.rfc3339))
        #expect(try budget(stage, at: now.start)["reserved.amount"] == 40_000)
        #expect(try budget(stage, at: next.start)["reserved.amount"] == 40_000)
        let id = try #require(rewards[2]["id"]?.stringValue)
        let why = try stage.service.get("/v1/rewards/\(id)/explain")
        #expect(why["basis.budget.outcome"] == "queued")
        #expect(why["basis.budget.counts_to"] == .string(next.name))
        let forecast = try budget(stage)
        #expect(forecast["owed.due_now.amount.amount"] == 40_000)
        #expect(
            forecast["owed.on_hold.0.month"]
                == .string(CalendarPeriod(.month, containing: next.start, in: .utc).name))
        #expect(forecast["owed.on_hold.0.amount.amount"] == 40_000)
        #expect(forecast["owed.on_hold.1.total.amount"] == 120_000)
        try stage.expectSoundBooks()
    }

    @Test("R172, R173: a queued reward is held against the limits of the period it counts to")
    func limitsOfTheQueue() throws {
        let stage = try MoneyStage(rules: [
            [
                "trigger": "lead.qualified", "amount": MoneyStage.usd(900),
                "limits": ["participant_year": 1_500],
            ]
        ])
        defer { stage.service.stop() }
        let patch: JSONValue = [
            "budget": ["amount": 1_200, "beyond": "queue"],
            "reward_limits": ["participant_quarter": 1_000],
        ]
        let answer = try stage.service.send("PATCH", "/v1/programs/\(stage.program)", patch)
        #expect(answer.status == 200, "\(answer.text)")
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let first = try stage.service.make(
            "/v1/leads", ["participant_id": .string(ben), "email": "ben@buyer.example"])
        let leads = try [first] + ["a", "b", "c"].map { try stage.lead($0) }
        // The quarter has no room for a second 900; the next has, for what limits leave there.
        for lead in leads {
            #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        }
        let own = Array(
            try stage.rewards().reversed())
        #expect(
            own.map { $0["amount"]?.objectValue?["amount"] } == [900, 100])
        let why = try stage.service.get(
            "/v1/rewards/\(try #require(own.last?["id"]?.stringValue))/explain")
        #expect(why["basis.budget.counts_to"] == .string(quarter(stage).next.name))
        #expect(why["basis.arithmetic.limits.0.used"] == 900)
        #expect(why["basis.arithmetic.limits.1.cut"] == 500)
        let withheld = try stage.service.list("/v1/events?type=reward.withheld")
        #expect(withheld.map { $0["reason"] } == ["limit"])
        try stage.expectSoundBooks()
    }

    @Test("what is due now is neither with the provider nor owed back")
    func due() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        func owed() throws -> [JSONValue?] {
            let answer = try budget(stage)
            return ["due_now", "with_provider", "owed_back"].flatMap {
                [answer["owed.\($0).amount.amount"], answer["owed.\($0).count"]]
            }
        }
        let sale = try stage.sale("a", 100_000)
        #expect(try owed() == [10_000, 1, 0, 0, 0, 0])
        let payout = try stage.submitted("p1")
        #expect(try owed() == [0, 0, 10_000, 1, 0, 0])
        try stage.refund(sale.conversion, "a", 60_000)
        _ = try stage.sale("b", 50_000)
        #expect(try owed() == [0, 0, 10_000, 1, 6_000, 1])
        _ = try stage.sale("c", 30_000)
        #expect(try owed() == [2_000, 1, 10_000, 1, 6_000, 1])
        #expect(try stage.service.post("/v1/payouts/\(payout)/confirm").status == 200)
        #expect(try owed() == [2_000, 1, 0, 0, 6_000, 1])
        try stage.expectSoundBooks()
    }

    @Test("without a budget the sums are told all the same, and a refund makes them smaller")
    func unlimited() throws {
        let stage = try MoneyStage(holdDays: 30)
        defer { stage.service.stop() }
        let sale = try stage.sale("a", 100_000)
        try stage.refund(sale.conversion, "a", 25_000)
        let answer = try budget(stage)
        #expect(answer["amount"] == .null && answer["available"] == .null)
        #expect(answer["reserved.amount"] == 7_500)
        #expect(answer["owed.on_hold.0.amount.amount"] == 7_500)
        #expect(answer["owed.on_hold.0.count"] == 1)
    }
}
