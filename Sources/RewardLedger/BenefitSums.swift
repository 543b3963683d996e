import Database
import Model

/// What benefits come to: in money where they have a value, in points, or in pieces. What was
/// voided or refunded does not count.
extension BenefitStore {
    /// What a participant brought about in `period`: by one rule to anybody, or by all rules to
    /// itself.
    static func earned(
        _ unit: RewardTerms.Unit, by participant: ParticipantID, rule: RewardRuleID?,
        in period: Range<Instant>?, limit: Int64 = -1, _ reader: Reader
    ) throws -> Int64 {
        var query = sum(unit)
        query.append(" AND referrer_id = ?", participant)
        query.append(rule)
        if let period {
            query.append(
                " AND counts_at >= ? AND counts_at < ?", period.lowerBound, period.upperBound)
        }
        query.append(" LIMIT ?)", limit)
        return try reader.integer(query) ?? 0
    }

    /// What was given for one referred person, without what the rule `own.rule` gave for the sale
    /// `own.sale`.
    static func earned(
        _ unit: RewardTerms.Unit, for person: [CustomerID], rule: RewardRuleID?,
        except own: (rule: RewardRuleID, sale: ConversionID)?, _ reader: Reader
    ) throws -> Int64 {
        var query = sum(unit)
        query.append(" AND referee_id IN")
        query.appendList(person)
        query.append(rule)
        if let own {
            query.append(" AND NOT (rule_id = ?", own.rule)
            query.append(" AND conversion_id IS ?)", own.sale)
        }
        query.append(")")
        return try reader.integer(query) ?? 0
    }

    private static func sum(_ unit: RewardTerms.Unit) -> Query {
        switch unit {
        case .money:
            Query(
                """
                SELECT coalesce(sum(net), 0) FROM (
                    SELECT value_amount - reversed_value AS net FROM benefits
                    WHERE state <> 'voided'
                """)
        case .points:
            Query(
                """
                SELECT coalesce(sum(net), 0) FROM (
                    SELECT points - reversed_points AS net FROM benefits
                    WHERE state <> 'voided'
                """)
        case .pieces:
            Query("SELECT count(*) FROM (SELECT 1 FROM benefits WHERE state <> 'voided'")
        }
    }
}

extension Query {
    /// Of one rule, or of all that give to participants.
    fileprivate mutating func append(_ rule: RewardRuleID?) {
        if let rule {
            append(" AND rule_id = ?", rule)
        } else {
            append(" AND participant_id IS NOT NULL")
        }
    }
}
