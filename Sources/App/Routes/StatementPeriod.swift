import Database
import HTTP
import Model

/// The period that a statement is asked for: by `from` and `to`, or by a `month`, in the program's
/// time zone, and as it was known at `as_of`.
struct StatementPeriod {
    let from: Instant?
    let to: Instant?
    /// The instant that the statement is of: `as_of`, else the last commit.
    let asOf: Instant
    /// What was posted before this is in the statement; nil: everything is.
    let end: Instant?

    static let fields: [Field] = [
        .optional("from", .dayOrTime, "From this time or day on; default the beginning."),
        .optional(
            "to", .dayOrTime, "Before this time, or with the whole of this day; default everything."
        ),
        .optional(
            "month", month,
            "A calendar month, such as 2026-11, instead of both; days and months are told by the "
                + "program's time_zone."),
        .asOf,
    ]

    static let month = Schema.string(
        TextRule(
            7...7, pattern: "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])$", words: "a month such as 2026-11"
        ) {
            CivilDay.parse($0 + "-01") != nil
        })

    init(_ call: Call, in zone: TimeZone, lastCommit: Instant, asOf: Instant?) throws {
        if let day = call.query["month"].flatMap({ CivilDay.parse($0 + "-01") }) {
            for name in ["from", "to"] where call.query[name] != nil {
                throw Refused(
                    Problem(
                        status: 422, code: "month_excludes_times",
                        detail: "Give a month, or from and to.",
                        errors: [
                            FieldError(
                                pointer: "/\(name)", code: "exclusive", detail: "excludes month")
                        ]))
            }
            from = zone.startOfDay(day)
            // The month that ends with the calendar of RFC 3339 has no end that it can write.
            let next = CivilDay.firstOfNextMonth(after: day)
            to = CivilDay.representable.contains(next) ? zone.startOfDay(next) : nil
        } else {
            from = call.queryMoment("from")?.start(in: zone)
            to = call.queryMoment("to")?.end(in: zone)
            if let from, let to, from >= to { throw Refused(Period.empty) }
        }
        self.asOf = asOf ?? lastCommit
        // `as_of` itself is in, `to` is not.
        let known = asOf?.advanced(byMilliseconds: 1)
        end = [to, known].compactMap(\.self).min()
    }
}
