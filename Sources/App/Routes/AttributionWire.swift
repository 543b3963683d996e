import Attribution
import JSON
import Model
import RewardLedger

/// How an attribution looks on the wire.
enum AttributionWire {
    static let schema = Schema.named(
        "Attribution",
        .object([
            .required("id", .id(AttributionID.self)), .required("object", .choice(["attribution"])),
            .required("conversion_id", .id(ConversionID.self)),
            .required("model", .choice(AttributionModel.allCases.map(\.rawValue))),
            .required("program_version", .integer(1...Int64.max), "Version of the rules applied."),
            .required(
                "window",
                .object([
                    .required("days", .integer(1...400)), .required("from", .time),
                    .required("to", .time),
                ])),
            .required("reason", .choice(AttributionReason.allCases.map(\.rawValue))),
            .required("touches", .list(touch, count: 0...1000)),
            .required("credits", .list(credit, count: 0...100)),
            .required("created_at", .time),
        ]))

    private static let touch = Schema.object([
        .required("touchpoint_id", .id(TouchpointID.self)),
        .required("participant_id", .nullable(.id(ParticipantID.self))),
        .required("source", .choice(Touchpoint.Source.allCases.map(\.rawValue))),
        .required("occurred_at", .time),
        .required("verdict", .choice(TouchVerdict.allCases.map(\.rawValue))),
    ])

    private static let credit = Schema.object([
        .required("participant_id", .id(ParticipantID.self)),
        .required("parts", .integer(1...Int64.max), "Of the sum of all parts."),
        .required("amount", .money(from: 0), "Share of the conversion's amount."),
        .required(
            "registration_id", .nullable(.id(RegistrationID.self)), "The registration that gave it."
        ),
    ])

    static func json(_ attribution: Attribution, _ conversion: Conversion) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(attribution, conversion, &$0) }
        return json.bytes
    }

    static func write(
        _ attribution: Attribution, _ conversion: Conversion, _ json: inout JSONObjectWriter
    ) {
        json.field("id", attribution.id.description)
        json.field("object", "attribution")
        json.field("conversion_id", attribution.conversion.description)
        json.field("model", attribution.model.rawValue)
        json.field("program_version", attribution.programVersion)
        json.object("window") { window in
            let start = conversion.occurredAt.advanced(byDays: Int(-attribution.windowDays))
            window.field("days", attribution.windowDays)
            window.field("from", start.rfc3339)
            window.field("to", conversion.occurredAt.rfc3339)
        }
        json.field("reason", attribution.reason.rawValue)
        json.array("touches") { list in
            for seen in attribution.touches { list.object { write(seen, &$0) } }
        }
        json.array("credits") { list in
            let amounts = Apportionment.split(
                conversion.amount.amount, by: attribution.credits.map(\.parts))
            for (part, amount) in zip(attribution.credits, amounts) {
                list.object { credit in
                    credit.field("participant_id", part.participant.description)
                    credit.field("parts", part.parts)
                    credit.money(
                        "amount", Money(amount: amount, currency: conversion.amount.currency))
                    credit.field("registration_id", part.registration)
                }
            }
        }
        json.field("created_at", attribution.createdAt.rfc3339)
    }

    private static func write(_ seen: Attribution.SeenTouch, _ json: inout JSONObjectWriter) {
        json.field("touchpoint_id", seen.touch.description)
        json.field("participant_id", seen.participant)
        json.field("source", seen.source)
        json.field("occurred_at", seen.occurredAt.rfc3339)
        json.field("verdict", seen.verdict.rawValue)
    }
}

/// The decision about a conversion in words, made from what is stored with it.
enum ExplanationWire {
    static let schema = Schema.named(
        "ConversionExplanation",
        .object([
            .required("object", .choice(["explanation"])),
            .required("conversion_id", .id(ConversionID.self)),
            .required("summary", .text(1...500)),
            .required("rule", .text(1...500)),
            .required(
                "touches",
                .list(
                    .object([
                        .required("touchpoint_id", .id(TouchpointID.self)),
                        .required("verdict", .choice(TouchVerdict.allCases.map(\.rawValue))),
                        .required("because", .text(1...300)),
                    ]), count: 0...1000)),
            .required("reward_ids", .list(.id(RewardID.self), count: 0...100)),
        ]))

    static func json(
        _ conversion: Conversion, _ attribution: Attribution, _ rewards: [Reward]
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            object.field("object", "explanation")
            object.field("conversion_id", conversion.id.description)
            object.field("summary", summary(attribution))
            object.field(
                "rule",
                "Version \(attribution.programVersion) of the program's rules: "
                    + "\(attribution.model.rawValue), touches of the \(attribution.windowDays) "
                    + "days "
                    + "before the conversion, both ends included; equal times are ordered by id.")
            object.array("touches") { list in
                for seen in attribution.touches {
                    list.object { touch in
                        touch.field("touchpoint_id", seen.touch.description)
                        touch.field("verdict", seen.verdict.rawValue)
                        touch.field("because", because(seen, conversion, attribution))
                    }
                }
            }
            object.field("reward_ids", JSONValue.array(rewards.map { .string($0.id.description) }))
        }
        return json.bytes
    }

    private static func summary(_ attribution: Attribution) -> String {
        switch attribution.reason {
        case .credited:
            "The whole credit goes to \(attribution.participant?.description ?? "nobody")."
        case .registration:
            "A deal registration held the account, which outranks every touch: "
                + attribution.credits.prefix(5).map { "\($0.participant) gets \($0.parts) parts" }
                .joined(separator: ", ") + "."
        case .noTouch: "Nobody is credited: no touch of this customer is known."
        case .noTouchInWindow:
            "Nobody is credited: touches are known, but none in the window."
        case .touchEarnsNoCredit:
            "Nobody is credited: the touch that the model chose belongs to no participant."
        }
    }

    private static func because(
        _ seen: Attribution.SeenTouch, _ conversion: Conversion, _ attribution: Attribution
    ) -> String {
        switch seen.verdict {
        case .credited: return "It is the touch that \(attribution.model.rawValue) chooses."
        case .outranked:
            return "It is in the window, but \(attribution.model.rawValue) chooses another."
        case .overridden:
            return "It is in the window, but a deal registration held the account."
        case .noParticipant: return "It was chosen, but its source belongs to no participant."
        case .afterConversion: return "It came after the conversion."
        case .outsideWindow:
            let start = conversion.occurredAt.advanced(byDays: Int(-attribution.windowDays))
            let seconds = (start.milliseconds - seen.occurredAt.milliseconds) / 1000
            return "It came \(seconds) s before the window began."
        }
    }
}
