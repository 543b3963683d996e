import JSON
import Model

/// More referrals, larger rewards (R135): which rate applies follows from how many referrals of the
/// participant have counted, the one that is rewarded included (R142: the third qualified referral
/// is paid at the tier of three).
public struct RewardTiers: Sendable, Equatable {
    /// Whose moment decides how many there are.
    public enum Moment: String, Sendable, CaseIterable {
        /// When the reward is earned: the tier at the moment of the event (R142).
        case event
        /// When the referral came in.
        case submission
    }

    /// From so many referrals on.
    public struct Level: Sendable, Equatable {
        public let name: String?
        public let from: Int64
        public let rate: RewardTerms.Rate

        public init(name: String?, from: Int64, rate: RewardTerms.Rate) {
            self.name = name
            self.from = from
            self.rate = rate
        }

        /// As stored with its rule.
        public var json: JSONValue {
            var object: JSONObject = [
                "name": name.map { .string($0) } ?? .null, "from": .integer(from),
            ]
            object.set(rate)
            return .object(object)
        }
    }

    /// Referrals that were qualified, or won.
    public let counts: ReferralCount.Event
    /// Of the calendar in UTC; nil: all time.
    public let period: CalendarPeriod.Length?
    public let moment: Moment
    /// Whether reaching a tier raises the earlier rewards by this rule too: the first reward of the
    /// new tier brings what they lack (R142: no re-pricing unless the rule says so).
    public let isRetroactive: Bool
    /// In rising order.
    public let levels: [Level]

    public init(
        counts: ReferralCount.Event = .qualified, period: CalendarPeriod.Length? = nil,
        moment: Moment = .event, isRetroactive: Bool = false, levels: [Level]
    ) {
        self.counts = counts
        self.period = period
        self.moment = moment
        self.isRetroactive = isRetroactive
        self.levels = levels
    }

    /// The level of `count` referrals; nil below the first.
    public func level(_ count: Int64) -> Level? { levels.last { $0.from <= count } }

    public var json: JSONValue {
        [
            "counts": .string(counts.rawValue),
            "period": .string(period?.rawValue ?? RewardTiers.allTime),
            "evaluated_at": .string(moment.rawValue), "retroactive": .bool(isRetroactive),
            "levels": .array(levels.map(\.json)),
        ]
    }

    /// The name of the period without end.
    public static let allTime = "all_time"

    init?(json: JSONValue?) {
        guard let object = json?.objectValue else { return nil }
        let read = TermsReader(object)
        self.init(
            counts: read.choice("counts") ?? .qualified, period: read.choice("period"),
            moment: read.choice("evaluated_at") ?? .event,
            isRetroactive: read.flag("retroactive") ?? false,
            levels: (read.list("levels") ?? []).compactMap { value in
                guard let level = value.objectValue, let from = level["from"]?.integerValue,
                    let rate = RewardTerms.Rate(stored: level)
                else { return nil }
                return Level(name: level["name"]?.stringValue, from: from, rate: rate)
            })
    }
}

/// What makes a referral count for its participant: a step of its lead, or the first credited sale
/// to a customer that no lead led to.
public enum ReferralCount {
    public enum Event: String, Sendable, CaseIterable {
        case qualified, won

        init?(_ trigger: RewardRule.Trigger) {
            switch trigger {
            case .leadQualified: self = .qualified
            case .leadWon, .conversion(_, wins: true): self = .won
            case .leadSubmitted, .leadOpportunity, .conversion: return nil
            }
        }
    }
}
