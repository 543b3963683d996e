import JSON
import Testing

@testable import App

/// Codes of links, and links in bulk.
struct LinkTests {
    static func item(_ scene: Scene, _ code: String? = nil) -> JSONValue {
        var item: JSONObject = ["participant_id": .string(scene.ada.id)]
        if let code { item["code"] = .string(code) }
        return .object(item)
    }

    @Test("a code that is not given is made: eight characters that are easy to tell apart")
    func madeCode() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        var codes: Set<String> = []
        for _ in 0..<20 {
            let answer = try scene.service.post("/v1/links", Self.item(scene))
            codes.insert(try #require(answer["code"]?.stringValue))
        }
        #expect(codes.count == 20)
        #expect(codes.allSatisfy { $0.wholeMatch(of: /[345679bcdfghjkmnpqrtvwxy]{8}/) != nil })
    }

    @Test(
        "a code that cannot be one is 400",
        arguments: ["ab", "-abc", "a b", "a/b", "é23", "", String(repeating: "a", count: 65)])
    func badCode(code: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post("/v1/links", Self.item(scene, code))
        #expect(answer.status == 400)
        #expect(answer.pointer == "/code")
    }

    @Test("a code is taken in every case, and stays taken when its link is archived")
    func takenCode() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.service.post("/v1/links/\(scene.ada.link)/archive")
        for code in ["ada", "ADA", "Ada"] {
            let answer = try scene.service.post("/v1/links", Self.item(scene, code))
            #expect(answer.status == 409)
            #expect(answer.code == "code_taken")
        }
    }

    @Test("a code cannot be changed")
    func codeStays() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.send(
            "PATCH", "/v1/links/\(scene.ada.link)", ["code": "other"])
        #expect(answer.status == 400)
        #expect(answer.pointer == "/code")
    }

    @Test("a link's url is where it is followed")
    func url() throws {
        let scene = try Scene(TestService(flags: ["--public-url": "https://go.example"]))
        defer { scene.service.stop() }
        let link = try scene.service.get("/v1/links/\(scene.ada.link)")
        #expect(link["url"] == "https://go.example/r/ada")
    }

    @Test("a link needs somewhere to lead")
    func noDestination() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let program = try scene.service.make("/v1/programs", IdempotencyTests.program)
        let participant = try scene.service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": "P", "email": "p@partner.example",
                "status": "approved",
            ])
        let answer = try scene.service.post(
            "/v1/links", ["participant_id": .string(participant)])
        #expect(answer.status == 409)
        #expect(answer.code == "no_destination")
    }

    @Test(
        "a destination that no browser should be sent to is 400",
        arguments: ["javascript:alert(1)", "//evil.example", "ftp://a.example", "https://", "x"])
    func badDestination(url: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/links",
            ["participant_id": .string(scene.ada.id), "destination_url": .string(url)])
        #expect(answer.status == 400)
        #expect(answer.pointer == "/destination_url")
    }

    @Test("in bulk each item has its own result, in the order asked")
    func bulk() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/links/bulk",
            [
                "items": [
                    Self.item(scene, "one"), Self.item(scene, "ADA"), Self.item(scene, "one"),
                    ["participant_id": "part_01h455vb4pex5vsknk084sn02q"], Self.item(scene),
                ]
            ])
        #expect(answer.status == 200)
        let results = answer["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(results.map { $0["status"] } == [201, 409, 409, 404, 201])
        #expect(results.map { $0["index"] } == [0, 1, 2, 3, 4])
        #expect(try scene.service.get("/v1/links").ids.count == 4)
        #expect(try ClickTests.follow(scene, "one").status == 302)
    }

    @Test("an atomic bulk creates all or none, and names the item that was refused")
    func atomicBulk() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        func create(_ codes: [String]) throws -> TestAnswer {
            try scene.service.post(
                "/v1/links/bulk",
                ["atomic": true, "items": .array(codes.map { Self.item(scene, $0) })])
        }
        let refused = try create(["one", "two", "ada"])
        #expect(refused.status == 409)
        #expect(refused.pointer == "/items/2")
        #expect(try scene.service.get("/v1/links").ids.count == 2)
        #expect(try create(["one", "two"]).status == 200)
        #expect(try scene.service.get("/v1/links").ids.count == 4)
    }

    @Test("a bulk takes one to a hundred items")
    func bulkCount() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let statuses = try [0, 100, 101].map { count in
            try scene.service.post(
                "/v1/links/bulk",
                ["items": .array(Array(repeating: Self.item(scene), count: count))]
            ).status
        }
        #expect(statuses == [400, 200, 400])
    }

    @Test(
        "an action that the state does not allow is 409 and names those it does",
        arguments: [("enable", ["archive", "disable"]), ("archive", [])])
    func transitions(action: String, allowed: [String]) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let path = "/v1/links/\(scene.ada.link)"
        if action == "archive" { try scene.service.post("\(path)/archive") }
        let answer = try scene.service.post("\(path)/\(action)")
        #expect(answer.status == 409)
        #expect(answer.code == "invalid_transition")
        let names = answer["allowed"]?.arrayValue?.compactMap(\.stringValue).sorted()
        #expect(names == allowed, "\(answer.text)")
    }
}
