import HTTP
import JSON
import Testing

@testable import App

/// What a participant's token sees and does: its own, and nothing that tells of anybody else.
struct TokenTests {
    /// One object of a route's noun, as the route's `{id}`.
    private static func object(
        of endpoint: Endpoint, _ referrer: TwoReferrers.Referrer, program: String
    ) throws -> String {
        switch endpoint.path.split(separator: "/")[1] {
        case "programs": program
        case "participants": referrer.id
        case "links": referrer.link
        case "leads": referrer.lead
        case "rewards": referrer.reward
        case "payouts", "payouts.csv": referrer.payout
        default: try #require(nil as String?, "a row is missing for \(endpoint.name)")
        }
    }

    @Test("a token is refused by every route that is not shared with participants")
    func operatorsRoutes() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for (endpoint, _) in KeyTests.guarded {
            guard case .key = endpoint.access else { continue }
            let answer = try service.send(
                endpoint.method.rawValue, endpoint.target("none"), key: both.ada.token)
            #expect(answer.status == 403, "\(endpoint.name)")
        }
    }

    @Test("a token reads each of its own objects; another's does not exist for it")
    func singleObjects() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let otherProgram = try TwoReferrers.program(service)
        let reads = KeyTests.shared.filter { $0.method == .get && $0.path.contains("{") }
        #expect(reads.count >= 12)
        for endpoint in reads {
            let own = try Self.object(of: endpoint, both.ada, program: both.program)
            let other = try Self.object(of: endpoint, both.ben, program: otherProgram)
            let target = endpoint.target(other)
            #expect(
                try service.get(endpoint.target(own), key: both.ada.token).status == 200,
                "\(endpoint.name)")
            #expect(try service.get(target).status == 200, "\(endpoint.name) for the operator")
            let answer = try service.get(target, key: both.ada.token)
            #expect(answer.status == 404, "\(endpoint.name)")
            #expect(answer["code"] == "not_found")
            // Word for word what is said of an object that does not exist.
            let nothing = try service.get(endpoint.target(absent(other)), key: both.ada.token)
            #expect(nothing["detail"] == answer["detail"], "\(endpoint.name)")
            #expect(nothing.status == 404, "\(endpoint.name)")
        }
    }

    /// An id of the same kind that names nothing.
    private func absent(_ id: String) -> String {
        id.prefix { $0 != "_" } + "_01h45ytscbebyvny4gc8cr8ma2"
    }

    private static let lists = KeyTests.shared.filter {
        $0.method == .get && !$0.path.contains("{")
    }

    @Test("a token's lists hold its own objects alone")
    func lists() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        _ = try TwoReferrers.program(service)
        #expect(Self.lists.count >= 7)
        for endpoint in Self.lists {
            let (member, own) =
                switch endpoint.path {
                case "/v1/programs": ("id", both.program)
                case "/v1/participants": ("id", both.ada.id)
                default: ("participant_id", both.ada.id)
                }
            let target = "\(endpoint.path)?limit=100"
            let all = owners(try service.get(target), member)
            #expect(all.contains { $0 != .string(own) }, "\(endpoint.path) shows nobody else")
            let seen = owners(try service.get(target, key: both.ada.token), member)
            #expect(!seen.isEmpty, "\(endpoint.path)")
            #expect(seen.allSatisfy { $0 == .string(own) }, "\(endpoint.path)")
        }
    }

    private func owners(_ list: TestAnswer, _ member: String) -> [JSONValue?] {
        list["data"]?.arrayValue?.map { $0.objectValue?[member] } ?? []
    }

    @Test("a cursor to another's object is refused like one to nothing")
    func foreignCursors() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let otherProgram = try TwoReferrers.program(service)
        for endpoint in Self.lists where endpoint.path != "/v1/events" {
            let own = try Self.object(of: endpoint, both.ada, program: both.program)
            let other = try Self.object(of: endpoint, both.ben, program: otherProgram)
            for name in ["starting_after", "ending_before"] {
                let target = "\(endpoint.path)?\(name)="
                #expect(
                    try service.get(target + own, key: both.ada.token).status == 200,
                    "\(target)")
                #expect(try service.get(target + other).status == 200, "\(target) of operator")
                for cursor in [other, absent(other)] {
                    let answer = try service.get(target + cursor, key: both.ada.token)
                    #expect(answer.status == 400, "\(target)\(cursor)")
                    #expect(answer["errors.0.code"] == "unknown_cursor", "\(target)")
                    #expect(answer["errors.0.pointer"] == .string("/\(name)"))
                }
            }
        }
    }

    @Test(
        "a token that asks a list for somebody else is refused",
        arguments: ["/v1/links", "/v1/leads", "/v1/rewards", "/v1/payouts"])
    func foreignFilter(path: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let target = "\(path)?participant_id="
        #expect(try service.get(target + both.ben.id, key: both.ada.token).status == 404)
        #expect(try service.get(target + both.ada.id, key: both.ada.token).status == 200)
    }

    @Test("a token that filters by another's object finds nothing")
    func foreignObjectFilter() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for filter in [
            "conversion_id=\(both.ben.conversion)", "lead_id=\(both.ben.lead)",
            "payout_id=\(both.ben.payout)",
        ] {
            let target = "/v1/rewards?\(filter)"
            #expect(try service.get(target)["data.0.id"] == .string(both.ben.reward))
            #expect(try service.get(target, key: both.ada.token)["data"] == .array([]))
        }
        let byMail = "/v1/leads?email=ben@buyer.example"
        #expect(try service.get(byMail)["data.0.id"] == .string(both.ben.lead))
        #expect(try service.get(byMail, key: both.ada.token)["data"] == .array([]))
    }

    @Test("the writes that tokens share with keys are leads and links")
    func sharedWrites() {
        let writes = KeyTests.shared.filter { $0.method != .get }.map(\.name)
        #expect(writes == ["POST /v1/links", "POST /v1/leads"])
    }

    @Test("a token refers for itself without naming itself, and for nobody else")
    func ownLeads() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let own = try service.post(
            "/v1/leads", ["email": "new@buyer.example"], key: both.ada.token)
        #expect(own.status == 201)
        #expect(own["participant_id"] == .string(both.ada.id))
        #expect(own["program_id"] == .string(both.program))
        for stranger in [
            ["participant_id": .string(both.ben.id)],
            ["program_id": .string(try TwoReferrers.program(service))],
        ] as [JSONObject] {
            var body = stranger
            body["email"] = "other@buyer.example"
            let answer = try service.post("/v1/leads", .object(body), key: both.ada.token)
            #expect(answer.status == 404)
            #expect(answer["errors.0.pointer"] == .string("/\(stranger.names[0])"))
        }
    }

    @Test("a token cannot refer through another's link")
    func foreignLink() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let answer = try service.post(
            "/v1/leads", ["email": "new@buyer.example", "ref": "ben"], key: both.ada.token)
        #expect((400..<500).contains(answer.status), "\(answer.text)")
        #expect(!answer.text.contains(both.ben.id))
        #expect(try service.get("/v1/leads?email=new@buyer.example")["data"] == .array([]))
    }

    @Test("a token makes links for itself alone, and only to the program's own sites")
    func ownLinks() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let own = try service.post(
            "/v1/links",
            [
                "participant_id": .string(both.ada.id),
                "destination_url": "https://www.example.com/pricing",
            ], key: both.ada.token)
        #expect(own.status == 201)
        let foreign = try service.post(
            "/v1/links", ["participant_id": .string(both.ben.id)], key: both.ada.token)
        #expect(foreign.status == 404)
        #expect(foreign["errors.0.pointer"] == "/participant_id")
        let elsewhere = try service.post(
            "/v1/links",
            [
                "participant_id": .string(both.ada.id),
                "destination_url": "https://evil.example/",
            ], key: both.ada.token)
        #expect((400..<500).contains(elsewhere.status))
    }

    @Test("a suspended or closed participant still sees its money, and refers no more")
    func endedParticipant() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for action in ["suspend", "close"] {
            let path = "/v1/participants/\(both.ada.id)"
            #expect(try service.post("\(path)/\(action)").status == 200)
            for target in ["\(path)/statement", "\(path)/balance", "/v1/rewards"] {
                #expect(try service.get(target, key: both.ada.token).status == 200, "\(target)")
            }
            let lead = try service.post(
                "/v1/leads", ["email": "late@buyer.example"], key: both.ada.token)
            #expect(lead.status == 409)
            #expect(lead["code"] == "participant_not_approved")
            let link = try service.post(
                "/v1/links", ["participant_id": .string(both.ada.id)], key: both.ada.token)
            #expect(link["code"] == "participant_not_approved")
        }
    }

    @Test("a token is revoked by its participant's path alone, and then refused at once")
    func revokedToken() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        for _ in 0..<8 {
            #expect(try service.get("/v1/leads", key: both.ada.token).status == 200)
        }
        let wrong = "/v1/participants/\(both.ben.id)/tokens/\(both.ada.tokenID)/revoke"
        #expect(try service.post(wrong).status == 404)
        #expect(try service.get("/v1/leads", key: both.ada.token).status == 200)
        let right = "/v1/participants/\(both.ada.id)/tokens/\(both.ada.tokenID)/revoke"
        #expect(try service.post(right).status == 200)
        for _ in 0..<8 {
            #expect(try service.get("/v1/leads", key: both.ada.token).status == 401)
        }
    }

    @Test("a token ends after its 30 days")
    func expiredToken() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        service.clock.advance(days: 29)
        #expect(try service.get("/v1/leads", key: both.ada.token).status == 200)
        service.clock.advance(days: 1)
        #expect(try service.get("/v1/leads", key: both.ada.token).status == 401)
    }

    @Test("a list of one participant's tokens takes no cursor of another's")
    func tokenCursors() throws {
        let service = try TestService()
        defer { service.stop() }
        let both = try TwoReferrers(service)
        let target = "/v1/participants/\(both.ada.id)/tokens?starting_after="
        #expect(try service.get(target + both.ada.tokenID).status == 200)
        #expect(try service.get(target + both.ben.tokenID).status == 400)
    }
}
