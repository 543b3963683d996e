import Foundation
import JSON
import Model
import Testing

@testable import App
@testable import Database

/// `/v1/reports/time_to_reward` and the target behind it, over the real server.
struct TimeToRewardTests {
    private static let path = "/v1/reports/time_to_reward?program_id="

    private func report(_ stage: MoneyStage, _ query: String = "") throws -> TestAnswer {
        let answer = try stage.service.get(Self.path + stage.program + query)
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    /// The hours of these figures, in which the seconds that a test takes are lost.
    private func hours(_ answer: TestAnswer, _ names: [String]) -> [Int64?] {
        names.map { answer[$0]?.integerValue.map { $0 / 3_600 } }
    }

    /// The name and count of each group, in order.
    private func groups(_ stage: MoneyStage, by: String) throws -> [String] {
        let groups = try report(stage, "&by=" + by)["groups"]?.arrayValue ?? []
        return try groups.map { item in
            let group = try #require(item.objectValue)
            let key = try #require(group["key"]?.stringValue)
            let count = try #require(group["count"]?.integerValue)
            return "\(key): \(count)"
        }
    }

    private func told(_ stage: MoneyStage) throws -> Int {
        stage.runJobs()
        return try Scene.events(stage.service).count { $0["type"] == "reward.target_missed" }
    }

    private func set(_ terms: JSONValue, _ stage: MoneyStage) throws -> TestAnswer {
        try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)", ["service_levels": terms])
    }

    /// Without a hold, and every day is a business day. Three rewards are paid, for referrals of
    /// the same moment: the first after 3 days, one of them for the payment; the second, of a sale
    /// on day 3, after 9; the third, of a step on day 9, after 40.
    private func history() throws -> MoneyStage {
        let stage = try MoneyStage()
        #expect(try set(["weekend_days": []], stage).status == 200)
        let leads = try ["first", "second", "third"].map { try stage.lead($0) }
        stage.service.clock.advance(days: 2)
        #expect(try stage.service.post("/v1/leads/\(leads[0])/qualify").status == 200)
        stage.service.clock.advance(days: 1)
        try stage.paid("p1")
        let sale: JSONValue = [
            "external_id": "order-second", "lead_id": .string(leads[1]), "kind": "purchase",
            "amount": MoneyStage.usd(100_000),
        ]
        #expect(try stage.service.post("/v1/conversions", sale).status == 201)
        stage.service.clock.advance(days: 6)
        try stage.paid("p2")
        #expect(try stage.service.post("/v1/leads/\(leads[2])/qualify").status == 200)
        stage.service.clock.advance(days: 31)
        try stage.paid("p3")
        return stage
    }

