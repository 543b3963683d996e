import Database
import Model

/// All SQL that writes the journal and its accounts. `LedgerReads` has the pages, sums and
/// statements.
public enum JournalStore {
    /// Posts `entry` as the next link of the chain and moves the balances of its accounts. Throws
    /// `JournalFault` for an entry that does not balance and `MoneyError.overflow` for a balance
    /// too large.
    @discardableResult
    public static func post(_ entry: JournalEntry, _ tx: Transaction) throws -> LedgerTransaction {
        try JournalRules.check(entry.postings)
        if entry.kind == .rewardGranted || entry.kind == .rewardRestored {
            try checkRoom(for: entry, tx)
        }
        let accounts = try entry.postings.map { try account($0.account, of: entry, tx) }
        let transaction = LedgerTransaction(
            after: try head(tx), id: tx.makeID(), entry: entry, accounts: accounts.map(\.id),
            postedAt: tx.now)
        try insert(transaction, tx)
        for (line, account) in accounts.enumerated() {
            let amount = entry.postings[line].amount
            let balance = try JournalRules.balance(account.balance, adding: amount)
            try tx.run(
                """
                INSERT INTO ledger_postings (
                    transaction_seq, line, account_seq, amount, balance_after)
                VALUES (?, ?, ?, ?, ?)
                """, transaction.sequence, Int64(line), account.sequence, amount, balance)
            try tx.run(
                "UPDATE ledger_accounts SET balance = ? WHERE seq = ?", balance, account.sequence)
        }
        return transaction
    }

    /// The newest link.
    public static func head(_ reader: Reader) throws -> LedgerHead {
        try reader.first("SELECT seq, hash FROM ledger_transactions ORDER BY seq DESC LIMIT 1") {
            try LedgerHead(sequence: $0.int64(0), hash: $0.blob(1))
        } ?? .empty
    }

    /// How far the cached balances are from zero, over all currencies; anything but 0 is an alarm.
    public static func imbalance(_ reader: Reader) throws -> Int64 {
        var sums: [String: Int128] = [:]
        try reader.forEach("SELECT currency, balance FROM ledger_accounts") { row in
            try sums[row.text(0), default: 0] += Int128(row.int64(1))
        }
        let distance = sums.values.reduce(into: UInt128(0)) { $0 += $1.magnitude }
        return Int64(clamping: distance)
    }

    /// What the program's account of `kind` holds; 0 when there is none.
    public static func balance(
        _ kind: LedgerAccount.Kind, of program: ProgramID, _ currency: Currency, _ reader: Reader
    ) throws -> Int64 {
        try reader.integer(
            """
            SELECT balance FROM ledger_accounts
            WHERE program_id = ? AND kind = ? AND currency = ? AND participant_id IS NULL
            """, program, kind.rawValue, currency.code) ?? 0
    }

    /// What the participant's account of `kind` holds; 0 when there is none.
    static func balance(
        _ kind: LedgerAccount.Kind, of participant: ParticipantID, _ currency: Currency,
        _ reader: Reader
    ) throws -> Int64 {
        try reader.integer(
            """
            SELECT balance FROM ledger_accounts
            WHERE participant_id = ? AND kind = ? AND currency = ?
            """, participant, kind.rawValue, currency.code) ?? 0
    }

    /// What each participant of the program has of it, where that is anything.
    static func balances(
        in program: ProgramID, _ currency: Currency, _ reader: Reader
    ) throws -> [ParticipantBalance] {
        var balances: [ParticipantID: ParticipantBalance] = [:]
        try reader.forEach(
            """
            SELECT participant_id, kind, balance FROM ledger_accounts
            WHERE program_id = ? AND currency = ? AND participant_id IS NOT NULL AND balance <> 0
            """, program, currency.code
        ) { row in
            guard let kind = try LedgerAccount.Kind(rawValue: row.text(1)) else { return }
            try balances[row.id(0), default: ParticipantBalance()].add(row.int64(2), on: kind)
        }
        return Array(balances.values)
    }

