import Foundation
import JSON
import Testing

@testable import App

/// The feed of everything that happened: complete, in order, durable, and without personal data.
struct EventTests {
    /// Every event after `cursor`, in pages of `limit`.
    private static func walk(
        _ service: TestService, after cursor: String = "0", limit: Int = 100,
        key: String = "admin"
    ) throws -> [JSONObject] {
        var events: [JSONObject] = []
        var cursor = cursor
        while true {
            let page = try service.get("/v1/events?after=\(cursor)&limit=\(limit)", key: key)
            #expect(page.status == 200, "\(page.text)")
            let data = page.json["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
            events += data
            let next = try #require(page.json["next_cursor"]?.stringValue)
            if page["has_more"] != true {
                let end = (data.last?["sequence"]?.integerValue).map(String.init) ?? cursor
                #expect(next.split(separator: ".").last == end.split(separator: ".").last)
                return events
            }
            #expect(data.count == limit)
            cursor = next
        }
    }

    /// Does `action`, and holds what it wrote to `expected`, written as `type from>to`.
    private func expect(
        _ expected: [String], of object: String, _ service: TestService,
        when action: () throws -> TestAnswer
    ) throws {
        let before = try service.service.app.eventHead()
        let answer = try action()
        #expect(answer.status < 300, "\(answer.text)")
        let events = try Self.walk(service, after: String(before))
        let lines = events.filter { $0["subject_id"] == .string(object) }.map { event in
            let from = event["from"]?.stringValue ?? ""
            return "\(event["type"]?.stringValue ?? "") \(from)>\(event["to"]?.stringValue ?? "")"
        }
        #expect(lines == expected)
        for event in events { #expect(event["actor"]?.stringValue?.isEmpty == false) }
    }

    // MARK: - Each change has its event

    @Test("each step of a lead's life is one event with its states")
    func leadSteps() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        let due = Date(timeIntervalSinceNow: 86_400).ISO8601Format()
        let steps: [(String, JSONValue, [String])] = [
            ("nurture", ["follow_up_at": .string(due)], ["lead.nurture submitted>nurture"]),
            ("qualify", [:], ["lead.qualified nurture>qualified"]),
            ("advance", [:], ["lead.opportunity qualified>opportunity"]),
            ("lose", ["reason": "x"], ["lead.lost opportunity>lost"]),
            ("reopen", ["reason": "x"], ["lead.reopened lost>submitted"]),
            (
                "disqualify", ["reason_code": "other", "reason": "x"],
                ["lead.disqualified submitted>disqualified"]
            ),
            ("reopen", ["reason": "x"], ["lead.reopened disqualified>submitted"]),
            ("qualify", [:], ["lead.qualified submitted>qualified"]),
        ]
        for (action, body, expected) in steps {
            try expect(expected, of: lead, stage.service) {
                try stage.service.post("/v1/leads/\(lead)/\(action)", body)
            }
        }
        try expect(
            ["lead.opportunity qualified>opportunity", "lead.won opportunity>won"], of: lead,
            stage.service
        ) { try stage.service.post("/v1/leads/\(lead)/win", [:]) }
    }

    @Test("programs, participants and links tell of each change of their state")
    func lives() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let link = try stage.service.make(
            "/v1/links", ["participant_id": .string(stage.participant), "code": "ada"])
        let steps: [(String, String, String, String)] = [
            ("/v1/links", link, "disable", "link.disabled active>disabled"),
            ("/v1/links", link, "enable", "link.active disabled>active"),
            (
                "/v1/participants", stage.participant, "suspend",
                "participant.suspended approved>suspended"
            ),
            (
                "/v1/participants", stage.participant, "approve",
                "participant.approved suspended>approved"
            ),
            (
                "/v1/participants", stage.participant, "close",
                "participant.closed approved>closed"
            ),
            ("/v1/programs", stage.program, "pause", "program.paused active>paused"),
            ("/v1/programs", stage.program, "activate", "program.active paused>active"),
            ("/v1/programs", stage.program, "end", "program.ended active>ended"),
        ]
        for (path, id, action, expected) in steps {
            try expect([expected], of: id, stage.service) {
                try stage.service.post("\(path)/\(id)/\(action)")
            }
        }
    }

