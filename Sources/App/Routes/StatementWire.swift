import Crypto
import JSON
import Model
import Programs
import RewardLedger

/// How a participant's money looks on the wire.
enum BalanceWire {
    static let schema = Schema.named(
        "Balance",
        .object([
            .required("object", .choice(["balance"])),
            .required("participant_id", .id(ParticipantID.self)),
            .required("as_of", .time),
            .required("balances", .list(.object(fields), count: 0...200), "One a currency."),
        ]))

    private static let fields: [Field] = [.required("currency", .unit)] + amounts

    /// Minor units; only a statement's changes may be negative.
    static let amounts: [Field] = [
        .required("pending", amount, "Earned; on hold or in review."),
        .required("available", amount, "Approved, for the next payout, or to be redeemed."),
        .required("in_payout", amount, "Submitted or being redeemed, its outcome not yet known."),
        .required("paid", amount),
        .required("clawback_owed", amount, "Kept back by the next payout or redemption."),
    ]

    private static let amount = Schema.integer(-Money.maximum...Money.maximum)

    static func json(
        _ participant: ParticipantID,
        _ balances: [(currency: Currency, balance: ParticipantBalance)],
        asOf: Instant
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("object", "balance")
            object.field("participant_id", participant)
            object.field("as_of", asOf)
            object.array("balances") { list in
                for (currency, balance) in balances {
                    list.object { json in
                        json.field("currency", currency.code)
                        write(balance, &json)
                    }
                }
            }
        }
        return json.bytes
    }

    static func write(_ balance: ParticipantBalance, _ json: inout JSONObjectWriter) {
        json.field("pending", balance.pending)
        json.field("available", balance.available)
        json.field("in_payout", balance.inPayout)
        json.field("paid", balance.paid)
        json.field("clawback_owed", balance.clawbackOwed)
    }
}

/// How a statement looks on the wire, and as a table.
enum StatementWire {
    static let schema = Schema.named(
        "Statement",
        .object([
            .required("object", .choice(["statement"])),
            .required("participant_id", .id(ParticipantID.self)),
            .required("currency", .unit),
            .required("from", .nullable(.time)), .required("to", .nullable(.time)),
            .required("as_of", .time, "What was known then; the last commit unless told."),
            .required("opening", .object(BalanceWire.amounts)),
            .required("lines", .list(.object(lineFields), count: 0...linesMax), "Oldest first."),
            .required("closing", .object(BalanceWire.amounts), "Opening and lines added up."),
            .required("head", LedgerHeadWire.schema, "The last entry of the journal it has seen."),
        ]))

    /// Lines in one statement; a longer one is asked for in shorter periods.
    static let linesMax = 5_000

    private static let lineFields: [Field] =
        [
            .required("transaction_id", .id(LedgerTransactionID.self)),
            .required("kind", .choice(JournalEntry.Kind.allCases.map(\.rawValue))),
            .required("posted_at", .time),
            .required("description", .prose(1...2000), "What happened, in words."),
            .required("reward_id", .nullable(.id(RewardID.self))),
            .required("rule_id", .nullable(.id(RewardRuleID.self))),
            .required("rule_version", .nullable(.integer(1...Int64.max))),
            .required("payout_id", .nullable(.id(PayoutID.self))),
            .required("payout_reference", .nullable(.text(1...100))),
            .required(
                "reason", .nullable(.prose(1...500)), "Why a payout came back; else null."),
            .required("conversion_id", .nullable(.id(ConversionID.self))),
            .required("lead_id", .nullable(.id(LeadID.self))),
            .required("refund_id", .nullable(.id(RefundID.self))),
            .required("redemption_id", .nullable(.id(RedemptionID.self))),
        ] + BalanceWire.amounts + [
            .required(
                "balance", .integer(-Money.maximum...Money.maximum),
                "Owed to the participant in all after it.")
        ]

