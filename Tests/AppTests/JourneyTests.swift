import Foundation
import JSON
import Testing

@testable import App

/// The main job from end to end, over real sockets.
struct JourneyTests {
    /// A program with rules, an approved partner and a link.
    struct Stage {
        let program: String
        let participant: String
        let code: String

        init(_ service: TestService, holdDays: Int64 = 0) throws {
            program = try service.make(
                "/v1/programs",
                [
                    "name": "Partners", "kind": "partner", "currency": "USD",
                    "hold_days": .integer(holdDays),
                    "destination_url": "https://www.example.com/welcome?plan=pro#top",
                ])
            try #require(try service.post("/v1/programs/\(program)/activate").status == 200)
            _ = try service.make(
                "/v1/programs/\(program)/reward_rules",
                [
                    "trigger": "lead.qualified", "recipient": "referrer", "kind": "cash",
                    "amount": ["amount": 20_000, "currency": "USD"],
                ])
            _ = try service.make(
                "/v1/programs/\(program)/reward_rules",
                [
                    "trigger": "conversion", "recipient": "referrer", "kind": "cash",
                    "basis_points": 1_000,
                ])
            participant = try service.make(
                "/v1/participants",
                [
                    "program_id": .string(program), "name": "Ada", "email": "ada@partner.example",
                    "status": "approved",
                ])
            code = "ada"
            _ = try service.make(
                "/v1/links",
                ["participant_id": .string(participant), "code": "ada", "channel": "email"])
        }
    }

    /// Follows a link as a browser and returns the click's id.
    static func click(_ service: TestService, _ code: String, agent: String = "one") throws
        -> String
    {
        let answer = try service.send(
            "GET", "/r/\(code)", key: nil,
            headers: [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) \(agent)")])
        #expect(answer.status == 302)
        let location = try #require(answer.header("location"))
        #expect(location.hasSuffix("#top"))
        let parts = try #require(URLComponents(string: location))
        return try #require(parts.queryItems?.first { $0.name == "click_id" }?.value)
    }

    @Test("a click becomes a lead, a win, a sale, a reward, a payout and a line of the statement")
    func wholeJourney() throws {
        let service = try TestService()
        defer { service.stop() }
        let stage = try Stage(service)
        let click = try Self.click(service, stage.code)

        let lead = try service.make(
            "/v1/leads",
            [
                "program_id": .string(stage.program), "click_id": .string(click), "name": "Sam",
                "email": "sam@buyer.example",
            ])
        #expect(
            try service.get("/v1/leads/\(lead)")["participant_id"] == .string(stage.participant))
        for action in ["qualify", "advance", "win"] {
            #expect(try service.post("/v1/leads/\(lead)/\(action)").status == 200)
        }
        let conversion = try service.post(
            "/v1/conversions",
            [
                "external_id": "order-1", "lead_id": .string(lead), "kind": "purchase",
                "amount": ["amount": 120_000, "currency": "USD"],
            ])
        #expect(conversion.status == 201)
        #expect(conversion["attribution.credits.0.participant_id"] == .string(stage.participant))
        #expect(conversion["rewards.0.amount.amount"] == 12_000)

        let payout = try service.make(
            "/v1/payouts",
            ["participant_id": .string(stage.participant), "reference": "payout-1"])
        #expect(try service.post("/v1/payouts/\(payout)/submit").status == 200)
        let paid = try service.post("/v1/payouts/\(payout)/confirm")
        #expect(paid["status"] == "paid")
        #expect(paid["amount.amount"] == 32_000)

        let statement = try service.get("/v1/participants/\(stage.participant)/statement")
        #expect(statement.status == 200)
        let proof = try service.get("/v1/ledger/verify")
        #expect(proof["faults"] == .array([]))
    }
}
