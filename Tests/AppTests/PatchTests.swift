import HTTP
import JSON
import Model
import Testing

@testable import App

/// `PATCH` is JSON Merge Patch (RFC 7396), against a version when one is named.
struct PatchTests {
    /// What can be changed, by its path, with a change of it.
    private static func changes(_ scene: Scene) throws -> [(path: String, patch: JSONValue)] {
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        return [
            ("/v1/programs/\(scene.program)", ["name": "Renamed"]),
            (try rule(scene), ["basis_points": 500]),
            ("/v1/participants/\(scene.ada.id)", ["name": "Renamed"]),
            ("/v1/links/\(scene.ada.link)", ["campaign": "spring"]),
            ("/v1/leads/\(lead)", ["company": "Acme"]),
            (try campaign(scene), ["name": "Renamed"]),
            (try account(scene), ["relation": "former"]),
            (try catalogItem(scene), ["points": 600]),
            (try registration(scene), ["contact": ["name": "Grace"]]),
        ]
    }

    private static func campaign(_ scene: Scene) throws -> String {
        let campaigns = "/v1/programs/\(scene.program)/campaigns"
        let body: JSONValue = [
            "name": "Double", "starts_at": "2099-01-01T00:00:00Z",
            "ends_at": "2099-02-01T00:00:00Z", "multiplier_basis_points": 20_000,
        ]
        return "\(campaigns)/\(try scene.service.make(campaigns, body))"
    }

    private static func account(_ scene: Scene) throws -> String {
        let body: JSONValue = ["domain": "known.example", "relation": "customer"]
        return "/v1/accounts/\(try scene.service.make("/v1/accounts", body))"
    }

    private static func catalogItem(_ scene: Scene) throws -> String {
        "/v1/catalog_items/\(try Scene.catalogItem(scene.service, in: scene.program))"
    }

    private static func registration(_ scene: Scene) throws -> String {
        let body: JSONValue = [
            "participant_id": .string(scene.ada.id), "account": ["domain": "deal.example"],
        ]
        return "/v1/registrations/\(try scene.service.make("/v1/registrations", body))"
    }

    /// The path of the rule that gives a share of every sale.
    private static func rule(_ scene: Scene) throws -> String {
        let rules = "/v1/programs/\(scene.program)/reward_rules"
        return "\(rules)/\(try #require(try scene.service.get(rules).ids.first))"
    }

