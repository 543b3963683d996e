import Foundation
import JSON
import Testing

@testable import App

/// A row of `KeyTable.actions`.
struct ActionRow: Equatable, Sendable, CustomStringConvertible {
    let name: String
    /// The steps before it.
    let from: [String]
    let again: String
    let blank: String
    let token: String
    /// An action that ends the object, and the answer then.
    let end: String
    let late: String
    /// The action that takes this one back, and the answer to it once more.
    let back: String
    let reversal: String

    /// A line that ends in a colon names the noun of those below.
    static let all: [ActionRow] = {
        var rows: [ActionRow] = []
        var noun = ""
        for line in KeyTable.actions.split(separator: "\n") {
            guard line.last != ":" else {
                noun = String(line.dropLast())
                continue
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let (end, back) = (two(cells[4]), two(cells[5]))
            rows.append(
                ActionRow(
                    name: "\(noun)/\(cells[0])",
                    from: cells[6] == "-" ? [] : cells[6].components(separatedBy: " "),
                    again: cells[1], blank: cells[2], token: cells[3], end: end.0, late: end.1,
                    back: back.0, reversal: back.1))
        }
        return rows
    }()

    private static func two(_ cell: String) -> (String, String) {
        let words = cell.split(separator: " ", maxSplits: 1).map(String.init)
        return (words.first ?? "-", words.count > 1 ? words[1] : "")
    }

    /// `/v1/leads/{id}/win` is `leads/win`.
    static func name(_ path: String) -> String {
        path.split(separator: "/").dropFirst().filter { !$0.hasPrefix("{") }
            .joined(separator: "/")
    }

    /// As `KeyTable` says it.
    var text: String {
        [
            name, again, blank, token, "\(end) \(late)", "\(back) \(reversal)",
            from.isEmpty ? "-" : from.joined(separator: " "),
        ].joined(separator: " | ")
    }

    var description: String { name }
}

/// Sends the requests of one row of `KeyTable.actions`, each cell to an object of its own.
final class ActionProbe {
    private let row: ActionRow
    private let scene: Scene
    private var count = 0

    init(_ row: ActionRow) throws {
        self.row = row
        let isHeld = row.name.hasPrefix("rewards/") || row.name.hasPrefix("benefits/")
        scene = try Scene(TestService(), holdDays: isHeld ? 30 : 0)
    }

    private var service: TestService { scene.service }
    private var noun: String { String(row.name.dropLast(verb.count + 1)) }
    private var verb: String { String(row.name.split(separator: "/").last ?? "") }

    func found() throws -> ActionRow {
        defer { service.stop() }
        let again = try cell { path in
            let first = try act(path)
            #expect((200..<300).contains(first.status), "\(row.name): \(first.text)")
            return try act(path)
        }
        // Results are a file, and have no reason of their own.
        let blank =
            try verb == "results"
            ? "-"
            : cell { path in
                var body = try self.body(verb).objectValue ?? [:]
                body["reason"] = "\u{A0} "
                return try service.post("\(path)/\(verb)", .object(body))
            }
        let capitals = try service.post("\(make())/\(verb.uppercased())", body(verb))
        #expect(capitals.status == 404, "\(row.name)")
        let token = try cell { try act($0, key: scene.ada.token) }
        let late =
            try row.end == "-"
            ? ""
            : cell { path in
                try step(path, row.end)
                return try act(path)
            }
        let reversal =
            try row.back == "-"
            ? ""
            : cell { path in
                #expect(try act(path).status < 300)
                try step(path, row.back)
                return try act(path)
            }
        return ActionRow(
            name: row.name, from: row.from, again: again, blank: blank, token: token,
            end: row.end, late: late, back: row.back, reversal: reversal)
    }

    private func cell(_ body: (String) throws -> TestAnswer) throws -> String {
        let path = try make()
        for one in row.from { try step(path, one) }
        let answer = try body(path)
        guard answer.status >= 400 else { return "\(answer.status)" }
        guard let code = answer.code, code != "invalid_transition", code != "invalid_request",
            answer.status != 403
        else { return "\(answer.status)" }
        return "\(answer.status) \(code)"
    }

    private func act(_ path: String, key: String = "admin") throws -> TestAnswer {
        let target = "\(path)/\(verb)"
        guard verb == "results" else { return try service.post(target, body(verb), key: key) }
        let payout = try service.list("/v1/payouts").first?["id"]?.stringValue ?? ""
        return try service.sendBytes(
            "POST", target, Array("payout_id,outcome\r\n\(payout),paid\r\n".utf8), key: key,
            headers: [("Content-Type", "text/csv"), ("Idempotency-Key", UUID().uuidString)])
    }

