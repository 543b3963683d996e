import Database
import Model

/// What a verification found.
public struct LedgerReport: Sendable {
    public var transactions: Int64 = 0
    public var postings: Int64 = 0
    public var accounts: Int64 = 0
    public var rewards: Int64 = 0
    public var payouts: Int64 = 0
    public var redemptions: Int64 = 0
    /// The newest link of the chain.
    public var head = LedgerHead.empty
    /// What is wrong, the first fault first, each naming its row by id; at most `faultsMax`.
    public var faults: [String] = []

    public static let faultsMax = 20

    public var isSound: Bool { faults.isEmpty }

    mutating func add(_ fault: String) {
        if faults.count < LedgerReport.faultsMax { faults.append(fault) }
    }
}

/// Proves the books from the first transaction on: every transaction balances, the chain holds, no
/// number is missing, the balances that postings and accounts carry are the sums of their postings,
/// every reward, payout and redemption agrees with its transactions and the reverse. It reads
/// everything, and only reads; the caller gives it one snapshot.
public enum LedgerVerifier {
    /// `saved` is a head that was kept earlier: it must still be in the chain.
    public static func verify(
        _ reader: Reader, against saved: LedgerHead? = nil
    ) throws -> LedgerReport {
        try reader.snapshot {
            var report = LedgerReport()
            try reading("journal", &report) { report in
                let sums = try walkChain(reader, saved, &report)
                try checkAccounts(reader, sums, &report)
            }
            try reading("rewards", &report) { try checkRewards(reader, &$0) }
            try reading("payouts", &report) { try checkPayouts(reader, &$0) }
            try reading("redemptions", &report) { try checkRedemptions(reader, &$0) }
            try reading("journal's references", &report) { report in
                try checkReferences(reader, &report)
                try checkOwners(reader, &report)
            }
            return report
        }
    }

    /// A row that cannot be read is a fault of the books; a busy or failing disk is not.
    private static func reading(
        _ what: String, _ report: inout LedgerReport, _ body: (inout LedgerReport) throws -> Void
    ) throws {
        do {
            try body(&report)
        } catch {
            if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
            report.add("The \(what) cannot be read to the end: \(error).")
        }
    }

    // MARK: - Chain and postings

    /// One pass in order of sequence; returns the sum of each account's postings.
    private static func walkChain(
        _ reader: Reader, _ saved: LedgerHead?, _ report: inout LedgerReport
    ) throws -> [LedgerAccountID: Int128] {
        var sums: [LedgerAccountID: Int128] = [:]
        var isSavedSeen = saved == nil || saved == .empty
        try LedgerReads.walk(reader) { row, postings in
            check(row, postings, &report)
            for posting in postings {
                sums[posting.account, default: 0] += Int128(posting.amount)
                if sums[posting.account] != Int128(posting.balanceAfter) {
                    report.add(
                        "Transaction \(row.sequence) (\(row.id)) carries a balance that is not the "
                            + "sum of its account's postings.")
                }
            }
            report.transactions += 1
            report.postings += Int64(postings.count)
            report.head = LedgerHead(sequence: row.sequence, hash: row.hash)
            if report.head == saved { isSavedSeen = true }
        }
        if try reader.integer("SELECT count(*) FROM ledger_postings") != report.postings {
            report.add("There are postings without a transaction or an account.")
        }
        if !isSavedSeen, let saved {
            report.add(
                "The saved head \(saved) is not in the chain, which ends with number "
                    + "\(report.head.sequence): entries are missing or were changed, or this is "
                    + "a copy from before that head.")
        }
        return sums
    }

    private static func check(
        _ row: LedgerRow, _ postings: [LedgerRow.Posted], _ report: inout LedgerReport
    ) {
        let name = "Transaction \(row.sequence) (\(row.id))"
        if row.sequence != report.head.sequence + 1 {
            report.add("\(name) does not follow number \(report.head.sequence).")
        }
        if row.previousHash != report.head.hash {
            report.add("\(name) does not carry the hash of the transaction before it.")
        }
        if postings.count < 2 { report.add("\(name) has fewer than two postings.") }
        if postings.reduce(Int128(0), { $0 + Int128($1.amount) }) != 0 {
            report.add("\(name) does not add up to zero.")
        }
        guard let transaction = row.whole(with: postings) else {
            return report.add("\(name) has unknown kinds, or postings of several currencies.")
        }
        if transaction.computedHash != row.hash {
            report.add("\(name) is not what its hash was made of.")
        }
    }

    private static func checkAccounts(
        _ reader: Reader, _ sums: [LedgerAccountID: Int128], _ report: inout LedgerReport
    ) throws {
        var totals: [String: Int128] = [:]
        try reader.forEach(
            "SELECT id, balance, currency FROM ledger_accounts ORDER BY seq"
        ) { row in
            let id: LedgerAccountID = try row.id(0)
            let balance = Int128(try row.int64(1))
            report.accounts += 1
            try totals[row.text(2), default: 0] += balance
            if sums[id, default: 0] != balance {
                report.add("Account \(id) has a balance that is not the sum of its postings.")
            }
        }
        for (currency, total) in totals.sorted(by: { $0.key < $1.key }) where total != 0 {
            report.add("The balances in \(currency) do not add up to zero.")
        }
    }

