import JSON
import Model
import Programs
import RewardLedger

/// How a payout run looks on the wire, and its payouts as rows for a bank or a provider.
enum PayoutRunWire {
    static let schema = Schema.named(
        "PayoutRun",
        .object([
            .required("id", .id(PayoutRunID.self)), .required("object", .choice(["payout_run"])),
            .required("program_id", .id(ProgramID.self)),
            .required("reference", .text(1...100)),
            .required("kind", .choice(Payout.Kind.allCases.map(\.rawValue))),
            .required("status", .choice(PayoutRun.State.allCases.map(\.rawValue))),
            .required(
                "period", .nullable(.day), "The day for which the schedule made it; null: a call."),
            .required("minimum", .money(from: 0), "The program's when the run was made."),
            .required("review_days", .integer(0...90)),
            .required("examined", count, "Participants looked at so far."),
            .required(
                "waiting", count,
                "Of those, whose rewards wait: less than the minimum, all owed back, or not "
                    + "approved."),
            .required(
                "failed", count, "Of those, for whom a fault stood in the way; the log names it."),
            .required(
                "skipped", count,
                "Of those, who are suspended or not approved yet: the events payout_run.skipped "
                    + "name them. Their rewards wait."),
            .required("payout_count", count),
            .required("amount", .money(from: 0), "Of all its payouts that were not given up."),
            .required("clawed_back", .money(from: 0), "Kept back by them."),
            .required("paid_amount", .money(from: 0)),
            .required(
                "by_status",
                .list(
                    .object([
                        .required("status", .choice(Payout.State.allCases.map(\.rawValue))),
                        .required("count", count),
                        .required("amount", .money(from: 0)),
                        .required("paid_amount", .money(from: 0)),
                    ]), count: 0...Payout.State.allCases.count)),
            .required("created_at", .time), .required("finished_at", .nullable(.time)),
        ]))

    private static let count = Schema.integer(0...Int64.max)

    static let input = Schema.object([
        .required("reference", .key(1...100), "Your own name for the run, unique for good."),
        .optional(
            "kind", .choice(Payout.Kind.allCases.map(\.rawValue)),
            "Kinds are never paid together; cash unless told."),
    ])

    static func json(_ run: PayoutRun, _ sums: [PayoutRunSum]) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(run, sums, &$0) }
        return json.bytes
    }

    static func write(_ run: PayoutRun, _ sums: [PayoutRunSum], _ json: inout JSONObjectWriter) {
        func money(_ amount: Int64) -> Money { Money(amount: amount, currency: run.currency) }
        let live = sums.filter { $0.state != .failed && $0.state != .cancelled }
        json.field("id", run.id)
        json.field("object", "payout_run")
        json.field("program_id", run.program)
        json.field("reference", run.reference)
        json.field("kind", run.kind.rawValue)
        json.field("status", run.state.rawValue)
        json.field("period", run.period.map { CivilDay.text($0) })
        json.money("minimum", money(run.minimum))
        json.field("review_days", run.reviewDays)
        json.field("examined", run.examined)
        json.field("waiting", run.waiting)
        json.field("failed", run.failed)
        json.field("skipped", run.skipped)
        json.field("payout_count", sums.reduce(0) { $0 + $1.payouts })
        json.money("amount", money(live.reduce(0) { $0 + $1.amount }))
        json.money("clawed_back", money(live.reduce(0) { $0 + $1.clawbackAmount }))
        json.money("paid_amount", money(sums.reduce(0) { $0 + $1.paidAmount }))
        json.array("by_status") { list in
            for state in Payout.State.allCases {
                guard let sum = sums.first(where: { $0.state == state }) else { continue }
                list.object { json in
                    json.field("status", state.rawValue)
                    json.field("count", sum.payouts)
                    json.money("amount", money(sum.amount))
                    json.money("paid_amount", money(sum.paidAmount))
                }
            }
        }
        json.field("created_at", run.createdAt)
        json.field("finished_at", run.finishedAt)
    }

    // MARK: - Export

    /// One row a payout. The contract and the README name them; further ones are added at the end.
    static let columns = [
        "payout_id", "reference", "participant_id", "external_id", "name", "email", "kind",
        "status", "currency", "amount", "amount_decimal", "rewards_amount", "clawed_back",
        "paid_amount", "reward_count", "provider_reference", "created_at", "submit_from",
    ]

    static func write(_ payout: Payout, to payee: Participant?, _ table: inout CSVTable) {
        table.text(payout.id.description)
        table.text(payout.reference)
        table.text(payout.participant.description)
        table.text(payee?.externalID)
        table.text(payee?.name)
        table.text(payee?.email.text)
        table.text(payout.kind.rawValue)
        table.text(payout.state.rawValue)
        table.text(payout.currency.code)
        table.number(payout.amount)
        table.text(payout.money(payout.amount).decimal)
        table.number(payout.rewardsAmount)
        table.number(payout.clawbackAmount)
        table.number(payout.paidAmount)
        table.number(payout.rewardCount)
        table.text(payout.providerReference)
        table.text(payout.createdAt.rfc3339)
        table.text(payout.submitFrom?.rfc3339)
        table.endRecord()
    }
}
