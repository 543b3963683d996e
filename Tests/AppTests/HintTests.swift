import JSON
import Model
import Testing

@testable import App

/// Hints of who brought somebody: one way to read them at every door.
struct HintTests {
    private static let unknownClick = "click_01h455vb4pex5vsknk084sn02q"

    // MARK: - Reading

    @Test("blanks around a hint, a list of clicks, repeated names and commas are read")
    func shapes() {
        let ids = (1...3).map { ClickID(high: 1, low: $0).description }
        let asList = Hints(["click_id": .array(ids.map { .string($0) }), "ref": " ada\u{FEFF}"])
        let asText = Hints(fields: [
            ("click_id", "\(ids[0]), \(ids[1].uppercased())"), ("click_id", ids[2]),
            ("ref", "\u{200B}ada\r\n"), ("code", ""),
        ])
        for hints in [asList, asText] {
            #expect(hints.clicks.map(\.description) == ids)
            #expect(hints.ref == "ada" && hints.code == nil)
            #expect(hints.ignored.isEmpty, "\(hints.ignored)")
        }
    }

    @Test(
        "what cannot be read is left out with its reason",
        arguments: [
            ("ref", .null, "empty"), ("ref", "", "empty"), ("code", " \t", "empty"),
            ("ref", "a b", "malformed"), ("ref", ["x": 1], "malformed"),
            ("code", true, "malformed"), ("click_id", "ada", "malformed"),
            ("click_id", 7, "malformed"), ("referrer_email", "nobody", "malformed"),
            ("ref_at", "yesterday", "malformed"), ("ref_at", "2026-01-01T00:00:00Z", "without_ref"),
        ] as [(String, JSONValue, String)])
    func leftOut(_ name: String, _ value: JSONValue, _ because: String) {
        let hints = Hints([name: value])
        #expect(hints.isEmpty)
        #expect(hints.ignored.map(\.name.rawValue) == [name])
        #expect(hints.ignored.map(\.because.rawValue) == [because])
    }

    @Test("of more than ten clicks the first and the last nine are kept")
    func tooMany() {
        let ids = (1...14).map { ClickID(high: 1, low: $0) }
        let hints = Hints(["click_id": .array(ids.map { .string($0.description) })])
        #expect(hints.clicks == [ids[0]] + ids[5...])
        #expect(hints.ignored.map(\.because) == Array(repeating: .tooMany, count: 4))
    }

    @Test("a code is read without what a chat program glued on to it")
    func glued() {
        for text in ["ada.", "ada/", "ada//", "ada)\u{200B}", "ada!?\""] {
            #expect(Hints(["ref": .string(text)]).ref == "ada", "\(text)")
        }
        #expect(Hints(["code": 1234]).code == "1234")
    }

    // MARK: - The same at every door

