import JSON
import Model
import Programs
import Records

/// How a funnel looks on the wire.
enum FunnelWire {
    /// Groups that one answer lists, largest first.
    static let groupsMax = 200

    private static let stages: [(stage: FunnelStage, name: String)] = [
        (.click, "clicks"), (.form, "forms"), (.lead, "leads"), (.qualified, "qualified"),
        (.opportunity, "opportunity"), (.won, "won"), (.conversion, "conversions"),
    ]

    /// What every number is, in the answer itself.
    static let formulas: [(name: String, text: String)] = [
        (
            "clicks",
            "clicks by persons, repeats within an hour left out; under the link's channel and "
                + "campaign of today"
        ),
        ("forms", "referral forms that were taken in, spam and duplicates included"),
        ("leads", "leads that were neither spam nor a duplicate, through every door"),
        ("qualified", "leads that were qualified"),
        ("opportunity", "leads that became an opportunity; a win without one passes through it"),
        ("won", "leads that were won"),
        ("conversions", "sales and sign-ups, on the day that they occurred"),
        (
            "rate_basis_points",
            "10000 * count / count of the stage before, rounded down; null when that is 0; "
                + "drop-off = 10000 - rate; over 10000 when more came in than through the stage "
                + "before"
        ),
        ("won_value", "sum of the values that leads were won at"),
        ("conversion_amount", "sum of the amounts of conversions, refunds not taken off"),
        (
            "day",
            "a lead counts once in a stage, on the UTC day when it first came into it, also when "
                + "it is reopened later; from <= day < to"
        ),
        (
            "channel",
            "the lead's own channel unless that only repeats its source, else its link's, else its "
                + "own, else none; the campaign is the link's, else none; a conversion's is that "
                + "of its lead, else its click, else its ref, else its newest touch with credit"
        ),
        (
            "utm",
            "in lower case; a lead's as its form posted it, else as its click brought it, else its "
                + "link's; a conversion's is that of its lead, else its click or code; a click is "
                + "under its link's; none without one"
        ),
    ]

    private static let numbers: [Field] =
        stages.map { stage in
            .required(
                stage.name,
                .object([
                    .required("count", .integer(0...Int64.max)),
                    .required("rate_basis_points", .nullable(.integer(0...Int64.max))),
                ]))
        } + [
            .required("won_value", .object(money)), .required("conversion_amount", .object(money)),
        ]

    /// Sums may be larger than what the API takes as one amount.
    fileprivate static let money: [Field] = [
        .required("amount", .integer(0...Int64.max), "Minor units of the currency."),
        .required("currency", .currency, "ISO 4217 code."),
    ]

    static let key = Field.required("key", .text(0...200), "The group's name; none without one.")

    static let schema = Schema.named(
        "FunnelReport",
        .object(
            ReportWire.head("funnel_report") + [
                .required("by", .choice(FunnelDimension.allCases.map(\.rawValue))),
                .required("total", .object(numbers)),
                .required(
                    "groups", .list(.object([key] + numbers), count: 0...groupsMax),
                    "Most leads first."),
                .required(
                    "groups_omitted", .integer(0...Int64.max), "Smaller groups that are not listed."
                ),
                ReportWire.formulas(formulas),
            ]))

    static func json(
        _ report: ReportRoutes.Report, by dimension: FunnelDimension,
        groups: [(key: String, tally: FunnelTally)], total: FunnelTally
    ) -> [UInt8] {
        let currency = report.program.currency
        var json = JSONWriter(capacity: 4096)
        json.object { object in
            ReportWire.writeHead("funnel_report", report, &object)
            object.field("by", dimension.rawValue)
            object.object("total") { write(total, currency, &$0) }
            object.array("groups") { list in
                for group in groups.prefix(groupsMax) {
                    list.object { item in
                        item.field("key", group.key)
                        write(group.tally, currency, &item)
                    }
                }
            }
            object.field("groups_omitted", max(0, groups.count - groupsMax))
            ReportWire.write(formulas, &object)
        }
        return json.bytes
    }

    private static func write(
        _ tally: FunnelTally, _ currency: Currency, _ json: inout JSONObjectWriter
    ) {
        for (stage, name) in stages {
            json.object(name) { object in
                object.field("count", tally[stage])
                object.field("rate_basis_points", FunnelRules.rate(of: stage, in: tally))
            }
        }
        json.money("won_value", Money(amount: tally.wonValue, currency: currency))
        json.money("conversion_amount", Money(amount: tally.conversionAmount, currency: currency))
    }
}

