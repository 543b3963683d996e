import Database
import Database
import Foundation
import JSON
import Testing

@testable import App

/// A partner program in dollars: 200 for a qualified lead, a tenth of every sale; with an approved
/// partner.
struct MoneyStage {
    let service: TestService
    let program: String
    let participant: String

    init(
        holdDays: Int64 = 0, threshold: Int64? = nil, rules: [JSONValue]? = nil
    ) throws {
        service = try TestService()
        program = try service.make(
            "/v1/programs",
            [
                "name": "Partners", "currency": "USD", "hold_days": .integer(holdDays),
                "approval_threshold": threshold.map { Self.usd($0) } ?? .null,
                "destination_url": "https://www.example.com/",
                // A customer program has none unless it says so.
                "service_levels": [
                    "review_hours": 24, "tell_qualified_hours": 24, "tell_won_hours": 48,
                    "credit_business_days": 5, "pay_days": 30,
                ],
            ])
        #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
        let standard: [JSONValue] = [
            [
                "trigger": "lead.qualified", "recipient": "referrer", "kind": "cash",
                "amount": Self.usd(20_000),
            ],
            [
                "trigger": "conversion", "recipient": "referrer", "kind": "cash",
                "basis_points": 1_000,
            ],
        ]
        for rule in rules ?? standard {
            _ = try service.make("/v1/programs/\(program)/reward_rules", rule)
        }
        participant = try service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": "Ada Lovelace",
                "email": "ada@partner.example", "status": "approved",
            ])
    }

    /// The same program behind a service that was started again.
    init(_ old: MoneyStage, reopenedBy service: TestService) {
        self.service = service
        program = old.program
        participant = old.participant
    }

    static func usd(_ amount: Int64) -> JSONValue {
        ["amount": .integer(amount), "currency": "USD"]
    }

    // MARK: - Steps

    func lead(_ name: String = "sam") throws -> String {
        try service.make(
            "/v1/leads",
            ["participant_id": .string(participant), "email": .string("\(name)@buyer.example")])
    }

    /// A lead that is qualified, and the reward for it.
    func qualified(_ name: String = "sam") throws -> (lead: String, reward: String) {
        let lead = try lead(name)
        #expect(try service.post("/v1/leads/\(lead)/qualify").status == 200)
        let reward = try #require(try rewards("&lead_id=\(lead)").first?["id"]?.stringValue)
        return (lead, reward)
    }

    /// A sale of `amount` cents to a lead of the partner, and the reward for it.
    func sale(_ name: String, _ amount: Int64) throws -> (conversion: String, reward: String) {
        let answer = try service.post(
            "/v1/conversions",
            [
                "external_id": .string("order-\(name)"), "lead_id": .string(try lead(name)),
                "kind": "purchase", "amount": Self.usd(amount),
            ])
        #expect(answer.status == 201, "\(answer.text)")
        return (
            try #require(answer.json["id"]?.stringValue),
            try #require(answer["rewards.0.id"]?.stringValue)
        )
    }

    @discardableResult
    func refund(_ conversion: String, _ name: String, _ amount: Int64? = nil) throws -> TestAnswer {
        var body: JSONObject = ["external_id": .string("refund-\(name)")]
        if let amount { body["amount"] = Self.usd(amount) }
        let answer = try service.post("/v1/conversions/\(conversion)/refund", .object(body))
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    func draft(_ reference: String) throws -> TestAnswer {
        let answer = try service.post(
            "/v1/payouts",
            ["participant_id": .string(participant), "reference": .string(reference)])
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    /// A payout with the provider.
    func submitted(_ reference: String) throws -> String {
        let id = try #require(try draft(reference).json["id"]?.stringValue)
        #expect(try service.post("/v1/payouts/\(id)/submit").status == 200)
        return id
    }

    @discardableResult
    func paid(_ reference: String) throws -> String {
        let id = try submitted(reference)
        #expect(try service.post("/v1/payouts/\(id)/confirm")["status"] == "paid")
        return id
    }

    /// Does what is due now, beside the runner that may be at it as well.
    func runJobs() {
        var reader: Reader?
        while service.service.jobs.runSlice(&reader) {}
    }

    // MARK: - Views

    func reward(_ id: String) throws -> TestAnswer { try service.get("/v1/rewards/\(id)") }

    func rewards(_ filter: String = "") throws -> [JSONObject] {
        try service.list("/v1/rewards?limit=100&participant_id=\(participant)" + filter)
    }

    /// The kinds of the journal's entries for one reward or payout, oldest first.
    func journal(_ filter: String) throws -> [String] {
        try service.list("/v1/ledger/transactions?limit=100&" + filter).reversed()
            .compactMap { $0["kind"]?.stringValue }
    }

    /// pending, available, in_payout, paid and clawback_owed in dollars' cents.
    func balance(asOf time: String? = nil) throws -> [Int64] {
        let query = time.map { "?as_of=\($0)" } ?? ""
        let answer = try service.get("/v1/participants/\(participant)/balance" + query)
        #expect(answer.status == 200, "\(answer.text)")
        return Self.amounts(answer["balances.0"]?.objectValue ?? [:])
    }

    static func amounts(_ object: JSONObject) -> [Int64] {
        ["pending", "available", "in_payout", "paid", "clawback_owed"].map {
            object[$0]?.integerValue ?? 0
        }
    }

    func expectSoundBooks() throws {
        let report = try service.get("/v1/ledger/verify")
        #expect(report["sound"] == true, "\(report.text)")
        #expect(report["faults"] == .array([]))
    }
}
