import Attribution
import Database
import HTTP
import JSON
import Model
import Programs

/// `/v1/conversions/{id}/compare` and `/v1/programs/{id}/compare`: the same touches under all
/// models. Nothing is written.
enum ComparisonRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/conversions/{id}/compare", .key(.read), .read(compareOne), comparingOne)
        routes.add(
            .get, "/v1/programs/{id}/compare", .key(.read), .longRead(compareMany), comparingMany)
    }

    // MARK: - Handlers

    private static func compareOne(_ call: Call, _ reader: Reader) throws -> Response {
        guard let conversion = try ConversionStore.find(call.id(), reader),
            let attribution = try AttributionStore.newest(of: conversion.id, reader)
        else { throw Refused(.notFound()) }
        var comparison = ModelComparison()
        try comparison.add(
            CreditedConversion(
                conversion: conversion.id, customer: conversion.customer,
                amount: conversion.amount, refundedAmount: conversion.refundedAmount,
                occurredAt: conversion.occurredAt, terms: attribution.terms,
                decision: attribution.decision))
        return .object(
            ComparisonWire.json(
                comparison, program: conversion.program, conversion: conversion.id, period: nil,
                conversion.amount.currency, limit: ComparisonWire.linesMax))
    }

    private static func compareMany(_ call: Call, _ reader: Reader) throws -> Response {
        let id: ProgramID = try call.id()
        guard let program = try ProgramStore.find(id, reader) else { throw Refused(.notFound()) }
        let period = try Period.read(call, in: program.terms.timeZone)
        var comparison = ModelComparison()
        try AttributionStore.forEach(in: id, period, reader) { try comparison.add($0) }
        let limit = call.query["limit"].flatMap { Int($0) } ?? 100
        return .object(
            ComparisonWire.json(
                comparison, program: id, conversion: nil, period: period, program.currency,
                limit: limit))
    }

    // MARK: - Contracts

    private static let comparingOne = Contract(
        operationID: "compareConversion",
        summary: "What each model gives for the same touches, beside the result that counts.",
        answer: ComparisonWire.schema)

    private static let comparingMany = Contract(
        operationID: "comparePrograms",
        summary: "Every participant's credit under each model, over the conversions of a period: "
            + "who gains and who loses. Each model sums to the conversions' total.",
        query: Period.fields + [
            .optional(
                "limit", .integer(1...ComparisonWire.linesMax64),
                "Participants, those with the largest differences first; default 100.")
        ], answer: ComparisonWire.schema, refusals: [Period.empty])
}

/// The times of a report: `from` to before `to`.
enum Period {
    static let fields: [Field] = [
        .required("from", .dayOrTime, "Occurred at or after this time or day."),
        .required(
            "to", .dayOrTime,
            "Occurred before this time, or with the whole of this day in the program's time_zone."),
    ]

    static let empty = Problem.unprocessable("no_time", "to must be later than from.", at: "/to")

    static func read(_ call: Call, in zone: TimeZone) throws -> Range<Instant> {
        guard let from = call.queryMoment("from")?.start(in: zone),
            let to = call.queryMoment("to")?.end(in: zone)
        else {
            throw Refused(.invalidField("/from", code: "required", detail: "is missing"))
        }
        guard from < to else { throw Refused(empty) }
        return from..<to
    }
}

/// How a comparison looks on the wire.
enum ComparisonWire {
    static let linesMax = 1_000
    static let linesMax64 = Int64(linesMax)

    static let schema = Schema.named(
        "Comparison",
        .object([
            .required("object", .choice(["comparison"])),
            .required("program_id", .id(ProgramID.self)),
            .required("conversion_id", .nullable(.id(ConversionID.self))),
            .required("from", .nullable(.time)), .required("to", .nullable(.time)),
            .required("conversions", .integer(0...Int64.max)),
            .required("total", .money(from: 0), "Of all conversions."),
            .required("refunded", .money(from: 0), "What of it went back."),
            .required(
                "participants",
                .list(
                    .object([
                        .required(
                            "participant_id", .nullable(.id(ParticipantID.self)),
                            "Null: what nobody is credited with."),
                        .required("actual", .money(from: 0), "By the results that count."),
                        .required("actual_refunded", .money(from: 0)),
                        .required(
                            "models",
                            .list(
                                .object([
                                    .required("model", AttributionWire.model),
                                    .required("amount", .money(from: 0)),
                                    .required("refunded", .money(from: 0)),
                                    .required(
                                        "difference",
                                        .integer(-Money.maximum...Money.maximum),
                                        "amount less actual, in minor units: who gains, who loses."
                                    ),
                                ]), count: 6...6)),
                    ]), count: 0...linesMax), "Those with the largest differences first."),
            .required("participants_omitted", .integer(0...Int64.max)),
            .required(
                "models",
                .list(
                    .object([
                        .required("model", AttributionWire.model),
                        .required("total", .money(from: 0), "Of all conversions, in each model."),
                        .required("credited", .money(from: 0), "To participants."),
                        .required("gaining", .integer(0...Int64.max), "Participants with more."),
                        .required("losing", .integer(0...Int64.max), "Participants with less."),
                    ]), count: 6...6)),
        ]))

    static func json(
        _ comparison: ModelComparison, program: ProgramID, conversion: ConversionID?,
        period: Range<Instant>?, _ currency: Currency, limit: Int
    ) -> [UInt8] {
        func money(_ amount: Int64) -> Money { Money(amount: amount, currency: currency) }
        let ranking = comparison.ranking
        let named = ranking.filter { $0.participant != nil }
        var json = JSONWriter(capacity: 1024 + 1024 * min(limit, ranking.count))
        json.object { object in
            object.field("object", "comparison")
            object.field("program_id", program)
            object.field("conversion_id", conversion)
            object.field("from", period?.lowerBound.rfc3339)
            object.field("to", period?.upperBound.rfc3339)
            object.field("conversions", comparison.conversions)
            object.money("total", money(comparison.total.amount))
            object.money("refunded", money(comparison.total.refunded))
            object.array("participants") { list in
                for line in ranking.prefix(limit) {
                    list.object { write(line, currency, &$0) }
                }
            }
            object.field("participants_omitted", Int64(max(0, ranking.count - limit)))
            object.array("models") { list in
                for (place, model) in AttributionModel.allCases.enumerated() {
                    let changes = named.map { $0.models[place].amount - $0.actual.amount }
                    list.object { item in
                        item.field("model", model.rawValue)
                        item.money(
                            "total",
                            money(ranking.reduce(0) { $0 + $1.models[place].amount }))
                        item.money(
                            "credited", money(named.reduce(0) { $0 + $1.models[place].amount }))
                        item.field("gaining", Int64(changes.count { $0 > 0 }))
                        item.field("losing", Int64(changes.count { $0 < 0 }))
                    }
                }
            }
        }
        return json.bytes
    }

    private static func write(
        _ line: ModelComparison.Line, _ currency: Currency, _ json: inout JSONObjectWriter
    ) {
        func money(_ amount: Int64) -> Money { Money(amount: amount, currency: currency) }
        json.field("participant_id", line.participant)
        json.money("actual", money(line.actual.amount))
        json.money("actual_refunded", money(line.actual.refunded))
        json.array("models") { list in
            for (model, sum) in zip(AttributionModel.allCases, line.models) {
                list.object { item in
                    item.field("model", model.rawValue)
                    item.money("amount", money(sum.amount))
                    item.money("refunded", money(sum.refunded))
                    item.field("difference", sum.amount - line.actual.amount)
                }
            }
        }
    }
}
