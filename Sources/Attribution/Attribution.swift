import Model

/// What the rules look at in a touch.
public struct TouchFact: Sendable, Equatable {
    public let touch: TouchpointID
    /// Who would earn the credit; nil for a contact that nobody brought about.
    public let participant: ParticipantID?
    public let source: TouchSource
    public let kind: Touchpoint.Kind
    public let occurredAt: Instant

    public init(
        touch: TouchpointID, participant: ParticipantID?, source: TouchSource,
        kind: Touchpoint.Kind, occurredAt: Instant
    ) {
        self.touch = touch
        self.participant = participant
        self.source = source
        self.kind = kind
        self.occurredAt = occurredAt
    }

    public init(_ touch: Touchpoint) {
        self.init(
            touch: touch.id, participant: touch.participant, source: touch.source,
            kind: touch.kind, occurredAt: touch.occurredAt)
    }
}

/// One touch that was seen, with what became of it.
public struct SeenTouch: Sendable, Equatable {
    public let fact: TouchFact
    public internal(set) var verdict: TouchVerdict
    /// Its part of the sum of all parts; 0 when it earns nothing.
    public internal(set) var parts: Int64

    public init(fact: TouchFact, verdict: TouchVerdict, parts: Int64) {
        self.fact = fact
        self.verdict = verdict
        self.parts = parts
    }
}

/// Who was given credit for a conversion, kept with everything that decided it. Never changed: a
/// later decision about the same conversion is a further result, and the newest counts.
public struct Attribution: Sendable {
    /// A part of the credit.
    public struct Credit: Sendable, Equatable {
        /// Nil: of touches that belong to nobody.
        public let participant: ParticipantID?
        /// Of the sum of all parts.
        public var parts: Int64
        /// The deal registration that gave it.
        public let registration: RegistrationID?

        public init(
            participant: ParticipantID?, parts: Int64, registration: RegistrationID? = nil
        ) {
            self.participant = participant
            self.parts = parts
            self.registration = registration
        }
    }

    /// Why there is this result.
    public enum Cause: String, Sendable, CaseIterable {
        /// The conversion was recorded.
        case conversion
        /// A person asked for a new decision.
        case reattribution
    }

    public let id: AttributionID
    public let conversion: ConversionID
    public let cause: Cause
    /// Why a person asked for it.
    public let causeReason: String?
    public let actor: String
    /// Version of the program's rules.
    public let programVersion: Int64
    public let terms: AttributionTerms
    public let decision: AttributionDecision
    public let createdAt: Instant

    public var touches: [SeenTouch] { decision.touches }
    public var credits: [Credit] { decision.credits }
    public var reason: AttributionReason { decision.reason }

    /// Who got the credit; the first of several.
    public var participant: ParticipantID? { credits.lazy.compactMap(\.participant).first }

    public init(
        id: AttributionID, conversion: ConversionID, cause: Cause, causeReason: String? = nil,
        actor: String, programVersion: Int64, terms: AttributionTerms,
        decision: AttributionDecision, createdAt: Instant
    ) {
        self.id = id
        self.conversion = conversion
        self.cause = cause
        self.causeReason = causeReason
        self.actor = actor
        self.programVersion = programVersion
        self.terms = terms
        self.decision = decision
        self.createdAt = createdAt
    }
}

extension AttributionDecision {
    /// An amount of the conversion split by largest remainder.
    public struct Shares: Sendable, Equatable {
        /// Of each touch, in their order; 0 where something else than touches decided.
        public let touches: [Int64]
        /// Of each credit, in their order.
        public let credits: [Int64]

        /// Nobody's: there was no credit to give.
        public let uncredited: Int64
    }

    /// Splits `amount` among the touches by their parts and sums those of a participant up
    /// afterwards; credits that no touch gave are split by their own parts. Nothing is lost: the
    /// credits, and what is uncredited, sum to `amount`.
    public func shares(of amount: Int64) -> Shares {
        guard !credits.isEmpty else {
            return Shares(touches: touches.map { _ in 0 }, credits: [], uncredited: amount)
        }
        let ofTouches = Apportionment.split(amount, by: touches.map(\.parts))
        guard touches.contains(where: { $0.parts > 0 }) else {
            return Shares(
                touches: ofTouches, credits: Apportionment.split(amount, by: credits.map(\.parts)),
                uncredited: 0)
        }
        let ofCredits = credits.map { credit in
            zip(touches, ofTouches).reduce(Int64(0)) { sum, item in
                item.0.parts > 0 && item.0.fact.participant == credit.participant
                    ? sum + item.1 : sum
            }
        }
        return Shares(touches: ofTouches, credits: ofCredits, uncredited: 0)
    }

    /// What of each credit's share of `amount` is gone once `refunded` of it went back: by the
    /// shares themselves, so that it mirrors them to the unit. It depends on the total alone, so
    /// refunds in any order and number end at the same, and a full refund takes all of every share.
    public func refundedShares(of amount: Int64, refunded: Int64) -> [Int64] {
        Apportionment.split(min(refunded, amount), by: shares(of: amount).credits)
    }
}

extension Attribution {
    /// What it was decided from, as far as it is kept: enough to decide under other terms.
    public var facts: AttributionFacts { decision.facts }
}

extension AttributionDecision {
    /// The touches that were seen, and what outranked them.
    public var facts: AttributionFacts {
        AttributionFacts(
            touches: touches.map(\.fact), registrations: reason == .registration ? credits : [],
            bound: reason == .bound ? credits : [])
    }
}