    @Test("rewards and payouts tell of each change of their state")
    func moneySteps() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (conversion, reward) = try stage.sale("a", 100_000)
        let draft = try stage.draft("p1")
        let payout = try #require(draft.json["id"]?.stringValue)
        let steps = [
            ("submit", "payout.processing draft>processing"),
            ("mark_unknown", "payout.unknown processing>unknown"),
            ("confirm", "payout.paid unknown>paid"),
        ]
        for (action, expected) in steps {
            try expect([expected], of: payout, stage.service) {
                try stage.service.post("/v1/payouts/\(payout)/\(action)")
            }
        }
        try expect(["reward.clawed_back paid>clawed_back"], of: reward, stage.service) {
            try stage.refund(conversion, "1")
        }
        let all = try Self.walk(stage.service).filter { $0["subject_id"] == .string(reward) }
        #expect(
            all.map { $0["type"] } == ["reward.approved", "reward.paid", "reward.clawed_back"])
    }

    @Test("a request that is refused, and one that only tries, leave no event")
    func refusalsLeaveNone() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        let before = try stage.service.service.app.eventHead()
        #expect(try stage.service.post("/v1/leads/\(lead)/advance").status == 409)
        let attempt = try stage.service.send(
            "POST", "/v1/leads/\(lead)/qualify", [:], headers: [("Dry-Run", "true")])
        #expect(attempt.status == 200)
        #expect(attempt["status"] == "qualified")
        #expect(try stage.service.service.app.eventHead() == before)
        #expect(try stage.service.get("/v1/leads/\(lead)")["status"] == "submitted")
    }

    // MARK: - The feed

    @Test("walking the feed in pages of any size shows everything once and in order")
    func pages() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for number in 0..<5 { _ = try stage.qualified("v\(number)") }
        try stage.paid("p1")
        let whole = try Self.walk(stage.service).compactMap { $0["sequence"]?.integerValue }
        #expect(whole.count > 20)
        #expect(whole == whole.sorted())
        #expect(Set(whole).count == whole.count)
        for limit in [1, 3, whole.count] {
            let paged = try Self.walk(stage.service, limit: limit)
            #expect(paged.compactMap { $0["sequence"]?.integerValue } == whole)
        }
    }

    @Test("a cursor stays good over a restart, and stands still when nothing is new")
    func durableCursor() throws {
        let first = try MoneyStage()
        _ = try first.qualified("one")
        let cursor = String(try first.service.service.app.eventHead())
        first.service.stop(keepingFiles: true)
        let service = try TestService(folder: first.service.folder, clock: first.service.clock)
        defer { service.stop() }
        let empty = try service.get("/v1/events?after=\(cursor)")
        #expect(empty["data"] == .array([]))
        #expect(empty["next_cursor"]?.stringValue?.hasSuffix("." + cursor) == true)
        _ = try MoneyStage(first, reopenedBy: service).lead("two")
        let events = try Self.walk(service, after: cursor)
        #expect(events.map { $0["type"] } == ["lead.submitted"])
    }

    @Test("the feed can be asked for one type")
    func oneType() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for number in 0..<3 { _ = try stage.qualified("v\(number)") }
        let events = try stage.service.list("/v1/events?type=lead.qualified&limit=100")
        #expect(events.count == 3)
        #expect(events.allSatisfy { $0["type"] == "lead.qualified" })
    }

    @Test("a cursor that is no number is refused, not read as the beginning")
    func badCursor() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for cursor in ["x", "-1", "1.5", "", "9999999999999999999"] {
            let answer = try stage.service.get("/v1/events?after=\(cursor)")
            #expect(answer.status == 400, "\(cursor)")
        }
    }

    @Test("a participant's token sees the events of its own and no others")
    func ownEvents() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let other = try stage.service.make(
            "/v1/participants",
            [
                "program_id": .string(stage.program), "name": "Eve", "email": "e@b.example",
                "status": "approved",
            ])
        let token = try stage.service.post("/v1/participants/\(other)/tokens")
        let secret = try #require(token.json["secret"]?.stringValue, "\(token.text)")
        _ = try stage.qualified("one")
        _ = try stage.service.make(
            "/v1/leads", ["participant_id": .string(other), "email": "eves@b.example"])
        let events = try Self.walk(stage.service, key: secret)
        #expect(events.contains { $0["type"] == "lead.submitted" })
        #expect(events.allSatisfy { $0["participant_id"] == .string(other) })
    }

    // MARK: - Timelines

    @Test("a lead's timeline tells its life in order, with reasons and who did it")
    func timeline() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        #expect(
            try stage.service.post(
                "/v1/leads/\(lead)/lose", ["reason": "No budget this year"]
            ).status == 200)
        let events = try stage.service.list("/v1/leads/\(lead)/timeline")
        #expect(
            events.map { $0["type"] } == ["lead.submitted", "lead.qualified", "lead.lost"])
        #expect(events.last?["reason"] == "No budget this year")
        #expect(events.allSatisfy { $0["subject_id"] == .string(lead) })
        let sequences = events.compactMap { $0["sequence"]?.integerValue }
        #expect(sequences == sequences.sorted())
    }

    // MARK: - No personal data

    @Test("no event, journal entry or explanation holds anything personal")
    func nothingPersonal() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let service = stage.service
        let person: JSONObject = [
            "name": "Zacharias Quill", "company": "Quillworks", "phone": "+49 30 5550123",
            "note": "met at the fair", "email": "zacharias@quill.example",
        ]
        var body = person
        body["participant_id"] = .string(stage.participant)
        let lead = try service.make("/v1/leads", .object(body))
        _ = try service.make("/v1/leads", .object(body))
        let change = try service.send(
            "PATCH", "/v1/leads/\(lead)", ["name": "Zacharias Quillfeather"],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(change.status == 200)
        let form = try service.postForm(
            stage.program,
            person.names.map { ($0, person[$0]?.stringValue ?? "") } + [("utm_source", "fairmail")])
        #expect(form.status == 303)
        let partner = try service.send(
            "PATCH", "/v1/participants/\(stage.participant)", ["name": "Ada Quillmore"],
            headers: [("Content-Type", "application/merge-patch+json")])
        #expect(partner.status == 200, "\(partner.text)")
        #expect(try service.post("/v1/leads/\(lead)/qualify").status == 200)
        let sale = try service.post(
            "/v1/conversions",
            [
                "external_id": "order-1", "lead_id": .string(lead), "kind": "purchase",
                "amount": MoneyStage.usd(5_000),
            ])
        let conversion = try #require(sale.json["id"]?.stringValue)
        try stage.paid("p1")
        var texts = [
            try service.get("/v1/conversions/\(conversion)/explain").text,
            try service.get("/v1/ledger/transactions?limit=100").text,
        ]
        for event in try Self.walk(service) { texts.append(JSONValue.object(event).text) }
        let words = ["zacharias", "quill", "+49 30", "fair", "lovelace", "partner.example", "ada@"]
        for word in words {
            for text in texts {
                #expect(!text.lowercased().contains(word), "\(word): \(text)")
            }
        }
    }
}
