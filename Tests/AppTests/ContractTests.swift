import Foundation
import HTTP
import JSON
import Testing

@testable import App

/// `/openapi.json` and the routes say the same; what does not fit is refused and pointed at.
struct ContractTests {
    static func document() throws -> JSONObject {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.get("/openapi.json", key: nil)
        try #require(answer.status == 200)
        return answer.json
    }

    static func operations(_ document: JSONObject) -> [(path: String, verb: String, JSONObject)] {
        (document["paths"]?.objectValue ?? [:]).flatMap { path, item in
            (item.objectValue ?? [:]).map { (path, $0.0, $0.1.objectValue ?? [:]) }
        }
    }

    /// Every `$ref` anywhere in `value`.
    static func references(_ value: JSONValue) -> [String] {
        if let list = value.arrayValue { return list.flatMap(references) }
        guard let object = value.objectValue else { return [] }
        return object.flatMap { name, member in
            name == "$ref" ? [member.stringValue ?? "?"] : references(member)
        }
    }

    // MARK: - The document

    @Test("every route but those of the private socket is in the contract, and nothing else is")
    func routes() throws {
        let documented = Set(
            Self.operations(try Self.document()).map { "\($0.verb.uppercased()) \($0.path)" })
        let served = RouteTable.all.endpoints.filter(\.isDocumented).map {
            "\($0.method.rawValue) \($0.path)"
        }
        #expect(Set(served) == documented)
        #expect(served.count == documented.count)
        #expect(documented.count > 70)
    }

