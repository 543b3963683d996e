import JSON
import Model
import Programs

/// The hints of a request on the wire: whatever stands there is taken.
enum HintWire {
    static let input: [Field] = [
        .optional(
            "click_id", .anything,
            "The click_id that a page carried, or a list of up to 10. \(rest)"),
        .optional("ref", .anything, "The ref that a page carried: the code of a link. \(rest)"),
        .optional(
            "ref_at", .anything,
            "When the page got its ref, as a time such as 2026-11-30T10:00:00Z; referral.js sends "
                + "it. A ref without a click counts at this time, else at the request's."),
        .optional(
            "code", .anything,
            "The code of a link that a person typed, or that a shop applied as a coupon. \(rest)"),
        .optional(
            "referrer_email", .anything,
            "The address of the referrer in the program, as a person told it. \(rest)"),
    ]

    private static let rest =
        "A value that is null, empty, malformed or unknown is left out and named in ignored."
}

/// Hints that were left out, on the wire.
enum IgnoredHintWire {
    static let about =
        "Which hints were left out, and why. A participant's token reads the names alone."

    static let list = Schema.list(.object(fields), count: 0...IgnoredHint.most)

    static let fields: [Field] = [
        .required("name", .choice(HintName.allCases.map(\.rawValue))),
        .optional(
            "value", .nullable(.string(TextRule(0...IgnoredHint.valueMax) { _ in true })),
            "As given, cut to \(IgnoredHint.valueMax) characters."),
        .optional("because", .choice(IgnoredHint.Because.allCases.map(\.rawValue))),
    ]

    static func write(
        _ hints: [IgnoredHint], for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        json.field("ignored", IgnoredHintWire.json(hints, for: caller))
    }

    static func json(_ hints: [IgnoredHint], for caller: Principal) -> JSONValue {
        .array(
            hints.map { hint in
                caller.participant == nil ? hint.json : ["name": .string(hint.name.rawValue)]
            })
    }
}
