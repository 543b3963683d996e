import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// What the operator names a thing by is one key, however it is spelled.
struct NaturalKeyTests {
    private func sale(_ scene: Scene, _ id: JSONValue, _ customer: JSONValue = "buyer-1") throws
        -> TestAnswer
    {
        try scene.service.post(
            "/v1/conversions",
            [
                "external_id": id, "ref": .string(scene.ada.code),
                "customer": ["external_id": customer], "kind": "purchase",
                "amount": ["amount": 10_000, "currency": "USD"],
            ])
    }

    @Test(
        "a sale that is sent again with another spelling of its id is the same sale",
        arguments: [
            ("order", " order"), ("order", "order\r\n"), ("order", "\u{200B}order\u{FEFF}"),
            ("order", "\u{A0}order\u{3000}"), ("caf\u{E9}-1", "cafe\u{301}-1"),
            ("Å-7", "A\u{30A}-7"),
        ] as [(JSONValue, JSONValue)])
    func sameSale(id: JSONValue, other: JSONValue) throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let first = try sale(scene, id)
        #expect(first.status == 201, "\(first.text)")
        #expect(first["external_id"] == id)
        let second = try sale(scene, other)
        #expect(second.status == 200, "\(second.text)")
        #expect(second["id"] == first["id"])
        #expect(try service.get("/v1/conversions").ids.count == 1)
    }

    @Test(
        "a JSON integer is its digits, and meets the same key as text",
        arguments: ["1001", "0", "-5", "12345678901234567890123"])
    func integers(digits: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let number = try JSONValue.parse(Array(digits.utf8))
        let first = try sale(scene, number, number)
        #expect(first.status == 201, "\(first.text)")
        #expect(first["external_id"] == .string(digits))
        let second = try sale(scene, .string(digits), .string(digits))
        #expect(second["id"] == first["id"])
        #expect(second.status == 200)
    }

    @Test(
        "a number with a point or an exponent, and a control character inside, are refused",
        arguments: ["1001.0", "1e3", "10.5", "true", "[1]", #""a\tb""#, #""a\u0085b""#, #""  ""#])
    func refused(literal: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let answer = try sale(scene, try JSONValue.parse(Array(literal.utf8)))
        #expect(answer.status == 400)
        #expect(answer["errors.0.pointer"] == "/external_id")
    }

    @Test("a refund that is sent again with a blank takes nothing back a second time")
    func refund() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let id = try #require(try sale(scene, "order")["id"]?.stringValue)
        for (index, spelling) in ["r-1", " r-1", "r-1\n", "\u{FEFF}r-1"].enumerated() {
            let answer = try service.send(
                "POST", "/v1/conversions/\(id)/refund",
                [
                    "external_id": .string(spelling), "kind": "refund",
                    "amount": ["amount": 1000, "currency": "USD"],
                ], headers: [("Idempotency-Key", "k\(index)")])
            #expect(answer.status == (index == 0 ? 201 : 200), "\(answer.text)")
        }
        #expect(try service.get("/v1/conversions/\(id)")["refunded.amount"] == 1000)
    }

    @Test("references of payouts, skus, codes and ids of participants and accounts are keys too")
    func others() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        try scene.sale(scene.ada, "s1")
        let payout = try scene.payout(scene.ada, "2026-11")
        let again = try service.send(
            "POST", "/v1/payouts",
            ["participant_id": .string(scene.ada.id), "reference": " 2026-11 "],
            headers: [("Idempotency-Key", "p2")])
        #expect(again["id"]?.stringValue == payout, "\(again.text)")

        _ = try Scene.catalogItem(service, in: scene.program, sku: "7")
        let taken = try service.post(
            "/v1/catalog_items",
            [
                "program_id": .string(scene.program), "sku": 7, "name": "M", "kind": "perk",
                "points": 5,
            ])
        #expect(taken["code"] == "sku_taken", "\(taken.text)")
        #expect(try service.get("/v1/catalog_items?sku=%207").ids.count == 1)

        let link = try service.post(
            "/v1/links", ["participant_id": .string(scene.ada.id), "code": " spring-24\n"])
        #expect(link["code"] == "spring-24", "\(link.text)")

        let person: JSONValue = [
            "program_id": .string(scene.program), "name": "C", "email": "c@x.example",
            "external_id": 77,
        ]
        #expect(try service.post("/v1/participants", person)["external_id"] == "77")
        let other: JSONValue = [
            "program_id": .string(scene.program), "name": "D", "email": "d@x.example",
            "external_id": " 77",
        ]
        #expect(try service.post("/v1/participants", other)["code"] == "external_id_taken")

        let bulk = try service.post(
            "/v1/accounts/bulk",
            [
                "items": [
                    ["external_id": 9, "domain": "nine.example", "relation": "customer"],
                    ["external_id": "9 ", "name": "Nine", "country": "DE", "relation": "customer"],
                ]
            ])
        #expect(bulk["data.0.id"]?.stringValue != nil, "\(bulk.text)")
        #expect(bulk["data.0.id"] == bulk["data.1.id"])
    }

    @Test("a filter finds what a key of another spelling names")
    func filters() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        _ = try sale(scene, "caf\u{E9}", "b 1")
        #expect(try service.get("/v1/conversions?external_id=%20cafe%CC%81").ids.count == 1)
        #expect(try service.get("/v1/customers?external_id=b%201%0A").ids.count == 1)
    }
}

