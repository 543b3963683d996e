import Foundation
import JSON
import Testing

@testable import App

/// Sends the requests of one row of `KeyTable.keys`. Each cell has names of its own, so that they
/// do not meet.
final class KeyProbe {
    let name: String
    let scene: Scene
    /// What the cell's requests are about; made once for each cell.
    private var objects: [String: String] = [:]
    private var count = 0

    /// The unique indexes that each name stands behind.
    static let columns: [String: [String]] = [
        "sale external_id": ["conversions(program_id,external_id)"],
        "refund external_id": ["refunds(program_id,external_id)"],
        "reversal external_id": ["refund_reversals(program_id,external_id)"],
        "touchpoint external_id": ["touchpoints(program_id,external_id)"],
        "touchpoint click_id": ["touchpoints(click_id,customer_id)"],
        "customer external_id": ["customers(external_id,program_id)"],
        "customer email": ["customers(email_key,program_id)"],
        "subscription of a sale": [],
        "lead email": [],
        "participant external_id": ["participants(program_id,external_id)"],
        "participant email": ["participants(program_id,email_key)"],
        "link code": ["links(code_key)"],
        "account external_id": ["accounts(external_id)"],
        "account domain": ["accounts(domain_key)"],
        "registration domain": [],
        "disputed registration": ["disputes(claim_id,contested_id)"],
        "payout reference": ["payouts(reference)"],
        "payout run reference": ["payout_runs(reference)"],
        "catalogue sku": ["catalog_items(program_id,sku)"],
        "redemption reference": ["redemptions(participant_id,reference)"],
        "Idempotency-Key": ["idempotency_answers(request_key)"],
    ]
    static let all = columns.keys.sorted()

    private typealias Row = KeyTable.Key
    private typealias Case = KeyTable.Case

    init(_ name: String) throws {
        self.name = name
        scene = try Scene(TestService())
    }

    private var service: TestService { scene.service }
    private var ada: JSONValue { .string(scene.ada.id) }
    private var program: JSONValue { .string(scene.program) }

    func row() throws -> KeyTable.Key {
        KeyTable.Key(
            name: name, again: try cell("again") { try send("again", $0) },
            blank: try cell("blank") { try send("blank", "\u{FEFF} \($0)\u{A0} ") },
            letters: try cell("letters") { try send("letters", $0.uppercased()) },
            channel: try other("channel", channel), late: try other("late", late),
            reversal: try other("reversal", reversal))
    }

    private func other(
        _ cell: String, _ body: (String) throws -> (String, TestAnswer)?
    ) throws -> KeyTable.Case {
        var what = ""
        let answer = try self.cell(cell) { key in
            guard let found = try body(key) else { return nil }
            what = found.0
            return found.1
        }
        return KeyTable.Case(what, answer)
    }

    /// Sends the first request, then `body`'s, and says what became of it.
    private func cell(_ cell: String, _ body: (String) throws -> TestAnswer?) throws -> String {
        let key =
            name == "registration domain" || name == "account domain" || name.hasSuffix("email")
            ? "\(name.hasSuffix("email") ? "sam@" : "")\(cell)-key.example" : "key-\(cell)"
        let first = try send(cell, key)
        #expect((200..<300).contains(first.status), "\(name) \(cell): \(first.text)")
        objects["first " + cell] = first["id"]?.stringValue
        guard let answer = try body(key) else { return "-" }
        guard answer.status < 300 else { return "\(answer.status) \(answer.code ?? "")" }
        if let code = answer["data.0.problem.code"]?.stringValue {
            return "\(answer["data.0.status"]?.integerValue ?? 0) \(code)"
        }
        if name == "lead email" {
            return "\(answer.status) \(answer["status"]?.stringValue ?? "")"
        }
        let isSame = id(first) != nil && id(answer) == id(first)
        return "\(answer.status) \(isSame ? "same" : "other")"
    }

    private func id(_ answer: TestAnswer) -> String? {
        name.hasPrefix("customer ")
            ? answer["customer_id"]?.stringValue
            : (answer["id"] ?? answer["data.0.id"])?.stringValue
    }

    private func once(_ name: String, _ make: () throws -> String) throws -> String {
        if let known = objects[name] { return known }
        let made = try make()
        objects[name] = made
        return made
    }

    private func number() -> Int {
        count += 1
        return count
    }

    // MARK: - Requests

    /// The same request for each cell but for the spelling of `key`.
    private func send(_ cell: String, _ key: String, headers: [(String, String)] = []) throws
        -> TestAnswer
    {
        let (path, body) = try request(cell, .string(key))
        guard name != "Idempotency-Key" else {
            return try service.send(
                "POST", path, body, headers: [("Idempotency-Key", key.filter(\.isASCII))])
        }
        return try service.post(path, body)
    }

