import Foundation
import JSON
import Testing

@testable import App

/// A payout from draft to its outcome.
struct PayoutTests {
    /// A draft of ada's two rewards of 10,000 and 5,000.
    static func draft() throws -> (Scene, String) {
        let scene = try Scene(TestService())
        try scene.sale(scene.ada, "a", 100_000)
        try scene.sale(scene.ada, "b", 50_000)
        return (scene, try scene.payout(scene.ada, "p"))
    }

    @Test(
        "each way through a payout ends in its status, with the money where it belongs",
        arguments: [
            (["submit"], "processing", ["in_payout": 15_000]),
            (["submit", "confirm"], "paid", ["paid": 15_000]),
            (["submit", "fail"], "failed", ["available": 15_000]),
            (["submit", "mark_unknown"], "unknown", ["in_payout": 15_000]),
            (["submit", "mark_unknown", "confirm"], "paid", ["paid": 15_000]),
            (["submit", "mark_unknown", "fail"], "failed", ["available": 15_000]),
            (["cancel"], "cancelled", ["available": 15_000]),
        ] as [([String], String, [String: Int64])])
    func ways(actions: [String], status: String, balance: [String: Int64]) throws {
        let (scene, payout) = try Self.draft()
        defer { scene.service.stop() }
        for action in actions {
            let body: JSONValue = action == "fail" ? ["reason": "account closed"] : [:]
            let answer = try scene.service.post("/v1/payouts/\(payout)/\(action)", body)
            #expect(answer.status == 200, "\(answer.text)")
        }
        #expect(try scene.service.get("/v1/payouts/\(payout)")["status"] == .string(status))
        #expect(try MoneyTests.balance(scene.service, scene.ada.id) == balance)
        try MoneyTests.expectSound(scene.service)
    }

    @Test(
        "an action that the status does not allow is 409 and changes nothing",
        arguments: [
            (["confirm"], "draft"), (["fail"], "draft"), (["mark_unknown"], "draft"),
            (["submit", "submit"], "processing"), (["submit", "cancel"], "processing"),
            (["submit", "confirm", "confirm"], "paid"), (["submit", "confirm", "fail"], "paid"),
            (["submit", "fail", "submit"], "failed"), (["cancel", "submit"], "cancelled"),
        ])
    func wrongWays(actions: [String], status: String) throws {
        let (scene, payout) = try Self.draft()
        defer { scene.service.stop() }
        var last: TestAnswer?
        for action in actions {
            let body: JSONValue = action == "fail" ? ["reason": "r"] : [:]
            last = try scene.service.post("/v1/payouts/\(payout)/\(action)", body)
        }
        #expect(last?.status == 409)
        #expect(last?.code == "invalid_transition")
        #expect(try scene.service.get("/v1/payouts/\(payout)")["status"] == .string(status))
        try MoneyTests.expectSound(scene.service)
    }

    @Test("a part payment settles the oldest rewards and frees the rest for a new payout")
    func partly() throws {
        let (scene, payout) = try Self.draft()
        defer { scene.service.stop() }
        try scene.service.post("/v1/payouts/\(payout)/submit")
        let answer = try scene.service.post(
            "/v1/payouts/\(payout)/confirm",
            ["paid_amount": ["amount": 12_000, "currency": "USD"]])
        #expect(answer["status"] == "partially_paid")
        #expect(answer["rewards.0.settled.amount"] == 10_000)
        #expect(answer["rewards.1.settled.amount"] == 2_000)
        let next = try scene.service.get("/v1/payouts/\(scene.payout(scene.ada, "p2"))")
        #expect(next["amount.amount"] == 3_000)
        try MoneyTests.expectSound(scene.service)
    }

    @Test(
        "a paid amount over the payout's or in another currency is refused",
        arguments: [(15_001, "USD"), (1, "EUR")])
    func badPaid(amount: Int64, currency: String) throws {
        let (scene, payout) = try Self.draft()
        defer { scene.service.stop() }
        try scene.service.post("/v1/payouts/\(payout)/submit")
        let answer = try scene.service.post(
            "/v1/payouts/\(payout)/confirm",
            ["paid_amount": ["amount": .integer(amount), "currency": .string(currency)]])
        #expect([400, 409, 422].contains(answer.status), "\(answer.text)")
        #expect(try scene.service.get("/v1/payouts/\(payout)")["status"] == "processing")
    }

