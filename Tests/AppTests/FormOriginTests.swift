import Foundation
import JSON
import Testing

@testable import App

/// Who may post a form: the answers by Origin and Sec-Fetch-Site, and what CORS adds to them.
struct FormOriginTests {
    private let service: TestService
    private let program: String

    init() throws {
        service = try TestService()
        program = try service.make(
            "/v1/programs",
            [
                "name": "Friends", "currency": "EUR",
                "destination_url": "https://www.example.com/",
                "allowed_origins": ["https://shop.example"],
            ])
        #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
    }

    private func post(
        email: String = "sam@buyer.example", _ headers: [(String, String)]
    ) throws -> TestAnswer {
        try service.postForm(
            program, [("email", email)], accept: "application/json", headers: headers)
    }

    private func leadCount() throws -> Int {
        try service.list("/v1/leads?program_id=\(program)").count
    }

    @Test("a page of an allowed origin may read its answer, refusals included")
    func allowed() throws {
        defer { service.stop() }
        let answer = try post([("Origin", "https://shop.example")])
        #expect(answer.status == 201)
        #expect(answer.header("access-control-allow-origin") == "https://shop.example")
        #expect(answer.header("access-control-allow-credentials") == nil)
        #expect(answer.header("vary") == "Origin, Accept")
        let fault = try post(email: "wrong", [("Origin", "https://shop.example")])
        #expect(fault.status == 400 || fault.status == 422)
        #expect(fault.header("access-control-allow-origin") == "https://shop.example")
        #expect(fault.header("access-control-expose-headers")?.contains("Request-Id") == true)
    }

    @Test(
        "a foreign page may not post, nothing is recorded, and it may not read why",
        arguments: [
            "https://evil.example", "null", "http://shop.example", "https://shop.example:444",
            "https://shop.example.evil.example", "https://SHOP.example", "",
        ])
    func foreign(_ origin: String) throws {
        defer { service.stop() }
        let answer = try post([("Origin", origin)])
        #expect(answer.status == 403)
        #expect(answer.header("access-control-allow-origin") == nil)
        #expect(answer.header("vary") == "Origin, Accept")
        #expect(try leadCount() == 0)
    }

    @Test("a client without Origin may post and gets no CORS field, yet the same Vary")
    func withoutOrigin() throws {
        defer { service.stop() }
        let answer = try post([])
        #expect(answer.status == 201)
        #expect(answer.header("access-control-allow-origin") == nil)
        #expect(answer.header("vary") == "Origin, Accept")
    }

    @Test("our own page may post, by the address the browser used")
    func ownPage() throws {
        defer { service.stop() }
        #expect(
            try post([("Origin", "http://localhost"), ("Sec-Fetch-Site", "same-origin")])
                .status == 201)
    }

    @Test(
        "a browser that says the post is foreign is refused even without Origin",
        arguments: ["cross-site", "same-site"])
    func crossSite(_ site: String) throws {
        defer { service.stop() }
        #expect(try post([("Sec-Fetch-Site", site)]).status == 403)
        #expect(try leadCount() == 0)
        // An allowed page is on another site by nature.
        #expect(
            try post([("Sec-Fetch-Site", site), ("Origin", "https://shop.example")]).status == 201)
    }

    @Test("a post that a person began without a page goes on", arguments: ["none", "same-origin"])
    func sameSite(_ site: String) throws {
        defer { service.stop() }
        #expect(try post([("Sec-Fetch-Site", site)]).status == 201)
    }

    private func preflight(_ origin: String?) throws -> TestAnswer {
        try service.raw(
            "OPTIONS", "/f/\(program)",
            headers: [
                ("Access-Control-Request-Method", "POST"),
                ("Access-Control-Request-Headers", "content-type"),
            ] + (origin.map { [("Origin", $0)] } ?? []))
    }

    @Test("a preflight from an allowed origin is granted, for this origin, POST and Content-Type")
    func preflightAllowed() throws {
        defer { service.stop() }
        let answer = try preflight("https://shop.example")
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
        #expect(answer.header("access-control-allow-origin") == "https://shop.example")
        #expect(answer.header("access-control-allow-methods")?.contains("POST") == true)
        #expect(
            answer.header("access-control-allow-headers")?.lowercased().contains("content-type")
                == true)
        #expect(answer.header("vary")?.contains("Origin") == true)
    }

    @Test("a preflight from elsewhere is refused without a CORS field")
    func preflightForeign() throws {
        defer { service.stop() }
        let answer = try preflight("https://evil.example")
        #expect(answer.status == 403)
        #expect(!answer.headers.contains { $0.name.lowercased().hasPrefix("access-control-") })
        #expect(answer.header("vary")?.contains("Origin") == true)
    }

    @Test("a changed list of origins counts from the next post on")
    func originsChange() throws {
        defer { service.stop() }
        let change = try service.send(
            "PATCH", "/v1/programs/\(program)", ["allowed_origins": ["https://new.example"]],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(change.status == 200, "\(change.text)")
        #expect(try post([("Origin", "https://shop.example")]).status == 403)
        #expect(try post([("Origin", "https://new.example")]).status == 201)
    }
}
