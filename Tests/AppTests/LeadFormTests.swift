import Foundation
import JSON
import Testing

@testable import App

/// `/f/{program_id}`: what a visitor, a script, a foreign page and a robot get, over real sockets.
struct LeadFormTests {
    /// A program open to `https://shop.example`, with an approved partner and a link.
    private struct Stage {
        let service: TestService
        let program: String
        let participant: String

        init(
            flags: [String: String] = [:], thankYou: JSONValue = .null, isActive: Bool = true
        ) throws {
            service = try TestService(flags: flags)
            program = try service.make(
                "/v1/programs",
                [
                    "name": "Friends & <Partners>", "currency": "EUR",
                    "destination_url": "https://www.example.com/",
                    "thank_you_url": thankYou, "allowed_origins": ["https://shop.example"],
                ])
            if isActive {
                #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
            }
            participant = try service.make(
                "/v1/participants",
                [
                    "program_id": .string(program), "name": "Ada",
                    "email": "ada@partner.example", "status": "approved",
                ])
            _ = try service.make(
                "/v1/links", ["participant_id": .string(participant), "code": "ada"])
        }

        func post(
            _ fields: [(String, String)], accept: String = "text/html",
            headers: [(String, String)] = []
        ) throws -> TestAnswer {
            try service.postForm(program, fields, accept: accept, headers: headers)
        }

        func leads(_ status: String? = nil) throws -> [JSONObject] {
            try service.list(
                "/v1/leads?program_id=\(program)&limit=100" + (status.map { "&status=\($0)" } ?? "")
            )
        }
    }

    private static let sam = [("email", "sam@buyer.example"), ("name", "Sam"), ("ref", "ada")]

    // MARK: - The three shapes, and the two answers

    @Test("a browser's urlencoded post is answered by 303 to our own page, which is there")
    func browserIsSentOn() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.post(
            Self.sam, accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        #expect(answer.status == 303)
        #expect(answer.header("cache-control") == "no-store")
        let location = try #require(answer.header("location"))
        #expect(location == "/f/\(stage.program)/thanks")
        let page = try stage.service.raw("GET", location)
        #expect(page.status == 200)
        #expect(page.header("content-type") == "text/html; charset=utf-8")
        let lead = try #require(try stage.leads().first)
        #expect(lead["participant_id"] == .string(stage.participant))
        #expect(lead["source"] == "form")
        #expect(lead["status"] == "submitted")
    }

    @Test("a program's own thank-you page is where the browser goes, and CSP lets it")
    func ownThankYou() throws {
        let stage = try Stage(thankYou: "https://www.example.com/thanks?from=form")
        defer { stage.service.stop() }
        let answer = try stage.post(Self.sam)
        #expect(answer.status == 303)
        #expect(answer.header("location") == "https://www.example.com/thanks?from=form")
        let page = try stage.service.raw("GET", "/f/\(stage.program)")
        let policy = try #require(page.header("content-security-policy"))
        #expect(policy.contains("form-action 'self' https://www.example.com;"))
    }

