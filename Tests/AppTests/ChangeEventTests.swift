import Foundation
import JSON
import Testing

@testable import App

/// Each change has its event, and each event its doer.
struct ChangeEventTests {
    /// The types of what happens during `work`.
    static func types(_ service: TestService, during work: () throws -> Void) throws -> [String] {
        let before = try Scene.events(service).count
        try work()
        return try Scene.events(service).dropFirst(before).compactMap { $0["type"]?.stringValue }
    }

    @Test("every action on a program, a participant, a link and a key has its event")
    func setUpEvents() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let service = scene.service
        let key = try Scene.key(service, "read")
        let types = try Self.types(service) {
            for path in [
                "programs/\(scene.program)/pause", "programs/\(scene.program)/activate",
                "participants/\(scene.ada.id)/suspend", "participants/\(scene.ada.id)/approve",
                "links/\(scene.ada.link)/disable", "links/\(scene.ada.link)/enable",
                "api_keys/\(key.id)/revoke",
                "participants/\(scene.ben.id)/close", "programs/\(scene.program)/end",
            ] {
                let answer = try service.post("/v1/\(path)")
                #expect(answer.status == 200, "\(path): \(answer.text)")
            }
        }
        #expect(
            types == [
                "program.paused", "program.active", "participant.suspended",
                "participant.approved", "link.disabled", "link.active",
                "api_key.revoked", "participant.closed", "api_key.revoked", "program.ended",
            ])
    }

    @Test("every change of an object has its event")
    func changes() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let service = scene.service
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let rule = try #require(
            try service.get("/v1/programs/\(scene.program)/reward_rules").ids.first)
        let types = try Self.types(service) {
            for (path, body) in [
                ("programs/\(scene.program)", ["name": "New"]),
                ("programs/\(scene.program)/reward_rules/\(rule)", ["name": "New"]),
                ("participants/\(scene.ada.id)", ["company": "New"]),
                ("links/\(scene.ada.link)", ["campaign": "New"]),
                ("leads/\(lead)", ["company": "New"]),
            ] as [(String, JSONValue)] {
                let answer = try service.send("PATCH", "/v1/\(path)", body)
                #expect(answer.status == 200, "\(path): \(answer.text)")
            }
        }
        #expect(
            types == [
                "program.updated", "reward_rule.updated", "participant.updated", "link.updated",
                "lead.updated",
            ])
    }

    @Test("an event names the key that did it")
    func actor() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let key = try Scene.key(scene.service, "write")
        try scene.service.post(
            "/v1/programs/\(scene.program)/pause", key: key.secret)
        try scene.service.post("/v1/programs/\(scene.program)/activate")
        try scene.service.post("/v1/leads", ["email": "x@buyer.example"], key: scene.ada.token)
        let actors = try Scene.events(scene.service).suffix(3).map { $0["actor"] }
        #expect(actors == [.string(key.id), "operator", .string(scene.ada.id)])
    }
}
