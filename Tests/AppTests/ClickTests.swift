import Foundation
import JSON
import Testing

@testable import App

/// `/r/{code}`: who is sent where, and what is recorded of it.
struct ClickTests {
    static let agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"

    static func follow(
        _ scene: Scene, _ target: String = "ada", agent: String = ClickTests.agent,
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

    /// A program of its own with one link, `link`.
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
        fields["code"] = "link"
        return (program, try scene.service.make("/v1/links", .object(fields)))
    }

    /// The location with the click's id replaced by `*`.
    static func location(_ answer: TestAnswer) throws -> String {
        try #require(answer.header("location")).replacing(/click_[0-9a-z]{26}/, with: "*")
    }

    // MARK: - What is recorded

    @Test("a person's click is recorded as one, under the id in the address it leads to")
    func human() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let id = try JourneyTests.click(scene.service, "ada")
        let click = try scene.service.get("/v1/clicks/\(id)")
        #expect(click["class"] == "human")
        #expect(click["participant_id"] == .string(scene.ada.id))
        #expect(click["link_id"] == .string(scene.ada.link))
    }

    @Test("HEAD has the same answer and records nothing")
    func head() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let head = try Self.follow(scene, method: "HEAD")
        #expect(head.status == 302)
        #expect(head.body.isEmpty)
        #expect(try Self.clicks(scene).isEmpty)
        let get = try Self.follow(scene)
        #expect(try Self.location(head) == Self.location(get))
    }

    @Test(
        "a prefetch is turned away and recorded as one",
        arguments: [
            ("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"),
            ("Purpose", "prefetch"), ("X-Moz", "prefetch"), ("X-Purpose", "preview"),
        ])
    func prefetch(name: String, value: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try Self.follow(scene, headers: [(name, value)])
        #expect(answer.status == 503)
        #expect(answer.header("cache-control") == "no-store")
        #expect(answer.header("location") == nil)
        #expect(try Self.follow(scene).status == 302)
        #expect(try Self.classes(scene) == ["prefetch", "human"])
    }

    @Test(
        "robots and previews are sent on, recorded as what they are, and say which rule found them",
        arguments: [
            ("Googlebot/2.1 (+http://www.google.com/bot.html)", "bot", "known_agent"),
            ("curl/8.5.0", "bot", "known_agent"),
            ("facebookexternalhit/1.1", "preview", "known_agent"),
            ("Slackbot-LinkExpanding 1.0", "preview", "known_agent"),
            ("", "bot", "empty_user_agent"),
        ])
    func robots(agent: String, kind: String, reason: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        #expect(try Self.follow(scene, agent: agent).status == 302)
        let click = try #require(try Self.clicks(scene).first)
        #expect(click["class"] == .string(kind))
        #expect(click["reason"] == .string(reason))
        #expect((click["pattern"] == .null) == (reason == "empty_user_agent"))
    }

    @Test("the same visitor within an hour is a duplicate, and a new one after it")
    func repeated() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for seconds: Int64 in [0, 1_800, 1_790, 100] {
            scene.service.clock.advance(seconds: seconds)
            _ = try Self.follow(scene)
        }
        #expect(try Self.classes(scene) == ["human", "duplicate", "duplicate", "human"])
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

    @Test("repeated visitors are still known after a restart")
    func repeatedAfterRestart() throws {
        let scene = try Scene(TestService())
        _ = try Self.follow(scene)
        scene.service.stop(keepingFiles: true)
        let again = try TestService(folder: scene.service.folder, clock: scene.service.clock)
        defer { again.stop() }
        let answer = try again.send(
            "GET", "/r/ada", key: nil, headers: [("User-Agent", Self.agent)])
        #expect(answer.status == 302)
        let clicks = try again.get("/v1/clicks")
        #expect(clicks["data.0.class"] == "duplicate")
    }

    @Test("a visitor who objects to tracking is counted without being told apart")
    func globalPrivacyControl() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for _ in 0..<2 { _ = try Self.follow(scene, headers: [("Sec-GPC", "1")]) }
        let clicks = try Self.clicks(scene)
        #expect(clicks.map { $0["class"] } == ["human", "human"])
        #expect(clicks.map { $0["anonymous"] } == [true, true])
        _ = try Self.follow(scene)
        #expect(try Self.clicks(scene).first?["anonymous"] == false)
    }

    @Test("X-Forwarded-For is believed only from a trusted peer")
    func forwardedFor() throws {
        let scene = try Scene(TestService(flags: ["--trusted-proxies": "192.0.2.1"]))
        defer { scene.service.stop() }
        for address in ["203.0.113.1", "203.0.113.2"] {
            _ = try Self.follow(scene, headers: [("X-Forwarded-For", address)])
        }
        #expect(try Self.classes(scene) == ["human", "duplicate"])
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

    @Test("a click keeps the campaign and the referring host, and nothing else of the page")
    func details() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try Self.follow(
            scene, "ada?utm_source=news&utm_campaign=a%20b&token=secret",
            headers: [("Referer", "https://Mail.Example:8443/inbox?user=sam")])
        let click = try #require(try Self.clicks(scene).first)
        #expect(click["utm"] == ["source": "news", "campaign": "a b"])
        #expect(click["referrer"] == "mail.example")
        #expect(!JSONValue.object(click).text.contains("secret"))
    }

    @Test("a link's numbers count its clicks by class")
    func stats() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for agent in [Self.agent, Self.agent, "curl/8.5.0"] {
            _ = try Self.follow(scene, agent: agent)
        }
        let stats = try scene.service.get("/v1/links/\(scene.ada.link)/stats")
        #expect(stats["totals.human"] == 1)
        #expect(stats["totals.duplicate"] == 1)
        #expect(stats["totals.bot"] == 1)
        #expect(stats["days.0.human"] == 1)
        #expect(try scene.service.get("/v1/links/\(scene.ben.link)/stats")["totals.human"] == 0)
    }

    // MARK: - Where it leads

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

    @Test(
        "the destination keeps its query and fragment, the visitor's parameters come last",
        arguments: [
            ("https://a.example/", "", "https://a.example/?ref=link&click_id=*"),
            ("https://a.example", "", "https://a.example/?ref=link&click_id=*"),
            ("https://a.example/p?x=1#f", "", "https://a.example/p?x=1&ref=link&click_id=*#f"),
            (
                "https://a.example/p?x=1#f", "?y=2&z",
                "https://a.example/p?x=1&ref=link&click_id=*&y=2&z#f"
            ),
            (
                "https://a.example/?x=1", "?x=9&ref=mine&click_id=mine&%72ef=mine",
                "https://a.example/?x=1&ref=link&click_id=*"
            ),
            (
                "https://a.example/?ref=old&click_id=old&k=v", "",
                "https://a.example/?k=v&ref=link&click_id=*"
            ),
            (
                "https://a.example/", "?q=%C3%A9%20a+b&bad=%zz&lt=%3Cscript%3E",
                "https://a.example/?ref=link&click_id=*&q=%C3%A9%20a+b&bad=%25zz"
                    + "&lt=%3Cscript%3E"
            ),
        ])
    func destination(destination: String, query: String, expected: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try Self.link(scene, destination: destination)
        #expect(try Self.location(Self.follow(scene, "link\(query)")) == expected)
    }

    @Test("a link's own campaign fields win over the destination's and the visitor's")
    func campaignWins() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try Self.link(
            scene, destination: "https://a.example/?utm_source=page",
            link: ["utm": ["source": "partner & co"]])
        let location = try Self.location(Self.follow(scene, "link?utm_source=visitor"))
        #expect(
            location == "https://a.example/?utm_source=partner%20%26%20co&ref=link&click_id=*"
                || location == "https://a.example/?utm_source=partner+%26+co&ref=link&click_id=*")
    }

    @Test("a code is found in any case, and `ref` is the code as it was given")
    func anyCase() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        #expect(try Self.location(Self.follow(scene, "ADA")).contains("ref=ada&"))
    }

    @Test(
        "an unknown code is a 404 page that is never kept",
        arguments: [
            "nobody", "ab", "%3Cscript%3E", "-abc", String(repeating: "a", count: 65),
        ])
    func unknown(code: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try Self.follow(scene, code)
        #expect(answer.status == 404)
        #expect(answer.header("content-type")?.hasPrefix("text/html") == true)
        #expect(answer.header("cache-control") == "no-store")
        #expect(!answer.text.contains("<script"))
    }

    @Test(
        "a link that is closed leads to the program's fallback, or is gone when there is none",
        arguments: [
            "links/LINK/disable", "links/LINK/archive", "programs/PROGRAM/pause",
            "programs/PROGRAM/end", "expiry",
        ])
    func closed(how: String) throws {
        for fallback in [nil, "https://a.example/sorry"] {
            let scene = try Scene(TestService())
            defer { scene.service.stop() }
            let at = "2100-01-01T00:00:00Z"
            let made = try Self.link(
                scene, destination: "https://a.example/",
                link: how == "expiry" ? ["expires_at": .string(at)] : [:], fallback: fallback)
            #expect(try Self.follow(scene, "link").status == 302)
            if how == "expiry" {
                scene.service.clock.advance(days: 100 * 366)
            } else {
                let path = how.replacing("LINK", with: made.link)
                    .replacing("PROGRAM", with: made.program)
                #expect(try scene.service.post("/v1/\(path)").status == 200)
            }
            let answer = try Self.follow(scene, "link", agent: Self.agent + " late")
            #expect(answer.status == (fallback == nil ? 410 : 302))
            #expect(answer.header("location") == fallback)
            #expect(try Self.clicks(scene).count == 1, "a closed link earns nobody credit")
        }
    }

    @Test("a change of a link takes effect with the next click")
    func changed() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        for index in 0..<8 {
            let path = "https://www.example.com/\(index)"
            try scene.service.send(
                "PATCH", "/v1/links/\(scene.ada.link)", ["destination_url": .string(path)])
            #expect(try Self.location(Self.follow(scene)).hasPrefix(path))
        }
    }

    @Test("the links of a suspended participant lead nowhere until it is approved again")
    func suspended() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/participants/\(scene.ada.id)"
        try scene.service.post("\(path)/suspend")
        #expect(try Self.follow(scene).status == 410)
        try scene.service.post("\(path)/approve")
        #expect(try Self.follow(scene).status == 302)
    }

    @Test("the service says that it honours Global Privacy Control")
    func privacyStatement() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.get("/.well-known/gpc.json", key: nil)
        #expect(answer["gpc"] == true)
    }

    @Test("referral.js is small, may be kept, and is 304 for who has it")
    func script() throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.get("/referral.js", key: nil)
        #expect(answer.status == 200)
        #expect((1..<2048).contains(answer.body.count))
        #expect(answer.header("content-type")?.hasPrefix("text/javascript") == true)
        let tag = try #require(answer.header("etag"))
        for (condition, status) in [
            (tag, 304), ("W/\(tag)", 304), ("*", 304), ("\"x\", \(tag)", 304), ("\"x\"", 200),
        ] {
            let again = try service.send(
                "GET", "/referral.js", key: nil, headers: [("If-None-Match", condition)])
            #expect(again.status == status, "\(condition)")
            #expect(again.body.isEmpty == (status == 304))
            #expect(again.header("etag") == tag)
        }
    }
}
