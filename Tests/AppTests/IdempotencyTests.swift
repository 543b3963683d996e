import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// Retries, replays and natural keys: what is sent twice happens once.
struct IdempotencyTests {
    static let program: JSONValue = ["name": "Once", "currency": "USD"]

    /// Everything of an answer but what belongs to its own exchange.
    static func essence(_ answer: TestAnswer) -> [String] {
        let own: Set<String> = [
            "date", "request-id", "idempotent-replayed", "connection", "content-length",
        ]
        let headers = answer.headers.filter { !own.contains($0.name.lowercased()) }
        return ["\(answer.status)"] + headers.map { "\($0.name): \($0.value)" }.sorted()
            + [answer.text]
    }

    static func send(
        _ service: TestService, _ path: String, _ body: JSONValue, _ key: String,
        as caller: String = "admin"
    ) throws -> TestAnswer {
        try service.send("POST", path, body, key: caller, headers: [("Idempotency-Key", key)])
    }

    // MARK: - Replay

    @Test("the same key and request give the stored answer, byte for byte, and one effect")
    func replay() throws {
        let service = try TestService()
        defer { service.stop() }
        let first = try Self.send(service, "/v1/programs", Self.program, "a")
        let second = try Self.send(service, "/v1/programs", Self.program, "a")
        #expect(first.status == 201)
        #expect(first.header("idempotent-replayed") == nil)
        #expect(second.header("idempotent-replayed") == "true")
        #expect(Self.essence(first) == Self.essence(second))
        #expect(first.header("etag") != nil)
        #expect(first.header("location") != nil)
        #expect(try service.get("/v1/programs").ids.count == 1)
    }

    @Test("a replay has a request id of its own")
    func replayRequestID() throws {
        let service = try TestService()
        defer { service.stop() }
        let first = try Self.send(service, "/v1/programs", Self.program, "a")
        let second = try Self.send(service, "/v1/programs", Self.program, "a")
        #expect(first.header("request-id") != nil)
        #expect(first.header("request-id") != second.header("request-id"))
    }

    @Test("the stored answer outlives a restart")
    func replayAfterRestart() throws {
        let service = try TestService()
        let first = try Self.send(service, "/v1/programs", Self.program, "a")
        service.stop(keepingFiles: true)
        let again = try TestService(folder: service.folder, clock: service.clock)
        defer { again.stop() }
        let second = try Self.send(again, "/v1/programs", Self.program, "a")
        #expect(second.header("idempotent-replayed") == "true")
        #expect(Self.essence(first) == Self.essence(second))
        #expect(try again.get("/v1/programs").ids.count == 1)
    }

    @Test("a quoted key and a bare one are the same")
    func quoted() throws {
        let service = try TestService()
        defer { service.stop() }
        let first = try Self.send(service, "/v1/programs", Self.program, "a")
        let second = try Self.send(service, "/v1/programs", Self.program, "\"a\"")
        #expect(second["id"] == first["id"])
        #expect(second.header("idempotent-replayed") == "true")
    }

    @Test("the answer is kept for a day and no longer")
    func kept() throws {
        let service = try TestService()
        defer { service.stop() }
        let first = try Self.send(service, "/v1/programs", Self.program, "a")
        service.clock.advance(hours: 23)
        #expect(try Self.send(service, "/v1/programs", Self.program, "a")["id"] == first["id"])
        service.clock.advance(hours: 2)
        let later = try Self.send(service, "/v1/programs", Self.program, "a")
        #expect(later.status == 201)
        #expect(later["id"] != first["id"])
    }

    @Test("without a key each request has its own effect")
    func withoutKey() throws {
        let service = try TestService()
        defer { service.stop() }
        for _ in 0..<2 { try service.send("POST", "/v1/programs", Self.program) }
        #expect(try service.get("/v1/programs").ids.count == 2)
    }

