import Database
import JSON
import Model

extension RewardTerms {
    /// How often a rule gives.
    public enum OncePer: String, Sendable, CaseIterable {
        /// For each lead or sale.
        case occasion
        /// For each referred person, under all ids of it.
        case customer
    }

    /// For whose sales and leads a rule gives.
    public enum Customers: String, Sendable, CaseIterable {
        /// Nothing made the person a customer before a participant reached it.
        case new
        /// Something did.
        case returning
        case any
    }

    /// Whose program a rule is in: what a rule does not say follows from it.
    public enum Audience: String, Sendable, CaseIterable { case customer, partner, employee }

    /// What is counted of what a rule gives.
    public enum Unit: Sendable, CaseIterable { case money, points, pieces }

    public var unit: Unit {
        if kind == .points { return .points }
        return rate != nil || tiers != nil || gift.value != nil ? .money : .pieces
    }

    /// Whether it gives basis points of an amount.
    public var isShare: Bool {
        let rates = tiers?.levels.map(\.rate) ?? rate.map { [$0] } ?? []
        return rates.contains { if case .basisPoints = $0 { true } else { false } }
    }

    /// With what its request leaves to the program (faults, sections 5 and 6).
    public func completed(in audience: Audience) -> RewardTerms {
        var terms = self
        terms.oncePer = oncePer ?? oncePerDefault(in: audience)
        terms.customers = customers ?? (audience == .customer ? .new : .any)
        if kind == .discount, gift.discount != nil {
            terms.gift.duration = gift.duration ?? .once
        }
        return terms
    }

    private func oncePerDefault(in audience: Audience) -> OncePer? {
        if trigger == .milestone { return nil }
        if recipient == .referee { return .customer }
        if kind == .points || isShare { return .occasion }
        switch trigger {
        case .renewal, .upsell: return .occasion
        case .conversion:
            let again = ["renewal", "upsell"]
            return conversionKinds?.allSatisfy(again.contains) == true ? .occasion : .customer
        case .signup, .purchase: return .customer
        case .leadSubmitted, .leadQualified, .leadOpportunity, .leadWon:
            // A second deal with the same buyer is a deal.
            return audience == .partner ? .occasion : .customer
        case .milestone, .manual: return nil
        }
    }

    /// Whether it is a flat rule for sales that gives for the smallest of them too.
    public var isFlatForAnySale: Bool {
        guard trigger.isConversion, trigger != .signup, !isShare, minSale == nil else {
            return false
        }
        return conversionKinds != ["signup"]
    }

    func setConditions(_ object: inout JSONObject) {
        object["once_per"] = oncePer.map { .string($0.rawValue) }
        object["customers"] = customers.map { .string($0.rawValue) }
        object["min_sale"] = minSale?.stored
        object["hold_days"] = holdDays.map { .integer($0) }
        object["replaces"] = replaces.map { .string($0.description) }
    }

    mutating func readConditions(_ read: TermsReader, minSale: Money?) {
        oncePer = read.choice("once_per")
        customers = read.choice("customers")
        self.minSale = minSale
        holdDays = read.integer("hold_days")
        replaces = read.text("replaces").flatMap { RewardRuleID($0) }
    }
}

/// Why a rule that speaks about an occasion gives nothing on it.
public enum RewardWithheld: String, Sendable, CaseIterable {
    /// The person was a customer before, and the rule is for new ones.
    case existingCustomer = "existing_customer"
    /// The rule is for those who were customers before.
    case newCustomer = "new_customer"
    /// The sale is smaller than the rule asks for.
    case smallSale = "small_sale"
    /// The rule has given for this person on another occasion.
    case oncePerCustomer = "once_per_customer"
    /// The first months, for which alone the rule gives, are over.
    case monthsOver = "months_over"
    /// Limits, or the budget, leave nothing.
    case limit, budget
}

extension RewardRules {
    /// What of the rule's conditions the occasion does not meet.
    static func withheld(_ terms: RewardTerms, _ facts: RewardFacts) -> RewardWithheld? {
        switch terms.customers {
        case .new? where facts.isReturning: return .existingCustomer
        case .returning? where !facts.isReturning: return .newCustomer
        default: break
        }
        if let least = terms.minSale, let sale = facts.saleAmount, sale < least.amount {
            return .smallSale
        }
        return nil
    }
}

