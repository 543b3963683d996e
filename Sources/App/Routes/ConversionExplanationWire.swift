import Attribution
import JSON
import Model
import RewardLedger

/// The decision about a conversion in words, made from what is stored with it.
enum ConversionExplanationWire {
    /// Rewards that an explanation names.
    static let rewardsMax = 1000

    static let schema = Schema.named(
        "ConversionExplanation",
        .object([
            .required("object", .choice(["explanation"])),
            .required("conversion_id", .id(ConversionID.self)),
            .required("attribution_id", .id(AttributionID.self)),
            .required("rung", AttributionWire.rung, CreditRungWords.about),
            .required("reason", .choice(AttributionReason.allCases.map(\.rawValue))),
            .required("summary", .text(1...1000)),
            .required("rule", .text(1...1000)),
            .required("program_version", .integer(1...Int64.max)),
            .required(
                "touches",
                .list(
                    .object([
                        .required("touchpoint_id", .id(TouchpointID.self)),
                        .required("verdict", .choice(TouchVerdict.allCases.map(\.rawValue))),
                        .required("because", .text(1...300)),
                    ]), count: 0...1000)),
            .required(
                "late_touches",
                .list(.id(TouchpointID.self), count: 0...1000),
                "Known by now, but not when it was decided; a new decision would see them."),
            .required(
                "arithmetic", .list(line, count: 0...500),
                "amount = units + extra; the amounts sum to the conversion's."),
            .required(
                "alternatives", .list(alternative, count: 0...20),
                "Changes that would have led to another result, nearest first."),
            .required(
                "unrewarded", .nullable(.choice(EarnBySale.Reason.all)),
                "Why a credited sale earned nothing. Null: it did, nobody was credited, or no "
                    + "rule speaks about it."),
            .required(
                "reward_ids", .list(.id(RewardID.self), count: 0...rewardsMax), "The oldest."),
        ]))

    private static let line = Schema.object([
        .required("touchpoint_id", .nullable(.id(TouchpointID.self))),
        .required("participant_id", .nullable(.id(ParticipantID.self))),
        .required("registration_id", .nullable(.id(RegistrationID.self))),
        .required("parts", .integer(0...Int64.max)),
        .required("whole", .integer(1...Int64.max), "The sum of all parts."),
        .required("units", .amount(from: 0), "amount x parts / whole, rounded down."),
        .required("remainder", .integer(0...Int64.max), "What the division left, of whole."),
        .required(
            "extra", .integer(0...1), "One of the units left over, for the largest remainders."),
        .required("amount", .money(from: 0)),
    ])

    private static let alternative = Schema.object([
        .required(
            "change",
            .choice([
                "window_days", "source", "codes", "without_override", "without_touch", "model",
            ])),
        .required("to", .nullable(.text(1...100))),
        .required("because", .text(1...300)),
        .required("credits", .list(AttributionWire.credit, count: 0...500)),
    ])

    static func json(
        _ conversion: Conversion, _ attribution: Attribution, known: AttributionFacts,
        _ rewards: [Reward], unrewarded: String?
    ) -> [UInt8] {
        let terms = attribution.terms
        let seen = Set(attribution.touches.map(\.fact.touch))
        let alternatives = AttributionRules.alternatives(
            to: attribution.decision, attribution.decision.facts, terms, at: conversion.occurredAt)
        var json = JSONWriter(capacity: 4096)
        json.object { object in
            object.field("object", "explanation")
            object.field("conversion_id", conversion.id.description)
            object.field("attribution_id", attribution.id.description)
            object.field("rung", attribution.decision.rung(terms).rawValue)
            object.field("reason", attribution.reason.rawValue)
            object.field(
                "summary",
                summary(attribution) + unused(conversion)
                    + (unrewarded.map { " It earned nothing: \($0)." } ?? ""))
            object.field("rule", rule(attribution))
            object.field("program_version", attribution.programVersion)
            object.array("touches") { list in
                for seen in attribution.touches {
                    list.object { touch in
                        touch.field("touchpoint_id", seen.fact.touch.description)
                        touch.field("verdict", seen.verdict.rawValue)
                        touch.field(
                            "because",
                            because(seen, at: conversion.occurredAt, attribution) + reclaimed(seen))
                    }
                }
            }
            object.array("late_touches") { list in
                for touch in known.touches where !seen.contains(touch.touch) {
                    list.element(touch.touch.description)
                }
            }
            object.array("arithmetic") { list in
                for line in attribution.decision.arithmetic(of: conversion.amount.amount) {
                    list.object { write(line, conversion.amount.currency, &$0) }
                }
            }
            object.array("alternatives") { list in
                for alternative in alternatives {
                    list.object { write(alternative, conversion, &$0) }
                }
            }
            object.field("unrewarded", unrewarded)
            object.field("reward_ids", JSONValue.array(rewards.map { .string($0.id.description) }))
        }
        return json.bytes
    }

