import JSON
import Testing

@testable import App

/// What is another participant's does not exist for a token.
struct TokenViewTests {
    /// Both partners have a lead, a sale, a reward and a payout.
    struct Both {
        let scene: Scene
        /// For ada and ben: path of one object → its list.
        var objects: [(list: String, ada: String, ben: String)] = []

        init() throws {
            scene = try Scene(TestService())
            let leads = try (
                scene.lead(scene.ada, "a@buyer.example"), scene.lead(scene.ben, "b@buyer.example")
            )
            let sales = try (scene.sale(scene.ada, "sale-a"), scene.sale(scene.ben, "sale-b"))
            let rewards = try (Self.reward(sales.0), Self.reward(sales.1))
            let payouts = try (
                scene.payout(scene.ada, "pay-a"), scene.payout(scene.ben, "pay-b")
            )
            objects = [
                ("/v1/leads", leads.0, leads.1), ("/v1/rewards", rewards.0, rewards.1),
                ("/v1/payouts", payouts.0, payouts.1),
                ("/v1/links", scene.ada.link, scene.ben.link),
                ("/v1/participants", scene.ada.id, scene.ben.id),
                ("/v1/conversions", try sales.0.id(), try sales.1.id()),
            ]
        }

        private static func reward(_ sale: TestAnswer) throws -> String {
            try #require(sale["rewards.0.id"]?.stringValue)
        }
    }

    /// Further views of one object.
    static let views = [
        "/v1/leads": ["/timeline"], "/v1/rewards": ["/explain"], "/v1/links": ["/stats"],
        "/v1/participants": ["/balance", "/statement", "/statement.csv", "/summary"],
    ]

    @Test("another participant's object is 404 in every view, and one's own is there")
    func objects() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        for (list, own, other) in both.objects {
            for view in [""] + (Self.views[list] ?? []) {
                let mine = try service.get("\(list)/\(own)\(view)", key: both.scene.ada.token)
                #expect(mine.status == 200, "\(list) \(view)")
                let theirs = try service.get("\(list)/\(other)\(view)", key: both.scene.ada.token)
                #expect(theirs.status == 404, "\(list) \(view)")
                #expect(theirs.code == "not_found")
            }
        }
    }

    @Test("what is another's and what does not exist have the same answer")
    func sameAnswer() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        for (list, _, other) in both.objects {
            let missing = String(other.dropLast(6)) + "zzzzzz"
            for format in ["/%", "?starting_after=%", "?ending_before=%"] {
                let answers = try [other, missing].map { id in
                    try service.get(
                        list + format.replacing("%", with: id), key: both.scene.ada.token)
                }
                #expect(answers[0].status == answers[1].status, "\(list)\(format)")
                #expect(answers[0].code == answers[1].code, "\(list)\(format)")
                #expect([400, 404].contains(answers[0].status), "\(list)\(format)")
            }
        }
    }

    @Test("every list of a token holds its own objects and no others")
    func lists() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        for (list, own, other) in both.objects {
            let answer = try service.get("\(list)?limit=100", key: both.scene.ada.token)
            #expect(answer.status == 200)
            // Beside the link that was made by hand is the one that came with the approval.
            #expect(answer.ids.count == (list == "/v1/links" ? 2 : 1), "\(list)")
            #expect(answer.ids.contains(own), "\(list)")
            #expect(!answer.text.contains(other))
            if list == "/v1/links" {
                for place in answer.ids.indices {
                    let owner = answer["data.\(place).participant_id"]
                    #expect(owner == .string(both.scene.ada.id))
                }
                let others = try service.get("\(list)?participant_id=\(both.scene.ben.id)").ids
                #expect(others.count == 2 && Set(others).isDisjoint(with: answer.ids))
            }
            let all = try service.get("\(list)?limit=100")
            #expect(Set(all.ids).isSuperset(of: [own, other]), "\(list)")
        }
    }

    @Test(
        "a list filtered by another participant is refused",
        arguments: ["/v1/leads", "/v1/rewards", "/v1/payouts", "/v1/links"])
    func filters(list: String) throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        let answer = try service.get(
            "\(list)?participant_id=\(both.scene.ben.id)", key: both.scene.ada.token)
        #expect(answer.status == 404)
    }

    @Test("a list filtered by another's object stays empty")
    func otherFilters() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        let (lead, payout) = (both.objects[0].ben, both.objects[2].ben)
        for filter in ["lead_id=\(lead)", "payout_id=\(payout)"] {
            let answer = try service.get("/v1/rewards?\(filter)", key: both.scene.ada.token)
            #expect(answer.status == 200)
            #expect(answer.ids.isEmpty)
        }
    }

    @Test("a token's events are about its own participant alone")
    func events() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        let events = try Scene.events(service, key: both.scene.ada.token)
        #expect(events.count > 5)
        for event in events {
            #expect(event["participant_id"] == .string(both.scene.ada.id))
        }
        #expect(try Scene.events(service).count > events.count)
    }

    @Test("a token's events never name another participant or what is another's")
    func eventsNameNoOther() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        _ = try both.scene.lead(both.scene.ben, "a@buyer.example")
        let feed = try service.get("/v1/events?limit=100", key: both.scene.ada.token)
        #expect(feed.status == 200)
        for (list, _, other) in both.objects { #expect(!feed.text.contains(other), "\(list)") }
    }

    @Test("a lead another participant referred first does not show whose it was")
    func duplicateNamesNoOther() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        let first = both.objects[0].ben
        let token = both.scene.ada.token
        let second = try service.post("/v1/leads", ["email": "b@buyer.example"], key: token)
        #expect(second.status == 201)
        #expect(!second.text.contains(first))
        let id = try #require(second["id"]?.stringValue)
        for path in ["leads/\(id)", "leads", "leads/\(id)/timeline", "events?limit=100"] {
            #expect(!(try service.get("/v1/\(path)", key: token).text.contains(first)), "\(path)")
        }
    }

    @Test("the statement of one's own money as CSV names no other")
    func ownCSV() throws {
        let both = try Both()
        let service = both.scene.service
        defer { service.stop() }
        let answer = try service.get(
            "/v1/participants/\(both.scene.ada.id)/statement.csv", key: both.scene.ada.token)
        #expect(answer.status == 200)
        #expect(answer.header("content-type")?.hasPrefix("text/csv") == true)
        #expect(answer.text.contains(both.objects[1].ada))
        #expect(!answer.text.contains(both.objects[1].ben))
    }
}
