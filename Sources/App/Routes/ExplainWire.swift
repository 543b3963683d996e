import Attribution
import JSON
import Model
import Programs

/// Why there was a referral, or none, on the wire.
enum ExplainWire {
    struct Person {
        let customer: Customer
        let program: Program
        let situation: ReferralSituation
    }

    static let schema = Schema.named(
        "ReferralExplanation",
        .object([
            .required("object", .choice(["explanation"])),
            .required("summary", .text(1...1000)),
            .required(
                "people",
                .list(
                    .object([
                        .required("program_id", .id(ProgramID.self)),
                        .required("customer_id", .id(CustomerID.self)),
                        .required("touches", .integer(0...Int64.max), "Known of the person."),
                        .required("findings", .list(finding, count: 0...2000)),
                    ]), count: 0...1000), "Everybody of that name, program by program."),
        ]))

    static let finding = Schema.object([
        .required("code", .choice(ReferralFinding.Code.allCases.map(\.rawValue))),
        .required("because", .text(1...500)),
        .required("conversion_id", .nullable(.id(ConversionID.self))),
        .required("touchpoint_id", .nullable(.id(TouchpointID.self))),
        .required("lead_id", .nullable(.id(LeadID.self))),
        .required("participant_id", .nullable(.id(ParticipantID.self))),
        .required(
            "reason", .nullable(.choice(AttributionReason.allCases.map(\.rawValue))),
            "Of the decision about credit."),
    ])

    static func json(_ people: [Person], programs: [Program]) -> [UInt8] {
        var json = JSONWriter(capacity: 2048)
        json.object { object in
            object.field("object", "explanation")
            object.field("summary", summary(people, programs))
            object.array("people") { list in
                for person in people {
                    list.object { item in
                        item.field("program_id", person.program.id)
                        item.field("customer_id", person.customer.id)
                        item.field("touches", Int64(person.situation.touches.count))
                        item.array("findings") { findings in
                            for finding in person.situation.findings {
                                findings.object { write(finding, &$0) }
                            }
                        }
                    }
                }
            }
        }
        return json.bytes
    }

    private static func summary(_ people: [Person], _ programs: [Program]) -> String {
        if people.isEmpty {
            let closed = programs.filter { $0.state != .active }.count
            return "Nobody of that name is known in \(programs.count) programs"
                + (closed > 0 ? ", of which \(closed) take no referrals now" : "")
                + ": no sale, no lead and no touch was ever recorded under it."
        }
        return people.compactMap { $0.situation.findings.first.map(because) }.prefix(3)
            .joined(separator: " ")
    }

    static func write(_ finding: ReferralFinding, _ json: inout JSONObjectWriter) {
        json.field("code", finding.code.rawValue)
        json.field("because", because(finding))
        json.field("conversion_id", finding.conversion)
        json.field("touchpoint_id", finding.touch)
        json.field("lead_id", finding.lead)
        json.field("participant_id", finding.participant)
        json.field("reason", finding.reason?.rawValue)
    }

    // MARK: - Words

    static func because(_ finding: ReferralFinding) -> String {
        let participant = finding.participant?.description ?? "nobody"
        switch finding.code {
        case .programNotActive:
            return finding.detail == "paused"
                ? "The program is paused: it takes leads, clicks and sales, and what they earn "
                    + "waits for a person."
                : "The program is \(finding.detail ?? "not active"): no lead is taken, and a sale "
                    + "of now earns nothing."
        case .credited:
            let others = finding.others > 0 ? " and \(finding.others) more" : ""
            return "The sale is credited to \(participant)\(others)\(by(finding.reason))."
        case .selfReferral:
            return "The buyer has the e-mail address of \(participant), who is credited."
        case .robotClick:
            return "The sale named a click by which a page was \(finding.detail ?? "prefetch"), "
                + "so that nobody clicked: it is no touch."
        case .unknownClick:
            return "The sale named a click that the program does not have: it counted for nothing."
        case .unknownRef:
            return "The sale named a code that no link of the program has: it counted for nothing."
        case .ignoredHint:
            return "The sale had a hint that was left out (\(finding.detail ?? "unknown"))."
        case .notCredited: return notCredited(finding)
        case .lateTouch:
            return "A touch of before the sale was not known when it was decided, because it was "
                + "reported or joined to this person later; a new decision would see it."
        case .touchAfterSale: return "The first contact with this person came after the sale."
        case .leadOut: return "A lead counts for nothing: \(finding.detail ?? "it is out")."
        case .leadWithoutReferrer: return "A lead came in that nobody referred."
        case .noTouch: return "No contact with this person is known."
        case .noConversion:
            return finding.participant == nil
                ? "No sale is known; one of now would be credited to nobody"
                    + "\(by(finding.reason))."
                : "No sale is known; one of now would be credited to \(participant)."
        }
    }

    private static func notCredited(_ finding: ReferralFinding) -> String {
        switch finding.reason {
        case .noTouchInWindow:
            let missed = finding.missedBy.map {
                ": the nearest came \(ConversionExplanationWire.span(milliseconds: $0)) too early"
            }
            return "The sale is credited to nobody, because no touch was in its window"
                + (missed ?? "") + "."
        default: return "The sale is credited to nobody\(by(finding.reason))."
        }
    }

