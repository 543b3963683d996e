import Model

/// Why a participant is refused. The order is the order of the checks.
public enum ParticipantRefusal: Error, Equatable, Sendable {
    /// No number that can be dialled from everywhere.
    case phoneNotInternational
    case payoutAccountUnreadable
    case emailTaken
    case externalIDTaken
    /// Not approved, so it cannot refer.
    case notApproved(state: Participant.State)
    /// Suspended or closed, so its tokens change nothing.
    case onlyReads(state: Participant.State)
    /// A rule of the program about who may refer is broken.
    case notEligible(rule: EligibilityTerms.Rule)
    /// The same, for whom the rule is not meant.
    case notEligibleUntold

    /// As the participant itself may read it: not what the operator thinks of it.
    public var toldToParticipant: ParticipantRefusal {
        switch self {
        case .notEligible(let rule): rule.isToldToParticipant ? self : .notEligibleUntold
        default: self
        }
    }
}

/// Decisions about participants: pure, without clock or storage.
public enum ParticipantRules {
    /// One person and one external id take part once in a program.
    public static func checkUnique(
        emailOwner: ParticipantID?, externalIDOwner: ParticipantID?, of participant: ParticipantID
    ) throws(ParticipantRefusal) {
        if let emailOwner, emailOwner != participant { throw .emailTaken }
        if let externalIDOwner, externalIDOwner != participant { throw .externalIDTaken }
    }

    /// A link is for somebody who has been approved; whether a referral counts is decided when it
    /// comes in.
    public static func checkApproved(_ state: Participant.State) throws(ParticipantRefusal) {
        guard state == .approved else { throw .notApproved(state: state) }
    }

    /// What a suspended participant earned waits until somebody has looked at it (R238). Whoever is
    /// closed has left, and what it had earned is still its own.
    public static func mayBePaid(_ state: Participant.State) -> Bool {
        switch state {
        case .approved, .closed: true
        case .applied, .suspended: false
        }
    }

    /// Whoever is suspended or closed still sees what is its own, and changes nothing.
    public static func checkMayWrite(_ state: Participant.State) throws(ParticipantRefusal) {
        switch state {
        case .applied, .approved: break
        case .suspended, .closed: throw .onlyReads(state: state)
        }
    }

    /// Whether a participant may refer at `now` (R2 to R4): approved, and within every rule of the
    /// program.
    public static func checkMayRefer(
        _ participant: Participant, _ terms: EligibilityTerms, hasOpenDispute: Bool, at now: Instant
    ) throws(ParticipantRefusal) {
        try checkApproved(participant.state)
        if let rule = brokenRule(
            participant.profile, terms, hasOpenDispute: hasOpenDispute, at: now)
        {
            throw .notEligible(rule: rule)
        }
    }

    /// The first rule of the program that these facts break.
    public static func brokenRule(
        _ facts: ParticipantProfile, _ terms: EligibilityTerms, hasOpenDispute: Bool,
        at now: Instant
    ) -> EligibilityTerms.Rule? {
        EligibilityTerms.Rule.allCases.first {
            isBroken($0, facts, terms, hasOpenDispute: hasOpenDispute, at: now)
        }
    }

    private static func isBroken(
        _ rule: EligibilityTerms.Rule, _ facts: ParticipantProfile, _ terms: EligibilityTerms,
        hasOpenDispute: Bool, at now: Instant
    ) -> Bool {
        func breaks<Fact>(_ isAsked: Bool, _ fact: Fact?, _ isBad: (Fact) -> Bool) -> Bool {
            isAsked && (fact.map(isBad) ?? terms.refusesUnknown)
        }
        switch rule {
        case .goodStanding:
            return breaks(terms.requiresGoodStanding, facts.isInGoodStanding) { !$0 }
        case .accountAge:
            return breaks(terms.accountDaysMin > 0, facts.accountSince) {
                $0.advanced(byDays: Int(clamping: terms.accountDaysMin)) > now
            }
        case .inCollections: return breaks(terms.excludesCollections, facts.isInCollections) { $0 }
        case .atRisk: return breaks(terms.excludesAtRisk, facts.isAtRisk) { $0 }
        case .plan:
            return breaks(!terms.excludedPlans.isEmpty, facts.plan) {
                terms.excludedPlans.contains($0)
            }
        case .active: return breaks(terms.requiresActive, facts.isActive) { !$0 }
        case .relationship:
            return breaks(terms.requiresHealthyRelationship, facts.relationship) { $0 != .healthy }
        case .openDispute: return terms.excludesOpenDispute && hasOpenDispute
        }
    }
}
