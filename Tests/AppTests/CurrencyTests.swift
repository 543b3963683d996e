import JSON
import Testing

@testable import App

/// A program's currency, and what holds money back in it.
struct CurrencyTests {
    private static func draft(_ service: TestService, _ currency: String) throws -> String {
        try service.make(
            "/v1/programs",
            [
                "name": "Friends", "currency": .string(currency),
                "destination_url": "https://www.example.com/",
            ])
    }

    @Test("to change the currency is no way around the approval threshold")
    func threshold() throws {
        let service = try TestService()
        defer { service.stop() }
        let clerk = try Scene.key(service, "write").secret
        let rows: [(from: String, patch: JSONValue, status: Int, threshold: JSONValue)] = [
            ("JPY", ["currency": "USD"], 200, MoneyStage.usd(50_000)),
            ("EUR", ["currency": "USD"], 200, MoneyStage.usd(50_000)),
            ("JPY", ["currency": "USD", "approval_threshold": .null], 403, .null),
            (
                "JPY", ["currency": "USD", "approval_threshold": MoneyStage.usd(90_000)], 403,
                .null
            ),
            (
                "JPY", ["currency": "USD", "approval_threshold": MoneyStage.usd(50_000)], 200,
                MoneyStage.usd(50_000)
            ),
            ("USD", ["currency": "JPY"], 200, .null),
        ]
        for row in rows {
            let path = "/v1/programs/" + (try Self.draft(service, row.from))
            let answer = try service.send("PATCH", path, row.patch, key: clerk)
            #expect(answer.status == row.status, "\(row.from) \(row.patch): \(answer.text)")
            #expect(try service.get(path)["approval_threshold"] == row.threshold, "\(row.patch)")
        }
        // Over two currencies and back it is the same.
        let path = "/v1/programs/" + (try Self.draft(service, "USD"))
        for currency in ["JPY", "USD"] {
            let patch: JSONValue = ["currency": .string(currency)]
            #expect(try service.send("PATCH", path, patch, key: clerk).status == 200)
        }
        #expect(try service.get(path)["approval_threshold"] == MoneyStage.usd(50_000))
    }

    @Test("other terms that hold money back are weighed in the new currency too")
    func budget() throws {
        let service = try TestService()
        defer { service.stop() }
        let clerk = try Scene.key(service, "write").secret
        let path = "/v1/programs/" + (try Self.draft(service, "JPY"))
        let limits: JSONValue = ["budget": ["amount": 5_000_000]]
        #expect(try service.send("PATCH", path, limits).status == 200)
        // Five million yen would be fifty thousand dollars.
        let refused = try service.send("PATCH", path, ["currency": "USD"], key: clerk)
        #expect(refused.status == 403 && refused.pointer == "/budget", "\(refused.text)")
        #expect(try service.send("PATCH", path, ["currency": "USD"]).status == 200)
    }

    @Test(
        "the currency is fixed once there is anything in it",
        arguments: ["rule", "participant", "item", "activation"])
    func fixed(what: String) throws {
        let service = try TestService()
        defer { service.stop() }
        let program = try Self.draft(service, "JPY")
        let path = "/v1/programs/\(program)"
        switch what {
        case "rule":
            _ = try service.make(
                path + "/reward_rules",
                ["trigger": "conversion", "amount": ["amount": 500, "currency": "JPY"]])
        case "participant":
            _ = try service.make(
                "/v1/participants",
                ["program_id": .string(program), "name": "Ada", "email": "a@b.example"])
        case "item": _ = try Scene.catalogItem(service, in: program)
        default: #expect(try service.post(path + "/activate").status == 200)
        }
        let refused = try service.send("PATCH", path, ["currency": "USD"])
        #expect(refused.status == 409 && refused.code == "currency_fixed", "\(refused.text)")
        let same = try service.send("PATCH", path, ["currency": "JPY", "name": "New"])
        #expect(same.status == 200, "\(same.text)")
    }
}
