import Attribution
import JSON
import Model
import RewardLedger

/// How an attribution looks on the wire.
enum AttributionWire {
    static let schema = Schema.named(
        "Attribution",
        .object([
            .required(
                "id", .nullable(.id(AttributionID.self)),
                "Null: not a result that counts, but what another model would give."),
            .required("object", .choice(["attribution"])),
            .required("conversion_id", .id(ConversionID.self)),
            .required("cause", .choice(Attribution.Cause.allCases.map(\.rawValue))),
            .required(
                "cause_reason", .nullable(.prose(0...500)), "Why a person asked for it."),
            .required("actor", .text(1...64)),
            .required("model", model),
            .required("program_version", .integer(1...Int64.max), "Version of the rules applied."),
            .required("terms", ProgramTermsWire.attribution.whole, "The rules applied."),
            .required(
                "window",
                .object([
                    .required("days", .integer(1...400)), .required("from", .time),
                    .required("to", .time),
                ])),
            .required("rung", rung, CreditRungWords.about),
            .required("reason", .choice(AttributionReason.allCases.map(\.rawValue))),
            .required(
                "touches", .list(touch, count: 0...1000),
                "Oldest first; of more than 500 the newest were looked at."),
            .required("credits", .list(credit, count: 0...500), "They sum to the whole."),
            .required("uncredited", .money(from: 0), "The amount, when there are no credits."),
            .required("created_at", .time),
        ]))

    static let model = Schema.choice(AttributionModel.allCases.map(\.rawValue))
    static let rung = Schema.choice(CreditRung.allCases.map(\.rawValue))

    private static let touch = Schema.object([
        .required("touchpoint_id", .id(TouchpointID.self)),
        .required("participant_id", .nullable(.id(ParticipantID.self))),
        .required("source", .choice(TouchSource.allCases.map(\.rawValue))),
        .required("kind", .choice(Touchpoint.Kind.allCases.map(\.rawValue))),
        .required("occurred_at", .time),
        .required("reclaimed", TouchpointWire.reclaimed, TouchpointWire.aboutReclaimed),
        .required("verdict", .choice(TouchVerdict.allCases.map(\.rawValue))),
        .required("parts", .integer(0...Int64.max), "Of the sum of all touches' parts."),
        .required("amount", .money(from: 0), "Share of the conversion's amount."),
    ])

    static let credit = Schema.object([
        .required(
            "participant_id", .nullable(.id(ParticipantID.self)),
            "Null: the share of touches that belong to nobody."),
        .required("parts", .integer(1...Int64.max), "Of the sum of all parts."),
        .required("amount", .money(from: 0), "Share of the conversion's amount."),
        .required("refunded", .money(from: 0), "What of the share has gone back."),
        .required(
            "registration_id", .nullable(.id(RegistrationID.self)), "The registration that gave it."
        ),
        .required("lead_id", .nullable(.id(LeadID.self)), "The lead that gave it."),
    ])

    static func json(
        _ attribution: Attribution, _ conversion: Conversion, isStored: Bool = true
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(attribution, conversion, isStored: isStored, &$0) }
        return json.bytes
    }

    static func write(
        _ attribution: Attribution, _ conversion: Conversion, isStored: Bool = true,
        _ json: inout JSONObjectWriter
    ) {
        let days = attribution.terms.windowDays
        json.field("id", isStored ? attribution.id : nil)
        json.field("object", "attribution")
        json.field("conversion_id", attribution.conversion.description)
        json.field("cause", attribution.cause.rawValue)
        json.field("cause_reason", attribution.causeReason)
        json.field("actor", attribution.actor)
        json.field("model", attribution.terms.model.rawValue)
        json.field("program_version", attribution.programVersion)
        json.field("terms", attribution.terms.json)
        json.object("window") { window in
            window.field("days", days)
            window.field(
                "from", conversion.occurredAt.advanced(byDays: Int(clamping: -days)).rfc3339)
            window.field("to", conversion.occurredAt.rfc3339)
        }
        json.field("rung", attribution.decision.rung(attribution.terms).rawValue)
        json.field("reason", attribution.reason.rawValue)
        write(attribution.decision, conversion, &json)
        json.field("created_at", attribution.createdAt.rfc3339)
    }

    private static func write(
        _ decision: AttributionDecision, _ conversion: Conversion, _ json: inout JSONObjectWriter
    ) {
        let currency = conversion.amount.currency
        let shares = decision.shares(of: conversion.amount.amount)
        json.array("touches") { list in
            for (seen, amount) in zip(decision.touches, shares.touches) {
                list.object { touch in
                    touch.field("touchpoint_id", seen.fact.touch.description)
                    touch.field("participant_id", seen.fact.participant)
                    touch.field("source", seen.fact.source.rawValue)
                    touch.field("kind", seen.fact.kind.rawValue)
                    touch.field("occurred_at", seen.fact.occurredAt.rfc3339)
                    touch.field("reclaimed", seen.fact.reclaimed)
                    touch.field("verdict", seen.verdict.rawValue)
                    touch.field("parts", seen.parts)
                    touch.money("amount", Money(amount: amount, currency: currency))
                }
            }
        }
        json.array("credits") { list in
            for credit in creditShares(decision, conversion) {
                list.object { write(credit, currency, &$0) }
            }
        }
        json.money("uncredited", Money(amount: shares.uncredited, currency: currency))
    }

    /// A credit with its money.
    struct CreditShare {
        let credit: Attribution.Credit
        let amount: Int64
        let refunded: Int64
    }

    static func creditShares(
        _ decision: AttributionDecision, _ conversion: Conversion
    ) -> [CreditShare] {
        let whole = conversion.amount.amount
        let amounts = decision.shares(of: whole).credits
        let refunded = decision.refundedShares(of: whole, refunded: conversion.refundedAmount)
        return decision.credits.indices.map { place in
            CreditShare(
                credit: decision.credits[place], amount: amounts[place],
                refunded: refunded[place])
        }
    }

    static func write(
        _ share: CreditShare, _ currency: Currency, _ json: inout JSONObjectWriter
    ) {
        json.field("participant_id", share.credit.participant)
        json.field("parts", share.credit.parts)
        json.money("amount", Money(amount: share.amount, currency: currency))
        json.money("refunded", Money(amount: share.refunded, currency: currency))
        json.field("registration_id", share.credit.registration)
        json.field("lead_id", share.credit.lead)
    }
}
