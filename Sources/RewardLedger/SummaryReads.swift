import Database
import Model

/// What reached a participant in one calendar year, by the clocks of its program, in minor units.
public struct PaidYear: Sendable, Equatable {
    public let year: Int64
    /// Whether the year was told higher before: something that was paid in it has come back.
    public var isRestated = false
    /// By the kind of payout.
    public var amounts: [Payout.Kind: Int64] = [:]

    public var total: Int64 { amounts.values.reduce(0, +) }
}

/// All SQL of what a participant's summary tells of its money.
public enum SummaryReads {
    /// The participant's money now, from the balances that the journal keeps with its accounts.
    public static func balance(
        of participant: ParticipantID, _ currency: Currency, _ reader: Reader
    ) throws -> ParticipantBalance {
        var balance = ParticipantBalance()
        try reader.forEach(
            "SELECT kind, balance FROM ledger_accounts WHERE participant_id = ? AND currency = ?",
            participant, currency.code
        ) { row in
            guard let kind = try LedgerAccount.Kind(rawValue: row.text(0)) else { return }
            balance.add(try row.int64(1), on: kind)
        }
        return balance
    }

    /// What was paid, by the year in which a payout was confirmed, the oldest first. A claw-back
    /// that a payout kept back was not paid; one that is owed does not change an earlier year. What
    /// came back counts for the year in which it had been paid, the newest payment first.
    public static func paidByYear(
        to participant: ParticipantID, _ currency: Currency, in zone: TimeZone, _ reader: Reader
    ) throws -> [PaidYear] {
        var years: [Int64: PaidYear] = [:]
        var payments: [PayoutID: [(year: Int64, amount: Int64)]] = [:]
        try reader.forEach(
            """
            SELECT t.posted_at, p.amount, o.kind, o.id
            FROM ledger_accounts a
                JOIN ledger_postings p ON p.account_seq = a.seq
                JOIN ledger_transactions t ON t.seq = p.transaction_seq
                JOIN payouts o ON o.id = t.payout_id
            WHERE a.participant_id = ? AND a.kind = 'paid_out' AND a.currency = ?
            ORDER BY p.transaction_seq
            """, participant, currency.code
        ) { row in
            guard let kind = try Payout.Kind(rawValue: row.text(2)) else {
                throw DatabaseFault(operation: "read a payout", code: DatabaseFault.corrupt)
            }
            let id: PayoutID = try row.id(3)
            let paid = -(try row.int64(1))
            if paid > 0 {
                let year = CivilDay.year(of: zone.day(of: try row.instant(0)))
                payments[id, default: []].append((year, paid))
                // The account's balance is at most `JournalRules.balanceMax`, so is each sum.
                years[year, default: PaidYear(year: year)].amounts[kind, default: 0] += paid
            } else {
                var back = -paid
                while back > 0, let (year, amount) = payments[id]?.popLast() {
                    let part = min(back, amount)
                    back -= part
                    if amount > part { payments[id]?.append((year, amount - part)) }
                    years[year]?.amounts[kind]? -= part
                    years[year]?.isRestated = true
                }
            }
        }
        return years.values.sorted { $0.year < $1.year }
    }
}
