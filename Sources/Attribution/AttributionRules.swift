import Model

/// How the credit of a conversion is given to its touches.
public enum AttributionModel: String, Sendable, CaseIterable {
    /// All to the oldest touch in the window (R123).
    case firstTouch = "first_touch"
    /// All to the newest (R124).
    case lastTouch = "last_touch"
    /// All to the newest that is not direct; to the direct one when there is nothing else.
    case lastNonDirect = "last_non_direct"
}

/// What became of one touch, and why.
public enum TouchVerdict: String, Sendable, CaseIterable {
    case credited
    /// In the window, but another touch is the model's choice.
    case outranked
    /// Before the window, which reaches back from the conversion (inclusive at both ends).
    case outsideWindow = "outside_window"
    /// After the conversion.
    case afterConversion = "after_conversion"
    /// In the window, but a deal registration decides.
    case overridden
    /// The source names no participant, so nobody can be given credit for it.
    case noParticipant = "no_participant"
}

/// Why a conversion was or was not credited to somebody.
public enum AttributionReason: String, Sendable, CaseIterable {
    case credited
    /// A deal registration held the account, which outranks every touch (R89).
    case registration
    /// No touch of this customer is known.
    case noTouch = "no_touch"
    /// Touches are known, none of them in the window.
    case noTouchInWindow = "no_touch_in_window"
    /// The touch that the model chose belongs to no participant.
    case touchEarnsNoCredit = "touch_earns_no_credit"
}

/// The decision for one conversion: every touch with its verdict, and who gets the credit.
public struct AttributionDecision: Sendable, Equatable {
    public let verdicts: [TouchVerdict]
    public let credits: [Attribution.Credit]
    public let reason: AttributionReason

    /// Who got the credit; the first of several.
    public var participant: ParticipantID? { credits.first?.participant }
}

/// Decisions about credit: pure, from the facts handed in.
public enum AttributionRules {
    /// Gives the credit of a conversion at `instant` to one of `touches`, in any order.
    ///
    /// The window is `instant - windowDays` to `instant`, both inclusive; touches at the same
    /// instant are told apart by id, so the result does not depend on the order of insertion.
    ///
    /// Registrations that held the account at `instant` outrank every touch; each gets its part.
    public static func decide(
        _ touches: [Touchpoint], model: AttributionModel, windowDays: Int64,
        registrations: [Attribution.Credit] = [], at instant: Instant
    ) -> AttributionDecision {
        let start = instant.advanced(byDays: Int(clamping: -windowDays))
        let inWindow = touches.indices.filter {
            touches[$0].occurredAt >= start && touches[$0].occurredAt <= instant
        }.sorted {
            (touches[$0].occurredAt, touches[$0].id) < (touches[$1].occurredAt, touches[$1].id)
        }
        guard registrations.isEmpty else {
            return AttributionDecision(
                verdicts: touches.map { touch in
                    touch.occurredAt > instant
                        ? .afterConversion
                        : touch.occurredAt < start ? .outsideWindow : .overridden
                }, credits: registrations, reason: .registration)
        }
        let chosen = choose(inWindow.map { ($0, touches[$0].source) }, model)
        let verdicts = touches.indices.map { index in
            verdict(touches[index], isChosen: index == chosen, start: start, end: instant)
        }
        guard let chosen else {
            return AttributionDecision(
                verdicts: verdicts, credits: [],
                reason: touches.isEmpty ? .noTouch : .noTouchInWindow)
        }
        guard let participant = touches[chosen].participant else {
            return AttributionDecision(
                verdicts: verdicts, credits: [], reason: .touchEarnsNoCredit)
        }
        return AttributionDecision(
            verdicts: verdicts,
            credits: [Attribution.Credit(participant: participant, parts: 1, registration: nil)],
            reason: .credited)
    }

    /// The index of the touch that the model chooses from those in the window, oldest first.
    private static func choose(
        _ touches: [(index: Int, source: Touchpoint.Source)], _ model: AttributionModel
    ) -> Int? {
        switch model {
        case .firstTouch: touches.first?.index
        case .lastTouch: touches.last?.index
        case .lastNonDirect: (touches.last { $0.source != .direct } ?? touches.last)?.index
        }
    }

    private static func verdict(
        _ touch: Touchpoint, isChosen: Bool, start: Instant, end: Instant
    ) -> TouchVerdict {
        if touch.occurredAt > end { return .afterConversion }
        if touch.occurredAt < start { return .outsideWindow }
        if isChosen { return touch.participant == nil ? .noParticipant : .credited }
        return .outranked
    }
}
