import JSON
import Testing

@testable import App

/// Leads that fall out and come back: they earn once what they count for, and never what a person
/// refused.
struct ReturningLeadTests {
    private static func stage(_ rule: JSONValue) throws -> MoneyStage {
        try MoneyStage(rules: [rule])
    }

    private static let retroactive: JSONValue = [
        "trigger": "lead.qualified",
        "tiers": [
            "retroactive": true,
            "levels": [
                ["from": 1, "amount": MoneyStage.usd(1_000)],
                ["from": 3, "amount": MoneyStage.usd(3_000)],
            ],
        ],
    ]

    private func move(_ stage: MoneyStage, _ lead: String, _ actions: String...) throws {
        let reason: JSONValue = ["reason": "r", "reason_code": "other"]
        let bodies: [String: JSONValue] = [
            "lose": reason, "disqualify": reason, "reopen": ["reason": "r"],
        ]
        for action in actions {
            let body = bodies[action] ?? [:]
            let answer = try stage.service.post("/v1/leads/\(lead)/\(action)", body)
            #expect(answer.status == 200, "\(action): \(answer.text)")
        }
    }

    private func net(_ stage: MoneyStage) throws -> Int64 {
        try stage.rewards().reduce(0) {
            $0 + ($1["net_amount"]?.objectValue?["amount"]?.integerValue ?? 0)
        }
    }

    @Test("what a person voided or rejected stays so when its lead falls out and comes back")
    func refused() throws {
        let stage = try Self.stage(["trigger": "lead.qualified", "amount": MoneyStage.usd(1_000)])
        defer { stage.service.stop() }
        let (lead, reward) = try stage.qualified()
        #expect(
            try stage.service.post("/v1/rewards/\(reward)/void", ["reason": "fraud"]).status == 200)
        try move(stage, lead, "disqualify", "reopen", "qualify")
        #expect(try stage.rewards().count == 1)
        // One that nobody refused earns again.
        let other = try stage.qualified("tom").lead
        try move(stage, other, "disqualify", "reopen", "qualify")
        #expect(try net(stage) == 1_000)
        try stage.expectSoundBooks()
    }

    @Test(
        "R142: retroactive tiers bring no more for a lead that comes back than for one that stayed")
    func tiers() throws {
        let stage = try Self.stage(Self.retroactive)
        defer { stage.service.stop() }
        let leads = try ["a", "b", "c"].map { try stage.qualified($0).lead }
        #expect(try net(stage) == 9_000)
        for lead in leads {
            try move(stage, lead, "disqualify", "reopen", "qualify")
            #expect(try net(stage) == 9_000, "\(lead)")
        }
        try stage.expectSoundBooks()
    }

    @Test(
        "retroactive tiers bring nothing for rewards that count no more while a payout holds them")
    func heldByPayout() throws {
        let stage = try Self.stage(Self.retroactive)
        defer { stage.service.stop() }
        let leads = try ["a", "b"].map { try stage.qualified($0).lead }
        _ = try stage.submitted("one")
        for lead in leads { try move(stage, lead, "disqualify") }
        #expect(try net(stage) == 0)
        // They count no more either, so that it is the first.
        _ = try stage.qualified("c")
        #expect(try net(stage) == 1_000)
        try stage.expectSoundBooks()
    }
}