    @Test("R273: time to reward is from referral to payout, with a target under 7 days")
    func figures() throws {
        let stage = try history()
        defer { stage.service.stop() }
        let answer = try report(stage)
        #expect(answer["total.count"] == 3)
        // Days 3, 9 and 40.
        #expect(
            hours(answer, ["median", "p90", "mean", "max"].map { "total.\($0)_seconds" })
                == [216, 960, 416, 960])
        #expect(answer["total.within_target_basis_points"] == 3_333)
        // From what earned them 1, 6 and 31 days.
        #expect(answer["total.within_business_days_basis_points"] == 3_333)
        #expect(answer["total.within_pay_days_basis_points"] == 6_666)
        // The steps of leads were credited at once; the sale was paid within 30 days.
        #expect(answer["total.as_promised_basis_points"] == 10_000)
        #expect(
            hours(
                answer,
                ["referral_to_event", "event_to_approval", "approval_to_payment"].map {
                    "total.parts.\($0).median_seconds"
                }) == [72, 0, 144])
        #expect(answer["target.days"] == 7 && answer["target.verdict"] == "above")
        #expect(answer["target.in_reach"] == true)
        #expect(answer["waiting.count"] == 0 && answer["waiting.oldest_seconds"] == .null)
        #expect(answer["groups.0.key"] == "lead.qualified" && answer["groups.0.count"] == 2)
        #expect(
            hours(answer, ["groups.0.median_seconds", "groups.1.median_seconds"]) == [72, 216])
        #expect(answer["groups.1.within_target_basis_points"] == 0)
        let named = try #require(answer["formulas"]?.objectValue)
        #expect(named["count"] != nil && named["referral"] != nil)
    }

    @Test(
        "times to reward are told by kind, kind of referrer and month of the payment, in its days")
    func groups() throws {
        let stage = try history()
        defer { stage.service.stop() }
        #expect(try groups(stage, by: "kind") == ["cash: 3"])
        let kind = try stage.service.get("/v1/participants/\(stage.participant)")["kind"]
        let referrer = try #require(kind?.stringValue)
        #expect(try groups(stage, by: "referrer_kind") == ["\(referrer): 3"])
        // The last payment is today's, the others are 31 and 37 days before it.
        let today = stage.service.clock.clock.now()
        let paid = [-37, -31, 0].map {
            CalendarPeriod(.month, containing: today.advanced(byDays: $0), in: .utc).name
        }
        let months = Set(paid).sorted().map { month in
            "\(month): \(paid.count { $0 == month })"
        }
        #expect(try groups(stage, by: "month") == months)
        let before = CivilDay.text(today.day - 1)
        #expect(try report(stage, "&to=\(before)")["total.count"] == 2)
        #expect(try report(stage, "&from=\(CivilDay.text(today.day))")["total.count"] == 1)
        let none = try report(stage, "&to=2020-01-01")
        #expect(none["total.median_seconds"] == .null && none["target.verdict"] == .null)
        #expect(none["total.within_target_basis_points"] == .null && none["groups"] == [])
        let wrong = try stage.service.get(
            Self.path + stage.program + "&from=\(CivilDay.text(today.day))&to=\(before)")
        #expect(wrong.status == 422 && wrong.code == "no_days")
    }

    @Test("what waits is told with its age; what is void was never earned")
    func waiting() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let late = try stage.sale("late", 100_000).reward
        let void = try stage.sale("void", 100_000).reward
        stage.service.clock.advance(days: 8)
        _ = try stage.sale("fresh", 100_000)
        #expect(try report(stage)["waiting.count"] == 3)
        let reason: JSONValue = ["reason": "no"]
        #expect(try stage.service.post("/v1/rewards/\(void)/void", reason).status == 200)
        let answer = try report(stage)
        #expect(answer["waiting.count"] == 2 && answer["waiting.beyond_target"] == 1)
        #expect(hours(answer, ["waiting.oldest_seconds"]) == [192])
        #expect(answer["total.count"] == 0)
        try stage.paid("p1")
        #expect(try report(stage)["waiting.count"] == 0)
        #expect(try stage.reward(late)["status"] == "paid")
        #expect(try report(stage)["total.count"] == 2)
    }

    @Test("a missed target is told once, listed when asked for, and counted in the metrics")
    func target() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let sale = try stage.sale("s", 100_000)
        stage.service.clock.advance(days: 6)
        #expect(try told(stage) == 0)
        stage.service.clock.advance(days: 2)
        #expect(try told(stage) == 1)
        stage.service.clock.advance(days: 1)
        #expect(try told(stage) == 1)
        let list = try stage.service.get("/v1/rewards/overdue?promise=target")
        #expect(list["data.0.reward_id"] == .string(sale.reward), "\(list.text)")
        #expect(list["data.0.promise"] == "target")
        // Nothing that was promised is late.
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
        let before = try stage.service.get("/metrics").text
        #expect(before.contains(#"referrald_rewards_overdue{promise="target"} 1"#))
        #expect(before.contains(#"referrald_rewards_overdue{promise="payment"} 0"#))
        #expect(before.contains("referrald_time_to_reward_seconds_count 0"))
        try stage.paid("p1")
        try stage.refund(sale.conversion, "r")
        #expect(try stage.reward(sale.reward)["status"] == "clawed_back")
        #expect(try stage.service.list("/v1/rewards/overdue?promise=target").isEmpty)
        let after = try stage.service.get("/metrics").text
        #expect(after.contains(#"referrald_rewards_overdue{promise="target"} 0"#))
        #expect(after.contains(#"referrald_time_to_reward_seconds_bucket{le="604800"} 0"#))
        #expect(after.contains(#"referrald_time_to_reward_seconds_bucket{le="1209600"} 1"#))
        #expect(after.contains("referrald_time_to_reward_seconds_count 1"))
        // A payment stays one when the money is owed back.
        #expect(try report(stage)["total.count"] == 1)
    }

    @Test("a target that the hold alone uses up is told as such, and 0 days are none")
    func reach() throws {
        let stage = try MoneyStage(holdDays: 7)
        defer { stage.service.stop() }
        let path = "/v1/programs/\(stage.program)"
        let program = try stage.service.get(path)
        #expect(program["service_levels.reward_target_days"] == 7)
        #expect(program["reward_target_in_reach"] == false)
        #expect(try report(stage)["target.in_reach"] == false)
        #expect(try set(["reward_target_days": 8], stage)["reward_target_in_reach"] == true)
        #expect(try set(["reward_target_days": -1], stage).status == 400)
        #expect(try set(["reward_target_days": 0], stage)["reward_target_in_reach"] == .null)
        _ = try stage.sale("s", 100_000)
        stage.service.clock.advance(days: 20)
        #expect(try told(stage) == 0)
        try stage.paid("p1")
        let answer = try report(stage)
        #expect(answer["target"] == .null)
        #expect(answer["total.count"] == 1)
        #expect(answer["total.within_target_basis_points"] == .null)
        // Null means off as well, also where there was a target.
        #expect(try set(["reward_target_days": 7], stage)["reward_target_in_reach"] == false)
        let off = try set(["reward_target_days": .null], stage)
        #expect(off.status == 200, "\(off.text)")
        #expect(off["reward_target_in_reach"] == .null)
        #expect(try report(stage)["target"] == .null)
    }

    @Test("a sale without a lead was referred by the click that it is credited to")
    func click() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/links",
            [
                "participant_id": .string(stage.participant), "code": "ada",
                "destination_url": "https://www.example.com/#top",
            ])
        let click = try JourneyTests.click(stage.service, "ada")
        stage.service.clock.advance(days: 3)
        for (name, named) in [("by-click", "click_id"), ("by-code", "ref")] {
            let sale: JSONObject = [
                "external_id": .string(name), "kind": "purchase",
                "amount": MoneyStage.usd(100_000),
                "customer": ["external_id": .string(name)],
                named: .string(named == "ref" ? "ada" : click),
            ]
            #expect(try stage.service.post("/v1/conversions", .object(sale)).status == 201)
        }
        stage.service.clock.advance(days: 1)
        try stage.paid("p1")
        let answer = try report(stage)
        #expect(answer["total.count"] == 2)
        #expect(
            hours(answer, ["total.median_seconds", "total.max_seconds"]) == [24, 96])
    }

    @Test("a benefit takes until it is given; one that is voided is not counted")
    func benefit() throws {
        let stage = try MoneyStage(
            rules: [
                ["trigger": "lead.qualified", "kind": "perk", "description": "Beta access"],
                ["trigger": "lead.qualified", "kind": "discount", "discount_basis_points": 500],
            ])
        defer { stage.service.stop() }
        let lead = try stage.lead()
        stage.service.clock.advance(days: 1)
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        #expect(try report(stage)["waiting.count"] == 2)
        stage.service.clock.advance(days: 3)
        for benefit in try stage.service.list("/v1/benefits") {
            let path = "/v1/benefits/\(try #require(benefit["id"]?.stringValue))"
            let answer =
                benefit["kind"] == "perk"
                ? try stage.service.post(path + "/fulfill")
                : try stage.service.post(path + "/void", ["reason": "no"])
            #expect(answer.status == 200, "\(answer.text)")
        }
        let answer = try report(stage, "&by=kind")
        #expect(answer["groups.0.key"] == "perk" && answer["total.count"] == 1)
        #expect(hours(answer, ["total.max_seconds"]) == [96])
        #expect(answer["total.as_promised_basis_points"] == .null)
        #expect(answer["waiting.count"] == 0)
    }

    @Test("points take until they are credited; that they are not redeemed is nobody's delay")
    func points() throws {
        let stage = try MoneyStage(holdDays: 5, rules: [PointsTests.rule])
        defer { stage.service.stop() }
        let held = try stage.sale("held", 10_000)
        #expect(try report(stage)["waiting.count"] == 1)
        stage.service.clock.advance(days: 5)
        stage.runJobs()
        let path = "/v1/programs/\(stage.program)"
        #expect(try stage.service.send("PATCH", path, ["hold_days": 0]).status == 200)
        _ = try stage.sale("fresh", 10_000)
        stage.service.clock.advance(days: 60)
        #expect(try told(stage) == 0)
        #expect(try stage.service.list("/v1/rewards/overdue").isEmpty)
        let answer = try report(stage, "&by=kind")
        #expect(answer["groups.0.key"] == "points" && answer["groups.0.count"] == 2)
        #expect(hours(answer, ["total.max_seconds"]) == [120])
        #expect(answer["total.within_target_basis_points"] == 10_000)
        #expect(answer["total.as_promised_basis_points"] == .null)
        #expect(answer["waiting.count"] == 0)
        try stage.refund(held.conversion, "all")
        #expect(try report(stage)["total.count"] == 1)
    }

    @Test("a report that would read too many rewards is refused")
    func tooMany() throws {
        let stage = try MoneyStage()
        _ = try stage.sale("s", 100_000)
        try stage.paid("p1")
        stage.service.stop(keepingFiles: true)
        try writer(stage).execute(
            """
            WITH RECURSIVE numbers (n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000)
            INSERT INTO reward_times (
                subject_id, program_id, trigger_name, kind, referrer, referred_at, earned_at,
                paid_at)
            SELECT CAST(printf('%016d', n) AS BLOB), program_id, trigger_name, kind, referrer,
                referred_at, earned_at, paid_at
            FROM numbers, (SELECT * FROM reward_times)
            """)
        let service = try TestService(folder: stage.service.folder, clock: stage.service.clock)
        defer { service.stop() }
        let answer = try service.get(Self.path + stage.program)
        #expect(answer.status == 422 && answer.code == "too_many_rewards", "\(answer.text)")
    }

    private func writer(_ stage: MoneyStage) throws -> Connection {
        try Connection(
            path: stage.service.folder.appending(path: "test.db").path, access: .writer,
            busyMilliseconds: 1_000)
    }
}
