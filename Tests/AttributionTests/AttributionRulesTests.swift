import Model
import Testing

@testable import Attribution

/// Credit rules: tables for every edge, and random touch lists with a printed seed.
struct AttributionRulesTests {
    static let end = Instant(milliseconds: 1_800_000_000_000)

    /// A touch `age` before the conversion.
    static func touch(
        _ age: Int64, by participant: ParticipantID?, source: Touchpoint.Source = .referral,
        number: UInt64 = 0
    ) -> Touchpoint {
        let time = end.advanced(byMilliseconds: -age)
        return Touchpoint(
            id: TouchpointID(high: 0x7000, low: 0x8000_0000_0000_0000 | number),
            program: ProgramID(high: 0, low: 1), customer: CustomerID(high: 0, low: 2),
            participant: participant, source: source, channel: nil, link: nil, click: nil,
            lead: nil,
            occurredAt: time, createdAt: end)
    }

    static let day: Int64 = 86_400_000
    static let ada = ParticipantID(high: 0, low: 10)
    static let ben = ParticipantID(high: 0, low: 11)

    static func decide(
        _ touches: [Touchpoint], _ model: AttributionModel, window: Int64 = 30
    ) -> AttributionDecision {
        AttributionRules.decide(touches, model: model, windowDays: window, at: end)
    }

    @Test("first touch credits the oldest in the window, last touch the newest")
    func firstAndLast() {
        let touches = [
            Self.touch(3 * Self.day, by: Self.ada, number: 1),
            Self.touch(1 * Self.day, by: Self.ben, number: 2),
        ]
        #expect(Self.decide(touches, .firstTouch).participant == Self.ada)
        #expect(Self.decide(touches, .firstTouch).verdicts == [.credited, .outranked])
        #expect(Self.decide(touches, .lastTouch).participant == Self.ben)
        #expect(Self.decide(touches, .lastTouch).verdicts == [.outranked, .credited])
    }

    @Test("last non-direct passes over direct touches, and takes one when there is nothing else")
    func lastNonDirect() {
        let direct = Self.touch(0, by: nil, source: .direct, number: 2)
        let referred = Self.touch(5 * Self.day, by: Self.ada, number: 1)
        #expect(Self.decide([referred, direct], .lastNonDirect).participant == Self.ada)
        #expect(Self.decide([direct], .lastNonDirect).reason == .touchEarnsNoCredit)
        #expect(Self.decide([referred, direct], .lastTouch).reason == .touchEarnsNoCredit)
    }

    @Test(
        "the window holds both its ends",
        arguments: [
            (30 * day, TouchVerdict.credited), (30 * day + 1, .outsideWindow), (0, .credited),
            (-1, .afterConversion),
        ])
    func windowEdges(age: Int64, verdict: TouchVerdict) {
        let decision = Self.decide([Self.touch(age, by: Self.ada)], .lastTouch)
        #expect(decision.verdicts == [verdict])
        #expect((decision.participant == Self.ada) == (verdict == .credited))
    }

    @Test("touches at the same instant are told apart by id, whatever their order")
    func ties() {
        let first = Self.touch(Self.day, by: Self.ada, number: 1)
        let second = Self.touch(Self.day, by: Self.ben, number: 2)
        for touches in [[first, second], [second, first]] {
            #expect(Self.decide(touches, .firstTouch).participant == Self.ada)
            #expect(Self.decide(touches, .lastTouch).participant == Self.ben)
        }
    }

    @Test("without touches the reason says so; without one in the window too")
    func reasons() {
        #expect(Self.decide([], .lastTouch).reason == .noTouch)
        let old = Self.touch(40 * Self.day, by: Self.ada)
        #expect(Self.decide([old], .lastTouch).reason == .noTouchInWindow)
        let nobody = Self.touch(Self.day, by: nil, source: .marketing)
        #expect(Self.decide([nobody], .lastTouch).reason == .touchEarnsNoCredit)
        #expect(Self.decide([nobody], .lastTouch).verdicts == [.noParticipant])
    }

    @Test("the order of insertion never matters, and exactly one touch in the window is chosen")
    func randomTouches() {
        var random = SeededGenerator(seed: UInt64.random(in: .min ... .max))
        print("seed \(random.seed)")
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...12, using: &random)
            let touches = (0..<count).map { index in
                Self.touch(
                    Int64.random(in: -2 * Self.day...40 * Self.day, using: &random),
                    by: [Self.ada, Self.ben, nil].randomElement(using: &random) ?? nil,
                    source: Touchpoint.Source.allCases.randomElement(using: &random) ?? .direct,
                    number: UInt64(index))
            }
            for model in AttributionModel.allCases {
                let decision = Self.decide(touches, model)
                let shuffled = touches.shuffled(using: &random)
                #expect(Self.decide(shuffled, model).participant == decision.participant)
                #expect(Self.decide(shuffled, model).reason == decision.reason)
                let chosen = decision.verdicts.filter { $0 == .credited || $0 == .noParticipant }
                let inWindow = touches.filter {
                    (0...30 * Self.day).contains(
                        Self.end.milliseconds - $0.occurredAt.milliseconds)
                }
                #expect(chosen.count == (inWindow.isEmpty ? 0 : 1))
            }
        }
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
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
