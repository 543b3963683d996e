import Glibc
import JSON
import Model
import Testing

@testable import App

/// What those who have no key, or only a participant's, must not be able to take from others.
struct StrangerTests {
    @Test(
        "a body is not waited for from somebody without a key, nor where nothing is",
        arguments: [("/v1/leads", "401"), ("/nothing", "413")])
    func bodies(path: String, status: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let head = """
            POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 1000000\r\n\r\n
            """
        // The rest of the body never comes, and the answer does.
        let bytes = try TestConnection.raw(port: service.port, Array((head + "xxxxxxxxxx").utf8))
        let answer = String(decoding: bytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(200))")
    }

    @Test("a second lead for a prospect takes no credit from the first")
    func credit() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let email = "grace@customer.example"
        let lead = try scene.lead(scene.ada, email)
        _ = try scene.service.post("/v1/leads/\(lead)/qualify")
        // A form with the other's code, and a lead by the other's token.
        let posted = try scene.service.sendBytes(
            "POST", "/f/\(scene.program)", Array("email=grace%40customer.example&ref=ben".utf8),
            key: nil, headers: [("Content-Type", "application/x-www-form-urlencoded")])
        #expect(posted.status == 201)
        let second = try scene.service.post(
            "/v1/leads", ["email": .string(email)], key: scene.ben.token)
        #expect(second["status"] == "duplicate")
        #expect(second["customer_id"] == .null)
        let sale = try scene.service.post(
            "/v1/conversions",
            [
                "external_id": "one", "lead_id": .string(lead), "kind": "purchase",
                "amount": ["amount": 100_000, "currency": "USD"],
            ])
        #expect(sale["attribution.credits.0.participant_id"] == .string(scene.ada.id))
    }

    @Test("a token does not say that it was first, one by one or in bulk; the operator's key does")
    func backdated() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let model: JSONValue = ["attribution": ["model": "first_touch"]]
        let patched = try scene.service.send("PATCH", "/v1/programs/\(scene.program)", model)
        #expect(patched.status == 200, "\(patched.text)")
        let email = "grace@customer.example"
        _ = try scene.lead(scene.ada, email)
        var lead: JSONObject = ["email": .string(email)]
        let earlier = scene.service.clock.clock.now().advanced(byDays: -10)
        lead["referred_at"] = .string(earlier.rfc3339)
        let ben = scene.ben.token
        let alone = try scene.service.post("/v1/leads", .object(lead), key: ben)
        #expect(alone.status == 403 && alone.code == "time_not_taken", "\(alone.text)")
        #expect(alone.pointer == "/referred_at")
        let many = try scene.service.post(
            "/v1/leads/bulk", ["items": [.object(lead)]], key: ben)
        #expect(many["data.0.problem.code"] == "time_not_taken", "\(many.text)")
        #expect(try scene.service.get("/v1/leads", key: ben).ids.isEmpty)
        lead["referred_at"] = .null
        #expect(try scene.service.post("/v1/leads", .object(lead), key: ben).status == 201)
        let sale = try scene.service.post(
            "/v1/conversions",
            [
                "external_id": "one", "program_id": .string(scene.program), "kind": "purchase",
                "customer": ["email": .string(email)],
                "amount": ["amount": 100_000, "currency": "USD"],
            ])
        #expect(sale["attribution.credits.0.participant_id"] == .string(scene.ada.id))
        lead["referred_at"] = .string(earlier.rfc3339)
        lead["participant_id"] = .string(scene.ben.id)
        let told = try scene.service.post("/v1/leads", .object(lead))
        #expect(told["referred_at"] == .string(earlier.rfc3339), "\(told.text)")
    }

    @Test("a token has two reports under way in a loop, and room again when one is done")
    func reports() throws {
        let places = ReadPlaces(most: 2)
        let ada = ParticipantID(high: 1, low: 1)
        let first = try places.enter(ada)
        _ = try places.enter(ada)
        #expect(throws: Refused.self) { try places.enter(ada) }
        _ = try places.enter(ParticipantID(high: 2, low: 2))
        for _ in 0..<10 { _ = try places.enter(nil) }
        first.leave()
        _ = try places.enter(ada)
    }

    @Test("a command that needs a database does not make one")
    func noDatabase() throws {
        let path = "/tmp/referrald-none-\(UInt64.random(in: .min ... .max)).db"
        for words in [["verify"], ["backup", path + ".copy"], ["keys", "list"]] {
            #expect(Referrald.run(words + ["--database", path], environment: [:]) == 1)
        }
        #expect(access(path, F_OK) != 0)
        #expect(access(path + ".copy", F_OK) != 0)
    }
}