    static func json(
        _ statement: Statement, of participant: ParticipantID, in period: StatementPeriod
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024 + 512 * statement.lines.count)
        json.object { object in
            object.field("object", "statement")
            object.field("participant_id", participant)
            object.field("currency", statement.currency.code)
            object.field("from", period.from)
            object.field("to", period.to)
            object.field("as_of", period.asOf)
            object.object("opening") { BalanceWire.write(statement.opening, &$0) }
            object.array("lines") { list in
                for line in statement.lines {
                    list.object { write(line, in: statement.currency, &$0) }
                }
            }
            object.object("closing") { BalanceWire.write(statement.closing, &$0) }
            object.object("head") { LedgerHeadWire.write(statement.head, &$0) }
        }
        return json.bytes
    }

    private static func write(
        _ line: Statement.Line, in currency: Currency, _ json: inout JSONObjectWriter
    ) {
        json.field("transaction_id", line.transaction)
        json.field("kind", line.kind.rawValue)
        json.field("posted_at", line.postedAt)
        json.field("description", line.words(in: currency))
        json.field("reward_id", line.reward)
        json.field("rule_id", line.rule)
        json.field("rule_version", line.ruleVersion)
        json.field("payout_id", line.payout)
        json.field("payout_reference", line.payoutReference)
        json.field("reason", line.reason)
        json.field("conversion_id", line.conversion)
        json.field("lead_id", line.lead)
        json.field("refund_id", line.refund)
        json.field("redemption_id", line.redemption)
        BalanceWire.write(line.change, &json)
        json.field("balance", line.owed)
    }

    /// What follows the columns that all exports have. The first row is the opening, the last one
    /// the closing balance; `amount` is what a line changes the balance by.
    static let moreColumns = [
        "pending", "available", "in_payout", "paid", "clawback_owed", "balance", "balance_decimal",
        "reward_id", "payout_id", "conversion_id", "lead_id", "refund_id", "rule_id",
        "rule_version", "redemption_id", "reason", "description",
    ]

    static func table(
        _ statement: Statement, of participant: Participant, in program: Program,
        hasMark: Bool = false
    ) -> CSVTable {
        var table = CSVTable(columns: ExportRow.columns + moreColumns, hasMark: hasMark)
        let currency = statement.currency
        func row(
            _ status: String, _ amounts: ParticipantBalance, balance: Int64,
            _ line: Statement.Line? = nil
        ) {
            table.text(line?.transaction.description)
            table.text(line?.payoutReference)
            table.text(status)
            table.text(line?.postedAt.rfc3339)
            table.text(program.id.description)
            table.text(program.name)
            table.text(participant.id.description)
            table.text(participant.name)
            table.text(participant.externalID)
            table.text(currency.code)
            table.amount(line == nil ? nil : amounts.owed, currency)
            table.number(amounts.pending)
            table.number(amounts.available)
            table.number(amounts.inPayout)
            table.number(amounts.paid)
            table.number(amounts.clawbackOwed)
            table.amount(balance, currency)
            table.text(line?.reward?.description)
            table.text(line?.payout?.description)
            table.text(line?.conversion?.description)
            table.text(line?.lead?.description)
            table.text(line?.refund?.description)
            table.text(line?.rule?.description)
            table.text(line?.ruleVersion.map { String($0) })
            table.text(line?.redemption?.description)
            table.text(line?.reason)
            table.text(line?.words(in: currency))
            table.endRecord()
        }
        row("opening", statement.opening, balance: statement.opening.owed)
        for line in statement.lines {
            row(line.kind.rawValue, line.change, balance: line.owed, line)
        }
        row("closing", statement.closing, balance: statement.closing.owed)
        return table
    }
}

/// How the end of the journal's chain looks on the wire.
enum LedgerHeadWire {
    static let schema = Schema.named(
        "LedgerHead",
        .object([
            .required("sequence", .integer(0...Int64.max)),
            .required("hash", .text(64...64), "SHA-256 in hexadecimal."),
        ]))

    /// `sequence:hash`, as the command line prints it.
    static let line = Schema.string(
        TextRule(66...82, pattern: "^[0-9]{1,17}:[0-9a-f]{64}$") { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            return parts.count == 2 && (1...17).contains(parts[0].utf8.count)
                && parts[0].utf8.allSatisfy { (0x30...0x39).contains($0) }
                && parts[1].utf8.count == 64 && Hex.decode(String(parts[1])) != nil
                && parts[1].utf8.allSatisfy { !(0x41...0x46).contains($0) }
        })

    /// Reads what `write` wrote among other members; nil for anything else.
    static func head(_ json: JSONObject) -> LedgerHead? {
        guard let sequence = json["sequence"]?.integerValue, let hash = json["hash"]?.stringValue
        else { return nil }
        return LedgerHead("\(sequence):\(hash)")
    }

    static func write(_ head: LedgerHead, _ json: inout JSONObjectWriter) {
        json.field("sequence", head.sequence)
        json.field("hash", Hex.encode(head.hash))
    }
}
