import Glibc
import Model
import Testing

@testable import Attribution

/// What holds for every list of touches: random ones, by a printed seed.
struct AttributionPropertyTests {
    private typealias S = Sample

    /// A seed of the environment replays a run.
    private static func generator() -> SeededGenerator {
        let given = getenv("REFERRALD_SEED").flatMap { UInt64(String(cString: $0)) }
        let random = SeededGenerator(seed: given ?? UInt64.random(in: .min ... .max))
        print("REFERRALD_SEED=\(random.seed)")
        return random
    }

    private static func touches(_ random: inout SeededGenerator, most: Int = 12) -> [TouchFact] {
        (0..<Int.random(in: 0...most, using: &random)).map { number in
            // Coarse at times, so that instants are shared and edges hit.
            let unit: Int64 = Bool.random(using: &random) ? S.day : 1
            return S.touch(
                Int64.random(in: -2 * S.day...40 * S.day, using: &random) / unit * unit,
                by: [S.ada, S.ben, S.eve, nil].randomElement(using: &random) ?? nil,
                source: TouchSource.allCases.randomElement(using: &random) ?? .direct,
                kind: Touchpoint.Kind.allCases.randomElement(using: &random) ?? .click,
                number: UInt64(number))
        }
    }

    private static func terms(_ random: inout SeededGenerator) -> AttributionTerms {
        S.terms(
            AttributionModel.allCases.randomElement(using: &random) ?? .linear,
            window: .random(in: 1...45, using: &random)
        ) { terms in
            terms.halfLifeDays = .random(in: 1...60, using: &random)
            let first = Int64.random(in: 1...99, using: &random)
            let last = Int64.random(in: 1...(100 - first), using: &random)
            terms.position = .init(first: first, middle: 100 - first - last, last: last)
            if Bool.random(using: &random) {
                terms.sources = TouchSource.allCases.filter { _ in Bool.random(using: &random) }
            }
            terms.codes = AttributionTerms.Codes.allCases.randomElement(using: &random) ?? .first
        }
    }

    private static func amount(_ random: inout SeededGenerator) -> Int64 {
        Int64.random(
            in: 0...(Int64(1) << Int64.random(in: 0...52, using: &random)), using: &random)
    }

    @Test("parts sum to the whole, and money too; order of insertion does not matter")
    func wholes() {
        var random = Self.generator()
        for _ in 0..<60_000 {
            let touches = Self.touches(&random)
            let terms = Self.terms(&random)
            let amount = Self.amount(&random)
            let decision = S.decide(touches, terms)
            let isSame = S.decide(touches.shuffled(using: &random), terms) == decision
            let shares = decision.shares(of: amount)
            let partsOfTouches = decision.touches.reduce(0) { $0 + $1.parts }
            let partsOfCredits = decision.credits.reduce(0) { $0 + $1.parts }
            let isWhole =
                shares.credits.reduce(0, +) + shares.uncredited == amount
                && shares.touches.reduce(0, +) + shares.uncredited == amount
                && partsOfTouches == partsOfCredits
                && (partsOfCredits > 0) == !decision.credits.isEmpty
            let lines = decision.arithmetic(of: amount)
            let isReadded =
                lines.isEmpty
                ? shares.uncredited == amount : lines.reduce(0) { $0 + $1.amount } == amount
            let areVerdictsTrue = decision.touches.allSatisfy { seen in
                let isEarning = seen.verdict == .credited || seen.verdict == .noParticipant
                return isEarning == (seen.parts > 0)
            }
            // One failure is enough, and says with what.
            guard isSame, isWhole, isReadded, areVerdictsTrue else {
                Issue.record("\(touches) \(terms) \(amount)")
                return
            }
        }
    }

    /// What may decide beside touches, at random.
    private static func facts(_ random: inout SeededGenerator) -> AttributionFacts {
        var facts = AttributionFacts(touches: touches(&random))
        let people = [S.ada, S.ben, S.eve, nil]
        if Int.random(in: 0..<6, using: &random) == 0 {
            facts.registrations = [Attribution.Credit(participant: S.dan, parts: 10_000)]
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            facts.bound = (0..<Int.random(in: 0...2, using: &random)).map { place in
                Attribution.Credit(
                    participant: people[(place + Int.random(in: 0...3, using: &random)) % 4],
                    parts: Int64.random(in: 1...9, using: &random))
            }
            facts.isRenewal = Bool.random(using: &random)
        }
        facts.leads = (0..<Int.random(in: 0...3, using: &random)).map { number in
            LeadFact(
                lead: LeadID(high: 0x7000, low: UInt64(number)),
                participant: people.randomElement(using: &random) ?? nil,
                standing: [.waiting, .ahead, .out].randomElement(using: &random) ?? .out,
                referredAt: S.end.advanced(byDays: Int.random(in: -800...5, using: &random)),
                steppedAt: S.end.advanced(byDays: Int.random(in: -500...5, using: &random)),
                isNamed: number == 0 && Bool.random(using: &random))
        }
        return facts
    }