    @Test("operation ids are unique")
    func operationIDs() throws {
        let ids = Self.operations(try Self.document()).compactMap {
            $0.2["operationId"]?.stringValue
        }
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.wholeMatch(of: /[a-z][A-Za-z]+/) != nil })
    }

    @Test("everything that is referred to is there, and nothing is there for nobody")
    func references() throws {
        let document = try Self.document()
        let names = Set(Self.references(.object(document)))
        #expect(names.count > 15)
        var known: Set<String> = []
        let components = document["components"]?.objectValue ?? [:]
        for (kind, members) in components where kind != "securitySchemes" {
            for (name, _) in members.objectValue ?? [:] {
                known.insert("#/components/\(kind)/\(name)")
            }
        }
        #expect(names.subtracting(known).isEmpty)
        #expect(known.subtracting(names).isEmpty)
    }

    @Test("one name never stands for two shapes")
    func oneShapePerName() {
        var shapes: [String: JSONValue] = [:]
        func look(_ schema: Schema) {
            switch schema {
            case .named(let name, let inner):
                if let known = shapes[name] { #expect(known == inner.document, "\(name)") }
                shapes[name] = inner.document
                look(inner)
            case .nullable(let inner), .list(let inner, _), .itemised(let inner): look(inner)
            case .object(let fields): for field in fields { look(field.schema) }
            default: break
            }
        }
        for endpoint in RouteTable.all.endpoints {
            if let body = endpoint.about.body { look(body) }
            if let answer = endpoint.about.answer { look(answer) }
        }
        #expect(shapes.count > 15)
    }

    @Test("every parameter of a path is documented, with the form of its id")
    func pathParameters() throws {
        for (path, verb, operation) in Self.operations(try Self.document()) {
            let names = path.matches(of: /\{([a-z_]+)\}/).map { String($0.1) }
            let parameters = operation["parameters"]?.arrayValue?.compactMap(\.objectValue) ?? []
            let documented = parameters.filter { $0["in"] == "path" }
            #expect(documented.compactMap { $0["name"]?.stringValue } == names, "\(verb) \(path)")
            for parameter in documented {
                #expect(parameter["schema"]?.objectValue?["pattern"] != nil, "\(verb) \(path)")
            }
        }
    }

    @Test("operations that need a key say so, and public ones do not")
    func security() throws {
        for (path, verb, operation) in Self.operations(try Self.document()) {
            let isPublic = operation["security"] == []
            let isOpen =
                !path.hasPrefix("/v1/") || path == "/v1/registrations/verification_key"
            #expect(isPublic == isOpen, "\(verb) \(path)")
        }
    }

    @Test("every list takes a window")
    func listParameters() throws {
        for (path, verb, operation) in Self.operations(try Self.document())
        where verb == "get"
            && path.wholeMatch(
                of: /\/v1\/(?!events|explain|ledger|me$|protection|reports|reward_presets)[a-z_]+/)
                != nil
            && path != "/v1/referrals"
        {
            let names = operation["parameters"]?.arrayValue?.compactMap {
                $0.objectValue?["name"]?.stringValue
            }
            for name in ["limit", "starting_after", "ending_before"] {
                #expect(names?.contains(name) == true, "\(path) \(name)")
            }
        }
    }

    // MARK: - Bodies

    @Test(
        "what does not fit the schema is 400 and pointed at",
        arguments: [
            (#"{"name":"a","currency":"USD","colour":1}"#, "/colour", "unknown_member"),
            (#"{"name":"a","currency":"USD","a/b~c":1}"#, "/a~1b~0c", "unknown_member"),
            (#"{"name":1,"currency":"USD"}"#, "/name", "wrong_type"),
            (#"{"name":null,"currency":"USD"}"#, "/name", "required"),
            (#"{"currency":"USD"}"#, "/name", "required"),
            (#"{"name":"","currency":"USD"}"#, "/name", "too_short"),
            (#"{"name":"a\nb","currency":"USD"}"#, "/name", "bad_format"),
            (#"{"name":"a","currency":"XXL"}"#, "/currency", "bad_format"),
            (#"{"name":"a","currency":"USD","hold_days":-1}"#, "/hold_days", "out_of_range"),
            (#"{"name":"a","currency":"USD","hold_days":1.5}"#, "/hold_days", "wrong_type"),
            (#"{"name":"a","currency":"USD","hold_days":"1"}"#, "/hold_days", "wrong_type"),
            (#"{"name":"a","currency":"USD","hold_days":1e400}"#, "/hold_days", "wrong_type"),
            (#"{"name":"a","currency":"USD","kind":"pyramid"}"#, "/kind", "unknown_value"),
            (
                #"{"name":"a","currency":"USD","attribution":{"position":{"first":0}}}"#,
                "/attribution/position/first", "out_of_range"
            ),
            (
                #"{"name":"a","currency":"USD","allowed_origins":["https://a.example",7]}"#,
                "/allowed_origins/1", "wrong_type"
            ),
            (
                #"{"name":"a","currency":"USD","allowed_origins":["https://a.example/path"]}"#,
                "/allowed_origins/0", "bad_format"
            ),
            (
                #"{"name":"a","currency":"USD","approval_threshold":"#
                    + #"{"amount":-1,"currency":"USD"}}"#,
                "/approval_threshold/amount", "out_of_range"
            ),
            (#"{"name":"a","currency":"USD","metadata":{"k":1}}"#, "/metadata/k", "bad_metadata"),
            ("[]", "", "wrong_type"), ("7", "", "wrong_type"), ("null", "", "wrong_type"),
        ])
    func schema(body: String, pointer: String, code: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try send(service, Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_request")
        #expect(answer.pointer == pointer)
        #expect(answer["errors.0.code"] == .string(code))
        #expect(try service.get("/v1/programs").ids.isEmpty)
    }

    @Test(
        "what is not JSON is 400 and says where",
        arguments: [
            ("{\"name\":\"a\",\"name\":\"b\"}", "duplicate_member", "/name"),
            ("{\"name\":\"a\",", "invalid_json", nil), ("{'name':'a'}", "invalid_json", nil),
            ("{\"name\":01}", "invalid_json", nil), ("{} {}", "invalid_json", nil),
            ("{\"name\":\"\\ud800\"}", "lone_surrogate", nil),
            ("{\"name\":\"\\u0000\"}", "null_character", nil),
            ("\u{FEFF}{}", "byte_order_mark", nil),
        ] as [(String, String, String?)])
    func syntax(body: String, code: String, pointer: String?) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try send(service, Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.code == code)
        if let pointer { #expect(answer.pointer == pointer) }
    }

    @Test("bytes that are not UTF-8 are 400")
    func invalidUTF8() throws {
        let service = try TestService()
        defer { service.stop() }
        let body = Array("{\"name\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
        let answer = try send(service, body)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_utf8")
    }

    @Test("JSON nested too deeply is 400")
    func depth() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try send(service, [UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        #expect(answer.status == 400)
        #expect(answer.code == "too_deep")
    }

    @Test("at most twenty faults are listed")
    func faultsMax() throws {
        let service = try TestService()
        defer { service.stop() }
        let members = (0..<100).map { "\"m\($0)\":1" }.joined(separator: ",")
        let answer = try send(service, Array("{\(members)}".utf8))
        #expect(answer.status == 400)
        #expect(answer["errors"]?.arrayValue?.count == 20)
    }

    @Test("a name is as long as its limit in characters, not in bytes")
    func lengthInScalars() throws {
        let service = try TestService()
        defer { service.stop() }
        let statuses = try [200, 201].map { count in
            try service.post(
                "/v1/programs",
                ["name": .string(String(repeating: "é", count: count)), "currency": "USD"]
            ).status
        }
        #expect(statuses == [201, 400])
    }

    @Test("a problem has all its members and no HTML")
    func problemShape() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try send(service, Array("{}".utf8))
        for name in ["type", "title", "status", "detail", "code", "request_id"] {
            #expect(answer.json[name] != nil, "\(name)")
        }
        #expect(answer["request_id"]?.stringValue == answer.header("request-id"))
        #expect(answer["status"] == 400)
        #expect(answer.header("content-type") == "application/problem+json")
    }

    private func send(_ service: TestService, _ body: [UInt8]) throws -> TestAnswer {
        try service.sendBytes(
            "POST", "/v1/programs", body, headers: [("Content-Type", "application/json")])
    }

    @Test(
        "a body of another type is 415 and the answer names the right one",
        arguments: ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
    func mediaType(type: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.sendBytes(
            "POST", "/v1/programs", Array("{}".utf8), headers: [("Content-Type", type)])
        #expect(answer.status == 415)
        #expect(answer.header("accept") == "application/json")
    }

    @Test("a PATCH of another type is 415 and names both that are taken")
    func patchType() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/programs/\(scene.program)"
        let answer = try scene.service.sendBytes(
            "PATCH", path, Array("{}".utf8), headers: [("Content-Type", "text/plain")])
        #expect(answer.status == 415)
        #expect(
            answer.header("accept-patch") == "application/merge-patch+json, application/json")
        let right = try scene.service.send(
            "PATCH", path, ["name": "New"],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(right["name"] == "New")
    }

    @Test("null in a patch sets a member back, and to a required one it is 400")
    func patchNull() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        try scene.service.send("PATCH", path, ["company": "Acme"])
        let cleared = try scene.service.send("PATCH", path, ["company": .null])
        #expect(cleared.status == 200)
        #expect(cleared["company"] == .null)
        let refused = try scene.service.send("PATCH", path, ["name": .null])
        #expect(refused.status == 400)
        #expect(refused.pointer == "/name")
    }

    @Test("a charset parameter of the media type is no obstacle")
    func charset() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.send(
            "POST", "/v1/programs", IdempotencyTests.program,
            headers: [("Content-Type", "Application/JSON; charset=utf-8")])
        #expect(answer.status == 201)
    }

    // MARK: - Paths and queries

    @Test("every reading route refuses a query parameter that it does not know")
    func unknownParameter() throws {
        let service = try TestService()
        defer { service.stop() }
        for (method, path) in KeyTests.calls(KeyTests.needsKey) where method == "GET" {
            let answer = try service.get("\(path)?colour=red")
            #expect(answer.status == 400, "\(path)")
            #expect(answer.code == "unknown_parameter", "\(path)")
        }
    }

    @Test(
        "a bad query is 400",
        arguments: [
            ("limit=0", "/limit"), ("limit=101", "/limit"), ("limit=ten", "/limit"),
            ("limit=1&limit=2", nil), ("status=dead", "/status"), ("program_id=x", "/program_id"),
            ("created_at%5Bgte%5D=yesterday", "/created_at[gte]"), ("limit=%zz", nil),
            ("starting_after=lead_01h455vb4pex5vsknk084sn02q", "/starting_after"),
            ("ending_before=nothing", "/ending_before"),
        ] as [(String, String?)])
    func badQuery(query: String, pointer: String?) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.get("/v1/leads?\(query)")
        #expect(answer.status == 400, "\(answer.text)")
        if let pointer { #expect(answer.pointer == pointer) }
    }

    @Test("another method is 405 and Allow lists those that are taken")
    func methodNotAllowed() throws {
        let service = try TestService()
        defer { service.stop() }
        var methods: [String: Set<String>] = [:]
        for endpoint in RouteTable.all.endpoints where endpoint.isDocumented {
            methods[endpoint.path, default: []].insert(endpoint.method.rawValue)
        }
        for (path, known) in methods {
            let answer = try service.send("DELETE", KeyTests.filled(path))
            #expect(answer.status == 405, "\(path)")
            let allow = Set(
                (answer.header("allow") ?? "").split(separator: ",").map {
                    $0.trimmingCharacters(in: .whitespaces)
                })
            #expect(allow.subtracting(["HEAD", "OPTIONS"]) == known.subtracting(["OPTIONS"]))
        }
    }

    @Test("an unknown path is a 404 problem, and an id of another kind names nothing")
    func notFound() throws {
        let service = try TestService()
        defer { service.stop() }
        for path in ["/nothing", "/v1", "/v1/leads/", "/v1/leads/x", "/v1/leads/link_1"] {
            let answer = try service.get(path)
            #expect(answer.status == 404, "\(path)")
            #expect(answer.code == "not_found")
        }
    }

    @Test("HEAD is answered like GET, without the body")
    func head() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for path in [
            "/v1/leads", "/v1/programs/\(scene.program)", "/openapi.json", "/livez",
            "/v1/leads/lead_01h455vb4pex5vsknk084sn02q", "/f/\(scene.program)",
            "/v1/participants/\(scene.ada.id)/statement",
        ] {
            let (get, head) = try (
                scene.service.get(path), scene.service.send("HEAD", path)
            )
            #expect(head.status == get.status, "\(path)")
            #expect(head.body.isEmpty, "\(path)")
            for name in ["content-type", "content-length", "etag"] {
                #expect(head.header(name) == get.header(name), "\(path) \(name)")
            }
        }
    }
}

/// Every refusal of leads, registrations and disputes is an example in the contract.
struct RefusalExampleTests {
    @Test(
        "every code that a route's refusals have stands in /openapi.json with an example",
        arguments: [
            "Lead", "Registration", "Dispute", "Account", "Protection", "Import", "Payout",
            "PayoutRun",
        ])
    func examples(noun: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let source = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Sources/App/Routes/\(noun)Routes.swift"), encoding: .utf8)
        let codes =
            source.matches(of: /(?:conflict|unprocessable)\(\s*"([a-z_]+)"/).map { String($0.1) }
            + source.matches(of: /status: 4\d\d, code: "([a-z_]+)"/).map { String($0.1) }
        #expect(!codes.isEmpty || noun == "Protection")
        let contract = try service.get("/openapi.json", key: nil).text
        for code in Set(codes) where code != "unsupported_media_type" {
            #expect(contract.contains("\"\(code)\":{\"value\":{"), "\(code)")
        }
    }
}
