import Foundation
import JSON
import Testing

@testable import App

/// Rewards, payouts and refunds through the API, and the books after all of it.
struct MoneyTests {
    /// What `/balance` says of US dollars.
    static func balance(_ service: TestService, _ participant: String, _ query: String = "") throws
        -> [String: Int64]
    {
        let answer = try service.get("/v1/participants/\(participant)/balance\(query)")
        try #require(answer.status == 200, "\(answer.text)")
        var amounts: [String: Int64] = [:]
        for (name, value) in answer["balances.0"]?.objectValue ?? [:] {
            if let amount = value.integerValue, amount != 0 { amounts[name] = amount }
        }
        return amounts
    }

    static func expectSound(_ service: TestService) throws {
        let proof = try service.get("/v1/ledger/verify")
        #expect(proof["sound"] == true, "\(proof.text)")
        #expect(proof["faults"] == [])
    }

    static func reward(_ sale: TestAnswer) throws -> String {
        try #require(sale["rewards.0.id"]?.stringValue)
    }

    @discardableResult
    static func refund(_ scene: Scene, _ sale: TestAnswer, _ id: String, _ amount: Int64) throws
        -> TestAnswer
    {
        try scene.service.post(
            "/v1/conversions/\(sale.id())/refund",
            [
                "external_id": .string(id),
                "amount": ["amount": .integer(amount), "currency": "USD"],
            ])
    }

    /// Asks until the reward has this status; the job that changes it runs once a second. The last
    /// status seen.
    static func await(_ status: String, of reward: String, _ service: TestService) throws
        -> JSONValue?
    {
        let end = Date().addingTimeInterval(20)
        while true {
            let answer = try service.get("/v1/rewards/\(reward)")
            if answer["status"] == .string(status) || Date() > end { return answer["status"] }
        }
    }

    // MARK: - Granting