    @Test("every PATCH with the current tag is made once, and its replay changes nothing again")
    func replay() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let changes = try Self.changes(scene)
        #expect(changes.count == RouteTable.all.endpoints.count { $0.method == .patch })
        for (path, patch) in changes {
            let tag = try #require(try scene.service.get(path).header("etag"))
            let headers = [("If-Match", tag), ("Idempotency-Key", "one")]
            let first = try scene.service.send("PATCH", path, patch, headers: headers)
            #expect(first.status == 200, "\(path): \(first.text)")
            #expect(first.header("etag") != tag, "\(path)")
            let second = try scene.service.send("PATCH", path, patch, headers: headers)
            #expect(second.header("idempotent-replayed") == "true", "\(path)")
            #expect(second.body == first.body, "\(path)")
            #expect(try scene.service.get(path).header("etag") == first.header("etag"), "\(path)")
            let stale = try scene.service.send(
                "PATCH", path, patch, headers: [("If-Match", tag)])
            #expect(stale.status == 412, "\(path)")
        }
    }

    @Test("null takes a key of the metadata away, and what is not named stays")
    func metadata() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for (path, _) in try Self.changes(scene) where !path.contains("reward_rules") {
            let set: JSONValue = ["metadata": ["a": "1", "b": "2"]]
            #expect(try scene.service.send("PATCH", path, set)["metadata"] == ["a": "1", "b": "2"])
            let answer = try scene.service.send(
                "PATCH", path, ["metadata": ["a": nil, "c": "3"]])
            #expect(answer["metadata"] == ["b": "2", "c": "3"], "\(path): \(answer.text)")
            #expect(try scene.service.send("PATCH", path, ["metadata": nil])["metadata"] == [:])
        }
    }

    @Test("null is no value of the metadata of something new")
    func metadataOfNew() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.post(
            "/v1/programs", ["name": "A", "currency": "USD", "metadata": ["a": nil]])
        #expect(answer.status == 400)
        #expect(answer.pointer == "/metadata/a")
    }

    @Test("null takes one campaign tag of a link away")
    func campaignTag() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/links/\(scene.ada.link)"
        let both: JSONValue = ["utm": ["source": "mail", "medium": "footer"]]
        #expect(try scene.service.send("PATCH", path, both).status == 200)
        let one = try scene.service.send("PATCH", path, ["utm": ["source": nil]])
        #expect(one["utm"] == ["medium": "footer"], "\(one.text)")
    }

    @Test("metadata that a patch makes too large is refused as a whole")
    func tooMuchMetadata() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/links/\(scene.ada.link)"
        var many = JSONObject()
        for number in 1...50 { many["key\(number)"] = "v" }
        let full = try scene.service.send("PATCH", path, ["metadata": .object(many)])
        #expect(full.status == 200)
        let more = try scene.service.send("PATCH", path, ["metadata": ["key51": "v"]])
        #expect(more.status == 400)
        #expect(more.pointer == "/metadata")
        let other = try scene.service.send(
            "PATCH", path, ["metadata": ["key1": nil, "key51": "v"]])
        #expect(other.status == 200)
    }

    @Test("a part of a program's attribution can be changed alone, and null is the default")
    func attribution() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        func change(_ patch: JSONValue) throws -> TestAnswer {
            try scene.service.send("PATCH", "/v1/programs/\(scene.program)", patch)
        }
        _ = try change(["attribution": ["model": "first_touch", "window_days": 7]])
        let part = try change(["attribution": ["window_days": 60]])
        #expect(part["attribution.model"] == "first_touch")
        #expect(part["attribution.window_days"] == 60)
        #expect(part["attribution.half_life_days"] == 7)
        let wrong = try change(["attribution": ["window_days": 0]])
        #expect(wrong.pointer == "/attribution/window_days")
        let whole = try change(["attribution": nil])
        #expect(whole["attribution"] == AttributionTerms().json)
    }

    @Test("a rule changes from a share to a fixed amount in one PATCH, and never has both")
    func exclusiveMembers() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = try Self.rule(scene)
        let fixed: JSONValue = ["amount": 500, "currency": "USD"]
        for half in [["amount": fixed], ["basis_points": nil]] as [JSONValue] {
            let answer = try scene.service.send("PATCH", path, half)
            #expect(answer.status == 422)
            #expect(answer.code == "rate_required")
        }
        let changed = try scene.service.send(
            "PATCH", path, ["amount": fixed, "basis_points": nil])
        #expect(changed["amount"] == fixed, "\(changed.text)")
        #expect(changed["basis_points"] == .null)
        #expect(changed["version"] == 2)
    }

    @Test("a PATCH cannot name what never changes by it")
    func fixedMembers() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        for (name, value) in [
            ("id", "x"), ("program_id", .string(scene.program)), ("status", "closed"),
            ("version", 9), ("created_at", "2020-01-01T00:00:00Z"),
        ] as [(String, JSONValue)] {
            let answer = try scene.service.send("PATCH", path, .object([name: value]))
            #expect(answer.status == 400, "\(name)")
            #expect(answer.pointer == "/\(name)")
        }
        #expect(try scene.service.get(path)["version"] == 1)
    }

    @Test(
        "a weak tag, an unquoted one and one like the version never match",
        arguments: ["W/\"1\"", "1", "\"01\"", "\"1 \"", ""])
    func noMatch(condition: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.send(
            "PATCH", "/v1/links/\(scene.ada.link)", ["campaign": "x"],
            headers: [("If-Match", condition)])
        #expect(answer.status == 412)
    }

    @Test("a threshold of null is none, at the creation and later; one that is not said is 500 USD")
    func threshold() throws {
        let service = try TestService()
        defer { service.stop() }
        func make(_ more: JSONObject) throws -> String {
            var body: JSONObject = ["name": "Partners", "currency": "USD"]
            for (name, value) in more { body[name] = value }
            return "/v1/programs/" + (try service.make("/v1/programs", .object(body)))
        }
        #expect(try service.get(make(["approval_threshold": nil]))["approval_threshold"] == .null)
        let path = try make([:])
        #expect(try service.get(path)["approval_threshold.amount"] == 50_000)
        // Also beside other changes, and said again.
        for change in [["approval_threshold": nil, "name": "Friends"], ["hold_days": 1]]
            as [JSONValue]
        {
            let patched = try service.send("PATCH", path, change)
            #expect(patched.status == 200, "\(patched.text)")
            #expect(patched["approval_threshold"] == .null, "\(patched.text)")
        }
        let again = try service.send("PATCH", path, ["approval_threshold": MoneyStage.usd(7)])
        #expect(again["approval_threshold.amount"] == 7)
    }
}
