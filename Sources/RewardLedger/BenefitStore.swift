import Database
import JSON
import Model
import Records

/// All SQL of benefits.
public enum BenefitStore {
    /// What a list asks for; nil: everything.
    public struct Filter: Sendable {
        public var state: String?
        public var kind: String?
        public var participant: ParticipantID?
        public var customer: CustomerID?
        public var program: ProgramID?
        public var conversion: ConversionID?
        public var lead: LeadID?
        public var rule: RewardRuleID?

        public init() {}
    }

    public static func find(_ id: BenefitID, _ reader: Reader) throws -> Benefit? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: benefit)
    }

    public static func sequence(of id: BenefitID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM benefits WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Benefit> {
        try reader.page(query(filter), request, map: benefit)
    }

    /// The benefits of a conversion, oldest first.
    public static func oldest(
        of conversion: ConversionID, by participant: ParticipantID? = nil, limit: Int,
        _ reader: Reader
    ) throws -> [Benefit] {
        var filter = Filter()
        filter.conversion = conversion
        filter.participant = participant
        var query = query(filter)
        query.append(" ORDER BY seq LIMIT ?", Int64(limit))
        return try reader.all(query, map: benefit)
    }

    /// Whether a person has decided about a benefit of the sale, either way, or has given it.
    public static func isDecided(of conversion: ConversionID, _ reader: Reader) throws -> Bool {
        var filter = Filter()
        filter.conversion = conversion
        var query = query(filter)
        query.append(" AND (state <> 'voided' OR voided_for = 'person') ORDER BY seq")
        return try reader.all(query, map: benefit).contains {
            try $0.voidedFor == .person || $0.fulfilledAt != nil
                || EventStore.wasMoved($0.id, by: "benefit.approved", reader)
        }
    }

    /// Those that were not voided, or that may come back, oldest first.
    static func settling(_ filter: Filter, _ reader: Reader) throws -> [Benefit] {
        var query = query(filter)
        query.append(
            " AND (state <> 'voided' OR voided_for IN ('refunded', 'milestone')) ORDER BY seq")
        return try reader.all(query, map: benefit)
    }

    /// Those that were not voided, oldest first.
    static func live(_ filter: Filter, _ reader: Reader) throws -> [Benefit] {
        var query = query(filter)
        query.append(" AND state <> 'voided' ORDER BY seq")
        return try reader.all(query, map: benefit)
    }

    /// Whether the rule has given on this occasion already, to anybody. What waits for a refund of
    /// the sale to be reversed is given.
    static func exists(
        _ rule: RewardRuleID, _ occasion: RewardOccasion, _ reader: Reader
    ) throws -> Bool {
        if let conversion = occasion.conversion {
            return try reader.integer(
                """
                SELECT 1 FROM benefits
                WHERE conversion_id = ? AND rule_id = ?
                    AND (state <> 'voided' OR voided_for = 'refunded')
                """, conversion, rule) != nil
        }
        return try reader.integer(
            """
            SELECT 1 FROM benefits
            WHERE lead_id = ? AND rule_id = ? AND conversion_id IS NULL AND state <> 'voided'
            """, occasion.lead, rule) != nil
    }

    /// Whether a person has voided what the rule gave to `owner` on this occasion, which has few
    /// benefits: the plus signs have the planner look there.
    static func isRefused(
        _ rule: RewardRuleID, to owner: Benefit.Owner, _ occasion: RewardOccasion,
        _ reader: Reader
    ) throws -> Bool {
        if let conversion = occasion.conversion {
            return try reader.integer(
                """
                SELECT 1 FROM benefits
                WHERE conversion_id = ? AND +rule_id = ? AND voided_for = 'person'
                    AND +participant_id IS ? AND +customer_id IS ?
                """, conversion, rule, owner.participant, owner.customer) != nil
        }
        return try reader.integer(
            """
            SELECT 1 FROM benefits
            WHERE lead_id = ? AND +rule_id = ? AND conversion_id IS NULL
                AND voided_for = 'person' AND +participant_id IS ? AND +customer_id IS ?
            """, occasion.lead, rule, owner.participant, owner.customer) != nil
    }

    /// Whether the rule has given to the participant on any occasion.
    static func hasEarned(
        _ rule: RewardRuleID, _ participant: ParticipantID, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM benefits WHERE participant_id = ? AND rule_id = ? AND state <> 'voided'
            LIMIT 1
            """, participant, rule) != nil
    }

    /// What the owner's discounts that are neither given nor voided add up to.
    static func openDiscount(
        of owner: Benefit.Owner, in program: ProgramID, _ reader: Reader
    ) throws -> Int64 {
        var query = Query(
            """
            SELECT coalesce(sum(discount_basis_points), 0) FROM benefits
            WHERE program_id = ? AND state IN ('pending', 'review', 'approved')
            """, program)
        switch owner {
        case .participant(let id): query.append(" AND participant_id = ?", id)
        case .customer(let id): query.append(" AND customer_id = ?", id)
        }
        return try reader.integer(query) ?? 0
    }

    /// `participant` referred `customer`, whoever of them gets it.
    static func insert(
        _ benefit: Benefit, by participant: ParticipantID, for customer: CustomerID?,
        countsAt: Instant, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO benefits (
                id, program_id, participant_id, customer_id, rule_id, rule_version, trigger_name,
                kind, lead_id, conversion_id, state, value_amount, value_currency, points,
                discount_basis_points, description, basis, reason, reference, hold_until,
                approved_at, fulfilled_at, version, created_at, updated_at, duration,
                duration_months, referrer_id, referee_id, counts_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?)
            """, benefit.id, benefit.program, benefit.owner.participant, benefit.owner.customer,
            benefit.rule, benefit.ruleVersion, benefit.trigger.rawValue, benefit.kind.rawValue,
            benefit.lead, benefit.conversion, benefit.state.rawValue, benefit.offer.value?.amount,
            benefit.offer.value?.currency.code, benefit.offer.points, benefit.offer.discount,
            benefit.offer.description, benefit.basis.text, benefit.reason, benefit.reference,
            benefit.holdUntil, benefit.approvedAt, benefit.fulfilledAt, benefit.version,
            benefit.createdAt, benefit.updatedAt, benefit.offer.duration?.name,
            benefit.offer.duration?.months, participant, customer, countsAt)
    }

    static func update(_ benefit: Benefit, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE benefits SET state = ?, reason = ?, reference = ?, approved_at = ?,
                fulfilled_at = ?, version = ?, updated_at = ?, reversed_value = ?,
                reversed_points = ?, voided_for = ?
            WHERE id = ?
            """, benefit.state.rawValue, benefit.reason, benefit.reference, benefit.approvedAt,
            benefit.fulfilledAt, benefit.version, benefit.updatedAt, benefit.reversedValue,
            benefit.reversedPoints, benefit.voidedFor?.rawValue, benefit.id)
    }

    private static let columns: StaticString = """
        SELECT id, program_id, participant_id, customer_id, rule_id, rule_version, trigger_name,
            kind, lead_id, conversion_id, state, value_amount, value_currency, points,
            discount_basis_points, description, basis, reason, reference, hold_until, approved_at,
            fulfilled_at, version, created_at, updated_at, reversed_value, reversed_points,
            duration, duration_months, voided_for
        FROM benefits
        """

    private static func query(_ filter: Filter) -> Query {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let id = filter.participant { query.append(" AND participant_id = ?", id) }
        if let id = filter.customer { query.append(" AND customer_id = ?", id) }
        if let id = filter.program { query.append(" AND program_id = ?", id) }
        if let id = filter.conversion { query.append(" AND conversion_id = ?", id) }
        if let id = filter.lead { query.append(" AND lead_id = ?", id) }
        if let id = filter.rule { query.append(" AND rule_id = ?", id) }
        return query
    }

    private static func benefit(_ row: Row) throws -> Benefit {
        let owner: Benefit.Owner
        if let id: ParticipantID = try row.optionalID(2) {
            owner = .participant(id)
        } else {
            owner = .customer(try row.id(3))
        }
        guard let trigger = try RewardRule.TriggerName(rawValue: row.text(6)),
            let kind = try RewardRule.Kind(rawValue: row.text(7)),
            let state = try Benefit.State(rawValue: row.text(10))
        else { throw DatabaseFault(operation: "read a benefit", code: DatabaseFault.corrupt) }
        let offer = BenefitOffer(
            value: try Money(row, from: 11), points: try row.optionalInt64(13),
            discount: try row.optionalInt64(14),
            duration: DiscountDuration(
                name: try row.optionalText(27), months: try row.optionalInt64(28)),
            description: try row.optionalText(15))
        return try Benefit(
            id: row.id(0), program: row.id(1), owner: owner, rule: row.id(4),
            ruleVersion: row.int64(5), trigger: trigger, kind: kind, lead: row.optionalID(8),
            conversion: row.optionalID(9), state: state, offer: offer,
            reversedValue: row.int64(25), reversedPoints: row.int64(26),
            voidedFor: row.optionalText(29).flatMap { Benefit.Loss(rawValue: $0) },
            basis: JSONValue.parse(Array(row.text(16).utf8)), reason: row.optionalText(17),
            reference: row.optionalText(18), holdUntil: row.instant(19),
            approvedAt: row.optionalInstant(20), fulfilledAt: row.optionalInstant(21),
            version: row.int64(22), createdAt: row.instant(23), updatedAt: row.instant(24))
    }
}
