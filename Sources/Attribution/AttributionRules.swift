import Model

/// What became of one touch, and why.
public enum TouchVerdict: String, Sendable, CaseIterable {
    case credited
    /// In the window, but the model gives it no part.
    case outranked
    /// Before the window, which reaches back from the conversion (inclusive at both ends).
    case outsideWindow = "outside_window"
    /// After the conversion.
    case afterConversion = "after_conversion"
    /// In the window, but a higher rung decides: a person, a deal registration, an earlier sale or
    /// a lead.
    case overridden
    /// In the window and given a part, which nobody gets: the source names no participant.
    case noParticipant = "no_participant"
    /// In the window, but the program gives no credit to touches of its source.
    case sourceExcluded = "source_excluded"
    /// In the window, but a code that the buyer typed goes first.
    case codePreferred = "code_preferred"
    /// A code in the window, but codes count last, and a click is there too.
    case codeLast = "code_last"
    /// It came after its link was disabled or had expired: it counts as if it were absent.
    case linkDisabled = "link_disabled"
    /// Its lead is lost, disqualified or a duplicate: it counts as if it were absent.
    case leadOut = "lead_out"

    init(_ absence: TouchFact.Absence) {
        switch absence {
        case .linkDisabled: self = .linkDisabled
        case .leadOut: self = .leadOut
        }
    }
}

/// The rungs of the ladder of credit, the highest first: the first that says something decides.
public enum CreditRung: String, Sendable, CaseIterable {
    /// A person said who gets the credit.
    case person
    /// A deal registration held the account (R89).
    case registration
    /// Whom the sale was credited to that began the same subscription.
    case bound
    /// A lead that is qualified, opportunity or won.
    case lead
    /// A code that the buyer typed, where the program lets codes go first.
    case code
    /// The touches in the window, by the model.
    case touches
}

/// Why a conversion was or was not credited to somebody.
public enum AttributionReason: String, Sendable, CaseIterable {
    case credited
    /// A deal registration held the account, which outranks every touch (R89).
    case registration
    /// An earlier sale was credited, and this one stays with whom it was credited to.
    case bound
    /// The subscription has an earlier sale that nobody was credited with: nor is its renewal.
    case nobodyBound = "nobody_bound"
    /// A lead of the customer is qualified, opportunity or won.
    case lead
    /// A person said who gets the credit.
    case manual
    /// No touch of this customer is known.
    case noTouch = "no_touch"
    /// Touches are known, none of them in the window.
    case noTouchInWindow = "no_touch_in_window"
    /// Touches are in the window, none that may earn credit.
    case noEligibleTouch = "no_eligible_touch"
    /// The touches that the model chose belong to no participant.
    case touchEarnsNoCredit = "touch_earns_no_credit"
}

/// What is known when the credit of a conversion is decided.
public struct AttributionFacts: Sendable {
    /// In any order.
    public var touches: [TouchFact]
    /// Registrations that held the account then, each with its part.
    public var registrations: [Attribution.Credit]
    /// Who was credited with the earlier sale that this one stays with, by its newest result; nil
    /// where it stays with none, empty where nobody was credited.
    public var bound: [Attribution.Credit]?
    /// Whether it renews what an earlier sale began.
    public var isRenewal: Bool
    /// Leads of the customer, in any order.
    public var leads: [LeadFact]

    public init(
        touches: [TouchFact], registrations: [Attribution.Credit] = [],
        bound: [Attribution.Credit]? = nil, isRenewal: Bool = false, leads: [LeadFact] = []
    ) {
        self.touches = touches
        self.registrations = registrations
        self.bound = bound
        self.isRenewal = isRenewal
        self.leads = leads
    }
}

/// The decision for one conversion: every touch with its verdict and part, and who gets the credit.
public struct AttributionDecision: Sendable, Equatable {
    /// Oldest first, ties by participant, then by id.
    public let touches: [SeenTouch]
    /// One for each participant, in the order of their first touch; one without a participant holds
    /// the parts of touches that belong to nobody.
    public let credits: [Attribution.Credit]
    public let reason: AttributionReason
}

/// Decisions about credit: pure, from the facts handed in.
public enum AttributionRules {
    /// Gives the credit of a conversion at `instant` by `terms`: the first rung of the ladder that
    /// says something decides. A person's word is `manual`.
    ///
    /// The window is `instant - windowDays` to `instant`, both inclusive. Touches at the same
    /// instant are told apart by participant, then by id, so the credit does not depend on which of
    /// them was reported first.
    public static func decide(
        _ facts: AttributionFacts, _ terms: AttributionTerms, at instant: Instant
    ) -> AttributionDecision {
        let window = Window(terms, at: instant)
        let touches = ordered(facts.touches)
        if !facts.registrations.isEmpty {
            return overridden(touches, window, facts.registrations, .registration)
        }
        if let bound = facts.bound {
            if bound.contains(where: { $0.participant != nil }) {
                return overridden(touches, window, bound, .bound)
            }
            if facts.isRenewal { return overridden(touches, window, [], .nobodyBound) }
        }
        if let lead = deciding(facts.leads, terms, at: instant) {
            let credit = Attribution.Credit(
                participant: lead.participant, parts: 1, lead: lead.lead)
            return overridden(touches, window, [credit], .lead)
        }
        return byTouches(touches, window, terms)
    }