extension RewardReckoning {
    /// As `RewardRules.withheld`, and whether the rule, or one that it replaces, has given for the
    /// person on another occasion. What was taken back in whole is not given.
    static func withheld(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ reader: Reader
    ) throws -> RewardWithheld? {
        if let reason = RewardRules.withheld(rule.terms, occasion.facts) { return reason }
        guard rule.terms.oncePer == .customer else { return nil }
        return try isOncePlaceTaken(rule, occasion, reader) ? .oncePerCustomer : nil
    }

    /// Whether the place of the occasion's person with the rule is another occasion's.
    public static func isOncePlaceTaken(
        _ rule: RewardRule, _ occasion: RewardOccasion, _ reader: Reader
    ) throws -> Bool {
        try OncePlace(
            rule: rule.id, recipient: rule.terms.recipient, person: occasion.facts.allOfPerson,
            conversion: occasion.conversion, lead: occasion.lead
        ).isTaken(reader)
    }
}

/// What an occasion takes of a rule that gives once for a customer: whether something is granted,
/// and whether something that a refund took comes back, is asked of it alike.
struct OncePlace {
    let rule: RewardRuleID
    let recipient: RewardRule.Recipient
    /// Every customer that is the one person.
    let person: [CustomerID]
    let conversion: ConversionID?
    /// The occasion where there is no sale.
    let lead: LeadID?

    /// Whether a rule of the same lineage has given for the person what counts at least in part;
    /// the rule itself, on another occasion.
    func isTaken(_ reader: Reader) throws -> Bool {
        try recipient == .referrer && hasRewarded(reader) || hasBenefited(reader)
    }

    private func hasRewarded(_ reader: Reader) throws -> Bool {
        var query = Query(
            """
            SELECT 1 FROM rewards WHERE rule_id IN (
                    SELECT id FROM reward_rules WHERE lineage_id = (
                        SELECT lineage_id FROM reward_rules WHERE id = ?))
                AND reversed_amount < amount AND customer_id IN
            """, rule)
        query.appendList(person)
        appendException(to: &query)
        return try reader.integer(query) != nil
    }

    /// Benefits to the same side.
    private func hasBenefited(_ reader: Reader) throws -> Bool {
        var query = Query(
            """
            SELECT 1 FROM benefits WHERE rule_id IN (
                    SELECT id FROM reward_rules WHERE lineage_id = (
                        SELECT lineage_id FROM reward_rules WHERE id = ?))
                AND state <> 'voided' AND (customer_id IS NOT NULL) = ? AND referee_id IN
            """, rule, recipient == .referee)
        query.appendList(person)
        appendException(to: &query)
        return try reader.integer(query) != nil
    }

    private func appendException(to query: inout Query) {
        query.append(" AND NOT (rule_id = ?", rule)
        if let conversion {
            query.append(" AND conversion_id IS ?) LIMIT 1", conversion)
        } else {
            query.append(" AND conversion_id IS NULL AND lead_id IS ?) LIMIT 1", lead)
        }
    }
}

extension OncePlace {
    /// Of what was granted: the person as it is known today, and whom the grant was for.
    init?(of reward: Reward, person: [CustomerID], _ reader: Reader) throws {
        guard let rule = reward.rule else { return nil }
        let own = try RewardStore.customer(of: reward.id, reader)
        self.init(
            rule: rule, recipient: .referrer, person: person + [own].compactMap { $0 },
            conversion: reward.conversion, lead: reward.lead)
    }

    init(of benefit: Benefit, person: [CustomerID], _ reader: Reader) throws {
        let own = try BenefitStore.referee(of: benefit.id, reader)
        self.init(
            rule: benefit.rule, recipient: benefit.owner.customer == nil ? .referrer : .referee,
            person: person + [own].compactMap { $0 }, conversion: benefit.conversion,
            lead: benefit.lead)
    }
}

extension RewardStore {
    fileprivate static func customer(
        of reward: RewardID, _ reader: Reader
    ) throws -> CustomerID? {
        try reader.first("SELECT customer_id FROM rewards WHERE id = ?", reward) {
            try $0.optionalID(0)
        } ?? nil
    }
}

extension BenefitStore {
    fileprivate static func referee(
        of benefit: BenefitID, _ reader: Reader
    ) throws -> CustomerID? {
        try reader.first("SELECT referee_id FROM benefits WHERE id = ?", benefit) {
            try $0.optionalID(0)
        } ?? nil
    }
}
