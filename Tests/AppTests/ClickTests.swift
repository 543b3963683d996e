import Foundation
import JSON
import Testing

@testable import App

/// `/r/{code}`: which hits are recorded, as what, and where each visitor is sent.
struct ClickTests {
    private static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko Firefox/128.0"

    /// An active program with an approved partner and the link `ada`.
    private struct Stage {
        let service: TestService
        let program: String
        let participant: String
        let link: String

        init(
            flags: [String: String] = [:], _ link: JSONObject = [:], fallback: JSONValue = .null,
            clock: TestClock = TestClock()
        ) throws {
            service = try TestService(clock: clock, flags: flags)
            program = try service.make(
                "/v1/programs",
                [
                    "name": "Partners", "currency": "USD", "fallback_url": fallback,
                    "destination_url": "https://www.example.com/",
                ])
            #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
            participant = try service.make(
                "/v1/participants",
                [
                    "program_id": .string(program), "name": "Ada",
                    "email": "ada@partner.example", "status": "approved",
                ])
            var body: JSONObject = ["participant_id": .string(participant), "code": "ada"]
            for (name, value) in link { body[name] = value }
            self.link = try service.make("/v1/links", .object(body))
        }

        /// One hit, by a browser unless another agent is given; a second before the next one,
        /// because clicks of one millisecond are in no order.
        @discardableResult
        func hit(
            _ target: String = "/r/ada", _ method: String = "GET",
            agent: String? = ClickTests.browser, _ headers: [(String, String)] = []
        ) throws -> TestAnswer {
            defer { service.clock.advance(seconds: 1) }
            return try service.raw(
                method, target, headers: (agent.map { [("User-Agent", $0)] } ?? []) + headers)
        }

        func clicks(_ filter: String = "") throws -> [JSONObject] {
            try service.list("/v1/clicks?limit=100&link_id=\(link)" + filter)
        }

        /// The classes of all clicks, oldest first.
        func classes() throws -> [String] {
            try clicks().reversed().compactMap { $0["class"]?.stringValue }
        }

        func location(_ target: String) throws -> String {
            let answer = try hit(target)
            #expect(answer.status == 302)
            let text = try #require(answer.header("location"))
            return text.replacing(/click_[0-9a-z]{26}/, with: "CLICK")
        }
    }

    // MARK: - What a hit is