    @Test("a reward is in one payout at a time")
    func once() throws {
        let (scene, _) = try Self.draft()
        defer { scene.service.stop() }
        let second = try scene.service.post(
            "/v1/payouts", ["participant_id": .string(scene.ada.id), "reference": "p2"])
        #expect(second.status == 409)
        #expect(second.code == "nothing_to_pay")
    }

    @Test("rewards on hold and in review are in no payout")
    func onlyApproved() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "large", 900_000)
        try scene.sale(scene.ada, "small", 100)
        let payout = try scene.service.get("/v1/payouts/\(scene.payout(scene.ada, "p"))")
        #expect(payout["amount.amount"] == 10)
        #expect(payout["reward_count"] == 1)
    }

    @Test("a payout in another currency than the program's, or for nobody, is refused")
    func badDraft() throws {
        let (scene, _) = try Self.draft()
        defer { scene.service.stop() }
        let other = try scene.service.post(
            "/v1/payouts",
            [
                "participant_id": .string(scene.ada.id), "reference": "p2", "currency": "EUR",
            ])
        #expect((400..<500).contains(other.status))
        let nobody = try scene.service.post(
            "/v1/payouts",
            ["participant_id": "part_01h455vb4pex5vsknk084sn02q", "reference": "p3"])
        #expect(nobody.status == 404)
        #expect(nobody.pointer == "/participant_id")
    }

    @Test("a refund while the payout is on its way is owed, whatever becomes of the payout")
    func refundInFlight() throws {
        for outcome in ["confirm", "fail"] {
            let scene = try Scene(TestService())
            defer { scene.service.stop() }
            let sale = try scene.sale(scene.ada, "a", 100_000)
            let payout = try scene.payout(scene.ada, "p")
            try scene.service.post("/v1/payouts/\(payout)/submit")
            try MoneyTests.refund(scene, sale, "r", 100_000)
            try scene.service.post(
                "/v1/payouts/\(payout)/\(outcome)", outcome == "fail" ? ["reason": "r"] : [:])
            let expected: [String: Int64] =
                outcome == "fail" ? [:] : ["paid": 10_000, "clawback_owed": 10_000]
            #expect(try MoneyTests.balance(scene.service, scene.ada.id) == expected)
            try MoneyTests.expectSound(scene.service)
        }
    }

    @Test("the provider's reference is kept, and shown")
    func providerReference() throws {
        let (scene, payout) = try Self.draft()
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/payouts/\(payout)/submit", ["provider_reference": "tr_123"])
        #expect(answer["provider_reference"] == "tr_123")
        #expect(answer["submitted_at"] != .null)
    }

    @Test("payouts as CSV: a header, a row each, formulas made harmless")
    func export() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "a", 100_000)
        _ = try scene.payout(scene.ada, "=1+1,\"x\"")
        let csv = try scene.service.get("/v1/payouts.csv")
        #expect(csv.header("content-type") == "text/csv; charset=utf-8; header=present")
        #expect(csv.header("content-disposition")?.contains("payouts.csv") == true)
        let rows = csv.text.components(separatedBy: "\r\n")
        #expect(rows.count == 3)
        #expect(rows[0].hasPrefix("id,reference,program_id"))
        #expect(rows[1].contains(",\"'=1+1,\"\"x\"\"\","))
        #expect(rows[1].contains(",USD,10000,0,10000,0,1,"))
        #expect(try scene.service.get("/v1/payouts.csv?status=paid").text.hasSuffix("at\r\n"))
    }

    @Test("lists of payouts and rewards are filtered")
    func filters() throws {
        let (scene, payout) = try Self.draft()
        defer { scene.service.stop() }
        try scene.sale(scene.ben, "c")
        let all = try scene.service.get("/v1/rewards?limit=100").ids
        #expect(all.count == 3)
        for (query, count) in [
            ("payout_id=\(payout)", 2), ("participant_id=\(scene.ben.id)", 1),
            ("status=paid", 0), ("program_id=\(scene.program)", 3),
        ] {
            #expect(try scene.service.get("/v1/rewards?\(query)").ids.count == count, "\(query)")
        }
        #expect(try scene.service.get("/v1/payouts?status=draft").ids == [payout])
        #expect(try scene.service.get("/v1/payouts?status=paid").ids.isEmpty)
    }
}
