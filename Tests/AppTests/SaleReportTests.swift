import Foundation
import Glibc
import JSON
import Model
import Testing

@testable import App

/// One sale that several channels report: credit and money do not depend on which came first.
struct SaleReportTests {
    private static func click(_ stage: CreditStage, _ name: String) throws -> String {
        let answer = try stage.service.send(
            "GET", "/r/code-\(name)", key: nil,
            headers: [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101")])
        let location = try #require(answer.header("location"), "\(answer.text)")
        // Two clicks of one instant would be told apart by participant.
        stage.service.clock.advance(seconds: 1)
        let rest = try #require(location.components(separatedBy: "click_id=").last)
        return String(rest.prefix { $0 != "&" })
    }

    private static func report(
        _ stage: CreditStage, _ name: String, _ more: JSONObject = [:], amount: Int64 = 100_000
    ) throws -> TestAnswer {
        var body: JSONObject = [
            "program_id": .string(stage.program), "external_id": .string(name), "kind": "purchase",
            "amount": MoneyStage.usd(amount),
        ]
        for (key, value) in more { body[key] = value }
        return try stage.service.post("/v1/conversions", .object(body))
    }

    private static let named: JSONObject = ["customer": ["external_id": "c1"]]

    private static func with(_ more: JSONObject, _ rest: JSONObject = named) -> JSONObject {
        var body = rest
        for (key, value) in more { body[key] = value }
        return body
    }

    @Test("the server's notice and the page's return together say who referred the sale")
    func twoChannels() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(stage, "ada")
        let first = try Self.report(stage, "order-1", Self.named)
        #expect(first.status == 201)
        #expect(first["rewards"] == [])
        let second = try Self.report(
            stage, "order-1", ["click_id": .string(click), "subscription": "sub-1"])
        #expect(second.status == 200)
        #expect(second["id"] == first["id"] && second["subscription"] == "sub-1")
        #expect(second["attribution.cause"] == "report")
        #expect(second["click_id"] == .string(click))
        #expect(try stage.credits(first.id()) == [stage.ada: 100_000])
        #expect(try stage.balance(stage.ada) == [0, 10_000, 0, 0, 0])
        // Once more says nothing new.
        let third = try Self.report(stage, "order-1", ["click_id": .string(click)])
        #expect(third.status == 200 && third["attribution.id"] == second["attribution.id"])
        #expect(
            try stage.service.list("/v1/events?type=conversion.reported_again").count == 1)
        try stage.expectSoundBooks()
    }

    @Test("credit moves with its money where a further report says more, and back to nobody else")
    func moves() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(stage, "ada")
        let first = try Self.report(
            stage, "order-1", Self.with(["click_id": .string(click)]))
        #expect(try stage.balance(stage.ada) == [0, 10_000, 0, 0, 0])
        // A typed code goes first, whichever channel heard it.
        let second = try Self.report(stage, "order-1", Self.with(["code": "code-ben"]))
        #expect(second.status == 200 && second["attribution.rung"] == "code")
        #expect(try stage.credits(first.id()) == [stage.ben: 100_000])
        #expect(try stage.balance(stage.ada) == [0, 0, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 10_000, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    @Test("a ref alone becomes the click that left it, and a code counts at the earliest time")
    func absorbed() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(stage, "ada")
        stage.service.clock.advance(days: 2)
        let first = try Self.report(
            stage, "order-1", Self.with(["ref": "code-ada", "occurred_at": stage.ago(0.1)]))
        #expect(first["attribution.touches"]?.arrayValue?.count == 1)
        let second = try Self.report(
            stage, "order-1",
            Self.with([
                "click_id": .string(click), "code": "code-ben", "occurred_at": stage.ago(0.5),
            ]))
        let touches = second["attribution.touches"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(touches.map { $0["kind"] } == ["click", "code"])
        #expect(touches.last?["occurred_at"] == second["occurred_at"])
        #expect(second["occurred_at"] != first["occurred_at"])
    }