    @Test("a person's click is recorded before the answer, under the id the destination gets")
    func person() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.hit("/r/ada", "GET", [("Referer", "https://Blog.example/a?b=c")])
        #expect(answer.status == 302)
        #expect(answer.header("cache-control") == "no-store")
        #expect(answer.header("click-recorded") == nil)
        let click = try #require(try stage.clicks().first)
        let id = try #require(click["id"]?.stringValue)
        #expect(answer.header("location")?.contains("click_id=\(id)") == true)
        #expect(click["class"] == "human")
        #expect(click["reason"] == .null)
        #expect(click["referrer"] == "blog.example")
        #expect(click["anonymous"] == false)
        #expect(
            try stage.service.get("/v1/clicks/\(id)")["participant_id"]
                == .string(stage.participant))
    }

    @Test("HEAD is answered as GET and records nothing")
    func headRecordsNothing() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.hit("/r/ada", "HEAD")
        #expect(answer.status == 302)
        #expect(answer.body.isEmpty)
        #expect(answer.header("location")?.hasPrefix("https://www.example.com/?ref=ada") == true)
        try stage.hit()
        #expect(try stage.classes() == ["human"])
    }

    @Test(
        "a prefetch is put off with 503, and counts as no visit",
        arguments: [
            ("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"),
            ("Purpose", "prefetch"), ("X-Purpose", "preview"), ("X-Moz", "prefetch"),
        ])
    func prefetch(_ field: (String, String)) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.hit("/r/ada", "GET", [field])
        #expect(answer.status == 503)
        #expect(answer.header("cache-control") == "no-store")
        #expect(answer.header("location") == nil)
        // The real click that follows is the visitor's first.
        #expect(try stage.hit().status == 302)
        #expect(try stage.clicks("&class=human").count == 1)
        let late = try eventually { try stage.clicks("&class=prefetch").count == 1 }
        #expect(late)
    }

    @Test(
        "robots and previews are sent on, and recorded with the rule that told them",
        arguments: [
            ("Mozilla/5.0 (compatible; Googlebot/2.1)", "bot", "known_agent"),
            ("curl/8.5.0", "bot", "known_agent"),
            ("Slackbot-LinkExpanding 1.0", "preview", "known_agent"),
            ("WhatsApp/2.23.20.0", "preview", "known_agent"),
            ("", "bot", "empty_user_agent"),
        ])
    func robots(_ agent: String, _ kind: String, _ reason: String) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        #expect(try stage.hit(agent: agent).status == 302)
        let click = try #require(try stage.clicks().first)
        #expect(click["class"] == .string(kind))
        #expect(click["reason"] == .string(reason))
    }

    @Test("a hit without User-Agent is a robot's")
    func noAgent() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        #expect(try stage.hit(agent: nil).status == 302)
        #expect(try stage.classes() == ["bot"])
    }

    @Test("the same visitor within the hour is a duplicate, and after it a new click")
    func repeated() throws {
        let clock = TestClock()
        // A day's visitor key ends at midnight UTC, and with it what is known of visitors.
        clock.moveToNoon()
        let stage = try Stage(clock: clock)
        defer { stage.service.stop() }
        try stage.hit()
        clock.advance(seconds: 3_000)
        try stage.hit()
        try stage.hit(agent: Self.browser + " other")
        clock.advance(seconds: 700)
        try stage.hit()
        #expect(try stage.classes() == ["human", "duplicate", "human", "human"])
    }

    @Test("a visitor is still known after a restart within the hour")
    func repeatedAfterRestart() throws {
        let clock = TestClock()
        clock.moveToNoon()
        let stage = try Stage(clock: clock)
        try stage.hit()
        stage.service.stop(keepingFiles: true)
        let again = try TestService(folder: stage.service.folder, clock: clock)
        defer { again.stop() }
        _ = try again.raw("GET", "/r/ada", headers: [("User-Agent", Self.browser)])
        let classes = try again.list("/v1/clicks").map { $0["class"]?.stringValue }
        #expect(classes == ["duplicate", "human"])
    }

    @Test("who objects by Sec-GPC is counted, but as nobody: repeated clicks are not told apart")
    func privacyControl() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        try stage.hit("/r/ada", "GET", [("Sec-GPC", "1")])
        try stage.hit("/r/ada", "GET", [("Sec-GPC", "1")])
        try stage.hit("/r/ada", "GET", [("Sec-GPC", "0")])
        let clicks = try stage.clicks()
        #expect(clicks.map { $0["class"] } == ["human", "human", "human"])
        #expect(clicks.reversed().map { $0["anonymous"] } == [true, true, false])
    }

    @Test("DNT counts as Sec-GPC only when the operator says so", arguments: ["true", "false"])
    func doNotTrack(_ isHonored: String) throws {
        let stage = try Stage(flags: ["--honor-dnt": isHonored])
        defer { stage.service.stop() }
        try stage.hit("/r/ada", "GET", [("DNT", "1")])
        #expect(try stage.clicks().first?["anonymous"] == JSONValue.bool(isHonored == "true"))
    }

    @Test("visitors behind a trusted proxy are told apart by X-Forwarded-For")
    func trustedProxy() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for address in ["203.0.113.1", "203.0.113.2", "203.0.113.1", "6.6.6.6, 203.0.113.2"] {
            try stage.hit("/r/ada", "GET", [("X-Forwarded-For", address)])
        }
        #expect(try stage.classes() == ["human", "human", "duplicate", "duplicate"])
    }

    @Test("X-Forwarded-For from anybody else makes no new visitor")
    func untrustedProxy() throws {
        let stage = try Stage(flags: ["--trusted-proxies": "none"])
        defer { stage.service.stop() }
        for number in 1...3 {
            try stage.hit("/r/ada", "GET", [("X-Forwarded-For", "203.0.113.\(number)")])
        }
        #expect(try stage.classes() == ["human", "duplicate", "duplicate"])
    }

    // MARK: - Links that lead nowhere

    @Test("an unknown code is 404 as a page that echoes nothing of the request")
    func unknownCode() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for code in ["nobody", "a", "%3Cscript%3E", "%61da.x", "%E2%98%83%E2%98%83"] {
            let answer = try stage.hit("/r/\(code)")
            #expect(answer.status == 404, "\(code)")
            #expect(answer.header("content-type") == "text/html; charset=utf-8", "\(code)")
            #expect(answer.header("cache-control") == "no-store")
            #expect(!answer.text.contains("<script") && !answer.text.contains("nobody"))
        }
        #expect(try stage.clicks().isEmpty)
    }

    @Test("an expired link leads to the program's destination from its second on")
    func expired() throws {
        let stage = try Stage(["expires_at": .string(Self.time(in: 600))])
        defer { stage.service.stop() }
        #expect(try stage.hit().status == 302)
        stage.service.clock.advance(seconds: 600)
        let answer = try stage.hit()
        #expect(answer.status == 302)
        #expect(answer.header("location") == "https://www.example.com/")
        // Nobody waits for it.
        #expect(try eventually { try stage.clicks().first?["reason"] == "link_expired" })
    }

    @Test("a closed link leads to the program's fallback without ref or click id")
    func fallback() throws {
        let stage = try Stage(fallback: "https://www.example.com/over?x=1")
        defer { stage.service.stop() }
        #expect(try stage.hit().status == 302)
        #expect(try stage.service.post("/v1/links/\(stage.link)/disable").status == 200)
        let answer = try stage.hit("/r/ada?utm_source=x")
        #expect(answer.status == 302)
        #expect(answer.header("location") == "https://www.example.com/over?x=1")
    }

    @Test("disabling and suspending take effect with the next hit, and end with it")
    func closing() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let ways = [
            ("/v1/links/\(stage.link)", "disable", "enable"),
            ("/v1/participants/\(stage.participant)", "suspend", "approve"),
        ]
        for (path, close, open) in ways {
            #expect(try stage.hit().status == 302)
            let closed = try stage.service.post("\(path)/\(close)")
            #expect(closed.status == 200, "\(close): \(closed.text)")
            #expect(
                try stage.hit().header("location") == "https://www.example.com/", "\(close)")
            let opened = try stage.service.post("\(path)/\(open)")
            #expect(opened.status == 200, "\(open): \(opened.text)")
        }
        #expect(try stage.hit().status == 302)
    }

    // MARK: - The destination

    @Test("the destination keeps its query and fragment; ours come behind its own parameters")
    func destination() throws {
        let stage = try Stage(["destination_url": "https://www.example.com/a?plan=pro&q=%20#top"])
        defer { stage.service.stop() }
        #expect(
            try stage.location("/r/ada")
                == "https://www.example.com/a?plan=pro&q=%20&ref=ada&click_id=CLICK#top")
        #expect(
            try stage.location("/r/ada?x=1&y")
                == "https://www.example.com/a?plan=pro&q=%20&ref=ada&click_id=CLICK&x=1&y#top")
    }

    @Test("a visitor overrides neither ref nor click_id, the link's UTM or the destination's query")
    func precedence() throws {
        let stage = try Stage([
            "destination_url": "https://www.example.com/?plan=pro&ref=old",
            "utm": ["source": "mail"],
        ])
        defer { stage.service.stop() }
        let location = try stage.location(
            "/r/ada?ref=evil&click_id=evil&%72ef=evil&plan=free&utm_source=evil&utm_medium=cpc")
        #expect(!location.contains("evil") && !location.contains("free"))
        #expect(!location.contains("old"))
        #expect(location.hasSuffix("&utm_medium=cpc"))
        #expect(location.contains("utm_source=mail"))
        #expect(location.contains("plan=pro"))
    }

    @Test("the visitor's UTM fields are kept with the click, decoded")
    func visitorUTM() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        try stage.hit("/r/ada?utm_source=News%20letter&utm_medium=e+mail&other=1")
        let utm = try #require(try stage.clicks().first?["utm"])
        #expect(utm == ["source": "News letter", "medium": "e mail"])
    }

    @Test(
        "no query makes a header of its own", arguments: ["%0d%0aX-Evil:1", "a=%0D%0A", "\"><x>"])
    func noInjection(_ query: String) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.hit("/r/ada?\(query)")
        #expect(answer.header("x-evil") == nil)
        #expect(answer.status == 302 || answer.status == 400)
        if let location = answer.header("location") {
            #expect(location.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 })
        }
    }

    // MARK: - Numbers

    @Test("a link's numbers equal its clicks, by class and by day")
    func rollups() throws {
        let clock = TestClock()
        clock.moveToNoon()
        let stage = try Stage(clock: clock)
        defer { stage.service.stop() }
        for day in 0..<3 {
            for visitor in 0...day {
                try stage.hit(agent: "\(Self.browser) v\(visitor)")
                try stage.hit(agent: "\(Self.browser) v\(visitor)")
            }
            try stage.hit(agent: "curl/8.5.0")
            clock.advance(days: 1)
        }
        var byClass: [String: Int64] = [:]
        var byDay: [String: Int64] = [:]
        for click in try stage.clicks() {
            byClass[try #require(click["class"]?.stringValue), default: 0] += 1
            let day = try #require(click["created_at"]?.stringValue?.prefix(10))
            byDay[String(day), default: 0] += 1
        }
        #expect(byClass == ["human": 6, "duplicate": 6, "bot": 3])
        let stats = try stage.service.get("/v1/links/\(stage.link)/stats")
        let kinds = ["human", "bot", "preview", "prefetch", "duplicate"]
        for kind in kinds {
            #expect(stats["totals.\(kind)"] == .integer(byClass[kind] ?? 0), "\(kind)")
        }
        let days = stats.json["days"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(days.count == 3)
        for day in days {
            let sum = kinds.reduce(Int64(0)) { $0 + (day[$1]?.integerValue ?? 0) }
            #expect(byDay[day["date"]?.stringValue ?? ""] == sum)
        }
    }

    private static func time(in seconds: Int) -> String {
        Date(timeIntervalSinceNow: Double(seconds)).ISO8601Format()
    }
}