    private func step(_ path: String, _ verb: String) throws {
        let answer = try service.post("\(path)/\(verb)", body(verb))
        #expect((200..<300).contains(answer.status), "\(row.name): \(verb): \(answer.text)")
    }

    private func number() -> Int {
        count += 1
        return count
    }

    // MARK: - Objects

    private func make() throws -> String {
        let number = number()
        let program = "/v1/programs/\(scene.program)"
        func one(_ noun: String, _ id: String) -> String { "/v1/\(noun)/\(id)" }
        let service = scene.service
        let ada = JSONValue.string(scene.ada.id)
        switch noun {
        case "programs":
            guard ["activate", "pause", "end"].contains(verb) else { return program }
            return one("programs", try service.make("/v1/programs", IdempotencyTests.program))
        case "participants":
            guard ["approve", "suspend", "close"].contains(verb) else {
                if verb == "accept_terms" {
                    #expect(
                        try service.post(program + "/terms", ["text": "First."]).status < 300)
                }
                return one(noun, scene.ada.id)
            }
            return one(
                noun,
                try service.make(
                    "/v1/participants",
                    [
                        "program_id": .string(scene.program), "name": "Eve",
                        "email": .string("eve\(number)@partner.example"),
                    ]))
        case "links": return one(noun, try service.make("/v1/links", ["participant_id": ada]))
        case "leads": return one(noun, try scene.lead(scene.ada, "sam@buyer\(number).example"))
        case "registrations":
            return one(
                noun,
                try service.make(
                    "/v1/registrations",
                    [
                        "participant_id": ada, "account": ["domain": .string("a\(number).example")],
                    ]))
        case "conversions":
            return one(noun, try scene.sale(scene.ada, "s\(number)").id())
        case "refunds":
            return one(
                noun,
                try service.make(
                    "/v1/conversions/\(scene.sale(scene.ada, "s\(number)").id())/refund",
                    ["external_id": .string("r\(number)")]))
        case "rewards" where verb == "choose":
            let rule = try service.make(
                program + "/reward_rules",
                [
                    "trigger": "purchase", "kind": "choice", "basis_points": 500,
                    "choices": ["gift_card", "cash"],
                ])
            try scene.sale(scene.ada, "s\(number)")
            #expect(try service.post(program + "/reward_rules/\(rule)/archive").status == 200)
            let rewards = try service.list("/v1/rewards?kind=choice")
            return one(noun, try #require(rewards.first?["id"]?.stringValue))
        case "rewards":
            let sale = try scene.sale(scene.ada, "s\(number)")
            return one(noun, try #require(sale["rewards.0.id"]?.stringValue))
        case "payouts":
            try scene.sale(scene.ada, "s\(number)")
            return one(noun, try scene.payout(scene.ada, "p\(number)"))
        default: return try special(number, in: program)
        }
    }

    private func special(_ number: Int, in program: String = "") throws -> String {
        let program = "/v1/programs/\(scene.program)"
        switch noun {
        case "programs/reward_rules":
            return program + "/reward_rules/"
                + (try service.make(program + "/reward_rules", Self.rule))
        case "programs/campaigns":
            return program + "/campaigns/"
                + (try service.make(program + "/campaigns", Self.campaign))
        case "participants/tokens":
            let tokens = "/v1/participants/\(scene.ben.id)/tokens"
            return tokens + "/" + (try service.make(tokens, [:]))
        case "payout_runs":
            try scene.sale(scene.ada, "s\(number)")
            let run = try service.make(
                program + "/payout_runs", ["reference": .string("run \(number)")])
            try finish("/v1/payout_runs/\(run)")
            return "/v1/payout_runs/\(run)"
        case "benefits":
            let rule = try service.make(
                program + "/reward_rules",
                ["trigger": "lead.submitted", "kind": "perk", "description": "A mug"])
            let lead = try scene.lead(scene.ada, "sam@perk\(number).example")
            #expect(
                try service.post(program + "/reward_rules/\(rule)/archive").status == 200)
            let benefits = try service.list("/v1/benefits?lead_id=\(lead)")
            return "/v1/benefits/\(try #require(benefits.first?["id"]?.stringValue))"
        case "catalog_items":
            return "/v1/catalog_items/"
                + (try Scene.catalogItem(service, in: scene.program, sku: "mug-\(number)"))
        case "redemptions":
            let rule = try service.make(
                program + "/reward_rules",
                ["trigger": "purchase", "kind": "points", "points": 1_000])
            try scene.sale(scene.ada, "s\(number)")
            #expect(
                try service.post(program + "/reward_rules/\(rule)/archive").status == 200)
            let item = try Scene.catalogItem(service, in: scene.program, sku: "mug-\(number)")
            return "/v1/redemptions/"
                + (try service.make(
                    "/v1/redemptions",
                    ["participant_id": .string(scene.ada.id), "item_id": .string(item)]))
        case "api_keys": return "/v1/api_keys/\(try Scene.key(service, "read").id)"
        case "rehearsals":
            let id = try service.make(program + "/rehearsals", Self.rehearsal)
            try finish("/v1/rehearsals/\(id)")
            return "/v1/rehearsals/\(id)"
        case "disputes": return try dispute(number)
        default: return try customers(number)
        }
    }

