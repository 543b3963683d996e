import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/ledger/journal.csv`: a month of the journal for accountants, one row a posting, and after
/// the last one the trial balance at the month's end, one row an account of a program.
enum JournalExport {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/ledger/journal.csv", .key(.read), .export(export), exporting)
    }

    private static let more = [
        "account", "debit", "credit", "debit_decimal", "credit_decimal", "sequence", "kind",
        "reward_id", "payout_id", "conversion_id", "lead_id", "refund_id", "redemption_id",
    ]

    private static func export(_ call: Call, _ reader: Reader) throws -> Export {
        guard let month = call.query["month"], let day = CivilDay.parse(month + "-01") else {
            throw Refused(.invalidField("/month", code: "required", detail: "is missing"))
        }
        let bounds = try LedgerReads.bounds(
            from: Instant.startOfDay(day),
            to: Instant.startOfDay(CivilDay.firstOfNextMonth(after: day)), reader)
        return .csv("journal-\(month).csv", columns: ExportRow.columns + more, call) {
            (place: Int64?, reader: Reader, table: inout CSVTable) -> Int64? in
            let after = place ?? bounds.lowerBound
            let through = min(after + Int64(Export.rowsPerPage), bounds.upperBound)
            let names = ExportNames(reader)
            try LedgerReads.journal(after: after, through: through, reader) {
                try write($0, names, &table)
            }
            guard through >= bounds.upperBound else { return through }
            for account in try LedgerReads.trialBalance(through: bounds.upperBound, reader) {
                try write(account, month, names, &table)
            }
            return nil
        }
    }

    private static func write(
        _ line: JournalLine, _ names: ExportNames, _ table: inout CSVTable
    ) throws {
        let row = ExportRow(
            id: line.transaction.description, reference: line.reference, status: "posted",
            createdAt: line.postedAt, program: line.program, participant: line.participant,
            currency: line.currency, amount: Int64(line.amount.magnitude))
        try row.write(names, &table)
        write(line.account, line.amount, line.currency, &table)
        table.number(line.sequence)
        table.text(line.kind)
        for id in line.about { table.text(id) }
        table.endRecord()
    }

    private static func write(
        _ balance: TrialBalance, _ month: String, _ names: ExportNames, _ table: inout CSVTable
    ) throws {
        let row = ExportRow(
            id: "", reference: month, status: "trial_balance", createdAt: nil,
            program: balance.program, participant: nil, currency: balance.currency,
            amount: Int64(balance.amount.magnitude))
        try row.write(names, &table)
        write(balance.account, balance.amount, balance.currency, &table)
        for _ in 0..<8 { table.text(nil) }
        table.endRecord()
    }

    private static func write(
        _ account: String, _ amount: Int64, _ currency: Currency, _ table: inout CSVTable
    ) {
        table.text(account)
        let (debit, credit) = (max(amount, 0), max(-amount, 0))
        table.number(debit)
        table.number(credit)
        table.decimal(Money(amount: debit, currency: currency))
        table.decimal(Money(amount: credit, currency: currency))
    }

    private static let exporting = Contract(
        operationID: "exportJournal",
        summary: "A month of the journal for accountants, in UTC, as CSV: a row for each posting "
            + "(status posted), then the trial balance at the end of the month (status "
            + "trial_balance), a row for each account of a program. In each currency debit and "
            + "credit come to the same. Columns: \(ExportRow.words(more))",
        query: [
            .required("month", StatementPeriod.month, "A calendar month in UTC, such as 2026-11."),
            ExportRow.spreadsheet,
        ], answerType: "text/csv")
}
