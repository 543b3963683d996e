import Database
import JSON
import Testing

@testable import App

/// Every refusal of registrations and disputes through the real server, with its code.
struct RegistrationRefusalTests {
    typealias Deals = RegistrationTests.Deals

    private func claim(
        _ deals: Deals, _ account: JSONValue, _ more: [(String, JSONValue)] = [],
        by partner: Scene.Partner? = nil
    ) throws -> TestAnswer {
        let partner = partner ?? deals.ada
        return try deals.service.post(
            "/v1/registrations", Deals.body(partner, account, more), key: partner.token)
    }

    @Test("what cannot be claimed is refused with its reason, and holds nothing")
    func submissions() throws {
        let deals = try Deals([
            "required_evidence": ["scheduled_meeting", "discovery_call"], "evidence_minimum": 1,
        ])
        defer { deals.service.stop() }
        _ = try deals.service.make(
            "/v1/accounts", ["domain": "known.example", "relation": "pipeline"])
        let meeting: JSONValue = ["evidence": [["kind": "scheduled_meeting"]]]
        let euros: JSONValue = [
            "evidence": [["kind": "scheduled_meeting"]],
            "value": ["amount": 1, "currency": "EUR"],
        ]
        let free: JSONValue = ["domain": "free.example"]
        let rows: [(JSONValue, JSONValue, Int, String)] = [
            (["domain": "gmail.com"], meeting, 422, "account_not_identifiable"),
            (["name": "Acme"], meeting, 422, "account_not_identifiable"),
            (["domain": "free.example", "part": "EMEA"], meeting, 422, "part_not_allowed"),
            (free, euros, 422, "currency_mismatch"),
            (free, ["evidence": [["kind": "budget_talk"]]], 422, "evidence_missing"),
            (free, [:], 422, "evidence_missing"),
            (["domain": "eu.known.example"], meeting, 409, "account_known"),
        ]
        for (account, opportunity, status, code) in rows {
            let answer = try claim(deals, account, [("opportunity", opportunity)])
            #expect(answer.status == status, "\(code): \(answer.text)")
            #expect(answer.code == code)
        }
        #expect(try deals.service.get("/v1/registrations").ids.isEmpty)
        #expect(try deals.service.get("/v1/registrations/head")["sequence"] == 0)
        #expect(try claim(deals, free, [("opportunity", meeting)]).status == 201)
        #expect(
            try claim(deals, free, [("opportunity", meeting)]).code == "already_registered")
    }

    @Test("only partner programs register accounts, and only for partners who may refer")
    func whereAndWho() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let customers = try service.make("/v1/programs", IdempotencyTests.program)
        _ = try service.post("/v1/programs/\(customers)/activate")
        let cora = try service.make(
            "/v1/participants",
            [
                "program_id": .string(customers), "name": "Cora", "email": "cora@p.example",
                "status": "approved",
            ])
        let customer = Scene.Partner(id: cora, code: "", link: "", token: "")
        let account: JSONValue = ["domain": "acme.example"]
        let elsewhere = try service.post("/v1/registrations", Deals.body(customer, account))
        #expect(elsewhere.code == "not_a_partner_program", "\(elsewhere.text)")
        _ = try service.send(
            "PATCH", "/v1/participants/\(scene.ada.id)", ["good_standing": false])
        #expect(
            try service.post("/v1/registrations", Deals.body(scene.ada, account)).code
                == "not_eligible")
        _ = try service.post("/v1/participants/\(scene.ben.id)/suspend")
        #expect(
            try service.post("/v1/registrations", Deals.body(scene.ben, account)).code
                == "participant_not_approved")
        // A token claims for itself alone.
        #expect(
            try service.post(
                "/v1/registrations", Deals.body(scene.ben, account), key: scene.ada.token
            ).status == 404)
        _ = try service.post("/v1/programs/\(scene.program)/pause")
        #expect(
            try service.post("/v1/registrations", Deals.body(scene.ada, account)).code
                == "program_not_active")
    }

    @Test("a claim is moved by its table alone, and extended within its terms")
    func moves() throws {
        let deals = try Deals(["cool_off_days": 5])
        defer { deals.service.stop() }
        let id = try deals.register(deals.ada, "acme.example").id()
        let evidence: JSONValue = ["evidence": [["kind": "budget_talk"]]]
        #expect(try deals.act(id, "win").code == "invalid_transition")
        #expect(try deals.act(id, "approve", key: deals.ada.token).status == 403)
        #expect(try deals.act(id, "approve")["status"] == "approved")
        #expect(
            try deals.act(id, "extend", evidence, key: deals.ada.token).code == "operator_decides")
        #expect(try deals.act(id, "extend", evidence)["extensions"] == 1)
        #expect(try deals.act(id, "extend", evidence).code == "extensions_used_up")
        #expect(
            try deals.act(id, "win", ["value": ["amount": 1, "currency": "EUR"]]).code
                == "currency_mismatch")
        deals.service.clock.advance(days: 121)
        let late = try deals.act(id, "extend", evidence)
        #expect(["protection_over", "invalid_transition"].contains(late.code), "\(late.text)")
        _ = try deals.service.get("/v1/registrations/\(id)")
        var reader: Reader?
        let runner = try JobRunner(deals.service.service.app)
        while runner.runSlice(&reader) {}
        let patch = try deals.service.send(
            "PATCH", "/v1/registrations/\(id)", ["contact": ["name": "Grace"]])
        #expect(patch.code == "registration_closed", "\(patch.text)")
        // Tokens last 30 days; a portal asks for new ones.
        func claimed(_ partner: Scene.Partner) throws -> TestAnswer {
            try deals.service.post(
                "/v1/registrations", Deals.body(partner, ["domain": "acme.example"]))
        }
        let again = try claimed(deals.ada)
        #expect(again.code == "cool_off", "\(again.text)")
        #expect(again["until"] != nil)
        #expect(try claimed(deals.ben).status == 201)
    }

    @Test("partners may hold parts of an account side by side, the whole excludes them")
    func parts() throws {
        let deals = try Deals(["allow_parts": true])
        defer { deals.service.stop() }
        func part(_ name: String?, _ partner: Scene.Partner) throws -> TestAnswer {
            var account: JSONObject = ["domain": "acme.example"]
            account["part"] = name.map { .string($0) }
            return try claim(deals, .object(account), by: partner)
        }
        #expect(try part("EMEA", deals.ada).status == 201)
        #expect(try part("APAC", deals.ben).status == 201)
        #expect(try part("EMEA", deals.ben).code == "account_protected")
        #expect(try part(nil, deals.ben).code == "account_protected")
        #expect(try part("LATAM", deals.ada).status == 201)
        let seen = try deals.service.get("/v1/protection?domain=acme.example")
        #expect(seen["claims"]?.arrayValue?.count == 3)
    }

    @Test("claims that may be on one account open a dispute by themselves, and wait for a person")
    func overlap() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let first = try claim(deals, ["domain": "northwind.example", "name": "Northwind Traders"])
        #expect(first["status"] == "approved")
        let second = try claim(
            deals, ["domain": "northwind-group.example", "name": "Northwind Trader Inc."],
            by: deals.ben)
        #expect(second["status"] == "submitted", "\(second.text)")
        let dispute = try #require(second["dispute_id"]?.stringValue)
        let seen = try deals.service.get("/v1/disputes/\(dispute)")
        #expect(seen["opened_by"] == "system")
        #expect(seen["against_id"] == first["id"])
        let ruled = try deals.service.post(
            "/v1/disputes/\(dispute)/resolve",
            ["decision": "reject", "reason": "Two companies of one name."])
        #expect(ruled["status"] == "resolved")
        #expect(try deals.act(second.id(), "approve")["status"] == "approved")
    }

    @Test("a program with a scope of its own protects within itself, and meets others in a dispute")
    func scopes() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let other = try deals.service.make(
            "/v1/programs",
            [
                "name": "Other", "kind": "partner", "currency": "USD",
                "destination_url": "https://www.example.com/", "protection_scope": "program",
                "registration": ["approval": "automatic"],
            ])
        _ = try deals.service.post("/v1/programs/\(other)/activate")
        let cora = try Scene.partner(deals.service, program: other, name: "cora")
        _ = try deals.register(deals.ada, "acme.example")
        let claim = try deals.register(cora, "acme.example")
        #expect(claim.status == 201, "\(claim.text)")
        #expect(claim["dispute_id"] != .null)
    }

    @Test("a dispute needs something to decide, once, and a decision that can be carried out")
    func disputes() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let held = try deals.register(deals.ada, "acme.example").id()
        let own = try deals.register(deals.ada, "other.example").id()
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        func open(_ claim: String, _ against: String? = nil, key: String? = "admin") throws
            -> TestAnswer
        {
            var body: JSONObject = ["registration_id": .string(claim), "reason": "We were first."]
            body["against_id"] = against.map { .string($0) }
            return try deals.service.post("/v1/disputes", .object(body), key: key)
        }
        #expect(try open(held).code == "nothing_contested")
        #expect(try open(held, own).code == "same_side")
        // A partner names its own claim, and no other.
        #expect(try open(held, key: deals.ben.token).status == 404)
        #expect(try open(refused, held, key: deals.ben.token).status == 404)
        let dispute = try open(refused, key: deals.ben.token)
        #expect(try open(refused).code == "dispute_open")
        let path = "/v1/disputes/\(try dispute.id())"
        #expect(
            try deals.service.post(
                path + "/resolve", ["decision": "uphold", "reason": "x"],
                key: deals.ben.token
            ).status == 403)
        #expect(
            try deals.service.post(path + "/resolve", ["decision": "split", "reason": "x"]).code
                == "share_required")
        _ = try deals.act(held, "withdraw", key: deals.ada.token)
        #expect(
            try deals.service.post(path + "/resolve", ["decision": "transfer", "reason": "x"]).code
                == "nothing_held")
        #expect(
            try deals.service.post(path + "/resolve", ["decision": "reject", "reason": "x"]).status
                == 200)
        #expect(try deals.service.post(path + "/review").code == "invalid_transition")
        #expect(
            try deals.service.post(path + "/evidence", ["note": "late"]).code == "dispute_resolved")
    }
}
