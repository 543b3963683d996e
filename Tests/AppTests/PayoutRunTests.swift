import Database
import Foundation
import JSON
import Model
import Testing

@testable import App

/// Payout runs over the real server: by a call, by the schedule, across restarts, and as a file.
struct PayoutRunTests {
    /// A program in a currency that pays a tenth in cash and a fixed account credit, and `count`
    /// participants.
    struct Stage {
        let service: TestService
        let program: String
        let currency: String
        let people: [String]

        init(
            currency: String = "USD", people count: Int, payouts: JSONValue = [:],
            names: [String] = []
        ) throws {
            let service = try TestService()
            self.service = service
            self.currency = currency
            let program = try service.make(
                "/v1/programs",
                [
                    "name": "Partners", "currency": .string(currency), "hold_days": 0,
                    "approval_threshold": .null, "payouts": payouts,
                ])
            self.program = program
            try service.post("/v1/programs/\(program)/activate")
            for rule in [
                ["trigger": "conversion", "kind": "cash", "basis_points": 1_000],
                [
                    "trigger": "conversion", "kind": "account_credit",
                    "conversion_kinds": ["signup"],
                    "amount": ["amount": 700, "currency": .string(currency)],
                ],
            ] as [JSONValue] {
                _ = try service.make("/v1/programs/\(program)/reward_rules", rule)
            }
            people = try (0..<count).map { place in
                try service.make(
                    "/v1/participants",
                    [
                        "program_id": .string(program), "status": "approved",
                        "external_id": .string("crm-\(place)"),
                        "name": .string(names.indices.contains(place) ? names[place] : "N\(place)"),
                        "email": .string("p\(place)@partner.example"),
                    ])
            }
        }

        @discardableResult
        func sale(_ person: Int, _ id: String, _ amount: Int64, kind: String = "purchase") throws
            -> TestAnswer
        {
            let lead = try service.make(
                "/v1/leads",
                [
                    "participant_id": .string(people[person]),
                    "email": .string("\(id)@buyer.example"),
                ])
            let answer = try service.post(
                "/v1/conversions",
                [
                    "external_id": .string(id), "lead_id": .string(lead), "kind": .string(kind),
                    "amount": ["amount": .integer(amount), "currency": .string(currency)],
                ])
            #expect(answer.status == 201, "\(answer.text)")
            return answer
        }

        func start(_ reference: String, kind: String? = nil) throws -> TestAnswer {
            var body: JSONObject = ["reference": .string(reference)]
            if let kind { body["kind"] = .string(kind) }
            return try service.post("/v1/programs/\(program)/payout_runs", .object(body))
        }

        /// The run once it is done; the service's own runner or this does it.
        func finished(_ reference: String, kind: String? = nil) throws -> TestAnswer {
            let id = try start(reference, kind: kind).id()
            PayoutRunTests.runJobs(service)
            let run = try service.get("/v1/payout_runs/\(id)")
            #expect(run["status"] == "done")
            return run
        }

        func payouts(of run: TestAnswer) throws -> [JSONObject] {
            try service.list("/v1/payouts?limit=100&payout_run_id=\(run.id())").reversed()
        }
    }

    static func runJobs(_ service: TestService) {
        var reader: Reader?
        while service.service.jobs.runSlice(&reader) {}
    }

    // MARK: - Kinds

