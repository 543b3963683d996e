import JSON
import Model
import RewardLedger

/// How a participant's summary looks on the wire.
enum SummaryWire {
    static let schema = Schema.named(
        "ParticipantSummary",
        .object([
            .required("object", .choice(["participant_summary"])),
            .required("participant_id", .id(ParticipantID.self)),
            .required("currency", .currency),
            .required(
                "rewards",
                .object(
                    Reward.State.allCases.map { state in
                        .required(
                            state.rawValue,
                            .object([
                                .required("count", .integer(0...Int64.max)),
                                .required("amount", .integer(0...Int64.max), "Minor units."),
                                .required("points", .amount(from: 0), "Of those in points."),
                            ]))
                    })),
            .required("balance", .object(BalanceWire.amounts), "Now, as /balance tells it."),
            .required(
                "paid_by_year",
                .list(
                    .object(
                        [
                            .required("year", .integer(1...9999), "In the program's time_zone."),
                            .required("amount", .amount(from: 0), "Minor units: all kinds."),
                            .required(
                                "restated", .boolean,
                                "Whether something that was paid in this year has come back, so "
                                    + "that the amount was higher before."),
                        ]
                            + Payout.Kind.allCases.map {
                                .required($0.rawValue, .amount(from: 0))
                            }), count: 0...10_000),
                "What payouts have paid, by the year of their confirmation, oldest first."),
        ]))

    static func json(
        _ participant: ParticipantID, _ currency: Currency, counters: [String: Int64],
        balance: ParticipantBalance, years: [PaidYear]
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            object.field("object", "participant_summary")
            object.field("participant_id", participant)
            object.field("currency", currency.code)
            object.object("rewards") { states in
                for state in Reward.State.allCases {
                    let name = "rewards.\(state.rawValue)"
                    states.object(state.rawValue) { json in
                        json.field("count", counters[name] ?? 0)
                        json.field("amount", counters[name + ".amount"] ?? 0)
                        json.field("points", counters[name + ".points"] ?? 0)
                    }
                }
            }
            object.object("balance") { BalanceWire.write(balance, &$0) }
            object.array("paid_by_year") { list in
                for year in years {
                    list.object { json in
                        json.field("year", year.year)
                        json.field("amount", year.total)
                        json.field("restated", year.isRestated)
                        for kind in Payout.Kind.allCases {
                            json.field(kind.rawValue, year.amounts[kind] ?? 0)
                        }
                    }
                }
            }
        }
        return json.bytes
    }
}
