import Foundation
import JSON
import Testing

@testable import App

/// The referral form as browsers, scripts and robots post it.
struct LeadFormTests {
    static let urlencoded = "application/x-www-form-urlencoded"
    static let html = ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")

    /// A scene whose program has a page that may post its form.
    static func scene(flags: [String: String] = [:]) throws -> Scene {
        let scene = try Scene(TestService(flags: flags))
        let answer = try scene.service.send(
            "PATCH", "/v1/programs/\(scene.program)",
            ["allowed_origins": ["https://shop.example"]])
        try #require(answer.status == 200)
        return scene
    }

    static func post(
        _ scene: Scene, _ fields: [(String, String)], headers: [(String, String)] = []
    ) throws -> TestAnswer {
        let allowed = CharacterSet.alphanumerics
        let body = fields.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")"
        }.joined(separator: "&")
        return try post(scene, bytes: Array(body.utf8), type: urlencoded, headers: headers)
    }

    static func post(
        _ scene: Scene, bytes: [UInt8], type: String, headers: [(String, String)] = []
    ) throws -> TestAnswer {
        try scene.service.sendBytes(
            "POST", "/f/\(scene.program)", bytes, key: nil,
            headers: [("Content-Type", type)] + headers)
    }

    static func multipart(_ fields: [(String, String)], boundary: String = "xyz") -> [UInt8] {
        var text = ""
        for (name, value) in fields {
            text += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n"
            text += "\(value)\r\n"
        }
        return Array((text + "--\(boundary)--\r\n").utf8)
    }

    static func leads(_ scene: Scene, _ filter: String = "") throws -> [JSONObject] {
        let answer = try scene.service.get("/v1/leads?limit=100\(filter)")
        return answer["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
    }

    // MARK: - Shapes

    @Test("a script's post is 201 with a receipt that says nothing but that it came in")
    func receipt() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(scene, [("email", "sam@buyer.example"), ("ref", "ada")])
        #expect(answer.status == 201)
        #expect(answer.json.names.sorted() == ["id", "object", "status"])
        let lead = try scene.service.get("/v1/leads/\(answer.id())")
        #expect(lead["participant_id"] == .string(scene.ada.id))
        #expect(lead["source"] == "form")
    }

    @Test("a browser's post is 303 to our thank-you page, which is there")
    func browser() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(scene, [("email", "sam@buyer.example")], headers: [Self.html])
        #expect(answer.status == 303)
        let location = try #require(answer.header("location"))
        let page = try scene.service.get(location, key: nil)
        #expect(page.status == 200)
        #expect(page.text.contains("Thank you"))
    }

    @Test("a browser's post is 303 to the program's own thank-you page when it names one")
    func ownThanks() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        try scene.service.send(
            "PATCH", "/v1/programs/\(scene.program)",
            ["thank_you_url": "https://www.example.com/thanks"])
        let answer = try Self.post(scene, [("email", "sam@buyer.example")], headers: [Self.html])
        #expect(answer.header("location") == "https://www.example.com/thanks")
        let form = try scene.service.get("/f/\(scene.program)", key: nil)
        #expect(
            form.header("content-security-policy")?.contains(
                "form-action 'self' https://www.example.com;") == true)
    }

    @Test("urlencoded, multipart and JSON give the same lead")
    func threeShapes() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let fields = [
            ("name", "Zoë & Co"), ("note", "a\r\nb"), ("phone", "+1 2"), ("utm_source", "x=y"),
        ]
        func email(_ name: String) -> [(String, String)] { [("email", "\(name)@buyer.example")] }
        var object = JSONObject()
        for (name, value) in fields + email("c") { object[name] = .string(value) }
        let answers = try [
            Self.post(scene, fields + email("a")),
            Self.post(
                scene, bytes: Self.multipart(fields + email("b")),
                type: "multipart/form-data; boundary=xyz"),
            Self.post(
                scene, bytes: JSONValue.object(object).encoded(), type: "application/json"),
        ]
        #expect(answers.map(\.status) == [201, 201, 201])
        for lead in try Self.leads(scene) {
            #expect(lead["name"] == "Zoë & Co")
            #expect(lead["phone"] == "+1 2")
            #expect(lead["note"] == "a\r\nb")
            #expect(lead["metadata"] == ["utm_source": "x=y"])
        }
    }

    @Test("fields that the form does not know are passed over")
    func unknownFields() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "sam@buyer.example"), ("participant_id", scene.ben.id)])
        #expect(answer.status == 201)
        #expect(try Self.leads(scene).first?["participant_id"] == .null)
    }

    @Test("a referrer that is not known turns no visitor away")
    func unknownReferrer() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        for (name, value) in [
            ("ref", "nobody"), ("click_id", "click_x"), ("referrer_email", "no address"),
        ] {
            let answer = try Self.post(
                scene, [("email", "\(name.prefix(3))@buyer.example"), (name, value)])
            #expect(answer.status == 201, "\(name)")
        }
        #expect(try Self.leads(scene).count == 3)
    }

    @Test("the referrer's address finds the participant in any spelling")
    func referrerEmail() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "s@buyer.example"), ("referrer_email", " ADA@Partner.Example ")])
        #expect(answer.status == 201)
        #expect(try Self.leads(scene).first?["participant_id"] == .string(scene.ada.id))
    }

    @Test(
        "a body that cannot be read is refused and writes nothing",
        arguments: [
            ("text/plain", "email=a@b.example", 415),
            ("multipart/form-data", "--x\r\n", 400),
            ("multipart/form-data; boundary=xyz", "--xyz\r\nno end", 400),
            ("multipart/form-data; boundary=xyz", "--other--\r\n", 400),
            (
                "multipart/form-data; boundary=xyz",
                "--xyz\r\nContent-Disposition: form-data; name=\"email\"; filename=\"a\"\r\n\r\n"
                    + "x\r\n--xyz--\r\n", 415
            ),
            ("application/json", "[1]", 400), ("application/json", "{\"email\":1}", 400),
            ("application/json", "{", 400),
            ("application/x-www-form-urlencoded", "email=%zz", 400),
            ("application/x-www-form-urlencoded", "email=a%ff@b.example", 400),
        ])
    func unreadable(type: String, body: String, status: Int) throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(scene, bytes: Array(body.utf8), type: type)
        #expect(answer.status == status, "\(answer.text)")
        #expect(try Self.leads(scene).isEmpty)
    }

    @Test(
        "multipart is read as browsers and libraries write it",
        arguments: [
            "multipart/form-data; boundary=\"a b:c\"", "Multipart/Form-Data;boundary=a b:c",
            "multipart/form-data; charset=utf-8; BOUNDARY=\"a b:c\"",
        ])
    func boundaries(type: String) throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let body =
            Array("preamble\r\n".utf8)
            + Self.multipart([("email", "s@buyer.example")], boundary: "a b:c")
            + Array("epilogue".utf8)
        #expect(try Self.post(scene, bytes: body, type: type).status == 201)
    }

    @Test("a form over 64 KB is refused")
    func tooLarge() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "s@buyer.example"), ("x", String(repeating: "a", count: 70_000))])
        #expect(answer.status == 413)
    }

    // MARK: - Origins

    @Test("an allowed page's script may read the answer; every answer varies by Origin")
    func allowedOrigin() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "s@buyer.example")], headers: [("Origin", "https://shop.example")])
        #expect(answer.status == 201)
        #expect(answer.header("access-control-allow-origin") == "https://shop.example")
        #expect(answer.header("access-control-allow-credentials") == nil)
        #expect(answer.header("vary")?.contains("Origin") == true)
    }

    @Test(
        "a foreign page's post is refused and records nothing",
        arguments: [
            "https://evil.example", "http://shop.example", "https://shop.example.evil.example",
            "null", "https://SHOP.example",
        ])
    func foreignOrigin(origin: String) throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "s@buyer.example")], headers: [("Origin", origin)])
        #expect(answer.status == 403)
        #expect(answer.header("access-control-allow-origin") == nil)
        #expect(answer.header("vary")?.contains("Origin") == true)
        #expect(try Self.leads(scene).isEmpty)
    }

    @Test("our own page may post; one that says it is foreign without an Origin may not")
    func ownAndUnnamed() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let own = "http://127.0.0.1:\(scene.service.port)"
        let statuses = try [[("Origin", own)], [("Sec-Fetch-Site", "cross-site")], []].enumerated()
            .map { index, headers in
                try Self.post(scene, [("email", "s\(index)@buyer.example")], headers: headers)
                    .status
            }
        #expect(statuses == [201, 403, 201])
    }

    @Test("a preflight is 204 for an allowed page, 403 for a foreign one")
    func preflight() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        func ask(_ origin: String) throws -> TestAnswer {
            try scene.service.send(
                "OPTIONS", "/f/\(scene.program)", key: nil,
                headers: [("Origin", origin), ("Access-Control-Request-Method", "POST")])
        }
        let allowed = try ask("https://shop.example")
        #expect(allowed.status == 204)
        #expect(allowed.header("access-control-allow-origin") == "https://shop.example")
        #expect(allowed.header("access-control-allow-methods") == "POST")
        #expect(allowed.header("access-control-max-age") == "7200")
        let foreign = try ask("https://evil.example")
        #expect(foreign.status == 403)
        #expect(foreign.header("access-control-allow-origin") == nil)
    }

    // MARK: - Robots, repeats and limits

    @Test("a robot that fills the hidden field gets the same answer and no place among the leads")
    func honeypot() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let person = try Self.post(scene, [("email", "sam@buyer.example")])
        let robot = try Self.post(
            scene, [("email", "bot@buyer.example"), ("website", "https://spam.example")])
        #expect(robot.status == 201)
        #expect(robot.json.names == person.json.names)
        #expect(robot["status"] == "submitted")
        #expect(try Self.leads(scene).map { $0["email"] } == ["sam@buyer.example"])
        #expect(try Self.leads(scene, "&status=spam").map { $0["email"] } == ["bot@buyer.example"])
    }

    @Test("a double post within ten minutes is one lead and has the same answer")
    func doublePost() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let fields = [("email", "sam@buyer.example"), ("name", "Sam")]
        let first = try Self.post(scene, fields)
        scene.service.clock.advance(seconds: 540)
        let second = try Self.post(scene, fields.reversed())
        #expect(second.body == first.body)
        #expect(try Self.leads(scene).count == 1)
        scene.service.clock.advance(seconds: 120)
        #expect(try Self.post(scene, fields).body != first.body)
        #expect(try Self.leads(scene).count == 2)
    }

    @Test("a mailbox that is known gets the answer of a new one")
    func duplicateHidden() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let first = try Self.post(scene, [("email", "sam@buyer.example")])
        let second = try Self.post(scene, [("email", "SAM@buyer.example"), ("name", "S")])
        #expect(second.status == first.status)
        #expect(second.json.names == first.json.names)
        #expect(second["status"] == "submitted")
        #expect(second["id"] != first["id"])
        let lead = try scene.service.get("/v1/leads/\(second.id())")
        #expect(lead["status"] == "duplicate")
        #expect(lead["duplicate_of"] == first["id"])
    }

    @Test("an address that posts too often is told to wait, and its posts are not recorded")
    func rateLimit() throws {
        let scene = try Self.scene(flags: ["--form-posts": "3"])
        defer { scene.service.stop() }
        let answers = try (0..<5).map {
            try Self.post(scene, [("email", "s\($0)@buyer.example")])
        }
        #expect(answers.map(\.status) == [201, 201, 201, 429, 429])
        let wait = try #require(answers[4].header("retry-after").flatMap { Int($0) })
        #expect((1...600).contains(wait))
        #expect(try Self.leads(scene).count == 3)
    }

    @Test("addresses behind a trusted proxy are counted apart")
    func rateLimitPerAddress() throws {
        let scene = try Self.scene(flags: ["--form-posts": "1"])
        defer { scene.service.stop() }
        let statuses = try ["203.0.113.1", "203.0.113.2", "203.0.113.1"].enumerated().map {
            try Self.post(
                scene, [("email", "s\($0)@buyer.example")], headers: [("X-Forwarded-For", $1)]
            ).status
        }
        #expect(statuses == [201, 201, 429])
    }

    @Test("a program that is paused takes no forms and says so")
    func paused() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        try scene.service.post("/v1/programs/\(scene.program)/pause")
        #expect(try Self.post(scene, [("email", "s@buyer.example")]).status == 409)
        let page = try scene.service.send(
            "GET", "/f/\(scene.program)", key: nil, headers: [Self.html])
        #expect(page.status == 409)
        #expect(page.header("content-type")?.hasPrefix("text/html") == true)
    }

    @Test("a program that is not there is 404 for the form and for a post")
    func noProgram() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        for path in ["/f/prog_01h455vb4pex5vsknk084sn02q", "/f/nonsense"] {
            #expect(try scene.service.get(path, key: nil).status == 404)
            let post = try scene.service.sendBytes(
                "POST", path, Array("email=a@b.example".utf8), key: nil,
                headers: [("Content-Type", Self.urlencoded)])
            #expect(post.status == 404)
        }
    }

    // MARK: - The page

    @Test("what is wrong comes back as the form with what was typed and the field marked")
    func errorsKeepValues() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "not an address"), ("name", "Sam"), ("ref", "ada")],
            headers: [Self.html])
        #expect(answer.status == 400)
        #expect(answer.header("content-type")?.hasPrefix("text/html") == true)
        #expect(answer.text.contains("value=\"not an address\""))
        #expect(answer.text.contains("value=\"Sam\""))
        #expect(answer.text.contains("name=\"ref\" value=\"ada\""))
        #expect(answer.text.contains("aria-describedby=\"email-fault\""))
        #expect(try Self.leads(scene).isEmpty)
    }

    @Test("a script is told the field that is wrong as a problem")
    func errorsForScripts() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        for fields in [[("email", "none")], [("name", "Sam")]] {
            let answer = try Self.post(scene, fields)
            #expect(answer.status == 400)
            #expect(answer.pointer == "/email")
        }
    }

    @Test(
        "nothing typed becomes markup",
        arguments: [
            "\"><script>alert(1)</script>", "'><img src=x onerror=alert(1)>",
            "</textarea><script>alert(1)</script>", "&lt;script&gt;", "\" onfocus=alert(1) x=\"",
            "</title><svg onload=alert(1)>",
        ])
    func escapes(attack: String) throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let names = ["name", "email", "company", "phone", "note", "ref", "utm_source"]
        let posted = try Self.post(scene, names.map { ($0, attack) }, headers: [Self.html])
        #expect(posted.status == 400)
        let query = names.map { name in
            let value = attack.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            return "\(name)=\(value ?? "")"
        }.joined(separator: "&")
        let shown = try scene.service.get("/f/\(scene.program)?\(query)", key: nil)
        #expect(shown.status == 200)
        for page in [posted, shown] {
            for word in ["<script", "<img", "<svg", "\" onfocus", attack] {
                #expect(!page.text.contains(word), "\(word)")
            }
            #expect(page.text.firstMatch(of: /&(lt|quot|amp);/) != nil)
            #expect(
                page.header("content-security-policy")?.hasPrefix("default-src 'none'") == true)
        }
    }

    @Test("a program's own name is escaped on its page")
    func escapesName() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        try scene.service.send(
            "PATCH", "/v1/programs/\(scene.program)", ["name": "<b>&\"Partners\"</b>"])
        let page = try scene.service.get("/f/\(scene.program)", key: nil)
        #expect(page.text.contains("<h1>&lt;b&gt;&amp;&quot;Partners&quot;&lt;/b&gt;</h1>"))
    }

    @Test("what names a field in the query is filled in, but never the trap")
    func prefill() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let page = try scene.service.get(
            "/f/\(scene.program)?ref=ada&name=Sam&website=caught&other=1", key: nil)
        #expect(page.text.contains("name=\"ref\" value=\"ada\""))
        #expect(page.text.contains("value=\"Sam\""))
        #expect(!page.text.contains("caught"))
        #expect(!page.text.contains("referrer_email"))
    }

    @Test(
        "only who prefers HTML gets a page",
        arguments: [
            ("text/html", 303), ("*/*", 201), ("application/json", 201),
            ("text/html;q=0.5, application/json", 201), ("text/html;q=0", 201),
            ("application/json;q=0.5, text/html", 303),
        ])
    func negotiation(accept: String, status: Int) throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "s@buyer.example")], headers: [("Accept", accept)])
        #expect(answer.status == status)
    }

    @Test("a dry run of a form writes nothing")
    func dryRun() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let before = try Scene.rowCount(scene.service)
        let answer = try Self.post(
            scene, [("email", "s@buyer.example")], headers: [("Dry-Run", "true")])
        #expect(answer.status == 201)
        #expect(answer.header("dry-run") == "true")
        #expect(try Scene.rowCount(scene.service) == before)
    }
}
