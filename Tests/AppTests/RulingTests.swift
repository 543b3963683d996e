import JSON
import Testing

@testable import App

/// Rulings of disputes that the system opened, where both claims stand.
struct RulingTests {
    typealias Deals = RegistrationTests.Deals

    /// The state and share of each claim after the ruling.
    private static let rows: [(decision: JSONValue, claim: String, contested: String)] = [
        (["decision": "uphold"], "rejected 10000", "approved 10000"),
        (["decision": "transfer"], "approved 10000", "rejected 10000"),
        (["decision": "split", "claimant_share": 2_500], "approved 2500", "approved 7500"),
        (["decision": "split", "claimant_share": 9_999], "approved 9999", "approved 1"),
        (["decision": "reject"], "submitted 10000", "approved 10000"),
    ]

    @Test("a dispute that the system opened can be ruled in every way", arguments: rows.indices)
    func systemDispute(place: Int) throws {
        let row = Self.rows[place]
        let deals = try Deals(["approval": "automatic"])
        defer { deals.service.stop() }
        func claim(_ domain: String, _ name: String, _ partner: Scene.Partner) throws -> TestAnswer
        {
            try deals.service.post(
                "/v1/registrations",
                Deals.body(partner, ["domain": .string(domain), "name": .string(name)], []),
                key: partner.token)
        }
        let first = try claim("northwind.example", "Northwind Traders", deals.ada)
        let second = try claim("northwind-group.example", "Northwind Trader Inc.", deals.ben)
        let dispute = try #require(second["dispute_id"]?.stringValue, "\(second.text)")
        var body = row.decision.objectValue ?? [:]
        body["reason"] = "By the minutes of the meeting."
        let ruled = try deals.service.post("/v1/disputes/\(dispute)/resolve", .object(body))
        #expect(ruled.status == 200 && ruled["status"] == "resolved", "\(ruled.text)")
        for (answer, expected) in [(second, row.claim), (first, row.contested)] {
            let now = try deals.service.get("/v1/registrations/\(answer.id())")
            let state = now["status"]?.stringValue ?? ""
            let share = now["share"]?.integerValue ?? -1
            #expect("\(state) \(share)" == expected)
        }
        // And again, now that the shares are what a ruling made of them.
        let again = try deals.service.post(
            "/v1/disputes",
            [
                "registration_id": .string(try second.id()),
                "against_id": .string(try first.id()), "reason": "Once more.",
            ])
        #expect(again.status == 201, "\(again.text)")
        let transfer = try deals.service.post(
            "/v1/disputes/\(again.id())/resolve", ["decision": "transfer", "reason": "Rightly."])
        #expect(transfer.status == (place == 1 ? 409 : 200), "\(transfer.text)")
        let now = try deals.service.get("/v1/registrations/\(second.id())")
        #expect(now["share"] == 10_000 && now["status"] == "approved", "\(now.text)")
    }
}
