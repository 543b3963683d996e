import JSON
import Testing

@testable import App

/// Bulk requests: what is wrong with one item is that item's result.
struct BulkTests {
    /// For each route a good item and a malformed one with the pointer of its fault.
    private static func items(_ scene: Scene) -> [(String, JSONValue, JSONValue, String)] {
        [
            (
                "leads", ["participant_id": .string(scene.ada.id), "email": "a@buyer.example"],
                ["participant_id": .string(scene.ada.id), "email": 5], "/email"
            ),
            (
                "links", ["participant_id": .string(scene.ada.id), "code": "blossom"],
                ["participant_id": .string(scene.ada.id), "colour": "red"], "/colour"
            ),
            (
                "accounts", ["name": "Acme", "domain": "acme.example", "relation": "customer"],
                "Acme", ""
            ),
            (
                "catalog_items",
                [
                    "program_id": .string(scene.program), "sku": "mug", "name": "A mug",
                    "kind": "perk", "points": 500,
                ],
                [
                    "program_id": .string(scene.program), "sku": "mug", "name": "A mug",
                    "kind": "cash", "points": 500,
                ], "/kind"
            ),
            (
                "touchpoints",
                [
                    "ref": "ada", "source": "partner",
                    "customer": ["email": "a@buyer.example"],
                ],
                ["ref": "ada", "source": "smoke"], "/source"
            ),
        ]
    }

    @Test("a malformed item has its own 400, and the others go on", arguments: 0..<5)
    func malformed(row: Int) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let (noun, good, bad, pointer) = Self.items(scene)[row]
        let path = "/v1/\(noun)/bulk"
        let before = try scene.service.get("/v1/\(noun)?limit=100").ids.count
        let atomic = try scene.service.post(path, ["items": [good, bad], "atomic": true])
        #expect(atomic.status == 400, "\(atomic.text)")
        #expect(atomic.pointer == "/items/1" + pointer)
        #expect(try scene.service.get("/v1/\(noun)?limit=100").ids.count == before)
        let answer = try scene.service.post(path, ["items": [bad, good]])
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer["data.0.status"] == 400)
        #expect(answer["data.0.problem.code"] == "invalid_request")
        #expect(answer["data.0.problem.errors.0.pointer"] == .string(pointer))
        #expect(answer["data.1.status"] == 201, "\(answer.text)")
        #expect(try scene.service.get("/v1/\(noun)?limit=100").ids.count == before + 1)
    }

    @Test("an item that a token may not ask for has its own result too")
    func reference() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/leads/bulk",
            [
                "items": [
                    ["participant_id": .string(scene.ben.id), "email": "a@buyer.example"],
                    ["email": "b@buyer.example"],
                ]
            ], key: scene.ada.token)
        #expect(answer["data.0.status"] == 404, "\(answer.text)")
        #expect(answer["data.1.status"] == 201)
    }

    @Test(
        "the contract shows what an item is",
        arguments: ["leads", "links", "accounts", "catalog_items"])
    func contract(noun: String) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let document = try scene.service.get("/openapi.json", key: nil)
        let body = document.json["paths"]?.objectValue?["/v1/\(noun)/bulk"]?.objectValue?["post"]?
            .objectValue?["requestBody"]?.objectValue?["content"]?.objectValue?["application/json"]?
            .objectValue?["schema"]?.objectValue?["properties"]?.objectValue?["items"]?.objectValue
        #expect(body?["items"]?.objectValue?["properties"] != nil)
    }
}
