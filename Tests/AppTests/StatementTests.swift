import Foundation
import JSON
import Model
import Testing

@testable import App

/// Statements over the real server: their periods, their words, their page; and that every endpoint
/// tells the same balance at every instant.
struct StatementTests {
    // MARK: - One balance

    /// A random life of a participant's money, its seed printed.
    private struct Player {
        let stage: MoneyStage
        var random: SeededGenerator
        var sales: [(conversion: String, amount: Int64, refunded: Int64)] = []
        var count = 0

        /// Does something; what it does may be refused.
        mutating func play() throws {
            count += 1
            let service = stage.service
            service.clock.advance(seconds: Int64.random(in: 1...400_000, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3:
                let amount = Int64.random(in: 100...700_000, using: &random)
                let conversion = try stage.sale("\(count)", amount).conversion
                sales.append((conversion, amount, 0))
            case 4...5:
                guard let place = sales.indices.randomElement(using: &random) else { return }
                let left = sales[place].amount - sales[place].refunded
                guard left > 0 else { return }
                let amount = Int64.random(in: 1...left, using: &random)
                try stage.refund(sales[place].conversion, "\(count)", amount)
                sales[place].refunded += amount
            case 6:
                guard let waiting = try stage.rewards("&status=review").first?["id"]?.stringValue
                else { return }
                let action = Bool.random(using: &random) ? "approve" : "reject"
                try service.post(
                    "/v1/rewards/\(waiting)/\(action)",
                    action == "reject" ? ["reason": "because"] : [:])
            case 7:
                try service.post(
                    "/v1/payouts",
                    [
                        "participant_id": .string(stage.participant),
                        "reference": .string("p\(count)"),
                    ])
            default:
                let open = try service.list("/v1/payouts?limit=5")
                guard let payout = open.randomElement(using: &random),
                    let id = payout["id"]?.stringValue
                else { return }
                let part = Int64.random(in: 1...2_000, using: &random)
                let actions: [(String, JSONValue)] = [
                    ("submit", [:]), ("submit", [:]), ("confirm", [:]),
                    ("confirm", ["paid_amount": MoneyStage.usd(part)]),
                    ("fail", ["reason": "no"]), ("cancel", [:]), ("mark_unknown", [:]),
                ]
                guard let (action, body) = actions.randomElement(using: &random) else { return }
                try service.post("/v1/payouts/\(id)/\(action)", body)
            }
        }

        /// What each endpoint says now, and the instant of the last commit.
        func views() throws -> (asOf: String, views: [String: [Int64]]) {
            let service = stage.service
            let path = "/v1/participants/\(stage.participant)"
            let balance = try service.get(path + "/balance")
            let asOf = try #require(balance["as_of"]?.stringValue)
            var accounts = [Int64](repeating: 0, count: 5)
            let names = [
                "participant_pending", "participant_available", "payout_clearing", "paid_out",
                "clawback_receivable",
            ]
            for account in try service.list(
                "/v1/ledger/accounts?limit=100&participant_id=\(stage.participant)")
            {
                let kind = try #require(account["kind"]?.stringValue)
                guard let place = names.firstIndex(of: kind) else { continue }
                accounts[place] = (account["balance"]?.integerValue ?? 0) * (place == 4 ? 1 : -1)
            }
            return (
                asOf,
                [
                    "balance": MoneyStage.amounts(balance["balances.0"]?.objectValue ?? [:]),
                    "summary": try amounts(path + "/summary", "balance"),
                    "statement": try amounts(path + "/statement", "closing"),
                    "journal": accounts,
                ]
            )
        }

        func amounts(_ path: String, _ member: String) throws -> [Int64] {
            MoneyStage.amounts(try stage.service.get(path)[member]?.objectValue ?? [:])
        }
    }

