import Model

/// What decides who works a lead, beside the lead and the program's terms.
public struct RoutingFacts: Sendable, Equatable {
    /// Whose registration holds the account.
    public var holder: ParticipantID?
    public var accountExecutive: String?
    public var segment: String?
    /// How many leads the representatives have taken before.
    public var turn: Int64

    public init(
        holder: ParticipantID? = nil, accountExecutive: String? = nil, segment: String? = nil,
        turn: Int64 = 0
    ) {
        self.holder = holder
        self.accountExecutive = accountExecutive
        self.segment = segment
        self.turn = turn
    }
}

extension LeadRules {
    /// Who works the lead (R117, R118): the partner who holds its account, whatever the policy;
    /// else whom the policy names, else the fallback. `currency` is the program's.
    public static func owner(
        of lead: Lead, _ terms: RoutingTerms, _ facts: RoutingFacts, currency: Currency
    ) -> LeadOwner? {
        if let holder = facts.holder {
            return LeadOwner(kind: .partner, name: holder.description)
        }
        let owner: LeadOwner?
        switch terms.policy {
        case .none: owner = nil
        case .accountExecutive: owner = executive(facts)
        case .territory: owner = territory(of: lead, terms)
        case .representatives: owner = representative(terms, facts)
        case .hybrid:
            owner =
                isStrategic(lead, terms, facts, currency)
                ? executive(facts) ?? territory(of: lead, terms) : territory(of: lead, terms)
        }
        return owner ?? terms.fallback.map { LeadOwner(kind: .fallback, name: $0) }
    }

    /// Whether the next representative is asked for, so that turns are counted.
    public static func takesTurn(_ terms: RoutingTerms, _ facts: RoutingFacts) -> Bool {
        facts.holder == nil && terms.policy == .representatives && !terms.representatives.isEmpty
    }

    private static func executive(_ facts: RoutingFacts) -> LeadOwner? {
        facts.accountExecutive.map { LeadOwner(kind: .accountExecutive, name: $0) }
    }

    private static func territory(of lead: Lead, _ terms: RoutingTerms) -> LeadOwner? {
        guard let country = lead.firm.country?.code else { return nil }
        let found = terms.territories.first { $0.countries.contains(country) }
        return found.map { LeadOwner(kind: .territory, name: $0.owner) }
    }

    private static func representative(
        _ terms: RoutingTerms, _ facts: RoutingFacts
    ) -> LeadOwner? {
        guard !terms.representatives.isEmpty else { return nil }
        let place = Int(facts.turn.magnitude % UInt64(terms.representatives.count))
        return LeadOwner(kind: .representative, name: terms.representatives[place])
    }

    private static func isStrategic(
        _ lead: Lead, _ terms: RoutingTerms, _ facts: RoutingFacts, _ currency: Currency
    ) -> Bool {
        if let segment = facts.segment, terms.strategicSegments.contains(segment) { return true }
        if let least = terms.strategicCompanySize, let size = lead.firm.companySize, size >= least {
            return true
        }
        guard let least = terms.strategicValue, let amount = lead.estimatedAmount(in: currency)
        else { return false }
        return amount >= least
    }
}
