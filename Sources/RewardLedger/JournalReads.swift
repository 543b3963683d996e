import Database
import Model

/// A posting of the journal with what its entry is about.
public struct JournalLine: Sendable {
    public let sequence: Int64
    public let transaction: LedgerTransactionID
    public let postedAt: Instant
    public let kind: String
    public let program: ProgramID
    /// Whose money the entry moved.
    public let participant: ParticipantID
    public let account: String
    public let currency: Currency
    /// Debits are positive.
    public let amount: Int64
    /// The payout's reference, else the id of what the entry is about.
    public let reference: String?
    /// Ids of reward, payout, conversion, lead, refund and redemption.
    public let about: [String?]
}

/// What a program's accounts of one kind hold together at one moment.
public struct TrialBalance: Sendable {
    public let program: ProgramID
    public let currency: Currency
    public let account: String
    /// Debits are positive.
    public let amount: Int64
}

/// All SQL that reads the journal for accountants.
extension LedgerReads {
    /// The entries posted at or after `from` and before `to`: after the number that is the lower
    /// bound, through the upper one.
    public static func bounds(
        from: Instant, to: Instant, _ reader: Reader
    ) throws -> ClosedRange<Int64> {
        let first = try lastSequence(before: from, reader)
        return first...max(first, try lastSequence(before: to, reader))
    }

    /// Hands each posting of the entries after number `first` through number `last` to `body`.
    public static func journal(
        after first: Int64, through last: Int64, _ reader: Reader,
        body: (JournalLine) throws -> Void
    ) throws {
        try walk(after: first, through: last, reader) { row, postings in
            let about: [String?] = [
                row.reward?.description, row.payout?.description, row.conversion?.description,
                row.lead?.description, row.refund?.description, row.redemption?.description,
            ]
            let payout = try row.payout.flatMap { try PayoutStore.find($0, reader)?.reference }
            let reference = payout ?? about.compactMap(\.self).first
            for posting in postings {
                guard let currency = Currency(stored: posting.currency) else { continue }
                try body(
                    JournalLine(
                        sequence: row.sequence, transaction: row.id, postedAt: row.postedAt,
                        kind: row.kind, program: row.program, participant: row.participant,
                        account: posting.kind, currency: currency, amount: posting.amount,
                        reference: reference, about: about))
            }
        }
    }

    /// What each program's accounts come to after the entry with this number, by the kind of
    /// account: the balances of now, less what was posted since.
    public static func trialBalance(
        through last: Int64, _ reader: Reader
    ) throws -> [TrialBalance] {
        try reader.all(
            """
            SELECT program_id, currency, kind, sum(amount) FROM (
                SELECT program_id, currency, kind, balance AS amount FROM ledger_accounts
                UNION ALL
                SELECT a.program_id, a.currency, a.kind, -p.amount
                FROM ledger_postings p JOIN ledger_accounts a ON a.seq = p.account_seq
                WHERE p.transaction_seq > ?)
            GROUP BY program_id, currency, kind HAVING sum(amount) <> 0
            ORDER BY program_id, currency, kind
            """, last
        ) { row in
            guard let currency = try Currency(stored: row.text(1)) else {
                throw DatabaseFault(operation: "read an account", code: DatabaseFault.corrupt)
            }
            return try TrialBalance(
                program: row.id(0), currency: currency, account: row.text(2), amount: row.int64(3))
        }
    }
}