    @Test("balance, summary, statement and journal agree at every instant, now and later")
    func oneBalance() throws {
        let seed =
            ProcessInfo.processInfo.environment["REFERRALD_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: 0...UInt64.max)
        print("REFERRALD_SEED=\(seed)")
        let stage = try MoneyStage(threshold: 50_000)
        defer { stage.service.stop() }
        var player = Player(stage: stage, random: SeededGenerator(seed: seed))
        var known: [(asOf: String, amounts: [Int64])] = []
        for step in 0..<80 {
            try player.play()
            let (asOf, views) = try player.views()
            try #require(Set(views.values).count == 1, "seed \(seed), step \(step): \(views)")
            known.append((asOf, try #require(views["balance"])))
        }
        let path = "/v1/participants/\(stage.participant)"
        for (place, moment) in known.enumerated() {
            // At the instant itself, and at any later one before the next.
            let start = try #require(Instant(rfc3339: moment.asOf))
            let next = known.indices.contains(place + 1) ? known[place + 1].asOf : moment.asOf
            let end = try #require(Instant(rfc3339: next)).milliseconds - 1
            let between = Int64.random(
                in: start.milliseconds...max(start.milliseconds, end), using: &player.random)
            for instant in [start, Instant(milliseconds: between)] {
                let query = "?as_of=\(instant.rfc3339)"
                #expect(
                    try stage.balance(asOf: instant.rfc3339) == moment.amounts, "seed \(seed)")
                #expect(
                    try player.amounts(path + "/statement" + query, "closing") == moment.amounts,
                    "seed \(seed)")
            }
        }
        try stage.expectSoundBooks()
    }

    // MARK: - Periods

    @Test("a month is a period, its closing balance opens the next, and it excludes from and to")
    func month() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        func month(_ clock: TestClock) -> String {
            String(CivilDay.text(clock.clock.now().day).prefix(7))
        }
        let first = month(stage.service.clock)
        _ = try stage.sale("a", 100_000)
        while month(stage.service.clock) == first { stage.service.clock.advance(days: 1) }
        let second = month(stage.service.clock)
        try stage.paid("p1")
        let path = "/v1/participants/\(stage.participant)/statement"
        let before = try stage.service.get(path + "?month=\(first)")
        let after = try stage.service.get(path + "?month=\(second)")
        #expect(before["lines"]?.arrayValue?.count == 2)
        #expect(after["lines"]?.arrayValue?.count == 2)
        #expect(before["from"] == .string("\(first)-01T00:00:00.000Z"))
        #expect(before["to"] == .string("\(second)-01T00:00:00.000Z"))
        #expect(before["closing"] == after["opening"])
        #expect(after["closing.paid"] == 10_000)
        let both = try stage.service.get(path + "?month=\(first)&to=2027-01-01T00:00:00Z")
        #expect(both.status == 422 && both.pointer == "/to")
        for wrong in ["2026-13", "0000-01", "2026-1", "2026-01-01"] {
            #expect(try stage.service.get(path + "?month=\(wrong)").status == 400, "\(wrong)")
        }
        let late = try stage.service.get(path + "?as_of=2999-01-01T00:00:00Z")
        #expect(late.status == 400 && late.pointer == "/as_of")
    }

    @Test("the first and the last month and instant are periods like any other")
    func edges() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        _ = try stage.sale("a", 100_000)
        let statement = "/v1/participants/\(stage.participant)/statement"
        let (first, last) = ("0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z")
        for (month, from, to) in [
            ("0001-01", first, "0001-02-01T00:00:00.000Z" as JSONValue),
            ("9999-11", "9999-11-01T00:00:00.000Z", "9999-12-01T00:00:00.000Z"),
            ("9999-12", "9999-12-01T00:00:00.000Z", .null),
        ] {
            for form in ["", ".csv", ".html"] {
                #expect(try stage.service.get("\(statement)\(form)?month=\(month)").status == 200)
            }
            let answer = try stage.service.get("\(statement)?month=\(month)")
            #expect(answer["from"] == .string(from))
            #expect(answer["to"] == to)
            #expect(answer["lines"] == [])
        }
        let whole = try stage.service.get("\(statement)?from=\(first)&to=\(last)")
        #expect(whole["lines"]?.arrayValue?.count == 2)
        #expect(try stage.service.get("\(statement)?as_of=\(first)")["lines"] == [])
        let report = "/v1/reports/funnel?program_id=\(stage.program)"
        let compare = "/v1/programs/\(stage.program)/compare"
        for (path, status) in [
            ("\(statement)?from=\(last)&to=\(first)", 422), ("\(statement)?as_of=\(last)", 400),
            ("\(statement)?month=10000-01", 400), ("\(statement)?from=0000-12-31T23:59:59Z", 400),
            ("\(report)&from=\(first)&to=\(last)", 200), ("\(report)&to=0001-01-01", 200),
            ("\(report)&from=9999-12-31", 422), ("\(report)&from=9999-12-31&to=\(last)", 200),
            ("\(compare)?from=\(first)&to=\(last)", 200),
            ("/v1/protection?domain=acme.example&as_of=\(first)", 200),
            ("/v1/participants/\(stage.participant)/balance?as_of=\(first)", 200),
        ] {
            let answer = try stage.service.get(path)
            #expect(answer.status == status, "\(path): \(answer.text)")
        }
    }

    // MARK: - Words

