import Foundation
import JSON
import Model
import Testing

@testable import App

/// Days, months and campaigns by the clocks of the program.
struct CalendarTests {
    private static let berlin = "Europe/Berlin"

    /// A service whose clock shows `time`, with a program in Berlin and an approved partner.
    private func stage(
        at time: String, _ terms: JSONObject = [:]
    ) throws -> (service: TestService, program: String, participant: String) {
        let service = try TestService()
        let then = try #require(Instant(rfc3339: time))
        let distance = then.milliseconds - service.clock.clock.now().milliseconds
        service.clock.advance(seconds: distance / 1000 + 1)
        var body: JSONObject = [
            "name": "Berlin", "currency": "EUR", "hold_days": 0, "approval_threshold": nil,
            "time_zone": .string(Self.berlin), "destination_url": "https://shop.example/",
        ]
        for (name, value) in terms { body[name] = value }
        let program = try service.make("/v1/programs", .object(body))
        _ = try service.make(
            "/v1/programs/\(program)/reward_rules",
            ["trigger": "conversion", "basis_points": 1_000])
        #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
        let participant = try service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": "Ada", "email": "ada@partner.example",
                "status": "approved",
            ])
        _ = try service.make(
            "/v1/links", ["participant_id": .string(participant), "code": "ada"])
        return (service, program, participant)
    }

    private func sale(_ service: TestService, _ id: String, _ amount: Int64) throws -> TestAnswer {
        try service.post(
            "/v1/conversions",
            [
                "external_id": .string(id), "ref": "ada", "kind": "purchase",
                "customer": ["external_id": .string(id)],
                "amount": ["amount": .integer(amount), "currency": "EUR"],
            ])
    }

    @Test("a monthly budget ends with the month of the program, not with that of UTC")
    func budget() throws {
        // 30 June, 23:30 in Berlin; half an hour later the month is over there.
        let (service, program, _) = try stage(
            at: "2099-06-30T21:30:00Z",
            ["budget": ["amount": 1_000, "period": "month", "beyond": "refuse"]])
        defer { service.stop() }
        #expect(try sale(service, "a", 10_000)["rewards.0.amount.amount"] == 1_000)
        let budget = try service.get("/v1/programs/\(program)/budget")
        #expect(budget["period"] == "2099-06", "\(budget.text)")
        service.clock.advance(hours: 1)
        let next = try sale(service, "b", 10_000)
        #expect(next["rewards.0.amount.amount"] == 1_000, "\(next.text)")
    }

    @Test("a report's day is the program's")
    func report() throws {
        let (service, program, _) = try stage(at: "2099-06-30T22:30:00Z")
        defer { service.stop() }
        _ = try sale(service, "a", 10_000)
        let path = "/v1/reports/funnel?program_id=\(program)"
        let july = try service.get(path + "&from=2099-07-01&to=2099-07-01")
        let june = try service.get(path + "&from=2099-06-30&to=2099-06-30")
        #expect(july["time_zone"] == "Europe/Berlin")
        #expect(july["total"] != june["total"], "\(july.text) \(june.text)")
        let utc = try service.get(path)
        #expect(utc["to"] == "2099-07-01", "\(utc.text)")
    }

    @Test("a payout schedule falls due as the day begins by the program's clocks")
    func schedule() throws {
        let (service, program, participant) = try stage(
            at: "2099-10-24T20:00:00Z", ["payouts": ["schedule": ["every": "monthly", "day": 25]]])
        defer { service.stop() }
        _ = try sale(service, "a", 10_000)
        func runs() throws -> TestAnswer {
            PayoutRunTests.runJobs(service)
            return try service.get("/v1/payout_runs?program_id=\(program)")
        }
        service.clock.advance(hours: 1)
        #expect(try runs().ids.isEmpty)
        // Midnight of 25 October in Berlin is 22:00 UTC, two hours before the clocks go back.
        service.clock.advance(hours: 1)
        let made = try runs()
        #expect(made.ids.count == 1, "\(made.text)")
        #expect(made["data.0.period"] == "2099-10-25")
        _ = participant
    }

    @Test("a campaign starts and ends by its times, with an event at both")
    func campaign() throws {
        let (service, program, _) = try stage(at: "2099-03-27T12:00:00Z")
        defer { service.stop() }
        let path = "/v1/programs/\(program)/campaigns"
        // 28 and 29 March: the second day has 23 hours.
        let made = try service.post(
            path,
            [
                "name": "Double", "starts_at": "2099-03-28", "ends_at": "2099-03-29",
                "multiplier_basis_points": 20_000,
            ])
        #expect(made["status"] == "scheduled", "\(made.text)")
        #expect(made["starts_at"] == "2099-03-27T23:00:00.000Z")
        #expect(made["ends_at"] == "2099-03-29T22:00:00.000Z")
        let campaign = "\(path)/\(try made.id())"
        func status(afterHours hours: Int64) throws -> JSONValue? {
            service.clock.advance(hours: hours)
            PayoutRunTests.runJobs(service)
            return try service.get(campaign)["status"]
        }
        #expect(try status(afterHours: 10) == "scheduled")
        #expect(try status(afterHours: 1) == "active")
        #expect(try sale(service, "a", 10_000)["rewards.0.amount.amount"] == 2_000)
        #expect(try status(afterHours: 46) == "active")
        #expect(try status(afterHours: 1) == "ended")
        #expect(try sale(service, "b", 10_000)["rewards.0.amount.amount"] == 1_000)
        let events = try service.get("/v1/events?after=0&limit=100")
        let types = (events["data"]?.arrayValue ?? []).compactMap {
            $0.objectValue?["type"]?.stringValue
        }.filter { $0.hasPrefix("campaign.") }
        #expect(types == ["campaign.created", "campaign.started", "campaign.ended"])
    }

    @Test("a campaign whose time passed while the service was down has both events, once")
    func campaignAfterwards() throws {
        let (service, program, _) = try stage(at: "2099-03-01T00:00:00Z")
        _ = try service.make(
            "/v1/programs/\(program)/campaigns",
            [
                "name": "Short", "starts_at": "2099-03-02T00:00:00Z",
                "ends_at": "2099-03-02T01:00:00Z", "multiplier_basis_points": 20_000,
            ])
        service.stop(keepingFiles: true)
        service.clock.advance(days: 3)
        let again = try TestService(folder: service.folder, clock: service.clock)
        defer { again.stop() }
        PayoutRunTests.runJobs(again)
        let events = try again.get("/v1/events?after=0&limit=100")
        let types = (events["data"]?.arrayValue ?? []).compactMap {
            $0.objectValue?["type"]?.stringValue
        }.filter { $0.hasPrefix("campaign.") }
        #expect(types == ["campaign.created", "campaign.started", "campaign.ended"])
    }

    @Test(
        "dates in queries are days of UTC where no program is named, and a date that is none is 400"
    )
    func dates() throws {
        let (service, program, participant) = try stage(at: "2099-06-30T22:30:00Z")
        defer { service.stop() }
        _ = try sale(service, "a", 10_000)
        func count(_ query: String) throws -> Int {
            try service.get("/v1/conversions?\(query)").ids.count
        }
        #expect(try count("created_at%5Bgte%5D=2099-07-01") == 0)
        #expect(try count("program_id=\(program)&created_at%5Bgte%5D=2099-07-01") == 1)
        #expect(try count("program_id=\(program)&created_at%5Blt%5D=2099-07-01") == 0)
        let path = "/v1/participants/\(participant)/statement"
        #expect(try service.get(path + "?as_of=2099-06-30")["lines"] == [])
        #expect(try service.get(path + "?as_of=2099-07-01").status == 400)
        #expect(try service.get(path + "?from=2099-02-29").status == 400)
    }

    @Test("a date is enough for a lead, its follow-up, the end of a link and a customer")
    func enough() throws {
        let (service, program, participant) = try stage(at: "2099-06-30T10:00:00Z")
        defer { service.stop() }
        let lead = try service.post(
            "/v1/leads",
            [
                "participant_id": .string(participant), "email": "sam@buyer.example",
                "referred_at": "2099-06-29",
            ])
        #expect(lead["referred_at"] == "2099-06-28T22:00:00.000Z", "\(lead.text)")
        let today = try service.post(
            "/v1/leads",
            [
                "participant_id": .string(participant), "email": "kim@other.example",
                "referred_at": "2099-07-01",
            ])
        #expect(today.status == 422 || today.status == 400, "\(today.text)")
        let rest = try service.post(
            "/v1/leads/\(try lead.id())/nurture", ["follow_up_at": "2099-07-02"])
        #expect(rest["follow_up_at"] == "2099-07-01T22:00:00.000Z", "\(rest.text)")
        let link = try service.post(
            "/v1/links", ["participant_id": .string(participant), "expires_at": "2099-07-02"])
        #expect(link["expires_at"] == "2099-07-02T22:00:00.000Z", "\(link.text)")
        let later = try service.send(
            "PATCH", "/v1/links/\(try link.id())", ["expires_at": "2099-12-31"])
        #expect(later["expires_at"] == "2099-12-31T23:00:00.000Z", "\(later.text)")
        let account = try service.post(
            "/v1/accounts",
            ["domain": "k.example", "relation": "customer", "customer_since": "2098-01-01"])
        #expect(account["customer_since"] == "2098-01-01T00:00:00.000Z", "\(account.text)")
        let loaded = try service.post(
            "/v1/customers/bulk",
            [
                "items": [
                    [
                        "program_id": .string(program), "email": "k@known.example",
                        "customer_since": "2098-01-01",
                    ]
                ]
            ])
        #expect(loaded.status == 200, "\(loaded.text)")
    }
}