/// How the mix of channels and of referrers looks on the wire.
enum ChannelsWire {
    static let formulas: [(name: String, text: String)] =
        [
            (
                "share_basis_points",
                "10000 * part / sum over all groups, by largest remainder, so that they add up to "
                    + "10000; null when the sum is 0"
            )
        ]
        + FunnelWire.formulas.filter {
            ["leads", "won", "won_value", "conversion_amount", "day", "channel"].contains($0.name)
        }

    private static let share = Field.required(
        "share_basis_points", .nullable(.integer(0...10_000)))

    private static let count = Schema.object([
        .required("count", .integer(0...Int64.max)), share,
    ])

    private static let money = Schema.object(FunnelWire.money + [share])

    private static let group = Schema.object([
        FunnelWire.key, .required("leads", count), .required("won", count),
        .required("won_value", money), .required("conversion_amount", money),
    ])

    static let schema = Schema.named(
        "ChannelsReport",
        .object(
            ReportWire.head("channels_report") + [
                .required(
                    "channels", .list(group, count: 0...FunnelWire.groupsMax), "Most leads first."),
                .required(
                    "channels_omitted", .integer(0...Int64.max),
                    "Smaller channels that are not listed; the shares count them."),
                .required("referrer_kinds", .list(group, count: 0...FunnelWire.groupsMax)),
                ReportWire.formulas(formulas),
            ]))

    static func json(
        _ report: ReportRoutes.Report, channels: [(key: String, tally: FunnelTally)],
        referrers: [(key: String, tally: FunnelTally)]
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 4096)
        json.object { object in
            ReportWire.writeHead("channels_report", report, &object)
            object.array("channels") { write(channels, report.program.currency, &$0) }
            object.field("channels_omitted", max(0, channels.count - FunnelWire.groupsMax))
            object.array("referrer_kinds") { write(referrers, report.program.currency, &$0) }
            ReportWire.write(formulas, &object)
        }
        return json.bytes
    }

    private static func write(
        _ groups: [(key: String, tally: FunnelTally)], _ currency: Currency,
        _ json: inout JSONArrayWriter
    ) {
        let tallies = groups.map(\.tally)
        let leads = FunnelRules.shares(of: tallies.map { $0[.lead] })
        let wins = FunnelRules.shares(of: tallies.map { $0[.won] })
        let values = FunnelRules.shares(of: tallies.map(\.wonValue))
        let amounts = FunnelRules.shares(of: tallies.map(\.conversionAmount))
        for (place, group) in groups.prefix(FunnelWire.groupsMax).enumerated() {
            json.object { item in
                item.field("key", group.key)
                item.object("leads") { write(group.tally[.lead], leads[place], &$0) }
                item.object("won") { write(group.tally[.won], wins[place], &$0) }
                item.object("won_value") {
                    write(group.tally.wonValue, currency, values[place], &$0)
                }
                item.object("conversion_amount") {
                    write(group.tally.conversionAmount, currency, amounts[place], &$0)
                }
            }
        }
    }

    private static func write(_ count: Int64, _ share: Int64?, _ json: inout JSONObjectWriter) {
        json.field("count", count)
        json.field("share_basis_points", share)
    }

    private static func write(
        _ amount: Int64, _ currency: Currency, _ share: Int64?, _ json: inout JSONObjectWriter
    ) {
        json.field("amount", amount)
        json.field("currency", currency.code)
        json.field("share_basis_points", share)
    }
}

/// What all reports begin and end with.
enum ReportWire {
    static func head(_ name: String) -> [Field] {
        [
            .required("object", .choice([name])), .required("program_id", .id(ProgramID.self)),
            .required("from", .day, "The first day."), .required("to", .day, "The last day."),
            .required("time_zone", .text(1...64), "By whose clocks days and months are told."),
        ]
    }

    static func formulas(_ list: [(name: String, text: String)]) -> Field {
        .required(
            "formulas", .object(list.map { .required($0.name, .text(1...500)) }),
            "What each number is.")
    }

    static func writeHead(
        _ name: String, _ report: ReportRoutes.Report, _ json: inout JSONObjectWriter
    ) {
        json.field("object", name)
        json.field("program_id", report.program.id)
        json.field("from", CivilDay.text(report.period.days.lowerBound))
        json.field("to", CivilDay.text(report.period.days.upperBound - 1))
        json.field("time_zone", report.period.zone.name)
    }

    static func write(
        _ formulas: [(name: String, text: String)], _ json: inout JSONObjectWriter
    ) {
        json.object("formulas") { object in
            for (name, text) in formulas { object.field(name, text) }
        }
    }
}
