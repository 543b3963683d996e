import Database
import Foundation
import JSON
import Model
import Records
import Testing

@testable import App

/// Rewards from grant to approval and back, as the API shows them.
struct MoneyTests {
    // MARK: - Holds

    @Test("a hold ends at its time, once, whoever else looks for due jobs")
    func holdEnds() throws {
        let stage = try MoneyStage(holdDays: 30)
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 100_000).reward
        stage.service.clock.advance(days: 29)
        stage.runJobs()
        #expect(try stage.reward(reward)["status"] == "pending")
        #expect(try stage.balance() == [10_000, 0, 0, 0, 0])
        stage.service.clock.advance(days: 1)
        for _ in 0..<3 { stage.runJobs() }
        let after = try stage.reward(reward)
        #expect(after["status"] == "approved")
        #expect(after["version"] == 2)
        #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
        #expect(try stage.journal("reward_id=\(reward)") == ["reward_granted", "reward_approved"])
        #expect(try stage.service.list("/v1/events?type=reward.approved").count == 1)
    }

    @Test("the service ends a hold by itself, without a request")
    func holdEndsByItself() throws {
        let stage = try MoneyStage(holdDays: 1)
        defer { stage.service.stop() }
        let reward = try stage.qualified().reward
        stage.service.clock.advance(days: 2)
        let isApproved = try eventually { try stage.reward(reward)["status"] == "approved" }
        #expect(isApproved)
    }

    @Test("a hold that ended while the service was stopped is made up for at the start, once")
    func holdEndsWhileStopped() throws {
        let first = try MoneyStage(holdDays: 30)
        let reward = try first.sale("a", 100_000).reward
        first.service.stop(keepingFiles: true)
        first.service.clock.advance(days: 90)
        for _ in 0..<2 {
            let service = try TestService(folder: first.service.folder, clock: first.service.clock)
            let stage = MoneyStage(first, reopenedBy: service)
            let isApproved = try eventually { try stage.reward(reward)["status"] == "approved" }
            #expect(isApproved)
            stage.runJobs()
            #expect(try stage.reward(reward)["version"] == 2)
            #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
            service.stop(keepingFiles: true)
        }
        try FileManager.default.removeItem(at: first.service.folder)
    }

    @Test("many holds that end together all end, over more than one slice of jobs")
    func manyHolds() throws {
        let stage = try MoneyStage(holdDays: 5)
        defer { stage.service.stop() }
        for number in 0..<60 { _ = try stage.qualified("v\(number)") }
        stage.service.clock.advance(days: 5)
        stage.runJobs()
        #expect(try stage.balance() == [0, 1_200_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a job that cannot be done is put off, and stands in no other's way")
    func faultyJob() throws {
        let stage = try MoneyStage(holdDays: 1)
        defer { stage.service.stop() }
        let before = try stage.sale("before", 100_000).reward
        let start = stage.service.clock.clock.now()
        try stage.service.service.app.database.perform { tx in
            // Of a kind that only a later version knows.
            try JobStore.schedule(
                "later.kind", RewardID(high: 1, low: 1), at: start.advanced(byDays: 1), tx)
        }
        let after = try stage.sale("after", 100_000).reward
        stage.service.clock.advance(days: 2)
        stage.runJobs()
        for reward in [before, after] {
            #expect(try stage.reward(reward)["status"] == "approved")
        }
        let left = try JobStore.nextDue(stage.service.service.app.database.makeReader())
        #expect(try #require(left) > stage.service.clock.clock.now())
        #expect(try stage.balance() == [0, 20_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    // MARK: - Review, approval, refusal

    @Test("a reward at the threshold is reviewed after its hold, one below is approved")
    func review() throws {
        let stage = try MoneyStage(holdDays: 1, threshold: 10_000)
        defer { stage.service.stop() }
        let large = try stage.sale("large", 100_000).reward
        let small = try stage.sale("small", 99_990).reward
        #expect(try stage.reward(large)["status"] == "pending")
        stage.service.clock.advance(days: 1)
        stage.runJobs()
        #expect(try stage.reward(large)["status"] == "review")
        #expect(try stage.reward(small)["status"] == "approved")
        #expect(try stage.balance() == [10_000, 9_999, 0, 0, 0])
        #expect(try stage.service.post("/v1/rewards/\(large)/approve")["status"] == "approved")
        #expect(try stage.balance() == [0, 19_999, 0, 0, 0])
    }

    @Test("without a hold a large reward is reviewed at once")
    func reviewAtOnce() throws {
        let stage = try MoneyStage(threshold: 10_000)
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 100_000).reward
        #expect(try stage.reward(reward)["status"] == "review")
    }

    @Test("a reward may be approved before its hold ends, and the end then changes nothing")
    func earlyApproval() throws {
        let stage = try MoneyStage(holdDays: 30)
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 100_000).reward
        #expect(try stage.service.post("/v1/rewards/\(reward)/approve").status == 200)
        stage.service.clock.advance(days: 31)
        stage.runJobs()
        #expect(try stage.reward(reward)["version"] == 2)
        #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
        let again = try stage.service.post("/v1/rewards/\(reward)/approve")
        #expect(again.status == 409)
        #expect(again["code"] == "invalid_transition")
    }

    @Test("rejecting gives the money back with the reason, and the hold's end changes nothing")
    func rejection() throws {
        let stage = try MoneyStage(holdDays: 30)
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 100_000).reward
        #expect(try stage.service.post("/v1/rewards/\(reward)/reject").status >= 400)
        let answer = try stage.service.post(
            "/v1/rewards/\(reward)/reject", ["reason": "self referral"])
        #expect(answer["status"] == "rejected")
        #expect(answer["reason"] == "self referral")
        #expect(answer["net_amount.amount"] == 0)
        stage.service.clock.advance(days: 31)
        stage.runJobs()
        #expect(try stage.reward(reward)["status"] == "rejected")
        #expect(try stage.balance() == [0, 0, 0, 0, 0])
        let late = try stage.service.post("/v1/rewards/\(reward)/void", ["reason": "x"])
        #expect(late["code"] == "invalid_transition")
    }

    @Test("voiding takes an approved reward back, but not one that a payout holds")
    func voiding() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let free = try stage.sale("free", 100_000).reward
        let void = try stage.service.post("/v1/rewards/\(free)/void", ["reason": "error"])
        #expect(void["status"] == "voided")
        #expect(try stage.balance() == [0, 0, 0, 0, 0])
        let held = try stage.sale("held", 100_000).reward
        let payout = try stage.submitted("p1")
        let refused = try stage.service.post("/v1/rewards/\(held)/void", ["reason": "error"])
        #expect(refused.status == 409)
        #expect(refused["code"] == "reward_in_payout")
        #expect(refused["payout_id"] == .string(payout))
        #expect(try stage.balance() == [0, 0, 10_000, 0, 0])
    }

    @Test("a lead that is disqualified takes its reward with it, one that is lost does not (R18)")
    func disqualified() throws {
        let stage = try MoneyStage(holdDays: 30)
        defer { stage.service.stop() }
        let (out, first) = try stage.qualified("out")
        let (lost, second) = try stage.qualified("lost")
        #expect(
            try stage.service.post(
                "/v1/leads/\(out)/disqualify",
                ["reason_code": "other", "reason": "Not a company"]
            ).status == 200)
        #expect(
            try stage.service.post("/v1/leads/\(lost)/lose", ["reason": "Budget"]).status == 200)
        #expect(try stage.reward(first)["status"] == "voided")
        #expect(try stage.reward(first)["reason"] == "lead_disqualified")
        #expect(try stage.reward(second)["status"] == "pending")
        #expect(try stage.balance() == [20_000, 0, 0, 0, 0])
        stage.service.clock.advance(days: 31)
        stage.runJobs()
        #expect(try stage.balance() == [0, 20_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a lead that is none is not paid for: not from a draft, and not twice by the provider")
    func disqualifiedInPayout() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        func lose(_ lead: String) throws {
            let answer = try stage.service.post(
                "/v1/leads/\(lead)/disqualify", ["reason": "None", "reason_code": "other"])
            #expect(answer.status == 200)
        }
        let (drafted, first) = try stage.qualified("drafted")
        let draft = try #require(try stage.draft("p1").json["id"]?.stringValue)
        try lose(drafted)
        let refused = try stage.service.post("/v1/payouts/\(draft)/submit")
        #expect(refused.status == 409)
        #expect(refused["code"] == "owes_since_draft")
        #expect(try stage.service.post("/v1/payouts/\(draft)/cancel").status == 200)
        #expect(try stage.reward(first)["status"] == "voided")
        #expect(try stage.reward(first)["reason"] == "lead_disqualified")
        #expect(try stage.balance() == [0, 0, 0, 0, 0])

        let (sent, second) = try stage.qualified("sent")
        let payout = try stage.submitted("p2")
        try lose(sent)
        #expect(try stage.balance() == [0, 0, 20_000, 0, 20_000])
        #expect(try stage.service.post("/v1/payouts/\(payout)/confirm")["status"] == "paid")
        #expect(try stage.reward(second)["status"] == "clawed_back")
        _ = try stage.sale("a", 500_000)
        #expect(try stage.draft("p3")["clawed_back.amount"] == 20_000)
        try stage.expectSoundBooks()
    }

    @Test("what was paid for a lead before it was lost stays paid")
    func lostAfterPayment() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (lead, reward) = try stage.qualified()
        try stage.paid("p1")
        #expect(
            try stage.service.post("/v1/leads/\(lead)/lose", ["reason": "Budget"]).status == 200)
        #expect(try stage.reward(reward)["status"] == "paid")
        #expect(try stage.balance() == [0, 0, 0, 20_000, 0])
        try stage.expectSoundBooks()
    }

    @Test("a lead that is qualified a second time does not earn a second reward")
    func qualifiedTwice() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (lead, _) = try stage.qualified()
        #expect(
            try stage.service.post("/v1/leads/\(lead)/lose", ["reason": "Budget"]).status == 200)
        #expect(
            try stage.service.post("/v1/leads/\(lead)/reopen", ["reason": "Back"]).status == 200)
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        #expect(try stage.rewards().filter { $0["status"] != "voided" }.count <= 1)
    }

    // MARK: - Refunds

    @Test("a partial refund before the payout shrinks the reward, a full one voids it")
    func refundBefore() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        try stage.refund(conversion, "1", 25_000)
        #expect(try stage.reward(reward)["net_amount.amount"] == 7_500)
        #expect(try stage.balance() == [0, 7_500, 0, 0, 0])
        try stage.refund(conversion, "2")
        let after = try stage.reward(reward)
        #expect(after["status"] == "voided")
        #expect(after["reason"] == "refunded")
        #expect(try stage.balance() == [0, 0, 0, 0, 0])
        let tooMuch = try stage.service.post(
            "/v1/conversions/\(conversion)/refund",
            ["external_id": "refund-3", "amount": MoneyStage.usd(100_001)])
        #expect(tooMuch.status == 422)
        #expect(tooMuch["code"] == "refund_too_large")
        try stage.expectSoundBooks()
    }

    @Test("a refund during the hold shrinks what the end of the hold approves")
    func refundDuringHold() throws {
        let stage = try MoneyStage(holdDays: 10)
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        try stage.refund(conversion, "1", 50_000)
        #expect(try stage.balance() == [5_000, 0, 0, 0, 0])
        stage.service.clock.advance(days: 10)
        stage.runJobs()
        #expect(try stage.reward(reward)["status"] == "approved")
        #expect(try stage.balance() == [0, 5_000, 0, 0, 0])
    }

    @Test("the same refund sent again changes nothing, another under its name is refused")
    func refundTwice() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, _) = try stage.sale("a", 100_000)
        try stage.refund(conversion, "1", 25_000)
        let again = try stage.service.post(
            "/v1/conversions/\(conversion)/refund",
            ["external_id": "refund-1", "amount": MoneyStage.usd(25_000)])
        #expect(again.status == 200)
        let other = try stage.service.post(
            "/v1/conversions/\(conversion)/refund",
            ["external_id": "refund-1", "amount": MoneyStage.usd(30_000)])
        #expect(other.status == 409)
        #expect(try stage.balance() == [0, 7_500, 0, 0, 0])
    }

    @Test("a refund after the payout is owed, and the next payout keeps it back once")
    func clawback() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        try stage.paid("p1")
        try stage.refund(conversion, "1")
        #expect(try stage.reward(reward)["status"] == "clawed_back")
        #expect(try stage.balance() == [0, 0, 0, 10_000, 10_000])
        let nothing = try stage.service.post(
            "/v1/payouts",
            ["participant_id": .string(stage.participant), "reference": "p-nothing"])
        #expect(nothing["code"] == "nothing_to_pay")

        _ = try stage.sale("b", 300_000)
        let second = try stage.draft("p2")
        #expect(second["rewards_amount.amount"] == 30_000)
        #expect(second["clawed_back.amount"] == 10_000)
        #expect(second["amount.amount"] == 20_000)
        let id = try #require(second.json["id"]?.stringValue)
        #expect(try stage.service.post("/v1/payouts/\(id)/submit").status == 200)
        #expect(try stage.service.post("/v1/payouts/\(id)/confirm")["status"] == "paid")
        #expect(try stage.balance() == [0, 0, 0, 30_000, 0])

        _ = try stage.sale("c", 100_000)
        #expect(try stage.draft("p3")["clawed_back.amount"] == 0)
        try stage.expectSoundBooks()
    }

    // MARK: - Leads that come back

    @Test("a sign-up of amount 0 is cancelled once: its paid reward is owed back, and stays so")
    func cancelledSignup() throws {
        let stage = try MoneyStage(rules: [
            ["trigger": "signup", "amount": MoneyStage.usd(5_000)],
            ["trigger": "signup", "recipient": "referee", "kind": "points", "points": 7],
        ])
        defer { stage.service.stop() }
        let ben = try Scene.partner(stage.service, program: stage.program, name: "ben").id
        let signup = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "signup-1", "lead_id": .string(try stage.lead()),
                "kind": "signup", "amount": MoneyStage.usd(0),
            ])
        #expect(signup["rewards.0.amount.amount"] == 5_000, "\(signup.text)")
        let path = "/v1/conversions/\(try signup.id())"
        try stage.paid("p1")
        func refund(_ name: String, _ kind: JSONValue) throws -> TestAnswer {
            try stage.service.post(
                path + "/refund", ["external_id": .string(name), "kind": kind])
        }
        #expect(try refund("r0", "refund")["code"] == "refund_too_large")
        let cancelled = try refund("r1", "cancellation")
        #expect(cancelled.status == 201, "\(cancelled.text)")
        #expect(cancelled["amount.amount"] == 0 && cancelled["conversion_refunded.amount"] == 0)
        #expect(try stage.balance() == [0, 0, 0, 5_000, 5_000])
        #expect(try stage.rewards().map { $0["status"] } == ["clawed_back"])
        #expect(
            try stage.service.list("/v1/benefits").map { $0["status"] } == ["voided"])
        // Told again it is the same one; another takes nothing more.
        #expect(try refund("r1", "cancellation").status == 200)
        #expect(try refund("r2", "cancellation").status == 200)
        // Whoever gets the credit now gets nothing of it either.
        let moved = try stage.service.post(
            path + "/reattribute",
            ["reason": "r", "credits": [["participant_id": .string(ben), "parts": 1]]])
        #expect(moved.status < 300, "\(moved.text)")
        let net = try stage.service.list("/v1/rewards").compactMap {
            $0["net_amount"]?.objectValue?["amount"]
        }
        #expect(net == [0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a lead in nurture is open again at its follow-up time, by itself and once")
    func followUp() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        let due = Date(timeIntervalSinceNow: 10 * 86_400).ISO8601Format()
        let answer = try stage.service.post(
            "/v1/leads/\(lead)/nurture", ["follow_up_at": .string(due)])
        #expect(answer["status"] == "nurture", "\(answer.text)")
        stage.service.clock.advance(days: 9)
        stage.runJobs()
        #expect(try stage.service.get("/v1/leads/\(lead)")["status"] == "nurture")
        stage.service.clock.advance(days: 1)
        for _ in 0..<2 { stage.runJobs() }
        let after = try stage.service.get("/v1/leads/\(lead)")
        #expect(after["status"] == "submitted")
        #expect(after["reason_code"] == "follow_up_due")
        let timeline = try stage.service.list("/v1/leads/\(lead)/timeline")
        let last = try #require(timeline.last)
        #expect(last["actor"] == "system")
        #expect(last["from"] == "nurture" && last["to"] == "submitted")
        #expect(timeline.count == 3)
    }

    @Test("a lead that left nurture before its time is left alone by the follow-up")
    func followUpTooLate() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        let due = Date(timeIntervalSinceNow: 86_400).ISO8601Format()
        #expect(
            try stage.service.post(
                "/v1/leads/\(lead)/nurture", ["follow_up_at": .string(due)]
            ).status == 200)
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        stage.service.clock.advance(days: 2)
        stage.runJobs()
        #expect(try stage.service.get("/v1/leads/\(lead)")["status"] == "qualified")
    }
}