    @Test("facts in any order give the same decision, and touches of one instant the same credit")
    func permutations() {
        var random = Self.generator()
        for _ in 0..<40_000 {
            let facts = Self.facts(&random)
            let terms = Self.terms(&random)
            let decision = AttributionRules.decide(facts, terms, at: S.end)
            var shuffled = facts
            shuffled.touches.shuffle(using: &random)
            shuffled.leads.shuffle(using: &random)
            // The same contacts as others would have numbered them.
            var renumbered = facts
            renumbered.touches = zip(
                facts.touches, (0..<facts.touches.count).shuffled(using: &random)
            ).map { touch, number in
                TouchFact(
                    touch: TouchpointID(high: 0x7000, low: UInt64(number)),
                    participant: touch.participant, source: touch.source, kind: touch.kind,
                    occurredAt: touch.occurredAt)
            }
            let other = AttributionRules.decide(renumbered, terms, at: S.end)
            guard AttributionRules.decide(shuffled, terms, at: S.end) == decision,
                other.reason == decision.reason, other.rung(terms) == decision.rung(terms),
                other.shares(of: 99_999).credits.sorted()
                    == decision.shares(of: 99_999).credits.sorted(),
                Set(other.credits.map(\.participant)) == Set(decision.credits.map(\.participant))
            else {
                Issue.record("\(facts) \(terms)")
                return
            }
        }
    }

    @Test(
        "a stored decision decides the same again, and a model changes the last rung alone"
    )
    func again() {
        var random = Self.generator()
        for _ in 0..<40_000 {
            let terms = Self.terms(&random)
            let decision = AttributionRules.decide(Self.facts(&random), terms, at: S.end)
            let model = AttributionModel.allCases.randomElement(using: &random) ?? .linear
            let other = decision.under(model, terms, at: S.end)
            guard AttributionRules.decide(decision.facts, terms, at: S.end) == decision,
                decision.rung(terms) == .touches ? other.reason != .lead : other == decision
            else {
                Issue.record("\(decision) \(terms) \(model)")
                return
            }
        }
    }

    @Test("scaling the amount keeps every share within one unit of its exact part")
    func scaling() {
        var random = Self.generator()
        for _ in 0..<20_000 {
            let decision = S.decide(Self.touches(&random), Self.terms(&random))
            let whole = decision.touches.reduce(Int128(0)) { $0 + Int128($1.parts) }
            guard whole > 0 else { continue }
            let amount = Self.amount(&random)
            for scaled in [amount, amount / 7, min(amount * 3, Money.maximum)] {
                for (seen, share) in zip(decision.touches, decision.shares(of: scaled).touches) {
                    let off = Int128(share) * whole - Int128(scaled) * Int128(seen.parts)
                    guard off.magnitude < whole.magnitude else {
                        Issue.record("\(decision) \(scaled)")
                        return
                    }
                }
            }
        }
    }

    @Test("refunds mirror the split: they sum to what went back, and all of it cancels to zero")
    func refunds() {
        var random = Self.generator()
        for _ in 0..<20_000 {
            let decision = S.decide(Self.touches(&random), Self.terms(&random))
            let amount = Self.amount(&random)
            let shares = decision.shares(of: amount).credits
            guard !shares.isEmpty else { continue }
            var refunded: Int64 = 0
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                refunded += Int64.random(in: 0...(amount - refunded), using: &random)
                let back = decision.refundedShares(of: amount, refunded: refunded)
                guard back.reduce(0, +) == refunded,
                    zip(back, shares).allSatisfy({ $0 <= $1 && $0 >= 0 })
                else {
                    Issue.record("\(decision) \(amount) \(refunded)")
                    return
                }
            }
            guard decision.refundedShares(of: amount, refunded: amount) == shares else {
                Issue.record("\(decision) \(amount)")
                return
            }
        }
    }

    @Test("time decay never gives an older touch more than a newer one")
    func monotone() {
        var random = Self.generator()
        for _ in 0..<20_000 {
            let terms = S.terms(.timeDecay, window: 400) {
                $0.halfLifeDays = .random(in: 1...400, using: &random)
                $0.codes = .touch
            }
            let decision = S.decide(Self.touches(&random, most: 20), terms)
            let parts = decision.touches.filter { $0.verdict != .afterConversion }.map(\.parts)
            guard zip(parts, parts.dropFirst()).allSatisfy({ $0 <= $1 }) else {
                Issue.record("\(decision)")
                return
            }
        }
    }

    @Test("the parts of time decay halve with every half-life, for any age")
    func halving() {
        var random = Self.generator()
        for _ in 0..<20_000 {
            let halfLife = Int64.random(in: 1...400, using: &random) * S.day
            let age = Int64.random(in: 0...(40 * halfLife), using: &random)
            let parts = TimeDecay.parts(age: age, halfLife: halfLife)
            guard TimeDecay.parts(age: age + halfLife, halfLife: halfLife) == parts / 2 else {
                Issue.record("\(age) \(halfLife)")
                return
            }
        }
    }
}
