import Model

/// What the rules look at in a touch.
public struct TouchFact: Sendable, Equatable {
    public let touch: TouchpointID
    /// Who would earn the credit; nil for a contact that nobody brought about.
    public let participant: ParticipantID?
    public let source: TouchSource
    public let kind: Touchpoint.Kind
    public let occurredAt: Instant
    /// Its own window, where that is not the program's: a waiting lead counts as long as it is
    /// valid.
    public var windowDays: Int64?
    /// Why it counts as if it were absent; nil where it counts.
    public var absence: Absence?

    public enum Absence: String, Sendable {
        /// It came after its link was disabled or had expired.
        case linkDisabled = "link_disabled"
        /// Its lead is lost, disqualified or a duplicate.
        case leadOut = "lead_out"
    }
    /// The class of its click until somebody brought it, where that was not a person's first one.
    public let reclaimed: String?

    public init(
        touch: TouchpointID, participant: ParticipantID?, source: TouchSource,
        kind: Touchpoint.Kind, occurredAt: Instant, windowDays: Int64? = nil,
        absence: Absence? = nil, reclaimed: String? = nil
    ) {
        self.touch = touch
        self.participant = participant
        self.source = source
        self.kind = kind
        self.occurredAt = occurredAt
        self.windowDays = windowDays
        self.absence = absence
        self.reclaimed = reclaimed
    }

    public init(_ touch: Touchpoint) {
        self.init(
            touch: touch.id, participant: touch.participant, source: touch.source,
            kind: touch.kind, occurredAt: touch.occurredAt, reclaimed: touch.reclaimed)
    }
}

/// A lead of the customer.
public struct LeadFact: Sendable, Equatable {
    public enum Standing: Sendable {
        /// Submitted or in nurture.
        case waiting
        /// Qualified, opportunity or won.
        case ahead
        /// Lost, disqualified, duplicate or spam.
        case out
    }

    public let lead: LeadID
    /// Who referred it.
    public let participant: ParticipantID?
    public let standing: Standing
    public let referredAt: Instant
    /// When it came into its state.
    public let steppedAt: Instant
    /// Whether the sale names it.
    public let isNamed: Bool

    public init(
        lead: LeadID, participant: ParticipantID?, standing: Standing, referredAt: Instant,
        steppedAt: Instant, isNamed: Bool
    ) {
        self.lead = lead
        self.participant = participant
        self.standing = standing
        self.referredAt = referredAt
        self.steppedAt = steppedAt
        self.isNamed = isNamed
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
        /// The lead that gave it.
        public let lead: LeadID?

        public init(
            participant: ParticipantID?, parts: Int64, registration: RegistrationID? = nil,
            lead: LeadID? = nil
        ) {
            self.participant = participant
            self.parts = parts
            self.registration = registration
            self.lead = lead
        }
    }

    /// Why there is this result.
    public enum Cause: String, Sendable, CaseIterable {
        /// The conversion was recorded.
        case conversion
        /// A further report of the conversion came in.
        case report
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

extension AttributionDecision {
    /// What it was decided from, as far as it is kept: enough to decide under other terms.
    public var facts: AttributionFacts {
        var facts = AttributionFacts(touches: touches.map(\.fact))
        switch reason {
        case .registration: facts.registrations = credits
        case .bound: facts.bound = credits
        case .nobodyBound:
            facts.bound = []
            facts.isRenewal = true
        case .lead: facts.leads = credits.compactMap { LeadFact(decidedBy: $0) }
        case .credited, .manual, .noTouch, .noTouchInWindow, .noEligibleTouch, .touchEarnsNoCredit:
            break
        }
        return facts
    }

    /// Which rung of the ladder decided, under the terms that it was decided by.
    public func rung(_ terms: AttributionTerms) -> CreditRung {
        switch reason {
        case .manual: .person
        case .registration: .registration
        case .bound, .nobodyBound: .bound
        case .lead: .lead
        case .credited, .noTouch, .noTouchInWindow, .noEligibleTouch, .touchEarnsNoCredit:
            terms.codes == .first && touches.contains { $0.parts > 0 && $0.fact.kind == .code }
                ? .code : .touches
        }
    }

    /// What `model` gives for the same facts. It changes the last rung alone: what a person, a
    /// registration, an earlier sale, a lead or a code decided stays.
    public func under(
        _ model: AttributionModel, _ terms: AttributionTerms, at instant: Instant
    ) -> AttributionDecision {
        rung(terms) == .touches
            ? AttributionRules.decide(facts, terms.with(model), at: instant) : self
    }
}

extension LeadFact {
    /// The lead that gave a credit: it counts under all terms, as if the sale named it.
    fileprivate init?(decidedBy credit: Attribution.Credit) {
        guard let lead = credit.lead else { return nil }
        let none = Instant(milliseconds: 0)
        self.init(
            lead: lead, participant: credit.participant, standing: .ahead, referredAt: none,
            steppedAt: none, isNamed: true)
    }
}
