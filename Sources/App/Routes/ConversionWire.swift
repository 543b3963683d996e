import Attribution
import JSON
import Model
import Programs
import RewardLedger

/// How a conversion looks on the wire.
enum ConversionWire {
    static let schema = Schema.named("Conversion", .object(fields))

    /// A conversion with the credit and what it earned.
    static let detailed = Schema.named(
        "ConversionDetail",
        .object(
            fields + [
                .required(
                    "attribution", .nullable(AttributionWire.schema), "Null for participants."),
                .required(
                    "rewards", .list(RewardWire.schema, count: 0...ConversionEarnings.most),
                    "The oldest."),
                .required(
                    "has_more_rewards", .boolean,
                    "Whether there are more: all are at /v1/rewards?conversion_id=."),
                .required(
                    "benefits", .list(BenefitWire.schema, count: 0...ConversionEarnings.most),
                    "The oldest."),
                .required(
                    "has_more_benefits", .boolean, "Likewise: /v1/benefits?conversion_id=."),
                .required(
                    "reason", .nullable(.choice(EarnBySale.Reason.all)),
                    "Why a credited sale earned nothing, such as existing_customer. Null: it did, "
                        + "nobody was credited, or no rule speaks about it."),
            ]))

    private static let fields: [Field] = [
        .required("id", .id(ConversionID.self)), .required("object", .choice(["conversion"])),
        .required("program_id", .id(ProgramID.self)), .required("external_id", .text(1...200)),
        .required(
            "customer_id", .nullable(.id(CustomerID.self)),
            "Null for a participant's token, which names people by its own referrals."),
        .required("lead_id", .nullable(.id(LeadID.self))),
        .required(
            "click_id", .nullable(.id(ClickID.self)), "The newest of the clicks that it brought."),
        .required("ref", .nullable(.text(1...64)), "The code of the link that its page carried."),
        .required("code", .nullable(.text(1...64)), "The code of the link that was typed."),
        .required("ignored", IgnoredHintWire.list, IgnoredHintWire.about),
        .required("product", .nullable(.text(1...100))),
        .required(
            "subscription", .nullable(.text(1...200)),
            "Your own id of the subscription that the sale begins, renews or extends."),
        .required("kind", kind), .required("amount", .money(from: 0)),
        .required("refunded", .money(from: 0)), .required("occurred_at", .time),
        .required("metadata", .metadata), .required("created_at", .time),
    ]

    private static let kind = Schema.choice(Conversion.Kind.allCases.map(\.rawValue))

    static let input = Schema.object(
        [
            .optional(
                "program_id", .id(ProgramID.self),
                "Needed unless lead_id, click_id, ref or code names it."),
            .required("external_id", .key(1...200), "Your own id of the sale, unique for good."),
            .optional("customer", NamedCustomer.schema),
            .required("kind", kind), .required("amount", .money(from: 0)),
            .optional("lead_id", .id(LeadID.self)),
            .optional(
                "product", .text(1...100),
                "What was sold, in your words: rules and campaigns may be for some products only."),
            .optional(
                "subscription", .key(1...200),
                "Your own id of the subscription that the sale begins, renews or extends. A "
                    + "renewal or upsell is credited as the sale that began it; without it, as the "
                    + "customer's first credited sale."),
            .optional("occurred_at", .time, "Now unless told; not in the future."),
            .optional("metadata", .metadata),
        ] + HintWire.input)

    static func json(
        _ conversion: Conversion, _ attribution: Attribution?, _ earned: ConversionEarnings,
        for caller: Principal
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 2048)
        json.object { object in
            write(conversion, for: caller, &object)
            if let attribution {
                object.object("attribution") { AttributionWire.write(attribution, conversion, &$0) }
            } else {
                object.null("attribution")
            }
            object.array("rewards") { list in
                for reward in earned.rewards.prefix(ConversionEarnings.most) {
                    list.object { RewardWire.write(reward, &$0) }
                }
            }
            object.field("has_more_rewards", earned.rewards.count > ConversionEarnings.most)
            object.array("benefits") { list in
                for benefit in earned.benefits.prefix(ConversionEarnings.most) {
                    list.object { BenefitWire.write(benefit, for: caller, &$0) }
                }
            }
            object.field("has_more_benefits", earned.benefits.count > ConversionEarnings.most)
            object.field("reason", earned.reason)
        }
        return json.bytes
    }

    static func write(
        _ conversion: Conversion, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        json.field("id", conversion.id.description)
        json.field("object", "conversion")
        json.field("program_id", conversion.program.description)
        json.field("external_id", conversion.externalID)
        json.field("customer_id", conversion.customer.description)
        json.field("lead_id", conversion.lead)
        json.field("click_id", conversion.click)
        json.field("ref", conversion.ref)
        json.field("code", conversion.code)
        IgnoredHintWire.write(conversion.ignored, for: caller, &json)
        json.field("product", conversion.product)
        json.field("subscription", conversion.subscription)
        json.field("kind", conversion.kind.rawValue)
        json.money("amount", conversion.amount)
        json.money(
            "refunded",
            Money(amount: conversion.refundedAmount, currency: conversion.amount.currency))
        json.field("occurred_at", conversion.occurredAt.rfc3339)
        json.field("metadata", JSONValue.object(conversion.metadata))
        json.field("created_at", conversion.createdAt.rfc3339)
    }
}