    /// The lead that decides: the one that the sale names, whatever its age, unless it is out;
    /// else, of those that are ahead and were referred by then, the one with the newest last step,
    /// which is not older than the terms allow. Ties go to the older lead.
    private static func deciding(
        _ leads: [LeadFact], _ terms: AttributionTerms, at instant: Instant
    ) -> LeadFact? {
        let referred = leads.filter { $0.participant != nil && $0.standing != .out }
        if let named = referred.first(where: \.isNamed) { return named }
        let start = instant.advanced(byDays: Int(clamping: -terms.leadDays))
        return referred.filter {
            $0.standing == .ahead && $0.referredAt <= instant && $0.steppedAt >= start
        }.max { ($0.steppedAt, $1.lead) < ($1.steppedAt, $0.lead) }
    }

    private static func ordered(_ touches: [TouchFact]) -> [TouchFact] {
        touches.sorted { one, other in
            if one.occurredAt != other.occurredAt { return one.occurredAt < other.occurredAt }
            guard one.participant != other.participant else { return one.touch < other.touch }
            guard let first = one.participant, let second = other.participant else {
                return one.participant == nil
            }
            return first < second
        }
    }

    /// What a person decided: the touches are kept as they were seen.
    public static func manual(
        _ facts: AttributionFacts, _ credits: [Attribution.Credit], _ terms: AttributionTerms,
        at instant: Instant
    ) -> AttributionDecision {
        overridden(ordered(facts.touches), Window(terms, at: instant), credits, .manual)
    }

    /// The time in which touches may earn credit.
    private struct Window {
        let days: Int64
        let end: Instant

        init(_ terms: AttributionTerms, at instant: Instant) {
            days = terms.windowDays
            end = instant
        }

        /// Why a touch is not in it, or counts as if it were absent; nil when it counts.
        func verdict(_ touch: TouchFact) -> TouchVerdict? {
            if touch.occurredAt > end { return .afterConversion }
            let start = end.advanced(byDays: Int(clamping: -(touch.windowDays ?? days)))
            if touch.occurredAt < start { return .outsideWindow }
            return touch.absence.map { TouchVerdict($0) }
        }
    }

    private static func overridden(
        _ touches: [TouchFact], _ window: Window, _ credits: [Attribution.Credit],
        _ reason: AttributionReason
    ) -> AttributionDecision {
        AttributionDecision(
            touches: touches.map {
                SeenTouch(fact: $0, verdict: window.verdict($0) ?? .overridden, parts: 0)
            }, credits: credits, reason: reason)
    }

    private static func byTouches(
        _ touches: [TouchFact], _ window: Window, _ terms: AttributionTerms
    ) -> AttributionDecision {
        var seen = touches.map { touch in
            SeenTouch(
                fact: touch,
                verdict: window.verdict(touch)
                    ?? (terms.sources.contains(touch.source) ? .outranked : .sourceExcluded),
                parts: 0)
        }
        var counted = seen.indices.filter { seen[$0].verdict == .outranked }
        let codes = counted.filter {
            touches[$0].kind == .code && touches[$0].participant != nil
        }
        switch terms.codes {
        case .touch: break
        case .first:
            guard let newest = codes.last else { break }
            for place in counted where touches[place].kind != .code {
                seen[place].verdict = .codePreferred
            }
            counted = [newest]
        case .last:
            let others = counted.filter { !codes.contains($0) }
            guard others.contains(where: { touches[$0].participant != nil }) else { break }
            for place in codes { seen[place].verdict = .codeLast }
            counted = others
        }
        guard !counted.isEmpty else {
            let isInWindow = seen.contains {
                $0.verdict != .outsideWindow && $0.verdict != .afterConversion
            }
            return AttributionDecision(
                touches: seen, credits: [],
                reason: touches.isEmpty
                    ? .noTouch : isInWindow ? .noEligibleTouch : .noTouchInWindow)
        }
        for (place, parts) in zip(counted, parts(counted.map { touches[$0] }, terms))
        where parts > 0 {
            seen[place].parts = parts
            seen[place].verdict = touches[place].participant == nil ? .noParticipant : .credited
        }
        let isEarned = seen.contains { $0.verdict == .credited }
        return AttributionDecision(
            touches: seen, credits: credits(seen),
            reason: isEarned ? .credited : .touchEarnsNoCredit)
    }

    /// The parts of touches that count, oldest first. One at least has a part.
    static func parts(_ touches: [TouchFact], _ terms: AttributionTerms) -> [Int64] {
        var parts = [Int64](repeating: 0, count: touches.count)
        guard let last = touches.indices.last else { return parts }
        switch terms.model {
        case .firstTouch: parts[0] = 1
        case .lastTouch: parts[last] = 1
        case .lastNonDirect: parts[touches.lastIndex { $0.source != .direct } ?? last] = 1
        case .linear: return parts.map { _ in 1 }
        case .timeDecay:
            let newest = touches[last].occurredAt.milliseconds
            return touches.map {
                TimeDecay.parts(
                    age: newest - $0.occurredAt.milliseconds,
                    halfLife: terms.halfLifeDays * 86_400_000)
            }
        case .positionBased:
            // One touch has all, two have half each; the middle share is split evenly.
            guard last >= 2 else { return parts.map { _ in 1 } }
            let between = Int64(last - 1)
            for place in touches.indices { parts[place] = terms.position.middle }
            parts[0] = terms.position.first * between
            parts[last] = terms.position.last * between
        }
        return parts
    }

    private static func credits(_ touches: [SeenTouch]) -> [Attribution.Credit] {
        var credits: [Attribution.Credit] = []
        for touch in touches where touch.parts > 0 {
            let participant = touch.fact.participant
            if let place = credits.firstIndex(where: { $0.participant == participant }) {
                credits[place].parts += touch.parts
            } else {
                credits.append(Attribution.Credit(participant: participant, parts: touch.parts))
            }
        }
        return credits
    }
}