    private static func write(
        _ line: SplitLine, _ currency: Currency, _ json: inout JSONObjectWriter
    ) {
        json.field("touchpoint_id", line.touch)
        json.field("participant_id", line.participant)
        json.field("registration_id", line.registration)
        json.field("parts", line.parts)
        json.field("whole", line.whole)
        json.field("units", line.units)
        json.field("remainder", line.remainder)
        json.field("extra", line.extra)
        json.money("amount", Money(amount: line.amount, currency: currency))
    }

    private static func write(
        _ alternative: AttributionAlternative, _ conversion: Conversion,
        _ json: inout JSONObjectWriter
    ) {
        let (name, value, because) = words(alternative.change)
        json.field("change", name)
        json.field("to", value)
        json.field("because", because)
        json.array("credits") { list in
            for share in AttributionWire.creditShares(alternative.decision, conversion) {
                list.object { AttributionWire.write(share, conversion.amount.currency, &$0) }
            }
        }
    }

    // MARK: - Words

    private static func words(
        _ change: AttributionAlternative.Change
    ) -> (name: String, to: String?, because: String) {
        switch change {
        case .window(let days):
            ("window_days", "\(days)", "A window of \(days) days would have held one touch more.")
        case .source(let source):
            (
                "source", source.rawValue,
                "Touches of the source \(source.rawValue) would have taken part."
            )
        case .codes(let codes): ("codes", codes.rawValue, words(codes))
        case .withoutOverride:
            ("without_override", nil, "The touches alone would have decided.")
        case .withoutTouch(let touch):
            ("without_touch", touch.description, "Without this touch the others decide.")
        case .model(let model):
            ("model", model.rawValue, "The model \(model.rawValue) gives other credit.")
        }
    }

    private static func words(_ codes: AttributionTerms.Codes) -> String {
        switch codes {
        case .first: "A code that the buyer typed would have gone first."
        case .touch: "A code would have been a touch like any other."
        case .last: "A code would have counted only without another participant's touch."
        }
    }

    static func rule(_ attribution: Attribution) -> String {
        let terms = attribution.terms
        var rule =
            CreditRungWords.sentence(attribution)
            + " Version \(attribution.programVersion) of the program's rules: "
            + "\(terms.model.rawValue), touches of the \(terms.windowDays) days before the "
            + "conversion, both ends included; equal times are ordered by participant, then by id."
        switch terms.model {
        case .timeDecay:
            rule +=
                " A touch has 2^40 parts, halved for every \(terms.halfLifeDays) days that it is "
                + "older than the newest that counts."
        case .positionBased:
            rule +=
                " The first has \(terms.position.first) of 100, the last \(terms.position.last), "
                + "those between share \(terms.position.middle); two have half each."
        case .linear: rule += " Every touch has an equal part."
        case .firstTouch, .lastTouch, .lastNonDirect: break
        }
        if terms.sources.count < TouchSource.allCases.count {
            rule += " Sources: \(terms.sources.map(\.rawValue).joined(separator: ", "))."
        }
        return rule + " Codes: \(terms.codes.rawValue). Binds: \(terms.binds.rawValue)."
    }

