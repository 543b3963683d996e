import JSON
import Model
import RewardLedger

/// How a redemption looks on the wire.
enum RedemptionWire {
    static let schema = Schema.named("Redemption", .object(fields))

    /// A redemption with the rewards that it uses.
    static let detailed = Schema.named(
        "RedemptionDetail",
        .object(
            fields + [
                .required(
                    "rewards",
                    .list(
                        .object([
                            .required("reward_id", .id(RewardID.self)),
                            .required("points", .amount(from: 1)),
                        ]), count: 1...RedemptionRules.rewardsMax),
                    "What it uses of each, the oldest first; given back when it is cancelled.")
            ]))

    private static let fields: [Field] = [
        .required("id", .id(RedemptionID.self)), .required("object", .choice(["redemption"])),
        .required("program_id", .id(ProgramID.self)),
        .required("participant_id", .id(ParticipantID.self)),
        .required("item_id", .id(CatalogItemID.self)),
        .required("reference", .nullable(.text(1...100))),
        .required("status", .choice(Redemption.State.allCases.map(\.rawValue))),
        .required("sku", .text(1...100), "The item as it was:"),
        .required("name", .text(1...200)), .required("kind", CatalogItemWire.kind),
        .required("value", .nullable(.money(from: 1))),
        .required("points", .amount(from: 1), "Its price then."),
        .required("clawed_back", .amount(from: 0), "Set off beside it, because it was owed."),
        .required("country", .nullable(ProgramTermsWire.country)),
        .required("fulfillment_reference", .nullable(.text(1...200)), "By which it was given."),
        .required("reason", .nullable(.prose(0...500))),
        .required("settled_at", .nullable(.time)), .required("version", .integer(1...Int64.max)),
        .required("created_at", .time), .required("updated_at", .time),
    ]

    private static let reference = Schema.key(1...100)

    static let input = Schema.object([
        .optional(
            "participant_id", .id(ParticipantID.self), "Whose points; a token means its own."),
        .required("item_id", .id(CatalogItemID.self)),
        .optional(
            "reference", .nullable(reference),
            "Your own name for it, unique with the participant for good: the same once more is "
                + "the same redemption."),
        .optional(
            "country", .nullable(ProgramTermsWire.country),
            "Where it is to be given; needed where the item is for some countries only."),
    ])

    static func json(_ redemption: Redemption, _ items: [RedemptionItem]) -> [UInt8] {
        var json = JSONWriter(capacity: 1024 + 80 * items.count)
        json.object { object in
            write(redemption, &object)
            object.array("rewards") { list in
                for item in items {
                    list.object { json in
                        json.field("reward_id", item.reward)
                        json.field("points", item.amount)
                    }
                }
            }
        }
        return json.bytes
    }

    static func write(_ redemption: Redemption, _ json: inout JSONObjectWriter) {
        json.field("id", redemption.id)
        json.field("object", "redemption")
        json.field("program_id", redemption.program)
        json.field("participant_id", redemption.participant)
        json.field("item_id", redemption.item)
        json.field("reference", redemption.reference)
        json.field("status", redemption.state.rawValue)
        json.field("sku", redemption.offer.sku)
        json.field("name", redemption.offer.name)
        json.field("kind", redemption.offer.kind.rawValue)
        json.money("value", redemption.offer.value)
        json.field("points", redemption.points)
        json.field("clawed_back", redemption.clawbackAmount)
        json.field("country", redemption.country?.code)
        json.field("fulfillment_reference", redemption.fulfillmentReference)
        json.field("reason", redemption.reason)
        json.field("settled_at", redemption.settledAt)
        json.field("version", redemption.version)
        json.field("created_at", redemption.createdAt)
        json.field("updated_at", redemption.updatedAt)
    }
}
