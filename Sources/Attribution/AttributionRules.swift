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
    /// In the window, but a deal registration or an earlier credit of the customer decides.
    case overridden
    /// In the window and given a part, which nobody gets: the source names no participant.
    case noParticipant = "no_participant"
    /// In the window, but the program gives no credit to touches of its source.
    case sourceExcluded = "source_excluded"
    /// In the window, but a code that the buyer typed goes first.
    case codePreferred = "code_preferred"
}

/// Why a conversion was or was not credited to somebody.
public enum AttributionReason: String, Sendable, CaseIterable {
    case credited
    /// A deal registration held the account, which outranks every touch (R89).
    case registration
    /// The customer was credited before, and the program keeps it with who was.
    case bound
    /// A person said who gets the credit.
    case manual
    /// No touch of this customer is known.
    case noTouch = "no_touch"
    /// Touches are known, none of them in the window.
    case noTouchInWindow = "no_touch_in_window"
    /// Touches are in the window, none of a source that may earn credit.
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
    /// Who was credited with the customer before, where the program binds it.
    public var bound: [Attribution.Credit]

    public init(
        touches: [TouchFact], registrations: [Attribution.Credit] = [],
        bound: [Attribution.Credit] = []
    ) {
        self.touches = touches
        self.registrations = registrations
        self.bound = bound
    }
}

/// The decision for one conversion: every touch with its verdict and part, and who gets the credit.
public struct AttributionDecision: Sendable, Equatable {
    /// Oldest first, ties by id.
    public let touches: [SeenTouch]
    /// One for each participant, in the order of their first touch; one without a participant holds
    /// the parts of touches that belong to nobody.
    public let credits: [Attribution.Credit]
    public let reason: AttributionReason
}

/// Decisions about credit: pure, from the facts handed in.
public enum AttributionRules {
    /// Gives the credit of a conversion at `instant` by `terms`.
    ///
    /// The window is `instant - windowDays` to `instant`, both inclusive; touches at the same
    /// instant are told apart by id, so the result does not depend on the order of insertion.
    /// Registrations outrank all (R89); then whoever the customer is bound to for good; then the
    /// touches; and last whoever the customer was credited to until then.
    public static func decide(
        _ facts: AttributionFacts, _ terms: AttributionTerms, at instant: Instant
    ) -> AttributionDecision {
        let window = Window(terms, at: instant)
        let touches = facts.touches.sorted {
            ($0.occurredAt, $0.touch) < ($1.occurredAt, $1.touch)
        }
        if !facts.registrations.isEmpty {
            return overridden(touches, window, facts.registrations, .registration)
        }
        if terms.bind == .first, !facts.bound.isEmpty {
            return overridden(touches, window, facts.bound, .bound)
        }
        let decision = byTouches(touches, window, terms)
        if terms.bind == .last, !facts.bound.isEmpty,
            !decision.credits.contains(where: { $0.participant != nil })
        {
            return overridden(touches, window, facts.bound, .bound)
        }
        return decision
    }

    /// What a person decided: the touches are kept as they were seen.
    public static func manual(
        _ facts: AttributionFacts, _ credits: [Attribution.Credit], _ terms: AttributionTerms,
        at instant: Instant
    ) -> AttributionDecision {
        let touches = facts.touches.sorted {
            ($0.occurredAt, $0.touch) < ($1.occurredAt, $1.touch)
        }
        return overridden(touches, Window(terms, at: instant), credits, .manual)
    }

    /// The time in which touches may earn credit.
    private struct Window {
        let start: Instant
        let end: Instant

        init(_ terms: AttributionTerms, at instant: Instant) {
            start = instant.advanced(byDays: Int(clamping: -terms.windowDays))
            end = instant
        }

        /// Why a touch is not in it; nil when it is.
        func verdict(_ touch: TouchFact) -> TouchVerdict? {
            if touch.occurredAt > end { return .afterConversion }
            return touch.occurredAt < start ? .outsideWindow : nil
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
        if terms.prefersCodes, counted.contains(where: { touches[$0].kind == .code }) {
            for place in counted where touches[place].kind != .code {
                seen[place].verdict = .codePreferred
            }
            counted = counted.filter { touches[$0].kind == .code }
        }
        guard !counted.isEmpty else {
            let isInWindow = seen.contains { $0.verdict == .sourceExcluded }
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
