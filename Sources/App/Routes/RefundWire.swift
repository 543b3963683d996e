import Attribution
import JSON
import Model
import Programs

/// How a refund looks on the wire.
enum RefundWire {
    static let schema = Schema.named(
        "Refund",
        .object([
            .required("id", .id(RefundID.self)), .required("object", .choice(["refund"])),
            .required("program_id", .id(ProgramID.self)),
            .required(
                "conversion_id", .nullable(.id(ConversionID.self)),
                "Null while the refund is parked: its sale has not come."),
            .required("conversion_external_id", name, "The sale's external_id."),
            .required("external_id", name), .required("kind", kind),
            .required(
                "status", .choice(Refund.State.allCases.map(\.rawValue)),
                "parked: it waits for its sale. reversed: it is in force no more."),
            .required(
                "asked", .nullable(.money(from: 0)),
                "What it asks for; without an amount, the whole sale. Null while that is unknown."),
            .required(
                "applied", .nullable(.money(from: 0)),
                "What the sale lost by it, which is less than asked where other refunds had taken "
                    + "a part. Null while it is parked."),
            .required("amount", .nullable(.money(from: 0)), "As asked."),
            .required("reason", .nullable(.prose(0...500))),
            .required(
                "conversion_refunded", .nullable(.money(from: 0)),
                "What the refunds in force take of the sale together."),
            .required(
                "reversal", .nullable(reversal), "How it was reversed; null while it is in force."),
            .required("created_at", .time),
            .required("applied_at", .nullable(.time), "When it was applied to its sale."),
        ]))

    private static let reversal = Schema.object([
        .required("external_id", name, "Your own id of the reversal."),
        .required("kind", reversalKind),
        .required(
            "applied", .money(from: 0),
            "What the sale got back by it: less than the refund where others take as much."),
        .required("reason", .nullable(.prose(0...500))), .required("created_at", .time),
    ])

    private static let name = Schema.text(1...200)
    private static let key = Schema.key(1...200)
    private static let kind = Schema.choice(Refund.Kind.allCases.map(\.rawValue))
    private static let reversalKind = Schema.choice(
        Refund.Reversal.Kind.allCases.map(\.rawValue))

    private static let members: [Field] = [
        .required("external_id", key, "Your own id of the refund, unique for good."),
        .optional("kind", kind, "Default refund."),
        .optional(
            "amount", .money(from: 1),
            "On the same base as the sale, net or gross. Without it the refund asks for the whole "
                + "sale, also after other refunds."),
        .optional("reason", .nullable(.prose(0...500))),
    ]

    static let input = Schema.object(members)

    static let namingInput = Schema.object(
        [
            .required("program_id", .id(ProgramID.self)),
            .required(
                "conversion_external_id", key,
                "The sale's external_id. If the sale has not come yet, the refund is parked and "
                    + "applied when it comes."),
        ] + members)

    static let reversalInput = Schema.object([
        .required(
            "external_id", key, "Your own id of the reversal, unique among the program's."),
        .required(
            "kind", reversalKind,
            "chargeback_won: the dispute was won. reinstated: the order is paid after all. "
                + "mistake: there was no refund."),
        .optional("reason", .nullable(.prose(0...500))),
    ])

    /// The answer 200 of a refund.
    static let unchanged =
        "Recorded before with the same content, or nothing of the sale was left to take."

    static func refund(
        _ sale: RefundConversion.Sale, _ call: Call
    ) throws -> RefundConversion {
        let body = call.body
        return RefundConversion(
            sale: sale, externalID: try body.requiredText("external_id"),
            kind: body.text("kind").flatMap { Refund.Kind(rawValue: $0) } ?? .refund,
            amount: body.money("amount"), reason: body.text("reason"), actor: call.principal.actor)
    }

    static func json(_ refund: Refund, _ conversion: Conversion?) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(refund, conversion, &$0) }
        return json.bytes
    }

    static func write(
        _ refund: Refund, _ conversion: Conversion?, _ json: inout JSONObjectWriter
    ) {
        func money(_ amount: Int64?) -> Money? {
            amount.map { Money(amount: $0, currency: refund.currency) }
        }
        let asked = money(refund.asked ?? conversion?.amount.amount)
        json.field("id", refund.id)
        json.field("object", "refund")
        json.field("program_id", refund.program)
        json.field("conversion_id", refund.conversion)
        json.field("conversion_external_id", refund.conversionExternalID)
        json.field("external_id", refund.externalID)
        json.field("kind", refund.kind.rawValue)
        json.field("status", refund.state.rawValue)
        json.money("asked", asked)
        json.money("applied", money(refund.applied))
        json.money("amount", asked)
        json.field("reason", refund.reason)
        json.money("conversion_refunded", money(conversion?.refundedAmount))
        if let reversal = refund.reversal {
            json.object("reversal") { object in
                object.field("external_id", reversal.externalID)
                object.field("kind", reversal.kind.rawValue)
                object.money(
                    "applied", Money(amount: reversal.applied, currency: refund.currency))
                object.field("reason", reversal.reason)
                object.field("created_at", reversal.createdAt)
            }
        } else {
            json.null("reversal")
        }
        json.field("created_at", refund.createdAt)
        json.field("applied_at", refund.appliedAt)
    }
}