    @Test(
        "a percentage is rounded half to even, in minor units",
        arguments: [(120_000, 12_000), (5, 0), (15, 2), (25, 2), (14, 1), (16, 2)])
    func rounding(amount: Int64, expected: Int64) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "s", amount)
        let granted = sale["rewards.0.amount.amount"]?.integerValue ?? 0
        #expect(granted == expected)
        try Self.expectSound(scene.service)
    }

    @Test("a sale that nobody referred earns nothing")
    func unattributed() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/conversions",
            [
                "program_id": .string(scene.program), "external_id": "s", "kind": "purchase",
                "customer": ["external_id": "c"],
                "amount": ["amount": 100_000, "currency": "USD"],
            ])
        #expect(answer.status == 201)
        #expect(answer["rewards"] == [])
        #expect(answer["attribution.credits"] == [])
    }

    @Test("a reward of the threshold or more is reviewed, one below it is not")
    func threshold() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (below, at) = try (
            scene.sale(scene.ada, "below", 499_990), scene.sale(scene.ada, "at", 500_000)
        )
        #expect(below["rewards.0.status"] == "approved")
        #expect(at["rewards.0.status"] == "review")
        #expect(
            try Self.balance(scene.service, scene.ada.id) == [
                "available": 49_999, "pending": 50_000,
            ])
    }

    @Test("what is in review is approved, or rejected with a reason")
    func review() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let rewards = try ["a", "b"].map {
            try Self.reward(scene.sale(scene.ada, $0, 600_000))
        }
        let approved = try scene.service.post("/v1/rewards/\(rewards[0])/approve")
        #expect(approved["status"] == "approved")
        let unexplained = try scene.service.post("/v1/rewards/\(rewards[1])/reject")
        #expect(unexplained.status == 400)
        let rejected = try scene.service.post(
            "/v1/rewards/\(rewards[1])/reject", ["reason": "own purchase"])
        #expect(rejected["status"] == "rejected")
        #expect(rejected["reason"] == "own purchase")
        #expect(rejected["net_amount.amount"] == 0)
        #expect(try Self.balance(scene.service, scene.ada.id) == ["available": 60_000])
        try Self.expectSound(scene.service)
    }

    @Test("an approved reward is voided; twice is 409, and so is one that is in a payout")
    func voiding() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let reward = try Self.reward(scene.sale(scene.ada, "a"))
        let statuses = try (0..<2).map { _ in
            try scene.service.post("/v1/rewards/\(reward)/void", ["reason": "r"]).status
        }
        #expect(statuses == [200, 409])
        let held = try Self.reward(scene.sale(scene.ada, "b"))
        _ = try scene.payout(scene.ada, "p")
        let refused = try scene.service.post("/v1/rewards/\(held)/void", ["reason": "r"])
        #expect(refused.status == 409)
        #expect(refused.code == "reward_in_payout")
        try Self.expectSound(scene.service)
    }

    @Test("a lead that is disqualified takes its unpaid rewards with it")
    func disqualified() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        try scene.service.post("/v1/leads/\(lead)/qualify")
        #expect(try Self.balance(scene.service, scene.ada.id) == ["available": 20_000])
        try scene.service.post(
            "/v1/leads/\(lead)/disqualify", ["reason_code": "no_budget", "reason": "r"])
        #expect(try Self.balance(scene.service, scene.ada.id) == [:])
        #expect(try scene.service.get("/v1/rewards")["data.0.status"] == "voided")
        try Self.expectSound(scene.service)
    }

    @Test("a lead that was lost, is reopened and qualified again has one reward that counts")
    func qualifiedTwice() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        for action in ["qualify", "lose", "reopen", "qualify"] {
            let body: JSONValue = action == "qualify" ? [:] : ["reason": "r"]
            let answer = try scene.service.post("/v1/leads/\(lead)/\(action)", body)
            #expect(answer.status == 200, "\(action): \(answer.text)")
        }
        let rewards = try scene.service.get("/v1/rewards")
        #expect(rewards["data.0.status"] == "approved")
        #expect(rewards["data.1.status"] == "voided")
        #expect(try Self.balance(scene.service, scene.ada.id) == ["available": 20_000])
        try Self.expectSound(scene.service)
    }

    // MARK: - Hold

    @Test("a hold ends at its time, not before, and once, though the service restarts in between")
    func hold() throws {
        let scene = try Scene(TestService(), holdDays: 10)
        let reward = try Self.reward(scene.sale(scene.ada, "a"))
        scene.service.clock.advance(days: 9)
        scene.service.stop(keepingFiles: true)
        let middle = try TestService(folder: scene.service.folder, clock: scene.service.clock)
        #expect(try middle.get("/v1/rewards/\(reward)")["status"] == "pending")
        #expect(try Self.balance(middle, scene.ada.id) == ["pending": 12_000])
        middle.stop(keepingFiles: true)
        middle.clock.advance(days: 1)
        let late = try TestService(folder: scene.service.folder, clock: scene.service.clock)
        #expect(try Self.await("approved", of: reward, late) == "approved")
        late.stop(keepingFiles: true)
        late.clock.advance(days: 30)
        let last = try TestService(folder: scene.service.folder, clock: scene.service.clock)
        defer { last.stop() }
        #expect(try Self.balance(last, scene.ada.id) == ["available": 12_000])
        let approvals = try Scene.events(last).filter { $0["type"] == "reward.approved" }
        #expect(approvals.count == 1)
        #expect(approvals.first?["actor"] == "system")
        try Self.expectSound(last)
    }

    @Test("a hold ends while the service runs")
    func holdWhileRunning() throws {
        let scene = try Scene(TestService(), holdDays: 1)
        defer { scene.service.stop() }
        let reward = try Self.reward(scene.sale(scene.ada, "a"))
        scene.service.clock.advance(days: 1)
        #expect(try Self.await("approved", of: reward, scene.service) == "approved")
    }

    @Test("a large reward goes to review when its hold ends")
    func holdThenReview() throws {
        let scene = try Scene(TestService(), holdDays: 1)
        defer { scene.service.stop() }
        let reward = try Self.reward(scene.sale(scene.ada, "a", 900_000))
        scene.service.clock.advance(days: 1)
        #expect(try Self.await("review", of: reward, scene.service) == "review")
    }

    @Test("a reward approved before its hold ends is not approved again by the job")
    func approvedEarly() throws {
        let scene = try Scene(TestService(), holdDays: 1)
        defer { scene.service.stop() }
        let (early, other) = try (
            Self.reward(scene.sale(scene.ada, "a")), Self.reward(scene.sale(scene.ada, "b"))
        )
        try scene.service.post("/v1/rewards/\(early)/approve")
        scene.service.clock.advance(days: 1)
        #expect(try Self.await("approved", of: other, scene.service) == "approved")
        let approvals = try Scene.events(scene.service).filter {
            $0["type"] == "reward.approved" && $0["subject_id"] == .string(early)
        }
        #expect(approvals.count == 1)
        try Self.expectSound(scene.service)
    }

    @Test("a hold of a program that is changed later stays as it was when the reward was granted")
    func holdStays() throws {
        let scene = try Scene(TestService(), holdDays: 5)
        defer { scene.service.stop() }
        let reward = try Self.reward(scene.sale(scene.ada, "a"))
        let before = try scene.service.get("/v1/rewards/\(reward)")["hold_until"]
        try scene.service.send("PATCH", "/v1/programs/\(scene.program)", ["hold_days": 50])
        #expect(try scene.service.get("/v1/rewards/\(reward)")["hold_until"] == before)
    }

    // MARK: - Refunds

    @Test("a refund before the payout takes its proportion of the reward back")
    func refundBefore() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a", 100_000)
        #expect(try Self.refund(scene, sale, "r1", 25_000).status == 201)
        #expect(try Self.balance(scene.service, scene.ada.id) == ["available": 7_500])
        #expect(try Self.refund(scene, sale, "r2", 75_000).status == 201)
        #expect(try Self.balance(scene.service, scene.ada.id) == [:])
        let reward = try scene.service.get("/v1/rewards/\(Self.reward(sale))")
        #expect(reward["status"] == "voided")
        try Self.expectSound(scene.service)
    }

    @Test("no more is refunded than was sold")
    func refundTooLarge() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a", 100)
        #expect(try Self.refund(scene, sale, "r1", 60).status == 201)
        let refused = try Self.refund(scene, sale, "r2", 41)
        #expect(refused.status == 409)
        #expect(refused.code == "refund_too_large")
        #expect(refused["left"] == 40)
    }

    @Test("a refund after the payout is owed back, and the next payout keeps it")
    func refundAfter() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a", 100_000)
        let first = try scene.payout(scene.ada, "p1")
        try scene.service.post("/v1/payouts/\(first)/submit")
        try scene.service.post("/v1/payouts/\(first)/confirm")
        try Self.refund(scene, sale, "r", 40_000)
        #expect(
            try Self.balance(scene.service, scene.ada.id) == [
                "paid": 10_000, "clawback_owed": 4_000,
            ])
        try scene.sale(scene.ada, "b", 100_000)
        let second = try scene.service.get("/v1/payouts/\(scene.payout(scene.ada, "p2"))")
        #expect(second["rewards_amount.amount"] == 10_000)
        #expect(second["clawed_back.amount"] == 4_000)
        #expect(second["amount.amount"] == 6_000)
        try scene.service.post("/v1/payouts/\(second.id())/submit")
        try scene.service.post("/v1/payouts/\(second.id())/confirm")
        #expect(try Self.balance(scene.service, scene.ada.id) == ["paid": 16_000])
        try Self.expectSound(scene.service)
    }

    @Test("what is owed is owed again when the payout that kept it back is cancelled or fails")
    func clawbackReturned() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a", 100_000)
        let first = try scene.payout(scene.ada, "p1")
        try scene.service.post("/v1/payouts/\(first)/submit")
        try scene.service.post("/v1/payouts/\(first)/confirm")
        try Self.refund(scene, sale, "r", 40_000)
        try scene.sale(scene.ada, "b", 100_000)
        let owed = try Self.balance(scene.service, scene.ada.id)
        let cancelled = try scene.payout(scene.ada, "p2")
        try scene.service.post("/v1/payouts/\(cancelled)/cancel")
        #expect(try Self.balance(scene.service, scene.ada.id) == owed)
        let failed = try scene.payout(scene.ada, "p3")
        try scene.service.post("/v1/payouts/\(failed)/submit")
        try scene.service.post("/v1/payouts/\(failed)/fail", ["reason": "account closed"])
        #expect(try Self.balance(scene.service, scene.ada.id) == owed)
        try Self.expectSound(scene.service)
    }

    // MARK: - The books

    @Test("a balance is told as of any earlier time, and none of the future")
    func asOf() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a", 100_000)
        let reward = try scene.service.get("/v1/rewards/\(Self.reward(sale))")
        let then = try #require(reward["created_at"]?.stringValue)
        scene.service.clock.advance(days: 1)
        try scene.sale(scene.ada, "b", 50_000)
        #expect(try Self.balance(scene.service, scene.ada.id) == ["available": 15_000])
        #expect(
            try Self.balance(scene.service, scene.ada.id, "?as_of=\(then)") == [
                "available": 10_000
            ])
        #expect(
            try Self.balance(scene.service, scene.ada.id, "?as_of=2020-01-01T00:00:00Z") == [:])
        let future = try scene.service.get(
            "/v1/participants/\(scene.ada.id)/balance?as_of=2200-01-01T00:00:00Z")
        #expect(future.status == 400)
        #expect(future.pointer == "/as_of")
    }

    @Test("a statement's lines add up from its opening to its closing, which is the balance")
    func statement() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a", 100_000)
        let middle = try #require(
            try scene.service.get("/v1/rewards/\(Self.reward(sale))")["created_at"]?.stringValue)
        scene.service.clock.advance(seconds: 5)
        let payout = try scene.payout(scene.ada, "p")
        try scene.service.post("/v1/payouts/\(payout)/submit")
        try scene.service.post("/v1/payouts/\(payout)/confirm")
        try Self.refund(scene, sale, "r", 10_000)
        scene.service.clock.advance(seconds: 5)
        let path = "/v1/participants/\(scene.ada.id)/statement"
        for query in ["", "?from=\(middle)", "?to=\(middle)"] {
            let statement = try scene.service.get(path + query)
            let lines = statement["lines"]?.arrayValue ?? []
            #expect(query.hasPrefix("?to") == lines.isEmpty)
            for name in ["pending", "available", "in_payout", "paid", "clawback_owed"] {
                let sum = lines.compactMap { $0.objectValue?[name]?.integerValue }.reduce(0, +)
                let opening = try #require(statement["opening.\(name)"]?.integerValue)
                #expect(statement["closing.\(name)"] == .integer(opening + sum), "\(name)")
            }
        }
        let closing = try scene.service.get(path)
        #expect(closing["closing.paid"] == 10_000)
        #expect(closing["closing.clawback_owed"] == 1_000)
    }

    @Test("the statement as CSV has the same lines between its opening and its closing")
    func statementCSV() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "a", 100_000)
        let path = "/v1/participants/\(scene.ada.id)/statement"
        let lines = try scene.service.get(path)["lines"]?.arrayValue?.count ?? 0
        let csv = try scene.service.get(path + ".csv")
        let rows = csv.text.components(separatedBy: "\r\n").filter { !$0.isEmpty }
        #expect(lines == 2)
        #expect(rows.count == 1 + 1 + lines + 1)
        let width = rows[0].split(separator: ",", omittingEmptySubsequences: false).count
        for row in rows {
            #expect(row.split(separator: ",", omittingEmptySubsequences: false).count == width)
        }
        #expect(rows[1].hasPrefix(",opening,"))
        #expect(rows[1 + lines + 1].hasPrefix(",closing,"))
        #expect(rows[1 + lines + 1].hasSuffix(",USD,0,10000,0,0,0,10000"))
    }

    @Test("a reward says why it is what it is, with the arithmetic of its own time")
    func explain() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let reward = try Self.reward(scene.sale(scene.ada, "a", 100_050))
        let path = "/v1/rewards/\(reward)/explain"
        let before = try scene.service.get(path)
        #expect(before["summary"]?.stringValue?.contains("100050 × 1000 ÷ 10000") == true)
        let rules = try scene.service.get("/v1/programs/\(scene.program)/reward_rules")
        for id in rules.ids {
            try scene.service.post("/v1/programs/\(scene.program)/reward_rules/\(id)/archive")
        }
        #expect(try scene.service.get(path)["summary"] == before["summary"])
        let kinds = before["transactions"]?.arrayValue?.map { $0.objectValue?["kind"] }
        #expect(kinds == ["reward_granted", "reward_approved"])
    }

    @Test("a sale says why its credit went where it went")
    func explainSale() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "a")
        let answer = try scene.service.get("/v1/conversions/\(sale.id())/explain")
        #expect(answer.status == 200)
        #expect(answer.text.contains(scene.ada.id))
    }

    @Test("the summary counts rewards by state as they are")
    func summary() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "a", 100_000)
        let gone = try Self.reward(scene.sale(scene.ada, "b", 100_000))
        try scene.service.post("/v1/rewards/\(gone)/void", ["reason": "r"])
        try scene.sale(scene.ada, "c", 600_000)
        let summary = try scene.service.get("/v1/participants/\(scene.ada.id)/summary")
        #expect(summary["rewards.approved.count"] == 1)
        #expect(summary["rewards.approved.amount"] == 10_000)
        #expect(summary["rewards.voided.count"] == 1)
        #expect(summary["rewards.voided.amount"] == 0)
        #expect(summary["rewards.review.amount"] == 60_000)
    }

    @Test("a head kept earlier still proves the books, and a made-up one does not")
    func savedHead() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "a")
        let head = try scene.service.get("/v1/ledger/head")
        let sequence = try #require(head["sequence"]?.integerValue)
        let hash = try #require(head["hash"]?.stringValue)
        try scene.sale(scene.ada, "b")
        let proof = try scene.service.get("/v1/ledger/verify?sequence=\(sequence)&hash=\(hash)")
        #expect(proof["sound"] == true)
        let other = String(repeating: "0", count: 64)
        let broken = try scene.service.get("/v1/ledger/verify?sequence=\(sequence)&hash=\(other)")
        #expect(broken["sound"] == false)
        #expect(try scene.service.get("/v1/ledger/verify?sequence=\(sequence)").status == 400)
    }
}
