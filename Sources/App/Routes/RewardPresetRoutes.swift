import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/reward_presets`: rules that programs commonly begin with, to be sent to `reward_rules`.
enum RewardPresetRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/reward_presets", .key(.read), .direct(list), listing)
    }

    // MARK: - Handlers

    private static func list(_ call: Call) throws -> Response {
        guard let dollar = Currency("USD") else { throw Refused(.notFound()) }
        return .whole(RewardPreset.all(dollar), call) { preset, data in
            data.object { json in
                json.field("object", "reward_preset")
                json.field("name", preset.name)
                json.field("about", preset.about)
                json.field("low", JSONValue.array(preset.low.map(\.json)))
                json.field("high", JSONValue.array(preset.high.map(\.json)))
            }
        }
    }

    // MARK: - Contracts

    private static let schema = Schema.named(
        "RewardPreset",
        .object([
            .required("object", .choice(["reward_preset"])), .required("name", .text(1...100)),
            .required("about", .text(1...500)),
            .required(
                "low", .list(RewardRuleWire.input, count: 0...10),
                "Rules at the low end of the usual range, in US dollars, as reward_rules take them."
            ),
            .required("high", .list(RewardRuleWire.input, count: 0...10), "And at the high end."),
        ]))

    private static let listing = Contract(
        operationID: "listRewardPresets",
        summary: "Rules that programs commonly begin with, from low to high.",
        answer: .page(of: schema))
}