    // MARK: - Rewards, payouts and redemptions

    private static func checkRewards(_ reader: Reader, _ report: inout LedgerReport) throws {
        var reserved: [String: Int128] = [:]
        try reader.forEach(
            """
            SELECT id, program_id, participant_id, rule_id, rule_version, trigger_name, kind,
                lead_id, conversion_id, payout_id, state, currency, amount, reversed_amount,
                clawback_amount, settled_amount, basis, reason, hold_until, approved_at, paid_at,
                version, created_at, updated_at, corrected_amount, attribution_id, withdrawn_amount,
                withdrawn_for
            FROM rewards ORDER BY seq
            """
        ) { row in
            let reward = try RewardStore.reward(row)
            report.rewards += 1
            let sums = try sums(of: " t.reward_id = ?", reward.id, reader)
            // What neither of them settled was set off against what was owed, as points never are.
            let setOff = try reward.settledAmount - settled(of: reward.id, reader)
            if setOff < 0 || (setOff > 0 && reward.kind == .points) {
                report.add("Reward \(reward.id) differs from what was settled of it.")
            }
            let held = reward.netAmount + reward.clawbackAmount
            let isWaiting = reward.state.isWaiting
            let isReserved = try isWaiting && JournalStore.isReserved(reward.id, reader)
            let expected: [LedgerAccount.Kind: Int64] = [
                reward.costAccount(isReserved: isReserved): reward.netAmount,
                .participantPending: isWaiting ? -held : 0,
                .participantAvailable: isWaiting ? 0 : setOff - held,
                .clawbackReceivable: reward.clawbackAmount - setOff,
            ]
            compare("Reward \(reward.id)", sums, expected, &report)
            if isReserved {
                let owner = "\(reward.program) in \(reward.amount.currency.code)"
                reserved[owner, default: 0] += Int128(reward.netAmount)
            }
            if !isWaiting, (reward.state == .approved) != (reward.payable > 0) {
                report.add("Reward \(reward.id) is \(reward.state.rawValue) by mistake.")
            }
        }
        try checkReserves(reserved, reader, &report)
    }

    /// What payouts and redemptions that stand have settled of the reward.
    private static func settled(of reward: RewardID, _ reader: Reader) throws -> Int64 {
        try reader.integer(
            """
            SELECT sum(amount) FROM (
                SELECT settled_amount AS amount FROM payout_rewards WHERE reward_id = ?
                UNION ALL
                SELECT p.amount
                FROM redemption_rewards p JOIN redemptions o ON o.id = p.redemption_id
                WHERE p.reward_id = ? AND o.state <> 'cancelled')
            """, reward, reward) ?? 0
    }

    /// A program's reserve is what its waiting rewards come to, by the rewards themselves.
    private static func checkReserves(
        _ reserved: [String: Int128], _ reader: Reader, _ report: inout LedgerReport
    ) throws {
        try reader.forEach(
            """
            SELECT program_id, currency, balance FROM ledger_accounts
            WHERE kind = 'budget_reserve' ORDER BY seq
            """
        ) { row in
            let program: ProgramID = try row.id(0)
            let owner = "\(program) in \(try row.text(1))"
            if try Int128(row.int64(2)) != reserved[owner, default: 0] {
                report.add("The reserve of \(owner) is not the sum of its rewards that wait.")
            }
        }
    }

    /// What the transactions that `condition` finds by `id` come to on each kind of account.
    private static func sums<Kind>(
        of condition: StaticString, _ id: Identifier<Kind>, _ reader: Reader
    ) throws -> [LedgerAccount.Kind: Int64] {
        var query = Query(
            """
            SELECT a.kind, sum(p.amount)
            FROM ledger_transactions t
                CROSS JOIN ledger_postings p ON p.transaction_seq = t.seq
                CROSS JOIN ledger_accounts a ON a.seq = p.account_seq
            WHERE
            """)
        query.append(condition, id)
        query.append(" GROUP BY a.kind")
        var sums: [LedgerAccount.Kind: Int64] = [:]
        try reader.forEach(query) { row in
            guard let kind = try LedgerAccount.Kind(rawValue: row.text(0)) else { return }
            sums[kind] = try row.int64(1)
        }
        return sums
    }

    private static func compare(
        _ name: String, _ sums: [LedgerAccount.Kind: Int64],
        _ expected: [LedgerAccount.Kind: Int64], _ report: inout LedgerReport
    ) {
        for kind in LedgerAccount.Kind.allCases
        where sums[kind, default: 0] != expected[kind, default: 0] {
            report.add("\(name) differs from its transactions on \(kind.rawValue).")
        }
    }

