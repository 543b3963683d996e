import HTTP
import JSON
import Testing

@testable import App

/// What does not match its contract is refused, with the place of the fault.
struct InputTests {
    /// Sends bytes as they are.
    private static func send(
        _ service: TestService, _ bytes: [UInt8], to target: String,
        type: String? = "application/json"
    ) throws -> TestAnswer {
        var headers = [("Authorization", "Bearer \(service.key)")]
        if let type { headers.append(("Content-Type", type)) }
        return try TestConnection.exchange(
            port: service.port, method: "POST", target: target, headers: headers, body: bytes)
    }

    private static let program: JSONObject = ["name": "A", "kind": "partner", "currency": "USD"]

    private static func changed(_ member: String, _ value: JSONValue) -> JSONValue {
        var body = program
        body[member] = value
        return .object(body)
    }

    // MARK: - Members

    @Test("a member of the wrong kind or out of its bounds is refused by its pointer")
    func members() throws {
        let service = try TestService()
        defer { service.stop() }
        let long = JSONValue.string(String(repeating: "x", count: 201))
        let rows: [(member: String, value: JSONValue, pointer: String, code: String)] = [
            ("unknown", 1, "/unknown", "unknown_member"),
            ("a/b~c", 1, "/a~1b~0c", "unknown_member"),
            ("name", 7, "/name", "wrong_type"), ("name", nil, "/name", "wrong_type"),
            ("name", "", "/name", "too_short"), ("name", long, "/name", "too_long"),
            ("name", "a\nb", "/name", "bad_format"), ("kind", "friend", "/kind", "unknown_value"),
            ("kind", ["partner"], "/kind", "wrong_type"),
            ("currency", "XXXX", "/currency", "too_long"),
            ("currency", "ZZZ", "/currency", "bad_format"),
            ("hold_days", 366, "/hold_days", "out_of_range"),
            ("hold_days", -1, "/hold_days", "out_of_range"),
            ("hold_days", "30", "/hold_days", "wrong_type"),
            ("hold_days", .number("1.5"), "/hold_days", "wrong_type"),
            ("hold_days", true, "/hold_days", "wrong_type"),
            ("attribution", [], "/attribution", "wrong_type"),
            ("attribution", ["window_days": 1], "/attribution/model", "required"),
            (
                "attribution", ["model": "last_touch", "window_days": 0],
                "/attribution/window_days", "out_of_range"
            ),
            ("allowed_origins", "x", "/allowed_origins", "wrong_type"),
            (
                "allowed_origins", ["https://a.example", "nonsense"], "/allowed_origins/1",
                "bad_format"
            ),
            (
                "allowed_origins", .array(Array(repeating: "https://a.example", count: 21)),
                "/allowed_origins", "wrong_count"
            ),
            (
                "approval_threshold", ["amount": -1, "currency": "USD"],
                "/approval_threshold/amount", "out_of_range"
            ),
            (
                "approval_threshold", ["amount": 9_007_199_254_740_992, "currency": "USD"],
                "/approval_threshold/amount", "out_of_range"
            ),
            (
                "approval_threshold", ["amount": 1, "currency": "USD", "scale": 2],
                "/approval_threshold/scale", "unknown_member"
            ),
            ("destination_url", "javascript:alert(1)", "/destination_url", "bad_format"),
            ("metadata", ["k": 1], "/metadata/k", "bad_metadata"),
            ("metadata", ["a[b]": "v"], "/metadata/a[b]", "bad_metadata"),
            (
                "metadata", ["k": .string(String(repeating: "v", count: 501))], "/metadata/k",
                "bad_metadata"
            ),
        ]
        for (member, value, pointer, code) in rows {
            let answer = try service.post("/v1/programs", Self.changed(member, value))
            #expect(answer.status == 400, "\(member): \(answer.text)")
            #expect(answer["code"] == "invalid_request", "\(member)")
            #expect(answer["errors.0.pointer"] == .string(pointer), "\(member)")
            #expect(answer["errors.0.code"] == .string(code), "\(member): \(pointer)")
        }
        #expect(try service.get("/v1/programs")["data"] == .array([]))
    }

