import JSON
import Testing

@testable import App

/// A partner that holds an account works its leads, whoever referred them.
struct WorkedLeadTests {
    typealias Deals = RegistrationTests.Deals

    @Test("the holder of an account reads the leads that it works, without who referred them")
    func holder() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let (service, token) = (deals.service, deals.ada.token)
        let claim = try deals.register(deals.ada, "acme.example").id()
        let own = try service.post("/v1/leads", ["email": "a@mine.example"], key: token).id()
        let lead = try service.post(
            "/v1/leads", ["email": "cto@acme.example", "metadata": ["from": "ben"]],
            key: deals.ben.token
        ).id()
        let other = try service.post(
            "/v1/leads", ["email": "b@other.example"], key: deals.ben.token
        ).id()
        for view in ["", "/timeline"] {
            let seen = try service.get("/v1/leads/\(lead)\(view)", key: token)
            #expect(seen.status == 200)
            #expect(!seen.text.contains(deals.ben.id), "\(seen.text)")
            #expect(!seen.text.contains("token") && !seen.text.contains("referrer_by"))
            #expect(try service.get("/v1/leads/\(other)\(view)", key: token).status == 404)
        }
        let seen = try service.get("/v1/leads/\(lead)", key: token)
        #expect(seen["email"] == "cto@acme.example")
        #expect(seen["owner.name"] == .string(deals.ada.id))
        #expect(seen["metadata"] == [:])
        #expect(try service.get("/v1/leads", key: token).ids == [lead, own])
        #expect(
            try service.get("/v1/leads?limit=1&starting_after=\(lead)", key: token).ids == [own])
        // Whoever referred it reads it as ever.
        let referred = try service.get("/v1/leads/\(lead)", key: deals.ben.token)
        #expect(referred["participant_id"] == .string(deals.ben.id))
        #expect(!referred.text.contains(deals.ada.id))

        #expect(try deals.act(claim, "withdraw", key: token).status == 200)
        #expect(try service.get("/v1/leads/\(lead)", key: token).status == 404)
        #expect(try service.get("/v1/leads/\(lead)/timeline", key: token).status == 404)
        #expect(try service.get("/v1/leads", key: token).ids == [own])
    }
}
