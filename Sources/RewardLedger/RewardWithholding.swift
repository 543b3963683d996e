import Database
import JSON
import Model
import Records

/// A rule gives nothing on an occasion that it speaks about: an event says why, to everybody who
/// would have earned something.
public enum RewardWithholding {
    /// Whether the rule's conditions admit the occasion. Where they do not, everybody with credit
    /// is told.
    static func admits(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ credits: [Credit], _ tx: Transaction
    ) throws -> Bool {
        guard RewardRules.isAbout(rule.terms, occasion.facts) else { return false }
        guard let reason = try RewardReckoning.withheld(rule, occasion, tx) else { return true }
        // A rule for those who were customers before says nothing about all the others.
        guard reason != .newCustomer else { return false }
        var participants: [ParticipantID] = []
        for credit in credits where !participants.contains(credit.participant) {
            participants.append(credit.participant)
            try tell(reason, of: rule, to: credit.participant, [:], occasion, tx)
        }
        return false
    }

    /// Why nothing at all was given on an occasion, after it was decided about: what the first of
    /// the rules that speak about it says. Nil: no rule does, or something was given.
    public static func reason(
        _ occasion: RewardOccasion, _ reader: Reader
    ) throws -> RewardWithheld? {
        for rule in try RewardRuleStore.active(
            in: occasion.program, for: occasion.trigger, reader)
        {
            if RewardRules.areMonthsOver(rule.terms, occasion.facts) { return .monthsOver }
            guard RewardRules.isAbout(rule.terms, occasion.facts) else { continue }
            if let reason = try RewardReckoning.withheld(rule, occasion, reader) { return reason }
        }
        return nil
    }

    /// The event is one of the rule, and names the lead or the sale.
    static func tell(
        _ reason: RewardWithheld, of rule: RewardRule, to participant: ParticipantID,
        _ more: JSONObject, _ occasion: RewardOccasion, _ tx: Transaction
    ) throws {
        var data = more
        data["rule_version"] = .integer(rule.version)
        data["lead_id"] = occasion.lead.map { .string($0.description) }
        data["conversion_id"] = occasion.conversion.map { .string($0.description) }
        try EventStore.append(
            NewEvent(
                rule.terms.isReward ? "reward.withheld" : "benefit.withheld", rule.id,
                program: occasion.program, participant: participant, actor: occasion.actor,
                reason: reason.rawValue, data: .object(data)), tx)
    }
}
