import Database
import JSON
import Model
import Records
import ReferralLinks

/// How the codes that nobody has look on the wire.
enum UnknownCodesWire {
    /// Spellings that one answer lists.
    private static let linesMax = 1_000

    static let schema = Schema.named(
        "UnknownCodesReport",
        .object([
            .required("object", .choice(["unknown_codes_report"])),
            .required("from", .day, "The first UTC day."),
            .required("to", .day, "The last UTC day."),
            .required(
                "codes",
                .list(
                    .object([
                        .required("code", .text(1...64), "In lower case."),
                        .required("hits", .integer(1...Int64.max), "By persons."),
                        .required(
                            "near", .nullable(.text(1...64)),
                            "The code of a link that differs in one letter."),
                        .required("first_on", .day), .required("last_on", .day),
                    ]), count: 0...linesMax),
                "Those near a code first, then those with most hits."),
            .required("codes_omitted", .integer(0...Int64.max), "Spellings that are not listed."),
            .required("hits", .integer(0...Int64.max), "Of all spellings that were kept."),
            .required(
                "other_hits", .integer(0...Int64.max),
                "Of spellings that were not kept: a day keeps \(UnknownCodes.spellingsMax)."),
        ]))

    static func json(_ period: ReportPeriod, _ reader: Reader) throws -> [UInt8] {
        let lines = try UnknownCodeStore.lines(period.days, limit: linesMax, reader)
        let totals = try UnknownCodeStore.totals(period.days, reader)
        var json = JSONWriter(capacity: 256 + 120 * lines.count)
        json.object { object in
            object.field("object", "unknown_codes_report")
            object.field("from", CivilDay.text(period.days.lowerBound))
            object.field("to", CivilDay.text(period.days.upperBound - 1))
            object.array("codes") { list in
                for line in lines {
                    list.object { item in
                        item.field("code", line.code)
                        item.field("hits", line.hits)
                        item.field("near", line.near)
                        item.field("first_on", CivilDay.text(line.firstDay))
                        item.field("last_on", CivilDay.text(line.lastDay))
                    }
                }
            }
            object.field("codes_omitted", max(0, totals.spellings - Int64(lines.count)))
            object.field("hits", totals.hits)
            object.field("other_hits", totals.others)
        }
        return json.bytes
    }
}
