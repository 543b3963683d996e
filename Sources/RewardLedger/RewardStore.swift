import Database
import JSON
import Model
import Records

/// All SQL of rewards. It also keeps the counters of rewards by state, so that they change with the
/// row: `rewards.STATE` of the service and of the participant, and `rewards.STATE.amount` of the
/// participant, the sum of what still counts of the rewards in that state; `.points` is that of
/// points.
public enum RewardStore {
    /// What a list asks for; nil: everything.
    public struct Filter: Sendable {
        public var state: String?
        public var kind: String?
        public var participant: ParticipantID?
        public var program: ProgramID?
        public var conversion: ConversionID?
        public var lead: LeadID?
        public var rule: RewardRuleID?
        public var payout: PayoutID?
        public var created: Range<Instant>?

        public init() {}
    }

    public static func find(_ id: RewardID, _ reader: Reader) throws -> Reward? {
        try reader.first(
            """
            SELECT id, program_id, participant_id, rule_id, rule_version, trigger_name, kind,
                lead_id, conversion_id, payout_id, state, currency, amount, reversed_amount,
                clawback_amount, settled_amount, basis, reason, hold_until, approved_at, paid_at,
                version, created_at, updated_at, corrected_amount, attribution_id, withdrawn_amount,
                withdrawn_for
            FROM rewards WHERE id = ?
            """, id, map: reward)
    }

    public static func sequence(of id: RewardID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM rewards WHERE id = ?", id)
    }

    /// The rewards of a conversion, oldest first.
    public static func rewards(of conversion: ConversionID, _ reader: Reader) throws -> [Reward] {
        var filter = Filter()
        filter.conversion = conversion
        return try all(filter, reader)
    }

    /// The oldest rewards of a conversion, of one participant where it is named, oldest first.
    public static func oldest(
        of conversion: ConversionID, by participant: ParticipantID? = nil, limit: Int,
        _ reader: Reader
    ) throws -> [Reward] {
        var filter = Filter()
        filter.conversion = conversion
        filter.participant = participant
        var query = query(filter)
        query.append(" ORDER BY seq LIMIT ?", Int64(limit))
        return try reader.all(query, map: reward)
    }

