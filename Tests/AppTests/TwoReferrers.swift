import HTTP
import JSON
import Testing

@testable import App

/// A program in which two participants have one of everything, for tests about who sees what.
struct TwoReferrers {
    /// A participant with its token, and the ids of what is its own.
    struct Referrer {
        let id: String
        let token: String
        let tokenID: String
        let link: String
        let lead: String
        let conversion: String
        let reward: String
        let payout: String
    }

    let program: String
    let ada: Referrer
    let ben: Referrer

    init(_ service: TestService) throws {
        program = try TwoReferrers.program(service)
        ada = try TwoReferrers.referrer("ada", in: program, service)
        ben = try TwoReferrers.referrer("ben", in: program, service)
    }

    /// An active program that gives a tenth of every sale, approved at once.
    static func program(_ service: TestService) throws -> String {
        let program = try service.make(
            "/v1/programs",
            [
                "name": "Partners", "kind": "partner", "currency": "USD", "hold_days": 0,
                "destination_url": "https://www.example.com/welcome",
            ])
        try #require(try service.post("/v1/programs/\(program)/activate").status == 200)
        _ = try service.make(
            "/v1/programs/\(program)/reward_rules",
            [
                "trigger": "conversion", "recipient": "referrer", "kind": "cash",
                "basis_points": 1_000,
            ])
        return program
    }

    static func participant(
        _ name: String, in program: String, _ service: TestService
    ) throws -> String {
        try service.make(
            "/v1/participants",
            [
                "program_id": .string(program), "name": .string(name),
                "email": .string("\(name)@partner.example"), "status": "approved",
            ])
    }

    /// The secret of a new token.
    static func token(of participant: String, _ service: TestService) throws -> TestAnswer {
        let answer = try service.post("/v1/participants/\(participant)/tokens")
        try #require(answer.status == 201)
        return answer
    }

    static func sale(_ id: String, of lead: String, cents: Int64 = 50_000) -> JSONValue {
        [
            "external_id": .string(id), "lead_id": .string(lead), "kind": "purchase",
            "amount": ["amount": .integer(cents), "currency": "USD"],
        ]
    }

    private static func referrer(
        _ name: String, in program: String, _ service: TestService
    ) throws -> Referrer {
        let id = try participant(name, in: program, service)
        let token = try token(of: id, service)
        let link = try service.make(
            "/v1/links", ["participant_id": .string(id), "code": .string(name)])
        let lead = try service.make(
            "/v1/leads",
            ["participant_id": .string(id), "email": .string("\(name)@buyer.example")])
        let conversion = try service.post("/v1/conversions", sale("sale-of-\(name)", of: lead))
        let payout = try service.make(
            "/v1/payouts",
            ["participant_id": .string(id), "reference": .string("payout-of-\(name)")])
        return Referrer(
            id: id, token: try #require(token["secret"]?.stringValue),
            tokenID: try #require(token["id"]?.stringValue), link: link, lead: lead,
            conversion: try #require(conversion["id"]?.stringValue),
            reward: try #require(conversion["rewards.0.id"]?.stringValue), payout: payout)
    }
}

extension Endpoint {
    /// Where the endpoint is, as a contract and a test name it.
    var name: String { "\(method.rawValue) \(path)" }

    /// The path with `id` in place of every parameter.
    func target(_ id: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map {
            $0.hasPrefix("{") ? id : String($0)
        }.joined(separator: "/")
    }
}

extension TestService {
    /// A secret key with these scopes.
    func secretKey(_ scopes: [String]) throws -> String {
        let answer = try post(
            "/v1/api_keys",
            ["name": "test", "scopes": .array(scopes.map { .string($0) })])
        return try #require(answer["secret"]?.stringValue)
    }
}
