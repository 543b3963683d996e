import JSON
import Testing

@testable import App

/// `/v1/referrals`: one row for each participant and referred person.
struct ReferralTests {
    private func rows(_ stage: MoneyStage, _ query: String = "") throws -> TestAnswer {
        let answer = try stage.service.get(
            "/v1/referrals?participant_id=\(stage.participant)" + query)
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    @Test("a lead is one row that goes from submitted to customer, with what it earned")
    func life() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let lead = try stage.lead()
        let submitted = try rows(stage)
        #expect(submitted["data"]?.arrayValue?.count == 1)
        #expect(submitted["data.0.stage"] == "submitted")
        #expect(submitted["data.0.next_step"] == "review")
        #expect(submitted["data.0.next_step_by"]?.stringValue != nil)
        #expect(submitted["data.0.email"] == "sam@buyer.example")
        #expect(submitted["has_more"] == false)

        #expect(try stage.service.post("/v1/leads/\(lead)/qualify").status == 200)
        let qualified = try rows(stage)
        #expect(qualified["data.0.stage"] == "qualified")
        #expect(qualified["data.0.earned.0.available"] == 20_000)
        #expect(qualified["data.0.next_step"] == "payout")

        let sale = try stage.service.post(
            "/v1/conversions",
            [
                "external_id": "order-1", "lead_id": .string(lead), "kind": "purchase",
                "amount": MoneyStage.usd(50_000),
            ])
        #expect(sale.status == 201, "\(sale.text)")
        let sold = try rows(stage)
        #expect(sold["data"]?.arrayValue?.count == 1)
        #expect(sold["data.0.stage"] == "customer")
        #expect(sold["data.0.sales.count"] == 1)
        #expect(sold["data.0.earned.0.available"] == 25_000)

        let id = try #require(sale["id"]?.stringValue)
        try stage.refund(id, "all")
        let refunded = try rows(stage)
        #expect(refunded["data.0.stage"] == "qualified")
        #expect(refunded["data.0.sales.standing"] == 0)
        #expect(refunded["data.0.earned.0.available"] == 20_000)
    }

    @Test("pages go on from next_cursor, and every person comes once")
    func pages() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for place in 0..<5 { _ = try stage.lead("l\(place)") }
        // A second touch of the first person makes no second row.
        _ = try stage.service.post(
            "/v1/touchpoints",
            [
                "program_id": .string(stage.program), "participant_id": .string(stage.participant),
                "source": "partner", "customer": ["email": "l0@buyer.example"],
            ])
        var seen: [String] = []
        var cursor = ""
        for _ in 0..<10 {
            let page = try rows(stage, "&limit=2" + cursor)
            seen += (page["data"]?.arrayValue ?? []).compactMap {
                $0.objectValue?["email"]?.stringValue
            }
            guard let next = page["next_cursor"]?.stringValue else { break }
            cursor = "&starting_after=\(next)"
        }
        #expect(seen == (0..<5).reversed().map { "l\($0)@buyer.example" }, "\(seen)")
        let unknown = try stage.service.get(
            "/v1/referrals?starting_after=touch_01h2xcejqtf2nbrexx3vqjhp41")
        #expect(unknown.status == 400)
        #expect(unknown["errors.0.code"] == "unknown_cursor")
    }

    @Test("a stage leaves its own rows, and goes on over the others")
    func stages() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for place in 0..<4 { _ = try stage.lead("s\(place)") }
        _ = try stage.qualified("q1")
        _ = try stage.qualified("q2")
        let first = try rows(stage, "&stage=submitted&limit=3")
        #expect(first["data"]?.arrayValue?.count == 3)
        let next = try #require(first["next_cursor"]?.stringValue)
        let rest = try rows(stage, "&stage=submitted&limit=3&starting_after=\(next)")
        #expect(rest["data"]?.arrayValue?.count == 1)
        #expect(rest["has_more"] == false)
        #expect(try rows(stage, "&stage=qualified")["data"]?.arrayValue?.count == 2)
        #expect(try rows(stage, "&stage=lost")["data"]?.arrayValue?.isEmpty == true)
    }

    @Test("a token reads its own rows alone, no customer id, and nothing that a form was told")
    func tokens() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let (service, ada) = (stage.service, stage.participant)
        let bob = try service.make(
            "/v1/participants",
            [
                "program_id": .string(stage.program), "name": "Bob", "email": "bob@partner.example",
                "status": "approved",
            ])
        // Both reached one person.
        _ = try stage.lead("both")
        _ = try service.post(
            "/v1/touchpoints",
            [
                "program_id": .string(stage.program), "participant_id": .string(bob),
                "source": "partner", "customer": ["email": "both@buyer.example"],
            ])
        let key = try Scene.token(service, of: bob)
        let own = try service.get("/v1/referrals", key: key)
        #expect(own["data"]?.arrayValue?.count == 1)
        #expect(own["data.0.participant_id"] == .string(bob))
        #expect(own["data.0.stage"] == "touched")
        #expect(own["data.0.lead_id"] == .null)
        #expect(!own.text.contains("cust_"))
        #expect(!own.text.contains("both@"))
        #expect(try service.get("/v1/referrals?participant_id=\(ada)", key: key).status == 404)
        // A cursor of another participant's is unknown to it.
        let touches = try service.get("/v1/touchpoints?participant_id=\(ada)")
        let foreign = try #require(touches["data.0.id"]?.stringValue)
        let refused = try service.get("/v1/referrals?starting_after=\(foreign)", key: key)
        #expect(refused["errors.0.code"] == "unknown_cursor")
    }

    @Test("two ids of one person are one row after they were merged")
    func merged() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        var customers: [String] = []
        for name in ["one", "two"] {
            let touch = try stage.service.post(
                "/v1/touchpoints",
                [
                    "program_id": .string(stage.program), "source": "partner",
                    "participant_id": .string(stage.participant),
                    "customer": ["external_id": .string(name)],
                ])
            customers.append(try #require(touch["customer_id"]?.stringValue))
        }
        #expect(try rows(stage)["data"]?.arrayValue?.count == 2)
        _ = try stage.service.make(
            "/v1/customers/\(customers[1])/merge",
            ["customer_id": .string(customers[0]), "reason": "They said so."])
        let merged = try rows(stage)
        #expect(merged["data"]?.arrayValue?.count == 1)
        #expect(merged["data.0.customer_id"] == .string(customers[1]))
    }
}
