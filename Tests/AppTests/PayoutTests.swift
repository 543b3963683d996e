import Database
import Foundation
import JSON
import Model
import RewardLedger
import Testing

@testable import App

/// Payouts with every outcome, and the views that prove them: statement, balance, CSV, explanation.
struct PayoutTests {
    // MARK: - Outcomes

    @Test("a failed payout frees its rewards for a new one, which pays them once")
    func failed() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let reward = try stage.sale("a", 100_000).reward
        let first = try stage.submitted("p1")
        #expect(try stage.balance() == [0, 0, 10_000, 0, 0])
        let fail = try stage.service.post("/v1/payouts/\(first)/fail", ["reason": "No account"])
        #expect(fail["status"] == "failed")
        #expect(fail["reason"] == "No account")
        #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
        let free = try stage.reward(reward)
        #expect(free["status"] == "approved")
        #expect(free["payout_id"] == .null)
        try stage.paid("p2")
        #expect(try stage.balance() == [0, 0, 0, 10_000, 0])
        #expect(try stage.reward(reward)["status"] == "paid")
        // Both are said to be paid: what was paid twice is owed.
        let late = try stage.service.post("/v1/payouts/\(first)/confirm")
        #expect(late["status"] == "paid" && late["paid_twice_amount.amount"] == 10_000)
        #expect(try stage.balance() == [0, 0, 0, 20_000, 10_000])
        try stage.expectSoundBooks()
    }

    @Test("a failed payout owes again what it had kept back, and the next keeps it back")
    func failedWithClawback() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, _) = try stage.sale("a", 100_000)
        try stage.paid("p1")
        try stage.refund(conversion, "1")
        _ = try stage.sale("b", 300_000)
        let second = try stage.submitted("p2")
        #expect(try stage.balance() == [0, 0, 20_000, 10_000, 0])
        _ = try stage.service.post("/v1/payouts/\(second)/fail", ["reason": "x"])
        #expect(try stage.balance() == [0, 30_000, 0, 10_000, 10_000])
        #expect(try stage.draft("p3")["amount.amount"] == 20_000)
        try stage.expectSoundBooks()
    }

    @Test("asking again goes on with a debt that takes more rewards than a payout holds")
    func deepDebt() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let sale = try stage.sale("large", 25_000)
        try stage.paid("p1")
        try stage.refund(sale.conversion, "1")
        let program = try #require(ProgramID(stage.program))
        let credit = Credit(
            participant: try #require(ParticipantID(stage.participant)),
            base: Money(amount: 10, currency: try #require(Currency("USD"))))
        try stage.service.service.app.database.perform { tx in
            for _ in 0..<2_600 {
                let occasion = RewardOccasion(
                    trigger: .conversion(kind: "purchase"), program: program, programVersion: 1,
                    holdDays: 0, approvalThreshold: nil, lead: nil, conversion: tx.makeID(),
                    actor: "test")
                _ = try RewardBook.grant(occasion, to: [credit], tx)
            }
        }
        #expect(try stage.balance() == [0, 2_600, 0, 2_500, 2_500])
        let refused = try stage.service.post(
            "/v1/payouts", ["participant_id": .string(stage.participant), "reference": "p2"])
        #expect(refused.status == 409)
        #expect(refused["code"] == "offset_unfinished")
        #expect(refused["owed"] == 1_500)
        #expect(try stage.balance() == [0, 1_600, 0, 2_500, 1_500])
        let draft = try stage.draft("p2")
        #expect(draft["rewards_amount.amount"] == 600)
        #expect(draft["clawed_back.amount"] == 500 && draft["amount.amount"] == 100)
        try stage.expectSoundBooks()
    }

    @Test("a cancelled draft leaves everything as it was; a submitted one cannot be cancelled")
    func cancelled() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        _ = try stage.sale("a", 100_000)
        let first = try #require(try stage.draft("p1").json["id"]?.stringValue)
        #expect(try stage.service.post("/v1/payouts/\(first)/cancel")["status"] == "cancelled")
        #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
        let second = try stage.submitted("p2")
        let refused = try stage.service.post("/v1/payouts/\(second)/cancel")
        #expect(refused.status == 409)
        #expect(refused["code"] == "invalid_transition")
        try stage.expectSoundBooks()
    }

    @Test("an unknown outcome holds the money until it is known", arguments: ["confirm", "fail"])
    func unknown(_ outcome: String) throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        _ = try stage.sale("a", 100_000)
        let payout = try stage.submitted("p1")
        let lost = try stage.service.post("/v1/payouts/\(payout)/mark_unknown")
        #expect(lost["status"] == "unknown")
        #expect(try stage.balance() == [0, 0, 10_000, 0, 0])
        let other = try stage.service.post(
            "/v1/payouts", ["participant_id": .string(stage.participant), "reference": "p2"])
        #expect(other["code"] == "nothing_to_pay")
        let body: JSONValue = outcome == "fail" ? ["reason": "x"] : [:]
        #expect(try stage.service.post("/v1/payouts/\(payout)/\(outcome)", body).status == 200)
        #expect(
            try stage.balance()
                == (outcome == "fail" ? [0, 10_000, 0, 0, 0] : [0, 0, 0, 10_000, 0]))
        try stage.expectSoundBooks()
    }

    @Test("a partial payout settles the oldest rewards first, and the rest is paid by the next")
    func partial() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let first = try stage.sale("a", 100_000).reward
        let second = try stage.sale("b", 200_000).reward
        let payout = try stage.submitted("p1")
        let tooMuch = try stage.service.post(
            "/v1/payouts/\(payout)/confirm", ["paid_amount": MoneyStage.usd(30_001)])
        #expect(tooMuch.status == 422)
        let answer = try stage.service.post(
            "/v1/payouts/\(payout)/confirm", ["paid_amount": MoneyStage.usd(15_000)])
        #expect(answer["status"] == "partially_paid")
        #expect(answer["paid_amount.amount"] == 15_000)
        #expect(try stage.balance() == [0, 15_000, 0, 15_000, 0])
        #expect(try stage.reward(first)["status"] == "paid")
        let open = try stage.reward(second)
        #expect(open["status"] == "approved")
        #expect(open["settled.amount"] == 5_000)
        #expect(try stage.draft("p2")["amount.amount"] == 15_000)
        try stage.expectSoundBooks()
    }

    @Test("a refund while the payout is on its way is owed if it is paid, and offset if it fails")
    func refundOnTheWay() throws {
        for outcome in ["confirm", "fail"] {
            let stage = try MoneyStage()
            defer { stage.service.stop() }
            let (conversion, reward) = try stage.sale("a", 100_000)
            let payout = try stage.submitted("p1")
            try stage.refund(conversion, "1")
            #expect(try stage.balance() == [0, 0, 10_000, 0, 10_000])
            let body: JSONValue = outcome == "fail" ? ["reason": "x"] : [:]
            _ = try stage.service.post("/v1/payouts/\(payout)/\(outcome)", body)
            let status = try stage.reward(reward)["status"]
            #expect(status == (outcome == "fail" ? "voided" : "clawed_back"))
            #expect(
                try stage.balance()
                    == (outcome == "fail" ? [0, 0, 0, 0, 0] : [0, 0, 0, 10_000, 10_000]))
            try stage.expectSoundBooks()
        }
    }

    @Test("a reference names one payout for good")
    func reference() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        _ = try stage.sale("a", 100_000)
        let first = try stage.draft("p1")
        let again = try stage.service.post(
            "/v1/payouts", ["participant_id": .string(stage.participant), "reference": "p1"])
        #expect(again.status == 200)
        #expect(again.json["id"] == first.json["id"])
        let other = try stage.service.make(
            "/v1/participants",
            [
                "program_id": .string(stage.program), "name": "Eve", "email": "e@b.example",
                "status": "approved",
            ])
        let taken = try stage.service.post(
            "/v1/payouts", ["participant_id": .string(other), "reference": "p1"])
        #expect(taken["code"] == "reference_taken")
    }

    @Test("payout actions and refunds without Idempotency-Key are refused and move nothing")
    func keyIsRequired() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, _) = try stage.sale("a", 100_000)
        let payout = try #require(try stage.draft("p1").json["id"]?.stringValue)
        for target in [
            "/v1/payouts/\(payout)/submit", "/v1/payouts/\(payout)/cancel",
            "/v1/conversions/\(conversion)/refund",
        ] {
            let body: JSONValue = target.hasSuffix("refund") ? ["external_id": "r"] : [:]
            #expect(try stage.service.send("POST", target, body).status == 400, "\(target)")
        }
        #expect(try stage.balance() == [0, 10_000, 0, 0, 0])
    }

    // MARK: - Views

    /// Two sales, a payout, a refund of what was paid and a second payout, on five days.
    private func story() throws -> (stage: MoneyStage, times: [String]) {
        let stage = try MoneyStage(holdDays: 1)
        var times: [String] = []
        func nextDay() {
            stage.runJobs()
            times.append(stage.service.clock.clock.now().rfc3339)
            stage.service.clock.advance(days: 1)
        }
        let (conversion, _) = try stage.sale("a", 100_000)
        nextDay()
        stage.runJobs()
        try stage.paid("=p1, \"first\"")
        nextDay()
        try stage.refund(conversion, "1", 40_000)
        _ = try stage.sale("b", 50_000)
        nextDay()
        stage.runJobs()
        try stage.paid("p2")
        nextDay()
        return (stage, times)
    }

    @Test("in a statement of any period opening and lines add up to closing, and periods join")
    func statement() throws {
        let (stage, times) = try story()
        defer { stage.service.stop() }
        let path = "/v1/participants/\(stage.participant)/statement"
        var previous = [Int64](repeating: 0, count: 5)
        for (from, to) in zip([nil] + times.map(Optional.init), times.map(Optional.init) + [nil]) {
            let query = [from.map { "from=\($0)" }, to.map { "to=\($0)" }].compactMap(\.self)
            let answer = try stage.service.get(path + "?" + query.joined(separator: "&"))
            #expect(answer.status == 200, "\(answer.text)")
            let opening = MoneyStage.amounts(answer.json["opening"]?.objectValue ?? [:])
            let closing = MoneyStage.amounts(answer.json["closing"]?.objectValue ?? [:])
            let lines = answer.json["lines"]?.arrayValue?.compactMap(\.objectValue) ?? []
            let sum = lines.map(MoneyStage.amounts).reduce(opening) { zip($0, $1).map(+) }
            #expect(sum == closing)
            #expect(opening == previous)
            previous = closing
        }
        #expect(try stage.balance() == previous)
        #expect(previous == [0, 0, 0, 11_000, 0])
        let whole = try stage.service.get(path)
        let kinds = whole.json["lines"]?.arrayValue?.compactMap {
            $0.objectValue?["kind"]?.stringValue
        }
        #expect(
            kinds == [
                "reward_granted", "reward_approved", "payout_submitted", "payout_paid",
                "reward_clawed_back", "reward_granted", "reward_approved", "payout_clawback",
                "payout_submitted", "payout_paid",
            ])
    }

    @Test("a balance as of an earlier time is what it was then; after the last commit is refused")
    func balanceAsOf() throws {
        let (stage, times) = try story()
        defer { stage.service.stop() }
        #expect(try stage.balance(asOf: times[0]) == [10_000, 0, 0, 0, 0])
        #expect(try stage.balance(asOf: times[1]) == [0, 0, 0, 10_000, 0])
        #expect(try stage.balance(asOf: times[2]) == [5_000, 0, 0, 10_000, 4_000])
        let path = "/v1/participants/\(stage.participant)/balance?as_of="
        let answer = try stage.service.get(path + times[3])
        #expect(answer.status == 400)
        #expect(answer["errors.0.pointer"] == "/as_of")
        _ = try stage.qualified("later")
        #expect(try stage.balance(asOf: times[3]) == [0, 0, 0, 11_000, 0])
        #expect(try stage.balance(asOf: "2001-01-01T00:00:00.000Z") == [0, 0, 0, 0, 0])
    }

    @Test("the books prove themselves after all of it, also against a head kept earlier")
    func verification() throws {
        let (stage, _) = try story()
        defer { stage.service.stop() }
        let head = try stage.service.get("/v1/ledger/head")
        let sequence = try #require(head.json["sequence"]?.integerValue)
        let hash = try #require(head.json["hash"]?.stringValue)
        _ = try stage.qualified("later")
        let path = "/v1/ledger/verify?head=\(sequence):"
        #expect(try stage.service.get(path + hash)["sound"] == true)
        let other = (hash.hasPrefix("0") ? "1" : "0") + hash.dropFirst()
        let report = try stage.service.get(path + other)
        #expect(report["sound"] == false)
        let faults = report.json["faults"]?.arrayValue ?? []
        #expect(faults.count >= 1)
    }

    @Test("payouts as CSV: one row each, exact amounts, quoted, and no formula for a spreadsheet")
    func payoutsAsCSV() throws {
        let (stage, _) = try story()
        defer { stage.service.stop() }
        let answer = try stage.service.get("/v1/payouts.csv")
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "text/csv; charset=utf-8; header=present")
        #expect(answer.header("content-disposition")?.hasPrefix("attachment;") == true)
        let rows = answer.text.components(separatedBy: "\r\n")
        #expect(rows.count == 4 && rows[3].isEmpty)
        #expect(rows[0].hasPrefix(ExportRow.columns.joined(separator: ",") + ",payout_id,email,"))
        #expect(rows[1].contains(",\"'=p1, \"\"first\"\"\","))
        #expect(rows[1].contains(",paid,") && rows[1].contains(",Ada Lovelace,,USD,10000,100.00,"))
        #expect(rows[1].contains(",cash,10000,0,10000,100.00,0,1,"))
        #expect(rows[2].contains(",p2,"))
        #expect(rows[2].contains(",USD,1000,10.00,"))
        #expect(rows[2].contains(",cash,5000,4000,1000,10.00,0,1,"))
        let none = try stage.service.get("/v1/payouts.csv?status=failed").text
        #expect(none == rows[0] + "\r\n")
    }

    @Test("a statement as CSV has the statement's lines between opening and closing")
    func statementAsCSV() throws {
        let (stage, _) = try story()
        defer { stage.service.stop() }
        let path = "/v1/participants/\(stage.participant)/statement"
        let lines = try stage.service.get(path).json["lines"]?.arrayValue ?? []
        let rows = try stage.service.get(path + ".csv").text.components(separatedBy: "\r\n")
        #expect(rows.count == lines.count + 4)
        #expect(rows[1].hasPrefix(",,opening,,\(stage.program),"))
        #expect(rows[1].hasSuffix(",USD,,,0,0,0,0,0,0,0.00,,,,,,,,,,"))
        #expect(rows[rows.count - 2].hasPrefix(",,closing,,\(stage.program),"))
        #expect(rows[rows.count - 2].hasSuffix(",USD,,,0,0,0,11000,0,0,0.00,,,,,,,,,,"))
    }

    @Test("a reward is explained with rule, arithmetic, hold and journal, in the same words later")
    func explanation() throws {
        let stage = try MoneyStage(
            holdDays: 7, threshold: 50_000,
            rules: [
                [
                    "trigger": "conversion", "recipient": "referrer", "kind": "cash",
                    "basis_points": 1_250, "max_amount": MoneyStage.usd(10_000),
                ]
            ])
        defer { stage.service.stop() }
        let exact = try stage.sale("a", 40_004).reward
        let capped = try stage.sale("b", 100_000).reward
        let first = try stage.service.get("/v1/rewards/\(exact)/explain")
        let words = try #require(first.json["summary"]?.stringValue)
        // 40004 × 1250 ÷ 10000 is 5000.5: the half goes to the even neighbour.
        #expect(words.contains("40004 × 1250 ÷ 10000"))
        #expect(words.contains("5000 USD minor units"))
        #expect(first["basis.arithmetic.remainder"] == 5_000)
        #expect(first.json["hold"]?.stringValue?.contains("50000 minor units") == true)
        #expect(first["transactions.0.kind"] == "reward_granted")
        let second = try stage.service.get("/v1/rewards/\(capped)/explain")
        #expect(second.json["summary"]?.stringValue?.contains("= 12500, capped") == true)

        let rule = try #require(try stage.reward(exact).json["rule_id"]?.stringValue)
        let change = try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)/reward_rules/\(rule)", ["basis_points": 1],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(change.status == 200, "\(change.text)")
        stage.service.clock.advance(days: 8)
        stage.runJobs()
        let later = try stage.service.get("/v1/rewards/\(exact)/explain")
        #expect(later.json["summary"] == first.json["summary"])
        #expect(later.json["basis"] == first.json["basis"])
        #expect(later["transactions.1.kind"] == "reward_approved")
    }

    @Test("a sale is explained touch by touch")
    func saleExplanation() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        let answer = try stage.service.get("/v1/conversions/\(conversion)/explain")
        #expect(answer.status == 200)
        #expect(answer["reward_ids"] == [.string(reward)])
        #expect(answer.json["summary"]?.stringValue?.isEmpty == false)
        #expect(answer.text.contains(stage.participant))
        #expect(!answer.text.contains("buyer.example"))
    }
}
