import JSON
import Model
import Testing

@testable import App

/// Whoever comes second learns no more than it must, and loses nothing that it shows.
struct SecondClaimTests {
    typealias Deals = RegistrationTests.Deals

    private func instant(_ value: JSONValue?) throws -> Instant {
        try #require(value?.stringValue.flatMap { Instant(rfc3339: $0) })
    }

    @Test("a partner is told the midnight after protection ends, the operator its very end")
    func midnight() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try deals.register(deals.ada, "acme.example")
        let end = try instant(first["protected_until_latest"])
        let told = try instant(
            deals.register(deals.ben, "acme.example")["protected_until_latest"])
        #expect(told == end.nextMidnight)
        let path = "/v1/protection?domain=acme.example"
        for key in [deals.ben.token, deals.ada.token] {
            #expect(
                try instant(deals.service.get(path, key: key)["protected_until_latest"])
                    == end.nextMidnight)
        }
        #expect(try instant(deals.service.get(path)["protected_until_latest"]) == end)
        let byKey = try deals.service.post(
            "/v1/registrations", Deals.body(deals.ben, ["domain": "acme.example"]))
        #expect(try instant(byKey["protected_until_latest"]) == end)
    }

    @Test("a claim on the account of another's open lead is told as it comes in, and at the lead")
    func openLead() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let lead = try deals.service.make(
            "/v1/leads",
            ["participant_id": .string(deals.ada.id), "email": "grace@acme.example"])
        let why = "/v1/leads/\(lead)/explain"
        #expect(try deals.service.get(why)["registration_because"] == .null)
        let claim = try deals.service.post(
            "/v1/registrations", Deals.body(deals.ben, ["domain": "acme.example"]))
        #expect(claim["findings.0.code"] == "open_lead", "\(claim.text)")
        #expect(claim["findings.0.lead_id"] == .string(lead))
        let told = try deals.service.get(why)["registration_because"]?.stringValue ?? ""
        #expect(told.contains(deals.ben.id) && told.contains("not decided"), "\(told)")
        let own = try deals.service.get(why, key: deals.ada.token)
        #expect(own["registration_because"]?.stringValue?.contains("Another's") == true)
        #expect(!own.text.contains(deals.ben.id))
        #expect(try deals.act(claim.id(), "approve").status == 200)
        let taken = try deals.service.get(why)["registration_because"]?.stringValue ?? ""
        #expect(taken.contains("is credited to it"), "\(taken)")

        // The claimant does not learn of it, and the referrer's own claim takes nothing away.
        let timeline = try deals.service.get(
            "/v1/registrations/\(claim.id())/timeline", key: deals.ben.token)
        #expect(!timeline.text.contains(lead))
        _ = try deals.service.make(
            "/v1/leads",
            ["participant_id": .string(deals.ada.id), "email": "eve@other.example"])
        #expect(try deals.register(deals.ben, "other.example")["findings"] == [])
        _ = try deals.service.make(
            "/v1/leads",
            ["participant_id": .string(deals.ada.id), "email": "joe@third.example"])
        let mine = try deals.service.post(
            "/v1/registrations", Deals.body(deals.ada, ["domain": "third.example"]))
        #expect(mine["findings"] == [])
    }

    @Test("a partner cannot find out by earlier instants when a rival's claim came in")
    func asOf() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ada, "acme.example")
        let created = try instant(claim["created_at"])
        func work(_ instant: Instant, key: String?) throws -> JSONValue? {
            try deals.service.get(
                "/v1/protection?domain=acme.example&as_of=\(instant.rfc3339)", key: key)["work"]
        }
        deals.service.clock.advance(days: 2)
        _ = try deals.register(deals.ben, "other.example")
        let end = created.nextMidnight
        #expect(try work(created, key: "admin") == "partner")
        #expect(try work(created, key: deals.ada.token) == "you")
        #expect(try work(created, key: deals.ben.token) == "anyone")
        #expect(try work(end, key: deals.ben.token) == "another")
    }

    @Test("what a refused claim shows when it is made again is kept with it, as a version")
    func evidence() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        _ = try deals.register(deals.ada, "acme.example")
        let first = try deals.register(
            deals.ben, "acme.example", [("contact", ["name": "Mia", "phone": "1"])])
        let more: [(String, JSONValue)] = [
            ("contact", ["name": "Mia Sand", "email": "mia@acme.example"]),
            (
                "opportunity",
                [
                    "value": ["amount": 5_000, "currency": "USD"],
                    "evidence": [["kind": "discovery_call", "note": "On Monday"]],
                ]
            ),
        ]
        for _ in 1...2 {
            let again = try deals.register(deals.ben, "acme.example", more)
            #expect(again["registration_id"] == first["registration_id"])
        }
        let id = try #require(first["registration_id"]?.stringValue)
        let kept = try deals.service.get("/v1/registrations/\(id)", key: deals.ben.token)
        #expect(kept["contact"] == ["name": "Mia Sand", "email": "mia@acme.example", "phone": "1"])
        #expect(kept["opportunity.value.amount"] == 5_000)
        #expect(kept["opportunity.evidence.0.note"] == "On Monday")
        #expect(kept["opportunity.evidence"]?.arrayValue?.count == 1)
        #expect(kept["version"] == 2)
        let events = try deals.service.get("/v1/registrations/\(id)/timeline")
        #expect(events["data.1.type"] == "registration.updated")
    }

    @Test("a part is the same however it is spaced and whatever its case")
    func parts() throws {
        let deals = try Deals(["allow_parts": true])
        defer { deals.service.stop() }
        func claim(_ partner: Scene.Partner, _ part: String) throws -> TestAnswer {
            try deals.service.post(
                "/v1/registrations",
                Deals.body(partner, ["domain": "acme.example", "part": .string(part)]))
        }
        let first = try claim(deals.ada, "  South  West ")
        #expect(first["account.part"] == "South West")
        #expect(try claim(deals.ben, "SOUTH WEST").code == "account_protected")
        #expect(try claim(deals.ada, "south west").code == "already_registered")
        #expect(try claim(deals.ben, "North").status == 201)
    }

    @Test("a name with invisible characters is the same company, one that turns direction is none")
    func invisible() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        func claim(_ partner: Scene.Partner, _ name: String) throws -> TestAnswer {
            try deals.service.post(
                "/v1/registrations",
                Deals.body(partner, ["name": .string(name), "country": "DE"]))
        }
        #expect(try claim(deals.ada, "Acme GmbH").status == 201)
        #expect(try claim(deals.ben, "Ac\u{200B}me").code == "account_protected")
        let turned = try claim(deals.ben, "\u{202E}emcA")
        #expect(turned.status == 400)
        #expect(turned.pointer == "/account/name")
    }
}
