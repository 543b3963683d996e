import Attribution
import HTTP
import JSON
import Model

/// How a new decision is asked for.
enum ReattributionWire {
    static let input = Schema.object([
        .required("reason", .prose(1...500), "Kept for good: no personal data."),
        .optional("model", AttributionWire.model, "Another model than the result's."),
        .optional(
            "rules", .choice(["result", "today"]),
            "Whose terms apply: those of the result that counts, or the program's of today. "
                + "Default result."),
        .optional(
            "credits",
            .list(
                .object([
                    .required("participant_id", .id(ParticipantID.self)),
                    .required("parts", .integer(1...1_000_000), "Of the sum of all parts."),
                ]), count: 1...100), "Your own word on who gets what; excludes model and rules."),
    ])

    static let exclusive = Problem.unprocessable(
        "credits_exclude_model", "Give credits, or model and rules, not both.", at: "/model")

    static let twice = Problem.unprocessable(
        "participant_twice", "Each participant's part is told once.", at: "/credits")

    static func wish(_ body: Body) throws -> ReattributeConversion.Wish {
        let model = body.text("model").flatMap { AttributionModel(rawValue: $0) }
        guard let list = body.object["credits"]?.arrayValue else {
            return .decide(model, byTermsOfToday: body.text("rules") == "today")
        }
        guard model == nil, body.text("rules") == nil else { throw Refused(exclusive) }
        var credits: [Attribution.Credit] = []
        for item in list.map({ Body($0.objectValue ?? [:]) }) {
            let id: ParticipantID = try item.required(
                "participant_id", item.id("participant_id"))
            let parts = try item.required("parts", item.integer("parts"))
            guard !credits.contains(where: { $0.participant == id }) else {
                throw Refused(twice)
            }
            credits.append(Attribution.Credit(participant: id, parts: parts))
        }
        return .credit(credits)
    }
}
