import Foundation
import HTTP
import JSON
import Model
import Programs
import Testing

@testable import App

/// Who may call what, and what a participant's token sees.
struct KeyTests {
    /// Every endpoint with this kind of access, its path filled with ids that name nothing.
    static func calls(_ isWanted: (Access) -> Bool) -> [(method: String, path: String)] {
        RouteTable.all.endpoints.filter { isWanted($0.access) }.map { endpoint in
            (endpoint.method.rawValue, filled(endpoint.path))
        }
    }

    static func filled(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.map { part in
            guard part.hasPrefix("{") else { return String(part) }
            return "lead_01h455vb4pex5vsknk084sn02q"
        }.joined(separator: "/")
    }

    static func needsKey(_ access: Access) -> Bool {
        switch access {
        case .key, .keyOrParticipant: true
        default: false
        }
    }

    static func scope(_ access: Access) -> String? {
        switch access {
        case .key(let scope), .keyOrParticipant(let scope): scope.rawValue
        default: nil
        }
    }

    // MARK: - Every route

    @Test("every route that needs a key answers 401 with a challenge without one")
    func noKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let calls = Self.calls(Self.needsKey)
        #expect(calls.count > 50)
        for (method, path) in calls {
            let answer = try service.send(method, path, method == "GET" ? nil : [:], key: nil)
            #expect(answer.status == 401, "\(method) \(path)")
            #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true)
        }
    }

    @Test("every route that needs a key answers 401 to a key nobody made")
    func unknownKey() throws {
        let service = try TestService()
        defer { service.stop() }
        for (method, path) in Self.calls(Self.needsKey) {
            let answer = try service.send(
                method, path, method == "GET" ? nil : [:], key: "rk_nobody")
            #expect(answer.status == 401, "\(method) \(path)")
        }
    }

    @Test("a key with only the scope read is refused by every route that asks for more")
    func readKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "read").secret
        for (method, path) in Self.calls({ (Self.scope($0) ?? "read") != "read" }) {
            let answer = try service.send(method, path, method == "GET" ? nil : [:], key: key)
            #expect(answer.status == 403, "\(method) \(path)")
        }
    }

    @Test("a key with only the scope read may call every route that reads")
    func readKeyReads() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "read").secret
        let queries = ["/v1/ledger/journal.csv": "?month=2026-11"]
        for (method, path) in Self.calls({ Self.scope($0) == "read" }) {
            let target = path + (queries[path] ?? "")
            let status = try service.send(method, target, key: key).status
            // Protection asks for an account, an explanation for a name, a report for its program
            // or its time.
            let isFine =
                [200, 404].contains(status)
                || (status == 422 && ["/v1/protection", "/v1/explain"].contains(path))
                || (status == 400
                    && (path.hasPrefix("/v1/reports/") || path.hasSuffix("/compare")))
            #expect(isFine, "\(method) \(path): \(status)")
        }
    }

    @Test("a key with the scope write moves no money and makes no keys")
    func writeKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "write").secret
        let calls = Self.calls { ["payouts", "admin"].contains(Self.scope($0)) }
        #expect(calls.count >= 11)
        for (method, path) in calls {
            let answer = try service.send(method, path, method == "GET" ? nil : [:], key: key)
            #expect(answer.status == 403, "\(method) \(path)")
        }
    }

    @Test("a key with the scope payouts changes nothing but money")
    func payoutsKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "payouts").secret
        for (method, path) in Self.calls({ ["write", "admin"].contains(Self.scope($0)) }) {
            let answer = try service.send(method, path, method == "GET" ? nil : [:], key: key)
            #expect(answer.status == 403, "\(method) \(path)")
        }
    }

    @Test("a participant's token is refused by every route that is not for participants")
    func tokenOnOperatorRoutes() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let calls = Self.calls { if case .key = $0 { true } else { false } }
        for (method, path) in calls {
            let answer = try scene.service.send(
                method, path, method == "GET" ? nil : [:], key: scene.ada.token)
            #expect(answer.status == 403, "\(method) \(path)")
        }
    }

    @Test("the private socket's routes are not there on a TCP listener, whoever asks")
    func privateRoutes() throws {
        let service = try TestService()
        defer { service.stop() }
        let calls = Self.calls { if case .privateSocket = $0 { true } else { false } }
        #expect(!calls.isEmpty)
        for (method, path) in calls {
            #expect(try service.send(method, path, [:]).status == 404, "\(method) \(path)")
        }
    }

    // MARK: - Credentials

    @Test("a key works as a Basic user name with an empty password")
    func basic() throws {
        let service = try TestService()
        defer { service.stop() }
        let credentials = Data("\(service.key):".utf8).base64EncodedString()
        let answer = try service.send(
            "GET", "/v1/programs", key: nil, headers: [("Authorization", "Basic \(credentials)")])
        #expect(answer.status == 200)
    }

    @Test(
        "credentials that are none are refused with 401",
        arguments: ["Bearer", "Bearer ", "Digest abc", "Basic !!!", "Bearer a b", "rk_x"])
    func malformed(field: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.send(
            "GET", "/v1/programs", key: nil, headers: [("Authorization", field)])
        #expect(answer.status == 401)
        #expect(answer.code == "unauthorized")
    }

    @Test("a key that has been revoked is refused at once, though it was just used")
    func revoked() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "read")
        for _ in 0..<4 { #expect(try service.get("/v1/programs", key: key.secret).status == 200) }
        #expect(try service.post("/v1/api_keys/\(key.id)/revoke").status == 200)
        for _ in 0..<4 { #expect(try service.get("/v1/programs", key: key.secret).status == 401) }
    }

    @Test("a key expires at the end of its days")
    func expired() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "read", days: 2).secret
        service.clock.advance(days: 1)
        #expect(try service.get("/v1/programs", key: key).status == 200)
        service.clock.advance(days: 1)
        #expect(try service.get("/v1/programs", key: key).status == 401)
    }

    @Test("a token that has been revoked is refused at once")
    func revokedToken() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let tokens = try scene.service.get("/v1/participants/\(scene.ada.id)/tokens")
        let id = try #require(tokens.ids.first)
        #expect(try scene.service.get("/v1/leads", key: scene.ada.token).status == 200)
        let path = "/v1/participants/\(scene.ada.id)/tokens/\(id)/revoke"
        #expect(try scene.service.post(path).status == 200)
        #expect(try scene.service.get("/v1/leads", key: scene.ada.token).status == 401)
    }

    @Test("a token is not revoked through another participant")
    func revokeThroughOther() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let tokens = try scene.service.get("/v1/participants/\(scene.ada.id)/tokens")
        let id = try #require(tokens.ids.first)
        let path = "/v1/participants/\(scene.ben.id)/tokens/\(id)/revoke"
        #expect(try scene.service.post(path).status == 404)
        #expect(try scene.service.get("/v1/leads", key: scene.ada.token).status == 200)
    }

    @Test("a token lasts thirty days unless told otherwise")
    func tokenLife() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        scene.service.clock.advance(days: 29)
        #expect(try scene.service.get("/v1/leads", key: scene.ada.token).status == 200)
        scene.service.clock.advance(days: 1)
        #expect(try scene.service.get("/v1/leads", key: scene.ada.token).status == 401)
    }

    @Test("a secret is shown at creation and never again")
    func secretOnce() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try Scene.key(service, "read")
        for path in ["/v1/api_keys/\(key.id)", "/v1/api_keys", "/v1/events?limit=100"] {
            let answer = try service.get(path)
            #expect(answer.status == 200)
            #expect(!answer.text.contains(key.secret))
        }
    }

    @Test(
        "the replay of an answer that showed a secret has null in its place",
        arguments: [true, false])
    func secretInReplay(isToken: Bool) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = isToken ? "/v1/participants/\(scene.ada.id)/tokens" : "/v1/api_keys"
        let body: JSONValue = isToken ? ["name": "a"] : ["name": "a", "scopes": ["read"]]
        let headers = [("Idempotency-Key", "once")]
        let first = try scene.service.send("POST", path, body, headers: headers)
        let second = try scene.service.send("POST", path, body, headers: headers)
        let secret = try #require(first["secret"]?.stringValue)
        #expect(second.status == 201)
        #expect(second["secret"] == .null)
        #expect(second["id"] == first["id"])
        #expect(!second.text.contains(secret))
    }

    @Test("no secret lies in the database's files")
    func secretNotStored() throws {
        let service = try TestService()
        let secret = try Scene.key(service, "read").secret
        #expect(try service.get("/v1/programs", key: secret).status == 200)
        service.stop(keepingFiles: true)
        defer { try? FileManager.default.removeItem(at: service.folder) }
        let files = try FileManager.default.contentsOfDirectory(
            at: service.folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(file.lastPathComponent)")
        }
    }

    // MARK: - What a token may do

    @Test("the token of a suspended participant still reads, but changes nothing")
    func suspended() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let ada = scene.ada
        let path = "/v1/participants/\(ada.id)"
        #expect(try scene.service.post(path + "/suspend").status == 200)
        #expect(try scene.service.get(path, key: ada.token).status == 200)
        for (path, body) in [
            ("/v1/leads", ["email": "x@buyer.example"] as JSONValue),
            ("/v1/links", ["participant_id": .string(ada.id)]),
        ] {
            let answer = try scene.service.post(path, body, key: ada.token)
            #expect(answer.status == 403)
            #expect(answer.code == "participant_not_approved")
        }
        #expect(try scene.service.post(path + "/approve").status == 200)
        #expect(
            try scene.service.post("/v1/leads", ["email": "x@buyer.example"], key: ada.token).status
                == 201)
    }

    @Test("the tokens of a closed participant are revoked, and it gets no other")
    func closed() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        #expect(try scene.service.post(path + "/close").status == 200)
        #expect(try scene.service.get(path, key: scene.ada.token).status == 401)
        #expect(try scene.service.post(path + "/tokens").code == "participant_not_approved")
        let types = try Scene.events(scene.service).map { $0["type"] }
        #expect(types.contains("api_key.revoked"))
    }

    @Test("a token refers for its own participant without naming it")
    func tokenRefers() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.service.post(
            "/v1/leads", ["email": "x@buyer.example"], key: scene.ada.token)
        #expect(lead.status == 201)
        #expect(lead["participant_id"] == .string(scene.ada.id))
    }

    @Test(
        "a token refers for nobody else and in no other program",
        arguments: ["participant_id", "program_id"])
    func tokenRefersForOther(member: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let other = try scene.service.make(
            "/v1/programs", ["name": "Other", "currency": "EUR"])
        let value = member == "program_id" ? other : scene.ben.id
        let lead = try scene.service.post(
            "/v1/leads", ["email": "x@buyer.example", .init(member): .string(value)],
            key: scene.ada.token)
        #expect(lead.status == 404)
        #expect(lead.pointer == "/\(member)")
    }

    @Test("a token makes links for its own participant only")
    func tokenLinks() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let own = try scene.service.post(
            "/v1/links", ["participant_id": .string(scene.ada.id)], key: scene.ada.token)
        #expect(own.status == 201)
        let other = try scene.service.post(
            "/v1/links", ["participant_id": .string(scene.ben.id)], key: scene.ada.token)
        #expect(other.status == 404)
    }

    @Test("a token's links lead only to the program's own sites")
    func tokenDestination() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/links",
            [
                "participant_id": .string(scene.ada.id),
                "destination_url": "https://evil.example/",
            ], key: scene.ada.token)
        #expect(answer.status == 403)
        #expect(answer.code == "destination_not_allowed")
    }

    @Test("a token sees its own program and no other")
    func tokenProgram() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let other = try scene.service.make(
            "/v1/programs", ["name": "Other", "currency": "EUR"])
        let token = scene.ada.token
        #expect(try scene.service.get("/v1/programs", key: token).ids == [scene.program])
        #expect(try scene.service.get("/v1/programs/\(scene.program)", key: token).status == 200)
        #expect(try scene.service.get("/v1/programs/\(other)", key: token).status == 404)
        let cursor = try scene.service.get("/v1/programs?starting_after=\(other)", key: token)
        #expect(cursor.status == 400)
    }
}