    @Test("what is missing is named, all of it at once")
    func missingMembers() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.post("/v1/programs", [:])
        let faults = try #require(answer["errors"]?.arrayValue)
        #expect(faults.compactMap { $0.objectValue?["pointer"] } == ["/name", "/currency"])
        #expect(faults.allSatisfy { $0.objectValue?["code"] == "required" })
    }

    @Test("bounds themselves are taken, and lengths count characters, not bytes")
    func bounds() throws {
        let service = try TestService()
        defer { service.stop() }
        let longest = JSONValue.string(String(repeating: "é", count: 200))
        #expect(try service.post("/v1/programs", Self.changed("name", longest)).status == 201)
        for days in [0, 365] as [JSONValue] {
            let answer = try service.post("/v1/programs", Self.changed("hold_days", days))
            #expect(answer["hold_days"] == days)
        }
        var metadata = JSONObject()
        for number in 1...50 { metadata["key\(number)"] = "v" }
        let many = try service.post(
            "/v1/programs", Self.changed("metadata", .object(metadata)))
        #expect(many["metadata"] == .object(metadata))
        var more = metadata
        more["key51"] = "v"
        let tooMany = try service.post("/v1/programs", Self.changed("metadata", .object(more)))
        #expect(tooMany.status == 400)
        #expect(tooMany["errors.0.pointer"] == "/metadata")
    }

    @Test("a whole number is one however it is written")
    func wholeNumbers() throws {
        let service = try TestService()
        defer { service.stop() }
        for literal in ["30", "30.0", "3e1", "300E-1"] {
            let text = #"{"name":"A","currency":"USD","hold_days":\#(literal)}"#
            let answer = try Self.send(service, Array(text.utf8), to: "/v1/programs")
            #expect(answer["hold_days"] == 30, "\(literal)")
        }
    }

    // MARK: - Text

    @Test("a body that is no proper JSON is refused with the code of what is wrong")
    func malformedText() throws {
        let service = try TestService()
        defer { service.stop() }
        let deep =
            String(repeating: #"{"a":"#, count: 200) + "1" + String(repeating: "}", count: 200)
        let rows: [(text: [UInt8], code: String, pointer: String?)] = [
            (Array(#"{"name":"#.utf8), "invalid_json", nil),
            (Array("{'name':1}".utf8), "invalid_json", nil),
            (Array(#"{"a":1} {"b":2}"#.utf8), "invalid_json", nil),
            (Array("NaN".utf8), "invalid_json", nil),
            (Array(#"{"name":"A","name":"B"}"#.utf8), "duplicate_member", "/name"),
            (Array(#"{"x":{"y":1,"\u0079":2}}"#.utf8), "duplicate_member", "/x/y"),
            (
                Array(#"{"name":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8), "invalid_utf8",
                "/name"
            ),
            (Array(#"{"name":"\ud800"}"#.utf8), "lone_surrogate", "/name"),
            (Array(#"{"name":"\u0000"}"#.utf8), "null_character", "/name"),
            ([0xef, 0xbb, 0xbf] + Array("{}".utf8), "byte_order_mark", ""),
            (Array(deep.utf8), "too_deep", nil),
            (Array(String(repeating: "[", count: 100_000).utf8), "too_deep", nil),
        ]
        for (text, code, pointer) in rows {
            let answer = try Self.send(service, text, to: "/v1/programs")
            #expect(answer.status == 400, "\(code)")
            #expect(answer["code"] == .string(code))
            #expect(answer["errors.0.code"] == .string(code))
            if let pointer {
                #expect(answer["errors.0.pointer"] == .string(pointer), "\(code)")
            }
        }
    }

    @Test("a body that is no object is refused as a whole", arguments: ["[]", "1", "null", "\"\""])
    func noObject(text: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try Self.send(service, Array(text.utf8), to: "/v1/programs")
        #expect(answer.status == 400)
        #expect(answer["errors.0.pointer"] == "")
        #expect(answer["errors.0.code"] == "wrong_type")
    }

    @Test("a body of another type is 415, with the types that are taken")
    func otherType() throws {
        let service = try TestService()
        defer { service.stop() }
        let body = JSONValue.object(Self.program).encoded()
        for type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""] {
            let answer = try Self.send(service, body, to: "/v1/programs", type: type)
            #expect(answer.status == 415, "\(type)")
            #expect(answer["code"] == "unsupported_media_type")
            #expect(answer.header("accept") == "application/json")
        }
        for type in ["application/json; charset=utf-8", "Application/JSON"] {
            #expect(try Self.send(service, body, to: "/v1/programs", type: type).status == 201)
        }
    }

    @Test("an action needs no body, and takes {}")
    func emptyBodies() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let bare = try service.send("POST", "/v1/programs/\(both.program)/pause")
        #expect(bare.status == 200)
        let empty = try service.send("POST", "/v1/programs/\(both.program)/activate", [:])
        #expect(empty.status == 200)
        let more = try service.send("POST", "/v1/programs/\(both.program)/pause", ["now": true])
        #expect(more.status == 400)
        #expect(more["errors.0.pointer"] == "/now")
    }

    @Test("a body over a megabyte is 413")
    func largeBody() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try Self.send(
            service, [UInt8](repeating: 0x20, count: 1_048_577), to: "/v1/programs")
        #expect(answer.status == 413)
        #expect(answer.header("content-type") == "application/problem+json")
    }

    // MARK: - Query

    @Test("an unknown parameter is refused by every route under /v1")
    func unknownParameter() throws {
        let service = try TestService()
        defer { service.stop() }
        for endpoint in RouteTable.all.endpoints where endpoint.path.hasPrefix("/v1/") {
            let answer = try service.send(
                endpoint.method.rawValue, endpoint.target("none") + "?colour=red")
            #expect(answer.status == 400, "\(endpoint.name)")
            #expect(answer["code"] == "unknown_parameter", "\(endpoint.name)")
        }
    }

    @Test("a parameter that is out of bounds is refused by its name")
    func badParameters() throws {
        let service = try TestService()
        defer { service.stop() }
        let rows: [(query: String, pointer: String)] = [
            ("limit=0", "/limit"), ("limit=101", "/limit"), ("limit=ten", "/limit"),
            ("limit=", "/limit"), ("limit=99999999999999999999", "/limit"),
            ("status=unknown", "/status"), ("program_id=prog_1", "/program_id"),
            ("participant_id=lead_01h45ytscbebyvny4gc8cr8ma2", "/participant_id"),
            ("created_at[gte]=yesterday", "/created_at[gte]"),
            ("created_at%5Blt%5D=2026-01-01", "/created_at[lt]"),
            ("email=nobody", "/email"),
        ]
        for (query, pointer) in rows {
            let answer = try service.get("/v1/leads?\(query)")
            #expect(answer.status == 400, "\(query)")
            #expect(answer["errors.0.pointer"] == .string(pointer), "\(query)")
        }
        let twice = try service.get("/v1/leads?limit=1&limit=2")
        #expect(twice["code"] == "repeated_parameter")
        for query in ["limit=%zz", "limit=%ff"] {
            #expect(try service.get("/v1/leads?\(query)").status == 400, "\(query)")
        }
    }

    @Test("an id of another kind, or none at all, names nothing")
    func badIDs() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for id in [both.ada.link, "none", "lead_", both.ada.lead.uppercased(), "%00", "a%2Fb"] {
            let answer = try service.get("/v1/leads/\(id)")
            #expect(answer.status == 404 || answer.status == 400, "\(id): \(answer.status)")
            #expect(answer.header("content-type") == "application/problem+json", "\(id)")
        }
        #expect(try service.get("/v1/leads/\(both.ada.link)").status == 404)
    }
}
