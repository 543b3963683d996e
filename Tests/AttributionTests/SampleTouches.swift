import Model

@testable import Attribution

/// Touches for tests, told by their age at one conversion.
enum Sample {
    static let end = Instant(milliseconds: 1_800_000_000_000)
    static let day: Int64 = 86_400_000
    static let ada = ParticipantID(high: 0, low: 10)
    static let ben = ParticipantID(high: 0, low: 11)
    static let eve = ParticipantID(high: 0, low: 12)
    static let dan = ParticipantID(high: 0, low: 13)

    /// A touch `age` milliseconds before the conversion.
    static func touch(
        _ age: Int64, by participant: ParticipantID?, source: TouchSource = .referral,
        kind: Touchpoint.Kind = .click, number: UInt64 = 0
    ) -> TouchFact {
        TouchFact(
            touch: TouchpointID(high: 0x7000, low: 0x8000_0000_0000_0000 | number),
            participant: participant, source: source, kind: kind,
            occurredAt: end.advanced(byMilliseconds: -age))
    }

    static func terms(
        _ model: AttributionModel = .lastTouch, window: Int64 = 30,
        change: (inout AttributionTerms) -> Void = { _ in }
    ) -> AttributionTerms {
        var terms = AttributionTerms()
        terms.model = model
        terms.windowDays = window
        change(&terms)
        return terms
    }

    static func decide(
        _ touches: [TouchFact], _ terms: AttributionTerms
    ) -> AttributionDecision {
        AttributionRules.decide(AttributionFacts(touches: touches), terms, at: end)
    }

    static func decide(
        _ touches: [TouchFact], _ model: AttributionModel
    ) -> AttributionDecision {
        decide(touches, terms(model))
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
