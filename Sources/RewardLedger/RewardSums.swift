import Database
import Model
import Records

/// What rewards come to: the sums that limits and budgets are held against, money and points apart.
extension RewardStore {
    /// What still counts of the participant's rewards in `period`, by one rule or by all; of
    /// `limit` of them at most, where a loop asks.
    static func earned(
        _ unit: RewardTerms.Unit, by participant: ParticipantID, rule: RewardRuleID?,
        in period: Range<Instant>?, limit: Int64 = -1, _ reader: Reader
    ) throws -> Int64 {
        guard unit != .pieces else { return 0 }
        var query = Query(
            """
            SELECT coalesce(sum(net), 0) FROM (
                SELECT amount - reversed_amount AS net FROM rewards
                WHERE participant_id = ? AND (kind = 'points') = ?
            """, participant, unit == .points)
        if let rule { query.append(" AND rule_id = ?", rule) }
        if let period {
            query.append(
                " AND counts_at >= ? AND counts_at < ?", period.lowerBound, period.upperBound)
        }
        query.append(" LIMIT ?)", limit)
        return try reader.integer(query) ?? 0
    }

    /// What still counts of all rewards for one referred person, who may be several customers, by
    /// one rule or by all; without those that the rule `own.rule` gave for the sale `own.sale`.
    static func earned(
        _ unit: RewardTerms.Unit, for person: [CustomerID], rule: RewardRuleID?,
        except own: (rule: RewardRuleID, sale: ConversionID)?, _ reader: Reader
    ) throws -> Int64 {
        guard unit != .pieces else { return 0 }
        var query = Query(
            """
            SELECT coalesce(sum(amount - reversed_amount), 0) FROM rewards
            WHERE (kind = 'points') = ? AND customer_id IN
            """, unit == .points)
        query.appendList(person)
        if let rule { query.append(" AND rule_id = ?", rule) }
        if let own {
            query.append(" AND NOT (rule_id = ?", own.rule)
            query.append(" AND conversion_id IS ?)", own.sale)
        }
        return try reader.integer(query) ?? 0
    }

    /// The rewards of its participant by its rule that were granted after `reward`, oldest first.
    static func earned(after reward: Reward, _ reader: Reader) throws -> [Reward] {
        var filter = Filter()
        filter.participant = reward.participant
        filter.rule = reward.rule
        return Array(try all(filter, reader).drop { $0.id != reward.id }.dropFirst())
    }

    /// The participant's rewards by the rule of which anything still counts, oldest first.
    static func standing(
        _ rule: RewardRuleID, of participant: ParticipantID, in period: Range<Instant>?,
        _ reader: Reader
    ) throws -> [Reward] {
        var filter = Filter()
        filter.participant = participant
        filter.rule = rule
        return try all(filter, reader).filter { reward in
            reward.netAmount > 0 && period?.contains(reward.countsAt) != false
        }
    }

    /// What rewards of the program come to in a period: kept as a counter for each month.
    public static func reserved(
        in program: ProgramID, _ period: CalendarPeriod, _ reader: Reader
    ) throws -> Int64 {
        let names = Set(period.months.map { counterName($0.name) })
        return try CounterStore.all(of: program, prefix: "rewards.reserved.", reader)
            .reduce(0) { names.contains($1.name) ? $0 + $1.value : $0 }
    }

    static func counterName(_ month: String) -> String { "rewards.reserved.\(month)" }
}
