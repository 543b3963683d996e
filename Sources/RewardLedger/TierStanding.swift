import Database
import Model

/// Where a participant stands in the tiers of one rule (R142, R199: levels that are reached by
/// referrals).
public struct TierStanding: Sendable {
    public let rule: RewardRule
    public let tiers: RewardTiers
    /// In which referrals count; nil: all time.
    public let period: CalendarPeriod?
    /// The referrals that have counted.
    public let count: Int64

    /// The tier that was reached; nil below the first.
    public var level: RewardTiers.Level? { tiers.level(count) }

    /// The tier above it; nil on the highest.
    public var next: RewardTiers.Level? { tiers.levels.first { $0.from > count } }

    /// The standings of `participant` in every active rule of its program that has tiers and is
    /// for participants like it, oldest rule first.
    public static func all(
        of participant: ParticipantID, _ person: RewardFacts.Person, in program: ProgramID,
        _ zone: TimeZone, at now: Instant, _ reader: Reader
    ) throws -> [TierStanding] {
        try RewardRuleStore.active(in: program, reader).compactMap { rule in
            guard let tiers = rule.terms.tiers,
                RewardRules.isFor(rule.terms, person, RewardStanding())
            else { return nil }
            let period = tiers.period.map { CalendarPeriod($0, containing: now, in: zone) }
            let count = try ReferralCountStore.count(
                tiers.counts, of: participant, except: nil, from: period?.start, at: now, reader)
            return TierStanding(rule: rule, tiers: tiers, period: period, count: count)
        }
    }
}
