import Model
import Testing

@testable import Attribution

/// Credit rules: tables for every model and edge.
struct AttributionRulesTests {
    private typealias S = Sample

    private static func parts(
        _ ages: [Int64], _ terms: AttributionTerms
    ) -> [Int64] {
        let touches = ages.enumerated().map {
            S.touch($1 * S.day, by: S.ada, number: UInt64($0))
        }
        return S.decide(touches, terms).touches.map(\.parts)
    }

    // MARK: - Models

    @Test("first touch credits the oldest in the window, last touch the newest (R123, R124)")
    func firstAndLast() {
        let touches = [
            S.touch(3 * S.day, by: S.ada, number: 1), S.touch(1 * S.day, by: S.ben, number: 2),
        ]
        let first = S.decide(touches, .firstTouch)
        #expect(first.credits == [Attribution.Credit(participant: S.ada, parts: 1)])
        #expect(first.touches.map(\.verdict) == [.credited, .outranked])
        let last = S.decide(touches, .lastTouch)
        #expect(last.credits == [Attribution.Credit(participant: S.ben, parts: 1)])
        #expect(last.touches.map(\.verdict) == [.outranked, .credited])
    }

    @Test("last non-direct passes over direct touches, and takes one when there is nothing else")
    func lastNonDirect() {
        let direct = S.touch(0, by: nil, source: .direct, number: 2)
        let referred = S.touch(5 * S.day, by: S.ada, number: 1)
        #expect(S.decide([referred, direct], .lastNonDirect).credits.first?.participant == S.ada)
        #expect(S.decide([direct], .lastNonDirect).reason == .touchEarnsNoCredit)
        #expect(S.decide([referred, direct], .lastTouch).reason == .touchEarnsNoCredit)
    }

    @Test("linear gives every touch an equal part (R125)")
    func linear() {
        #expect(Self.parts([9, 5, 1], S.terms(.linear)) == [1, 1, 1])
        #expect(Self.parts([9], S.terms(.linear)) == [1])
    }

    @Test(
        "position based: 40, 20, 40 with the middle shared evenly; one has all, two half (R127)",
        arguments: [
            ([1], [1]), ([2, 1], [1, 1]), ([3, 2, 1], [40, 20, 40]),
            ([4, 3, 2, 1], [80, 20, 20, 80]), ([5, 4, 3, 2, 1], [120, 20, 20, 20, 120]),
        ] as [([Int64], [Int64])])
    func position(ages: [Int64], expected: [Int64]) {
        #expect(Self.parts(ages, S.terms(.positionBased)) == expected)
    }

    @Test("position based: the parts are the program's own")
    func ownPosition() {
        let terms = S.terms(.positionBased) { $0.position = .init(first: 60, middle: 10, last: 30) }
        #expect(Self.parts([3, 2, 1], terms) == [60, 10, 30])
        #expect(Self.parts([4, 3, 2, 1], terms) == [120, 10, 10, 60])
        #expect(Self.parts([2, 1], terms) == [1, 1])
        #expect(!AttributionTerms.Position(first: 50, middle: 0, last: 49).isWhole)
        #expect(!AttributionTerms.Position(first: 0, middle: 50, last: 50).isWhole)
        #expect(AttributionTerms.Position(first: 50, middle: 0, last: 50).isWhole)
    }

