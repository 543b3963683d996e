import Foundation
import JSON
import Testing

@testable import App

/// What the referral form takes for a form, and what it does not.
struct FormBodyTests {
    static let urlencoded = "application/x-www-form-urlencoded"

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

    @Test("fields that the form does not know are passed over")
    func unknownFields() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        let answer = try Self.post(
            scene, [("email", "sam@buyer.example"), ("participant_id", scene.ben.id)])
        #expect(answer.status == 201)
        #expect(try Self.leads(scene).first?["participant_id"] == .null)
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

    @Test("a program's own name is escaped on its page")
    func escapesName() throws {
        let scene = try Self.scene()
        defer { scene.service.stop() }
        try scene.service.send(
            "PATCH", "/v1/programs/\(scene.program)", ["name": "<b>&\"Partners\"</b>"])
        let page = try scene.service.get("/f/\(scene.program)", key: nil)
        #expect(page.text.contains("<h1>&lt;b&gt;&amp;&quot;Partners&quot;&lt;/b&gt;</h1>"))
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
