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

    @Test("of a reward that is shared a participant's token sees its own part alone")
    func sharedReward() throws {
        let stage = try CreditStage(["model": "linear"])
        defer { stage.service.stop() }
        try stage.touch(stage.ada, 3)
        try stage.touch(stage.ben, 2)
        try stage.touch(stage.eve, 1)
        let sale = try stage.sell("order-1", 777_777).id()
        let token = try Scene.token(stage.service, of: stage.ben)
        let rewards = try stage.service.get("/v1/rewards?conversion_id=\(sale)", key: token).ids
        #expect(rewards.count == 1)
        let path = "/v1/rewards/\(rewards[0])/explain"
        let told = try stage.service.get(path)
        let own = try stage.service.get(path, key: token)
        #expect(told["basis.arithmetic.base"] == 777_777)
        #expect(told["basis.arithmetic.whole"] == 77_778)
        #expect(own["basis.arithmetic.amount"] == told["basis.arithmetic.amount"])
        #expect(own["basis.credited.amount"] == 259_259)
        for others in ["777777", "77778", "777_777", stage.ada, stage.eve] {
            #expect(!own.text.contains(others), "\(others): \(own.text)")
        }
        for name in ["parts", "of", "remainder", "rate_amount", "before_maximum"] {
            #expect(told["basis.arithmetic.\(name)"] != nil, "\(name)")
            #expect(own["basis.arithmetic.\(name)"] == nil, "\(name)")
        }
        // What is one's own alone is told with every step.
        let alone = try stage.sell("order-2", customer: "c2", ["ref": "code-ben"]).id()
        let whole = try stage.service.get("/v1/rewards?conversion_id=\(alone)", key: token).ids
        let all = try stage.service.get("/v1/rewards/\(whole[0])/explain", key: token)
        #expect(all["basis.arithmetic.base"] == 100_000)
    }

    @Test("a participant reads its touches, and of the sales that credit it its own share")
    func sales() throws {
        let stage = try CreditStage(["model": "linear", "codes": "touch"])
        defer { stage.service.stop() }
        let others = try stage.touch(stage.ada, 3)
        let touch = try stage.touch(stage.ben, 2, ["external_id": "call-with-grace"])
        let sale = try stage.sell("order-1", 100_001, ["ref": "code-ada", "metadata": ["a": "b"]])
            .id()
        let none = try stage.sell("order-2", customer: "c2", ["ref": "code-ada"]).id()
        let token = try Scene.token(stage.service, of: stage.ben)
        let path = "/v1/conversions/\(sale)"
        let own = try stage.service.get(path, key: token)
        #expect(own["amount.amount"] == 33_334, "\(own.text)")
        #expect(own["attribution"] == .null && own["ref"] == .null && own["metadata"] == [:])
        #expect(own["rewards"]?.arrayValue?.count == 1)
        for secret in [stage.ada, "100001", "66667", "code-ada"] {
            #expect(!own.text.contains(secret), "\(secret): \(own.text)")
        }
        #expect(try stage.service.get("/v1/conversions", key: token).ids == [sale])
        #expect(try stage.service.get("/v1/conversions/\(none)", key: token).status == 404)
        let half: JSONValue = ["external_id": "r1", "amount": MoneyStage.usd(50_001)]
        #expect(try stage.service.post("\(path)/refund", half).status == 201)
        let listed = try stage.service.get("/v1/conversions", key: token)
        #expect(listed["data.0.refunded.amount"] == 16_667)

        #expect(try stage.service.get("/v1/touchpoints", key: token).ids == [touch])
        #expect(
            try stage.service.get("/v1/touchpoints/\(touch)", key: token)["external_id"] == .null)
        #expect(try stage.service.get("/v1/touchpoints/\(others)", key: token).status == 404)
        let foreign = "/v1/touchpoints?participant_id=\(stage.ada)"
        #expect(try stage.service.get(foreign, key: token).status == 404)

        // What is decided anew is another's from then on.
        _ = try stage.reattribute(
            sale, ["credits": [["participant_id": .string(stage.ada), "parts": 1]]])
        #expect(try stage.service.get(path, key: token).status == 404)
        #expect(try stage.service.get("/v1/conversions", key: token).ids.isEmpty)
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