    private func request(_ cell: String, _ key: JSONValue) throws -> (String, JSONValue) {
        let customer: JSONValue = ["external_id": .string("buyer \(cell)")]
        switch name {
        case "sale external_id": return ("/v1/conversions", sale(key, customer))
        case "subscription of a sale":
            return (
                "/v1/conversions",
                sale(.string("order \(cell)"), customer, ["subscription": key])
            )
        case "refund external_id":
            let sale = try once("sale \(cell)") { try sold("order \(cell)") }
            return (
                "/v1/conversions/\(sale)/refund",
                ["external_id": key, "amount": MoneyStage.usd(1_000)]
            )
        case "reversal external_id":
            let refund = try once("refund \(cell)") { try refunded("order \(cell)") }
            return ("/v1/refunds/\(refund)/reverse", ["external_id": key, "kind": "mistake"])
        case "touchpoint external_id":
            return ("/v1/touchpoints", touch(customer, ["external_id": key]))
        case "touchpoint click_id":
            let click = try once("click \(cell)") {
                try JourneyTests.click(service, "ada", agent: cell)
            }
            return ("/v1/touchpoints", touch(customer, ["click_id": .string(click)]))
        case "customer external_id": return ("/v1/touchpoints", touch(["external_id": key]))
        case "customer email": return ("/v1/touchpoints", touch(["email": key]))
        case "lead email": return ("/v1/leads", ["participant_id": ada, "email": key])
        case "participant external_id":
            return (
                "/v1/participants", participant("p\(number())@x.example", ["external_id": key])
            )
        case "participant email": return ("/v1/participants", participant(key))
        default: return try further(cell, key)
        }
    }

    private func further(_ cell: String, _ key: JSONValue) throws -> (String, JSONValue) {
        switch name {
        case "link code": return ("/v1/links", ["participant_id": ada, "code": key])
        case "account external_id":
            return (
                "/v1/accounts",
                [
                    "external_id": key, "domain": .string("\(cell)-account.example"),
                    "relation": "customer",
                ]
            )
        case "account domain": return ("/v1/accounts", ["domain": key, "relation": "customer"])
        case "registration domain":
            return ("/v1/registrations", ["participant_id": ada, "account": ["domain": key]])
        case "disputed registration":
            let claim = try once("claim \(cell)") { try refusedClaim(cell) }
            return (
                "/v1/disputes", ["registration_id": .string(claim), "reason": "We were first."]
            )
        case "payout reference":
            _ = try once("sale \(cell)") { try sold("order \(cell)") }
            return ("/v1/payouts", ["participant_id": ada, "reference": key])
        case "payout run reference":
            return ("/v1/programs/\(scene.program)/payout_runs", ["reference": key])
        case "catalogue sku": return ("/v1/catalog_items", item(key))
        case "redemption reference":
            let item = try once("item") { try pointsAndItem() }
            return (
                "/v1/redemptions",
                ["participant_id": ada, "item_id": .string(item), "reference": key]
            )
        default: return ("/v1/links", ["participant_id": ada])
        }
    }

    private func sale(_ id: JSONValue, _ customer: JSONValue, _ more: JSONObject = [:])
        -> JSONValue
    {
        var body: JSONObject = [
            "program_id": program, "external_id": id, "customer": customer, "kind": "purchase",
            "ref": "ada", "amount": MoneyStage.usd(10_000),
        ]
        for (name, value) in more { body[name] = value }
        return .object(body)
    }

    private func touch(_ customer: JSONValue, _ more: JSONObject = [:]) -> JSONValue {
        var body: JSONObject = ["program_id": program, "source": "sales", "customer": customer]
        if more["click_id"] != nil { body["source"] = "referral" }
        for (name, value) in more { body[name] = value }
        return .object(body)
    }

    private func participant(
        _ email: JSONValue, _ more: JSONObject = [:], in other: JSONValue? = nil
    )
        -> JSONValue
    {
        var body: JSONObject = [
            "program_id": other ?? program, "name": "Grace", "email": email,
            "status": "approved",
        ]
        for (name, value) in more { body[name] = value }
        return .object(body)
    }

    private func participant(_ email: String, _ more: JSONObject) -> JSONValue {
        participant(.string(email), more)
    }

    private func item(_ sku: JSONValue, in other: JSONValue? = nil) -> JSONValue {
        [
            "program_id": other ?? program, "sku": sku, "name": "A mug", "kind": "perk",
            "points": 5,
        ]
    }

    private func sold(_ name: String) throws -> String {
        try scene.sale(scene.ada, name.replacingOccurrences(of: " ", with: "-")).id()
    }

    private func refunded(_ name: String) throws -> String {
        try service.make(
            "/v1/conversions/\(sold(name))/refund", ["external_id": .string("refund \(name)")])
    }

