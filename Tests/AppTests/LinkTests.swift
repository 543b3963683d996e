import Foundation
import JSON
import Testing

@testable import App

/// Links one by one and in bulk, the script for marketing sites, and what proxies ask.
struct LinkTests {
    private let service: TestService
    private let program: String
    private let participant: String

    init() throws {
        service = try TestService()
        program = try service.make(
            "/v1/programs",
            [
                "name": "Partners", "currency": "USD",
                "destination_url": "https://www.example.com/",
            ])
        participant = try service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": "Ada", "email": "ada@partner.example",
                "status": "approved",
            ])
    }

    private func item(_ code: String?) -> JSONValue {
        var body: JSONObject = ["participant_id": .string(participant)]
        if let code { body["code"] = .string(code) }
        return .object(body)
    }

    @Test("a made code has eight characters that are easy to read, and its URL leads to it")
    func madeCode() throws {
        defer { service.stop() }
        let link = try service.post("/v1/links", item(nil))
        #expect(link.status == 201)
        let code = try #require(link.json["code"]?.stringValue)
        #expect(code.wholeMatch(of: /[345679bcdfghjkmnpqrtvwxy]{8}/) != nil)
        #expect(link.json["url"]?.stringValue?.hasSuffix("/r/\(code)") == true)
        #expect(try service.raw("HEAD", "/r/\(code)").status == 302)
    }

    @Test("a code is taken in any case and for good, and the refusal says so with 409")
    func takenCode() throws {
        defer { service.stop() }
        let link = try service.make("/v1/links", item("Ada-2026"))
        for code in ["Ada-2026", "ada-2026", "ADA-2026"] {
            let answer = try service.post("/v1/links", item(code))
            #expect(answer.status == 409)
            #expect(answer["code"] == "code_taken")
        }
        #expect(try service.post("/v1/links/\(link)/disable").status == 200)
        #expect(try service.post("/v1/links", item("ada-2026"))["code"] == "code_taken")
    }

    @Test("a link is found whatever the case of its code, and ref is the code as it was given")
    func anyCase() throws {
        defer { service.stop() }
        _ = try service.make("/v1/links", item("AdaLovelace"))
        for code in ["AdaLovelace", "adalovelace", "ADALOVELACE"] {
            let location = try service.raw("HEAD", "/r/\(code)").header("location")
            #expect(location?.contains("ref=AdaLovelace&") == true, "\(code)")
        }
    }

    @Test(
        "a code that a URL or a person would trip over is refused",
        arguments: ["ab", "-ab", "_ab", "ab-", "ab_", "a b", "a/b", "a.b", "ü12", "a%41", ""])
    func malformedCode(_ code: String) throws {
        defer { service.stop() }
        let answer = try service.post("/v1/links", item(code))
        #expect(answer.status == 400 || answer.status == 422)
        #expect(answer["errors.0.pointer"] == "/code")
    }

    @Test("the code stays: a change of it is refused")
    func codeStays() throws {
        defer { service.stop() }
        let link = try service.make("/v1/links", item("ada"))
        let answer = try service.send(
            "PATCH", "/v1/links/\(link)", ["code": "eve"],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(answer.status == 400 || answer.status == 422)
        #expect(try service.get("/v1/links/\(link)")["code"] == "ada")
    }

    @Test("a hidden link is left out of lists and goes on; it is found among the hidden ones")
    func hidden() throws {
        defer { service.stop() }
        let link = try service.make("/v1/links", item("ada"))
        let change = try service.send(
            "PATCH", "/v1/links/\(link)", ["hidden": true],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(change.status == 200 && change["hidden"] == true && change["status"] == "active")
        #expect(try !service.get("/v1/links").ids.contains(link))
        #expect(try service.get("/v1/links?hidden=true").ids == [link])
        #expect(try service.raw("HEAD", "/r/ada").status == 302)
    }

    @Test("a destination that browsers would run or a reader mistake is refused")
    func destinations() throws {
        defer { service.stop() }
        for url in ["javascript:alert(1)", "//evil.example", "https://a:b@evil.example/", "x"] {
            var body = try #require(item(nil).objectValue)
            body["destination_url"] = .string(url)
            let answer = try service.post("/v1/links", .object(body))
            #expect(answer.status == 400 || answer.status == 422, "\(url)")
        }
    }

    // MARK: - In bulk

    @Test("in bulk each link has its own result, and one refusal leaves the others")
    func bulk() throws {
        defer { service.stop() }
        let answer = try service.post(
            "/v1/links/bulk", ["items": [item("one"), item("ONE"), item(nil), item("two")]])
        #expect(answer.status == 200)
        let statuses = (0..<4).map { answer["data.\($0).status"] }
        #expect(statuses == [201, 409, 201, 201])
        #expect(answer["data.1.problem.code"] == "code_taken")
        #expect(answer["data.1.index"] == 1)
        #expect(try service.list("/v1/links").count == 4)
    }

    @Test("in bulk and atomic one refusal leaves no link, no event and no taken code")
    func atomicBulk() throws {
        defer { service.stop() }
        let before = try service.list("/v1/events?limit=100").count
        let answer = try service.post(
            "/v1/links/bulk", ["atomic": true, "items": [item("one"), item("two"), item("One")]])
        #expect(answer.status == 409)
        #expect(answer["errors.0.pointer"] == "/items/2")
        #expect(try service.list("/v1/links").count == 1)
        #expect(try service.list("/v1/events?limit=100").count == before)
        #expect(try service.post("/v1/links", item("one")).status == 201)
    }

    @Test("a bulk request of more than a hundred links, or of none, is refused whole")
    func bulkSize() throws {
        defer { service.stop() }
        for count in [0, 101] {
            let items = JSONValue.array(Array(repeating: item(nil), count: count))
            let answer = try service.post("/v1/links/bulk", ["items": items])
            #expect(answer.status == 400 || answer.status == 422)
        }
        #expect(try service.list("/v1/links").count == 1)
    }

    // MARK: - The script, and what proxies ask

    @Test("the script is under 4 KB, for every origin, and not sent to who has it")
    func script() throws {
        defer { service.stop() }
        let answer = try service.raw("GET", "/referral.js")
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "text/javascript; charset=utf-8")
        #expect(answer.body.count > 200 && answer.body.count < 4_096)
        #expect(answer.header("cross-origin-resource-policy") == "cross-origin")
        #expect(answer.header("x-content-type-options") == "nosniff")
        let tag = try #require(answer.header("etag"))
        for condition in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            let known = try service.raw(
                "GET", "/referral.js", headers: [("If-None-Match", condition)])
            #expect(known.status == 304, "\(condition)")
            #expect(known.body.isEmpty)
            #expect(known.header("etag") == tag)
        }
        let other = try service.raw(
            "GET", "/referral.js", headers: [("If-None-Match", "\"other\"")])
        #expect(other.status == 200)
        #expect(other.body == answer.body)
    }

    @Test("the statement about Global Privacy Control is where the specification puts it")
    func privacyStatement() throws {
        defer { service.stop() }
        let answer = try service.raw("GET", "/.well-known/gpc.json")
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "application/json")
        #expect(answer["gpc"] == true)
        let date = try #require(answer.json["lastUpdate"]?.stringValue)
        #expect(date.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil)
    }
}