/// null for a member that may be left out is as good as none.
struct NullTests {
    @Test("a sale whose optional members are null is recorded as one without them")
    func sale() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let answer = try service.post(
            "/v1/conversions",
            [
                "external_id": "order", "program_id": .string(scene.program),
                "customer": [
                    "external_id": "b", "email": nil, "phone": nil, "payment_account": nil,
                    "device_id": nil,
                ],
                "kind": "purchase", "amount": ["amount": 10_000, "currency": "USD"],
                "lead_id": nil, "click_id": nil, "ref": nil, "product": nil, "occurred_at": nil,
                "metadata": nil,
            ])
        #expect(answer.status == 201, "\(answer.text)")
    }

    @Test("what a service answers can be sent back: every optional member takes null")
    func everyBody() throws {
        for endpoint in RouteTable.all.endpoints where endpoint.method != .patch {
            guard let body = endpoint.about.body, endpoint.about.parsesBody,
                case .object(let fields) = body
            else { continue }
            var object = JSONObject()
            for field in fields where !field.isRequired { object[field.name] = .null }
            let reading = body.read(.object(object))
            let wrong = reading.faults.filter { $0.code != "required" }
            #expect(wrong.isEmpty, "\(endpoint.path): \(wrong)")
        }
    }

    @Test("null for a member that must be there is that it is missing")
    func required() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.post("/v1/programs", ["name": nil, "currency": "USD"])
        #expect(answer.status == 400)
        #expect(answer["errors.0.pointer"] == "/name")
        #expect(answer["errors.0.code"] == "required")
    }

    @Test("items of a bulk request and of a list take null, a merge patch keeps its meaning")
    func nested() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let bulk = try service.post(
            "/v1/links/bulk",
            [
                "atomic": nil,
                "items": [["participant_id": .string(scene.ada.id), "code": nil, "utm": nil]],
            ])
        #expect(bulk["data.0.status"] == 201, "\(bulk.text)")

        let link = "/v1/links/\(scene.ada.link)"
        _ = try service.send("PATCH", link, ["campaign": "spring"])
        #expect(try service.send("PATCH", link, ["campaign": nil])["campaign"] == .null)
        let name = try service.send("PATCH", "/v1/programs/\(scene.program)", ["name": nil])
        #expect(name.status == 400, "\(name.text)")
    }
}

/// A refusal says which form is right, with an example.
struct HelpfulErrorTests {
    @Test(
        "the detail names the first fault, the form that is right, and an example",
        arguments: [
            (#"{"name":"P"}"#, ["/currency is missing"]),
            (#"{"name":"P","currency":"dollar"}"#, ["/currency", "ISO 4217", "USD"]),
            (#"{"name":"P","currency":"USD","destination_url":"www.x.com"}"#, ["https://"]),
            (
                #"{"name":"P","currency":"USD","allowed_origins":["https://x.com/"]}"#,
                ["/allowed_origins/0", "without a slash at the end"]
            ),
            (
                #"{"name":"P","currency":"USD","approval_threshold":{"amount":19.99}}"#,
                ["/approval_threshold/amount", "minor units", #""amount": 1999"#]
            ),
            (
                #"{"name":"P","currency":"USD","approval_threshold":{"amount":20.00}}"#,
                ["/approval_threshold/amount", "minor units"]
            ),
            (
                #"{"name":"P","currency":"USD","approval_threshold":"19.99"}"#,
                ["/approval_threshold", "minor units"]
            ),
            (
                #"{"name":"P","currency":"USD","destinationUrl":"x"}"#,
                ["did you mean destination_url?"]
            ),
        ])
    func details(body: String, words: [String]) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.post("/v1/programs", try JSONValue.parse(Array(body.utf8)))
        #expect(answer.status == 400, "\(answer.text)")
        let detail = try #require(answer["detail"]?.stringValue)
        for word in words { #expect(detail.contains(word), "\(detail)") }
    }

    @Test("an id of another kind, a time without a zone and a percentage are explained")
    func others() throws {
        let service = try TestService()
        defer { service.stop() }
        let scene = try Scene(service)
        let lead = try service.get("/v1/leads?participant_id=\(scene.program)")
        #expect(lead["detail"]?.stringValue?.contains("this is one of a program") == true)
        let time = try service.get("/v1/leads?created_at%5Bgte%5D=yesterday")
        #expect(time["detail"]?.stringValue?.contains("2026-11-30") == true, "\(time.text)")
        let rule = try service.post(
            "/v1/programs/\(scene.program)/reward_rules", ["trigger": "conversion", "percent": 20])
        #expect(
            rule["detail"]?.stringValue?.contains("did you mean basis_points?") == true,
            "\(rule.text)")
        let unknown = try service.get("/v1/leads?page=2")
        #expect(
            unknown["detail"]?.stringValue?.contains("did you mean starting_after?") == true,
            "\(unknown.text)")
    }

    @Test("a whole number with a point is one where it is no money")
    func wholeNumbers() throws {
        let service = try TestService()
        defer { service.stop() }
        let text = #"{"name":"P","currency":"USD","hold_days":14.0}"#
        let answer = try service.post("/v1/programs", try JSONValue.parse(Array(text.utf8)))
        #expect(answer["hold_days"] == 14, "\(answer.text)")
    }
}