    private func pointsAndItem() throws -> String {
        let rules = "/v1/programs/\(scene.program)/reward_rules"
        _ = try service.make(rules, ["trigger": "purchase", "kind": "points", "points": 1_000])
        _ = try sold("points")
        return try service.make("/v1/catalog_items", item("mug"))
    }

    /// Ben's, of an account that Ada has.
    private func refusedClaim(_ cell: String) throws -> String {
        let account: JSONValue = ["domain": .string("\(cell)-contested.example")]
        _ = try service.make("/v1/registrations", ["participant_id": ada, "account": account])
        let refused = try service.post(
            "/v1/registrations", ["participant_id": .string(scene.ben.id), "account": account])
        return try #require(refused["registration_id"]?.stringValue)
    }

    private func elsewhere() throws -> JSONValue {
        .string(
            try once("elsewhere") {
                let id = try service.make("/v1/programs", IdempotencyTests.program)
                #expect(try service.post("/v1/programs/\(id)/activate").status == 200)
                return id
            })
    }

    private func first(_ cell: String) throws -> String {
        try #require(objects["first " + cell])
    }

    // MARK: - The last three columns

    private func channel(_ key: String) throws -> (String, TestAnswer)? {
        let id = JSONValue.string(key)
        switch name {
        case "sale external_id":
            let body = sale(id, ["external_id": "buyer channel"], ["ref": "ben"])
            return ("the browser's report, another ref", try service.post("/v1/conversions", body))
        case "subscription of a sale":
            var body = sale("order channel", ["external_id": "buyer channel"]).objectValue ?? [:]
            body["subscription"] = nil
            return (
                "a report without it", try service.post("/v1/conversions", .object(body))
            )
        case "refund external_id":
            return (
                "POST /v1/refunds",
                try service.post(
                    "/v1/refunds",
                    [
                        "program_id": program, "conversion_external_id": "order-channel",
                        "external_id": id, "amount": MoneyStage.usd(1_000),
                    ])
            )
        case "reversal external_id":
            let other = try refunded("other")
            return (
                "of another refund",
                try service.post(
                    "/v1/refunds/\(other)/reverse", ["external_id": id, "kind": "mistake"])
            )
        case "touchpoint external_id":
            let body = touch(["external_id": "buyer channel"], ["external_id": id])
            return ("in bulk", try service.post("/v1/touchpoints/bulk", ["items": [body]]))
        case "touchpoint click_id":
            let click = JSONValue.string(try once("click channel") { "" })
            let body = touch(["external_id": "somebody else"], ["click_id": click])
            return ("another customer", try service.post("/v1/touchpoints", body))
        case "customer external_id":
            return (
                "in a sale", try service.post("/v1/conversions", sale("o", ["external_id": id]))
            )
        case "customer email":
            return ("in a sale", try service.post("/v1/conversions", sale("o", ["email": id])))
        case "lead email":
            return (
                "another participant",
                try service.post(
                    "/v1/leads", ["participant_id": .string(scene.ben.id), "email": id])
            )
        default: return try furtherChannel(id)
        }
    }

    private func furtherChannel(_ id: JSONValue) throws -> (String, TestAnswer)? {
        switch name {
        case "participant external_id":
            let body = participant("z@x.example", ["external_id": id], in: try elsewhere())
            return ("another program", try service.post("/v1/participants", body))
        case "participant email":
            let body = participant(id, in: try elsewhere())
            return ("another program", try service.post("/v1/participants", body))
        case "link code":
            let body: JSONValue = ["participant_id": ada, "code": id]
            return ("in bulk", try service.post("/v1/links/bulk", ["items": [body]]))
        case "account external_id":
            let body: JSONValue = [
                "external_id": id, "domain": "channel-account.example", "relation": "customer",
            ]
            return ("in bulk", try service.post("/v1/accounts/bulk", ["items": [body]]))
        case "account domain":
            let body: JSONValue = ["domain": id, "relation": "customer"]
            return ("in bulk", try service.post("/v1/accounts/bulk", ["items": [body]]))
        case "registration domain":
            let body: JSONValue = [
                "participant_id": .string(scene.ben.id), "account": ["domain": id],
            ]
            return ("another participant", try service.post("/v1/registrations", body))
        case "payout reference":
            let body: JSONValue = ["participant_id": .string(scene.ben.id), "reference": id]
            return ("another participant", try service.post("/v1/payouts", body))
        case "payout run reference":
            let path = "/v1/programs/\(try elsewhere().stringValue ?? "")/payout_runs"
            return ("another program", try service.post(path, ["reference": id]))
        case "catalogue sku":
            let body = item(id, in: try elsewhere())
            return ("another program", try service.post("/v1/catalog_items", body))
        case "redemption reference":
            let body: JSONValue = [
                "participant_id": .string(scene.ben.id), "reference": id,
                "item_id": .string(try once("item") { "" }),
            ]
            _ = try scene.sale(scene.ben, "points of ben".filter { $0 != " " })
            return ("another participant", try service.post("/v1/redemptions", body))
        case "Idempotency-Key":
            let key = try Scene.key(service, "read", "write").secret
            return (
                "another API key",
                try service.send(
                    "POST", "/v1/links", ["participant_id": ada], key: key,
                    headers: [("Idempotency-Key", id.stringValue ?? "")])
            )
        default: return nil
        }
    }