    /// The rewards of a lead, oldest first.
    public static func rewards(of lead: LeadID, _ reader: Reader) throws -> [Reward] {
        var filter = Filter()
        filter.lead = lead
        return try all(filter, reader)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Reward> {
        try reader.page(query(filter), request, map: reward)
    }

    /// What can be paid of the participant's approved rewards of the order's kind that no payout
    /// holds, the oldest first, at most `limit`. Neither sum nor difference can overflow: each
    /// amount is at most `Money.maximum`.
    static func payable(
        _ order: PayoutOrder, limit: Int, _ reader: Reader
    ) throws -> [Int64] {
        try reader.all(
            """
            SELECT amount - reversed_amount + clawback_amount - settled_amount FROM rewards
            WHERE program_id = ? AND kind = ? AND currency = ? AND participant_id = ?
                AND state = 'approved' AND payout_id IS NULL
            ORDER BY seq LIMIT ?
            """, order.program, order.kind.rawValue, order.currency.code, order.participant,
            Int64(limit)
        ) { try $0.int64(0) }
    }

    /// The participant's approved rewards that no payout holds, of every kind that it has not yet
    /// to choose, the oldest first, at most `limit`.
    static func free(_ order: PayoutOrder, limit: Int, _ reader: Reader) throws -> [Reward] {
        var filter = Filter()
        filter.participant = order.participant
        filter.program = order.program
        filter.state = Reward.State.approved.rawValue
        var query = query(filter)
        query.append(
            " AND currency = ? AND payout_id IS NULL AND kind <> 'choice' ORDER BY seq LIMIT ?",
            order.currency.code, Int64(limit))
        return try reader.all(query, map: reward)
    }

    /// What `free` come to, all of them.
    static func freeSum(_ order: PayoutOrder, _ reader: Reader) throws -> Int64 {
        try reader.integer(
            """
            SELECT sum(amount - reversed_amount + clawback_amount - settled_amount) FROM rewards
            WHERE participant_id = ? AND program_id = ? AND currency = ? AND state = 'approved'
                AND payout_id IS NULL AND kind <> 'choice'
            """, order.participant, order.program, order.currency.code) ?? 0
    }

    /// The participant's approved rewards of points, which are not used up, oldest first, at most
    /// `limit`.
    static func redeemable(
        by participant: ParticipantID, limit: Int, _ reader: Reader
    ) throws -> [Reward] {
        var filter = Filter()
        filter.participant = participant
        filter.state = Reward.State.approved.rawValue
        var query = query(filter)
        query.append(" AND kind = 'points' ORDER BY seq LIMIT ?", Int64(limit))
        return try reader.all(query, map: reward)
    }

    /// The participant's rewards by a rule, oldest first.
    static func rewards(
        by rule: RewardRuleID, of participant: ParticipantID, _ reader: Reader
    ) throws -> [Reward] {
        var filter = Filter()
        filter.rule = rule
        filter.participant = participant
        return try all(filter, reader)
    }

    /// Marks the payout's rewards as held by it. Neither their state nor their money changes by
    /// it, so no counter does; one statement, as there may be a thousand.
    static func hold(in payout: PayoutID, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE rewards SET payout_id = ?, version = version + 1, updated_at = ?
            WHERE id IN (SELECT reward_id FROM payout_rewards WHERE payout_id = ?)
            """, payout, tx.now, payout)
    }

    /// Whether the rule has been granted on this occasion already, to anybody. A lead that counts
    /// again earns again what was taken back in whole, unless a person refused it.
    static func exists(
        _ rule: RewardRuleID, _ occasion: RewardOccasion, _ reader: Reader
    ) throws -> Bool {
        if case .conversion = occasion.trigger {
            return try reader.integer(
                """
                SELECT 1 FROM rewards WHERE conversion_id = ? AND rule_id = ?
                    AND trigger_name = 'conversion'
                """, occasion.conversion, rule) != nil
        }
        return try reader.integer(
            """
            SELECT 1 FROM rewards WHERE lead_id = ? AND rule_id = ?
                AND trigger_name <> 'conversion'
                AND (is_refused = 1 OR reversed_amount < amount)
            """, occasion.lead, rule) != nil
    }

    /// A person has rejected or voided it.
    static func refuse(_ id: RewardID, _ tx: Transaction) throws {
        try tx.run("UPDATE rewards SET is_refused = 1 WHERE id = ?", id)
    }

    /// Whether a person has decided about a reward of the sale, or a payout holds one.
    public static func isDecided(of conversion: ConversionID, _ reader: Reader) throws -> Bool {
        let rewards: [(id: RewardID, isDecided: Bool)] = try reader.all(
            """
            SELECT id, payout_id IS NOT NULL OR is_refused = 1 FROM rewards
            WHERE conversion_id = ? LIMIT 1000
            """, conversion
        ) { try ($0.id(0), $0.bool(1)) }
        return try rewards.contains {
            try $0.isDecided || EventStore.wasMoved($0.id, by: "reward.approved", reader)
        }
    }

    static func isRefused(_ id: RewardID, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT is_refused FROM rewards WHERE id = ?", id) == 1
    }

    public static func insert(_ reward: Reward, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO rewards (
                id, program_id, participant_id, rule_id, rule_version, trigger_name, kind, lead_id,
                conversion_id, payout_id, state, currency, amount, reversed_amount, clawback_amount,
                settled_amount, basis, reason, hold_until, approved_at, paid_at, version,
                created_at, updated_at, corrected_amount, attribution_id, customer_id, counts_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?)
            """, reward.id, reward.program, reward.participant, reward.rule, reward.ruleVersion,
            reward.trigger.rawValue, reward.kind.rawValue, reward.lead, reward.conversion,
            reward.payout, reward.state.rawValue, reward.amount.currency.code,
            reward.amount.amount, reward.reversedAmount, reward.clawbackAmount,
            reward.settledAmount, reward.basis.text, reward.reason, reward.holdUntil,
            reward.approvedAt, reward.paidAt, reward.version, reward.createdAt, reward.updatedAt,
            reward.correctedAmount, reward.attribution?.bytes ?? [], reward.facts?.customer,
            reward.countsAt)
        try count(reward, 1, tx)
        try reserve(reward.amount.amount, of: reward, tx)
    }

