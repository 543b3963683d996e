import Database
import HTTP
import JSON
import Model
import RewardLedger

/// What became of a run's payouts comes from the bank or the provider as a CSV file, row by row:
/// each row moves its payout once, and the same file changes nothing when it is read once more.
struct LoadPayoutResults: Sendable {
    enum Outcome: Sendable, Equatable {
        case applied
        /// The row was read before, or the payout is so already.
        case unchanged
        case refused(code: String, detail: String)
    }

    /// The header of the file cannot be used.
    struct BadHeader: Error, CustomStringConvertible { let description: String }

    let run: PayoutRunID
    let actor: String
    private let columns: [String]

    /// Rows of one transaction: a slice of a few milliseconds, so that no redirect waits for it.
    static let sliceRows = 20

    /// Other columns are left alone: the file may be the run's export with an outcome added.
    init(_ run: PayoutRunID, header: [String], actor: String) throws(BadHeader) {
        let columns = header.map { $0.lowercased().filter { $0 != " " } }
        for needed in ["payout_id", "outcome"] {
            switch columns.count(where: { $0 == needed }) {
            case 0: throw BadHeader(description: "there is no column \(needed)")
            case 1: break
            default: throw BadHeader(description: "the column \(needed) is there twice")
            }
        }
        self.run = run
        self.actor = actor
        self.columns = columns
    }

    /// Carries out the rows in one transaction.
    func apply(_ rows: [[String]], _ tx: Transaction) throws -> [Outcome] {
        try rows.map { row in
            do {
                return try take(row, tx)
            } catch {
                guard let problem = BulkRequest.problem(of: error) else { throw error }
                return .refused(code: problem.code, detail: problem.detail)
            }
        }
    }

    private func take(_ row: [String], _ tx: Transaction) throws -> Outcome {
        guard row.count == columns.count else {
            throw refusal(
                "wrong_count", "The row has \(row.count) fields, the header \(columns.count).")
        }
        func cell(_ name: String) -> String? {
            guard let place = columns.firstIndex(of: name) else { return nil }
            let text = CSVTable.unmarked(row[place]).trimmed
            return text.isEmpty ? nil : text
        }
        guard let id = cell("payout_id").flatMap({ PayoutID($0) }) else {
            throw refusal("bad_payout_id", "payout_id must be an id such as pay_….")
        }
        guard let payout = try PayoutStore.find(id, tx), payout.run == run else {
            throw refusal("not_in_run", "The run has no payout \(id).")
        }
        let result = PayoutResult(
            outcome: try outcome(cell("outcome")), amount: try amount(cell("amount")),
            providerReference: try checked(cell("provider_reference"), most: 200),
            reason: try checked(cell("reason"), most: 500))
        if !result.outcome.mayBePart, let amount = result.amount, amount != payout.amount {
            throw refusal(
                "amount_differs",
                "The payout is of \(payout.amount) minor units; if a part was paid, send the "
                    + "outcome paid with that amount.")
        }
        return try PayoutResult.take(result, for: payout, actor: actor, tx) ? .applied : .unchanged
    }

    private func outcome(_ text: String?) throws -> PayoutResult.Outcome {
        guard let outcome = text.flatMap({ PayoutResult.Outcome(rawValue: $0.lowercased()) }) else {
            let known = PayoutResult.Outcome.allCases.map(\.rawValue).joined(separator: ", ")
            throw refusal("bad_outcome", "outcome must be one of: \(known).")
        }
        return outcome
    }

    private func amount(_ text: String?) throws -> Int64? {
        guard let text else { return nil }
        if text.contains(where: { $0 == "." || $0 == "," }) {
            throw refusal(
                "decimal_amount",
                "amount is in minor units, as in the export: 1999 for 19.99.")
        }
        guard let amount = Int64(text), (1...Money.maximum).contains(amount) else {
            throw refusal(
                "bad_amount", "amount must be a whole number of minor units, such as 1999.")
        }
        return amount
    }

    private func checked(_ text: String?, most: Int) throws -> String? {
        guard let text else { return nil }
        guard Schema.prose(1...most).faults(in: .string(text)).isEmpty else {
            throw refusal(
                "bad_text", "provider_reference is at most 200, reason at most 500 characters.")
        }
        return text
    }

    private func refusal(_ code: String, _ detail: String) -> Refused {
        Refused(.unprocessable(code, detail))
    }
}

/// The count of a file of results and what was refused of it.
struct PayoutResultsReport: Sendable {
    private(set) var rows: Int64 = 0
    private(set) var applied: Int64 = 0
    private(set) var unchanged: Int64 = 0
    private(set) var refused: Int64 = 0
    /// At most `ImportReport.refusalsMax`.
    private(set) var refusals: [ImportReport.Refusal] = []

    mutating func add(_ outcome: LoadPayoutResults.Outcome, line: Int) {
        rows += 1
        switch outcome {
        case .applied: applied += 1
        case .unchanged: unchanged += 1
        case .refused(let code, let detail):
            refused += 1
            guard refusals.count < ImportReport.refusalsMax else { return }
            refusals.append(
                ImportReport.Refusal(line: line, row: Int(rows), code: code, detail: detail))
        }
    }
}
