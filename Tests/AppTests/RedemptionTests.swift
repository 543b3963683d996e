import JSON
import Testing

@testable import App

/// Points given for items of the catalogue, over the real server, mostly by the participant's own
/// token.
struct RedemptionTests {
    /// A program that gives 500 points for a purchase, and an item for 300.
    private struct Stage {
        let money: MoneyStage
        let item: String
        let token: String

        var service: TestService { money.service }

        init(_ more: JSONObject = [:], points: Int64 = 500) throws {
            money = try MoneyStage(rules: [
                ["trigger": "purchase", "kind": "points", "points": .integer(points)]
            ])
            var terms: JSONObject = ["points": 300]
            for (name, value) in more { terms[name] = value }
            item = try Scene.catalogItem(money.service, in: money.program, terms)
            token = try Scene.token(money.service, of: money.participant)
        }

        func redeem(
            _ reference: String? = nil, _ more: JSONObject = [:], key: String? = nil
        ) throws -> TestAnswer {
            var body: JSONObject = ["item_id": .string(item)]
            body["reference"] = reference.map { .string($0) }
            for (name, value) in more { body[name] = value }
            return try service.post("/v1/redemptions", .object(body), key: key ?? token)
        }

        func act(_ id: String, _ action: String, _ body: JSONValue) throws -> TestAnswer {
            try service.post("/v1/redemptions/\(id)/\(action)", body)
        }

        func points() throws -> [Int64] { try PointsTests.points(money) }

        func stock() throws -> JSONValue? { try service.get("/v1/catalog_items/\(item)")["stock"] }
    }

