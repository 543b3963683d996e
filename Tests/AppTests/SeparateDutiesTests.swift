import Database
import JSON
import Model
import Testing

@testable import App

/// Where money takes two: who may set what holds it back, and who may say yes.
struct SeparateDutiesTests {
    /// Under `separate`, a program that gives money, a gift card and points for a sale, on hold.
    /// The operator made all of it.
    private static func stage() throws -> MoneyStage {
        let stage = try MoneyStage(
            holdDays: 5,
            rules: [
                ["trigger": "conversion", "basis_points": 1_000],
                ["trigger": "conversion", "kind": "gift_card", "amount": MoneyStage.usd(2_000)],
                ["trigger": "conversion", "kind": "points", "points": 100],
            ])
        try patch(stage, "", ["approvals": ["separate": true]])
        return stage
    }

    private static func patch(
        _ stage: MoneyStage, _ path: String, _ change: JSONValue, key: String = "admin"
    ) throws {
        let answer = try stage.service.send(
            "PATCH", "/v1/programs/\(stage.program)" + path, change, key: key)
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// A sale to a lead, each step by its own key; the paths of what it earned.
    private static func earned(
        _ stage: MoneyStage, lead leadKey: String, qualify qualifyKey: String, sale saleKey: String
    ) throws -> [String] {
        let lead = try stage.service.post(
            "/v1/leads",
            ["participant_id": .string(stage.participant), "email": "sam@buyer.example"],
            key: leadKey
        ).id()
        let qualified = try stage.service.post("/v1/leads/\(lead)/qualify", key: qualifyKey)
        #expect(qualified.status == 200, "\(qualified.text)")
        let sale = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "o1", "lead_id": .string(lead), "kind": "purchase",
                "amount": MoneyStage.usd(10_000),
            ], key: saleKey)
        #expect(sale.status == 201, "\(sale.text)")
        let earned = try ["rewards", "benefits"].flatMap { noun in
            try stage.service.get("/v1/\(noun)").ids.map { "/v1/\(noun)/\($0)" }
        }
        #expect(earned.count == 3)
        return earned
    }

    @Test(
        "who had a hand in what was earned does not approve it, money or not; others do",
        arguments: [
            "lead", "qualify", "sale", "rule", "rehearsal", "campaign", "approval_threshold",
            "budget", "fraud", "reward_limits",
        ])
    func hands(deed: String) throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        let doer = try Scene.key(stage.service, "admin").secret
        let clerk = try Scene.key(stage.service, "write").secret
        func key(_ step: String) -> String { deed == step ? doer : clerk }
        let rules = "/reward_rules"
        switch deed {
        case "rule":
            for id in try stage.service.get("/v1/programs/\(stage.program)\(rules)").ids {
                try Self.patch(stage, "\(rules)/\(id)", ["name": "Mine"], key: doer)
                // Whoever changes it next does not take it from him.
                try Self.patch(stage, "\(rules)/\(id)", ["name": "Ours"], key: clerk)
            }
        case "rehearsal": try Self.rehearse(stage, by: doer)
        case "campaign":
            let now = stage.service.clock.clock.now()
            let campaign = try stage.service.post(
                "/v1/programs/\(stage.program)/campaigns",
                [
                    "name": "Double", "starts_at": .string(now.rfc3339),
                    "ends_at": .string(now.advanced(byDays: 9).rfc3339),
                    "multiplier_basis_points": 20_000,
                ], key: doer)
            #expect(campaign.status == 201, "\(campaign.text)")
        case "approval_threshold":
            try Self.patch(stage, "", ["approval_threshold": MoneyStage.usd(900_000)], key: doer)
        case "budget": try Self.patch(stage, "", ["budget": ["amount": 900_000]], key: doer)
        case "fraud": try Self.patch(stage, "", ["fraud": ["self_referral": "ignore"]], key: doer)
        case "reward_limits":
            try Self.patch(stage, "", ["reward_limits": ["participant_year": 900_000]], key: doer)
        default: break
        }
        // A later version of the program, by another, does not hide who set a term.
        try Self.patch(stage, "", ["name": "Friends"], key: clerk)
        let earned = try Self.earned(
            stage, lead: key("lead"), qualify: key("qualify"), sale: key("sale"))
        let other = try Scene.key(stage.service, "payouts").secret
        for path in earned {
            let refused = try stage.service.post(path + "/approve", key: doer)
            #expect(refused.status == 403 && refused.code == "separate_approval", "\(path)")
            #expect(try stage.service.post(path + "/approve", key: other)["status"] == "approved")
        }
    }

    /// All rules anew, by a rehearsal that was scheduled.
    private static func rehearse(_ stage: MoneyStage, by key: String) throws {
        let service = stage.service
        let now = service.clock.clock.now()
        let rules = try service.list("/v1/programs/\(stage.program)/reward_rules")
        let changes = rules.map { rule -> JSONValue in
            var whole = JSONObject()
            for name in ["trigger", "kind", "basis_points", "amount", "points"] {
                if let value = rule[name], value != .null { whole[name] = value }
            }
            return ["rule_id": rule["id"] ?? .null, "rule": .object(whole)]
        }
        let id = try service.post(
            "/v1/programs/\(stage.program)/rehearsals",
            [
                "from": .string(now.advanced(byDays: -9).rfc3339), "to": .string(now.rfc3339),
                "reward_rules": .array(changes),
            ]
        ).id()
        let path = "/v1/rehearsals/\(id)"
        #expect(try eventually { try service.get(path)["status"] == "done" })
        let scheduled = try service.post(
            path + "/activate", ["at": .string(now.advanced(byDays: 1).rfc3339)], key: key)
        #expect(scheduled.status == 200, "\(scheduled.text)")
        service.clock.advance(days: 2)
        stage.runJobs()
        #expect(try service.get(path)["status"] == "activated")
    }

    @Test("to switch it off frees nothing that was granted or drafted while it was on")
    func switchedOff() throws {
        let stage = try Self.stage()
        defer { stage.service.stop() }
        let doer = try Scene.key(stage.service, "admin").secret
        let other = try Scene.key(stage.service, "payouts").secret
        let earned = try Self.earned(stage, lead: doer, qualify: doer, sale: doer)
        let draft = try {
            let (_, reward) = try stage.sale("drafted", 50_000)
            let approved = try stage.service.post("/v1/rewards/\(reward)/approve", key: other)
            #expect(approved["status"] == "approved", "\(approved.text)")
            return try stage.service.post(
                "/v1/payouts",
                ["participant_id": .string(stage.participant), "reference": "p1"], key: doer
            ).id()
        }()
        stage.service.clock.advance(seconds: 1)
        try Self.patch(stage, "", ["approvals": ["separate": false]], key: doer)
        for path in earned {
            let refused = try stage.service.post(path + "/approve", key: doer)
            #expect(refused.code == "separate_approval", "\(path)")
        }
        let refused = try stage.service.post("/v1/payouts/\(draft)/submit", key: doer)
        #expect(refused.code == "separate_submission", "\(refused.text)")
        let submitted = try stage.service.post("/v1/payouts/\(draft)/submit", key: other)
        #expect(submitted["status"] == "processing")
        // What comes now takes one.
        let (_, later) = try stage.sale("later", 50_000)
        #expect(try stage.service.post("/v1/rewards/\(later)/approve")["status"] == "approved")
    }

    @Test("what holds money back is set with the scope admin alone, in old programs and new ones")
    func scope() throws {
        let stage = try MoneyStage(threshold: 5_000)
        defer { stage.service.stop() }
        let clerk = try Scene.key(stage.service, "read", "write", "payouts").secret
        let admin = try Scene.key(stage.service, "admin").secret
        let path = "/v1/programs/\(stage.program)"
        let new: JSONObject = ["name": "Mine", "currency": "USD"]
        let changes: JSONObject = [
            "approval_threshold": .null, "approvals": ["separate": true],
            "budget": ["amount": 1], "fraud": ["self_referral": "ignore"],
            "reward_limits": ["referee": 5],
        ]
        for (name, value) in changes {
            let change: JSONObject = [name: value]
            let refused = try stage.service.send("PATCH", path, .object(change), key: clerk)
            #expect(refused.status == 403 && refused.code == "forbidden", "\(name)")
            #expect(refused.pointer == "/\(name)")
            var body = new
            body[name] = value
            let made = try stage.service.post("/v1/programs", .object(body), key: clerk)
            #expect(made.status == 403 && made.pointer == "/\(name)", "\(made.text)")
            let changed = try stage.service.send("PATCH", path, .object(change), key: admin)
            #expect(changed.status == 200, "\(changed.text)")
        }
        // What is said again is not changed.
        try Self.patch(stage, "", ["name": "New", "approvals": ["separate": true]], key: clerk)
        #expect(try stage.service.post("/v1/programs", .object(new), key: clerk).status == 201)
        let versions = try stage.service.list(path + "/versions")
        let setters = versions.first?["rules"]?.objectValue?["set_by"]?.objectValue
        #expect(setters?.names == changes.names)
        #expect(Set(setters?.map(\.value) ?? []).count == 1)
    }
}
