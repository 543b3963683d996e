import JSON
import Testing

@testable import App

/// What a participant's token must not learn, whichever answer or event could tell it: another's
/// lead, whole amounts, customers, keys, suspicions, and whom the operator knows.
struct TokenLeakTests {
    // MARK: - Answers and events

    /// Every view of its own that a token has of a sale of which another has the lead and a share.
    @Test("no view of a shared sale names the rival's lead, the customer or the whole amount")
    func sharedSale() throws {
        let stage = try CreditStage(["model": "linear"])
        let service = stage.service
        defer { service.stop() }
        let token = try Scene.token(service, of: stage.ben)
        let lead = try service.make(
            "/v1/leads", ["participant_id": .string(stage.ada), "email": "sam@buyer.example"])
        let referred = try service.get("/v1/leads/\(lead)")
        try stage.touch(
            stage.ben, 2, ["customer": ["external_id": "c1", "email": "sam@buyer.example"]])
        let sale = try stage.sell(
            "order-1", 777_777,
            ["lead_id": .string(lead), "customer": ["email": "sam@buyer.example"]])
        let conversion = try sale.id()
        _ = try stage.reattribute(
            conversion,
            [
                "credits": [
                    ["participant_id": .string(stage.ada), "parts": 1],
                    ["participant_id": .string(stage.ben), "parts": 1],
                ]
            ])
        let rewards = try service.get("/v1/rewards?conversion_id=\(conversion)", key: token).ids
        try #require(rewards.count == 1, "\(sale.text)")
        let base = "/v1/participants/\(stage.ben)"
        let views = [
            "/v1/rewards", "/v1/rewards/\(rewards[0])", "/v1/rewards/\(rewards[0])/explain",
            "/v1/conversions", "/v1/conversions/\(conversion)", "/v1/events?limit=100",
            "/v1/touchpoints", base + "/statement", base + "/statement.csv",
            base + "/statement.html", base + "/balance", base + "/summary", base,
        ]
        let secrets = [
            lead, stage.ada, "777777", "cust_",
            try #require(referred["created_at"]?.stringValue),
        ]
        for view in views {
            let own = try service.get(view, key: token)
            #expect(own.status == 200, "\(view): \(own.text)")
            for secret in secrets { #expect(!own.text.contains(secret), "\(view) \(secret)") }
        }
        // The operator reads all of it.
        let all = try service.get("/v1/rewards/\(rewards[0])")
        #expect(all["lead_id"] == .string(lead))
        #expect(try service.get("/v1/events?limit=100").text.contains("777777"))
        // Its own lead a participant does read.
        let adas = try service.get("/v1/rewards", key: Scene.token(service, of: stage.ada))
        #expect(adas["data.0.lead_id"] == .string(lead), "\(adas.text)")
    }

    @Test("no event tells a token which of the operator's keys did it")
    func keys() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let key = try Scene.key(scene.service, "admin")
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let token = scene.ada.token
        for action in ["qualify", "advance"] {
            let moved = try scene.service.post("/v1/leads/\(lead)/\(action)", key: key.secret)
            #expect(moved.status == 200, "\(moved.text)")
        }
        try scene.sale(scene.ada, "one")
        for path in ["/v1/events?limit=100", "/v1/leads/\(lead)/timeline"] {
            let own = try scene.service.get(path, key: token)
            #expect(!own.text.contains(key.id) && own.text.contains("\"operator\""), "\(path)")
            #expect(try scene.service.get(path).text.contains(key.id))
        }
    }