    private func late(_ key: String) throws -> (String, TestAnswer)? {
        switch name {
        case "refund external_id":
            let body: JSONValue = [
                "program_id": program, "conversion_external_id": "order-later",
                "external_id": "parked", "amount": MoneyStage.usd(1_000),
            ]
            let parked = try service.post("/v1/refunds", body)
            #expect(parked.status == 201 && parked["status"] == "parked", "\(parked.text)")
            let sale = try sold("order later")
            let again = try service.post("/v1/refunds", body)
            #expect(again["id"] == parked["id"] && again.status == 200, "\(again.text)")
            return (
                "first before its sale, then after it by the sale's id",
                try same(
                    parked, as: "late",
                    service.post(
                        "/v1/conversions/\(sale)/refund",
                        ["external_id": "parked", "amount": MoneyStage.usd(1_000)]))
            )
        case "Idempotency-Key":
            service.clock.advance(hours: 25)
            return ("25 hours later", try send("late", key))
        default:
            service.clock.advance(days: 400)
            return ("400 days later", try send("late", key))
        }
    }

    /// The answer to a second request whose first one is not the cell's own.
    private func same(_ first: TestAnswer, as cell: String, _ answer: TestAnswer) throws
        -> TestAnswer
    {
        #expect(answer["id"] == first["id"], "\(answer.text)")
        return try send(cell, "key-\(cell)")
    }

    private func reversal(_ key: String) throws -> (String, TestAnswer)? {
        let first = objects["first reversal"] ?? ""
        func after(_ what: String, _ path: String, _ body: JSONValue = [:]) throws
            -> (String, TestAnswer)
        {
            let answer = try service.post(path, body)
            #expect((200..<300).contains(answer.status), "\(name) \(path): \(answer.text)")
            return (what, try send("reversal", key))
        }
        switch name {
        case "sale external_id", "subscription of a sale":
            return try after(
                "cancelled", "/v1/conversions/\(first)/refund",
                ["external_id": "c", "kind": "cancellation"])
        case "refund external_id":
            return try after(
                "reversed", "/v1/refunds/\(first)/reverse",
                ["external_id": "back", "kind": "mistake"])
        case "customer external_id", "customer email":
            let touch = try service.get("/v1/touchpoints/\(first)")["customer_id"] ?? .null
            let other = try service.post("/v1/touchpoints", self.touch(["external_id": "kept"]))
            return try after(
                "merged into another",
                "/v1/customers/\(other["customer_id"]?.stringValue ?? "")/merge",
                ["customer_id": touch, "reason": "One person"])
        case "lead email":
            return try after(
                "disqualified", "/v1/leads/\(first)/disqualify",
                ["reason_code": "no_budget", "reason": "next year"])
        case "participant external_id", "participant email":
            return try after("closed", "/v1/participants/\(first)/close")
        case "link code": return try after("disabled", "/v1/links/\(first)/disable")
        case "registration domain":
            return try after("withdrawn", "/v1/registrations/\(first)/withdraw")
        case "disputed registration":
            return try after(
                "resolved", "/v1/disputes/\(first)/resolve",
                ["decision": "uphold", "reason": "So be it."])
        case "payout reference": return try after("cancelled", "/v1/payouts/\(first)/cancel")
        case "catalogue sku": return try after("archived", "/v1/catalog_items/\(first)/archive")
        case "redemption reference":
            return try after(
                "cancelled", "/v1/redemptions/\(first)/cancel", ["reason": "None left"])
        case "Idempotency-Key":
            return try after("its link is disabled", "/v1/links/\(first)/disable")
        default: return nil
        }
    }
}

extension KeyTable.Key {
    /// As `KeyTable` says it.
    var source: String {
        func text(_ one: KeyTable.Case) -> String {
            one.what.isEmpty ? "\"\(one.answer)\"" : ".init(\"\(one.what)\", \"\(one.answer)\")"
        }
        return """
                    Key(
                        name: "\(name)",
                        again: "\(again)", blank: "\(blank)", letters: "\(letters)",
                        channel: \(text(channel)),
                        late: \(text(late)),
                        reversal: \(text(reversal))),
            """
    }
}
