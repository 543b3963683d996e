import JSON
import Testing

@testable import App

/// What a portal shows a partner of its levels.
struct TierTests {
    @Test("R142: the second referral leaves one to Silver, the third reaches it, the sixth the top")
    func levels() throws {
        let names = ["Bronze", "Silver", "Gold"]
        let levels = zip(names, [1, 3, 6] as [Int64]).map { name, from -> JSONValue in
            ["name": .string(name), "from": .integer(from), "amount": MoneyStage.usd(from * 100)]
        }
        let stage = try MoneyStage(rules: [
            ["trigger": "lead.qualified", "tiers": ["levels": .array(levels)]],
            [
                "trigger": "lead.won", "participant_kinds": ["employee"],
                "tiers": ["levels": .array(levels)],
            ],
            ["trigger": "lead.won", "amount": MoneyStage.usd(5)],
        ])
        defer { stage.service.stop() }
        let path = "/v1/participants/\(stage.participant)/tiers"
        let none = try stage.service.get(path)
        #expect(none["data.0.count"] == 0)
        #expect(none["data.0.level"] == .null)
        #expect(none["data.0.next.name"] == "Bronze")
        #expect(none["data.0.missing"] == 1)
        // Not the one for employees, nor the one without tiers.
        #expect(none["data"]?.arrayValue?.count == 1)
        var seen: [String] = []
        for place in 1...6 {
            _ = try stage.qualified("l\(place)")
            let now = try stage.service.get(path)
            #expect(now["data.0.count"] == .integer(Int64(place)))
            seen.append(
                [now["data.0.level.name"], now["data.0.next.name"], now["data.0.missing"]]
                    .map { $0?.text ?? "" }.joined(separator: " "))
        }
        #expect(
            seen == [
                #""Bronze" "Silver" 2"#, #""Bronze" "Silver" 1"#, #""Silver" "Gold" 3"#,
                #""Silver" "Gold" 2"#, #""Silver" "Gold" 1"#, #""Gold"  null"#,
            ], "\(seen)")
        #expect(
            try stage.service.get(path)["data.0.level.amount.amount"] == 600)
    }
}
