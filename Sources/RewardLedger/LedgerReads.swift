import Database
import Model

/// All SQL that reads the journal: pages, balances, statements. Every number is a sum of postings.
public enum LedgerReads {
    public struct Filter: Sendable {
        public var account: LedgerAccountID?
        public var program: ProgramID?
        public var participant: ParticipantID?
        public var reward: RewardID?
        public var payout: PayoutID?
        public var redemption: RedemptionID?
        public var kind: String?

        public init() {}
    }

    // MARK: - Accounts

    public static func account(_ id: LedgerAccountID, _ reader: Reader) throws -> LedgerAccount? {
        try reader.first(
            """
            SELECT seq, id, kind, program_id, participant_id, currency, balance, created_at
            FROM ledger_accounts WHERE id = ?
            """, id, map: JournalStore.account)
    }

    public static func accounts(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<LedgerAccount> {
        var query = Query(
            """
            SELECT seq, id, kind, program_id, participant_id, currency, balance, created_at
            FROM ledger_accounts WHERE 1 = 1
            """)
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        return try reader.page(query, request, map: JournalStore.account)
    }

    public static func sequence(of id: LedgerAccountID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM ledger_accounts WHERE id = ?", id)
    }

    // MARK: - Transactions

    public static func sequence(
        of id: LedgerTransactionID, _ reader: Reader
    ) throws -> Int64? {
        try reader.integer("SELECT seq FROM ledger_transactions WHERE id = ?", id)
    }

    public static func transaction(
        _ id: LedgerTransactionID, _ reader: Reader
    ) throws -> LedgerTransaction? {
        try reader.first(
            """
            SELECT seq, id, kind, program_id, participant_id, reward_id, payout_id, conversion_id,
                lead_id, refund_id, posted_at, previous_hash, hash, redemption_id
            FROM ledger_transactions WHERE id = ?
            """, id, map: LedgerRow.init
        ).map { try transaction($0, reader) }
    }

    public static func transactions(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<LedgerTransaction> {
        var query = Query(
            """
            SELECT seq, id, kind, program_id, participant_id, reward_id, payout_id, conversion_id,
                lead_id, refund_id, posted_at, previous_hash, hash, redemption_id
            FROM ledger_transactions WHERE 1 = 1
            """)
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let reward = filter.reward { query.append(" AND reward_id = ?", reward) }
        if let payout = filter.payout { query.append(" AND payout_id = ?", payout) }
        if let redemption = filter.redemption {
            query.append(" AND redemption_id = ?", redemption)
        }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let account = filter.account {
            query.append(
                """
                 AND seq IN (SELECT p.transaction_seq FROM ledger_postings p
                    JOIN ledger_accounts a ON a.seq = p.account_seq WHERE a.id = ?)
                """, account)
        }
        let page = try reader.page(query, request, map: LedgerRow.init)
        let items = try page.items.compactMap { row in
            try reader.readable { try transaction(row, reader) }
        }
        return Page(
            items: items, hasMore: page.hasMore,
            request: request)
    }

    /// The proof that the entry is under the head with the number `through`, or under the newest.
    /// Nil when there is no such entry. Throws `EntryProofRefusal`.
    public static func proof(
        of id: LedgerTransactionID, through: Int64?, _ reader: Reader
    ) throws -> EntryProof? {
        try reader.snapshot {
            guard let entry = try transaction(id, reader) else { return nil }
            let newest = try JournalStore.head(reader).sequence
            let last = try EntryProofRules.last(through, entry: entry.sequence, newest: newest)
            var following: [[UInt8]] = []
            var head = LedgerHead(sequence: entry.sequence, hash: entry.hash)
            try walk(after: entry.sequence, through: last, reader) { row, postings in
                following.append(try row.transaction(with: postings).content)
                head = LedgerHead(sequence: row.sequence, hash: row.hash)
            }
            return EntryProof(entry: entry, following: following, head: head)
        }
    }

    /// Every transaction after number `first` up to number `last`, in order, as it is stored. Holds
    /// one at a time, however many there are.
    static func walk(
        after first: Int64 = .min, through last: Int64 = .max, _ reader: Reader,
        body: (LedgerRow, [LedgerRow.Posted]) throws -> Void
    ) throws {
        var open: (row: LedgerRow, postings: [LedgerRow.Posted])?
        try reader.forEach(
            """
            SELECT t.seq, t.id, t.kind, t.program_id, t.participant_id, t.reward_id, t.payout_id,
                t.conversion_id, t.lead_id, t.refund_id, t.posted_at, t.previous_hash, t.hash,
                t.redemption_id, a.id, a.kind, p.amount, a.currency, p.balance_after
            FROM ledger_transactions t
                LEFT JOIN ledger_postings p ON p.transaction_seq = t.seq
                LEFT JOIN ledger_accounts a ON a.seq = p.account_seq
            WHERE t.seq > ? AND t.seq <= ?
            ORDER BY t.seq, p.line
            """, first, last
        ) { row in
            if try row.int64(0) != open?.row.sequence {
                if let open { try body(open.row, open.postings) }
                open = (try LedgerRow(row), [])
            }
            if !row.isNull(14) { open?.postings.append(try LedgerRow.Posted(row, from: 14)) }
        }
        if let open { try body(open.row, open.postings) }
    }

    private static func transaction(
        _ row: LedgerRow, _ reader: Reader
    ) throws -> LedgerTransaction {
        try row.transaction(
            with: reader.all(
                """
                SELECT a.id, a.kind, p.amount, a.currency, p.balance_after
                FROM ledger_postings p JOIN ledger_accounts a ON a.seq = p.account_seq
                WHERE p.transaction_seq = ? ORDER BY p.line
                """, row.sequence
            ) { try LedgerRow.Posted($0, from: 0) })
    }

    // MARK: - Balances

    /// The time of the last commit: what happened up to it is known, and will not change.
    public static func lastCommit(_ reader: Reader) throws -> Instant {
        Instant(
            milliseconds: try reader.integer(
                "SELECT last_instant FROM writer_clock WHERE id = 1") ?? 0)
    }

    /// The participant's money by currency code, after the last transaction at or before `instant`,
    /// or now.
    public static func balances(
        of participant: ParticipantID, asOf instant: Instant? = nil, _ reader: Reader
    ) throws -> [(currency: Currency, balance: ParticipantBalance)] {
        guard let instant else {
            return try balances(of: participant, through: nil, reader)
        }
        let last = try lastSequence(before: instant.advanced(byMilliseconds: 1), reader)
        return try balances(of: participant, through: last, reader)
    }

    /// The statement of the transactions posted at or after `from` and before `to`; nil when it
    /// would have more than `linesMax` lines.
    public static func statement(
        of participant: ParticipantID, _ currency: Currency, from: Instant?, to: Instant?,
        linesMax: Int, _ reader: Reader
    ) throws -> Statement? {
        let head = try head(before: to, reader)
        let first = try from.map { try lastSequence(before: $0, reader) } ?? 0
        let opening =
            try balances(of: participant, through: first, reader)
            .first { $0.currency == currency }?.balance ?? ParticipantBalance()
        var lines: [Statement.Line] = []
        var closing = opening
        var open: (row: LedgerRow, about: About, change: ParticipantBalance)?
        var isTooLong = false
        func close() {
            guard let (row, about, change) = open, let kind = JournalEntry.Kind(rawValue: row.kind)
            else {
                return
            }
            lines.append(
                Statement.Line(
                    transaction: row.id, kind: kind, postedAt: row.postedAt, reward: row.reward,
                    rule: about.rule, ruleVersion: about.ruleVersion, payout: row.payout,
                    payoutReference: about.payoutReference, reason: about.reason,
                    conversion: row.conversion,
                    lead: row.lead, refund: row.refund, redemption: row.redemption,
                    change: change, owed: closing.owed))
        }
        try reader.forEach(
            """
            SELECT t.seq, t.id, t.kind, t.program_id, t.participant_id, t.reward_id, t.payout_id,
                t.conversion_id, t.lead_id, t.refund_id, t.posted_at, t.previous_hash, t.hash,
                t.redemption_id, a.kind, p.amount, r.rule_id, r.rule_version, o.reference, b.reason
            FROM ledger_transactions t
                JOIN ledger_postings p ON p.transaction_seq = t.seq
                JOIN ledger_accounts a ON a.seq = p.account_seq
                LEFT JOIN rewards r ON r.id = t.reward_id
                LEFT JOIN payouts o ON o.id = t.payout_id
                LEFT JOIN payout_returns b ON b.transaction_seq = t.seq
            WHERE t.participant_id = ? AND t.seq > ? AND t.seq <= ? AND a.currency = ?
                AND a.participant_id IS NOT NULL
            ORDER BY t.seq, p.line LIMIT ?
            """, participant, first, head.sequence, currency.code, Int64(linesMax) * 6
        ) { row in
            let next = try LedgerRow(row)
            guard let account = try LedgerAccount.Kind(rawValue: row.text(14)) else { return }
            if next.sequence != open?.row.sequence {
                close()
                open = (next, try About(row, from: 16), ParticipantBalance())
                if lines.count >= linesMax { isTooLong = true }
            }
            open?.change.add(try row.int64(15), on: account)
            closing.add(try row.int64(15), on: account)
        }
        close()
        if isTooLong { return nil }
        return Statement(
            currency: currency, opening: opening, lines: lines, closing: closing, head: head)
    }

    /// What a line of a statement says of its reward and payout.
    private struct About {
        let rule: RewardRuleID?
        let ruleVersion: Int64?
        let payoutReference: String?
        let reason: String?

        init(_ row: Row, from column: Int) throws {
            rule = try row.optionalID(column)
            ruleVersion = try row.optionalInt64(column + 1)
            payoutReference = try row.optionalText(column + 2)
            reason = try row.optionalText(column + 3)
        }
    }

    /// After the transaction `last`, or now: every posting carries its account's balance, so one
    /// row of each account tells it, however long the history is.
    private static func balances(
        of participant: ParticipantID, through last: Int64?, _ reader: Reader
    ) throws -> [(currency: Currency, balance: ParticipantBalance)] {
        var balances: [String: ParticipantBalance] = [:]
        func add(_ row: Row) throws {
            guard let kind = try LedgerAccount.Kind(rawValue: row.text(1)),
                let amount = try row.optionalInt64(2)
            else { return }
            try balances[row.text(0), default: ParticipantBalance()].add(amount, on: kind)
        }
        if let last {
            try reader.forEach(
                """
                SELECT a.currency, a.kind,
                    (SELECT p.balance_after FROM ledger_postings p
                     WHERE p.account_seq = a.seq AND p.transaction_seq <= ?
                     ORDER BY p.transaction_seq DESC, p.line DESC LIMIT 1)
                FROM ledger_accounts a WHERE a.participant_id = ?
                """, last, participant, body: add)
        } else {
            try reader.forEach(
                "SELECT currency, kind, balance FROM ledger_accounts WHERE participant_id = ?",
                participant, body: add)
        }
        return balances.sorted { $0.key < $1.key }.compactMap { code, balance in
            Currency(stored: code).map { ($0, balance) }
        }
    }

    static func lastSequence(before instant: Instant, _ reader: Reader) throws -> Int64 {
        try reader.integer(
            """
            SELECT seq FROM ledger_transactions WHERE posted_at < ?
            ORDER BY posted_at DESC, seq DESC LIMIT 1
            """, instant) ?? 0
    }

    private static func head(before instant: Instant?, _ reader: Reader) throws -> LedgerHead {
        guard let instant else { return try JournalStore.head(reader) }
        return try reader.first(
            """
            SELECT seq, hash FROM ledger_transactions WHERE posted_at < ?
            ORDER BY posted_at DESC, seq DESC LIMIT 1
            """, instant
        ) { try LedgerHead(sequence: $0.int64(0), hash: $0.blob(1)) } ?? .empty
    }
}
