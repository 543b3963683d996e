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

    /// Why it was voided: what refunds or a count took can come back.
    public enum Loss: String, Sendable, CaseIterable {
        case refunded, milestone, person, lead, reattributed
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
    /// As it was granted.
    public let offer: BenefitOffer
    /// What of its value and points no longer counts, because its sale was refunded.
    public var reversedValue: Int64 = 0
    public var reversedPoints: Int64 = 0
    public var voidedFor: Loss?
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

    /// What still counts of the offer: what is to be given, or was.
    public var due: BenefitOffer {
        var due = offer
        due.value = offer.value.map {
            Money(amount: $0.amount - reversedValue, currency: $0.currency)
        }
        due.points = offer.points.map { $0 - reversedPoints }
        return due
    }
}

/// What is given.
public struct BenefitOffer: Sendable, Equatable {
    public var value: Money?
    public var points: Int64?
    /// Ten-thousandths off invoices.
    public var discount: Int64?
    /// For how long a discount is given.
    public var duration: DiscountDuration?
    public var description: String?

    /// In minor units or points, for events.
    var json: JSONObject {
        var object = JSONObject()
        object["value"] = value?.stored
        object["points"] = points.map { .integer($0) }
        object["discount_basis_points"] = discount.map { .integer($0) }
        object["duration"] = duration.map { .string($0.name) }
        object["duration_months"] = duration?.months.map { .integer($0) }
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

    /// The campaign that makes most of `points` (R148: doubled points), rounded down, the earliest
    /// of equals; an amount of money in the place of what is given does not speak of points.
    static func best(
        _ campaigns: [Campaign], for rule: RewardRuleID, _ facts: RewardFacts, points: Int64
    ) -> RewardRules.AppliedCampaign? {
        var best: RewardRules.AppliedCampaign?
        for campaign in campaigns where CampaignRules.applies(campaign, to: rule, facts) {
            guard case .multiply(let factor) = campaign.effect else { continue }
            let more = Int64(clamping: Int128(points) * Int128(factor) / 10_000)
            guard more > best?.amount ?? points else { continue }
            best = RewardRules.AppliedCampaign(
                campaign: campaign.id, version: campaign.version, effect: campaign.effect,
                first: campaign.first, amount: more)
        }
        return best
    }

    /// Who gets what is not divided: whoever has most of the credit, the first of equals. Credits
    /// of one participant count together.
    static func main(_ credits: [Credit]) throws(MoneyError) -> Credit? {
        try RewardRules.merged(credits).reduce(nil) { best, credit in
            guard let best, weight(best) >= weight(credit) else { return credit }
            return best
        }
    }

    private static func weight(_ credit: Credit) -> Int64 { credit.base?.amount ?? credit.parts }

    /// The benefit for what is left of its sale: a value as a reward's would be, points in
    /// proportion; nil when nothing of it is left. What cannot be divided stays until the last of
    /// the sale, and what counts of referrals gave does not hang on one sale's money.
    static func settled(_ benefit: Benefit, _ sale: RewardSale) throws(MoneyError) -> Benefit? {
        var rest = benefit
        (rest.reversedValue, rest.reversedPoints) = (0, 0)
        let terms = benefit.basis.objectValue?["rule"].flatMap { RewardTerms(json: $0) }
        guard sale.refunded > 0, terms?.milestone == nil else { return rest }
        guard !sale.isRefunded else { return nil }
        if let value = benefit.offer.value, benefit.kind != .perk {
            rest.reversedValue = try value.amount - left(of: value, benefit, sale)
            guard rest.reversedValue < value.amount else { return nil }
        }
        if let points = benefit.offer.points {
            rest.reversedPoints = points - RewardRules.left(of: points, sale)
            guard rest.reversedPoints < points else { return nil }
        }
        return rest
    }

    /// The referred customer has all of it; participants share it.
    private static func left(
        of value: Money, _ benefit: Benefit, _ sale: RewardSale
    ) throws(MoneyError) -> Int64 {
        guard let promise = RewardRules.Promise(basis: benefit.basis),
            let main = benefit.owner.participant ?? sale.rest.first?.participant
        else { return RewardRules.left(of: value.amount, sale) }
        var (full, rest) = (
            try RewardRules.Sharing(sale.credits), try RewardRules.Sharing(sale.rest)
        )
        if benefit.owner.participant == nil {
            full = try RewardRules.Sharing([Credit(participant: main, base: full.base)])
            rest = try RewardRules.Sharing([Credit(participant: main, base: rest.base)])
        }
        return min(value.amount, try RewardRules.share(of: main, by: promise, sale, full, rest))
    }

    /// The state in which a voided benefit is there again: what nobody approved waits as it did.
    static func resumedState(_ benefit: Benefit) -> Benefit.State {
        guard benefit.state == .voided else { return benefit.state }
        if benefit.approvedAt != nil { return .approved }
        return benefit.flags.isEmpty ? .pending : .review
    }

    /// What is flagged waits for a person at once, as with rewards (R235, R238).
    static func firstState(
        _ value: Money?, holdDays: Int64, threshold: Int64?, _ flags: [RewardFlag]
    ) -> Benefit.State {
        guard flags.isEmpty else { return .review }
        return holdDays > 0 ? .pending : stateAfterHold(value, threshold: threshold)
    }

    /// A value at the program's threshold or above is reviewed by a person, as with rewards (R171).
    static func stateAfterHold(_ value: Money?, threshold: Int64?) -> Benefit.State {
        guard let value, let threshold, value.amount >= threshold else { return .approved }
        return .review
    }
}