    @Test("R148: points are given for an item at the price of that moment, and fulfilled")
    func life() throws {
        let stage = try Stage(["stock": 5, "value": MoneyStage.usd(2_500), "vendor": "Potters"])
        defer { stage.service.stop() }
        let reward = try stage.money.sale("a", 10_000).reward
        let made = try stage.redeem("order 1")
        #expect(made.status == 201, "\(made.text)")
        let id = try made.id()
        #expect(made["status"] == "requested" && made["points"] == 300 && made["sku"] == "mug")
        #expect(made["rewards"] == [["reward_id": .string(reward), "points": 300]])
        #expect(!made.text.contains("Potters"))
        #expect(try stage.points() == [0, 200, 300, 0, 0])
        #expect(try stage.stock() == 4)
        #expect(try stage.money.reward(reward)["status"] == "approved")
        #expect(try stage.money.reward(reward)["settled.amount"] == 300)
        let again = try stage.redeem("order 1")
        #expect(again.status == 200 && again["id"] == made["id"])
        let void = try stage.service.post("/v1/rewards/\(reward)/void", ["reason": "r"])
        #expect(void.code == "reward_partly_paid")
        let poor = try stage.redeem()
        #expect(poor.status == 409 && poor.code == "not_enough_points")
        #expect(poor["available"] == 200 && poor["needed"] == 300)
        // Another price is another's.
        let dearer = try stage.service.send(
            "PATCH", "/v1/catalog_items/\(stage.item)", ["points": 999])
        #expect(dearer.status == 200)
        let given = try stage.act(id, "fulfill", ["reference": "voucher 7"])
        #expect(given["status"] == "fulfilled" && given["points"] == 300, "\(given.text)")
        #expect(given["fulfillment_reference"] == "voucher 7")
        #expect(try stage.points() == [0, 200, 0, 300, 0])
        #expect(try stage.act(id, "cancel", ["reason": "r"]).code == "invalid_transition")
        let events = try stage.service.list("/v1/events?limit=100")
            .compactMap { $0["type"]?.stringValue }.filter { $0.hasPrefix("redemption.") }
        #expect(events == ["redemption.requested", "redemption.fulfilled"])
        let path = "/v1/participants/\(stage.money.participant)/statement?currency=PTS"
        let lines = try stage.service.get(path, key: stage.token)["lines"]?.arrayValue ?? []
        #expect(
            lines.suffix(2).map { $0.objectValue?["description"] } == [
                .string("Redemption \(id) of 300 PTS is requested."),
                .string("Redemption \(id) is fulfilled: 300 PTS."),
            ])
        #expect(
            try stage.money.journal("redemption_id=\(id)") == [
                "redemption_requested", "redemption_fulfilled",
            ])
        try stage.money.expectSoundBooks()
    }

    @Test("a cancelled redemption gives points, rewards and stock back")
    func cancellation() throws {
        let stage = try Stage(["stock": 1], points: 300)
        defer { stage.service.stop() }
        let reward = try stage.money.sale("a", 10_000).reward
        _ = try stage.money.sale("b", 10_000)
        let id = try stage.redeem().id()
        #expect(try stage.money.reward(reward)["status"] == "paid")
        let none = try stage.redeem()
        #expect(none.status == 409 && none.code == "out_of_stock")
        let cancelled = try stage.act(id, "cancel", ["reason": "sold out at the vendor's"])
        #expect(cancelled["status"] == "cancelled", "\(cancelled.text)")
        #expect(try stage.points() == [0, 600, 0, 0, 0])
        #expect(try stage.stock() == 1)
        #expect(try stage.money.reward(reward)["status"] == "approved")
        #expect(try stage.money.reward(reward)["paid_at"] == .null)
        #expect(try stage.redeem().status == 201)
        try stage.money.expectSoundBooks()
    }

    @Test(
        "points that were redeemed and then refunded are owed, and set off by the next redemption")
    func debt() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        let (sale, reward) = try stage.money.sale("a", 10_000)
        let first = try stage.redeem().id()
        #expect(try stage.act(first, "fulfill", [:]).status == 200)
        try stage.money.refund(sale, "all")
        // 200 were not used; 300 are owed.
        #expect(try stage.points() == [0, 0, 0, 300, 300])
        #expect(try stage.money.reward(reward)["status"] == "clawed_back")
        _ = try stage.money.sale("b", 10_000)
        let poor = try stage.redeem()
        #expect(poor["available"] == 200 && poor["needed"] == 300)
        _ = try stage.money.sale("c", 10_000)
        let second = try stage.redeem()
        #expect(second["points"] == 300 && second["clawed_back"] == 300, "\(second.text)")
        #expect(try stage.points() == [0, 400, 300, 300, 0])
        #expect(try stage.act(try second.id(), "cancel", ["reason": "r"]).status == 200)
        #expect(try stage.points() == [0, 1_000, 0, 300, 300])
        try stage.money.expectSoundBooks()
    }

    @Test("what is refunded of points on their way is owed until they come back")
    func refundOnTheWay() throws {
        let stage = try Stage(points: 300)
        defer { stage.service.stop() }
        let (sale, reward) = try stage.money.sale("a", 10_000)
        let id = try stage.redeem().id()
        try stage.money.refund(sale, "all")
        #expect(try stage.points() == [0, 0, 300, 0, 300])
        #expect(try stage.act(id, "cancel", ["reason": "r"]).status == 200)
        #expect(try stage.points() == [0, 0, 0, 0, 0])
        #expect(try stage.money.reward(reward)["status"] == "voided")
        #expect(try stage.money.journal("redemption_id=\(id)").last == "clawback_offset")
        try stage.money.expectSoundBooks()
    }

    @Test("only who is approved redeems, its own points, and what its program has just now")
    func refusals() throws {
        let stage = try Stage(["countries": ["DE", "FR"]])
        defer { stage.service.stop() }
        _ = try stage.money.sale("a", 10_000)
        let ben = try Scene.partner(
            stage.service, program: stage.money.program, name: "ben")
        let theirs = try stage.redeem(nil, ["participant_id": .string(ben.id)])
        #expect(theirs.status == 404)
        let nowhere = try stage.redeem()
        #expect(nowhere.status == 422 && nowhere.code == "not_in_country")
        #expect(nowhere["countries"] == ["DE", "FR"])
        #expect(try stage.redeem(nil, ["country": "GB"]).status == 422)
        let made = try stage.redeem("r", ["country": "DE"])
        #expect(made.status == 201 && made["country"] == "DE")
        let other = try stage.redeem("r", ["country": "FR"])
        #expect(other.status == 409 && other.code == "reference_taken")
        #expect(other.pointer == "/country")
        // A reference is the participant's own.
        let bens = try stage.redeem("r", ["country": "DE"], key: ben.token)
        #expect(bens.code == "not_enough_points")
        let elsewhere = try stage.service.make("/v1/programs", IdempotencyTests.program)
        let foreign = try Scene.catalogItem(stage.service, in: elsewhere)
        let unknown = try stage.redeem(nil, ["item_id": .string(foreign)])
        #expect(unknown.status == 404 && unknown.pointer == "/item_id")
        #expect(
            try stage.service.post("/v1/catalog_items/\(stage.item)/disable").status == 200)
        #expect(try stage.redeem(nil, ["country": "DE"]).code == "item_not_available")
        #expect(
            try stage.service.post("/v1/catalog_items/\(stage.item)/enable").status == 200)
        let named: JSONObject = [
            "participant_id": .string(stage.money.participant), "country": "DE",
        ]
        let suspend = "/v1/participants/\(stage.money.participant)/suspend"
        #expect(try stage.service.post(suspend).status == 200)
        let cheap = try stage.service.send(
            "PATCH", "/v1/catalog_items/\(stage.item)", ["points": 1])
        #expect(cheap.status == 200)
        let suspended = try stage.redeem(nil, named, key: "admin")
        #expect(suspended.status == 409 && suspended.code == "participant_not_approved")
        #expect(try stage.redeem(nil, ["country": "DE"]).status == 403)
        // What was asked for before stays the answer to its reference.
        #expect(try stage.redeem("r", named, key: "admin")["id"] == made["id"])
        try stage.money.expectSoundBooks()
    }

    @Test("fulfilling and cancelling need a key of scope payouts, and an Idempotency-Key")
    func scopes() throws {
        let stage = try Stage()
        defer { stage.service.stop() }
        _ = try stage.money.sale("a", 10_000)
        let id = try stage.redeem().id()
        let writer = try Scene.key(stage.service, "write").secret
        for (action, body) in [("fulfill", [:]), ("cancel", ["reason": "r"])]
            as [(String, JSONValue)]
        {
            let path = "/v1/redemptions/\(id)/\(action)"
            #expect(try stage.service.post(path, body, key: writer).status == 403)
            #expect(try stage.service.post(path, body, key: stage.token).status == 403)
            let bare = try stage.service.send("POST", path, body)
            #expect(bare.code == "idempotency_key_required")
        }
        #expect(try stage.service.get("/v1/redemptions?status=requested").ids == [id])
    }
}