    private func customers(_ number: Int) throws -> String {
        let people = try ["a", "b"].map { name in
            try #require(
                try service.post(
                    "/v1/touchpoints",
                    [
                        "program_id": .string(scene.program), "source": "sales",
                        "customer": ["external_id": .string("\(name)\(number)")],
                    ])["customer_id"]?.stringValue)
        }
        other = people[1]
        let path = "/v1/customers/\(people[0])"
        if noun == "customers" { return path }
        let merge = try service.make(
            path + "/merge", ["customer_id": .string(people[1]), "reason": "One person"])
        return "/v1/customer_merges/\(merge)"
    }

    private var other = ""

    private func dispute(_ number: Int) throws -> String {
        let account: JSONValue = ["domain": .string("contested\(number).example")]
        _ = try service.make(
            "/v1/registrations",
            ["participant_id": .string(scene.ben.id), "account": account])
        let refused = try service.post(
            "/v1/registrations", ["participant_id": .string(scene.ada.id), "account": account])
        return "/v1/disputes/"
            + (try service.make(
                "/v1/disputes",
                [
                    "registration_id": try #require(refused["registration_id"]),
                    "reason": "We were first.",
                ]))
    }

    private func finish(_ path: String) throws {
        #expect(
            try eventually {
                ["done", "failed"].contains(try service.get(path)["status"]?.stringValue)
            })
    }

    private static let rule: JSONValue = [
        "trigger": "lead.won", "amount": MoneyStage.usd(100),
    ]

    private static let campaign: JSONValue = [
        "name": "Double", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-02-01T00:00:00Z",
        "multiplier_basis_points": 20_000,
    ]

    private static let rehearsal: JSONValue = [
        "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z",
        "attribution": ["model": "linear"],
    ]

    // MARK: - Bodies

    private func body(_ verb: String) throws -> JSONValue {
        switch "\(noun)/\(verb)" {
        case "leads/attach":
            let opportunity = try scene.lead(scene.ada, "to@to\(number()).example")
            for action in ["qualify", "advance"] {
                #expect(try service.post("/v1/leads/\(opportunity)/\(action)").status == 200)
            }
            return ["lead_id": .string(opportunity)]
        case "leads/disqualify", "leads/lose":
            return ["reason_code": "no_budget", "reason": "next year"]
        case "leads/nurture": return ["follow_up_at": "2099-01-01T00:00:00Z"]
        case "leads/reopen": return ["reason": "they called"]
        case "conversions/refund":
            return ["external_id": .string("back \(count)"), "amount": MoneyStage.usd(100)]
        case "refunds/reverse": return ["external_id": .string("v\(count)"), "kind": "mistake"]
        case "conversions/reattribute":
            return [
                "reason": "because",
                "credits": [["participant_id": .string(scene.ben.id), "parts": 1]],
            ]
        case "rewards/reject", "rewards/void", "rewards/claw_back", "benefits/void",
            "redemptions/cancel", "payouts/fail", "payouts/return", "customer_merges/undo":
            return ["reason": "because"]
        case "rewards/choose": return ["kind": "cash"]
        case "programs/campaigns": return Self.campaign
        case "programs/reward_rules": return Self.rule
        case "programs/rehearsals": return Self.rehearsal
        case "programs/terms": return ["text": "First."]
        case "programs/payout_runs": return ["reference": .string("run \(count)")]
        case "participants/accept_terms": return ["version": 1]
        case "customers/merge": return ["customer_id": .string(other), "reason": "One person"]
        case "registrations/reject", "registrations/lose":
            return ["reason_code": "other", "reason": "because"]
        case "registrations/extend": return ["evidence": [["kind": "budget_talk"]]]
        case "disputes/evidence": return ["note": "A photograph."]
        case "disputes/resolve": return ["decision": "uphold", "reason": "So be it."]
        default: return [:]
        }
    }
}
