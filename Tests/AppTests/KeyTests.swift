import Foundation
import HTTP
import JSON
import Programs
import Testing

@testable import App

/// Who may call what, and what a participant's token sees.
struct KeyTests {
    /// The routes that ask for a key, with the scope that they ask for.
    static let guarded: [(endpoint: Endpoint, scope: Scope)] = RouteTable.all.endpoints.compactMap {
        switch $0.access {
        case .key(let scope), .keyOrParticipant(let scope): ($0, scope)
        default: nil
        }
    }

    static let shared: [Endpoint] = guarded.map(\.endpoint).filter {
        if case .keyOrParticipant = $0.access { true } else { false }
    }

    // MARK: - Secret keys

    @Test("every route under /v1 asks for a key")
    func everyRouteIsGuarded() throws {
        let service = try TestService()
        defer { service.stop() }
        let versioned = RouteTable.all.endpoints.filter { $0.path.hasPrefix("/v1/") }
        #expect(versioned.count > 60)
        #expect(versioned.count == Self.guarded.count)
        for endpoint in versioned {
            let answer = try service.send(
                endpoint.method.rawValue, endpoint.target("none"), key: nil)
            #expect(answer.status == 401, "\(endpoint.name)")
            #expect(answer["code"] == "unauthorized", "\(endpoint.name)")
            #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true)
        }
    }

    @Test("a key is let in by every route that its scope covers, and by no other")
    func scopes() throws {
        let service = try TestService()
        defer { service.stop() }
        // Spelled out, so that a change of what covers what shows.
        let covered: [Scope: Set<Scope>] = [
            .read: [.read], .write: [.read, .write], .payouts: [.read, .payouts],
            .admin: [.read, .write, .payouts, .admin],
        ]
        for scope in Scope.allCases {
            let key = try service.secretKey([scope.rawValue])
            for (endpoint, needed) in Self.guarded {
                let answer = try service.send(
                    endpoint.method.rawValue, endpoint.target("none"),
                    endpoint.method == .get ? nil : ["unknown": 1], key: key)
                if covered[scope]?.contains(needed) == true {
                    #expect(
                        answer.status != 401 && answer.status != 403,
                        "\(endpoint.name) refuses \(scope)")
                } else {
                    #expect(answer.status == 403, "\(endpoint.name) lets \(scope) in")
                    #expect(answer["code"] == "forbidden")
                }
            }
        }
    }

    @Test("money and keys ask for their own scopes")
    func scopesOfSensitiveRoutes() {
        for (endpoint, scope) in Self.guarded where endpoint.method != .get {
            let nouns = endpoint.path.split(separator: "/")
            switch nouns[1] {
            case "payouts", "rewards": #expect(scope == .payouts, "\(endpoint.name)")
            case "api_keys": #expect(scope == .admin, "\(endpoint.name)")
            default: #expect(scope == .write, "\(endpoint.name)")
            }
        }
        for (endpoint, scope) in Self.guarded where endpoint.method == .get {
            let isOfKeys = endpoint.path.hasPrefix("/v1/api_keys")
            #expect(scope == (isOfKeys ? .admin : .read), "\(endpoint.name)")
        }
    }

    @Test(
        "credentials that are no key of ours are refused",
        arguments: [
            "Bearer rk_live_unknown", "Bearer", "Bearer ", "Bearer a b", "Digest abc", "Basic !!!",
            "Basic /w==", "rk_live_unknown", "Bearer \(String(repeating: "k", count: 600))",
        ])
    func unknownCredentials(field: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.send(
            "GET", "/v1/programs", key: nil, headers: [("Authorization", field)])
        #expect(answer.status == 401)
        #expect(answer["code"] == "unauthorized")
    }

    @Test("a key works as the user name of Basic, as curl -u sends it")
    func basicCredentials() throws {
        let service = try TestService()
        defer { service.stop() }
        let key = try service.secretKey(["read"])
        let field = "Basic " + Data("\(key):".utf8).base64EncodedString()
        let answer = try service.send(
            "GET", "/v1/programs", key: nil, headers: [("Authorization", field)])
        #expect(answer.status == 200)
    }

    @Test("a revoked key is refused at once, however often it was seen before")
    func revokedKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let made = try service.post("/v1/api_keys", ["name": "short", "scopes": ["read"]])
        let secret = try #require(made["secret"]?.stringValue)
        let id = try #require(made["id"]?.stringValue)
        // Enough for every loop to have seen it.
        for _ in 0..<8 { #expect(try service.get("/v1/programs", key: secret).status == 200) }
        let revoked = try service.post("/v1/api_keys/\(id)/revoke")
        #expect(revoked["revoked_at"]?.stringValue != nil)
        for _ in 0..<8 { #expect(try service.get("/v1/programs", key: secret).status == 401) }
    }

    @Test("a key is refused from the moment of its expiry on")
    func expiredKey() throws {
        let service = try TestService()
        defer { service.stop() }
        let made = try service.post(
            "/v1/api_keys", ["name": "month", "scopes": ["read"], "expires_in_days": 30])
        let secret = try #require(made["secret"]?.stringValue)
        service.clock.advance(days: 29)
        #expect(try service.get("/v1/programs", key: secret).status == 200)
        service.clock.advance(days: 1)
        #expect(try service.get("/v1/programs", key: secret).status == 401)
    }

    // MARK: - Secrets

    @Test(
        "a secret is shown once: not in its replay, not in a list, not in the database",
        arguments: ["key", "token"])
    func secretIsShownOnce(kind: String) throws {
        let service = try TestService()
        var path = "/v1/api_keys"
        var body: JSONValue = ["name": "once", "scopes": ["read"]]
        if kind == "token" {
            let program = try TwoReferrers.program(service)
            let ada = try TwoReferrers.participant("ada", in: program, service)
            (path, body) = ("/v1/participants/\(ada)/tokens", ["name": "once"])
        }
        let retry = [("Idempotency-Key", "make-it")]
        let first = try service.send("POST", path, body, headers: retry)
        let secret = try #require(first["secret"]?.stringValue)
        #expect(first.status == 201)
        #expect(try service.get("/v1/programs", key: secret).status == 200)

        let replay = try service.send("POST", path, body, headers: retry)
        #expect(replay.status == 201)
        #expect(replay.header("idempotent-replayed") == "true")
        #expect(replay["id"] == first["id"])
        #expect(replay["secret"] == .null)

        let list = try service.get(path)
        #expect(list["data.0.id"] == first["id"])
        #expect(!list.text.contains(secret))
        #expect(list["data.0.secret"] == nil)

        service.stop(keepingFiles: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: service.folder.path) {
            let file = service.folder.appending(path: name)
            guard let bytes = try? Data(contentsOf: file) else { continue }
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)")
        }
        try FileManager.default.removeItem(at: service.folder)
    }
}
