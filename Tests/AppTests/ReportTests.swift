import Foundation
import JSON
import Model
import Testing

@testable import App
@testable import Database

/// `/v1/reports`: what clicks, forms, leads and sales add up to, over real sockets.
struct ReportTests {
    /// Two days: four forms, six leads, four qualified or won again and again, four sales.
    private struct History {
        let scene: Scene
        var service: TestService { scene.service }
        /// The two days, and the one after.
        let days: [String]

        init() throws {
            let clock = TestClock()
            clock.moveToNoon()
            scene = try Scene(TestService(clock: clock))
            let today = clock.clock.now().day
            days = (0...2).map { CivilDay.text(today + $0) }
            _ = try scene.service.make(
                "/v1/links",
                [
                    "participant_id": .string(scene.ada.id), "code": "fair", "channel": "qr",
                    "campaign": "fair-2026",
                ])
            let click = try clicks()
            let leads = try submissions()
            try moves(leads)
            try sales(leads[0], click)
            clock.advance(days: 1)
            try nextDay(leads)
        }

        /// Two persons by e-mail, one of whom comes twice; one by the poster; a robot.
        private func clicks() throws -> String {
            for agent in ["one", "two", "two"] {
                _ = try JourneyTests.click(service, "ada", agent: agent)
            }
            try service.send("GET", "/r/ada", key: nil, headers: [("User-Agent", "curl/8.0")])
            return try JourneyTests.click(service, "fair")
        }

        private func form(_ fields: [(String, String)]) throws -> String? {
            try service.postForm(scene.program, fields, accept: "application/json")
                .json["id"]?.stringValue
        }

