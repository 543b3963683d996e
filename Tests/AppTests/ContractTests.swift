import HTTP
import JSON
import Testing

@testable import App

/// `/openapi.json` says what the service does.
struct ContractTests {
    private static func document() throws -> JSONObject {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.send("GET", "/openapi.json", key: nil)
        try #require(answer.status == 200)
        return answer.json
    }

    private static let verbs = [
        "get", "post", "put", "patch", "delete", "head", "options", "trace",
    ]

    /// Every operation of the document, by `METHOD path`.
    private static func operations(_ document: JSONObject) throws -> [String: JSONObject] {
        var operations: [String: JSONObject] = [:]
        for (path, item) in try #require(document["paths"]?.objectValue) {
            for (name, operation) in try #require(item.objectValue) where verbs.contains(name) {
                operations["\(name.uppercased()) \(path)"] = operation.objectValue
            }
        }
        return operations
    }

    private static let documented = RouteTable.all.endpoints.filter(\.isDocumented)

    @Test("the document has every route and no other")
    func everyRoute() throws {
        let document = try Self.document()
        #expect(document["openapi"] == "3.1.0")
        let names = try Self.operations(document).keys
        #expect(Set(names) == Set(Self.documented.map(\.name)))
        #expect(names.count == Self.documented.count)
        #expect(!names.contains { $0.contains("/daemon/") })
    }

    @Test("operation ids are unique")
    func operationIDs() throws {
        let operations = try Self.operations(Self.document())
        let ids = operations.values.compactMap { $0["operationId"]?.stringValue }
        #expect(ids.count == operations.count)
        #expect(Set(ids).count == ids.count)
    }

    @Test("every reference leads to a shape")
    func references() throws {
        let document = try Self.document()
        var found = 0
        func check(_ value: JSONValue) throws {
            switch value {
            case .array(let elements): for element in elements { try check(element) }
            case .object(let object):
                for (name, member) in object {
                    guard name == "$ref" else {
                        try check(member)
                        continue
                    }
                    found += 1
                    let reference = try #require(member.stringValue)
                    let steps = reference.split(separator: "/").map(String.init)
                    #expect(steps.first == "#")
                    let place = steps.dropFirst().reduce(JSONValue.object(document) as JSONValue?) {
                        $0?.objectValue?[$1]
                    }
                    #expect(place?.objectValue?.isEmpty == false, "\(reference)")
                }
            default: break
            }
        }
        try check(.object(document))
        #expect(found > 100)
    }

    @Test("every parameter of a path is described, and none that it has not")
    func pathParameters() throws {
        for (name, operation) in try Self.operations(Self.document()) {
            let inPath = name.split(separator: "/").filter { $0.hasPrefix("{") }
                .map { String($0.dropFirst().dropLast()) }
            let described = (operation["parameters"]?.arrayValue ?? []).compactMap(\.objectValue)
                .filter { $0["in"] == "path" }
            #expect(described.compactMap { $0["name"]?.stringValue } == inPath, "\(name)")
            #expect(described.allSatisfy { $0["required"] == true }, "\(name)")
        }
    }

    @Test("security is asked for where a key is")
    func security() throws {
        let operations = try Self.operations(Self.document())
        for endpoint in Self.documented {
            let needsKey =
                switch endpoint.access {
                case .key, .keyOrParticipant: true
                default: false
                }
            let security = operations[endpoint.name]?["security"]?.arrayValue
            #expect(security?.isEmpty == !needsKey, "\(endpoint.name)")
        }
    }

    @Test("every status that an operation answers here is one that its contract names")
    func statuses() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let operations = try Self.operations(service.get("/openapi.json").json)
        let writer = try service.secretKey(["read"])
        func check(_ endpoint: Endpoint, _ answer: TestAnswer) {
            let named = operations[endpoint.name]?["responses"]?.objectValue
            #expect(
                named?[String(answer.status)] != nil, "\(endpoint.name) answers \(answer.status)")
        }
        for endpoint in Self.documented where endpoint.method != .options {
            let method = endpoint.method.rawValue
            let target = endpoint.target("none")
            let body: JSONValue? = endpoint.method == .get ? nil : ["no_such_member": 1]
            check(endpoint, try service.send(method, target, body))
            check(endpoint, try service.send(method, target, body, key: nil))
            check(endpoint, try service.send(method, target, body, key: writer))
            check(endpoint, try service.send(method, target, body, key: both.ada.token))
            check(endpoint, try service.send(method, target + "?no_such_parameter=1", body))
            if body != nil {
                check(endpoint, try service.send(method, target, [:]))
                check(
                    endpoint,
                    try service.send(method, target, body, headers: [("Content-Type", "text/x")]))
            }
        }
    }

    // MARK: - Methods

    @Test("a method that a path does not take is 405, with those that it takes")
    func otherMethods() throws {
        let service = try TestService()
        defer { service.stop() }
        var methods: [String: Set<String>] = [:]
        for endpoint in RouteTable.all.endpoints {
            methods[endpoint.path, default: []].insert(endpoint.method.rawValue)
        }
        for (path, taken) in methods {
            let target = path.split(separator: "/", omittingEmptySubsequences: false)
                .map { $0.hasPrefix("{") ? "none" : String($0) }.joined(separator: "/")
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "TRACE"]
            where !taken.contains(method) {
                let answer = try service.send(method, target, ["a": 1])
                #expect(answer.status == 405, "\(method) \(path)")
                #expect(answer.header("content-type") == "application/problem+json")
                let allowed = (answer.header("allow") ?? "").split(separator: ",")
                    .map { $0.filter { $0 != " " } }
                #expect(
                    Set(allowed).subtracting(["HEAD", "OPTIONS"])
                        == taken.subtracting(["HEAD", "OPTIONS"]), "\(method) \(path)")
                #expect(allowed.contains("HEAD") == taken.contains("GET"), "\(path)")
            }
        }
    }

    @Test("OPTIONS lists the methods of a path")
    func options() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.send("OPTIONS", "/v1/leads", key: nil)
        #expect(answer.status == 204)
        let allowed = (answer.header("allow") ?? "").split(separator: ",")
            .map { $0.filter { $0 != " " } }
        #expect(Set(allowed) == ["GET", "HEAD", "OPTIONS", "POST"])
        #expect(answer.body.isEmpty)
    }

    @Test("a path that is not there is a problem, whatever the method")
    func unknownPath() throws {
        let service = try TestService()
        defer { service.stop() }
        for (method, path) in [
            ("GET", "/"), ("GET", "/v1"), ("POST", "/v1/lead"), ("GET", "/v1/leads/"),
            ("DELETE", "/v2/leads"), ("GET", "/v1/leads/a/b/c"),
        ] {
            let answer = try service.send(method, path)
            #expect(answer.status == 404, "\(method) \(path)")
            #expect(answer.header("content-type") == "application/problem+json")
            #expect(answer["code"] == "not_found")
        }
    }

    @Test("HEAD is answered like GET, without the body")
    func head() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let targets = [
            "/v1/leads", "/v1/leads/\(both.ada.lead)", "/v1/payouts.csv", "/openapi.json",
            "/v1/participants/\(both.ada.id)/statement", "/v1/leads/none", "/referral.js",
            "/v1/leads?limit=1", "/v1/leads?limit=0", "/f/\(both.program)",
        ]
        for target in targets {
            let get = try service.get(target)
            let head = try TestConnection.exchange(
                port: service.port, method: "HEAD", target: target,
                headers: [("Authorization", "Bearer \(service.key)")], body: nil)
            #expect(head.status == get.status, "\(target)")
            #expect(head.body.isEmpty, "\(target)")
            #expect(!get.body.isEmpty, "\(target)")
            for name in ["content-type", "content-length", "etag", "link", "cache-control"] {
                #expect(head.header(name) == get.header(name), "\(target): \(name)")
            }
        }
    }

    @Test("every answer has a request id, and a problem says the same one")
    func requestIDs() throws {
        let service = try TestService()
        defer { service.stop() }
        var seen: Set<String> = []
        for target in ["/livez", "/v1/leads", "/v1/leads/none", "/nothing", "/v1/leads?x=1"] {
            let answer = try service.get(target)
            let id = try #require(answer.header("request-id"))
            #expect(id.hasPrefix("req_"))
            #expect(seen.insert(id).inserted)
            if answer.status >= 400 {
                #expect(answer["request_id"] == .string(id), "\(target)")
                #expect(answer["status"] == .integer(Int64(answer.status)))
                #expect(answer["title"]?.stringValue?.isEmpty == false)
            }
        }
    }
}
