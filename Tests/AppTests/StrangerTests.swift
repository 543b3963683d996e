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

    @Test("a token has two reports under way in a loop, and room again when one is done")
    func reports() throws {
        let places = LongReadPlaces()
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
