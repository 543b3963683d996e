import Foundation
import JSON
import Testing

@testable import App

/// The feed of everything that happened.
struct EventTests {
    static func types(_ events: [JSONObject]) -> [String] {
        events.compactMap { $0["type"]?.stringValue }
    }

    /// The types of what happens during `work`.
    static func types(_ service: TestService, during work: () throws -> Void) throws -> [String] {
        let before = try Scene.events(service).count
        try work()
        return types(Array(try Scene.events(service).dropFirst(before)))
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
                "links/\(scene.ada.link)/archive", "api_keys/\(key.id)/revoke",
                "participants/\(scene.ben.id)/close", "programs/\(scene.program)/end",
            ] {
                let answer = try service.post("/v1/\(path)")
                #expect(answer.status == 200, "\(path): \(answer.text)")
            }
        }
        #expect(
            types == [
                "program.paused", "program.active", "participant.suspended",
                "participant.approved", "link.disabled", "link.active", "link.archived",
                "api_key.revoked", "participant.closed", "program.ended",
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

    @Test("a lead's way through sales is told step by step, with who and from where to where")
    func leadEvents() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        for action in ["qualify", "advance", "win"] {
            try scene.service.post("/v1/leads/\(lead)/\(action)")
        }
        let timeline = try scene.service.get("/v1/leads/\(lead)/timeline")
        let events = timeline["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(Self.types(events).first == "lead.submitted")
        #expect(
            events.compactMap { $0["to"]?.stringValue } == [
                "submitted", "qualified", "opportunity", "won",
            ])
        #expect(
            events.dropFirst().compactMap { $0["from"]?.stringValue } == [
                "submitted", "qualified", "opportunity",
            ])
        #expect(events.allSatisfy { $0["actor"] == "operator" })
    }

    @Test("a timeline holds its own lead's events and no other's")
    func timelineOfOne() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        _ = try scene.lead(scene.ada, "b@buyer.example")
        let timeline = try scene.service.get("/v1/leads/\(lead)/timeline")
        let events = timeline["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(events.count == 1)
        #expect(events.allSatisfy { $0["subject_id"] == .string(lead) })
    }

    @Test("money is told from the sale to the refund")
    func moneyEvents() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let types = try Self.types(scene.service) {
            let sale = try scene.sale(scene.ada, "a", 100_000)
            let payout = try scene.payout(scene.ada, "p")
            for action in ["submit", "mark_unknown", "confirm"] {
                try scene.service.post("/v1/payouts/\(payout)/\(action)")
            }
            try MoneyTests.refund(scene, sale, "r", 100_000)
        }
        #expect(
            types == [
                "conversion.attributed", "reward.approved", "payout.draft", "payout.processing",
                "payout.unknown", "reward.paid", "payout.paid", "conversion.refunded",
                "reward.clawed_back",
            ])
    }

    @Test("a refusal and a dry run tell nothing")
    func nothingTold() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.lead(scene.ada, "a@buyer.example")
        let types = try Self.types(scene.service) {
            try scene.service.post("/v1/leads/\(lead)/win")
            try scene.service.send(
                "POST", "/v1/leads/\(lead)/qualify", [:], headers: [("Dry-Run", "true")])
            try scene.service.post("/v1/links", ["participant_id": .string(scene.ada.id), "x": 1])
        }
        #expect(types.isEmpty)
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

    @Test("events hold no personal data")
    func noPersonalData() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let lead = try scene.service.make(
            "/v1/leads",
            [
                "participant_id": .string(scene.ada.id), "email": "sam@buyer.example",
                "name": "Samantha Sample", "phone": "+15551234",
            ])
        try scene.service.send("PATCH", "/v1/leads/\(lead)", ["name": "Samuel Sample"])
        try scene.sale(scene.ada, "order")
        let feed = try scene.service.get("/v1/events?limit=100")
        #expect(feed["has_more"] == false)
        for word in ["sam@", "Sample", "5551234", "buyer.example", "ada@"] {
            #expect(!feed.text.contains(word), "\(word)")
        }
    }

    @Test("following the cursor gives every event once, oldest first, in a gapless order")
    func cursor() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let all = try Scene.events(scene.service)
        var seen: [JSONObject] = []
        var cursor = "0"
        while seen.count <= all.count {
            let page = try scene.service.get("/v1/events?limit=3&after=\(cursor)")
            seen += page["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
            cursor = try #require(page["next_cursor"]?.stringValue)
            if page["has_more"] != true { break }
        }
        #expect(all.count > 8)
        #expect(seen == all)
        let sequences = seen.compactMap { $0["sequence"]?.integerValue }
        #expect(sequences == Array(1...Int64(all.count)))
    }

    @Test("the cursor stays where it is while nothing happens, and goes on from there")
    func cursorWaits() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let last = try Scene.events(scene.service).count
        let empty = try scene.service.get("/v1/events?after=\(last)")
        #expect(empty["data"] == [])
        #expect(empty["next_cursor"] == .string("\(last)"))
        _ = try scene.lead(scene.ada, "a@buyer.example")
        let next = try scene.service.get("/v1/events?after=\(last)")
        #expect(next["data.0.type"] == "lead.submitted")
        #expect(next["data"]?.arrayValue?.count == 1)
    }

    @Test("the feed is filtered by type, and the filter keeps the cursor usable")
    func filter() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let first = try scene.service.get("/v1/events?type=link.created&limit=1")
        #expect(first["has_more"] == true)
        let cursor = try #require(first["next_cursor"]?.stringValue)
        let second = try scene.service.get("/v1/events?type=link.created&limit=1&after=\(cursor)")
        #expect(first["data.0.type"] == "link.created")
        #expect(second["data.0.type"] == "link.created")
        #expect(second["data.0.id"] != first["data.0.id"])
        #expect(second["has_more"] == false)
    }

    @Test(
        "a cursor that is no number is 400",
        arguments: ["x", "-1", "1.5", "", "9999999999999999999999"])
    func badCursor(cursor: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let answer = try service.get("/v1/events?after=\(cursor)")
        #expect(answer.status == 400)
        #expect(answer.pointer == "/after")
    }
}