    @Test("a replayed PATCH does not raise the version again")
    func patchReplay() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        let answers = try (0..<2).map { _ in
            try scene.service.send(
                "PATCH", path, ["company": "Acme"],
                headers: [("Idempotency-Key", "p"), ("If-Match", "\"1\"")])
        }
        #expect(answers[0]["version"] == 2)
        #expect(answers[1].status == 200)
        #expect(answers[1]["version"] == 2)
    }

    @Test("the same key with another condition is another request")
    func otherCondition() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        func patch(_ condition: String?) throws -> TestAnswer {
            try scene.service.send(
                "PATCH", "/v1/participants/\(scene.ada.id)", ["company": "Acme"],
                headers: [("Idempotency-Key", "p")]
                    + (condition.map { [("If-Match", $0)] } ?? []))
        }
        #expect(try patch("\"1\"").status == 200)
        for other in ["\"2\"", "*", nil] {
            let answer = try patch(other)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(answer.code == "idempotency_key_reused")
        }
        #expect(try patch("\"1\"").header("idempotent-replayed") == "true")
    }

    @Test("twins sent at once have one effect and the same answer")
    func twins() throws {
        let service = try TestService()
        defer { service.stop() }
        let (port, secret) = (service.port, service.key)
        let answers = Collected()
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let answer = try? TestConnection.exchange(
                port: port, method: "POST", target: "/v1/programs",
                headers: [
                    ("Authorization", "Bearer \(secret)"), ("Content-Type", "application/json"),
                    ("Idempotency-Key", "twin"),
                ], body: Self.program.encoded())
            if let answer { answers.add(answer) }
        }
        #expect(answers.all.count == 8)
        #expect(Set(answers.all.map(\.text)).count == 1)
        #expect(answers.all.filter { $0.header("idempotent-replayed") == nil }.count == 1)
        #expect(try service.get("/v1/programs").ids.count == 1)
    }

    // MARK: - Other requests

    @Test("the same key with another body is 422 and has no effect")
    func otherBody() throws {
        let service = try TestService()
        defer { service.stop() }
        _ = try Self.send(service, "/v1/programs", Self.program, "a")
        let other = try Self.send(
            service, "/v1/programs", ["name": "Other", "currency": "USD"], "a")
        #expect(other.status == 422)
        #expect(other.code == "idempotency_key_reused")
        #expect(try service.get("/v1/programs").ids.count == 1)
    }

    @Test("a key belongs to its caller: nobody reads another's answer")
    func perCaller() throws {
        let service = try TestService()
        defer { service.stop() }
        let (one, two) = try (Scene.key(service, "write"), Scene.key(service, "write"))
        let first = try Self.send(service, "/v1/programs", Self.program, "a", as: one.secret)
        let second = try Self.send(service, "/v1/programs", Self.program, "a", as: two.secret)
        #expect(second.status == 201)
        #expect(second["id"] != first["id"])
        #expect(second.header("idempotent-replayed") == nil)
    }

    @Test("a key belongs to its path: it may be used for another action")
    func perPath() throws {
        let service = try TestService()
        defer { service.stop() }
        let program = try Self.send(service, "/v1/programs", Self.program, "a")
        let id = try #require(program["id"]?.stringValue)
        let answer = try Self.send(service, "/v1/programs/\(id)/activate", [:], "a")
        #expect(answer.status == 200)
        #expect(answer["status"] == "active")
    }

    @Test(
        "a malformed key is 400",
        arguments: ["\"\"", "a b", String(repeating: "a", count: 256), "é"])
    func malformed(key: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try Self.send(service, "/v1/programs", Self.program, key)
        #expect(answer.status == 400)
        #expect(try service.get("/v1/programs").ids.isEmpty)
    }

    @Test("every payout action and every refund needs a key")
    func required() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try #require(try scene.sale(scene.ada, "s")["id"]?.stringValue)
        let payout = try scene.payout(scene.ada, "p")
        let bodies: [(path: String, body: JSONValue)] = [
            ("/v1/payouts", ["participant_id": .string(scene.ada.id), "reference": "q"]),
            ("/v1/programs/\(scene.program)/payout_runs", ["reference": "q"]),
            ("/v1/payouts/\(payout)/submit", [:]), ("/v1/payouts/\(payout)/confirm", [:]),
            ("/v1/payouts/\(payout)/fail", ["reason": "r"]),
            ("/v1/payouts/\(payout)/mark_unknown", [:]), ("/v1/payouts/\(payout)/cancel", [:]),
            ("/v1/conversions/\(sale)/refund", ["external_id": "r"]),
        ]
        for (path, body) in bodies {
            let answer = try scene.service.send("POST", path, body)
            #expect(answer.status == 400, "\(path)")
            #expect(answer.code == "idempotency_key_required", "\(path)")
        }
        #expect(try scene.service.get("/v1/payouts/\(payout)")["status"] == "draft")
    }

    @Test("the routes that need a key are those that move money, and the contract says so")
    func requiredRoutes() {
        let required = RouteTable.all.endpoints.filter { $0.idempotency == .required }
        #expect(
            Set(required.map(\.about.operationID)) == [
                "createPayout", "createPayoutRun", "submitPayout", "confirmPayout", "failPayout",
                "markUnknownPayout", "cancelPayout", "returnPayout", "releasePayout",
                "submitPayoutRun", "confirmPayoutRun", "refundConversion", "createRefund",
                "reverseRefund", "fulfillRedemption", "cancelRedemption",
            ])
    }

    @Test("a refusal leaves its key free: the same request may do it once the state allows it")
    func refusalNotStored() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let win = "/v1/leads/\(lead)/win"
        #expect(try Self.send(scene.service, win, [:], "w").status == 409)
        let again = try Self.send(scene.service, win, [:], "w")
        #expect(again.status == 409)
        #expect(again.header("idempotent-replayed") == nil)
        #expect(try scene.service.post("/v1/leads/\(lead)/qualify").status == 200)
        let done = try Self.send(scene.service, win, [:], "w")
        #expect(done.status == 200, "\(done.text)")
        #expect(done.header("idempotent-replayed") == nil)
        let replayed = try Self.send(scene.service, win, [:], "w")
        #expect(replayed.header("idempotent-replayed") == "true")
        #expect(Self.essence(replayed) == Self.essence(done))
    }

    @Test("a key under which something was refused may be used for another request")
    func refusalThenOther() throws {
        let service = try TestService()
        defer { service.stop() }
        let nobody = try Self.send(
            service, "/v1/participants",
            ["program_id": "prog_01h2xcejqtf2nbrexx3vqjhp41", "name": "A", "email": "a@x.example"],
            "k")
        #expect(nobody.status == 404)
        let other: JSONValue = ["name": "Other", "currency": "EUR"]
        #expect(try Self.send(service, "/v1/programs", other, "k").status == 201)
        let third = try Self.send(service, "/v1/programs", Self.program, "k")
        #expect(third["code"] == "idempotency_key_reused")
        #expect(third.status == 422)
    }

    @Test("a bulk answer is a success, and keeps the items that were refused")
    func bulkKept() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let items: JSONValue = [
            "items": [
                ["participant_id": .string(scene.ada.id), "code": "blossom"],
                ["participant_id": .string(scene.ada.id), "code": "ada"],
            ]
        ]
        let first = try Self.send(scene.service, "/v1/links/bulk", items, "b")
        #expect(first["data.0.status"] == 201, "\(first.text)")
        #expect(first["data.1.status"] == 409, "\(first.text)")
        let link = try #require(first["data.0.id"]?.stringValue)
        let second = try Self.send(scene.service, "/v1/links/bulk", items, "b")
        #expect(second.header("idempotent-replayed") == "true")
        #expect(second["data.0.id"]?.stringValue == link)
        #expect(Self.essence(first) == Self.essence(second))
    }

    @Test("a refused claim is kept once, however often it is sent under one key")
    func refusedClaim() throws {
        let deals = try RegistrationTests.Deals()
        defer { deals.service.stop() }
        #expect(try deals.register(deals.ada, "acme.example").status == 201)
        let claim = RegistrationTests.Deals.body(deals.ben, ["domain": "acme.example"])
        for _ in 0..<3 {
            let refused = try Self.send(deals.service, "/v1/registrations", claim, "b")
            #expect(refused.status == 409, "\(refused.text)")
            #expect(refused.header("idempotent-replayed") == nil)
        }
        let kept = try deals.service.get("/v1/registrations?participant_id=\(deals.ben.id)")
        #expect(kept.ids.count == 1, "\(kept.text)")
    }

    // MARK: - Dry run

    /// Writes of every kind, each of which would succeed.
    static func writes(_ scene: Scene) throws -> [(path: String, body: JSONValue)] {
        let sale = try #require(try scene.sale(scene.ada, "s")["id"]?.stringValue)
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let ada = JSONValue.string(scene.ada.id)
        return [
            ("/v1/programs", program), ("/v1/programs/\(scene.program)/pause", [:]),
            (
                "/v1/programs/\(scene.program)/reward_rules",
                ["trigger": "lead.won", "amount": ["amount": 5, "currency": "USD"]]
            ),
            ("/v1/participants/\(scene.ada.id)/suspend", [:]),
            ("/v1/participants/\(scene.ada.id)/tokens", [:]),
            ("/v1/api_keys", ["name": "a", "scopes": ["read"]]),
            ("/v1/links", ["participant_id": ada]),
            ("/v1/links/bulk", ["items": [["participant_id": ada], ["participant_id": ada]]]),
            ("/v1/leads", ["participant_id": ada, "email": "new@buyer.example"]),
            ("/v1/leads/\(lead)/qualify", [:]),
            (
                "/v1/conversions",
                [
                    "external_id": "s2", "ref": "ada", "kind": "purchase",
                    "customer": ["external_id": "c"],
                    "amount": ["amount": 100, "currency": "USD"],
                ]
            ),
            ("/v1/conversions/\(sale)/refund", ["external_id": "r"]),
            ("/v1/payouts", ["participant_id": ada, "reference": "p"]),
        ]
    }

    @Test("a dry run of any write gives its whole answer and commits nothing")
    func dryRun() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let writes = try Self.writes(scene)
        let before = try Scene.rowCount(scene.service)
        for (path, body) in writes {
            let answer = try scene.service.send(
                "POST", path, body, headers: [("Dry-Run", "true"), ("Idempotency-Key", "dry")])
            #expect((200..<300).contains(answer.status), "\(path): \(answer.text)")
            #expect(answer.header("dry-run") == "true", "\(path)")
            #expect(try Scene.rowCount(scene.service) == before, "\(path)")
        }
        for (path, body) in writes {
            let answer = try Self.send(scene.service, path, body, "real")
            #expect((200..<300).contains(answer.status), "\(path): \(answer.text)")
            if path == "/v1/programs" {
                #expect(try Scene.rowCount(scene.service) != before)
            }
            if path.hasSuffix("/pause") {
                try scene.service.post("/v1/programs/\(scene.program)/activate")
            }
            if path.hasSuffix("/suspend") {
                try scene.service.post("/v1/participants/\(scene.ada.id)/approve")
            }
        }
    }

    @Test("a dry run of a sale shows the reward it would grant")
    func dryRunReward() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.send(
            "POST", "/v1/conversions",
            [
                "external_id": "s", "ref": "ada", "kind": "purchase",
                "customer": ["external_id": "c"],
                "amount": ["amount": 120_000, "currency": "USD"],
            ], headers: [("Dry-Run", "true")])
        #expect(answer["rewards.0.amount.amount"] == 12_000)
        #expect(try scene.service.get("/v1/rewards").ids.isEmpty)
        #expect(try scene.service.get("/v1/conversions").ids.isEmpty)
    }

    @Test("a dry run shows no secret", arguments: [true, false])
    func dryRunSecret(isToken: Bool) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = isToken ? "/v1/participants/\(scene.ada.id)/tokens" : "/v1/api_keys"
        let answer = try scene.service.send(
            "POST", path, isToken ? [:] : ["name": "a", "scopes": ["admin"]],
            headers: [("Dry-Run", "true")])
        #expect(answer.status == 201)
        #expect(answer["secret"] == .null)
    }

    @Test("a dry run that is refused says so, and the refusal is not stored")
    func dryRunRefused() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let answer = try scene.service.send(
            "POST", "/v1/leads/\(lead)/win", [:],
            headers: [("Dry-Run", "true"), ("Idempotency-Key", "w")])
        #expect(answer.status == 409)
        #expect(answer.header("dry-run") == "true")
        try scene.service.post("/v1/leads/\(lead)/qualify")
        #expect(try Self.send(scene.service, "/v1/leads/\(lead)/win", [:], "w").status == 200)
    }

    @Test("Dry-Run takes true or false and nothing else")
    func dryRunValue() throws {
        let service = try TestService()
        defer { service.stop() }
        let answers = try ["maybe", "false"].map {
            try service.send("POST", "/v1/programs", Self.program, headers: [("Dry-Run", $0)])
        }
        #expect(answers.map(\.status) == [400, 201])
    }

    // MARK: - If-Match

    @Test("a change made for an older version is 412 and changes nothing")
    func staleMatch() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        let tag = try #require(try scene.service.get(path).header("etag"))
        let headers = [("If-Match", tag)]
        #expect(
            try scene.service.send("PATCH", path, ["company": "A"], headers: headers).status == 200)
        let late = try scene.service.send("PATCH", path, ["company": "B"], headers: headers)
        #expect(late.status == 412)
        #expect(try scene.service.get(path)["company"] == "A")
    }

    @Test("If-Match: * and a list that has the version pass")
    func wideMatch() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for (index, tag) in ["*", "\"9\", \"2\""].enumerated() {
            let answer = try scene.service.send(
                "PATCH", "/v1/participants/\(scene.ada.id)", ["company": .string("\(index)")],
                headers: [("If-Match", tag)])
            #expect(answer.status == 200, "\(tag)")
        }
    }

    @Test(
        "every action on an object that has a version obeys If-Match",
        arguments: ["programs", "participants", "links", "leads", "rewards", "payouts"])
    func actionMatch(noun: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let reward = try #require(try scene.sale(scene.ada, "s")["rewards.0.id"]?.stringValue)
        let paths = [
            "programs": "\(scene.program)/pause", "participants": "\(scene.ada.id)/suspend",
            "links": "\(scene.ada.link)/disable",
            "leads": "\(try scene.lead(scene.ada, "a@buyer.example"))/qualify",
            "rewards": "\(reward)/approve", "payouts": "\(try scene.payout(scene.ada, "p"))/submit",
        ]
        let answer = try scene.service.send(
            "POST", "/v1/\(noun)/\(try #require(paths[noun]))", [:],
            headers: [("If-Match", "\"99\""), ("Idempotency-Key", "m")])
        #expect(answer.status == 412, "\(answer.text)")
    }

    // MARK: - Natural keys

    static func sale(_ changes: JSONObject = [:]) -> JSONValue {
        var body: JSONObject = [
            "external_id": "s", "ref": "ada", "kind": "purchase",
            "customer": ["external_id": "c"], "amount": ["amount": 500, "currency": "USD"],
        ]
        for (name, value) in changes { body[name] = value }
        return .object(body)
    }

    @Test("a sale sent again with the same external_id is the same sale, rewarded once")
    func sameSale() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let first = try scene.service.post("/v1/conversions", Self.sale())
        let second = try scene.service.post("/v1/conversions", Self.sale())
        #expect(first.status == 201)
        #expect(second.status == 200)
        #expect(first.body == second.body)
        #expect(try scene.service.get("/v1/rewards").ids.count == 1)
    }

    @Test(
        "a sale sent again with other content is 409 and names the member that differs",
        arguments: ["amount", "kind", "customer", "occurred_at"])
    func otherSale(member: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let others: JSONObject = [
            "amount": ["amount": 501, "currency": "USD"], "kind": "renewal",
            "customer": ["external_id": "d"],
            "occurred_at": "2020-01-01T00:00:00Z",
        ]
        try scene.service.post("/v1/conversions", Self.sale())
        let other = try scene.service.post(
            "/v1/conversions", Self.sale([member: try #require(others[member])]))
        #expect(other.status == 409)
        #expect(other.code == "external_id_taken")
        #expect(other.pointer == "/\(member)")
    }

    @Test("the external_id of a sale is its program's own: another program may use it too")
    func externalIDPerProgram() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let other = try scene.service.make("/v1/programs", Self.program)
        try scene.service.post("/v1/programs/\(other)/activate")
        try scene.service.post("/v1/conversions", Self.sale())
        var body = try #require(Self.sale(["program_id": .string(other)]).objectValue)
        body["ref"] = nil
        #expect(try scene.service.post("/v1/conversions", .object(body)).status == 201)
    }

    @Test("a refund sent again is the same refund; with another amount it is 409")
    func refundTwice() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try #require(try scene.sale(scene.ada, "s", 1000)["id"]?.stringValue)
        func refund(_ amount: Int64) throws -> TestAnswer {
            try scene.service.post(
                "/v1/conversions/\(sale)/refund",
                [
                    "external_id": "r", "amount": ["amount": .integer(amount), "currency": "USD"],
                ])
        }
        let answers = try [400, 400, 500].map(refund)
        #expect(answers.map(\.status) == [201, 200, 409])
        #expect(answers[0]["id"] == answers[1]["id"])
        let conversion = try scene.service.get("/v1/conversions/\(sale)")
        #expect(conversion["refunded.amount"] == 400)
    }

    @Test("a refund sent again in another currency is refused")
    func refundCurrency() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/conversions/\(try scene.sale(scene.ada, "s", 1000).id())/refund"
        let statuses = try ["USD", "EUR"].map { currency in
            try scene.service.post(
                path,
                [
                    "external_id": "r", "amount": ["amount": 9, "currency": .string(currency)],
                ]
            ).status
        }
        #expect(statuses == [201, 422])
    }

    @Test("a payout's reference is unique for good: the same payout, or 409 for another")
    func payoutReference() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "s-a")
        try scene.sale(scene.ben, "s-b")
        let answers = try [scene.ada, scene.ada, scene.ben].map { partner in
            try scene.service.post(
                "/v1/payouts", ["participant_id": .string(partner.id), "reference": "p"])
        }
        #expect(answers.map(\.status) == [201, 200, 409])
        #expect(answers[0]["id"] == answers[1]["id"])
        #expect(answers[2].code == "reference_taken")
        #expect(answers[2].pointer == "/participant_id" || answers[2].pointer == "/participant")
    }
}

/// Answers from several threads.
final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var answers: [TestAnswer] = []

    func add(_ answer: TestAnswer) { lock.withLock { answers.append(answer) } }
    var all: [TestAnswer] { lock.withLock { answers } }
}
