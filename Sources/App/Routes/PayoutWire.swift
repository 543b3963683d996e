import JSON
import Model
import Programs
import RewardLedger

/// How a payout looks on the wire, and as a row of the export.
enum PayoutWire {
    static let schema = Schema.named("Payout", .object(fields))

    /// A payout with its rewards.
    static let detailed = Schema.named(
        "PayoutDetail",
        .object(
            fields + [
                .required(
                    "rewards",
                    .list(
                        .object([
                            .required("reward_id", .id(RewardID.self)),
                            .required("amount", .money(from: 1)),
                            .required("settled", .money(from: 0)),
                        ]), count: 0...PayoutRules.rewardsMax), "Oldest first.")
            ]))

    private static let fields: [Field] = [
        .required("id", .id(PayoutID.self)), .required("object", .choice(["payout"])),
        .required("program_id", .id(ProgramID.self)),
        .required("participant_id", .id(ParticipantID.self)),
        .required("reference", .text(1...100)),
        .required("kind", .choice(Payout.Kind.allCases.map(\.rawValue))),
        .required(
            "payout_run_id", .nullable(.id(PayoutRunID.self)), "The run that drafted it."),
        .required("status", .choice(Payout.State.allCases.map(\.rawValue))),
        .required("rewards_amount", .money(from: 1), "The sum of its rewards."),
        .required("clawed_back", .money(from: 0), "Kept back, because it is owed."),
        .required("amount", .money(from: 1), "To be paid: the difference."),
        .required("paid_amount", .money(from: 0), "Paid, and not come back."),
        .required("returned_amount", .money(from: 0), "Come back from the bank, in all."),
        .required(
            "paid_twice_amount", .money(from: 0),
            "Of paid_amount, what was due no more when it was paid: another payout has paid it, or "
                + "it was refunded. It is owed."),
        .required("reward_count", .integer(1...Int64(PayoutRules.rewardsMax))),
        .required("provider_reference", .nullable(.text(1...200))),
        .required("reason", .nullable(.prose(0...500))),
        .required(
            "submit_from", .nullable(.time), "When its review is over."),
        .required("submitted_at", .nullable(.time)), .required("settled_at", .nullable(.time)),
        .required("version", .integer(1...Int64.max)), .required("created_at", .time),
        .required("updated_at", .time),
    ]

    static let input = Schema.object([
        .required("participant_id", .id(ParticipantID.self), "Who is paid."),
        .required("reference", .key(1...100), "Your own name for the payout, unique for good."),
        .optional("currency", .currency, "Must be the program's, when given."),
        .optional(
            "kind", .choice(Payout.Kind.allCases.map(\.rawValue)),
            "Rewards of one kind are paid at once; cash unless told."),
        .optional(
            "override_minimum", .boolean,
            "Whether it is paid even below the program's minimum; false unless told."),
    ])

    static func json(_ payout: Payout, _ items: [PayoutItem]) -> [UInt8] {
        var json = JSONWriter(capacity: 1024 + 160 * items.count)
        json.object { object in
            write(payout, &object)
            object.array("rewards") { list in
                for item in items {
                    list.object { json in
                        json.field("reward_id", item.reward)
                        json.money("amount", payout.money(item.amount))
                        json.money("settled", payout.money(item.settledAmount))
                    }
                }
            }
        }
        return json.bytes
    }

    static func write(_ payout: Payout, _ json: inout JSONObjectWriter) {
        json.field("id", payout.id)
        json.field("object", "payout")
        json.field("program_id", payout.program)
        json.field("participant_id", payout.participant)
        json.field("reference", payout.reference)
        json.field("kind", payout.kind.rawValue)
        json.field("payout_run_id", payout.run)
        json.field("status", payout.state.rawValue)
        json.money("rewards_amount", payout.money(payout.rewardsAmount))
        json.money("clawed_back", payout.money(payout.clawbackAmount))
        json.money("amount", payout.money(payout.amount))
        json.money("paid_amount", payout.money(payout.paidAmount))
        json.money("returned_amount", payout.money(payout.returnedAmount))
        json.money("paid_twice_amount", payout.money(payout.paidTwiceAmount))
        json.field("reward_count", payout.rewardCount)
        json.field("provider_reference", payout.providerReference)
        json.field("reason", payout.reason)
        json.field("submit_from", payout.submitFrom)
        json.field("submitted_at", payout.submittedAt)
        json.field("settled_at", payout.settledAt)
        json.field("version", payout.version)
        json.field("created_at", payout.createdAt)
        json.field("updated_at", payout.updatedAt)
    }

    // MARK: - Export

    /// The export's columns, one row a payout. `payout_id` and `amount` are what a file of results
    /// names it by.
    static let columns = ExportRow.columns + moreColumns

    static let moreColumns = [
        "payout_id", "email", "kind", "rewards_amount", "clawed_back", "paid_amount",
        "paid_amount_decimal", "returned_amount", "reward_count", "provider_reference", "reason",
        "payout_run_id", "submit_from", "submitted_at", "settled_at",
    ]

    static func write(
        _ payout: Payout, _ names: ExportNames, _ table: inout CSVTable
    ) throws {
        let row = ExportRow(
            id: payout.id.description, reference: payout.reference, status: payout.state.rawValue,
            createdAt: payout.createdAt, program: payout.program, participant: payout.participant,
            currency: payout.currency, amount: payout.amount)
        try row.write(names, &table)
        table.text(payout.id.description)
        table.text(try names.participant(payout.participant)?.email.text)
        table.text(payout.kind.rawValue)
        table.number(payout.rewardsAmount)
        table.number(payout.clawbackAmount)
        table.amount(payout.paidAmount, payout.currency)
        table.number(payout.returnedAmount)
        table.number(payout.rewardCount)
        table.text(payout.providerReference)
        table.text(payout.reason)
        table.text(payout.run?.description)
        table.text(payout.submitFrom?.rfc3339)
        table.text(payout.submittedAt?.rfc3339)
        table.text(payout.settledAt?.rfc3339)
        table.endRecord()
    }
}

extension Payout {
    func money(_ amount: Int64) -> Money { Money(amount: amount, currency: currency) }
}

/// What the actions on a payout take.
enum PayoutMoveWire {
    static func input(_ action: Payout.State.Action) -> Schema {
        switch action {
        case .submit:
            .object([
                .optional(
                    "provider_reference", .nullable(.text(1...200)),
                    "The provider's own id of it."),
                SeparateDuties.override,
            ])
        case .confirm:
            .object([
                .optional(
                    "paid_amount", .money(from: 1),
                    "What was paid in all, not what came in addition; default: the whole.")
            ])
        case .return:
            .object([
                .optional(
                    "amount", .money(from: 1), "What came back now; default: all that was paid."),
                .required("reason", .prose(1...500), "It is shown on the statement."),
            ])
        case .fail: .object([.required("reason", .prose(1...500))])
        case .markUnknown, .cancel: .object([.optional("reason", .nullable(.prose(1...500)))])
        }
    }
}