    /// Writes what changed between `old` and `reward`.
    public static func update(_ reward: Reward, from old: Reward, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE rewards SET kind = ?, payout_id = ?, state = ?, reversed_amount = ?,
                clawback_amount = ?, settled_amount = ?, reason = ?, approved_at = ?,
                paid_at = ?, version = ?, updated_at = ?, corrected_amount = ?,
                withdrawn_amount = ?, withdrawn_for = ?
            WHERE id = ?
            """, reward.kind.rawValue, reward.payout, reward.state.rawValue, reward.reversedAmount,
            reward.clawbackAmount, reward.settledAmount, reward.reason, reward.approvedAt,
            reward.paidAt, reward.version, reward.updatedAt, reward.correctedAmount,
            reward.withdrawnAmount, reward.withdrawnFor?.rawValue, reward.id)
        try count(old, -1, tx)
        try count(reward, 1, tx)
        try reserve(reward.netAmount - old.netAmount, of: reward, tx)
    }

    /// The budget's counter follows what still counts.
    private static func reserve(_ change: Int64, of reward: Reward, _ tx: Transaction) throws {
        guard change != 0, reward.kind != .points else { return }
        try CounterStore.add(change, to: counterName(reward.countsIn), of: reward.program, tx)
    }

    private static func count(_ reward: Reward, _ sign: Int64, _ tx: Transaction) throws {
        let name = "rewards.\(reward.state.rawValue)"
        try CounterStore.add(sign, to: name, tx)
        try CounterStore.add(sign, to: name, of: reward.participant, tx)
        try CounterStore.add(
            sign * reward.netAmount, to: name + (reward.kind == .points ? ".points" : ".amount"),
            of: reward.participant, tx)
    }

    static func all(_ filter: Filter, _ reader: Reader) throws -> [Reward] {
        var query = query(filter)
        query.append(" ORDER BY seq")
        return try reader.all(query, map: reward)
    }

    private static func query(_ filter: Filter) -> Query {
        var query = Query(
            """
            SELECT id, program_id, participant_id, rule_id, rule_version, trigger_name, kind,
                lead_id, conversion_id, payout_id, state, currency, amount, reversed_amount,
                clawback_amount, settled_amount, basis, reason, hold_until, approved_at, paid_at,
                version, created_at, updated_at, corrected_amount, attribution_id, withdrawn_amount,
                withdrawn_for
            FROM rewards WHERE 1 = 1
            """)
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let conversion = filter.conversion { query.append(" AND conversion_id = ?", conversion) }
        if let rule = filter.rule { query.append(" AND rule_id = ?", rule) }
        if let lead = filter.lead { query.append(" AND lead_id = ?", lead) }
        if let payout = filter.payout {
            query.append(
                " AND id IN (SELECT reward_id FROM payout_rewards WHERE payout_id = ?)", payout)
        }
        if let created = filter.created {
            query.append(" AND created_at >= ?", created.lowerBound)
            query.append(" AND created_at < ?", created.upperBound)
        }
        return query
    }

    static func reward(_ row: Row) throws -> Reward {
        guard let trigger = try RewardRule.TriggerName(rawValue: row.text(5)),
            let kind = try RewardRule.Kind(rawValue: row.text(6)),
            let state = try Reward.State(rawValue: row.text(10)),
            let currency = try Currency(stored: row.text(11))
        else { throw DatabaseFault(operation: "read a reward", code: DatabaseFault.corrupt) }
        return try Reward(
            id: row.id(0), program: row.id(1), participant: row.id(2), rule: row.optionalID(3),
            ruleVersion: row.optionalInt64(4), trigger: trigger, kind: kind,
            lead: row.optionalID(7),
            conversion: row.optionalID(8),
            attribution: row.blob(25).isEmpty ? nil : row.id(25),
            payout: row.optionalID(9), state: state,
            amount: Money(amount: row.int64(12), currency: currency), reversedAmount: row.int64(13),
            correctedAmount: row.int64(24), withdrawnAmount: row.int64(26),
            withdrawnFor: row.optionalText(27).flatMap { Reward.Withdrawal(rawValue: $0) },
            clawbackAmount: row.int64(14),
            settledAmount: row.int64(15),
            basis: JSONValue.parse(Array(row.text(16).utf8)), reason: row.optionalText(17),
            holdUntil: row.instant(18), approvedAt: row.optionalInstant(19),
            paidAt: row.optionalInstant(20), version: row.int64(21), createdAt: row.instant(22),
            updatedAt: row.instant(23))
    }
}
