import JSON
import Testing

@testable import App

/// What the operator thinks and how it works is not for a participant's token.
struct TokenMaskTests {
    @Test("a participant's token sees of itself what is between it and the operator")
    func participant() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        let inner: JSONObject = [
            "in_collections": true, "at_risk": true, "relationship": "strained",
            "segment": "strategic", "account_executive": "dora",
        ]
        var body = inner
        body["metadata"] = ["note": "difficult"]
        body["tier"] = "gold"
        let changed = try scene.service.send("PATCH", path, .object(body))
        #expect(changed.status == 200, "\(changed.text)")
        #expect(try scene.service.get(path)["segment"] == "strategic")
        let own = try scene.service.get(path, key: scene.ada.token)
        let listed = try scene.service.get("/v1/participants", key: scene.ada.token)
        for name in inner.names {
            #expect(own[name] == .null, "\(name)")
            #expect(listed["data.0.\(name)"] == .null, "\(name)")
        }
        #expect(own["metadata"] == [:])
        #expect(own["tier"] == "gold")
    }

    @Test("a refusal does not tell a participant what the operator thinks of it")
    func refusal() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.send(
            "PATCH", "/v1/participants/\(scene.ada.id)", ["at_risk": true])
        let lead: JSONValue = [
            "participant_id": .string(scene.ada.id), "email": "x@buyer.example",
        ]
        let own = try scene.service.post("/v1/leads", lead, key: scene.ada.token)
        #expect(own.code == "not_eligible", "\(own.text)")
        #expect(own["rule"] == nil)
        #expect(!own.text.contains("risk"))
        let many = try scene.service.post(
            "/v1/leads/bulk", ["items": [lead]], key: scene.ada.token)
        #expect(many["data.0.problem.code"] == "not_eligible")
        #expect(!many.text.contains("risk"))
        #expect(try scene.service.post("/v1/leads", lead)["rule"] == "at_risk")
    }

    @Test("a participant's token reads a program's terms without its internals")
    func program() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/programs/\(scene.program)"
        let changed = try scene.service.send(
            "PATCH", path,
            [
                "metadata": ["budget": "secret"], "routing": ["fallback": "dora"],
                "approval_threshold": ["amount": 5_000, "currency": "USD"],
                "budget": ["amount": 70_000], "approvals": ["separate": true],
                "fraud": ["self_referral": "ignore"], "reward_limits": ["referee": 60_000],
            ])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed["routing.fallback"] == "dora")
        for prefix in ["", "data.0."] {
            let answer = try scene.service.get(
                prefix.isEmpty ? path : "/v1/programs", key: scene.ada.token)
            for name in [
                "approval_threshold", "approvals", "budget", "fraud", "reward_limits", "routing",
                "eligibility",
            ] {
                #expect(answer[prefix + name] == .null, "\(name)")
            }
            #expect(answer[prefix + "metadata"] == [:])
            #expect(answer[prefix + "attribution.model"] == "last_touch")
        }
    }

    @Test("a token reads how its own came about, not what the operator thinks nor others reserved")
    func basis() throws {
        let scene = try Scene(TestService())
        let service = scene.service
        defer { service.stop() }
        let program = "/v1/programs/\(scene.program)"
        for rule in [
            [
                "trigger": "conversion", "amount": MoneyStage.usd(7_000), "name": "Keep Ada happy",
                "segments": ["strategic"],
            ],
            [
                "trigger": "conversion", "kind": "gift_card", "amount": MoneyStage.usd(300),
                "name": "Keep Ada happy", "segments": ["strategic"],
            ],
        ] as [JSONValue] { _ = try service.make(program + "/reward_rules", rule) }
        let patched = try service.send("PATCH", program, ["budget": ["amount": 20_001]])
        #expect(patched.status == 200, "\(patched.text)")
        let segment: JSONValue = ["segment": "strategic"]
        _ = try service.send("PATCH", "/v1/participants/\(scene.ada.id)", segment)
        try scene.sale(scene.ben, "before")
        let sale = try scene.sale(scene.ada, "one")
        let limits: JSONValue = ["reward_limits": ["participant_total": 1]]
        #expect(try service.send("PATCH", program, limits).status == 200)
        try scene.sale(scene.ada, "two")
        let rewards = sale["rewards"]?.arrayValue?.compactMap { $0.objectValue?["id"]?.stringValue }
        let benefit = try #require(try service.get("/v1/benefits").ids.last)
        var paths = (rewards ?? []).map { "/v1/rewards/\($0)/explain" }
        #expect(paths.count == 2)
        paths += ["/v1/benefits", "/v1/benefits/\(benefit)"]
        paths.append("/v1/events?type=reward.withheld")
        let inner = ["Keep Ada happy", "strategic", "reserved", "20001", "budget of"]
        let all = try paths.map { try service.get($0).text }.joined()
        for word in inner { #expect(all.contains(word), "\(word)") }
        for path in paths {
            let own = try service.get(path, key: scene.ada.token)
            #expect(own.status == 200 && own.text.contains("\"basis\":{"), "\(path)")
            for word in inner { #expect(!own.text.contains(word), "\(path) \(word)") }
        }
    }
}
