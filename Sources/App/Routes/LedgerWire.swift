import Crypto
import JSON
import Model
import RewardLedger

/// How an account of the journal looks on the wire.
enum LedgerAccountWire {
    static let schema = Schema.named(
        "LedgerAccount",
        .object([
            .required("id", .id(LedgerAccountID.self)),
            .required("object", .choice(["ledger_account"])), .required("kind", kind),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .nullable(.id(ParticipantID.self))),
            .required("currency", .unit),
            .required("balance", amount, "Minor units; debits are positive."),
            .required("created_at", .time),
        ]))

    static let kind = Schema.choice(LedgerAccount.Kind.allCases.map(\.rawValue))
    static let amount = Schema.integer(Int64.min...Int64.max)

    static func write(_ account: LedgerAccount, _ json: inout JSONObjectWriter) {
        json.field("id", account.id)
        json.field("object", "ledger_account")
        json.field("kind", account.kind.rawValue)
        json.field("program_id", account.program)
        json.field("participant_id", account.participant)
        json.field("currency", account.currency.code)
        json.field("balance", account.balance)
        json.field("created_at", account.createdAt)
    }
}

/// How a transaction of the journal looks on the wire.
enum LedgerTransactionWire {
    static let schema = Schema.named(
        "LedgerTransaction",
        .object([
            .required("id", .id(LedgerTransactionID.self)),
            .required("object", .choice(["ledger_transaction"])),
            .required("sequence", .integer(1...Int64.max), "From 1, without gaps."),
            .required("kind", kind), .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .id(ParticipantID.self)),
            .required("reward_id", .nullable(.id(RewardID.self))),
            .required("payout_id", .nullable(.id(PayoutID.self))),
            .required("conversion_id", .nullable(.id(ConversionID.self))),
            .required("lead_id", .nullable(.id(LeadID.self))),
            .required("refund_id", .nullable(.id(RefundID.self))),
            .optional("redemption_id", .id(RedemptionID.self), "Of an entry about one."),
            .required("currency", .unit), .required("posted_at", .time),
            .required("postings", .list(.object(postingFields), count: 2...6)),
            .required("previous_hash", .text(64...64)),
            .required("hash", .text(64...64), "SHA-256 over the transaction and previous_hash."),
        ]))

    static let kind = Schema.choice(JournalEntry.Kind.allCases.map(\.rawValue))

    private static let postingFields: [Field] = [
        .required("account_id", .id(LedgerAccountID.self)),
        .required("account", LedgerAccountWire.kind),
        .required("amount", LedgerAccountWire.amount, "Minor units; debits are positive."),
    ]

    static func json(_ transaction: LedgerTransaction) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(transaction, &$0) }
        return json.bytes
    }

    static func write(_ transaction: LedgerTransaction, _ json: inout JSONObjectWriter) {
        let entry = transaction.entry
        json.field("id", transaction.id)
        json.field("object", "ledger_transaction")
        json.field("sequence", transaction.sequence)
        json.field("kind", entry.kind.rawValue)
        json.field("program_id", entry.program)
        json.field("participant_id", entry.participant)
        json.field("reward_id", entry.reward)
        json.field("payout_id", entry.payout)
        json.field("conversion_id", entry.conversion)
        json.field("lead_id", entry.lead)
        json.field("refund_id", entry.refund)
        // Proofs that were kept from before there were redemptions stay what is written here.
        if let redemption = entry.redemption { json.field("redemption_id", redemption) }
        json.field("currency", entry.currency.code)
        json.field("posted_at", transaction.postedAt)
        json.array("postings") { list in
            for line in transaction.lines {
                list.object { json in
                    json.field("account_id", line.account)
                    json.field("account", line.posting.account.rawValue)
                    json.field("amount", line.posting.amount)
                }
            }
        }
        json.field("previous_hash", Hex.encode(transaction.previousHash))
        json.field("hash", Hex.encode(transaction.hash))
    }
}

/// How the outcome of a verification looks on the wire.
enum LedgerReportWire {
    static let schema = Schema.named(
        "LedgerReport",
        .object([
            .required("object", .choice(["ledger_report"])),
            .required("sound", .boolean),
            .required(
                "faults", .list(.text(1...300), count: 0...LedgerReport.faultsMax),
                "The first fault first."),
            .required("transactions", count), .required("postings", count),
            .required("accounts", count), .required("rewards", count),
            .required("payouts", count), .required("redemptions", count),
            .required("head", LedgerHeadWire.schema),
        ]))

    private static let count = Schema.integer(0...Int64.max)

    static func json(_ report: LedgerReport) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("object", "ledger_report")
            object.field("sound", report.isSound)
            object.array("faults") { list in
                for fault in report.faults { list.element(fault) }
            }
            object.field("transactions", report.transactions)
            object.field("postings", report.postings)
            object.field("accounts", report.accounts)
            object.field("rewards", report.rewards)
            object.field("payouts", report.payouts)
            object.field("redemptions", report.redemptions)
            object.object("head") { LedgerHeadWire.write(report.head, &$0) }
        }
        return json.bytes
    }
}