    @Test("what is written by a token is answered without customers too, also when replayed")
    func replays() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let body: JSONValue = ["email": "a@buyer.example"]
        for _ in 0..<2 {
            let answer = try scene.service.send(
                "POST", "/v1/leads", body, key: scene.ada.token,
                headers: [("Idempotency-Key", "once")])
            #expect(answer.status == 201 && answer["customer_id"] == .null)
            #expect(!answer.text.contains("cust_"))
        }
    }

    // MARK: - Suspicions

    @Test("a suspect reads that its reward is in review, and nothing of why")
    func suspicion() throws {
        let stage = try CreditStage()
        let service = stage.service
        defer { service.stop() }
        let token = try Scene.token(service, of: stage.ada)
        let sale = try stage.sell(
            "own", customer: nil,
            ["customer": ["email": "ada@partner.example"], "ref": "code-ada"])
        #expect(sale["rewards.0.flags.0.code"] == "self_referral", "\(sale.text)")
        let reward = try #require(sale["rewards.0.id"]?.stringValue)
        let conversion = try sale.id()
        for view in [
            "/v1/rewards", "/v1/rewards/\(reward)", "/v1/rewards/\(reward)/explain",
            "/v1/conversions/\(conversion)", "/v1/events?limit=100",
        ] {
            let own = try service.get(view, key: token)
            #expect(own.status == 200)
            for word in ["self_referral", "signal", "mailbox", "one person"] {
                #expect(!own.text.contains(word), "\(view) \(word): \(own.text)")
            }
        }
        let own = try service.get("/v1/rewards/\(reward)", key: token)
        #expect(own["status"] == "review" && own["flags"] == [])
        let hold = try service.get("/v1/rewards/\(reward)/explain", key: token)["hold"]
        #expect(hold?.stringValue?.hasPrefix("A person reviews it.") == true)
        #expect(try service.get("/v1/rewards/\(reward)/explain").text.contains("self_referral"))
    }

    // MARK: - Oracles

    @Test("a token's dry run tells whether form and offer are good, not whom the operator knows")
    func dryRun() throws {
        let scene = try Scene(TestService())
        let service = scene.service
        defer { service.stop() }
        _ = try scene.lead(scene.ben, "known@buyer.example")
        _ = try service.make(
            "/v1/accounts", ["domain": "customer.example", "relation": "customer"])
        let loaded: JSONValue = [
            "email": "me@loaded.example", "customer_since": "2020-01-01T00:00:00Z",
        ]
        let load = try service.post("/v1/customers/bulk", ["items": [loaded]])
        #expect(load["data.0.status"] == 201, "\(load.text)")
        let terms: JSONValue = ["qualification": ["disqualify_invalid": true]]
        _ = try service.send("PATCH", "/v1/programs/\(scene.program)", terms)
        func tried(_ body: JSONValue, _ key: String) throws -> TestAnswer {
            try service.send("POST", "/v1/leads", body, key: key, headers: [("Dry-Run", "true")])
        }
        let shape = ["id", "email", "domain", "created_at", "updated_at", "referred_at", "company"]
        func told(_ email: String) throws -> JSONObject {
            let answer = try tried(["email": .string(email)], scene.ada.token)
            #expect(answer.status == 201, "\(answer.text)")
            var json = answer.json
            for name in shape { json[name] = nil }
            return json
        }
        let fresh = try told("nobody@fresh.example")
        for email in [
            "known@buyer.example", "someone@customer.example", "x@buyer.example",
            "me@loaded.example",
        ] {
            #expect(try JSONValue.object(told(email)) == .object(fresh), "\(email)")
        }
        // The operator's own does tell.
        let operators = try tried(
            ["email": "known@buyer.example", "participant_id": .string(scene.ada.id)], "admin")
        #expect(operators["status"] == "duplicate", "\(operators.text)")
        // And what is sent in earnest leaves its trace.
        let sent = try service.post(
            "/v1/leads", ["email": "known@buyer.example"], key: scene.ada.token)
        #expect(sent["status"] == "duplicate")
        // A form that is bad is bad in a dry run too.
        #expect(try tried(["email": "no mailbox"], scene.ada.token).status == 400)
        let many = try service.send(
            "POST", "/v1/leads/bulk", ["items": [["email": "known@buyer.example"]]],
            key: scene.ada.token, headers: [("Dry-Run", "true")])
        #expect(many["data.0.lead_status"] == "submitted", "\(many.text)")
    }

    @Test("a token names nobody else as referrer, whether he takes part or not")
    func referrerEmail() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        var answers: Set<String> = []
        for email in ["ben@partner.example", "nobody@partner.example"] {
            for dry in ["true", "false"] {
                let answer = try scene.service.send(
                    "POST", "/v1/leads",
                    ["email": "x@buyer.example", "referrer_email": .string(email)],
                    key: scene.ada.token, headers: [("Dry-Run", dry)])
                #expect(answer.status == 400 && answer.pointer == "/referrer_email")
                answers.insert("\(answer.status) \(answer["errors"] ?? .null)")
            }
        }
        #expect(answers.count == 1)
    }

    @Test("a claim that a token only tries tells nothing of customers and others' claims")
    func triedClaim() throws {
        let deals = try RegistrationTests.Deals()
        defer { deals.service.stop() }
        _ = try deals.register(deals.ada, "held.example")
        _ = try deals.service.make(
            "/v1/accounts", ["domain": "customer.example", "relation": "customer"])
        for (domain, real) in [
            ("held.example", 409), ("customer.example", 409), ("free.example", 201),
        ] {
            let body = RegistrationTests.Deals.body(deals.ben, ["domain": .string(domain)])
            let tried = try deals.service.send(
                "POST", "/v1/registrations", body, key: deals.ben.token,
                headers: [("Dry-Run", "true")])
            #expect(tried.status == 201, "\(domain): \(tried.text)")
            let sent = try deals.service.post("/v1/registrations", body, key: deals.ben.token)
            #expect(sent.status == real, "\(domain): \(sent.text)")
        }
    }

    @Test("a token looks accounts up in partner programs, sixty times an hour, and it is recorded")
    func protection() throws {
        let deals = try RegistrationTests.Deals()
        let service = deals.service
        defer { service.stop() }
        let held = try deals.register(deals.ada, "held.example").id()
        let path = "/v1/protection?domain=held.example"
        for _ in 0..<60 {
            // A rehearsal is recorded like any other.
            let seen = try service.send(
                "GET", path, key: deals.ben.token, headers: [("Dry-Run", "true")])
            #expect(seen.status == 200 && seen["work"] == "another", "\(seen.text)")
        }
        let refused = try service.get(path, key: deals.ben.token)
        #expect(refused.status == 429 && refused.code == "too_many_lookups", "\(refused.text)")
        #expect(Int(refused.header("retry-after") ?? "") ?? 0 > 3_000)
        // Others are not held up, and it starts again.
        #expect(try service.get(path, key: deals.ada.token)["work"] == "you")
        #expect(try service.get(path).status == 200)
        service.clock.advance(hours: 1)
        #expect(try service.get(path, key: deals.ben.token).status == 200)
        let events = try Scene.events(service).filter { $0["type"] == "protection.looked_up" }
        #expect(events.count { $0["participant_id"] == .string(deals.ben.id) } == 61)
        #expect(
            events.allSatisfy {
                $0["data"] == ["registration_ids": [.string(held)]]
            })
        let own = try Scene.events(service, key: deals.ben.token)
        #expect(own.contains { $0["type"] == "protection.looked_up" })
        #expect(own.allSatisfy { $0["data"]?.objectValue?["registration_ids"] == nil })
    }

    @Test("where nobody claims accounts, a token learns of no account")
    func noProtection() throws {
        let scene = try Scene(TestService())
        let service = scene.service
        defer { service.stop() }
        let program = try service.make(
            "/v1/programs",
            [
                "name": "Friends", "kind": "customer", "currency": "USD",
                "destination_url": "https://www.example.com/",
            ])
        _ = try service.post("/v1/programs/\(program)/activate")
        let cora = try Scene.partner(service, program: program, name: "cora")
        _ = try service.make(
            "/v1/accounts", ["domain": "customer.example", "relation": "customer"])
        for domain in ["customer.example", "free.example"] {
            let answer = try service.get("/v1/protection?domain=\(domain)", key: cora.token)
            #expect(answer.code == "not_a_partner_program", "\(answer.text)")
        }
        #expect(try service.get("/v1/protection?domain=customer.example")["work"] == "operator")
    }

    // MARK: - Disputes

    @Test("neither version nor times nor events of a dispute tell a party what the other does")
    func dispute() throws {
        let deals = try RegistrationTests.Deals(["approval": "automatic"])
        let service = deals.service
        defer { service.stop() }
        _ = try deals.register(deals.ada, "acme.example")
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let id = try service.make(
            "/v1/disputes", ["registration_id": .string(refused), "reason": "We were first."])
        let path = "/v1/disputes/\(id)"
        func seen(_ partner: Scene.Partner) throws -> [JSONValue?] {
            let dispute = try service.get(path, key: partner.token)
            let listed = try service.get("/v1/disputes", key: partner.token)
            let events = try Scene.events(service, key: partner.token)
            return [
                dispute["version"], dispute["updated_at"], dispute["evidence"],
                .string(dispute.header("etag") ?? ""), listed["data.0.version"],
                .integer(Int64(events.count)),
                try service.get(path + "/timeline", key: partner.token)["data"],
            ]
        }
        let before = try (seen(deals.ada), seen(deals.ben))
        service.clock.advance(seconds: 5)
        let added = try service.post(
            path + "/evidence", ["note": "Signed offer"], key: deals.ada.token)
        #expect(added["version"] == 2 && added["evidence"]?.arrayValue?.count == 1)
        let onBehalf = try service.post(
            path + "/evidence", ["note": "By phone", "party": "claimant"])
        #expect(onBehalf.status == 200)
        #expect(try seen(deals.ada) != before.0)
        #expect(try service.get(path, key: deals.ada.token)["version"] == 2)
        #expect(try service.get(path, key: deals.ben.token)["version"] == 2)
        let afterward = try seen(deals.ada)
        _ = try service.post(path + "/evidence", ["note": "More"], key: deals.ben.token)
        #expect(try seen(deals.ada) == afterward)
        // The operator reads all, and what it says itself is told to both.
        let all = try service.get(path + "/timeline")
        #expect(all["data"]?.arrayValue?.count == 4, "\(all.text)")
        #expect(try service.get(path)["version"] == 4)
        _ = try service.post(path + "/evidence", ["note": "For both to see"])
        #expect(try seen(deals.ada) != afterward)
    }
}
