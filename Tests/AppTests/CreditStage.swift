import Foundation
import JSON
import Model
import Testing

@testable import App

/// A program with partners Ada, Ben and Eve, a tenth of every sale without a hold; ways to touch
/// a customer, sell to it and ask why.
struct CreditStage {
    let service: TestService
    let program: String
    let ada: String
    let ben: String
    let eve: String

    /// `suffix` tells the names of a further program on the same service apart.
    init(
        _ attribution: JSONValue = [:], kind: String = "customer", points: Int64 = 1_000,
        on running: TestService? = nil, suffix: String = ""
    ) throws {
        service = try running ?? TestService()
        program = try service.make(
            "/v1/programs",
            [
                "name": "Friends", "currency": "USD", "hold_days": 0, "approval_threshold": nil,
                "kind": .string(kind), "attribution": attribution,
                "destination_url": "https://www.example.com/",
            ])
        #expect(try service.post("/v1/programs/\(program)/activate").status == 200)
        _ = try service.make(
            "/v1/programs/\(program)/reward_rules",
            ["trigger": "conversion", "kind": "cash", "basis_points": .integer(points)])
        ada = try Self.participant("ada\(suffix)", program, service)
        ben = try Self.participant("ben\(suffix)", program, service)
        eve = try Self.participant("eve\(suffix)", program, service)
    }

    private static func participant(
        _ name: String, _ program: String, _ service: TestService
    ) throws -> String {
        let id = try service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": .string(name),
                "email": .string("\(name)@partner.example"), "status": "approved",
            ])
        _ = try service.make(
            "/v1/links", ["participant_id": .string(id), "code": .string("code-\(name)")])
        return id
    }

    /// `days` before now.
    func ago(_ days: Double) -> JSONValue {
        let now = service.clock.clock.now()
        return .string(now.advanced(byMilliseconds: -Int64(days * 86_400_000)).rfc3339)
    }

    @discardableResult
    func touch(
        _ participant: String?, _ days: Double, customer: String = "c1",
        source: String = "referral", _ more: JSONObject = [:]
    ) throws -> String {
        var body: JSONObject = [
            "program_id": .string(program), "source": .string(source), "occurred_at": ago(days),
            "customer": ["external_id": .string(customer)],
        ]
        if let participant { body["participant_id"] = .string(participant) }
        for (name, value) in more { body[name] = value }
        return try service.make("/v1/touchpoints", .object(body))
    }

    func sell(
        _ name: String, _ amount: Int64 = 100_000, customer: String? = "c1",
        _ more: JSONObject = [:]
    ) throws -> TestAnswer {
        var body: JSONObject = [
            "program_id": .string(program), "external_id": .string(name), "kind": "purchase",
            "amount": MoneyStage.usd(amount),
        ]
        if let customer { body["customer"] = ["external_id": .string(customer)] }
        for (name, value) in more { body[name] = value }
        let answer = try service.post("/v1/conversions", .object(body))
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    func reattribute(
        _ conversion: String, _ body: JSONObject = [:], status: Int = 201
    ) throws -> TestAnswer {
        var body = body
        body["reason"] = body["reason"] ?? "Ada showed the mail"
        let answer = try service.post("/v1/conversions/\(conversion)/reattribute", .object(body))
        #expect(answer.status == status, "\(answer.text)")
        return answer
    }

    /// Amounts credited of a conversion, by participant; under "nobody" what belongs to none.
    func credits(_ conversion: String, model: String? = nil) throws -> [String: Int64] {
        let query = model.map { "?model=\($0)" } ?? ""
        let answer = try service.get("/v1/conversions/\(conversion)/attribution" + query)
        var sums: [String: Int64] = [:]
        for credit in answer["credits"]?.arrayValue ?? [] {
            let object = credit.objectValue ?? [:]
            sums[object["participant_id"]?.stringValue ?? "nobody"] =
                object["amount"]?.objectValue?["amount"]?.integerValue
        }
        return sums
    }

    /// pending, available, in_payout, paid and clawback_owed.
    func balance(_ participant: String) throws -> [Int64] {
        let answer = try service.get("/v1/participants/\(participant)/balance")
        return MoneyStage.amounts(answer["balances.0"]?.objectValue ?? [:])
    }

    func pay(_ participant: String, _ reference: String) throws {
        let id = try service.make(
            "/v1/payouts",
            ["participant_id": .string(participant), "reference": .string(reference)])
        #expect(try service.post("/v1/payouts/\(id)/submit").status == 200)
        #expect(try service.post("/v1/payouts/\(id)/confirm")["status"] == "paid")
    }

    func explain(_ conversion: String) throws -> TestAnswer {
        let answer = try service.get("/v1/conversions/\(conversion)/explain")
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    func expectSoundBooks() throws {
        let report = try service.get("/v1/ledger/verify")
        #expect(report["sound"] == true, "\(report.text)")
    }
}