    /// Whether the reward's grant set its cost aside. Grants from before there was a reserve did
    /// not.
    static func isReserved(_ reward: RewardID, _ reader: Reader) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM ledger_transactions t
                CROSS JOIN ledger_postings p ON p.transaction_seq = t.seq
                CROSS JOIN ledger_accounts a ON a.seq = p.account_seq
            WHERE t.reward_id = ? AND t.kind = 'reward_granted' AND a.kind = 'budget_reserve'
            """, reward) != nil
    }

    /// Refuses a grant after which some later move of the participant's money might not fit: what
    /// waits, is available, on its way, paid and kept back by open payouts and redemptions is at
    /// most `balanceMax` in all. Nothing but a grant, a payment made twice, or what was taken back
    /// and counts again, raises that sum, and what is owed never exceeds it; so no approval, payout
    /// or refund finds an account full, and a failed payout can always give its money back. What
    /// the program has set aside and spent is at most that too, so that an approval always finds
    /// room for the expense.
    private static func checkRoom(for entry: JournalEntry, _ reader: Reader) throws {
        var sum: Int64 = 0
        var isOwing = false
        try reader.forEach(
            "SELECT kind, balance FROM ledger_accounts WHERE participant_id = ? AND currency = ?",
            entry.participant, entry.currency.code
        ) { row in
            if try row.text(0) == LedgerAccount.Kind.clawbackReceivable.rawValue {
                isOwing = true
            } else {
                sum -= try row.int64(1)
            }
        }
        if isOwing {
            sum +=
                try entry.currency == .points
                ? RedemptionStore.keptBack(of: entry.participant, reader)
                : PayoutStore.keptBack(of: entry.participant, entry.currency, reader)
        }
        var cost = try cost(of: entry.program, entry.currency, reader)
        for posting in entry.postings {
            if posting.account.isOfProgram {
                cost = try JournalRules.balance(cost, adding: posting.amount)
            } else if posting.account != .clawbackReceivable {
                sum = try JournalRules.balance(sum, adding: -posting.amount)
            }
        }
    }

    /// What the program has set aside and spent.
    private static func cost(
        of program: ProgramID, _ currency: Currency, _ reader: Reader
    ) throws -> Int64 {
        try reader.integer(
            """
            SELECT sum(balance) FROM ledger_accounts
            WHERE program_id = ? AND currency = ? AND participant_id IS NULL
            """, program, currency.code) ?? 0
    }

    // MARK: - Accounts

    static func account(_ row: Row) throws -> LedgerAccount {
        guard let kind = try LedgerAccount.Kind(rawValue: row.text(2)),
            let currency = try Currency(stored: row.text(5))
        else { throw DatabaseFault(operation: "read an account", code: DatabaseFault.corrupt) }
        return try LedgerAccount(
            sequence: row.int64(0), id: row.id(1), kind: kind, program: row.id(3),
            participant: row.optionalID(4), currency: currency, balance: row.int64(6),
            createdAt: row.instant(7))
    }

    /// The account, opened at its first posting.
    private static func account(
        _ kind: LedgerAccount.Kind, of entry: JournalEntry, _ tx: Transaction
    ) throws -> LedgerAccount {
        if let account = try find(kind, of: entry, tx) { return account }
        let id: LedgerAccountID = tx.makeID()
        try tx.run(
            """
            INSERT INTO ledger_accounts (
                id, kind, program_id, participant_id, currency, balance, created_at)
            VALUES (?, ?, ?, ?, ?, 0, ?)
            """, id, kind.rawValue, entry.program,
            kind.isOfProgram ? nil : entry.participant, entry.currency.code, tx.now)
        guard let account = try find(kind, of: entry, tx) else {
            throw DatabaseFault(operation: "open an account", code: DatabaseFault.corrupt)
        }
        return account
    }

    private static func find(
        _ kind: LedgerAccount.Kind, of entry: JournalEntry, _ reader: Reader
    ) throws -> LedgerAccount? {
        if kind.isOfProgram {
            return try reader.first(
                """
                SELECT seq, id, kind, program_id, participant_id, currency, balance, created_at
                FROM ledger_accounts
                WHERE program_id = ? AND kind = ? AND currency = ? AND participant_id IS NULL
                """, entry.program, kind.rawValue, entry.currency.code, map: account)
        }
        return try reader.first(
            """
            SELECT seq, id, kind, program_id, participant_id, currency, balance, created_at
            FROM ledger_accounts WHERE participant_id = ? AND kind = ? AND currency = ?
            """, entry.participant, kind.rawValue, entry.currency.code, map: account)
    }

    private static func insert(_ transaction: LedgerTransaction, _ tx: Transaction) throws {
        let entry = transaction.entry
        try tx.run(
            """
            INSERT INTO ledger_transactions (
                seq, id, kind, program_id, participant_id, reward_id, payout_id, conversion_id,
                lead_id, refund_id, posted_at, previous_hash, hash, redemption_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, transaction.sequence, transaction.id, entry.kind.rawValue, entry.program,
            entry.participant, entry.reward, entry.payout, entry.conversion, entry.lead,
            entry.refund, transaction.postedAt, transaction.previousHash, transaction.hash,
            entry.redemption)
    }
}