        /// By form: from the poster, by e-mail, a robot's, a second one for the first; by the API:
        /// with a channel of its own, and with none.
        private func submissions() throws -> [String] {
            let first = [("email", "a@buyer-a.example"), ("ref", "fair")]
            let poster = try #require(try form(first))
            #expect(try form(first) == poster)
            let mail = try #require(try form([("email", "b@buyer-b.example"), ("ref", "ada")]))
            #expect(try form([("email", "no address"), ("ref", "ada")]) == nil)
            let robot = try #require(
                try form([("email", "s@buyer-s.example"), ("ref", "ada"), ("website", "x")]))
            let second = try #require(
                try form([("email", "a@buyer-a.example"), ("ref", "ada"), ("name", "A")]))
            let portal = try service.make(
                "/v1/leads",
                [
                    "participant_id": .string(scene.ben.id), "email": "c@buyer-c.example",
                    "channel": "portal",
                ])
            let nobody: JSONValue = [
                "program_id": .string(scene.program), "email": "e@buyer-e.example",
            ]
            try service.send("POST", "/v1/leads", nobody, headers: [("Dry-Run", "true")])
            let alone = try service.make("/v1/leads", nobody)
            _ = try service.make("/v1/leads", nobody)
            return [poster, mail, portal, robot, second, alone]
        }

        private func move(_ lead: String, _ action: String, _ body: JSONValue = [:]) throws {
            let answer = try service.post("/v1/leads/\(lead)/\(action)", body)
            #expect(answer.status == 200, "\(action): \(answer.text)")
        }

        private func moves(_ leads: [String]) throws {
            try move(leads[0], "qualify")
            try move(leads[0], "win", ["value": ["amount": 90_000, "currency": "USD"]])
            try move(leads[1], "qualify")
            try move(leads[1], "advance")
            try move(leads[1], "lose", ["reason_code": "price", "reason": "too dear"])
            try move(leads[2], "qualify")
            try move(
                leads[2], "disqualify", ["reason_code": "no_budget", "reason": "next year"])
            try move(
                leads[5], "disqualify", ["reason_code": "no_budget", "reason": "next year"])
        }

        private func sale(_ id: String, _ amount: Int64, _ named: [(String, JSONValue)]) throws {
            var body: JSONObject = [
                "external_id": .string(id), "kind": "purchase",
                "amount": ["amount": .integer(amount), "currency": "USD"],
                "customer": ["email": .string("\(id)@buyer.example")],
            ]
            for (name, value) in named { body[name] = value }
            let answer = try service.post("/v1/conversions", .object(body))
            #expect([200, 201].contains(answer.status), "\(answer.text)")
        }

        /// One by its lead, one by a click, one by a code, sent twice, and one by nothing.
        private func sales(_ lead: String, _ click: String) throws {
            try sale("by-lead", 120_000, [("lead_id", .string(lead))])
            try sale("by-click", 700, [("click_id", .string(click))])
            for _ in 0..<2 { try sale("by-code", 5_000, [("ref", "ada")]) }
            try sale("by-none", 300, [("program_id", .string(scene.program))])
        }

        /// The lost one is won after all, nobody is counted twice, and the robot's and the second
        /// one turn out to be leads.
        private func nextDay(_ leads: [String]) throws {
            try move(leads[1], "reopen", ["reason": "they called"])
            try move(leads[1], "qualify")
            try move(leads[1], "advance")
            try move(leads[1], "win", ["value": ["amount": 10_000, "currency": "USD"]])
            try move(leads[2], "reopen", ["reason": "they called"])
            try move(leads[2], "qualify")
            try move(leads[3], "reopen", ["reason": "a person"])
            try move(leads[4], "reopen", ["reason": "another project"])
        }

        func report(_ name: String, _ query: String = "") throws -> TestAnswer {
            let answer = try service.get(
                "/v1/reports/\(name)?program_id=\(scene.program)\(query)")
            #expect(answer.status == 200, "\(answer.text)")
            return answer
        }

        /// The counts of a funnel's groups by key, in the order of the stages, and the money.
        func counts(_ query: String) throws -> [String: [Int64]] {
            let answer = try report("funnel", query)
            let groups = answer["groups"]?.arrayValue?.compactMap(\.objectValue) ?? []
            return Dictionary(
                uniqueKeysWithValues: groups.map {
                    ($0["key"]?.stringValue ?? "?", ReportTests.counts($0))
                })
        }
    }

    private static let stages = [
        "clicks", "forms", "leads", "qualified", "opportunity", "won", "conversions",
    ]

    private static func counts(_ group: JSONObject) -> [Int64] {
        stages.map { group[$0]?.objectValue?["count"]?.integerValue ?? -1 }
            + ["won_value", "conversion_amount"].map {
                group[$0]?.objectValue?["amount"]?.integerValue ?? -1
            }
    }

    // MARK: - The funnel

    @Test("every stage is counted once, by channel, campaign, source and kind of referrer")
    func funnel() throws {
        let history = try History()
        defer { history.service.stop() }
        let answer = try history.report("funnel")
        let total = try #require(answer["total"]?.objectValue)
        #expect(Self.counts(total) == [3, 4, 6, 3, 2, 2, 4, 100_000, 126_000])
        #expect(
            Self.stages.map { total[$0]?.objectValue?["rate_basis_points"] }
                == [.null, 13_333, 15_000, 5_000, 6_666, 10_000, 20_000])
        #expect(answer["groups.0.key"] == "email")
        #expect(answer["total.won_value.currency"] == "USD")
        #expect(answer["formulas.rate_basis_points"]?.stringValue?.isEmpty == false)
        #expect(
            try history.counts("") == [
                "email": [2, 3, 3, 1, 1, 1, 1, 10_000, 5_000],
                "qr": [1, 1, 1, 1, 1, 1, 2, 90_000, 120_700],
                "portal": [0, 0, 1, 1, 0, 0, 0, 0, 0],
                "none": [0, 0, 1, 0, 0, 0, 1, 0, 300],
            ])
        #expect(
            try history.counts("&by=campaign") == [
                "fair-2026": [1, 1, 1, 1, 1, 1, 2, 90_000, 120_700],
                "none": [2, 3, 5, 2, 1, 1, 2, 10_000, 5_300],
            ])
        #expect(
            try history.counts("&by=source") == [
                "form": [0, 4, 4, 2, 2, 2, 1, 100_000, 120_000],
                "api": [0, 0, 2, 1, 0, 0, 0, 0, 0],
                "none": [3, 0, 0, 0, 0, 0, 3, 0, 6_000],
            ])
        #expect(
            try history.counts("&by=referrer_kind") == [
                "customer": [3, 4, 5, 3, 2, 2, 3, 100_000, 125_700],
                "none": [0, 0, 1, 0, 0, 0, 1, 0, 300],
            ])
    }

    @Test("a stage counts on the day it was first reached, and the last day of a period is in it")
    func days() throws {
        let history = try History()
        defer { history.service.stop() }
        let days = history.days
        #expect(
            try history.counts("&from=\(days[0])&to=\(days[0])")["email"]
                == [2, 3, 1, 1, 1, 0, 1, 0, 5_000])
        #expect(
            try history.counts("&from=\(days[1])&to=\(days[1])") == [
                "email": [0, 0, 2, 0, 0, 1, 0, 10_000, 0]
            ])
        let whole = try history.counts("")
        let times = "&from=\(days[0])T23:00:00Z&to=\(days[1])T00:00:01Z"
        #expect(try history.counts(times) == whole)
        #expect(try history.counts("&to=2020-01-01").isEmpty)
        let answer = try history.report("funnel", times)
        #expect(answer["from"] == .string(days[0]))
        #expect(answer["to"] == .string(days[1]))
        history.service.clock.advance(days: 89)
        _ = try history.service.make("/v1/programs", IdempotencyTests.program)
        #expect(try history.counts("")["email"] == [0, 0, 2, 0, 0, 1, 0, 10_000, 0])
    }

    @Test("what was counted is what a count of the rows and events themselves gives")
    func recounted() throws {
        let history = try History()
        history.service.stop(keepingFiles: true)
        defer { try? FileManager.default.removeItem(at: history.service.folder) }
        let connection = try Connection(
            path: history.service.folder.appending(path: "test.db").path, access: .writer,
            busyMilliseconds: 1_000)
        func rows() throws -> [String] {
            try Reader(connection).all(
                """
                SELECT program_id, day, channel, campaign, source, referrer, stage, count, amount
                FROM funnel_days ORDER BY 1, 2, 3, 4, 5, 6, 7
                """
            ) { row in
                try "\(row.blob(0)) \(row.int64(1)) \(row.text(2)) \(row.text(3)) \(row.text(4)) "
                    + "\(row.text(5)) \(row.int64(6)) \(row.int64(7)) \(row.int64(8))"
            }
        }
        let counted = try rows()
        #expect(counted.count > 15)
        try connection.execute("DELETE FROM funnel_days")
        try connection.execute(FunnelRecount.sql)
        #expect(try rows() == counted)
    }

    @Test("a lead that a rule turns down at once is a lead, and counts once when it is reopened")
    func invalid() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let patch = try scene.service.send(
            "PATCH", "/v1/programs/\(scene.program)",
            [
                "qualification": [
                    "disqualify_invalid": true, "profile": ["industries": ["software"]],
                ]
            ])
        #expect(patch.status == 200, "\(patch.text)")
        let answer = try scene.service.post(
            "/v1/leads",
            [
                "participant_id": .string(scene.ada.id), "email": "a@mine.example",
                "industry": "mining",
            ])
        #expect(answer["status"] == "disqualified")
        for _ in 0..<2 {
            let report = try scene.service.get("/v1/reports/funnel?program_id=\(scene.program)")
            #expect(report["total.leads.count"] == 1)
            #expect(report["total.qualified.count"] == 0)
            let lead = "/v1/leads/\(try answer.id())/reopen"
            _ = try scene.service.post(lead, ["reason": "they build software now"])
        }
    }

    // MARK: - The mix

    @Test("shares of leads, wins and money add up to 100 %, and are none of nothing")
    func channels() throws {
        let history = try History()
        defer { history.service.stop() }
        let answer = try history.report("channels")
        func shares(_ list: String, _ number: String) -> [JSONValue?] {
            answer[list]?.arrayValue?.map {
                $0.objectValue?[number]?.objectValue?["share_basis_points"]
            } ?? []
        }
        let keys = answer["channels"]?.arrayValue?.map { $0.objectValue?["key"] }
        #expect(keys == ["email", "qr", "none", "portal"])
        #expect(shares("channels", "leads") == [5_000, 1_667, 1_667, 1_666])
        #expect(shares("channels", "won") == [5_000, 5_000, 0, 0])
        #expect(shares("channels", "won_value") == [1_000, 9_000, 0, 0])
        #expect(shares("channels", "conversion_amount") == [397, 9_579, 24, 0])
        #expect(answer["channels.1.conversion_amount.amount"] == 120_700)
        #expect(shares("referrer_kinds", "leads") == [8_333, 1_667])
        let early = try history.report("channels", "&to=\(history.days[0])")
        #expect(early["channels.0.won_value.share_basis_points"] == 0)
        let none = try history.report("channels", "&from=\(history.days[1])")
        #expect(none["channels.0.conversion_amount.share_basis_points"] == .null)
    }

    // MARK: - Refusals

    @Test(
        "a report of no program or of no days is refused",
        arguments: [
            ("", 400, "/program_id"), ("program_id=x", 400, "/program_id"),
            ("program_id=prog_01h455vb4pex5vsknk084sn02q", 404, nil),
            ("program_id=$&from=2026-01-02&to=2026-01-01", 422, nil),
            ("program_id=$&from=2026-02-30", 400, "/from"),
            ("program_id=$&to=2026-01-02T00:00:00", 400, "/to"),
            ("program_id=$&from=9999-12-31", 422, nil),
        ] as [(String, Int, String?)])
    func refusals(query: String, status: Int, pointer: String?) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let target = query.replacingOccurrences(of: "$", with: scene.program)
        for name in ["funnel", "channels"] {
            let answer = try scene.service.get("/v1/reports/\(name)?\(target)")
            #expect(answer.status == status, "\(answer.text)")
            if let pointer { #expect(answer.pointer == pointer) }
        }
    }

    @Test("a program's report holds nothing of another program's")
    func otherProgram() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.lead(scene.ada, "a@buyer-a.example")
        let other = try scene.service.make("/v1/programs", IdempotencyTests.program)
        let answer = try scene.service.get("/v1/reports/funnel?program_id=\(other)")
        #expect(answer["groups"] == [])
        #expect(answer["total.leads.count"] == 0)
    }
}
