import JSON
import Model
import Programs
import Records
import RewardLedger

/// How times from the referral to the reward look on the wire.
enum TimeToRewardWire {
    static let formulas: [(name: String, text: String)] = [
        (
            "count",
            "rewards that a first payment settled, points that were credited, and benefits that "
                + "were given, on the UTC day of that, which is the payment; from <= day < to"
        ),
        (
            "median_seconds",
            "the time from the referral to the payment that half of them did not exceed (nearest "
                + "rank), in whole seconds; null when there are none"
        ),
        ("p90_seconds", "the time that nine tenths of them did not exceed (nearest rank)"),
        ("mean_seconds", "the sum of their times / count, rounded down"),
        (
            "referral",
            "the time of the lead's referral, else of the sale's first touch with credit, else of "
                + "the sale"
        ),
        (
            "parts",
            "medians of what the way is made of: from the referral to what earned it, the step of "
                + "the lead or the sale; from there to the approval; from there to the payment"
        ),
        (
            "basis_points",
            "10000 * those in time / those that had such a limit when they were granted, rounded "
                + "down; null when none had; in time is before the limit"
        ),
        ("within_target", "paid within reward_target_days of the referral, hold included"),
        (
            "within_business_days",
            "paid within credit_business_days of what earned it, hold included"
        ),
        ("within_pay_days", "paid within pay_days of what earned it, hold included"),
        (
            "as_promised",
            "the promise kept, which counts from the end of the hold: credited for the step of a "
                + "lead, paid for a win or a sale; benefits have none"
        ),
        (
            "verdict",
            "above: the median is as long as the target or longer; within: it is shorter"
        ),
        (
            "waiting",
            "rewards and benefits neither paid nor given at the last change of anything, whatever "
                + "the days; beyond_target: those whose target is over"
        ),
    ]

    private static let seconds = Schema.nullable(.integer(0...Int64.max))
    private static let share = Schema.nullable(.integer(0...10_000))
    private static let part = Schema.object([.required("median_seconds", seconds)])

    private static let numbers: [Field] = [
        .required("count", .integer(0...Int64.max)),
        .required("median_seconds", seconds), .required("p90_seconds", seconds),
        .required("mean_seconds", seconds), .required("max_seconds", seconds),
        .required("within_target_basis_points", share),
        .required("within_business_days_basis_points", share),
        .required("within_pay_days_basis_points", share),
        .required("as_promised_basis_points", share),
        .required(
            "parts",
            .object([
                .required("referral_to_event", part), .required("event_to_approval", part),
                .required("approval_to_payment", part),
            ])),
    ]

    private static let target = Schema.object([
        .required("days", .integer(1...365)), .required("hold_days", .integer(0...365)),
        .required("in_reach", .boolean, "False when the hold alone is as long as the target."),
        .required(
            "verdict", .nullable(.choice(Verdict.allCases.map(\.rawValue))),
            "The median beside the target; null when nothing was paid."),
    ])

    static let schema = Schema.named(
        "TimeToRewardReport",
        .object(
            ReportWire.head("time_to_reward_report") + [
                .required("by", .choice(RewardTimeDimension.allCases.map(\.rawValue))),
                .required("target", .nullable(target), "As the program has it today, or none."),
                .required("total", .object(numbers)),
                .required(
                    "groups", .list(.object([FunnelWire.key] + numbers), count: 0...groupsMax),
                    "Months in their order, else the largest first."),
                .required(
                    "groups_omitted", .integer(0...Int64.max),
                    "Smaller groups, or later months, that are not listed."),
                .required(
                    "waiting",
                    .object([
                        .required("count", .integer(0...Int64.max)),
                        .required("oldest_seconds", seconds, "Since the referral."),
                        .required("beyond_target", .integer(0...Int64.max)),
                    ])),
                ReportWire.formulas(formulas),
            ]))

    /// Groups that one answer lists.
    static let groupsMax = 200

    /// How a figure stands to its benchmark (R279); nothing is too fast.
    private enum Verdict: String, CaseIterable { case within, above }

    static func json(
        _ report: ReportRoutes.Report, by dimension: RewardTimeDimension,
        groups: [(key: String, tally: RewardTimeTally)], total: RewardTimeTally,
        _ waiting: WaitingRewards
    ) -> [UInt8] {
        let times = total.whole.sorted()
        var json = JSONWriter(capacity: 4096)
        json.object { object in
            ReportWire.writeHead("time_to_reward_report", report, &object)
            object.field("by", dimension.rawValue)
            write(report.program.terms, median: RewardTimeRules.percentile(50, of: times), &object)
            object.object("total") { write(total, &$0) }
            object.array("groups") { list in
                for group in groups.prefix(groupsMax) {
                    list.object { item in
                        item.field("key", group.key)
                        write(group.tally, &item)
                    }
                }
            }
            object.field("groups_omitted", max(0, groups.count - groupsMax))
            object.object("waiting") { object in
                object.field("count", waiting.count)
                object.field(
                    "oldest_seconds",
                    waiting.oldest.map { RewardTimeRules.seconds(from: $0, to: report.now) })
                object.field("beyond_target", waiting.beyondTarget)
            }
            ReportWire.write(formulas, &object)
        }
        return json.bytes
    }

    private static func write(
        _ terms: ProgramTerms, median: Int64?, _ json: inout JSONObjectWriter
    ) {
        guard let days = terms.serviceLevels.rewardTarget,
            let isInReach = terms.serviceLevels.isTargetInReach(holdDays: terms.holdDays)
        else { return json.null("target") }
        json.object("target") { object in
            object.field("days", days)
            object.field("hold_days", terms.holdDays)
            object.field("in_reach", isInReach)
            let verdict = median.map { $0 < days * 86_400 ? Verdict.within : .above }
            object.field("verdict", verdict?.rawValue)
        }
    }

    private static func write(_ tally: RewardTimeTally, _ json: inout JSONObjectWriter) {
        let times = tally.whole.sorted()
        json.field("count", Int64(times.count))
        json.field("median_seconds", RewardTimeRules.percentile(50, of: times))
        json.field("p90_seconds", RewardTimeRules.percentile(90, of: times))
        json.field("mean_seconds", RewardTimeRules.mean(of: times))
        json.field("max_seconds", times.last)
        json.field("within_target_basis_points", rate(tally.withinTarget))
        json.field("within_business_days_basis_points", rate(tally.withinBusinessDays))
        json.field("within_pay_days_basis_points", rate(tally.withinPayDays))
        json.field("as_promised_basis_points", rate(tally.asPromised))
        json.object("parts") { object in
            write(tally.toEvent, "referral_to_event", &object)
            write(tally.toApproval, "event_to_approval", &object)
            write(tally.toPayment, "approval_to_payment", &object)
        }
    }

    private static func write(
        _ times: [Int64], _ name: StaticString, _ json: inout JSONObjectWriter
    ) {
        json.object(name) { object in
            object.field("median_seconds", RewardTimeRules.percentile(50, of: times.sorted()))
        }
    }

    private static func rate(_ share: RewardTimeTally.Share) -> Int64? {
        FunnelRules.rate(share.kept, of: share.all)
    }
}
