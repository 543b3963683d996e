import JSON
import Testing

@testable import App

/// Which codes may be had, where links lead that are off, and codes that nobody has.
struct LinkRulesTests {
    private static func made(
        _ scene: Scene, _ code: String, key: String? = nil, _ more: JSONObject = [:]
    ) throws -> TestAnswer {
        var body: JSONObject = ["code": .string(code)]
        if key == nil { body["participant_id"] = .string(scene.ada.id) }
        for (name, value) in more { body[name] = value }
        return try scene.service.post("/v1/links", .object(body), key: key ?? "admin")
    }

    @Test(
        "a token cannot take a reserved word, however it is written; the operator needs force",
        arguments: ["null", "Undefined", "TRUE", "news-letter", "Google", "product_hunt", "email"])
    func reserved(_ code: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let token = scene.ada.token
        for more: JSONObject in [[:], ["force": true]] {
            let answer = try Self.made(scene, code, key: token, more)
            #expect(answer.status == 422 && answer["code"] == "code_reserved", "\(answer.text)")
        }
        #expect(try Self.made(scene, code)["code"] == "code_reserved")
        #expect(try Self.made(scene, code, ["force": true]).status == 201)
    }

    @Test("the shop's own coupons are reserved, and a token does not read them")
    func reservedCodes() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let change = try scene.service.send(
            "PATCH", "/v1/programs/\(scene.program)", ["reserved_codes": ["SPRING-25"]],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(change.status == 200 && change["reserved_codes"] == ["SPRING-25"])
        for code in ["spring-25", "Spring25", "SPRING_25"] {
            #expect(
                try Self.made(scene, code, key: scene.ada.token)["code"] == "code_reserved")
        }
        #expect(try Self.made(scene, "spring-25")["code"] == "code_reserved")
        #expect(try Self.made(scene, "spring-25", ["force": true]).status == 201)
        let own = try scene.service.get(
            "/v1/programs/\(scene.program)", key: scene.ada.token)
        #expect(own["reserved_codes"] == .null, "\(own.text)")
    }

    @Test(
        "a token cannot take another's code but for one letter; the operator can",
        arguments: ["carolinx", "carolin", "carolines", "acaroline", "acroline", "carolnie"])
    func similar(_ code: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.make(
            "/v1/links", ["participant_id": .string(scene.ben.id), "code": "Caroline"])
        let answer = try Self.made(scene, code, key: scene.ada.token)
        #expect(answer["code"] == "code_similar", "\(answer.text)")
        #expect(try Self.made(scene, code).status == 201)
        // Its own may be as alike as it wants.
        let own = try scene.service.post(
            "/v1/links", ["code": "karolina"], key: scene.ben.token)
        #expect(own.status == 201, "\(own.text)")
    }

    @Test("a token's code has four characters at least; the operator's three")
    func short() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        #expect(
            try Self.made(scene, "q7x", key: scene.ada.token)["code"] == "code_too_short")
        #expect(try Self.made(scene, "q7x").status == 201)
    }

    @Test(
        "slashes and what chat programs glue on lead where the code does",
        arguments: [
            "/r/adal/", "/r/adal//", "/r/adal.", "/r/adal,", "/r/adal)", "/r/adal%5D", "/r/adal'",
            "/r/adal%22", "/r/adal;", "/r/adal:", "/r/adal!", "/r/adal%3F", "/r/adal%3E",
            "/r/adal%E2%80%8B", "/r/adal%EF%BB%BF", "/r/adal).", "/r/adal./", "/r/adal%E2%80%9D",
            "/r/ADAL%20",
        ])
    func glued(_ path: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.make(
            "/v1/links", ["participant_id": .string(scene.ada.id), "code": "adal"])
        let answer = try scene.service.raw("GET", path)
        #expect(answer.status == 302)
        #expect(answer.header("location")?.contains("ref=adal&") == true)
    }

    @Test(
        "letters are no glue, nor is a further part of a path",
        arguments: [
            "/r/adalx", "/r/adal%C3%A9", "/r/adal/x", "/r/adal/x/", "/x/adal/",
        ])
    func notGlued(_ path: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.make(
            "/v1/links", ["participant_id": .string(scene.ada.id), "code": "adal"])
        #expect(try scene.service.raw("GET", path).status == 404)
    }

    @Test("a visitor of a link that is off goes to the program's destination, never to the link's")
    func off() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.make(
            "/v1/links",
            [
                "participant_id": .string(scene.ada.id), "code": "mine",
                "destination_url": "https://elsewhere.example/trap",
            ])
        let program = try scene.service.get("/v1/programs/\(scene.program)")
        let destination = try #require(program["destination_url"]?.stringValue)
        try scene.service.post("/v1/participants/\(scene.ada.id)/suspend")
        let banned = try scene.service.raw("GET", "/r/mine?ref=x&click_id=y")
        #expect(banned.status == 302 && banned.header("location") == destination)
        try scene.service.post("/v1/programs/\(scene.program)/end")
        let ended = try scene.service.raw("GET", "/r/ben")
        #expect(ended.status == 302 && ended.header("location") == destination)
    }

    @Test("a paused program records clicks, leads and sales")
    func paused() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.service.post("/v1/programs/\(scene.program)/pause")
        let hit = try scene.service.raw(
            "GET", "/r/ada", headers: [("User-Agent", "Mozilla/5.0")])
        let location = try #require(hit.header("location"))
        #expect(location.contains("ref=ada&click_id=click_"))
        let lead = try scene.service.post(
            "/v1/leads",
            ["program_id": .string(scene.program), "email": "l@b.example", "ref": "ada"])
        #expect(lead.status == 201 && lead["participant_id"] == .string(scene.ada.id))
        let sale = try scene.sale(scene.ada, "s-1")
        #expect(sale["attribution.credits.0.participant_id"] == .string(scene.ada.id))
    }

    @Test("a participant who is approved has a link, made once")
    func madeOnApproval() throws {
        let service = try TestService()
        defer { service.stop() }
        let program = try service.make(
            "/v1/programs",
            ["name": "P", "currency": "USD", "destination_url": "https://a.example/"])
        #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
        func participant(_ name: String, _ more: JSONObject) throws -> String {
            var body: JSONObject = [
                "program_id": .string(program), "name": .string(name),
                "email": .string("\(name)@p.example"),
            ]
            for (name, value) in more { body[name] = value }
            return try service.make("/v1/participants", .object(body))
        }
        func links(_ id: String) throws -> Int {
            try service.get("/v1/links?participant_id=\(id)").ids.count
        }
        let created = try participant("ann", ["status": "approved"])
        #expect(try links(created) == 1)
        let applied = try participant("bob", [:])
        #expect(try links(applied) == 0)
        for action in ["approve", "suspend", "approve"] {
            #expect(try service.post("/v1/participants/\(applied)/\(action)").status == 200)
        }
        #expect(try links(applied) == 1)
        let code = try service.get("/v1/links?participant_id=\(applied)")["data.0.code"]
        #expect(try service.raw("GET", "/r/\(code?.stringValue ?? "")").status == 302)
    }

    @Test("codes that nobody has are counted by person's hits, those near a code first")
    func unknownCodes() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.service.make(
            "/v1/links", ["participant_id": .string(scene.ada.id), "code": "Lovelace"])
        func hit(_ code: String, _ agent: String = "Mozilla/5.0", _ method: String = "GET") throws {
            let answer = try scene.service.raw(
                method, "/r/\(code)", headers: [("User-Agent", agent)])
            #expect(answer.status == 404)
        }
        for _ in 0..<3 { try hit("wholly-other") }
        for code in ["Lovelase", "LOVELASE", "lovelase."] { try hit(code) }
        try hit("lovelave", "Googlebot/2.1")
        try hit("lovelaze", "Mozilla/5.0", "HEAD")
        try hit("no%20code")
        func lines() throws -> [JSONObject] {
            try scene.service.get("/v1/reports/unknown_codes")["codes"]?.arrayValue?
                .compactMap(\.objectValue) ?? []
        }
        #expect(try eventually { try lines().count == 2 })
        let seen = try lines()
        #expect(seen.map { $0["code"] } == ["lovelase", "wholly-other"])
        #expect(seen.map { $0["hits"] } == [3, 3])
        #expect(seen.map { $0["near"] } == ["Lovelace", .null])
        let sale = try scene.service.post(
            "/v1/conversions",
            [
                "program_id": .string(scene.program), "external_id": "n", "kind": "purchase",
                "customer": ["external_id": "c"], "amount": ["amount": 100, "currency": "USD"],
                "code": "lovelase",
            ])
        #expect(sale["attribution.credits"] == [])
        #expect(sale["ignored.0.because"] == "unknown")
    }
}
