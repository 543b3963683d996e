import Foundation
import JSON
import Testing

@testable import App

/// Every way through a payout, and what rewards it may hold.
struct PayoutWayTests {
    /// What `/balance` says of US dollars.
    static func balance(_ service: TestService, _ participant: String, _ query: String = "") throws
        -> [String: Int64]
    {
        let answer = try service.get("/v1/participants/\(participant)/balance\(query)")
        try #require(answer.status == 200, "\(answer.text)")
        var amounts: [String: Int64] = [:]
        for (name, value) in answer["balances.0"]?.objectValue ?? [:] {
            if let amount = value.integerValue, amount != 0 { amounts[name] = amount }
        }
        return amounts
    }

    static func expectSound(_ service: TestService) throws {
        let proof = try service.get("/v1/ledger/verify")
        #expect(proof["sound"] == true, "\(proof.text)")
        #expect(proof["faults"] == [])
    }

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
        #expect(try Self.balance(scene.service, scene.ada.id) == balance)
        try Self.expectSound(scene.service)
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
        try Self.expectSound(scene.service)
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

    @Test(
        "a percentage is rounded half to even, in minor units",
        arguments: [(120_000, 12_000), (5, 0), (15, 2), (25, 2), (14, 1), (16, 2)])
    func rounding(amount: Int64, expected: Int64) throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let sale = try scene.sale(scene.ada, "s", amount)
        let granted = sale["rewards.0.amount.amount"]?.integerValue ?? 0
        #expect(granted == expected)
        try Self.expectSound(scene.service)
    }

    @Test("a sale that nobody referred earns nothing")
    func unattributed() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let answer = try scene.service.post(
            "/v1/conversions",
            [
                "program_id": .string(scene.program), "external_id": "s", "kind": "purchase",
                "customer": ["external_id": "c"],
                "amount": ["amount": 100_000, "currency": "USD"],
            ])
        #expect(answer.status == 201)
        #expect(answer["rewards"] == [])
        #expect(answer["attribution.credits"] == [])
    }

    @Test("the summary counts rewards by state as they are")
    func summary() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        try scene.sale(scene.ada, "a", 100_000)
        let gone = try #require(
            try scene.sale(scene.ada, "b", 100_000)["rewards.0.id"]?.stringValue)
        try scene.service.post("/v1/rewards/\(gone)/void", ["reason": "r"])
        try scene.sale(scene.ada, "c", 600_000)
        let summary = try scene.service.get("/v1/participants/\(scene.ada.id)/summary")
        #expect(summary["rewards.approved.count"] == 1)
        #expect(summary["rewards.approved.amount"] == 10_000)
        #expect(summary["rewards.voided.count"] == 1)
        #expect(summary["rewards.voided.amount"] == 0)
        #expect(summary["rewards.review.amount"] == 60_000)
    }
}
