import Glibc
import JSON
import Model
import Platform
import Testing

@testable import App

/// What those who have no key, or only a participant's, must not be able to take from others.
struct StrangerTests {
    /// Opens a connection, sends `head` and returns what came back until the server closed it.
    private static func exchange(_ port: UInt16, _ head: String, body: Int) throws -> String {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let descriptor = FileDescriptor(owning: number)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
        var wait = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(head.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: body)
        _ = bytes.withUnsafeBytes {
            Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor.number, &chunk, chunk.count, 0)
            if count <= 0 { break }
            answer += chunk[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }

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
        let answer = try Self.exchange(service.port, head, body: 10)
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