    @Test("an unknown hint is named by every door, and refuses nowhere")
    func everyDoor() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let hints: JSONObject = [
            "click_id": .string(Self.unknownClick), "ref": "nobody", "code": "SPRING10",
            "referrer_email": "who@else.example",
        ]
        let expected: [JSONValue] = [
            ["name": "click_id", "value": .string(Self.unknownClick), "because": "unknown"],
            ["name": "ref", "value": "nobody", "because": "unknown"],
            ["name": "code", "value": "SPRING10", "because": "unknown"],
            ["name": "referrer_email", "value": "who@else.example", "because": "unknown"],
        ]
        let sale = try stage.sell("s", customer: "c", hints)
        #expect(sale["ignored"] == .array(expected))
        func with(_ more: JSONObject) -> JSONValue {
            var body = hints
            body["program_id"] = .string(stage.program)
            for (name, value) in more { body[name] = value }
            return .object(body)
        }
        let lead = try stage.service.post("/v1/leads", with(["email": "a@b.example"]))
        #expect(lead.status == 201 && lead["ignored"] == .array(expected), "\(lead.text)")
        #expect(lead["participant_id"] == .null)
        let touch = try stage.service.post(
            "/v1/touchpoints", with(["source": "direct", "customer": ["external_id": "c"]]))
        #expect(touch.status == 201 && touch["ignored"] == .array(expected), "\(touch.text)")
        let form = try stage.service.postForm(
            stage.program,
            [("email", "f@b.example")] + hints.map { ($0.name, $0.value.stringValue ?? "") },
            accept: "application/json")
        #expect(form.status == 201 && form["ignored"] == nil)
        let posted = try stage.service.get("/v1/leads/\(form.id())")
        #expect(posted["ignored"] == .array(expected), "\(posted.text)")
    }

    @Test("events name the hint and the reason, never the value")
    func eventsHoldNoValue() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        _ = try stage.sell("s", customer: "c", ["code": "ann@secret.example"])
        _ = try stage.service.make(
            "/v1/leads",
            [
                "program_id": .string(stage.program), "email": "l@b.example",
                "ref": "bob@secret.example",
            ])
        let events = try stage.service.get("/v1/events?limit=100")
        #expect(!events.text.contains("secret"))
        #expect(events.text.contains(#"{"name":"code","because":"malformed"}"#))
        #expect(events.text.contains(#"{"name":"ref","because":"malformed"}"#))
    }

    @Test("a token reads the names of hints that were left out, and nothing more of them")
    func tokenReadsNames() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.service.post(
            "/v1/leads", ["email": "l@b.example", "code": "nobody", "ref": "ben"],
            key: scene.ada.token)
        #expect(lead.status == 201 && lead["participant_id"] == .string(scene.ada.id))
        #expect(lead["ignored"] == [["name": "code"], ["name": "ref"]])
        let seen = try scene.service.get("/v1/leads/\(lead.id())")
        #expect(
            seen["ignored"] == [
                ["name": "code", "value": "nobody", "because": "unknown"],
                ["name": "ref", "value": "ben", "because": "other_participant"],
            ])
    }

    @Test("a referral of nobody is no touch: 200 with what was left out")
    func touchOfNobody() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let body: JSONObject = [
            "program_id": .string(stage.program), "source": "referral", "ref": "nobody",
            "customer": ["external_id": "c"],
        ]
        let answer = try stage.service.post("/v1/touchpoints", .object(body))
        #expect(answer.status == 200 && answer["id"] == .null, "\(answer.text)")
        #expect(answer["ignored.0.because"] == "unknown")
        #expect(try stage.service.get("/v1/touchpoints").ids.isEmpty)
    }

    // MARK: - Touches

    private static func click(
        _ stage: CreditStage, _ code: String, _ headers: [(String, String)] = []
    ) throws -> String {
        let answer = try stage.service.send(
            "GET", "/r/\(code)", key: nil,
            headers: headers.isEmpty ? [("User-Agent", "Mozilla/5.0 \(code)")] : headers)
        #expect(answer.status == 302)
        let location = try #require(answer.header("location"))
        let id = try #require(location.split(separator: "click_id=").last)
        return String(id.prefix(32))
    }

    @Test("a ref whose link a click has is that click; another ref is a touch of its own time")
    func refOfClick() throws {
        let stage = try CreditStage(["model": "linear"])
        defer { stage.service.stop() }
        let click = try Self.click(stage, "code-ada")
        stage.service.clock.advance(days: 2)
        let both = try stage.sell(
            "one", customer: "c1", ["click_id": .string(click), "ref": "code-ada"])
        #expect(both["attribution.touches"]?.arrayValue?.count == 1)
        #expect(both["attribution.touches.0.kind"] == "click")
        #expect(both["ref"] == "code-ada" && both["click_id"] == .string(click))

        let visit = stage.ago(1)
        let apart = try stage.sell(
            "two", customer: "c2",
            ["click_id": .string(click), "ref": "code-ben", "ref_at": visit, "code": "code-eve"])
        let touches = apart["attribution.touches"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(touches.map { $0["kind"] } == ["click", "ref", "code"])
        #expect(touches[1]["occurred_at"] == visit)
        #expect(apart["code"] == "code-eve")
    }

    @Test("a page's clock that is ahead of the sale's by less than a day costs nobody the credit")
    func clockAhead() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let sale = try stage.sell(
            "one", customer: "c1",
            ["ref": "code-ada", "ref_at": stage.ago(-0.5), "occurred_at": stage.ago(0.1)])
        #expect(try stage.credits(sale.id()) == [stage.ada: 100_000])
        let wild = try stage.sell(
            "two", customer: "c2", ["ref": "code-ada", "ref_at": stage.ago(-5)])
        #expect(wild["ignored.0.because"] == "in_the_future")
        #expect(try stage.credits(wild.id()) == [stage.ada: 100_000])
    }

    @Test(
        "a click that somebody brings was a person's, whatever it was taken for",
        arguments: ["Googlebot/2.1", "Slackbot-LinkExpanding 1.0", ""])
    func reclaimed(_ agent: String) throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(stage, "code-ada", [("User-Agent", agent), ("X-A", "b")])
        let sale = try stage.sell("s", customer: "c", ["click_id": .string(click)])
        #expect(try stage.credits(sale.id()) == [stage.ada: 100_000])
        let taken = sale["attribution.touches.0.reclaimed"]?.stringValue
        #expect(taken == "bot" || taken == "preview")
        let because = try stage.explain(sale.id())["touches.0.because"]?.stringValue ?? ""
        #expect(because.contains("reclaimed"), "\(because)")
    }

    @Test(
        "a link shown as an image or in a frame is embedded, and never a touch",
        arguments: ["image", "iframe", "empty", "script", "IMAGE"])
    func embedded(_ destination: String) throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(
            stage, "code-ada",
            [("User-Agent", "Mozilla/5.0"), ("Sec-Fetch-Dest", destination)])
        #expect(try stage.service.get("/v1/clicks/\(click)")["class"] == "embedded")
        let sale = try stage.sell(
            "s", customer: "c", ["click_id": .string(click), "ref": "code-ada"])
        #expect(sale["attribution.credits"] == [])
        #expect(
            sale["ignored"]?.arrayValue?.compactMap { $0.objectValue?["because"] }
                == ["embedded", "embedded"])
        let lead = try stage.service.post(
            "/v1/leads",
            [
                "program_id": .string(stage.program), "email": "l@b.example",
                "click_id": .string(click),
            ])
        #expect(lead["participant_id"] == .null)
    }

    @Test("a page of its own is a click, whatever else the browser says of it")
    func document() throws {
        let stage = try CreditStage()
        defer { stage.service.stop() }
        let click = try Self.click(
            stage, "code-ada",
            [("User-Agent", "Mozilla/5.0"), ("Sec-Fetch-Dest", "document")])
        #expect(try stage.service.get("/v1/clicks/\(click)")["class"] == "human")
    }

    @Test("of a list of clicks each is a touch, so that the first touch is found")
    func listOfClicks() throws {
        let stage = try CreditStage(["model": "first_touch"])
        defer { stage.service.stop() }
        let first = try Self.click(stage, "code-ada")
        stage.service.clock.advance(days: 1)
        let second = try Self.click(stage, "code-ben")
        let sale = try stage.sell(
            "s", customer: "c", ["click_id": [.string(second), .string(first)]])
        #expect(try stage.credits(sale.id()) == [stage.ada: 100_000])
        #expect(sale["click_id"] == .string(second))
        let lead = try stage.service.post(
            "/v1/leads",
            [
                "program_id": .string(stage.program), "email": "l@b.example",
                "click_id": .string("\(second),\(first)"),
            ])
        #expect(lead["participant_id"] == .string(stage.ada))
    }

    @Test("a hint of somebody who may not refer does not refuse the lead; the operator's word does")
    func mayNotRefer() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.service.post("/v1/participants/\(scene.ada.id)/suspend")
        let lead = try scene.service.post(
            "/v1/leads",
            ["program_id": .string(scene.program), "email": "l@b.example", "ref": "ada"])
        #expect(lead.status == 201 && lead["participant_id"] == .null, "\(lead.text)")
        #expect(lead["ignored.0.because"] == "not_approved")
        let named = try scene.service.post(
            "/v1/leads", ["participant_id": .string(scene.ada.id), "email": "m@b.example"])
        #expect(named.status == 409 || named.status == 403 || named.status == 422)
    }
}
