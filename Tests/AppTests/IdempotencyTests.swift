import HTTP
import JSON
import Testing

@testable import App

/// A request that is sent again has one effect and one answer.
struct IdempotencyTests {
    /// What identifies an answer: everything but what each exchange has anew.
    private static func essence(_ answer: TestAnswer) -> [String] {
        let passing = ["date", "request-id", "idempotent-replayed", "connection"]
        return [String(answer.status), answer.text]
            + answer.headers.map { "\($0.name.lowercased()): \($0.value)" }.filter { line in
                !passing.contains { line.hasPrefix($0 + ":") }
            }.sorted()
    }

    private static func program(_ name: String) -> JSONValue {
        ["name": .string(name), "kind": "partner", "currency": "USD"]
    }

    private static func send(
        _ service: TestService, _ key: String, _ body: JSONValue,
        to target: String = "/v1/programs",
        method: String = "POST", caller: String = "admin"
    ) throws -> TestAnswer {
        try service.send(
            method, target, body, key: caller, headers: [("Idempotency-Key", key)])
    }

    private static func count(_ list: String, _ service: TestService) throws -> Int {
        let answer = try service.get("\(list)?limit=100")
        return try #require(answer["data"]?.arrayValue).count
    }

    // MARK: - Replay

    @Test("a request sent twice has one effect and, byte for byte, one answer")
    func replay() throws {
        let service = try TestService()
        defer { service.stop() }
        let first = try Self.send(service, "one", Self.program("A"))
        #expect(first.status == 201)
        #expect(first.header("idempotent-replayed") == nil)
        let second = try Self.send(service, "one", Self.program("A"))
        #expect(second.header("idempotent-replayed") == "true")
        #expect(Self.essence(second) == Self.essence(first))
        #expect(second.header("location") == "/v1/programs/\(first["id"]?.stringValue ?? "")")
        #expect(second.header("etag") == "\"1\"")
        #expect(second.header("request-id") != first.header("request-id"))
        #expect(try Self.count("/v1/programs", service) == 1)
    }

    @Test("an answer is replayed after a restart too")
    func replayAfterRestart() throws {
        let before = try TestService()
        let first = try Self.send(before, "one", Self.program("A"))
        before.stop(keepingFiles: true)
        let service = try TestService(folder: before.folder)
        defer { service.stop() }
        let second = try Self.send(service, "one", Self.program("A"))
        #expect(second.header("idempotent-replayed") == "true")
        #expect(Self.essence(second) == Self.essence(first))
        #expect(try Self.count("/v1/programs", service) == 1)
    }

    @Test("requests with one key that come at once have one effect and one answer")
    func twins() async throws {
        let service = try TestService()
        defer { service.stop() }
        let answers = try await withThrowingTaskGroup(of: TestAnswer.self) { group in
            for _ in 0..<12 {
                group.addTask { try Self.send(service, "one", Self.program("A")) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(answers.map(\.text)).count == 1)
        #expect(answers.allSatisfy { $0.status == 201 })
        #expect(answers.count { $0.header("idempotent-replayed") == nil } == 1)
        #expect(try Self.count("/v1/programs", service) == 1)
    }

    @Test("a key that was used for another request is refused, and nothing happens")
    func otherRequest() throws {
        let service = try TestService()
        defer { service.stop() }
        _ = try Self.send(service, "one", Self.program("A"))
        let other = try Self.send(service, "one", Self.program("B"))
        #expect(other.status == 422)
        #expect(other["code"] == "idempotency_key_reused")
        #expect(other.header("idempotent-replayed") == nil)
        #expect(try Self.count("/v1/programs", service) == 1)
        // Nor was the first answer lost by it.
        let again = try Self.send(service, "one", Self.program("A"))
        #expect(again.header("idempotent-replayed") == "true")
    }

    @Test("one key at two paths is two keys")
    func otherPath() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for lead in [both.ada.lead, both.ben.lead] {
            let answer = try Self.send(service, "one", [:], to: "/v1/leads/\(lead)/qualify")
            #expect(answer.status == 200)
            #expect(answer.header("idempotent-replayed") == nil)
            #expect(answer["id"] == .string(lead))
        }
    }

    @Test("nobody is given the answer to another's key")
    func keyIsPerCaller() throws {
        let service = try TestService()
        defer { service.stop() }
        let writers = [try service.secretKey(["write"]), try service.secretKey(["write"])]
        let programs = try writers.map {
            try Self.send(service, "one", Self.program("A"), caller: $0)
        }
        #expect(programs.allSatisfy { $0.header("idempotent-replayed") == nil })
        #expect(programs[0]["id"] != programs[1]["id"])

        let both = try TwoReferrers(service)
        let leads = try [both.ada, both.ben].map {
            try Self.send(
                service, "one", ["email": "same@buyer.example"], to: "/v1/leads", caller: $0.token)
        }
        #expect(leads.map { $0.status } == [201, 201])
        #expect(leads[1]["participant_id"] == .string(both.ben.id))
    }

    @Test("a key in quotes is the same key")
    func quotedKey() throws {
        let service = try TestService()
        defer { service.stop() }
        _ = try Self.send(service, "one", Self.program("A"))
        let quoted = try Self.send(service, "\"one\"", Self.program("A"))
        #expect(quoted.header("idempotent-replayed") == "true")
    }

    @Test(
        "a key of another form is refused",
        arguments: ["", "\"\"", "two words", "umläut", String(repeating: "k", count: 256)])
    func badKey(key: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try Self.send(service, key, Self.program("A"))
        #expect(answer.status == 400)
        #expect(answer["code"] == "bad_idempotency_key")
        #expect(try Self.count("/v1/programs", service) == 0)
    }

    @Test("a key of 255 characters is taken")
    func longestKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = String(repeating: "k", count: 255)
        #expect(try Self.send(service, key, Self.program("A")).status == 201)
    }

