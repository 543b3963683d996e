import Foundation
import JSON
import Testing

@testable import App

/// Companies that the operator knows, through the real server.
struct AccountTests {
    private func scene() throws -> Scene { try Scene(TestService()) }

    @Test("an account is made once, however it is named, and changed after that")
    func upsert() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let first = try scene.service.post(
            "/v1/accounts",
            [
                "external_id": "crm-1", "name": "Acme GmbH", "domain": "Shop.ACME.example.",
                "country": "de", "relation": "pipeline", "metadata": ["stage": "demo"],
            ])
        #expect(first.status == 201, "\(first.text)")
        #expect(first["domain"] == "shop.acme.example")
        #expect(first["country"] == "DE")
        #expect(first["version"] == 1)
        let id = try first.id()
        #expect(first.header("location") == "/v1/accounts/\(id)")
        // By its external id, its domain under another name, its name and country.
        let rows: [(JSONValue, relation: JSONValue, version: JSONValue)] = [
            (
                ["external_id": "crm-1", "domain": "acme.example", "relation": "customer"],
                "customer", 2
            ),
            (["domain": "www.acme.example", "relation": "former"], "former", 3),
            (["name": "The ACME", "country": "DE", "relation": "prospect"], "prospect", 4),
        ]
        for (body, relation, version) in rows {
            let again = try scene.service.post("/v1/accounts", body)
            #expect(again.status == 200, "\(again.text)")
            #expect(again["id"] == .string(id), "\(again.text)")
            #expect(again["relation"] == relation)
            #expect(again["version"] == version)
            #expect(again["metadata.stage"] == "demo")
        }
        let same = try scene.service.post(
            "/v1/accounts",
            [
                "external_id": "crm-1", "domain": "www.acme.example",
                "name": "The ACME", "relation": "prospect",
            ])
        #expect(same["version"] == 4, "nothing was changed")
        #expect(try scene.service.get("/v1/accounts").ids == [id])
    }

    @Test("two domains are two accounts, and so are two countries")
    func apart() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let bodies: [JSONValue] = [
            ["name": "Acme", "country": "DE", "domain": "acme.example", "relation": "customer"],
            ["name": "Acme", "country": "DE", "domain": "acme.test", "relation": "customer"],
            ["name": "Acme", "country": "FR", "relation": "customer"],
        ]
        for body in bodies { #expect(try scene.service.post("/v1/accounts", body).status == 201) }
        #expect(try scene.service.get("/v1/accounts").ids.count == 3)
    }

    @Test(
        "what could be anybody is no account",
        arguments: [
            ["relation": "customer"], ["domain": "gmail.com", "relation": "customer"],
            ["domain": "co.uk", "relation": "customer"], ["name": "Acme", "relation": "customer"],
            ["name": "- -", "country": "DE", "relation": "customer"],
            ["external_id": "crm-1", "relation": "customer"],
        ] as [JSONValue])
    func notIdentifiable(body: JSONValue) throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let answer = try scene.service.post("/v1/accounts", body)
        #expect(answer.status == 422)
        #expect(answer.code == "account_not_identifiable")
        #expect(try scene.service.get("/v1/accounts").ids.isEmpty)
    }

    @Test("an external id and a domain belong to one account")
    func unique() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let one = try scene.service.make(
            "/v1/accounts",
            ["external_id": "crm-1", "domain": "one.example", "relation": "customer"])
        let two = try scene.service.make(
            "/v1/accounts",
            ["external_id": "crm-2", "domain": "two.example", "relation": "customer"])
        let clash = try scene.service.post(
            "/v1/accounts",
            ["external_id": "crm-3", "domain": "www.one.example", "relation": "customer"])
        #expect(clash.status == 409)
        #expect(clash.code == "domain_taken")
        let patches: [(JSONValue, String)] = [
            (["external_id": "crm-1"], "external_id_taken"),
            (["domain": "one.example"], "domain_taken"),
        ]
        for (patch, code) in patches {
            let answer = try scene.service.send("PATCH", "/v1/accounts/\(two)", patch)
            #expect(answer.status == 409)
            #expect(answer.code == code)
        }
        let bare = try scene.service.send("PATCH", "/v1/accounts/\(one)", ["domain": nil])
        #expect(bare.code == "account_not_identifiable")
        #expect(try scene.service.get("/v1/accounts/\(one)")["domain"] == "one.example")
    }

    private static let items: JSONValue = [
        ["external_id": "a", "domain": "a.example", "relation": "customer"],
        ["domain": "b.example", "relation": "pipeline"],
        ["domain": "gmail.com", "relation": "customer"],
        ["domain": "www.b.example", "relation": "customer"],
        ["external_id": "a", "domain": "a.example", "relation": "customer"],
    ]

    @Test("a bulk upsert tells of each item what became of it")
    func bulk() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let answer = try scene.service.post("/v1/accounts/bulk", ["items": Self.items])
        #expect(answer.status == 200, "\(answer.text)")
        let data = answer["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(data.compactMap { $0["index"]?.integerValue } == [0, 1, 2, 3, 4])
        #expect(data.compactMap { $0["status"]?.integerValue } == [201, 201, 422, 200, 200])
        #expect(
            data.map { $0["outcome"]?.stringValue }
                == ["created", "created", nil, "updated", "unchanged"])
        #expect(answer["data.2.problem.code"] == "account_not_identifiable")
        #expect(data[1]["id"] == data[3]["id"])
        #expect(try scene.service.get("/v1/accounts").ids.count == 2)
    }

    @Test("an atomic upsert with one refused item writes none")
    func atomic() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let before = try Scene.rowCount(scene.service)
        // Without an idempotency key, whose answer would be a row.
        let answer = try scene.service.send(
            "POST", "/v1/accounts/bulk", ["items": Self.items, "atomic": true])
        #expect(answer.status == 409)
        #expect(answer.pointer == "/items/2")
        #expect(try Scene.rowCount(scene.service) == before)
    }

    @Test("accounts are found by relation, external id, and any spelling of their domain")
    func filters() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let one = try scene.service.make(
            "/v1/accounts",
            [
                "external_id": "x", "domain": "bücher.example",
                "relation": "customer",
            ])
        let two = try scene.service.make(
            "/v1/accounts", ["domain": "two.example", "relation": "pipeline"])
        let rows: [(String, [String])] = [
            ("", [two, one]), ("?relation=customer", [one]), ("?relation=former", []),
            ("?external_id=x", [one]), ("?domain=shop.xn--bcher-kva.example", [one]),
            ("?domain=two.example&relation=pipeline", [two]), ("?domain=gmail.com", []),
        ]
        for (query, ids) in rows {
            #expect(try scene.service.get("/v1/accounts\(query)").ids == ids, "\(query)")
        }
    }

    @Test("a partner sees none of it, and the feed tells of each change")
    func accessAndEvents() throws {
        let scene = try scene()
        defer { scene.service.stop() }
        let body: JSONValue = ["domain": "one.example", "relation": "pipeline"]
        let id = try scene.service.make("/v1/accounts", body)
        #expect(try scene.service.get("/v1/accounts", key: scene.ada.token).status == 403)
        #expect(
            try scene.service.post("/v1/accounts", body, key: scene.ada.token).status == 403)
        _ = try scene.service.send("PATCH", "/v1/accounts/\(id)", ["relation": "customer"])
        let events = try Scene.events(scene.service).filter {
            $0["type"]?.stringValue?.hasPrefix("account.") == true
        }
        #expect(
            events.compactMap { $0["type"]?.stringValue } == ["account.created", "account.updated"])
    }

    @Test("a won registration makes its account a customer and leaves the operator's words alone")
    func won() throws {
        let deals = try RegistrationTests.Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let known = try deals.service.make(
            "/v1/accounts",
            [
                "external_id": "crm-1", "name": "Acme Holding", "domain": "acme.example",
                "country": "DE", "relation": "prospect",
            ])
        for domain in ["www.acme.example", "new.example"] {
            let claim = try deals.register(deals.ada, domain)
            #expect(claim["status"] == "approved", "\(claim.text)")
            #expect(try deals.act(claim.id(), "win").status == 200)
        }
        let account = try deals.service.get("/v1/accounts/\(known)")
        #expect(account["relation"] == "customer")
        #expect(account["name"] == "Acme Holding")
        #expect(account["domain"] == "acme.example")
        #expect(account["external_id"] == "crm-1")
        let made = try deals.service.get("/v1/accounts?domain=new.example")
        #expect(made["data.0.relation"] == "customer")
        #expect(made["data.0.name"] == "Acme Inc")
    }
}
