import Model

/// One line of the arithmetic by which an amount was split: `amount` is `whole units + extra`, and
/// the lines of a split sum to what was split.
public struct SplitLine: Sendable, Equatable {
    /// The touch that earned it; nil where a higher rung of the ladder decided.
    public let touch: TouchpointID?
    public let participant: ParticipantID?
    public let registration: RegistrationID?
    public let parts: Int64
    /// The sum of all parts.
    public let whole: Int64
    /// The split amount times `parts`, divided by `whole`.
    public let units: Int64
    public let remainder: Int64
    /// 1 where the remainder was among the largest, and got one of the units that were left.
    public let extra: Int64

    public var amount: Int64 { units + extra }
}

/// What would have led to another result.
public struct AttributionAlternative: Sendable, Equatable {
    public enum Change: Sendable, Equatable {
        /// A window of so many days.
        case window(days: Int64)
        /// Credit for touches of this source too.
        case source(TouchSource)
        /// Another place for codes.
        case codes(AttributionTerms.Codes)
        /// Without the person's word, the registration, the earlier sale or the lead.
        case withoutOverride
        /// Without this touch.
        case withoutTouch(TouchpointID)
        case model(AttributionModel)
    }

    public let change: Change
    public let decision: AttributionDecision
}

extension AttributionDecision {
    /// How `amount` was split, line by line.
    public func arithmetic(of amount: Int64) -> [SplitLine] {
        let earning = touches.filter { $0.parts > 0 }
        let whole =
            earning.isEmpty
            ? credits.reduce(0) { $0 + $1.parts } : earning.reduce(0) { $0 + $1.parts }
        guard whole > 0 else { return [] }
        func line(
            _ parts: Int64, _ share: Int64, touch: TouchpointID?, _ participant: ParticipantID?,
            _ registration: RegistrationID?
        ) -> SplitLine {
            let (units, rest) = (Int128(amount) * Int128(parts)).quotientAndRemainder(
                dividingBy: Int128(whole))
            return SplitLine(
                touch: touch, participant: participant, registration: registration, parts: parts,
                whole: whole, units: Int64(units), remainder: Int64(rest),
                extra: share - Int64(units))
        }
        if earning.isEmpty {
            return zip(credits, shares(of: amount).credits).map { credit, share in
                line(credit.parts, share, touch: nil, credit.participant, credit.registration)
            }
        }
        return zip(touches, shares(of: amount).touches).filter { $0.0.parts > 0 }.map {
            line($0.parts, $1, touch: $0.fact.touch, $0.fact.participant, nil)
        }
    }
}

extension AttributionRules {
    /// The changes that would have led to another result, nearest first: a longer window, another
    /// rule of the program, one touch less, another model. At most one of each kind but the models.
    public static func alternatives(
        to decision: AttributionDecision, _ facts: AttributionFacts, _ terms: AttributionTerms,
        at instant: Instant
    ) -> [AttributionAlternative] {
        var found: [AttributionAlternative] = []
        func consider(
            _ change: AttributionAlternative.Change, _ facts: AttributionFacts,
            _ terms: AttributionTerms
        ) -> Bool {
            let other = decide(facts, terms, at: instant)
            guard shares(other) != shares(decision) else { return false }
            found.append(AttributionAlternative(change: change, decision: other))
            return true
        }
        for seen in decision.touches.reversed().filter({ $0.verdict == .outsideWindow }).prefix(10)
        {
            let age = instant.milliseconds - seen.fact.occurredAt.milliseconds
            var wider = terms
            wider.windowDays = (age + 86_399_999) / 86_400_000
            if consider(.window(days: wider.windowDays), facts, wider) { break }
        }
        for source in TouchSource.allCases where !terms.sources.contains(source) {
            var open = terms
            open.sources.append(source)
            if consider(.source(source), facts, open) { break }
        }
        for place in AttributionTerms.Codes.allCases where place != terms.codes {
            var codes = terms
            codes.codes = place
            if consider(.codes(place), facts, codes) { break }
        }
        if ![.code, .touches].contains(decision.rung(terms)) {
            _ = consider(.withoutOverride, AttributionFacts(touches: facts.touches), terms)
        }
        for seen in decision.touches.reversed().filter({ $0.parts > 0 }).prefix(10) {
            var less = facts
            less.touches.removeAll { $0.touch == seen.fact.touch }
            if consider(.withoutTouch(seen.fact.touch), less, terms) { break }
        }
        for model in AttributionModel.allCases where model != terms.model {
            let other = decision.under(model, terms, at: instant)
            guard shares(other) != shares(decision) else { continue }
            found.append(AttributionAlternative(change: .model(model), decision: other))
        }
        return found
    }

    /// What decides whether two results are the same to those concerned.
    private static func shares(_ decision: AttributionDecision) -> [Attribution.Credit] {
        let whole = decision.credits.reduce(Int64(0)) { $0 + $1.parts }
        // In millionths, so that 1 of 2 is as much as 20 of 40.
        return decision.credits.map {
            Attribution.Credit(
                participant: $0.participant,
                parts: Int64(Int128($0.parts) * 1_000_000 / Int128(max(1, whole))))
        }.sorted { ($0.participant?.description ?? "") < ($1.participant?.description ?? "") }
    }
}