    @Test(
        "whoever does not ask for HTML gets 201 with a receipt that holds nothing personal",
        arguments: ["application/json", "*/*", "", "text/html;q=0.4, application/json"])
    func scriptGetsReceipt(_ accept: String) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.post(Self.sam, accept: accept)
        #expect(answer.status == 201)
        #expect(answer.header("content-type") == "application/json")
        #expect(Set(answer.json.names) == ["id", "object", "status"])
        #expect(answer["status"] == "submitted")
        let id = try #require(answer.json["id"]?.stringValue)
        #expect(try stage.service.get("/v1/leads/\(id)")["email"] == "sam@buyer.example")
    }

    @Test("multipart, JSON and urlencoded posts of one form make the same lead")
    func sameInAllShapes() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let first = try stage.post(
            [("email", "sam@buyer.example"), ("note", "One & two\r\n= ü")],
            accept: "application/json")
        let parts =
            "--xYz\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nsam@buyer.example\r\n"
            + "--xYz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nOne & two\r\n= ü\r\n"
            + "--xYz--\r\n"
        let second = try stage.service.raw(
            "POST", "/f/\(stage.program)", parts,
            headers: [
                ("Content-Type", "multipart/form-data; boundary=xYz"),
                ("Accept", "application/json"),
            ])
        let third = try stage.service.raw(
            "POST", "/f/\(stage.program)",
            #"{"email":"sam@buyer.example","note":"One & two\r\n= \u00fc","other":5}"#,
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")])
        #expect(first.status == 201)
        #expect(second.status == 201, "\(second.text)")
        #expect(third.status == 201, "\(third.text)")
        #expect(first.json["id"] == second.json["id"])
        #expect(first.json["id"] == third.json["id"])
        #expect(try stage.leads().count == 1)
    }

    @Test("a file part is refused with 415, also an empty one, and nothing is recorded")
    func fileIsRefused() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for file in ["filename=\"cv.pdf\"", "filename=\"\"", "filename*=UTF-8''cv.pdf"] {
            let body =
                "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.example\r\n"
                + "--b\r\nContent-Disposition: form-data; name=\"note\"; \(file)\r\n"
                + "Content-Type: application/pdf\r\n\r\nx\r\n--b--\r\n"
            let answer = try stage.service.raw(
                "POST", "/f/\(stage.program)", body,
                headers: [("Content-Type", "multipart/form-data; boundary=b")])
            #expect(answer.status == 415, "\(file): \(answer.text)")
        }
        #expect(try stage.leads().isEmpty)
    }

    @Test("a body over 64 KB is refused with 413 and one of 64 KB is not")
    func largeBody() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        func post(_ bytes: Int) throws -> TestAnswer {
            let start = "email=sam%40buyer.example&x="
            return try stage.service.raw(
                "POST", "/f/\(stage.program)",
                start + String(repeating: "a", count: bytes - start.utf8.count),
                headers: [("Content-Type", "application/x-www-form-urlencoded")])
        }
        #expect(try post(65_536).status == 201)
        #expect(try post(65_537).status == 413)
    }

    // MARK: - Errors as a page

    private static let attacks = [
        "\"><script>alert(1)</script>", "' onfocus='alert(1)", "</textarea><img src=x>",
        "&lt;b&gt;",
    ]

    @Test(
        "a faulty form comes back with everything typed, escaped and unchanged",
        arguments: [
            "name", "email", "company", "phone", "note", "industry", "company_size", "country",
            "referrer_email", "utm_source",
        ])
    func typedComesBack(_ name: String) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for attack in Self.attacks {
            var fields = [("phone", String(repeating: "5", count: 41))]
            if name == "phone" { fields = [("email", "not an address")] }
            fields.insert((name, attack), at: 0)
            let answer = try stage.post(fields)
            #expect(answer.status == 400 || answer.status == 422)
            #expect(answer.header("content-type") == "text/html; charset=utf-8")
            #expect(!answer.text.contains("<script"))
            #expect(!answer.text.contains("<img"))
            #expect(!answer.text.contains("' onfocus"))
            #expect(answer.text.contains(Self.asMarkup(attack)), "\(name): \(answer.text)")
            #expect(answer.text.contains("aria-invalid=\"true\""))
        }
        #expect(try stage.leads().isEmpty)
    }

    @Test(
        "what the query fills in is escaped too",
        arguments: ["name", "email", "note", "ref", "click_id", "utm_campaign"])
    func queryIsEscaped(_ name: String) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for attack in Self.attacks {
            let page = try stage.service.raw(
                "GET", "/f/\(stage.program)?\(name)=\(TestService.escaped(attack))")
            #expect(page.status == 200)
            #expect(page.text.contains(Self.asMarkup(attack)))
            #expect(!page.text.contains("<script") && !page.text.contains("<img"))
        }
    }

    @Test("the form and its errors need no script and load nothing from elsewhere")
    func pageIsPlain() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let pages = [
            try stage.service.raw("GET", "/f/\(stage.program)?ref=ada"),
            try stage.post([("email", "wrong")]),
        ]
        for page in pages {
            #expect(page.text.contains("<form method=\"post\" action=\"/f/\(stage.program)\">"))
            #expect(page.text.contains("<h1>Friends &amp; &lt;Partners&gt;</h1>"))
            for word in ["<script", "src=", "href=", "javascript:", "url("] {
                #expect(!page.text.contains(word), "\(word)")
            }
            let policy = try #require(page.header("content-security-policy"))
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
            #expect(page.header("x-content-type-options") == "nosniff")
            #expect(page.header("cache-control") == "no-store")
        }
        #expect(pages[0].text.contains("<input type=\"hidden\" name=\"ref\" value=\"ada\">"))
    }

    @Test("a script is told which fields are wrong, by pointer")
    func errorsAsJSON() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let answer = try stage.post(
            [("name", String(repeating: "n", count: 201))], accept: "application/json")
        #expect(answer.status == 400 || answer.status == 422)
        #expect(answer.header("content-type") == "application/problem+json")
        let faults = answer.json["errors"]?.arrayValue ?? []
        let pointers = Set(faults.compactMap { $0.objectValue?["pointer"]?.stringValue })
        #expect(pointers == ["/email", "/name"])
    }

    // MARK: - Double posts, duplicates, robots

    @Test("the same post within ten minutes is one lead; afterwards it is a duplicate")
    func doublePost() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let first = try stage.post(Self.sam, accept: "application/json")
        stage.service.clock.advance(seconds: 590)
        let second = try stage.post(Self.sam, accept: "application/json")
        #expect(first.body == second.body)
        #expect(try stage.leads().count == 1)
        stage.service.clock.advance(seconds: 20)
        let third = try stage.post(Self.sam, accept: "application/json")
        #expect(third.status == 201)
        #expect(third.json["id"] != first.json["id"])
        #expect(try stage.leads("duplicate").count == 1)
    }

    @Test("a known address is answered as a new one, byte for byte but the id")
    func duplicateIsNotRevealed() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for accept in ["text/html", "application/json"] {
            let email = accept == "text/html" ? "one@b.example" : "two@b.example"
            let first = try stage.post([("email", email)], accept: accept)
            let second = try stage.post([("email", email), ("name", "Other")], accept: accept)
            #expect(first.status == second.status)
            #expect(Self.comparable(first) == Self.comparable(second))
        }
        #expect(try stage.leads("duplicate").count == 2)
        #expect(try stage.leads("submitted").count == 2)
    }

    @Test("a filled honeypot is answered as any post, kept as spam and hidden from lists")
    func honeypot() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let person = try stage.post([("email", "one@b.example")], accept: "application/json")
        let robot = try stage.post(
            [("email", "two@b.example"), ("website", "http://spam.example")],
            accept: "application/json")
        #expect(Self.comparable(person) == Self.comparable(robot))
        #expect(try stage.leads().count == 1)
        let spam = try #require(try stage.leads("spam").first)
        #expect(spam["id"] == robot.json["id"])
        #expect(spam["customer_id"] == .null)
        // The address counts as unknown: a robot must not make a person a duplicate.
        _ = try stage.post([("email", "two@b.example")])
        #expect(try stage.leads("duplicate").isEmpty)
    }

    @Test("a referrer that is unknown or may not refer does not turn the visitor away")
    func unknownReferrer() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for (index, field) in [
            ("ref", "nobody"), ("click_id", "click_x"), ("referrer_email", "no@b.example"),
        ].enumerated() {
            let answer = try stage.post([("email", "v\(index)@b.example"), field])
            #expect(answer.status == 303)
        }
        let leads = try stage.leads()
        #expect(leads.count == 3)
        #expect(leads.allSatisfy { $0["participant_id"] == .null })
    }

    // MARK: - Limits and closed programs

    @Test("past the limit an address gets 429 with Retry-After, and others go on")
    func rateLimit() throws {
        let stage = try Stage(flags: ["--form-posts": "2"])
        defer { stage.service.stop() }
        func post(_ number: Int, from address: String?) throws -> TestAnswer {
            try stage.post(
                [("email", "v\(number)@b.example")], accept: "application/json",
                headers: address.map { [("X-Forwarded-For", $0)] } ?? [])
        }
        #expect(try post(1, from: "203.0.113.1").status == 201)
        #expect(try post(2, from: "203.0.113.1").status == 201)
        let refused = try post(3, from: "203.0.113.1")
        #expect(refused.status == 429)
        let wait = try #require(refused.header("retry-after").flatMap { Int($0) })
        #expect((1...600).contains(wait))
        #expect(try post(4, from: "203.0.113.2").status == 201)
        // What stands left of an address that is not trusted is that client's own invention.
        #expect(try post(5, from: "198.51.100.9, 203.0.113.1").status == 429)
        #expect(try stage.leads().count == 3)
        let page = try stage.post(
            [("email", "v6@b.example")], headers: [("X-Forwarded-For", "203.0.113.1")])
        #expect(page.status == 429)
        #expect(page.header("retry-after") != nil)
        #expect(page.header("content-type") == "text/html; charset=utf-8")
    }

    @Test("X-Forwarded-For from an address that is not trusted changes nothing")
    func untrustedProxy() throws {
        let stage = try Stage(flags: ["--form-posts": "2", "--trusted-proxies": "10.0.0.0/8"])
        defer { stage.service.stop() }
        let answers = try (1...3).map { number in
            try stage.post(
                [("email", "v\(number)@b.example")],
                headers: [("X-Forwarded-For", "203.0.113.\(number)")]
            ).status
        }
        #expect(answers == [303, 303, 429])
    }

    @Test(
        "a program that has ended or not begun takes no forms and says so",
        arguments: ["draft", "end"])
    func closedProgram(_ state: String) throws {
        let stage = try Stage(isActive: state != "draft")
        defer { stage.service.stop() }
        if state != "draft" {
            #expect(
                try stage.service.post("/v1/programs/\(stage.program)/\(state)").status == 200)
        }
        let page = try stage.post(Self.sam)
        #expect(page.status == 409)
        #expect(page.header("content-type") == "text/html; charset=utf-8")
        let problem = try stage.post(Self.sam, accept: "application/json")
        #expect(problem.status == 409)
        #expect(problem.header("content-type") == "application/problem+json")
        #expect(try stage.service.raw("GET", "/f/\(stage.program)").status == 409)
        #expect(try stage.leads().isEmpty)
    }

    @Test("a paused program takes forms, with who brought the visitor")
    func pausedProgram() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        #expect(try stage.service.post("/v1/programs/\(stage.program)/pause").status == 200)
        #expect(try stage.service.raw("GET", "/f/\(stage.program)").status == 200)
        #expect(try stage.post(Self.sam).status == 303)
        let lead = try #require(try stage.leads().first)
        #expect(lead["participant_id"] == .string(stage.participant))
    }

    @Test("an unknown or malformed program is 404", arguments: ["GET", "POST", "OPTIONS"])
    func unknownProgram(_ method: String) throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        for id in ["prog_01h2xcejqtf2nbrexx3vqjhp41", "nothing", "%00"] {
            let answer = try stage.service.raw(
                method, "/f/\(id)", method == "POST" ? "email=a%40b.example" : nil,
                headers: [("Content-Type", "application/x-www-form-urlencoded")])
            #expect(answer.status == 404, "\(id): \(answer.text)")
        }
    }

    // MARK: - What is compared

    private static func asMarkup(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;")
            .replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
            .replacingOccurrences(of: "\"", with: "&quot;")
            .replacingOccurrences(of: "'", with: "&#39;")
    }

    /// An answer without what differs by nature: ids and times.
    private static func comparable(_ answer: TestAnswer) -> [String] {
        let varying: Set = ["request-id", "date"]
        var lines = answer.headers.filter { !varying.contains($0.name.lowercased()) }
            .map { "\($0.name): \($0.value)" }
        var json = answer.json
        json["id"] = nil
        lines.append(JSONValue.object(json).text)
        return lines
    }
}
