import JSON
import Model

/// What somebody earned that is not in the journal (R147: rewards without a money value are held
/// with a description and an optional value): a discount, a gift card, a donation, a perk; and
/// whatever the referred customer gets (R144: both sides have records of their own), points
/// included. It is given outside of this service, which keeps who is to get what and whether it was
/// done.
///
/// Points to participants are rewards; those of before they were are still here.
public struct Benefit: Sendable {
    public enum State: String, LifecycleState {
        case pending, review, approved, fulfilled, voided

        public enum Action: String, Sendable, CaseIterable { case approve, fulfill, void }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.approve, .pending), (.approve, .review): .approved
            case (.fulfill, .approved): .fulfilled
            case (.void, .pending), (.void, .review), (.void, .approved): .voided
            default: nil
            }
        }
    }

    /// Whose it is.
    public enum Owner: Sendable, Equatable {
        case participant(ParticipantID)
        case customer(CustomerID)

        public var participant: ParticipantID? {
            if case .participant(let id) = self { id } else { nil }
        }

        public var customer: CustomerID? {
            if case .customer(let id) = self { id } else { nil }
        }
    }

    public let id: BenefitID
    public let program: ProgramID
    public let owner: Owner
    public let rule: RewardRuleID
    public let ruleVersion: Int64
    public let trigger: RewardRule.TriggerName
    public let kind: RewardRule.Kind
    public let lead: LeadID?
    public let conversion: ConversionID?
    public var state: State
    public let offer: BenefitOffer
    /// As with rewards: the rule, its inputs and the arithmetic, as they were.
    public let basis: JSONValue
    /// Why it was voided.
    public var reason: String?
    /// The operator's own name for how it was given: a voucher's order, an invoice.
    public var reference: String?
    public let holdUntil: Instant
    public var approvedAt: Instant?
    public var fulfilledAt: Instant?
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant
}

/// What is given.
public struct BenefitOffer: Sendable, Equatable {
    public var value: Money?
    public var points: Int64?
    /// Ten-thousandths off the next invoice.
    public var discount: Int64?
    public var description: String?

    /// In minor units or points, for events.
    var json: JSONObject {
        var object = JSONObject()
        object["value"] = value?.stored
        object["points"] = points.map { .integer($0) }
        object["discount_basis_points"] = discount.map { .integer($0) }
        return object
    }
}

/// Decisions about benefits: pure.
public enum BenefitRules {
    /// What is left of a discount when the recipient's open ones may add up to no more than the
    /// rule's maximum (R139: five referrals at 20 % would make a renewal free); nil: nothing is.
    static func discount(_ gift: RewardTerms.Gift, open: Int64) -> Int64? {
        guard let discount = gift.discount else { return nil }
        let left = min(discount, max(0, (gift.discountMost ?? Int64.max) - open))
        return left > 0 ? left : nil
    }

    /// Points with what campaigns make of them (R148: doubled points), rounded down; an amount of
    /// money in the place of what is given does not speak of points.
    static func points(
        _ points: Int64, _ campaigns: [Campaign], for rule: RewardRuleID, _ facts: RewardFacts
    ) -> Int64 {
        campaigns.reduce(points) { best, campaign in
            guard case .multiply(let factor) = campaign.effect,
                CampaignRules.applies(campaign, to: rule, facts)
            else { return best }
            return max(best, Int64(clamping: Int128(points) * Int128(factor) / 10_000))
        }
    }

    /// Who gets what is not divided: whoever has most of the credit, the first of equals.
    static func main(_ credits: [Credit]) -> Credit? {
        credits.reduce(nil) { best, credit in
            guard let best, weight(best) >= weight(credit) else { return credit }
            return best
        }
    }

    private static func weight(_ credit: Credit) -> Int64 { credit.base?.amount ?? credit.parts }

    /// A value at the program's threshold or above is reviewed by a person, as with rewards (R171).
    static func stateAfterHold(_ value: Money?, threshold: Int64?) -> Benefit.State {
        guard let value, let threshold, value.amount >= threshold else { return .approved }
        return .review
    }
}