    @Test("every line says what happened, with reward, rule and version, sale, refund and payout")
    func words() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        let payout = try stage.paid("november")
        let refund = try stage.refund(conversion, "1", 40_000)
        _ = try stage.sale("b", 50_000)
        let second = try stage.submitted("december")
        try stage.service.post("/v1/payouts/\(second)/fail", ["reason": "closed"])
        let path = "/v1/participants/\(stage.participant)/statement"
        let statement = try stage.service.get(path)
        let lines = statement["lines"]?.arrayValue?.compactMap(\.objectValue) ?? []
        let words = lines.compactMap { $0["description"]?.stringValue }
        let rule = try #require(try stage.reward(reward)["rule_id"]?.stringValue)
        let by = "by rule \(rule), version 1"
        #expect(words.count == lines.count)
        #expect(words[0] == "Reward of 100.00 USD for sale \(conversion) \(by) is granted.")
        #expect(
            words[1] == "The reward \(reward) for sale \(conversion) \(by) is approved: "
                + "100.00 USD for the next payout.")
        #expect(words[2] == "Payout \(payout) (november) of 100.00 USD is on its way.")
        #expect(words[3] == "Payout \(payout) (november) is paid: 100.00 USD.")
        #expect(words[4].hasPrefix("Refund refund_"))
        #expect(words[4].contains(" of sale \(conversion): 40.00 USD, which was paid"))
        #expect(words[4].hasSuffix("is owed back of the reward \(reward) \(by)."))
        #expect(words[7] == "Payout \(second) (december) keeps back 40.00 USD that is owed.")
        #expect(words[9] == "Payout \(second) (december) has failed: 10.00 USD is available again.")
        #expect(
            words[10] == "Payout \(second) (december) came to nothing: 40.00 USD is owed again.")
        #expect(lines[0]["rule_version"] == 1 && lines[0]["rule_id"] == .string(rule))
        #expect(lines[2]["payout_reference"] == "november")
        #expect(refund.status == 201)
        let csv = try stage.service.get(path + ".csv").text
        for sentence in words {
            let isQuoted = sentence.contains { $0 == "," || $0 == ";" }
            #expect(csv.contains(isQuoted ? ",\"\(sentence)\"\r\n" : ",\(sentence)\r\n"))
        }
    }

    // MARK: - Page

    @Test("the page has every line, escaped, in the currency's decimals, and runs no script")
    func page() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        try stage.service.send(
            "PATCH", "/v1/participants/\(stage.participant)",
            ["name": "<script>alert(1)</script> & Söhne"])
        let (conversion, _) = try stage.sale("a", 123_450)
        try stage.paid("<b>\"p1\"</b>")
        let path = "/v1/participants/\(stage.participant)/statement.html"
        let token = try Scene.token(stage.service, of: stage.participant)
        for key in ["admin", token] {
            let page = try stage.service.get(path, key: key)
            #expect(page.status == 200)
            #expect(page.header("content-type") == "text/html; charset=utf-8")
            let policy = page.header("content-security-policy") ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("script-src"))
            #expect(!page.text.contains("<script") && !page.text.contains("<b>"))
            #expect(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne"))
            #expect(page.text.contains("(&lt;b&gt;&quot;p1&quot;&lt;/b&gt;)"))
            #expect(page.text.contains("@media print"))
            #expect(page.text.contains("Reward of 123.45 USD for sale \(conversion)"))
            #expect(!page.text.contains("http://") && !page.text.contains("https://"))
        }
        let empty = try stage.service.get(path + "?to=2020-01-01T00:00:00Z")
        #expect(empty.text.contains("Nothing happened in this period."))
        #expect(try stage.service.get(path + "?month=2020-13").status == 400)
    }

    // MARK: - Years

    @Test("what was paid is summed by calendar year, cash and account credit apart")
    func years() throws {
        let stage = try PayoutRunTests.Stage(people: 1)
        defer { stage.service.stop() }
        let clock = stage.service.clock
        let ada = JSONValue.string(stage.people[0])
        func year() -> Int64 { CivilDay.year(of: clock.clock.now().day) }
        func pay(_ reference: String, _ kind: String) throws {
            let id = try stage.service.make(
                "/v1/payouts",
                [
                    "participant_id": ada, "reference": .string(reference), "kind": .string(kind),
                ])
            try stage.service.post("/v1/payouts/\(id)/submit")
            try stage.service.post("/v1/payouts/\(id)/confirm")
        }
        let first = year()
        try stage.sale(0, "a", 10_000, kind: "signup")
        try pay("a", "cash")
        try pay("b", "account_credit")
        try stage.sale(0, "b", 5_000)
        while year() == first { clock.advance(days: 1) }
        try pay("c", "cash")
        try stage.sale(0, "c", 70_000)
        let summary = try stage.service.get("/v1/participants/\(stage.people[0])/summary")
        #expect(
            summary["paid_by_year"] == [
                [
                    "year": .integer(first), "amount": 1_700, "restated": false,
                    "cash": 1_000, "account_credit": 700, "gift_card": 0, "donation": 0,
                ],
                [
                    "year": .integer(first + 1), "amount": 500, "restated": false,
                    "cash": 500, "account_credit": 0, "gift_card": 0, "donation": 0,
                ],
            ])
        #expect(summary["balance.paid"] == 2_200)
    }
}
