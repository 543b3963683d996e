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
                    rest = rest.flatMap { BenefitRules.reversed($0, refunded: part, of: whole) }
                }
                let atOnce = BenefitRules.reversed(granted, refunded: total, of: whole)
                #expect(rest?.due == atOnce?.due, "\(total) of \(whole), \(value)")
                let left = atOnce?.due.value?.amount ?? 0
                // Within half a unit of the exact rest.
                #expect(abs(2 * (left * whole - value * (whole - total))) <= whole)
            }
            #expect(BenefitRules.reversed(granted, refunded: whole, of: whole) == nil)
        }
    }

    @Test("what cannot be divided stays until the last of the sale")
    func undivided() {
        let perk = benefit(BenefitOffer(description: "A mug"))
        #expect(BenefitRules.reversed(perk, refunded: 99, of: 100)?.due == perk.offer)
        let discount = benefit(BenefitOffer(discount: 500))
        #expect(BenefitRules.reversed(discount, refunded: 1, of: 100)?.due == discount.offer)
        #expect(BenefitRules.reversed(perk, refunded: 100, of: 100) == nil)
    }

    @Test("of so little that nothing is left of it, nothing stays")
    func nothingLeft() {
        let point = benefit(BenefitOffer(points: 1))
        #expect(BenefitRules.reversed(point, refunded: 49, of: 100)?.due.points == 1)
        #expect(BenefitRules.reversed(point, refunded: 51, of: 100) == nil)
    }
}