    @Test("a key is free again after 24 hours")
    func forgottenKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let first = try Self.send(service, "one", Self.program("A"))
        service.clock.advance(days: 1)
        let second = try Self.send(service, "one", Self.program("A"))
        #expect(second.status == 201)
        #expect(second["id"] != first["id"])
    }

    // MARK: - Refusals

    @Test("a refusal by the state is the answer for good, though the state has changed since")
    func storedRefusal() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/leads/\(both.ada.lead)"
        let refused = try Self.send(service, "one", [:], to: "\(path)/win")
        #expect(refused.status == 409)
        #expect(refused["code"] == "invalid_transition")
        for action in ["qualify", "advance"] {
            #expect(try service.post("\(path)/\(action)").status == 200)
        }
        let again = try Self.send(service, "one", [:], to: "\(path)/win")
        #expect(again.header("idempotent-replayed") == "true")
        #expect(Self.essence(again) == Self.essence(refused))
        #expect(try service.get(path)["status"] == "opportunity")
        #expect(try Self.send(service, "two", [:], to: "\(path)/win").status == 200)
    }

    @Test("a refusal before anything was decided leaves the key free")
    func unstoredRefusal() throws {
        let service = try TestService()
        defer { service.stop() }
        #expect(try Self.send(service, "one", ["name": 1]).status == 400)
        let reader = try service.secretKey(["read"])
        #expect(try Self.send(service, "one", Self.program("A"), caller: reader).status == 403)
        let right = try Self.send(service, "one", Self.program("A"))
        #expect(right.status == 201)
        #expect(right.header("idempotent-replayed") == nil)
    }

    @Test("what moves money needs a key, and nothing else does")
    func requiredKey() throws {
        let required = RouteTable.all.endpoints.filter { $0.idempotency == .required }
        #expect(
            Set(required.map(\.name)) == [
                "POST /v1/payouts", "POST /v1/payouts/{id}/submit",
                "POST /v1/payouts/{id}/confirm", "POST /v1/payouts/{id}/fail",
                "POST /v1/payouts/{id}/mark_unknown", "POST /v1/payouts/{id}/cancel",
                "POST /v1/conversions/{id}/refund",
            ])
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for endpoint in required {
            let isRefund = endpoint.path.hasSuffix("refund")
            let id = isRefund ? both.ada.conversion : both.ada.payout
            let body: JSONValue =
                switch endpoint.path {
                case "/v1/payouts":
                    ["participant_id": .string(both.ada.id), "reference": "new"]
                case "/v1/payouts/{id}/fail": ["reason": "bounced"]
                case "/v1/conversions/{id}/refund": ["external_id": "refund-1"]
                default: [:]
                }
            let answer = try service.send("POST", endpoint.target(id), body)
            #expect(answer.status == 400, "\(endpoint.name)")
            #expect(answer["code"] == "idempotency_key_required", "\(endpoint.name)")
        }
        #expect(try service.get("/v1/payouts/\(both.ada.payout)")["status"] == "draft")
        let sale = try service.get("/v1/conversions/\(both.ada.conversion)")
        #expect(sale["refunded.amount"] == 0)
    }

    @Test("every POST and PATCH under /v1 takes a key")
    func keyIsTaken() {
        for endpoint in RouteTable.all.endpoints where endpoint.path.hasPrefix("/v1/") {
            let isWrite = endpoint.method == .post || endpoint.method == .patch
            #expect((endpoint.idempotency != .none) == isWrite, "\(endpoint.name)")
        }
    }

    // MARK: - Natural keys

    @Test("a sale recorded again with the same content is the same sale")
    func sameSale() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let again = try service.post(
            "/v1/conversions", TwoReferrers.sale("sale-of-ada", of: both.ada.lead))
        #expect(again.status == 200)
        #expect(again["id"] == .string(both.ada.conversion))
        #expect(again["rewards.0.id"] == .string(both.ada.reward))
        #expect(try Self.count("/v1/conversions", service) == 2)
        #expect(try Self.count("/v1/rewards", service) == 2)
    }

    @Test("a sale recorded again with other content is refused, naming what differs")
    func otherSale() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let same = try #require(
            TwoReferrers.sale("sale-of-ada", of: both.ada.lead).objectValue)
        let changes: [(field: String, value: JSONValue)] = [
            ("kind", "renewal"), ("amount", ["amount": 50_001, "currency": "USD"]),
            ("customer", ["external_id": "somebody-else"]),
            ("occurred_at", "2020-01-01T00:00:00Z"), ("lead_id", .string(both.ben.lead)),
            ("ref", "ben"),
        ]
        for (field, value) in changes {
            var body = same
            body[field] = value
            let answer = try service.post("/v1/conversions", .object(body))
            #expect(answer.status == 409, "\(field)")
            #expect(answer["code"] == "external_id_taken", "\(field)")
            #expect(answer["errors.0.pointer"] == .string("/\(field)"))
        }
        #expect(try Self.count("/v1/conversions", service) == 2)
    }

    @Test("a sale known by its code alone leaves nothing behind when it is recorded again")
    func repeatedAnonymousSale() throws {
        let service = try TestService()
        defer { service.stop() }
        _ = try TwoReferrers(service)
        let sale: JSONValue = [
            "external_id": "at-the-till", "ref": "ada", "kind": "purchase",
            "amount": ["amount": 1_000, "currency": "USD"],
        ]
        let first = try service.send("POST", "/v1/conversions", sale)
        #expect(first.status == 201)
        let before = try DatabaseContent(service)
        let again = try service.send("POST", "/v1/conversions", sale)
        #expect(again.status == 200)
        #expect(again["id"] == first["id"])
        #expect(try DatabaseContent(service) == before)
    }

    @Test("a refund recorded again is the same refund, and with other content refused")
    func repeatedRefund() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/conversions/\(both.ada.conversion)/refund"
        let refund: JSONValue = [
            "external_id": "refund-1", "amount": ["amount": 1_000, "currency": "USD"],
        ]
        let first = try service.post(path, refund)
        #expect(first.status == 201)
        let again = try service.post(path, refund)
        #expect(again.status == 200)
        #expect(again["id"] == first["id"])
        let more: JSONValue = [
            "external_id": "refund-1", "amount": ["amount": 2_000, "currency": "USD"],
        ]
        let other = try service.post(path, more)
        #expect(other.status == 409)
        #expect(other["errors.0.pointer"] == "/amount")
        let elsewhere = try service.post(
            "/v1/conversions/\(both.ben.conversion)/refund", refund)
        #expect(elsewhere.status == 409)
        let sale = try service.get("/v1/conversions/\(both.ada.conversion)")
        #expect(sale["refunded.amount"] == 1_000)
    }

    @Test("a payout drafted again is the same payout, and with other content refused")
    func repeatedPayout() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        var body: JSONObject = [
            "participant_id": .string(both.ada.id), "reference": "payout-of-ada",
        ]
        let again = try service.post("/v1/payouts", .object(body))
        #expect(again.status == 200)
        #expect(again["id"] == .string(both.ada.payout))
        body["currency"] = "EUR"
        let otherCurrency = try service.post("/v1/payouts", .object(body))
        #expect(otherCurrency.status == 409)
        #expect(otherCurrency["errors.0.pointer"] == "/currency")
        body["currency"] = nil
        body["participant_id"] = .string(both.ben.id)
        let otherPerson = try service.post("/v1/payouts", .object(body))
        #expect(otherPerson.status == 409)
        #expect(otherPerson["errors.0.pointer"] == "/participant_id")
        #expect(try Self.count("/v1/payouts", service) == 2)
    }
}
