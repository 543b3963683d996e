import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/participants/{id}/tiers`: which level a participant has reached in each rule that has
/// them, and how far the next one is.
enum TierRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/participants/{id}/tiers", .keyOrParticipant(.read), .read(list), listing)
    }

    // MARK: - Handlers

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        try reader.snapshot {
            let participant = try call.participantInPath(reader)
            let standings = try TierStanding.all(
                of: participant.id, GrantRewards.person(participant), in: participant.program,
                call.zone(of: participant.program, reader), at: LedgerReads.lastCommit(reader),
                reader)
            return .whole(standings, call) { standing, data in
                data.object { write(standing, for: call.principal, &$0) }
            }
        }
    }

    // MARK: - Contracts

    private static let listing = Contract(
        operationID: "listTiers",
        summary: "The participant's tier in each active rule that has them, oldest rule first.",
        answer: .page(
            of: .named(
                "TierStanding",
                .object([
                    .required("rule_id", .id(RewardRuleID.self)),
                    .required(
                        "rule_name", .nullable(.text(1...100)), "Null for a participant's token."),
                    .required("trigger", .choice(RewardRule.TriggerName.ofRules.map(\.rawValue))),
                    .required("counts", .choice(ReferralCount.Event.allCases.map(\.rawValue))),
                    .required("from", .nullable(.time), "Since when they count; null: ever."),
                    .required("to", .nullable(.time), "The first instant of the next period."),
                    .required("count", .integer(0...Int64.max), "Referrals that have counted."),
                    .required(
                        "level", .nullable(RewardRuleWire.level), "Reached; null: none yet."),
                    .required(
                        "next", .nullable(RewardRuleWire.level),
                        "Null on the highest. The referral that reaches it is paid by it."),
                    .required(
                        "missing", .nullable(.integer(1...1_000_000)), "Referrals up to `next`."),
                ]))))

    private static func write(
        _ standing: TierStanding, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        json.field("rule_id", standing.rule.id)
        json.field("rule_name", caller.participant == nil ? standing.rule.name : nil)
        json.field("trigger", standing.rule.terms.trigger.rawValue)
        json.field("counts", standing.tiers.counts.rawValue)
        json.field("from", standing.period?.start)
        json.field("to", standing.period?.end)
        json.field("count", standing.count)
        json.field("level", standing.level.map { RewardRuleWire.json($0) } ?? .null)
        json.field("next", standing.next.map { RewardRuleWire.json($0) } ?? .null)
        json.field("missing", standing.next.map { $0.from - standing.count })
    }
}
