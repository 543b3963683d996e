import Database
import JSON
import Testing

@testable import App

/// A claim that nobody has decided keeps others out, and earns nothing.
struct UndecidedClaimTests {
    typealias Deals = RegistrationTests.Deals

    private func sale(
        _ deals: Deals, _ id: String, _ more: [(String, JSONValue)] = []
    ) throws -> TestAnswer {
        var body: JSONObject = [
            "program_id": .string(deals.program), "external_id": .string(id),
            "customer": ["email": "cto@acme.example"], "kind": "purchase",
            "amount": ["amount": 100_000, "currency": "USD"],
        ]
        for (name, value) in more { body[name] = value }
        let answer = try deals.service.post("/v1/conversions", .object(body))
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    @Test("a sale is credited to a claim that was approved by then, never to an undecided one")
    func sales() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ada, "acme.example")
        #expect(try sale(deals, "one")["attribution.credits"] == .array([]))
        #expect(
            try sale(deals, "two", [("ref", "ben")])["attribution.credits.0.participant_id"]
                == .string(deals.ben.id))
        // The account is hers to work, all the same.
        #expect(
            try deals.service.get("/v1/protection?domain=acme.example", key: deals.ada.token)[
                "work"] == "you")
        deals.service.clock.advance(hours: 1)
        let approved = try deals.act(claim.id(), "approve")
        #expect(approved.status == 200)
        #expect(
            try sale(deals, "three")["attribution.credits.0.participant_id"]
                == .string(deals.ada.id))
        // What had been bought before the approval stays without it.
        let early = try sale(deals, "four", [("occurred_at", claim["created_at"] ?? .null)])
        #expect(early["attribution.credits"] == .array([]), "\(early.text)")
    }

    @Test("a lead earns its referrer while the claim on its account is undecided")
    func leads() throws {
        let deals = try Deals([:], [("qualification", ["duplicate_keys": ["email"]])])
        defer { deals.service.stop() }
        _ = try deals.service.make(
            "/v1/programs/\(deals.program)/reward_rules",
            ["trigger": "lead.qualified", "amount": ["amount": 5_000, "currency": "USD"]])
        let claim = try deals.register(deals.ada, "acme.example").id()
        func earner(_ email: String) throws -> JSONValue? {
            let lead = try deals.service.post(
                "/v1/leads", ["participant_id": .string(deals.ben.id), "email": .string(email)])
            let id = try lead.id()
            #expect(try deals.service.post("/v1/leads/\(id)/qualify").status == 200)
            return try deals.service.get("/v1/rewards?lead_id=\(id)")["data.0.participant_id"]
        }
        #expect(try earner("cto@acme.example") == .string(deals.ben.id))
        #expect(
            try deals.act(claim, "reject", ["reason_code": "other", "reason": "No."]).status == 200)
        let second = try deals.register(deals.ada, "acme.example").id()
        #expect(try deals.act(second, "approve").status == 200)
        #expect(try earner("cto@it.acme.example") == .string(deals.ada.id))
    }
}

/// What a dispute keeps from happening, and what a ruling settles.
struct RuledClaimTests {
    typealias Deals = RegistrationTests.Deals

    /// Two claims, the second of which was refused, and the dispute that its partner opens.
    private func disputed(
        _ deals: Deals
    ) throws -> (first: String, refused: String, dispute: String) {
        let first = try deals.register(deals.ada, "acme.example").id()
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let dispute = try ask(deals, refused, key: deals.ben.token)
        return (first, refused, try dispute.id())
    }

    private func ask(_ deals: Deals, _ claim: String, key: String?) throws -> TestAnswer {
        try deals.service.post(
            "/v1/disputes",
            ["registration_id": .string(claim), "reason": "We were first."], key: key)
    }

    private func rule(
        _ deals: Deals, _ dispute: String, _ decision: String
    ) throws -> TestAnswer {
        try deals.service.post(
            "/v1/disputes/\(dispute)/resolve",
            ["decision": .string(decision), "reason": "So it was."])
    }

    @Test("a claim is not approved while any dispute about it is open")
    func openDispute() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let (first, _, dispute) = try disputed(deals)
        let cora = try Scene.partner(deals.service, program: deals.program, name: "cora")
        let third = try #require(
            try deals.register(cora, "acme.example")["registration_id"]?.stringValue)
        let other = try ask(deals, third, key: cora.token).id()
        for open in [dispute, other] {
            let refused = try deals.act(first, "approve")
            #expect(refused.status == 409)
            #expect(refused.code == "dispute_open")
            #expect(refused["dispute_id"] == .string(open))
            #expect(try rule(deals, open, "uphold").status == 200)
        }
        #expect(try deals.act(first, "approve")["status"] == "approved")
    }

    @Test("what has been ruled is not asked again by a partner, only by the operator")
    func ruled() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let (_, refused, dispute) = try disputed(deals)
        #expect(try rule(deals, dispute, "uphold").status == 200)
        _ = try deals.register(deals.ben, "acme.example")
        let again = try ask(deals, refused, key: deals.ben.token)
        #expect(again.status == 409)
        #expect(again.code == "already_ruled")
        #expect(again["dispute_id"] == .string(dispute))
        #expect(try ask(deals, refused, key: "admin").status == 201)
    }

    @Test("whoever is closed gives up its live claims, and whoever waits is told")
    func closing() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let kept = try deals.register(deals.ada, "won.example").id()
        #expect(try deals.act(kept, "approve").status == 200)
        #expect(try deals.act(kept, "win").status == 200)
        let first = try deals.register(deals.ada, "acme.example").id()
        _ = try deals.register(deals.ben, "acme.example")
        // More than one transaction takes.
        for index in 1...60 { _ = try deals.register(deals.ada, "firm-\(index).example") }
        #expect(try deals.service.post("/v1/participants/\(deals.ada.id)/close").status == 200)
        let claim = try deals.service.get("/v1/registrations/\(first)")
        #expect(claim["status"] == "withdrawn")
        #expect(claim["reason_code"] == "participant_closed")
        let told = try Scene.events(deals.service, key: deals.ben.token).map { $0["type"] }
        #expect(told.contains("registration.account_free"))
        #expect(try deals.register(deals.ben, "acme.example").status == 201)
        #expect(try deals.service.get("/v1/registrations/\(kept)")["status"] == "won")
        var reader: Reader?
        while deals.service.service.jobs.runSlice(&reader) {}
        #expect(
            try deals.service.get(
                "/v1/registrations?status=submitted&participant_id=\(deals.ada.id)"
            ).ids.isEmpty)
    }

    @Test("a ruling gives no account to a participant who is not approved")
    func claimant() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let (first, _, dispute) = try disputed(deals)
        _ = try deals.service.post("/v1/participants/\(deals.ben.id)/suspend")
        let refused = try rule(deals, dispute, "transfer")
        #expect(refused.status == 409)
        #expect(refused.code == "participant_not_approved")
        #expect(try deals.service.get("/v1/registrations/\(first)")["status"] == "approved")
        #expect(try rule(deals, dispute, "uphold")["status"] == "resolved")
    }
}
