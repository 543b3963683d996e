import HTTP
import JSON
import Testing

@testable import App

/// `ETag`, `If-Match` and `PATCH`.
struct PreconditionTests {
    /// What can be changed, by its path, with a change of it.
    private static func changes(
        _ service: TestService, _ both: TwoReferrers
    ) throws -> [(path: String, patch: JSONValue)] {
        let program = "/v1/programs/\(both.program)"
        let rules = try service.get("\(program)/reward_rules")
        let rule = try #require(rules["data.0.id"]?.stringValue)
        return [
            (program, ["name": "Renamed"]), ("\(program)/reward_rules/\(rule)", ["name": "Tenth"]),
            ("/v1/participants/\(both.ada.id)", ["name": "Renamed"]),
            ("/v1/links/\(both.ada.link)", ["campaign": "spring"]),
            ("/v1/leads/\(both.ada.lead)", ["company": "Acme"]),
        ]
    }

    private static func patch(
        _ service: TestService, _ path: String, _ body: JSONValue, ifMatch: String? = nil
    ) throws -> TestAnswer {
        var headers = [("Content-Type", "application/merge-patch+json")]
        if let ifMatch { headers.append(("If-Match", ifMatch)) }
        return try service.send("PATCH", path, body, headers: headers)
    }

    @Test("a change with the current tag is made, and the same change with the old tag refused")
    func versions() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let changes = try Self.changes(service, both)
        let patches = RouteTable.all.endpoints.filter { $0.method == .patch }
        #expect(changes.count == patches.count)
        for (path, patch) in changes {
            let before = try service.get(path)
            let tag = try #require(before.header("etag"))
            #expect(tag == "\"\(before["version"]?.integerValue ?? 0)\"", "\(path)")
            let changed = try Self.patch(service, path, patch, ifMatch: tag)
            #expect(changed.status == 200, "\(path): \(changed.text)")
            let newer = try #require(changed.header("etag"))
            #expect(newer != tag, "\(path)")
            #expect(try service.get(path).header("etag") == newer, "\(path)")
            let stale = try Self.patch(service, path, patch, ifMatch: tag)
            #expect(stale.status == 412, "\(path)")
            #expect(stale["code"] == "precondition_failed", "\(path)")
            #expect(try service.get(path).header("etag") == newer, "\(path)")
        }
    }

    @Test("actions too are held to If-Match")
    func actions() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let actions = [
            ("/v1/programs/\(both.program)", "pause"),
            ("/v1/participants/\(both.ben.id)", "suspend"),
            ("/v1/links/\(both.ada.link)", "disable"), ("/v1/leads/\(both.ada.lead)", "qualify"),
            ("/v1/payouts/\(both.ada.payout)", "submit"),
        ]
        for (path, action) in actions {
            let tag = try #require(try service.get(path).header("etag"))
            func act(_ condition: String) throws -> Int {
                try service.send(
                    "POST", "\(path)/\(action)", [:],
                    headers: [("If-Match", condition), ("Idempotency-Key", condition)]
                ).status
            }
            #expect(try act("\"999\"") == 412, "\(path)")
            #expect(try service.get(path).header("etag") == tag, "\(path)")
            #expect(try act(tag) == 200, "\(path)")
        }
    }

    @Test("If-Match takes a list and *, and never a weak tag")
    func conditions() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/leads/\(both.ada.lead)"
        #expect(try Self.patch(service, path, ["note": "a"], ifMatch: "*").status == 200)
        #expect(try Self.patch(service, path, ["note": "b"], ifMatch: "\"7\", \"2\"").status == 200)
        for wrong in ["W/\"3\"", "3", "\"1\",\"2\"", "\"03\""] {
            let answer = try Self.patch(service, path, ["note": "c"], ifMatch: wrong)
            #expect(answer.status == 412, "\(wrong)")
        }
        #expect(try service.get(path)["note"] == "b")
    }

    @Test("a replayed PATCH changes nothing again, though the version has moved on")
    func replayedPatch() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for (path, patch) in try Self.changes(service, both) {
            let tag = try #require(try service.get(path).header("etag"))
            let headers = [("If-Match", tag), ("Idempotency-Key", "one")]
            let first = try service.send("PATCH", path, patch, headers: headers)
            #expect(first.status == 200, "\(path)")
            let second = try service.send("PATCH", path, patch, headers: headers)
            #expect(second.header("idempotent-replayed") == "true", "\(path)")
            #expect(second.body == first.body, "\(path)")
            #expect(second.header("etag") == first.header("etag"), "\(path)")
            #expect(try service.get(path).header("etag") == first.header("etag"), "\(path)")
        }
    }

    @Test("null takes a member away, and what is not named stays")
    func mergePatch() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/leads/\(both.ada.lead)"
        _ = try Self.patch(
            service, path, ["company": "Acme", "note": "n", "metadata": ["a": "1", "b": "2"]])
        let answer = try Self.patch(service, path, ["note": nil, "metadata": ["a": nil]])
        #expect(answer["company"] == "Acme")
        #expect(answer["note"] == .null)
        #expect(answer["metadata"] == ["b": "2"])
    }

    @Test("a part of a program's attribution can be changed alone, and null is the default")
    func nestedPatch() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/programs/\(both.program)"
        _ = try Self.patch(
            service, path, ["attribution": ["model": "first_touch", "window_days": 7]])
        let part = try Self.patch(service, path, ["attribution": ["window_days": 60]])
        #expect(part["attribution"] == ["model": "first_touch", "window_days": 60])
        let wrong = try Self.patch(service, path, ["attribution": ["window_days": 0]])
        #expect(wrong["errors.0.pointer"] == "/attribution/window_days")
        let whole = try Self.patch(service, path, ["attribution": nil])
        #expect(whole["attribution"] == ["model": "last_touch", "window_days": 30])
    }

    @Test("a rule changes from a share to a fixed amount in one PATCH, and never has both")
    func exclusiveMembers() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let (path, _) = try Self.changes(service, both)[1]
        let fixed: JSONValue = ["amount": 500, "currency": "USD"]
        #expect(try Self.patch(service, path, ["amount": fixed]).status == 422)
        #expect(try Self.patch(service, path, ["basis_points": nil]).status == 422)
        let changed = try Self.patch(service, path, ["amount": fixed, "basis_points": nil])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed["amount"] == fixed)
        #expect(changed["basis_points"] == .null)
        #expect(changed["version"] == 2)
    }

    @Test("a PATCH cannot take away what an object must have, nor name what never changes")
    func fixedMembers() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let path = "/v1/participants/\(both.ada.id)"
        let refused: [(JSONValue, String)] = [
            (["name": nil], "/name"), (["email": nil], "/email"), (["id": "x"], "/id"),
            (["program_id": .string(both.program)], "/program_id"),
            (["status": "closed"], "/status"), (["version": 9], "/version"),
        ]
        for (patch, pointer) in refused {
            let answer = try Self.patch(service, path, patch)
            #expect(answer.status == 400, "\(pointer)")
            #expect(answer["errors.0.pointer"] == .string(pointer))
        }
        #expect(try service.get(path)["version"] == 1)
    }

    @Test("a PATCH in another type is refused, and told which types there are")
    func patchType() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let answer = try service.send(
            "PATCH", "/v1/leads/\(both.ada.lead)", ["company": "Acme"],
            headers: [("Content-Type", "application/json-patch+json")])
        #expect(answer.status == 415)
        #expect(
            answer.header("accept-patch") == "application/merge-patch+json, application/json")
    }
}
