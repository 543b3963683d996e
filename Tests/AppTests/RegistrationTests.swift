import Foundation
import JSON
import Testing

@testable import App

/// Deal registrations from end to end: the first one wins, and every other learns nothing.
struct RegistrationTests {
    /// A program with these registration terms and two approved partners with tokens.
    struct Deals {
        let service: TestService
        let program: String
        let ada: Scene.Partner
        let ben: Scene.Partner

        init(_ terms: JSONValue = [:], _ more: [(String, JSONValue)] = []) throws {
            service = try TestService()
            var body: JSONObject = [
                "name": "Partners", "kind": "partner", "currency": "USD",
                "destination_url": "https://www.example.com/", "registration": terms,
            ]
            for (name, value) in more { body[name] = value }
            program = try service.make("/v1/programs", .object(body))
            try #require(try service.post("/v1/programs/\(program)/activate").status == 200)
            ada = try Scene.partner(service, program: program, name: "ada")
            ben = try Scene.partner(service, program: program, name: "ben")
        }

        static func body(
            _ partner: Scene.Partner, _ account: JSONValue, _ more: [(String, JSONValue)] = []
        ) -> JSONValue {
            var body: JSONObject = ["participant_id": .string(partner.id), "account": account]
            for (name, value) in more { body[name] = value }
            return .object(body)
        }

        func register(
            _ partner: Scene.Partner, _ domain: String, _ more: [(String, JSONValue)] = []
        ) throws -> TestAnswer {
            try service.post(
                "/v1/registrations",
                Deals.body(partner, ["domain": .string(domain), "name": "Acme Inc"], more),
                key: partner.token)
        }

        func act(
            _ id: String, _ action: String, _ body: JSONValue = [:], key: String? = "admin"
        ) throws -> TestAnswer {
            try service.post("/v1/registrations/\(id)/\(action)", body, key: key)
        }
    }

    @Test("the first claim is accepted, the second is refused without a hint of who was first")
    func firstWins() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example")
        #expect(first.status == 201, "\(first.text)")
        #expect(first["status"] == "submitted")
        let id = try first.id()

        let second = try deals.register(deals.ben, "WWW.Acme.example.")
        #expect(second.status == 409)
        #expect(second.code == "account_protected")
        #expect(second["protected_until_latest"] == first["protected_until_latest"])
        #expect(!second.text.contains(id))
        #expect(!second.text.contains(deals.ada.id))

        let kept = try #require(second["registration_id"]?.stringValue)
        let refused = try deals.service.get("/v1/registrations/\(kept)", key: deals.ben.token)
        #expect(refused["status"] == "refused")
        #expect(
            try deals.service.get("/v1/registrations/\(kept)", key: deals.ada.token).status == 404)
        #expect(
            try deals.service.get("/v1/registrations/\(id)", key: deals.ben.token).status == 404)
        // Trying again adds no further evidence.
        #expect(try deals.register(deals.ben, "acme.example")["registration_id"] == .string(kept))
        #expect(
            try deals.service.get("/v1/registrations?participant_id=\(deals.ben.id)").ids == [kept])
    }

    @Test("protection tells the holder, direct sales and others what each may know")
    func protection() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let path = "/v1/protection?domain=shop.acme.example"
        #expect(try deals.service.get(path)["work"] == "anyone")
        let claim = try deals.register(deals.ada, "acme.example")
        #expect(claim["status"] == "approved", "\(claim.text)")

        #expect(try deals.service.get(path, key: deals.ada.token)["work"] == "you")
        let other = try deals.service.get(path, key: deals.ben.token)
        #expect(other["work"] == "another")
        #expect(other["claims"] == .array([]))
        let sales = try deals.service.get(path)
        #expect(sales["work"] == "partner")
        #expect(sales["claims.0.participant_id"] == .string(deals.ada.id))
        #expect(sales["claims.0.protected_until"] == claim["protected_until"])
        #expect(
            try deals.service.get(path + "&participant_id=\(deals.ben.id)")["work"] == "another")
    }

    @Test("a receipt proves the claim, and its chain has a head")
    func receipt() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ada, "acme.example")
        let receipt = try deals.service.get(
            "/v1/registrations/\(claim.id())/receipt", key: deals.ada.token)
        #expect(receipt.status == 200)
        #expect(receipt["body.sequence"] == 1)
        let head = try deals.service.get("/v1/registrations/head")
        #expect(head["sequence"] == 1)
        let key = try deals.service.get("/v1/registrations/verification_key", key: nil)
        #expect(key["key_id"] == receipt["body.key_id"])
    }

    @Test("a rejected claim frees the account, and the earliest refused partner is told")
    func release() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example").id()
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let rejected = try deals.act(
            first, "reject", ["reason_code": "no_evidence", "reason": "No meeting yet."])
        #expect(rejected["status"] == "rejected")
        let told = try Scene.events(deals.service, key: deals.ben.token).map { $0["type"] }
        #expect(told.contains("registration.account_free"))
        #expect(try deals.register(deals.ben, "acme.example").status == 201)
        #expect(
            try deals.service.get("/v1/registrations/\(refused)")["status"] == "refused")
    }

    @Test("a dispute hands the account to the other side, each of which sees its own")
    func transfer() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example")
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let dispute = try deals.service.post(
            "/v1/disputes",
            ["registration_id": .string(refused), "reason": "We met them in May."],
            key: deals.ben.token)
        #expect(dispute.status == 201, "\(dispute.text)")
        let path = "/v1/disputes/\(try dispute.id())"
        #expect(dispute["role"] == "claimant")
        #expect(dispute["respondent_id"] == .null)
        let seen = try deals.service.get(path, key: deals.ada.token)
        #expect(seen["role"] == "respondent")
        #expect(!seen.text.contains(deals.ben.id))
        #expect(!seen.text.contains("May"))

        for (partner, note) in [(deals.ada, "Signed offer"), (deals.ben, "Meeting notes")] {
            let added = try deals.service.post(
                path + "/evidence", ["note": .string(note)], key: partner.token)
            #expect(added.status == 200)
            #expect(added["evidence"]?.arrayValue?.count == 1)
        }
        #expect(try deals.service.post(path + "/review", ["owner": "mia"]).status == 200)
        let ruled = try deals.service.post(
            path + "/resolve", ["decision": "transfer", "reason": "The meeting was first."])
        #expect(ruled["status"] == "resolved", "\(ruled.text)")
        let now = try deals.service.get("/v1/protection?domain=acme.example")
        #expect(now["claims.0.participant_id"] == .string(deals.ben.id))
        #expect(now["claims"]?.arrayValue?.count == 1)
        #expect(
            try deals.service.get("/v1/registrations/\(try first.id())")["status"] == "rejected")
        #expect(
            try deals.service.get("/v1/registrations/\(refused)/receipt").status == 200)
    }
}
