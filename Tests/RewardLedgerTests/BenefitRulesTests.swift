import JSON
import Model
import Testing

@testable import RewardLedger

/// What refunds leave of a benefit.
@Suite struct BenefitRulesTests {
    private func benefit(_ offer: BenefitOffer) -> Benefit {
        let now = Instant(milliseconds: 0)
        return Benefit(
            id: BenefitID(high: 1, low: 1), program: ProgramID(high: 1, low: 2),
            owner: .participant(ParticipantID(high: 1, low: 3)),
            rule: RewardRuleID(high: 1, low: 4), ruleVersion: 1, trigger: .conversion,
            kind: .giftCard, lead: nil, conversion: ConversionID(high: 1, low: 5),
            state: .approved, offer: offer, basis: [:], reason: nil, reference: nil,
            holdUntil: now, approvedAt: now, fulfilledAt: nil, version: 1, createdAt: now,
            updatedAt: now)
    }

    private func settled(
        _ benefit: Benefit, _ refunded: Int64, of whole: Int64
    ) throws -> Benefit? {
        let dollar = try #require(Currency("USD"))
        func credits(_ amount: Int64) -> [Credit] {
            [
                Credit(
                    participant: ParticipantID(high: 1, low: 3),
                    base: Money(amount: amount, currency: dollar))
            ]
        }
        return try BenefitRules.settled(
            benefit,
            RewardSale(
                conversion: ConversionID(high: 1, low: 5), program: ProgramID(high: 1, low: 2),
                recordedAt: Instant(milliseconds: 0), whole: whole, refunded: refunded,
                refund: nil, credits: credits(whole), rest: credits(whole - refunded),
                person: []))
    }

    @Test("refunds in any number take the same in the end, and the last takes all")
    func totals() throws {
        let dollar = try #require(Currency("USD"))
        for (whole, value) in [(2, 1), (3, 100), (7, 20), (100, 999), (1_000, 7)]
            as [(Int64, Int64)]
        {
            let granted = benefit(
                BenefitOffer(value: Money(amount: value, currency: dollar), points: value + 1))
            for total in 1..<whole {
                var rest: Benefit? = granted
                for part in [total / 3, total / 2, total] where part > 0 {
                    rest = try rest.flatMap { try settled($0, part, of: whole) }
                }
                let atOnce = try settled(granted, total, of: whole)
                #expect(rest?.due == atOnce?.due, "\(total) of \(whole), \(value)")
                let left = atOnce?.due.value?.amount ?? 0
                // Within half a unit of the exact rest.
                #expect(abs(2 * (left * whole - value * (whole - total))) <= whole)
            }
            #expect(try settled(granted, whole, of: whole) == nil)
        }
    }

    @Test("what cannot be divided stays until the last of the sale")
    func undivided() throws {
        let perk = benefit(BenefitOffer(description: "A mug"))
        #expect(try settled(perk, 99, of: 100)?.due == perk.offer)
        let discount = benefit(BenefitOffer(discount: 500))
        #expect(try settled(discount, 1, of: 100)?.due == discount.offer)
        #expect(try settled(perk, 100, of: 100) == nil)
    }

    @Test("of so little that nothing is left of it, nothing stays")
    func nothingLeft() throws {
        let point = benefit(BenefitOffer(points: 1))
        #expect(try settled(point, 49, of: 100)?.due.points == 1)
        #expect(try settled(point, 51, of: 100) == nil)
    }
}