    @Test("account credit goes out as an event and is confirmed by billing, never with cash")
    func accountCredit() throws {
        let stage = try Stage(people: 1)
        defer { stage.service.stop() }
        try stage.sale(0, "a", 10_000, kind: "signup")
        let ada = JSONValue.string(stage.people[0])
        let cash = try stage.service.post(
            "/v1/payouts", ["participant_id": ada, "reference": "cash"])
        #expect(cash["kind"] == "cash" && cash["amount.amount"] == 1_000)
        let credit = try stage.service.post(
            "/v1/payouts",
            ["participant_id": ada, "reference": "credit", "kind": "account_credit"])
        #expect(credit["kind"] == "account_credit" && credit["amount.amount"] == 700)
        let other = try stage.service.post(
            "/v1/payouts", ["participant_id": ada, "reference": "credit", "kind": "cash"])
        #expect(other.code == "reference_taken" && other.pointer == "/kind")

        let id = try credit.id()
        try stage.service.post("/v1/payouts/\(id)/submit")
        let event = try #require(
            try Scene.events(stage.service).last { $0["type"] == "payout.processing" })
        #expect(event["subject_id"] == .string(id))
        let data = event["data"]?.objectValue
        #expect(data?["kind"] == "account_credit" && data?["amount"] == 700)
        #expect(data?["currency"] == "USD")
        let paid = try stage.service.post("/v1/payouts/\(id)/confirm")
        #expect(paid["status"] == "paid")
        #expect(
            try PayoutWayTests.balance(stage.service, stage.people[0])
                == ["available": 1_000, "paid": 700])
        try PayoutWayTests.expectSound(stage.service)
    }

    @Test("a run skips who is suspended and says why, and pays who is closed what it had earned")
    func skipping() throws {
        let stage = try Stage(people: 3)
        defer { stage.service.stop() }
        for person in 0..<3 { try stage.sale(person, "s\(person)", 10_000) }
        for (person, action) in [(0, "suspend"), (1, "close")] {
            let answer = try stage.service.post(
                "/v1/participants/\(stage.people[person])/\(action)")
            #expect(answer.status == 200)
        }
        let run = try stage.finished("first")
        #expect(run["examined"] == 3 && run["skipped"] == 1)
        let paid = try stage.payouts(of: run).map { $0["participant_id"]?.stringValue }
        #expect(paid == [stage.people[1], stage.people[2]])
        let events = try stage.service.list("/v1/events?type=payout_run.skipped")
        #expect(events.count == 1 && events[0]["reason"] == "participant_suspended")
        #expect(events[0]["participant_id"] == .string(stage.people[0]))
        // Its rewards have waited.
        let approve = "/v1/participants/\(stage.people[0])/approve"
        #expect(try stage.service.post(approve).status == 200)
        #expect(try stage.payouts(of: stage.finished("second")).count == 1)
        try PayoutWayTests.expectSound(stage.service)
    }

    // MARK: - Terms

    @Test("a draft below the minimum is refused with both amounts, unless it is overridden")
    func minimum() throws {
        let stage = try Stage(currency: "JPY", people: 1, payouts: ["minimum": 5_000])
        defer { stage.service.stop() }
        try stage.sale(0, "a", 49_990)
        let ada = JSONValue.string(stage.people[0])
        let refused = try stage.service.post(
            "/v1/payouts", ["participant_id": ada, "reference": "p"])
        #expect(refused.status == 409 && refused.code == "below_minimum")
        #expect(refused["amount"] == 4_999 && refused["minimum"] == 5_000)
        let paid = try stage.service.post(
            "/v1/payouts",
            ["participant_id": ada, "reference": "p", "override_minimum": true])
        #expect(paid.status == 201 && paid["amount.amount"] == 4_999)
        let key = try Scene.key(stage.service, "write").secret
        let forbidden = try stage.service.post(
            "/v1/payouts",
            ["participant_id": ada, "reference": "q", "override_minimum": true], key: key)
        #expect(forbidden.status == 403)
    }

    @Test("terms of payouts are checked, kept and shown whole")
    func terms() throws {
        let stage = try Stage(people: 0)
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        func change(_ payouts: JSONValue) throws -> TestAnswer {
            try stage.service.send("PATCH", path, ["payouts": payouts])
        }
        let whole = try change(["minimum": 100, "schedule": ["every": "weekly", "day": 7]])
        #expect(
            whole["payouts"] == [
                "minimum": 100, "review_days": 0, "schedule": ["every": "weekly", "day": 7],
            ])
        let bad = try change(["schedule": ["day": 8]])
        #expect(bad.status == 422 && bad.pointer == "/payouts/schedule/day")
        #expect(try change(["minimum": -1]).pointer == "/payouts/minimum")
        #expect(try change(["schedule": ["every": "monthly"]]).status == 200)
        #expect(try change(.null)["payouts.schedule.every"] == "none")
    }

    @Test("a run's draft is refused before the end of its review, naming the time, not after")
    func review() throws {
        let stage = try Stage(people: 1, payouts: ["review_days": 2])
        defer { stage.service.stop() }
        try stage.sale(0, "a", 10_000)
        let run = try stage.finished("november")
        #expect(run["review_days"] == 2)
        let draft = try #require(try stage.payouts(of: run).first)
        let id = try #require(draft["id"]?.stringValue)
        let early = try stage.service.post("/v1/payouts/\(id)/submit")
        #expect(early.status == 409 && early.code == "in_review")
        #expect(early["submit_from"] == draft["submit_from"])
        stage.service.clock.advance(days: 2)
        #expect(try stage.service.post("/v1/payouts/\(id)/submit")["status"] == "processing")
    }

    // MARK: - Runs

    @Test("a run drafts for everybody once, and its reference gives the same run for good")
    func run() throws {
        let stage = try Stage(people: 25, payouts: ["minimum": 1_000])
        defer { stage.service.stop() }
        for person in 0..<25 { try stage.sale(person, "s\(person)", person < 5 ? 9_990 : 20_000) }
        let run = try stage.finished("november")
        #expect(run["examined"] == 25 && run["waiting"] == 5 && run["failed"] == 0)
        #expect(run["payout_count"] == 20 && run["amount.amount"] == 40_000)
        #expect(run["period"] == .null && run["minimum.amount"] == 1_000)
        let again = try stage.start("november")
        #expect(again.status == 200)
        #expect(try again.id() == run.id())
        let other = try stage.start("november", kind: "account_credit")
        #expect(other.status == 409 && other.code == "reference_taken")
        let second = try stage.finished("december")
        #expect(second["payout_count"] == 0 && second["waiting"] == 5)

        let drafts = try stage.payouts(of: run)
        #expect(Set(drafts.compactMap { $0["participant_id"]?.stringValue }).count == 20)
        let first = try #require(drafts.first?["id"]?.stringValue)
        try stage.service.post("/v1/payouts/\(first)/submit")
        try stage.service.post(
            "/v1/payouts/\(first)/confirm",
            ["paid_amount": ["amount": 1_500, "currency": "USD"]])
        let last = try #require(drafts.last?["id"]?.stringValue)
        try stage.service.post("/v1/payouts/\(last)/cancel")
        let later = try stage.service.get("/v1/payout_runs/\(run.id())")
        #expect(later["amount.amount"] == 38_000 && later["paid_amount.amount"] == 1_500)
        let statuses = later["by_status"]?.arrayValue?.compactMap {
            $0.objectValue?["status"]?.stringValue
        }
        #expect(statuses == ["draft", "partially_paid", "cancelled"])
        let listed = try stage.service.list("/v1/payout_runs?program_id=\(stage.program)")
        #expect(listed.map { $0["reference"] } == ["december", "november"])
        try PayoutWayTests.expectSound(stage.service)
    }

    @Test("a run that was stopped goes on after a restart, and nobody gets two drafts")
    func restart() throws {
        let stage = try Stage(people: 50)
        for person in 0..<50 { try stage.sale(person, "s\(person)", 10_000) }
        let run = try stage.start("november").id()
        var reader: Reader?
        _ = stage.service.service.jobs.runSlice(&reader)
        reader = nil
        stage.service.stop(keepingFiles: true)
        let again = try TestService(folder: stage.service.folder, clock: stage.service.clock)
        defer { again.stop() }
        Self.runJobs(again)
        let done = try again.get("/v1/payout_runs/\(run)")
        #expect(done["status"] == "done" && done["payout_count"] == 50)
        let payouts = try again.list("/v1/payouts?limit=100")
        #expect(Set(payouts.compactMap { $0["participant_id"]?.stringValue }).count == 50)
        #expect(payouts.count == 50)
        try PayoutWayTests.expectSound(again)
    }

    // MARK: - Schedule

    /// To the coming midnight in UTC, and a little further.
    private static func pass(days: Int64, _ clock: TestClock) {
        let day = clock.clock.now().day + days
        let due = Instant.startOfDay(day).milliseconds + 5_000
        clock.advance(seconds: (due - clock.clock.now().milliseconds) / 1_000)
    }

    private static func weekday(_ clock: TestClock) -> Int64 { (clock.clock.now().day + 3) % 7 + 1 }

    @Test("the schedule makes one run a period, also when the service was stopped over its time")
    func schedule() throws {
        let stage = try Stage(people: 1)
        let clock = stage.service.clock
        let tomorrow = Self.weekday(clock) % 7 + 1
        try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)",
            ["payouts": ["schedule": ["every": "weekly", "day": .integer(tomorrow)]]])
        try stage.sale(0, "a", 10_000)
        Self.runJobs(stage.service)
        #expect(try stage.service.list("/v1/payout_runs").isEmpty)
        stage.service.stop(keepingFiles: true)

        Self.pass(days: 1, clock)
        let first = CivilDay.text(clock.clock.now().day)
        clock.advance(days: 3)
        let second = try TestService(folder: stage.service.folder, clock: clock)
        Self.runJobs(second)
        let runs = try second.list("/v1/payout_runs")
        #expect(runs.map { $0["period"] } == [.string(first)])
        #expect(runs.map { $0["payout_count"] } == [1])
        #expect(runs.map { $0["kind"] } == ["cash"])
        Self.runJobs(second)
        second.stop(keepingFiles: true)

        // Two periods pass: each has its run, and money is in the first of them alone.
        clock.advance(days: 14)
        let third = try TestService(folder: stage.service.folder, clock: clock)
        defer { third.stop() }
        Self.runJobs(third)
        let later = try third.list("/v1/payout_runs")
        #expect(later.count == 3)
        #expect(later.map { $0["payout_count"] } == [0, 0, 1])
        #expect(Set(later.compactMap { $0["period"]?.stringValue }).count == 3)
    }

    @Test("a change of the schedule loses no period that is due, and one to none ends it")
    func changedSchedule() throws {
        let stage = try Stage(people: 1)
        defer { stage.service.stop() }
        let clock = stage.service.clock
        func set(_ schedule: JSONValue) throws {
            let answer = try stage.service.send(
                "PATCH", "/v1/programs/\(stage.program)", ["payouts": ["schedule": schedule]])
            #expect(answer.status == 200)
        }
        let tomorrow = Self.weekday(clock) % 7 + 1
        try set(["every": "weekly", "day": .integer(tomorrow)])
        Self.pass(days: 1, clock)
        try set(["every": "weekly", "day": .integer(tomorrow % 7 + 1)])
        Self.runJobs(stage.service)
        #expect(try stage.service.list("/v1/payout_runs").count == 1)
        Self.pass(days: 1, clock)
        Self.runJobs(stage.service)
        #expect(try stage.service.list("/v1/payout_runs").count == 2)
        try set(["every": "none"])
        clock.advance(days: 40)
        Self.runJobs(stage.service)
        #expect(try stage.service.list("/v1/payout_runs").count == 2)
    }

    // MARK: - Export

    @Test(
        "a run's file has exact amounts with the currency's decimals, and no formula",
        arguments: [("USD", "10.00"), ("JPY", "1000"), ("KWD", "1.000")])
    func export(currency: String, decimal: String) throws {
        let stage = try Stage(
            currency: currency, people: 2, names: ["=cmd|' /C calc'!A0", "Ödön \"Ö\", Szőke"])
        defer { stage.service.stop() }
        for person in 0..<2 { try stage.sale(person, "s\(person)", 10_000) }
        let run = try stage.finished("november")
        let answer = try stage.service.get("/v1/payout_runs/\(run.id())/payouts.csv")
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "text/csv; charset=utf-8; header=present")
        let rows = answer.text.components(separatedBy: "\r\n")
        #expect(rows.count == 4 && rows[3].isEmpty)
        #expect(rows[0] == PayoutWire.columns.joined(separator: ","))
        let first = try #require(rows.first { $0.contains(",crm-0,") })
        let second = try #require(rows.first { $0.contains(",crm-1,") })
        #expect(first.contains(",'=cmd|' /C calc'!A0,crm-0,\(currency),1000,\(decimal),"))
        #expect(first.contains(",p0@partner.example,cash,1000,0,0,"))
        #expect(second.contains(",\"Ödön \"\"Ö\"\", Szőke\",crm-1,\(currency),"))
        let none = try stage.service.get("/v1/payout_runs/\(run.id())/payouts.csv?status=paid")
        #expect(none.text == rows[0] + "\r\n")
    }
}
