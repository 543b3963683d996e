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
            .required("participant_count", .nullable(count), "If it names them; null: everybody."),
            .required("segment", .nullable(.text(1...100)), "If it is for one; null: any."),
            .required("examined", count, "Participants looked at so far."),
            .required(
                "waiting", count,
                "Of those, whose rewards wait: less than the minimum, all owed back, or not "
                    + "approved."),
            .required(
                "failed", count, "Of those, for whom a fault stood in the way; the log names it."),
            .required(
                "skipped", count,
                "Of those, who are suspended or not approved yet, or whose last payment came back "
                    + "(returned): the events payout_run.skipped name them. Their rewards wait."),
            .required(
                "left_out", count,
                "Payouts that the last submission left as drafts: the events payout_run.skipped "
                    + "name them."),
            .required("payout_count", count),
            .required("drafted_amount", .money(from: 0), "Of all its payouts when it was made."),
            .required(
                "amount", .money(from: 0),
                "Of all its payouts that were not given up: neither failed, returned nor cancelled."
            ),
            .required("clawed_back", .money(from: 0), "Kept back by them."),
            .required("paid_amount", .money(from: 0)),
            .optional(
                "left_out_participants",
                .list(
                    .object([
                        .required("participant_id", .id(ParticipantID.self)),
                        .required(
                            "reason",
                            .text(1...60),
                            "participant_suspended, returned, below_minimum, owes, nothing_to_pay "
                                + "and the like."),
                    ]), count: 0...PayoutRunPreview.leftOutMax),
                "In a dry run: who gets no payout, and why."),
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
            "Kinds are never paid together; default: cash."),
        .optional(
            "participant_ids",
            .nullable(
                .list(.id(ParticipantID.self), count: 1...PayoutRunSelection.participantsMax)),
            "Only these participants; default: all."),
        .optional(
            "segment", .nullable(.text(1...100)),
            "Only participants with this segment; default: any."),
    ])

    static func json(
        _ run: PayoutRun, _ sums: [PayoutRunSum], leftOut: [PayoutRunPreview.LeftOut]? = nil
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { object in
            write(run, sums, &object)
            guard let leftOut else { return }
            object.array("left_out_participants") { list in
                for one in leftOut {
                    list.object { json in
                        json.field("participant_id", one.participant)
                        json.field("reason", one.reason)
                    }
                }
            }
        }
        return json.bytes
    }

    static func write(_ run: PayoutRun, _ sums: [PayoutRunSum], _ json: inout JSONObjectWriter) {
        func money(_ amount: Int64) -> Money { Money(amount: amount, currency: run.currency) }
        let live = sums.filter {
            $0.state != .failed && $0.state != .returned && $0.state != .cancelled
        }
        json.field("id", run.id)
        json.field("object", "payout_run")
        json.field("program_id", run.program)
        json.field("reference", run.reference)
        json.field("kind", run.kind.rawValue)
        json.field("status", run.state.rawValue)
        json.field("period", run.period.map { CivilDay.text($0) })
        json.money("minimum", money(run.minimum))
        json.field("review_days", run.reviewDays)
        json.field("participant_count", run.selection.participants.map { Int64($0.count) })
        json.field("segment", run.selection.segment)
        json.field("examined", run.examined)
        json.field("waiting", run.waiting)
        json.field("failed", run.failed)
        json.field("skipped", run.skipped)
        json.field("left_out", run.leftOut)
        json.field("payout_count", sums.reduce(0) { $0 + $1.payouts })
        json.money("drafted_amount", money(run.draftedAmount))
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
}
