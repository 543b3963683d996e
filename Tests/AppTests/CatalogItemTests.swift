import JSON
import Model
import Testing

@testable import App

/// The catalogue that an operator loads, and what participants see of it.
struct CatalogItemTests {
    private func item(_ scene: Scene, _ sku: String, _ more: JSONObject = [:]) throws -> String {
        try Scene.catalogItem(scene.service, in: scene.program, sku: sku, more)
    }

    private func skus(
        _ scene: Scene, _ filter: String = "", key: String = "admin"
    ) throws -> [JSONValue?] {
        let answer = try scene.service.get("/v1/catalog_items?limit=100" + filter, key: key)
        #expect(answer.status == 200, "\(answer.text)")
        return (answer["data"]?.arrayValue ?? []).map { $0.objectValue?["sku"] }
    }

    @Test("R155, R184: tokens see what is available just now in their program, without its vendor")
    func sight() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let now = scene.service.clock.clock.now()
        let tomorrow = JSONValue.string(now.advanced(byDays: 1).rfc3339)
        let mug = try item(scene, "mug", ["vendor": "Potters Ltd", "metadata": ["a": "b"]])
        let gone = try item(scene, "gone", ["stock": 0])
        let later = try item(scene, "later", ["available_from": tomorrow])
        _ = try item(scene, "soon over", ["available_until": tomorrow])
        let off = try item(scene, "off")
        #expect(try scene.service.post("/v1/catalog_items/\(off)/disable")["status"] == "disabled")
        let elsewhere = try scene.service.make("/v1/programs", IdempotencyTests.program)
        let foreign = try Scene.catalogItem(scene.service, in: elsewhere)
        #expect(try skus(scene).count == 6)
        #expect(try skus(scene, "&available=true").count == 3)
        #expect(try skus(scene, key: scene.ada.token) == ["soon over", "mug"])
        for hidden in [gone, later, off, foreign] {
            let path = "/v1/catalog_items/\(hidden)"
            #expect(try scene.service.get(path).status == 200)
            #expect(try scene.service.get(path, key: scene.ada.token).status == 404)
        }
        let path = "/v1/catalog_items/\(mug)"
        #expect(try scene.service.get(path)["vendor"] == "Potters Ltd")
        let seen = try scene.service.get(path, key: scene.ada.token)
        #expect(seen["vendor"] == .null && seen["metadata"] == [:])
        #expect(!seen.text.contains("Potters"))
        scene.service.clock.advance(days: 1)
        #expect(try skus(scene, key: scene.ada.token) == ["later", "mug"])
        let program = "/v1/catalog_items?program_id=\(elsewhere)"
        #expect(try scene.service.get(program, key: scene.ada.token).status == 404)
        #expect(
            try scene.service.post("/v1/catalog_items", [:], key: scene.ada.token).status == 403)
    }

    @Test("R156: the catalogue is cut by category, kind, sku and country")
    func filters() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try item(scene, "tea", ["category": "groceries", "countries": ["DE", "fr"]])
        _ = try item(scene, "card", ["category": "dining", "kind": "gift_card"])
        #expect(try skus(scene, "&category=groceries") == ["tea"])
        #expect(try skus(scene, "&kind=gift_card") == ["card"])
        #expect(try skus(scene, "&sku=tea") == ["tea"])
        #expect(try skus(scene, "&country=FR") == ["card", "tea"])
        #expect(try skus(scene, "&country=GB") == ["card"])
        #expect(try skus(scene, "&program_id=\(scene.program)").count == 2)
        #expect(try skus(scene, "&status=archived").isEmpty)
    }

    @Test("items are loaded by sku: created, replaced whole, or left as they are")
    func load() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        func row(_ sku: String, _ points: Int64, _ more: JSONObject = [:]) -> JSONValue {
            var row: JSONObject = [
                "program_id": .string(scene.program), "sku": .string(sku), "name": "N",
                "kind": "donation", "points": .integer(points),
            ]
            for (name, value) in more { row[name] = value }
            return .object(row)
        }
        func load(_ rows: JSONValue...) throws -> [JSONValue?] {
            let answer = try scene.service.post(
                "/v1/catalog_items/bulk", ["items": .array(rows)])
            #expect(answer.status == 200, "\(answer.text)")
            return (answer["data"]?.arrayValue ?? []).map {
                $0.objectValue?["outcome"] ?? $0.objectValue?["problem"]?.objectValue?["code"]
            }
        }
        #expect(try load(row("a", 10, ["stock": 5]), row("b", 20)) == ["created", "created"])
        #expect(try load(row("a", 10, ["stock": 5]), row("b", 30)) == ["unchanged", "updated"])
        func known(_ sku: String) throws -> JSONObject {
            try #require(try scene.service.list("/v1/catalog_items?sku=\(sku)").first)
        }
        let (a, b) = (try known("a"), try known("b"))
        #expect(a["version"] == 1 && a["stock"] == 5)
        #expect(b["version"] == 2 && b["points"] == 30)
        let path = "/v1/catalog_items/\(try #require(b["id"]?.stringValue))"
        #expect(try scene.service.post(path + "/archive")["status"] == "archived")
        let until: JSONObject = [
            "available_from": "2027-01-02T00:00:00Z", "available_until": "2027-01-02T00:00:00Z",
        ]
        #expect(
            try load(row("b", 40), row("c", 1, until), row("a", 10), row("a", 10)) == [
                "item_archived", "until_not_later", "updated", "unchanged",
            ])
        #expect(
            try scene.service.list("/v1/events?type=catalog_item.updated").count == 2)
        #expect(
            try scene.service.list("/v1/events?type=catalog_item.archived").first?["from"]
                == "active")
    }

    @Test("a sku names one item of a program, and an archived item does not change")
    func refusals() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let mug = "/v1/catalog_items/\(try item(scene, "mug"))"
        _ = try item(scene, "cup")
        let elsewhere = try scene.service.make("/v1/programs", IdempotencyTests.program)
        _ = try Scene.catalogItem(scene.service, in: elsewhere, sku: "mug")
        let twin = try scene.service.send("PATCH", mug, ["sku": "cup"])
        #expect(twin.status == 409 && twin.code == "sku_taken")
        #expect(try scene.service.send("PATCH", mug, ["stock": 3])["stock"] == 3)
        #expect(try scene.service.send("PATCH", mug, ["stock": nil])["stock"] == .null)
        let enabled = try scene.service.post(mug + "/enable")
        #expect(enabled.code == "invalid_transition")
        #expect(enabled["allowed"] == ["disable", "archive"])
        #expect(try scene.service.post(mug + "/disable").status == 200)
        #expect(try scene.service.post(mug + "/archive").status == 200)
        let late = try scene.service.send("PATCH", mug, ["points": 1])
        #expect(late.status == 409 && late.code == "item_archived")
        let none = try scene.service.post(
            "/v1/catalog_items",
            [
                "program_id": "prog_01h455vb4pex5vsknk084sn02q", "sku": "s", "name": "N",
                "kind": "perk", "points": 1,
            ])
        #expect(none.status == 404 && none.pointer == "/program_id")
    }
}