    private static func by(_ reason: AttributionReason?) -> String {
        switch reason {
        case nil, .credited: ""
        case .registration: ", because its deal registration held the account"
        case .bound: ", because an earlier sale was"
        case .nobodyBound:
            ", because its subscription began with a sale that nobody is credited with"
        case .lead: ", because of a qualified lead"
        case .manual: ", because a person decided so"
        case .noTouch: ", because no touch is known"
        case .noTouchInWindow: ", because no touch is in the window"
        case .noEligibleTouch: ", because no touch in the window may earn credit"
        case .touchEarnsNoCredit: ", because the touches that count belong to no participant"
        }
    }
}

/// What a touch counted for.
enum TouchExplanationWire {
    static let schema = Schema.named(
        "TouchpointExplanation",
        .object([
            .required("object", .choice(["explanation"])),
            .required("touchpoint_id", .id(TouchpointID.self)),
            .required("summary", .text(1...500)),
            .required(
                "conversions",
                .list(
                    .object([
                        .required("conversion_id", .id(ConversionID.self)),
                        .required(
                            "verdict", .nullable(.choice(TouchVerdict.allCases.map(\.rawValue))),
                            "Null: it was not known when the sale was decided."),
                        .required("parts", .integer(0...Int64.max)),
                        .required("whole", .integer(0...Int64.max), "The sum of all parts."),
                        .required("because", .text(1...300)),
                    ]), count: 0...100), "The newest sales to the person."),
        ]))

    static func json(_ touch: Touchpoint, _ situation: ReferralSituation) -> [UInt8] {
        let now = situation.decisionNow?.touches.first { $0.fact.touch == touch.id }
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            object.field("object", "explanation")
            object.field("touchpoint_id", touch.id)
            object.field("summary", summary(touch, now, situation))
            object.array("conversions") { list in
                for sale in situation.sales {
                    list.object { write(sale, touch, &$0) }
                }
            }
        }
        return json.bytes
    }

    private static func write(
        _ sale: ReferralSituation.Sale, _ touch: Touchpoint, _ json: inout JSONObjectWriter
    ) {
        let seen = sale.attribution.touches.first { $0.fact.touch == touch.id }
        json.field("conversion_id", sale.conversion)
        json.field("verdict", seen?.verdict.rawValue)
        json.field("parts", seen?.parts ?? 0)
        json.field("whole", sale.attribution.touches.reduce(0) { $0 + $1.parts })
        json.field(
            "because",
            seen.map {
                ConversionExplanationWire.because($0, at: sale.occurredAt, sale.attribution)
            }
                ?? (touch.occurredAt > sale.occurredAt
                    ? "It came after the conversion."
                    : "It was not known when the sale was decided; a new decision would see it."))
    }

    private static func summary(
        _ touch: Touchpoint, _ now: SeenTouch?, _ situation: ReferralSituation
    ) -> String {
        let credited = situation.sales.filter { sale in
            sale.attribution.touches.contains { $0.fact.touch == touch.id && $0.parts > 0 }
        }.count
        let whose = touch.participant.map { "It is \($0)'s" } ?? "It belongs to no participant"
        let next =
            switch now?.verdict {
            case .credited?: "; a sale of now would give it credit"
            case let verdict?: "; a sale of now would give it none (\(verdict.rawValue))"
            case nil: ""
            }
        return
            "\(whose), from \(touch.source.rawValue) by \(touch.kind.rawValue); it has a part in "
            + "\(credited) of \(situation.sales.count) sales to this person\(next)."
    }
}

/// What a participant is credited with.
enum ParticipantExplanationWire {
    static let resultsMax = 20

    static let schema = Schema.named(
        "ParticipantExplanation",
        .object([
            .required("object", .choice(["explanation"])),
            .required("participant_id", .id(ParticipantID.self)),
            .required("summary", .text(1...500)),
            .required(
                "conversions",
                .list(
                    .object([
                        .required("conversion_id", .id(ConversionID.self)),
                        .required("attribution_id", .id(AttributionID.self)),
                        .required("because", .text(1...1000)),
                        .required("rule", .text(1...1000)),
                        .required("amount", .money(from: 0), "Its share of the sale."),
                    ]), count: 0...resultsMax)),
        ]))

    static func json(
        _ participant: Participant, _ program: Program, _ sales: [(Attribution, Conversion)]
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            object.field("object", "explanation")
            object.field("participant_id", participant.id)
            object.field("summary", summary(participant, program, sales.count))
            object.array("conversions") { list in
                for (attribution, conversion) in sales {
                    list.object { write(attribution, conversion, participant.id, &$0) }
                }
            }
        }
        return json.bytes
    }

    private static func write(
        _ attribution: Attribution, _ conversion: Conversion, _ participant: ParticipantID,
        _ json: inout JSONObjectWriter
    ) {
        let shares = AttributionWire.creditShares(attribution.decision, conversion)
        let own = shares.filter { $0.credit.participant == participant }
        json.field("conversion_id", conversion.id)
        json.field("attribution_id", attribution.id)
        json.field("because", ConversionExplanationWire.summary(attribution))
        json.field("rule", ConversionExplanationWire.rule(attribution))
        json.money(
            "amount",
            Money(
                amount: own.reduce(0) { $0 + $1.amount }, currency: conversion.amount.currency))
    }

    private static func summary(
        _ participant: Participant, _ program: Program, _ count: Int
    ) -> String {
        let state =
            participant.state == .approved
            ? "may refer, where the program's rules of eligibility allow it"
            : "is \(participant.state.rawValue) and may not refer"
        let sales =
            count == 0
            ? "No sale credits it first of all."
            : "Its newest \(count) results are below (at most \(resultsMax))."
        return "\(participant.id) \(state); the program is \(program.state.rawValue). \(sales)"
    }
}