    @Test("what a further report says otherwise is refused, what the first lacked is added")
    func conflicts() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        func lead(_ email: String) throws -> String {
            try stage.service.make(
                "/v1/leads",
                ["participant_id": .string(stage.ada), "email": .string(email)])
        }
        let leads = try [lead("grace@buyer.example"), lead("hopper@buyer.example")]
        let time = stage.ago(2)
        let first = try Self.report(stage, "order-1", Self.with(["occurred_at": time]))
        for more in [
            ["customer": ["email": "grace@buyer.example"]],
            ["customer": ["external_id": "c1", "email": "Grace@Buyer.example"]],
            ["lead_id": .string(leads[0])], ["subscription": "sub-1"], ["product": "pro"],
            ["occurred_at": stage.ago(1.1)], ["occurred_at": stage.ago(2.05)],
        ] as [JSONObject] {
            let again = try Self.report(stage, "order-1", Self.with(more))
            #expect(again.status == 200, "\(more): \(again.text)")
            #expect(again["id"] == first["id"])
        }
        for (more, field) in [
            (["customer": ["external_id": "c2"]], "customer"),
            (["customer": ["external_id": "c1", "email": "x@buyer.example"]], "customer"),
            (["lead_id": .string(leads[1])], "lead_id"),
            (["subscription": "sub-2"], "subscription"),
            (["product": "free"], "product"), (["kind": "upsell"], "kind"),
            (["amount": MoneyStage.usd(1)], "amount"),
            (["occurred_at": stage.ago(3.2)], "occurred_at"),
        ] as [(JSONObject, String)] {
            let refused = try Self.report(stage, "order-1", Self.with(more))
            #expect(refused.status == 409, "\(more): \(refused.text)")
            #expect(refused["code"] == "external_id_taken")
            #expect(refused.pointer == "/\(field)")
        }
        let sale = try stage.service.get("/v1/conversions/\(first.id())")
        #expect(sale["lead_id"] == .string(leads[0]) && sale["product"] == "pro")
        try stage.expectSoundBooks()
    }

    @Test("a day after the first report, a further one adds what it says and decides nothing")
    func late() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(stage, "ada")
        let first = try Self.report(stage, "order-1", Self.named)
        stage.service.clock.advance(hours: 25)
        let late = try Self.report(
            stage, "order-1", ["click_id": .string(click), "subscription": "sub-1"])
        #expect(late.status == 200 && late["subscription"] == "sub-1")
        #expect(late["attribution.id"] == first["attribution.id"] && late["rewards"] == [])
        #expect(
            try stage.explain(first.id())["late_touches"]?.arrayValue?.count == 1)
        _ = try stage.reattribute(first.id())
        #expect(try stage.credits(first.id()) == [stage.ada: 100_000])
        try stage.expectSoundBooks()
    }

    @Test(
        "what a person or a payout has decided stays",
        arguments: ["void", "payout", "reattribute", "none"])
    func decided(by what: String) throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(stage, "ada")
        let first = try Self.report(stage, "order-1", Self.with(["click_id": .string(click)]))
        let reward = try #require(first["rewards.0.id"]?.stringValue)
        switch what {
        case "void":
            #expect(
                try stage.service.post("/v1/rewards/\(reward)/void", ["reason": "x"]).status == 200)
        case "payout": try stage.pay(stage.ada, "p-1")
        case "reattribute":
            _ = try stage.reattribute(
                first.id(), ["credits": [["participant_id": .string(stage.eve), "parts": 1]]])
        default: break
        }
        let second = try Self.report(stage, "order-1", Self.with(["code": "code-ben"]))
        #expect(second.status == 200)
        #expect((try stage.credits(first.id()) == [stage.ben: 100_000]) == (what == "none"))
        #expect((try stage.balance(stage.ben) == [0, 10_000, 0, 0, 0]) == (what == "none"))
        try stage.expectSoundBooks()
    }

    @Test("what a further report added to the sale is not forgotten by a new decision")
    func redecided() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.service.make(
            "/v1/programs/\(stage.program)/reward_rules",
            ["trigger": "conversion", "amount": MoneyStage.usd(700), "products": ["pro"]])
        let click = try Self.click(stage, "ada")
        let first = try Self.report(stage, "order-1", Self.with(["click_id": .string(click)]))
        #expect(try stage.balance(stage.ada) == [0, 10_000, 0, 0, 0])
        let second = try Self.report(stage, "order-1", Self.with(["product": "pro"]))
        #expect(second.status == 200 && second["product"] == "pro")
        #expect(try stage.balance(stage.ada) == [0, 10_700, 0, 0, 0])
        let shared: JSONValue = [
            ["participant_id": .string(stage.ada), "parts": 1],
            ["participant_id": .string(stage.ben), "parts": 1],
        ]
        _ = try stage.reattribute(first.id(), ["credits": shared])
        #expect(try stage.balance(stage.ada) == [0, 5_350, 0, 0, 0])
        #expect(try stage.balance(stage.ben) == [0, 5_350, 0, 0, 0])
        try stage.expectSoundBooks()
    }

    // MARK: - Any order

    /// What a report of a trial may say; names of clicks and leads are filled in for each order.
    private struct Draft {
        var clicks: [String] = []
        var names: Set<String> = []
        var isOfLead = false
        /// Days before the reports.
        var refAt: Double?
        var occurredAt: Double?
        var body: JSONObject = [:]

        init(_ random: inout SeededGenerator) {
            let people = ["ada", "ben", "eve"]
            func chance(_ one: Int, _ random: inout SeededGenerator) -> Bool {
                Int.random(in: 0..<one, using: &random) == 0
            }
            if chance(2, &random) {
                clicks = people.filter { _ in Bool.random(using: &random) }
            }
            if chance(3, &random) {
                body["ref"] = .string("code-\(people.randomElement(using: &random) ?? "ada")")
                if chance(2, &random) {
                    refAt = Double.random(in: 2...40, using: &random)
                }
            }
            if chance(4, &random) {
                body["code"] = .string("code-\(people.randomElement(using: &random) ?? "ada")")
            }
            names = Set(["external_id", "email"].filter { _ in Bool.random(using: &random) })
            if names.isEmpty && clicks.isEmpty && body.isEmpty { names = ["external_id"] }
            if chance(2, &random) {
                occurredAt = Double.random(in: 0...0.45, using: &random)
            }
            if chance(4, &random) { body["product"] = "pro" }
            if chance(4, &random) { body["subscription"] = "sub" }
            isOfLead = chance(8, &random)
        }
    }

    @Test("reports of one sale in any order give the same credit, rung and money")
    func anyOrder() throws {
        let given = getenv("REFERRALD_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: .min ... .max)
        print("REFERRALD_SEED=\(seed)")
        var random = SeededGenerator(seed: seed)
        for model in AttributionModel.allCases {
            let codes = ["first", "touch", "last"].randomElement(using: &random) ?? "first"
            let stage = try CreditStage(
                ["model": .string(model.rawValue), "codes": .string(codes)], kind: "partner")
            defer { stage.service.stop() }
            _ = try stage.service.make(
                "/v1/programs/\(stage.program)/reward_rules",
                ["trigger": "conversion", "amount": MoneyStage.usd(700), "products": ["pro"]])
            for trial in 0..<5 {
                let drafts = (0..<Int.random(in: 2...3, using: &random)).map { _ in
                    Draft(&random)
                }
                var outcomes: [String] = []
                for order in Self.orders(drafts.count) {
                    let name = "\(model.rawValue)-\(trial)-\(outcomes.count)"
                    outcomes.append(try Self.outcome(stage, name, drafts, order))
                }
                guard Set(outcomes).count == 1 else {
                    Issue.record("\(model) \(codes): \(drafts): \(outcomes)")
                    return
                }
            }
            try stage.expectSoundBooks()
        }
    }

    private static func orders(_ count: Int) -> [[Int]] {
        count == 2
            ? [[0, 1], [1, 0]]
            : [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    }

    /// Who is credited with what, by which rung, and what each has more than before.
    private static func outcome(
        _ stage: CreditStage, _ name: String, _ drafts: [Draft], _ order: [Int]
    ) throws -> String {
        let email = "\(name)@\(name.replacingOccurrences(of: "_", with: "-")).example"
        var clicks: [String: String] = [:]
        for person in ["ada", "ben", "eve"] { clicks[person] = try click(stage, person) }
        var lead: String?
        if drafts.contains(where: \.isOfLead) {
            lead = try stage.service.make(
                "/v1/leads",
                ["participant_id": .string(stage.eve), "email": .string("lead-" + email)])
        }
        stage.service.clock.advance(days: 1)
        let now = stage.service.clock.clock.now()
        func ago(_ days: Double) -> JSONValue {
            .string(now.advanced(byMilliseconds: -Int64(days * 86_400_000)).rfc3339)
        }
        let people = [stage.ada, stage.ben, stage.eve]
        let before = try people.map { try stage.balance($0) }
        var sale = ""
        for place in order {
            let draft = drafts[place]
            var body = draft.body
            if !draft.clicks.isEmpty {
                body["click_id"] = .array(
                    draft.clicks.compactMap { clicks[$0].map { .string($0) } })
            }
            body["ref_at"] = draft.refAt.map(ago)
            body["occurred_at"] = draft.occurredAt.map(ago)
            var customer = JSONObject()
            if draft.names.contains("external_id") { customer["external_id"] = .string(name) }
            if draft.names.contains("email") { customer["email"] = .string(email) }
            if !customer.isEmpty { body["customer"] = .object(customer) }
            if draft.isOfLead { body["lead_id"] = lead.map { .string($0) } }
            let answer = try report(stage, name, body)
            #expect([200, 201].contains(answer.status), "\(answer.text)")
            sale = try answer.id()
        }
        let result = try stage.service.get("/v1/conversions/\(sale)/attribution")
        let credits = try stage.credits(sale).sorted { $0.key < $1.key }
        let money = try zip(people, before).map { person, old in
            zip(try stage.balance(person), old).map { $0 - $1 }
        }
        return "\(result["rung"] ?? .null) \(result["reason"] ?? .null) \(credits) \(money)"
    }
}