    private static func checkPayouts(_ reader: Reader, _ report: inout LedgerReport) throws {
        try PayoutStore.forEach(PayoutStore.Filter(), reader) { payout in
            report.payouts += 1
            let sums = try sums(
                of: " t.payout_id = ? AND t.reward_id IS NULL", payout.id, reader)
            compare("Payout \(payout.id)", sums, expected(of: payout), &report)
            let items = try PayoutStore.items(of: payout.id, reader)
            if items.reduce(Int128(0), { $0 + Int128($1.amount) }) != Int128(payout.rewardsAmount)
                || Int64(items.count) != payout.rewardCount
            {
                report.add("Payout \(payout.id) differs from the sum of its rewards.")
            }
            if items.reduce(Int128(0), { $0 + Int128($1.settledAmount) })
                != Int128(payout.settledAmount)
            {
                report.add("Payout \(payout.id) differs from what it settled.")
            }
        }
    }

    /// What the payout's own transactions must come to.
    private static func expected(of payout: Payout) -> [LedgerAccount.Kind: Int64] {
        let kept = payout.clawbackAmount
        switch payout.state {
        case .draft: return [.participantAvailable: kept, .clawbackReceivable: -kept]
        case .processing, .unknown:
            return [
                .participantAvailable: kept + payout.amount, .clawbackReceivable: -kept,
                .payoutClearing: -payout.amount,
            ]
        case .paid, .partiallyPaid, .returned:
            // What it settled and did not pay was kept back; what it paid and did not settle is
            // owed.
            return [
                .participantAvailable: payout.settledAmount,
                .clawbackReceivable: payout.paidAmount - payout.settledAmount,
                .paidOut: -payout.paidAmount,
            ]
        case .failed, .cancelled: return [:]
        }
    }

    private static func checkRedemptions(
        _ reader: Reader, _ report: inout LedgerReport
    ) throws {
        try RedemptionStore.forEach(reader) { redemption in
            report.redemptions += 1
            let sums = try sums(
                of: " t.redemption_id = ? AND t.reward_id IS NULL", redemption.id, reader)
            compare("Redemption \(redemption.id)", sums, expected(of: redemption), &report)
            let used = try RedemptionStore.items(of: redemption.id, reader)
                .reduce(Int128(0)) { $0 + Int128($1.amount) }
            if used != Int128(redemption.points) + Int128(redemption.clawbackAmount) {
                report.add("Redemption \(redemption.id) differs from what it used of rewards.")
            }
        }
    }

    /// What the redemption's own transactions must come to.
    private static func expected(of redemption: Redemption) -> [LedgerAccount.Kind: Int64] {
        let (points, kept) = (redemption.points, redemption.clawbackAmount)
        let gone: LedgerAccount.Kind
        switch redemption.state {
        case .requested: gone = .payoutClearing
        case .fulfilled: gone = .paidOut
        case .cancelled: return [:]
        }
        return [.participantAvailable: points + kept, .clawbackReceivable: -kept, gone: -points]
    }

    /// Every transaction is about a reward, a payout or a redemption that there is.
    private static func checkReferences(_ reader: Reader, _ report: inout LedgerReport) throws {
        try reader.forEach(
            """
            SELECT t.seq, t.id FROM ledger_transactions t
            WHERE (t.reward_id IS NULL AND t.payout_id IS NULL AND t.redemption_id IS NULL)
                OR (t.reward_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM rewards r WHERE r.id = t.reward_id))
                OR (t.payout_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.id = t.payout_id))
                OR (t.redemption_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM redemptions o WHERE o.id = t.redemption_id))
            ORDER BY t.seq LIMIT 20
            """
        ) { row in
            let id: LedgerTransactionID = try row.id(1)
            report.add("Transaction \(try row.int64(0)) (\(id)) is about nothing that there is.")
        }
    }

    /// Every transaction, its accounts and what it is about have one owner and one currency.
    /// The hash covers the transaction alone, so this is what finds a reward given to somebody
    /// else. CROSS JOIN keeps SQLite to this order, in which it need not sort the whole journal.
    private static func checkOwners(_ reader: Reader, _ report: inout LedgerReport) throws {
        try reader.forEach(
            """
            SELECT DISTINCT t.seq, t.id
            FROM ledger_transactions t
                CROSS JOIN ledger_postings l ON l.transaction_seq = t.seq
                CROSS JOIN ledger_accounts a ON a.seq = l.account_seq
                LEFT JOIN rewards r ON r.id = t.reward_id
                LEFT JOIN payouts p ON p.id = t.payout_id
                LEFT JOIN redemptions o ON o.id = t.redemption_id
            WHERE a.program_id <> t.program_id OR a.participant_id <> t.participant_id
                OR r.program_id <> t.program_id OR r.participant_id <> t.participant_id
                OR p.program_id <> t.program_id OR p.participant_id <> t.participant_id
                OR o.program_id <> t.program_id OR o.participant_id <> t.participant_id
                OR r.currency <> a.currency OR p.currency <> a.currency
                OR (o.id IS NOT NULL AND a.currency <> 'PTS')
            ORDER BY t.seq LIMIT 20
            """
        ) { row in
            let id: LedgerTransactionID = try row.id(1)
            report.add("Transaction \(try row.int64(0)) (\(id)) differs in owner or currency.")
        }
    }
}
