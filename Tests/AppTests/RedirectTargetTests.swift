import Foundation
import JSON
import Testing

@testable import App

/// Where `/r/{code}` leads, parameter by parameter.
struct RedirectTargetTests {
    static let agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"

    static func follow(
        _ scene: Scene, _ target: String = "ada", agent: String = RedirectTargetTests.agent,
        method: String = "GET", headers: [(String, String)] = []
    ) throws -> TestAnswer {
        try scene.service.send(
            method, "/r/\(target)", key: nil, headers: headers + [("User-Agent", agent)])
    }

    static func clicks(_ scene: Scene, _ filter: String = "") throws -> [JSONObject] {
        let answer = try scene.service.get("/v1/clicks?limit=100\(filter)")
        try #require(answer.status == 200)
        return answer["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
    }

    static func classes(_ scene: Scene) throws -> [String] {
        try clicks(scene).compactMap { $0["class"]?.stringValue }.reversed()
    }

    /// A program of its own with one link, `fine-one`.
    static func link(
        _ scene: Scene, destination: String, link: JSONObject = [:], fallback: String? = nil
    ) throws -> (program: String, link: String) {
        var body: JSONObject = [
            "name": "P", "currency": "USD", "destination_url": .string(destination),
        ]
        if let fallback { body["fallback_url"] = .string(fallback) }
        let program = try scene.service.make("/v1/programs", .object(body))
        try scene.service.post("/v1/programs/\(program)/activate")
        let participant = try scene.service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": "P", "email": "p@partner.example",
                "status": "approved",
            ])
        var fields = link
        fields["participant_id"] = .string(participant)
        fields["code"] = "fine-one"
        return (program, try scene.service.make("/v1/links", .object(fields)))
    }

    /// The location with the click's id replaced by `*`.
    static func location(_ answer: TestAnswer) throws -> String {
        try #require(answer.header("location")).replacing(/click_[0-9a-z]{26}/, with: "*")
    }

    @Test(
        "the destination keeps its query and fragment, the visitor's parameters come last",
        arguments: [
            ("https://a.example/", "", "https://a.example/?ref=fine-one&click_id=*"),
            ("https://a.example", "", "https://a.example/?ref=fine-one&click_id=*"),
            ("https://a.example/p?x=1#f", "", "https://a.example/p?x=1&ref=fine-one&click_id=*#f"),
            (
                "https://a.example/p?x=1#f", "?y=2&z",
                "https://a.example/p?x=1&ref=fine-one&click_id=*&y=2&z#f"
            ),
            (
                "https://a.example/?x=1", "?x=9&ref=mine&click_id=mine&%72ef=mine",
                "https://a.example/?x=1&ref=fine-one&click_id=*"
            ),
            (
                "https://a.example/?ref=old&click_id=old&k=v", "",
                "https://a.example/?k=v&ref=fine-one&click_id=*"
            ),
            (
                "https://a.example/", "?q=%C3%A9%20a+b&bad=%zz&lt=%3Cscript%3E",
                "https://a.example/?ref=fine-one&click_id=*&q=%C3%A9%20a+b&bad=%25zz"
                    + "&lt=%3Cscript%3E"
            ),
        ])
    func destination(destination: String, query: String, expected: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try Self.link(scene, destination: destination)
        #expect(try Self.location(Self.follow(scene, "fine-one\(query)")) == expected)
    }

    @Test("a link's own campaign fields win over the destination's and the visitor's")
    func campaignWins() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try Self.link(
            scene, destination: "https://a.example/?utm_source=page",
            link: ["utm": ["source": "partner & co"]])
        let location = try Self.location(Self.follow(scene, "fine-one?utm_source=visitor"))
        let sources = ["partner%20%26%20co", "partner+%26+co"]
        #expect(
            sources.map { "https://a.example/?utm_source=\($0)&ref=fine-one&click_id=*" }
                .contains(location), "\(location)")
    }

    @Test("X-Forwarded-For is read from the right, up to the first hop that is not trusted")
    func forwardedChain() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for chain in ["198.51.100.1, 203.0.113.5", "198.51.100.2, 203.0.113.5, 127.0.0.1"] {
            _ = try Self.follow(scene, headers: [("X-Forwarded-For", chain)])
        }
        #expect(try Self.classes(scene) == ["human", "duplicate"])
    }

    @Test("other agents, other links and other addresses are other visitors")
    func otherVisitors() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try Self.follow(scene)
        _ = try Self.follow(scene, agent: Self.agent + " Other/1")
        _ = try Self.follow(scene, "ben")
        _ = try Self.follow(scene, headers: [("X-Forwarded-For", "203.0.113.9")])
        #expect(try Self.classes(scene) == Array(repeating: "human", count: 4))
    }

    @Test("a redirect may be kept by nobody")
    func headers() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try Self.follow(scene)
        #expect(answer.status == 302)
        #expect(answer.header("cache-control") == "no-store")
        #expect(answer.header("x-robots-tag") == "noindex")
        #expect(answer.header("referrer-policy") == "strict-origin-when-cross-origin")
    }
}