    @Test("position based without a middle share gives those between nothing")
    func noMiddle() {
        let terms = S.terms(.positionBased) { $0.position = .init(first: 50, middle: 0, last: 50) }
        let touches = (1...3).map { S.touch(Int64($0) * S.day, by: S.ada, number: UInt64($0)) }
        #expect(
            S.decide(touches, terms).touches.map(\.verdict) == [.credited, .outranked, .credited])
    }

    @Test("time decay: touches 14, 7 and 0 days old get 1/7, 2/7, 4/7 at a half-life of 7 days")
    func timeDecay() {
        let parts = Self.parts([14, 7, 0], S.terms(.timeDecay))
        #expect(parts == [TimeDecay.whole / 4, TimeDecay.whole / 2, TimeDecay.whole])
        // The same shares whenever the sale is: only distances between touches count.
        #expect(Self.parts([16, 9, 2], S.terms(.timeDecay)) == parts)
        let short = S.terms(.timeDecay) { $0.halfLifeDays = 1 }
        #expect(
            Self.parts([2, 1, 0], short)
                == [TimeDecay.whole / 4, TimeDecay.whole / 2, TimeDecay.whole])
    }

    @Test(
        "time decay is the floor of 2^40 times 2^(-age / half-life), to the last digit",
        arguments: [
            // Computed with 120 decimal digits by another program.
            (1, 604_800_000, 1_099_511_626_515), (86_400_000, 604_800_000, 995_853_700_410),
            (302_400_000, 604_800_000, 777_472_127_993),
            (604_799_999, 604_800_000, 549_755_814_518),
            (604_800_001, 604_800_000, 549_755_813_257), (12_345_678, 86_400_000, 995_831_164_067),
            (1_000_000_000, 604_800_000, 349_514_377_447),
            (34_559_999_999, 34_560_000_000, 549_755_813_899),
            (24_192_000_000, 604_800_000, 1), (24_192_000_001, 604_800_000, 0),
        ] as [(Int64, Int64, Int64)])
    func decayParts(age: Int64, halfLife: Int64, parts: Int64) {
        #expect(TimeDecay.parts(age: age, halfLife: halfLife) == parts)
    }

    @Test("a touch more than 40 half-lives older than the newest has no part")
    func faded() {
        let terms = S.terms(.timeDecay, window: 400) { $0.halfLifeDays = 1 }
        let touches = [
            S.touch(41 * S.day, by: S.ada, number: 1), S.touch(0, by: S.ben, number: 2),
        ]
        #expect(S.decide(touches, terms).touches.map(\.verdict) == [.outranked, .credited])
    }

    // MARK: - Window and ties

    @Test(
        "the window holds both its ends",
        arguments: [
            (30 * Sample.day, TouchVerdict.credited), (30 * Sample.day + 1, .outsideWindow),
            (0, .credited), (-1, .afterConversion),
        ])
    func windowEdges(age: Int64, verdict: TouchVerdict) {
        let decision = S.decide([S.touch(age, by: S.ada)], .lastTouch)
        #expect(decision.touches.map(\.verdict) == [verdict])
        #expect((decision.reason == .credited) == (verdict == .credited))
    }

    @Test("touches at the same instant are told apart by id, whatever their order")
    func ties() {
        let first = S.touch(S.day, by: S.ada, number: 1)
        let second = S.touch(S.day, by: S.ben, number: 2)
        for touches in [[first, second], [second, first]] {
            #expect(S.decide(touches, .firstTouch).credits.first?.participant == S.ada)
            #expect(S.decide(touches, .lastTouch).credits.first?.participant == S.ben)
        }
    }

    @Test("without touches the reason says so; without one in the window too")
    func reasons() {
        #expect(S.decide([], .lastTouch).reason == .noTouch)
        #expect(S.decide([S.touch(40 * S.day, by: S.ada)], .linear).reason == .noTouchInWindow)
        let nobody = S.decide([S.touch(S.day, by: nil, source: .marketing)], .lastTouch)
        #expect(nobody.reason == .touchEarnsNoCredit)
        #expect(nobody.touches.map(\.verdict) == [.noParticipant])
        #expect(nobody.credits == [Attribution.Credit(participant: nil, parts: 1)])
    }

    // MARK: - Rules of a program

    @Test("touches of a source that may not earn credit count for nothing")
    func sources() {
        let touches = [
            S.touch(2 * S.day, by: S.ada, number: 1),
            S.touch(S.day, by: nil, source: .marketing, number: 2),
        ]
        let terms = S.terms { $0.sources = [.referral, .partner] }
        let decision = S.decide(touches, terms)
        #expect(decision.touches.map(\.verdict) == [.credited, .sourceExcluded])
        #expect(S.decide([touches[1]], terms).reason == .noEligibleTouch)
    }

    // MARK: - Money

    @Test(
        "money is split by largest remainder, ties in the order of the touches",
        arguments: [
            (1001, [40, 10, 10, 40], [401, 100, 100, 400]), (100, [1, 1, 1], [34, 33, 33]),
            (5, [3, 7], [2, 3]), (0, [1, 2], [0, 0]), (1, [1, 1], [1, 0]),
        ] as [(Int64, [Int64], [Int64])])
    func split(amount: Int64, parts: [Int64], expected: [Int64]) {
        let people = [S.ada, S.ben, S.eve, S.dan]
        let decision = AttributionDecision(
            touches: parts.enumerated().map {
                SeenTouch(
                    fact: S.touch(S.day, by: people[$0], number: UInt64($0)), verdict: .credited,
                    parts: $1)
            },
            credits: zip(people, parts).map { Attribution.Credit(participant: $0, parts: $1) },
            reason: .credited)
        #expect(decision.shares(of: amount).touches == expected)
        #expect(decision.shares(of: amount).credits == expected)
        #expect(decision.arithmetic(of: amount).map(\.amount) == expected)
        #expect(decision.refundedShares(of: amount, refunded: amount) == expected)
    }

    @Test("two touches of one participant are split apart and summed afterwards")
    func sums() {
        let touches = [
            S.touch(3 * S.day, by: S.ada, number: 1), S.touch(2 * S.day, by: S.ben, number: 2),
            S.touch(S.day, by: S.ada, number: 3),
        ]
        let decision = S.decide(touches, .linear)
        #expect(
            decision.credits == [
                Attribution.Credit(participant: S.ada, parts: 2),
                Attribution.Credit(participant: S.ben, parts: 1),
            ])
        #expect(decision.shares(of: 100).credits == [67, 33])
        #expect(decision.shares(of: 101).credits == [67, 34])
    }

    // MARK: - Alternatives

    @Test("the nearest change that gives another result comes first")
    func alternatives() throws {
        let touches = [
            S.touch(30 * S.day + 3 * 3_600_000, by: S.ada, number: 1),
            S.touch(50 * S.day, by: S.ben, number: 2),
        ]
        let terms = S.terms(.lastTouch)
        let decision = S.decide(touches, terms)
        let found = AttributionRules.alternatives(
            to: decision, AttributionFacts(touches: touches), terms, at: S.end)
        #expect(found.first?.change == .window(days: 31))
        #expect(found.first?.decision.credits.first?.participant == S.ada)
    }

    @Test("alternatives name the touch that decided and the models that differ")
    func alternativeModels() {
        let touches = [
            S.touch(2 * S.day, by: S.ada, number: 1), S.touch(S.day, by: S.ben, number: 2),
        ]
        let terms = S.terms(.lastTouch)
        let changes = AttributionRules.alternatives(
            to: S.decide(touches, terms), AttributionFacts(touches: touches), terms, at: S.end
        ).map(\.change)
        #expect(changes.contains(.withoutTouch(touches[1].touch)))
        #expect(changes.contains(.model(.firstTouch)))
        #expect(!changes.contains(.model(.lastNonDirect)))
    }
}
