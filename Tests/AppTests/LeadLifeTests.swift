import Foundation
import JSON
import Testing

@testable import App

/// What a program asks of leads, who works them and how soon, through the real server.
struct LeadLifeTests {
    typealias Deals = RegistrationTests.Deals

    private func submit(
        _ deals: Deals, _ email: String, _ more: [(String, JSONValue)] = [],
        key: String? = "admin"
    ) throws -> TestAnswer {
        var body: JSONObject = [
            "participant_id": .string(deals.ada.id), "email": .string(email),
        ]
        for (name, value) in more { body[name] = value }
        return try deals.service.post("/v1/leads", .object(body), key: key)
    }

    @Test("a prospect is known again by mailbox, phone, domain and company, and nothing is dropped")
    func duplicates() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try submit(
            deals, "grace.hopper@gmail.com",
            [
                ("phone", "+49 30 901820"), ("domain", "navy.example"),
                ("company", "Navy Systems GmbH"), ("country", "DE"),
            ])
        #expect(first["status"] == "submitted")
        let rows: [(String, [(String, JSONValue)], String)] = [
            ("GraceHopper+work@googlemail.com", [], "same_email"),
            ("x@other-a.example", [("phone", "030/901820"), ("country", "de")], "same_phone"),
            ("x@other-b.example", [("domain", "www.NAVY.example")], "same_domain"),
            ("y@mail.navy.example", [], "same_domain"),
            ("x@gmail.com", [("company", "navy systems"), ("country", "DE")], "same_company"),
        ]
        for (email, more, code) in rows {
            let second = try submit(deals, email, more)
            #expect(second.status == 201, "\(second.text)")
            #expect(second["status"] == "duplicate", "\(email): \(second.text)")
            #expect(second["reason_code"] == .string(code), "\(email)")
            #expect(second["duplicate_of"] == first["id"], "\(email)")
        }
        // Free mail tells no company, and another country is another company.
        #expect(try submit(deals, "z@gmail.com")["status"] == "submitted")
        let french = try submit(
            deals, "x@gmx.de", [("company", "Navy Systems"), ("country", "FR")])
        #expect(french["status"] == "submitted")
        #expect(try deals.service.get("/v1/leads?status=duplicate&limit=100").ids.count == 5)
    }

    @Test("a prospect is known again through a second lead, and through one that was turned down")
    func duplicatesOfDuplicates() throws {
        let deals = try Deals([:], [("qualification", ["disqualify_invalid": true])])
        defer { deals.service.stop() }
        let old = Date().addingTimeInterval(-86_400 * 91).ISO8601Format()
        let first = try submit(deals, "a@navy.example", [("referred_at", .string(old))])
        #expect(first["status"] == "disqualified")
        let rows: [(String, [(String, JSONValue)], String)] = [
            ("b@gmail.com", [("domain", "navy.example"), ("phone", "+493090182")], "same_domain"),
            ("B+again@gmail.com", [], "same_email"),
            ("c@other.example", [("phone", "+49 30 90182")], "same_phone"),
            ("d@other.example", [], "same_domain"),
        ]
        for (email, more, code) in rows {
            let second = try submit(deals, email, more)
            #expect(second["reason_code"] == .string(code), "\(email): \(second.text)")
            #expect(second["duplicate_of"] == first["id"], "\(email)")
        }
    }

    @Test("what is known of an attached lead leads to the opportunity")
    func duplicatesOfAttached() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let opportunity = try submit(deals, "a@one.example").id()
        for action in ["qualify", "advance"] {
            _ = try deals.service.post("/v1/leads/\(opportunity)/\(action)")
        }
        let second = try submit(deals, "b@two.example").id()
        let body: JSONValue = ["lead_id": .string(opportunity)]
        #expect(try deals.service.post("/v1/leads/\(second)/attach", body).status == 200)
        for email in ["b@two.example", "c@two.example"] {
            let third = try submit(deals, email)
            #expect(third["duplicate_of"] == .string(opportunity), "\(third.text)")
        }
    }

    @Test("a company that is a customer breaks a rule, which an override must give a reason for")
    func knownAccount() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        _ = try deals.service.make(
            "/v1/accounts", ["domain": "customer.example", "relation": "customer"])
        let lead = try submit(deals, "sam@mail.customer.example")
        #expect(lead["broken_rules"] == ["not_known", "not_a_customer"])
        let path = "/v1/leads/\(try lead.id())"
        let refused = try deals.service.post(path + "/qualify")
        #expect(refused.status == 409)
        #expect(refused.code == "lead_not_valid")
        #expect(refused["rules"] == ["not_known", "not_a_customer"])
        let explained = try deals.service.get(path + "/explain", key: deals.ada.token)
        let rules = explained["rules"]?.arrayValue?.compactMap(\.objectValue) ?? []
        for rule in ["not_known", "not_a_customer"] {
            let told = rules.first { $0["rule"] == .string(rule) }
            #expect(told?["verdict"] == "broken", "\(rule)")
        }
        let qualified = try deals.service.post(
            path + "/qualify", ["override_reason": "A new division."])
        #expect(qualified["status"] == "qualified")
        #expect(qualified["reason"] == "A new division.")
    }

    @Test("a program that takes no invalid leads disqualifies them at once, with the rule")
    func disqualifiedAtOnce() throws {
        let deals = try Deals(
            [:],
            [
                (
                    "qualification",
                    ["disqualify_invalid": true, "profile": ["industries": ["software"]]]
                )
            ])
        defer { deals.service.stop() }
        let lead = try submit(deals, "a@mine.example", [("industry", "mining")])
        #expect(lead["status"] == "disqualified")
        #expect(lead["reason_code"] == "industry")
        #expect(
            try submit(deals, "b@code.example", [("industry", "Software")])["status"] == "submitted"
        )
    }

    /// Changes what the program asks of a customer's profile.
    private func askFor(_ industries: JSONValue, _ deals: Deals) throws {
        let patch: JSONValue = ["qualification": ["profile": ["industries": industries]]]
        let answer = try deals.service.send("PATCH", "/v1/programs/\(deals.program)", patch)
        try #require(answer.status == 200, "\(answer.text)")
    }

    @Test("what sales corrects counts, by the rules that were in force when the lead came in")
    func corrected() throws {
        let deals = try Deals(
            [:], [("qualification", ["profile": ["industries": ["software"]]])])
        defer { deals.service.stop() }
        let path = "/v1/leads/\(try submit(deals, "a@one.example").id())"
        let version = try deals.service.get(path)["program_version"]
        try askFor(["mining"], deals)
        let mining = try deals.service.send("PATCH", path, ["industry": "mining"])
        #expect(mining["broken_rules"] == ["industry"])
        #expect(mining["program_version"] == version)
        #expect(try deals.service.post(path + "/qualify")["rules"] == ["industry"])
        let software = try deals.service.send("PATCH", path, ["industry": "software"])
        #expect(software["broken_rules"] == [])
        #expect(try deals.service.get(path + "/timeline")["data.2.data.broken_rules"] == [])
        #expect(try deals.service.post(path + "/qualify")["status"] == "qualified")
    }

    @Test("a correction finds out whether the company is known, and has it known again")
    func correctedCompany() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        _ = try deals.service.make(
            "/v1/accounts", ["domain": "customer.example", "relation": "customer"])
        let id = try submit(deals, "a@gmail.com").id()
        let patched = try deals.service.send(
            "PATCH", "/v1/leads/\(id)", ["domain": "customer.example"])
        #expect(patched["broken_rules"] == ["not_known", "not_a_customer"])
        let second = try submit(deals, "b@customer.example")
        #expect(second["duplicate_of"] == .string(id))
    }

    @Test("the window counts as when the lead came in, also after the program has changed it")
    func pinnedWindow() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let path = "/v1/leads/\(try submit(deals, "a@one.example").id())"
        let patch: JSONValue = ["qualification": ["validity_days": 1]]
        _ = try deals.service.send("PATCH", "/v1/programs/\(deals.program)", patch)
        deals.service.clock.advance(hours: 48)
        #expect(try deals.service.post(path + "/qualify")["status"] == "qualified")
    }

    @Test("a decision is explained in a year as on its day, whatever the program asks by then")
    func explainedLater() throws {
        let deals = try Deals(
            [:], [("qualification", ["profile": ["industries": ["software"]]])])
        defer { deals.service.stop() }
        let path =
            "/v1/leads/\(try submit(deals, "a@one.example", [("industry", "software")]).id())"
        _ = try deals.service.post(path + "/qualify")
        let before = try deals.service.get(path + "/explain")
        try askFor(["mining"], deals)
        deals.service.clock.advance(hours: 24 * 365)
        _ = try deals.service.send("PATCH", path, ["industry": "mining"])
        let after = try deals.service.get(path + "/explain")
        #expect(before["rules"] != nil)
        #expect(before["rules"] == after["rules"])
        #expect(before["program_version"] == after["program_version"])
    }

    @Test("an explanation tells how it was known who referred the lead")
    func explainedReferrer() throws {
        let deals = try Deals([:], [("eligibility", ["excluded_plans": ["trial"]])])
        defer { deals.service.stop() }
        func words(_ id: String) throws -> String? {
            try deals.service.get("/v1/leads/\(id)/explain")["referrer_because"]?.stringValue
        }
        #expect(
            try words(submit(deals, "a@one.example").id()) == "It was known by participant_id.")
        _ = try deals.service.send(
            "PATCH", "/v1/participants/\(deals.ben.id)", ["plan": "trial"])
        let rows = [
            ("b%40two.example", "Nobody was named."),
            ("c%40three.example&ref=nowhere", "What was given names nobody in the program: ref."),
            ("d%40four.example&ref=ben", "Whom ref named may not refer: plan."),
            ("f%40six.example&ref=ben&code=zzzz", "Whom ref named may not refer: plan."),
            (
                "e%40five.example&ref=ada&referrer_email=x%40y.example",
                "It was known by ref; not used: referrer_email."
            ),
        ]
        for (form, expected) in rows {
            #expect(try words(post(deals, "email=" + form)) == expected, "\(form)")
        }
    }

    /// Posts the program's form; the id of the lead.
    private func post(_ deals: Deals, _ form: String) throws -> String {
        try deals.service.sendBytes(
            "POST", "/f/\(deals.program)", Array(form.utf8), key: nil,
            headers: [("Content-Type", "application/x-www-form-urlencoded")]
        ).id()
    }

    @Test("a person taken for a robot is held against the rules when the lead is reopened")
    func reopenedSpam() throws {
        let deals = try Deals(
            [:],
            [
                ("qualification", ["profile": ["industries": ["software"]]]),
                ("routing", ["policy": "representatives", "representatives": ["rita"]]),
            ])
        defer { deals.service.stop() }
        let id = try post(deals, "email=a%40one.example&industry=mining&website=x")
        #expect(
            try submit(deals, "b@gmail.com", [("domain", "one.example")])["owner.name"] == "rita")
        let reopened = try deals.service.post("/v1/leads/\(id)/reopen", ["reason": "A person."])
        #expect(reopened["status"] == "submitted", "\(reopened.text)")
        #expect(reopened["broken_rules"] == ["industry"])
        #expect(reopened["owner.name"] == "rita")
    }

    @Test("a checklist is answered by patches, and refuses to qualify until it is")
    func checklist() throws {
        let deals = try Deals([:], [("qualification", ["checklist": ["responds", "real_need"]])])
        defer { deals.service.stop() }
        let path = "/v1/leads/\(try submit(deals, "a@one.example").id())"
        let refused = try deals.service.post(path + "/qualify")
        #expect(refused.code == "checklist_incomplete")
        #expect(refused["missing"] == ["responds", "real_need"])
        for name in ["responds", "real_need"] {
            let patch: JSONValue = ["checklist": .object([name: true])]
            #expect(try deals.service.send("PATCH", path, patch).status == 200)
        }
        #expect(try deals.service.post(path + "/qualify")["status"] == "qualified")
    }

    @Test("who may not refer is told the rule, and a form does without the referrer")
    func eligibility() throws {
        // What a program of partners asks of nobody unless it says so.
        let deals = try Deals(
            [:], [("eligibility", ["min_account_days": 90, "excluded_plans": ["trial"]])])
        defer { deals.service.stop() }
        let path = "/v1/participants/\(deals.ada.id)"
        let young = Date().addingTimeInterval(-86_400 * 10).ISO8601Format()
        let rows: [(JSONValue, String)] = [
            (["good_standing": false], "good_standing"),
            (["good_standing": true, "account_since": .string(young)], "account_age"),
            (["account_since": nil, "in_collections": true], "in_collections"),
            (["in_collections": false, "at_risk": true], "at_risk"),
            (["at_risk": nil, "plan": "trial"], "plan"),
        ]
        for (patch, rule) in rows {
            #expect(try deals.service.send("PATCH", path, patch).status == 200)
            let answer = try submit(deals, "\(rule)@one.example")
            #expect(answer.status == 422, "\(rule)")
            #expect(answer.code == "not_eligible")
            #expect(answer["rule"] == .string(rule))
        }
        let posted = try deals.service.sendBytes(
            "POST", "/f/\(deals.program)", Array("email=a%40form.example&ref=ada".utf8), key: nil,
            headers: [("Content-Type", "application/x-www-form-urlencoded")])
        #expect(posted.status == 201)
        let lead = try deals.service.get("/v1/leads/\(try posted.id())")
        #expect(lead["participant_id"] == .null)
        #expect(
            lead["ignored"] == [["name": "ref", "value": "ada", "because": "not_eligible"]])
        let timeline = try deals.service.get("/v1/leads/\(try posted.id())/timeline")
        #expect(timeline["data.0.data.not_eligible"] == "plan")
        #expect(
            timeline["data.0.data.ignored"] == [["name": "ref", "because": "not_eligible"]])
    }

    @Test("representatives take leads in turn, also when these come at once")
    func roundRobin() async throws {
        let deals = try Deals(
            [:],
            [
                (
                    "routing",
                    ["policy": "representatives", "representatives": ["rita", "rob", "rose"]]
                )
            ])
        defer { deals.service.stop() }
        let owners = try await withThrowingTaskGroup(of: String?.self) { group in
            for index in 0..<90 {
                group.addTask {
                    try submit(deals, "p\(index)@firm-\(index).example")["owner.name"]?.stringValue
                }
            }
            return try await group.reduce(into: [String: Int]()) {
                $0[$1 ?? "nobody", default: 0] += 1
            }
        }
        #expect(owners == ["rita": 30, "rob": 30, "rose": 30])
    }

    @Test("a second lead goes to who works the first, and takes nobody's turn")
    func ownerOfDuplicate() throws {
        let deals = try Deals(
            [:],
            [("routing", ["policy": "representatives", "representatives": ["rita", "rob"]])])
        defer { deals.service.stop() }
        let owners = try ["a@one.example", "b@one.example", "c@two.example"].map {
            try submit(deals, $0)["owner.name"]
        }
        #expect(owners == ["rita", "rita", "rob"])
    }

    @Test("a lead of a protected account goes to its holder, and others do not learn to whom")
    func protectedLead() throws {
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        let claim = try deals.register(deals.ben, "held.example").id()
        let lead = try submit(deals, "sam@held.example", key: deals.ada.token)
        #expect(lead.status == 201, "\(lead.text)")
        #expect(!lead.text.contains(deals.ben.id))
        #expect(lead["registration_id"] == .null)
        let seen = try deals.service.get("/v1/leads/\(try lead.id())")
        #expect(seen["owner.kind"] == "partner")
        #expect(seen["owner.name"] == .string(deals.ben.id))
        #expect(seen["registration_id"] == .string(claim))
    }

    @Test("clocks run out, are listed and counted, and stop when the thing is done")
    func clocks() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let id = try submit(deals, "a@one.example").id()
        let overdue = "/v1/leads/overdue"
        #expect(try deals.service.get(overdue)["data"] == [])
        deals.service.clock.advance(hours: 25)
        #expect(try deals.service.get(overdue)["data.0.kind"] == "review")
        #expect(
            try deals.service.get("/metrics").text.contains(
                #"referrald_lead_clocks_overdue{kind="review"} 1"#))
        _ = try deals.service.post("/v1/leads/\(id)/qualify")
        #expect(try deals.service.get(overdue)["data"] == [])
        deals.service.clock.advance(hours: 25)
        #expect(try deals.service.get(overdue)["data.0.kind"] == "tell_qualified")
        #expect(try deals.service.post("/v1/leads/\(id)/told").status == 200)
        #expect(try deals.service.get(overdue)["data"] == [])
        _ = try deals.service.post("/v1/leads/\(id)/win")
        deals.service.clock.advance(hours: 49)
        #expect(try deals.service.get(overdue + "?kind=tell_won")["data.0.lead_id"] == .string(id))
    }

    @Test("a lead is told as of any instant since it came in")
    func timeTravel() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let lead = try submit(deals, "a@one.example")
        let path = "/v1/leads/\(try lead.id())"
        var instants = [try #require(lead["created_at"]?.stringValue)]
        for action in ["qualify", "advance", "win"] {
            deals.service.clock.advance(hours: 1)
            let answer = try deals.service.post(path + "/" + action)
            instants.append(try #require(answer["updated_at"]?.stringValue))
        }
        let states = try instants.map { try deals.service.get(path + "?as_of=\($0)")["status"] }
        #expect(states == ["submitted", "qualified", "opportunity", "won"])
        #expect(try deals.service.get(path + "?as_of=2020-01-01T00:00:00Z").status == 404)
        #expect(
            try deals.service.get(path + "?as_of=2099-01-01T00:00:00Z")["errors.0.code"]
                == "not_known_yet")
    }

    @Test("a second lead is attached to an opportunity, and to nothing else")
    func attach() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let first = try submit(deals, "a@one.example").id()
        let second = try submit(deals, "b@two.example").id()
        let body: JSONValue = ["lead_id": .string(first), "reason": "The same project."]
        #expect(
            try deals.service.post("/v1/leads/\(second)/attach", body).code == "not_an_opportunity")
        _ = try deals.service.post("/v1/leads/\(first)/qualify")
        _ = try deals.service.post("/v1/leads/\(first)/advance")
        let attached = try deals.service.post("/v1/leads/\(second)/attach", body)
        #expect(attached["status"] == "duplicate", "\(attached.text)")
        #expect(attached["duplicate_of"] == .string(first))
        #expect(attached["reason_code"] == "attached")
    }

    @Test("each of many leads has its own result, and atomic ones stand or fall together")
    func bulk() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let ada = JSONValue.string(deals.ada.id)
        let items: JSONValue = [
            ["participant_id": ada, "email": "a@one.example"],
            ["participant_id": "part_01h455vb4pex5vsknk084sn02q", "email": "b@two.example"],
            ["participant_id": ada, "email": "c@one.example"],
        ]
        let answer = try deals.service.post("/v1/leads/bulk", ["items": items])
        #expect(answer.status == 200)
        #expect(answer["data.0.status"] == 201)
        #expect(answer["data.1.problem.code"] == "not_found")
        #expect(answer["data.2.lead_status"] == "duplicate")
        #expect(answer["data.2.reason_code"] == "same_domain")
        let atomic = try deals.service.post(
            "/v1/leads/bulk", ["items": items, "atomic": true])
        #expect(atomic.status == 409)
        #expect(atomic.pointer == "/items/1")
        #expect(try deals.service.get("/v1/leads?limit=100").ids.count == 2)
    }

    @Test("a referral may be older than its arrival, not younger, and its window counts from then")
    func referredAt() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let old = Date().addingTimeInterval(-86_400 * 91).ISO8601Format()
        let lead = try submit(deals, "a@one.example", [("referred_at", .string(old))])
        #expect(lead["broken_rules"] == ["within_window"])
        let later = try submit(deals, "b@two.example", [("referred_at", "2099-01-01T00:00:00Z")])
        #expect(later.status == 422)
        #expect(later.code == "referred_later")
    }

    @Test("a score shows the parts that it is the sum of")
    func score() throws {
        let deals = try Deals()
        defer { deals.service.stop() }
        let id = try submit(deals, "a@one.example", [("intro", "strong")]).id()
        let score = try deals.service.get("/v1/leads/\(id)/score", key: deals.ada.token)
        let parts = score["parts"]?.arrayValue?.compactMap {
            $0.objectValue?["points"]?.integerValue
        }
        #expect(score["score"] == .integer(parts?.reduce(0, +) ?? -1))
        #expect(score["score"] == 85)
    }
}
