import Database
import JSON
import Model
import Testing

@testable import App

/// What falls due does so at its instant, once, and also after a stop.
struct RegistrationClockTests {
    typealias Deals = RegistrationTests.Deals

    /// The types of the registration's events and their numbers of days, oldest first.
    private func told(_ service: TestService, _ id: String) throws -> [String] {
        let events = try service.get("/v1/registrations/\(id)/timeline")["data"]?.arrayValue ?? []
        return events.compactMap(\.objectValue).map { event in
            let type = event["type"]?.stringValue?.dropFirst("registration.".count) ?? ""
            let days = event["data"]?.objectValue?["days"]?.integerValue
            return days.map { "\(type) \($0)" } ?? String(type)
        }
    }

    /// Waits until the jobs that are due are done.
    private func settle(_ service: TestService) throws {
        var reader: Reader?
        let runner = try JobRunner(service.service.app)
        while runner.runSlice(&reader) {}
    }

    @Test("reminders, the end and the release come at their time, once")
    func wholeLife() throws {
        let deals = try Deals(["approval": "automatic"])
        let service = deals.service
        defer { service.stop() }
        let id = try deals.register(deals.ada, "acme.example").id()
        let refused = try #require(
            try deals.register(deals.ben, "acme.example")["registration_id"]?.stringValue)
        let start = ["submitted", "approved"]
        let steps: [(Int64, [String])] = [
            (75, []), (1, ["expiring 14"]), (6, []), (1, ["expiring 7"]), (5, []),
            (1, ["expiring 1"]), (1, ["expired"]), (30, []),
        ]
        var expected = start
        try settle(service)
        #expect(try told(service, id) == expected)
        for (days, more) in steps {
            service.clock.advance(days: days)
            // Days are whole, and the claim came some milliseconds after its day began.
            service.clock.advance(seconds: more.isEmpty ? -1 : 1)
            try settle(service)
            expected += more
            #expect(try told(service, id) == expected, "after \(days) more days")
            service.clock.advance(seconds: more.isEmpty ? 1 : -1)
        }
        #expect(try told(service, refused) == ["refused", "account_free"])
        #expect(try service.get("/v1/protection?domain=acme.example")["protected"] == false)
    }

    @Test("what fell due during a stop of three days is done once at the next start")
    func stopped() throws {
        let deals = try Deals(["approval": "manual", "decision_hours": 24, "dispute_days": 2])
        let waiting = try deals.register(deals.ada, "acme.example").id()
        let refused = try #require(try deals.register(deals.ben, "acme.example")["registration_id"])
        let dispute = try deals.service.make(
            "/v1/disputes", ["registration_id": refused, "reason": "We were first."])
        let lead = try deals.service.make(
            "/v1/leads", ["participant_id": .string(deals.ada.id), "email": "a@one.example"])
        _ = try deals.service.post(
            "/v1/leads/\(lead)/nurture",
            [
                "follow_up_at": .string(
                    deals.service.clock.clock.now().advanced(byDays: 2).rfc3339)
            ])
        deals.service.stop(keepingFiles: true)
        deals.service.clock.advance(days: 3)
        let next = try TestService(folder: deals.service.folder, clock: deals.service.clock)
        defer { next.stop() }
        for _ in 0..<3 { try settle(next) }
        #expect(try told(next, waiting) == ["submitted", "decision_overdue"])
        #expect(try next.get("/v1/leads/\(lead)")["status"] == "submitted")
        #expect(try next.get("/v1/disputes/\(dispute)")["escalated_at"] != .null)
        let escalations = try Scene.events(next).filter { $0["type"] == "dispute.escalated" }
        #expect(escalations.count == 2, "one for each side")
    }

    @Test("after a stop over its end nobody is reminded any more, and the account is free at once")
    func stoppedOverTheEnd() throws {
        let deals = try Deals(["approval": "automatic", "protection_days": 2])
        let id = try deals.register(deals.ada, "acme.example").id()
        deals.service.stop(keepingFiles: true)
        deals.service.clock.advance(days: 3)
        let next = try TestService(folder: deals.service.folder, clock: deals.service.clock)
        defer { next.stop() }
        // Free by its time, whether or not the job has run.
        let taken = try next.post(
            "/v1/registrations", Deals.body(deals.ben, ["domain": "acme.example"]))
        #expect(taken.status == 201, "\(taken.text)")
        try settle(next)
        #expect(try told(next, id) == ["submitted", "approved", "expired"])
    }

    @Test("an extension moves the end and its reminders")
    func extended() throws {
        let deals = try Deals([
            "approval": "automatic", "protection_days": 10, "extension_days": 10,
        ])
        let service = deals.service
        defer { service.stop() }
        let id = try deals.register(deals.ada, "acme.example").id()
        service.clock.advance(days: 9)
        let extended = try deals.act(
            id, "extend", ["evidence": [["kind": "budget_talk"]]], key: deals.ada.token)
        #expect(extended["extensions"] == 1, "\(extended.text)")
        service.clock.advance(days: 2)
        try settle(service)
        #expect(try service.get("/v1/registrations/\(id)")["status"] == "approved")
        service.clock.advance(days: 9)
        service.clock.advance(seconds: 1)
        try settle(service)
        #expect(try told(service, id).last == "expired")
        #expect(try told(service, id).filter { $0 == "expired" }.count == 1)
    }

    @Test("a later rule change neither shortens nor lowers what was registered")
    func pinned() throws {
        let deals = try Deals(["approval": "automatic", "protection_days": 90])
        let service = deals.service
        defer { service.stop() }
        let claim = try deals.register(deals.ada, "acme.example")
        let changed = try service.send(
            "PATCH", "/v1/programs/\(deals.program)",
            ["registration": ["protection_days": 1, "max_extensions": 0]])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed["registration.approval"] == "automatic")
        service.clock.advance(days: 5)
        try settle(service)
        let seen = try service.get("/v1/registrations/\(try claim.id())")
        #expect(seen["protected_until"] == claim["protected_until"])
        #expect(
            try deals.act(
                claim.id(), "extend", ["evidence": [["kind": "budget_talk"]]]
            ).status == 200)
    }

    @Test("protection and claims are told as of any earlier instant")
    func timeTravel() throws {
        let deals = try Deals()
        let service = deals.service
        defer { service.stop() }
        let claim = try deals.register(deals.ada, "acme.example")
        let submitted = try #require(claim["created_at"]?.stringValue)
        service.clock.advance(hours: 1)
        let approved = try deals.act(claim.id(), "approve")
        let decided = try #require(approved["updated_at"]?.stringValue)
        service.clock.advance(hours: 1)
        let withdrawn = try deals.act(claim.id(), "withdraw", key: deals.ada.token)
        let ended = try #require(withdrawn["updated_at"]?.stringValue)
        let path = "/v1/registrations/\(try claim.id())?as_of="
        let states = try [submitted, decided, ended].map { try service.get(path + $0)["status"] }
        #expect(states == ["submitted", "approved", "withdrawn"])
        let protection = "/v1/protection?domain=acme.example&as_of="
        let held = try [submitted, decided, ended].map {
            try service.get(protection + $0)["protected"]
        }
        #expect(held == [true, true, false])
        #expect(try service.get(protection + "2020-01-01T00:00:00Z")["protected"] == false)
        #expect(try service.get(protection + submitted)["claims.0.status"] == "submitted")
    }
}