    static func summary(_ attribution: Attribution) -> String {
        let credits = attribution.credits
        let whole = credits.reduce(0) { $0 + $1.parts }
        let names = credits.prefix(5).map { credit in
            (credit.participant?.description ?? "nobody") + " gets "
                + (credits.count == 1 ? "all of it" : "\(credit.parts) of \(whole) parts")
        }.joined(separator: ", ")
        let more = credits.count > 5 ? " and \(credits.count - 5) more" : ""
        switch attribution.reason {
        case .credited: return "The touches decide: \(names)\(more)."
        case .registration:
            return "A deal registration held the account, which outranks every touch: "
                + "\(names)\(more)."
        case .bound:
            return "An earlier sale was credited, and this one stays with it: \(names)\(more)."
        case .nobodyBound:
            return "Nobody is credited: the subscription began with a sale that nobody was "
                + "credited with."
        case .lead:
            let lead = credits.first?.lead?.description ?? "A lead"
            return "\(lead) decides, which is qualified or further: \(names)\(more)."
        case .manual:
            return "A person decided (\(attribution.causeReason ?? "no reason")): \(names)\(more)."
        case .noTouch: return "Nobody is credited: no touch of this customer is known."
        case .noTouchInWindow:
            return "Nobody is credited: touches are known, but none in the window."
        case .noEligibleTouch:
            return "Nobody is credited: no touch in the window may earn credit."
        case .touchEarnsNoCredit:
            return "Nobody is credited: what the model chose belongs to no participant."
        }
    }

    /// What was given for nothing, as a further sentence.
    private static func unused(_ conversion: Conversion) -> String {
        guard !conversion.ignored.isEmpty else { return "" }
        let names = conversion.ignored.map {
            "\($0.name.rawValue) (\($0.because.rawValue))"
        }.joined(separator: ", ")
        return " Left out: \(names)."
    }

    private static func reclaimed(_ seen: SeenTouch) -> String {
        seen.fact.reclaimed.map {
            " Its click was reclaimed: it was taken for a \($0) until somebody brought it."
        } ?? ""
    }

    static func because(
        _ seen: SeenTouch, at instant: Instant, _ attribution: Attribution
    ) -> String {
        let model = attribution.terms.model.rawValue
        switch seen.verdict {
        case .credited: return "\(model) gives it \(seen.parts) parts."
        case .outranked: return "It is in the window, but \(model) gives it no part."
        case .overridden:
            switch attribution.reason {
            case .bound: return "It is in the window, but an earlier sale's credit decides."
            case .nobodyBound:
                return "It is in the window, but the subscription began without a referrer."
            case .lead: return "It is in the window, but a qualified lead decides."
            case .manual: return "It is in the window, but a person decided."
            default: return "It is in the window, but a deal registration held the account."
            }
        case .noParticipant:
            return "\(model) gives it \(seen.parts) parts, but it belongs to no participant."
        case .sourceExcluded:
            return "The program gives no credit to the source \(seen.fact.source.rawValue)."
        case .codeLast: return "It is a code, and a click or another touch is in the window too."
        case .linkDisabled: return "It came after its link was disabled or had expired."
        case .leadOut: return "Its lead is lost, disqualified or a duplicate."
        case .codePreferred: return "It is in the window, but a code that the buyer typed is too."
        case .afterConversion: return "It came after the conversion."
        case .outsideWindow:
            let days = seen.fact.windowDays ?? attribution.terms.windowDays
            let start = instant.advanced(byDays: Int(clamping: -days))
            let early = start.milliseconds - seen.fact.occurredAt.milliseconds
            return "It came \(span(milliseconds: early)) before the window of \(days) days began."
        }
    }

    /// Such as `3 h 20 min`; a span of less than a second is one in milliseconds.
    static func span(milliseconds: Int64) -> String {
        let (days, hours) = (milliseconds / 86_400_000, milliseconds / 3_600_000 % 24)
        let (minutes, seconds) = (milliseconds / 60_000 % 60, milliseconds / 1_000 % 60)
        if days > 0 { return hours > 0 ? "\(days) d \(hours) h" : "\(days) d" }
        if hours > 0 { return minutes > 0 ? "\(hours) h \(minutes) min" : "\(hours) h" }
        if minutes > 0 { return seconds > 0 ? "\(minutes) min \(seconds) s" : "\(minutes) min" }
        return seconds > 0 ? "\(seconds) s" : "\(milliseconds) ms"
    }
}
