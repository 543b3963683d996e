import JSON
import Model
import Testing

@testable import RewardLedger

/// The arithmetic of times to reward, by hand.
@Suite struct RewardTimeRulesTests {
    private static let day: Int64 = 86_400_000
    /// A Monday: 2026-11-23T00:00:00Z.
    private static let start = Instant(milliseconds: 20_780 * day)

    private func at(_ days: Int) -> Instant { Self.start.advanced(byDays: days) }

    @Test(
        "a percentile is the smallest value that so many of them do not exceed",
        arguments: [
            ([], 50, nil), ([7], 50, 7), ([7], 90, 7), ([1, 2], 50, 1), ([1, 2], 90, 2),
            ([1, 2, 3], 50, 2), ([1, 2, 3, 4], 50, 2), ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90, 9),
            ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 90, 10),
        ] as [([Int64], Int, Int64?)])
    func percentile(values: [Int64], hundredths: Int, expected: Int64?) {
        #expect(RewardTimeRules.percentile(hundredths, of: values) == expected)
    }

    @Test("a mean is rounded down, and there is none of nothing")
    func mean() {
        #expect(RewardTimeRules.mean(of: []) == nil)
        #expect(RewardTimeRules.mean(of: [1, 2, 4]) == 2)
    }

    @Test("a time is in the first bucket whose bound it does not exceed")
    func bucket() {
        let week = RewardTimeRules.bucket(7 * 86_400)
        #expect(RewardTimeRules.bounds[week] == 7 * 86_400)
        #expect(RewardTimeRules.bucket(7 * 86_400 + 1) == week + 1)
        #expect(RewardTimeRules.bucket(0) == 0)
        #expect(RewardTimeRules.bucket(366 * 86_400) == RewardTimeRules.bounds.count)
    }

    private func occasion(_ facts: RewardFacts, _ terms: ServiceLevelTerms?) -> RewardOccasion {
        RewardOccasion(
            trigger: .conversion(kind: "purchase"), program: ProgramID(high: 1, low: 1),
            programVersion: 1, holdDays: 30, approvalThreshold: nil, lead: nil,
            conversion: ConversionID(high: 1, low: 2), serviceLevels: terms, actor: "test",
            facts: facts)
    }

    private func begin(
        _ facts: RewardFacts, _ terms: ServiceLevelTerms? = ServiceLevelTerms(), at now: Instant
    ) -> RewardTime {
        RewardTimeRules.begin(
            .cash, for: ParticipantID(high: 1, low: 3), on: occasion(facts, terms), at: now)
    }

    @Test(
        "R273, R168, R167: 7 days from the referral, 5 business days and 30 days from the sale"
    )
    func limits() {
        var facts = RewardFacts()
        facts.referredAt = at(0)
        facts.soldAt = at(4)
        let time = begin(facts, at: at(5))
        #expect(time.referredAt == at(0) && time.earnedAt == at(4))
        #expect(time.targetAt == at(7))
        // From Friday to the next Friday.
        #expect(time.creditAt == at(11))
        #expect(time.payAt == at(34))
        #expect(time.referrer == nil)
        let free = begin(facts, nil, at: at(5))
        #expect(free.targetAt == nil && free.creditAt == nil && free.payAt == nil)
    }

    @Test("a sale is referred at its first touch with credit, else with itself, never after it")
    func referral() {
        var facts = RewardFacts()
        #expect(begin(facts, at: at(9)).referredAt == at(9))
        facts.soldAt = at(4)
        facts.referredAt = at(4)
        #expect(begin(facts, at: at(9)).referredAt == at(4))
        facts.touchedAt = at(2)
        #expect(begin(facts, at: at(9)).referredAt == at(2))
        facts.touchedAt = at(6)
        #expect(begin(facts, at: at(9)).referredAt == at(4))
        // A sale that is to happen is earned when it is recorded.
        facts.soldAt = at(12)
        #expect(begin(facts, at: at(9)).earnedAt == at(9))
    }

    private func paid(
        after days: Int, target: Instant? = nil, credit: Instant? = nil, pay: Instant? = nil,
        approved: Instant? = nil, _ promised: RewardTime.Promised? = nil
    ) -> PaidRewardTime {
        PaidRewardTime(
            referredAt: at(0), earnedAt: at(1), approvedAt: approved, paidAt: at(days),
            targetAt: target, creditAt: credit, payAt: pay, promised: promised)
    }

    @Test("in time is before the limit; what had no limit does not count")
    func shares() {
        var tally = RewardTimeTally()
        tally.add(paid(after: 6, target: at(7)))
        tally.add(paid(after: 7, target: at(7), credit: at(8), pay: at(7)))
        tally.add(paid(after: 3))
        #expect(tally.withinTarget.kept == 1 && tally.withinTarget.all == 2)
        #expect(tally.withinBusinessDays.kept == 1 && tally.withinBusinessDays.all == 1)
        #expect(tally.withinPayDays.kept == 0 && tally.withinPayDays.all == 1)
        #expect(tally.asPromised.all == 0)
        #expect(tally.whole.map { $0 / 86_400 } == [6, 7, 3])
        #expect(tally.toApproval.isEmpty && tally.toPayment.isEmpty)
    }

    @Test("R166: a credit is promised until the approval, R167: a payment until the money")
    func promises() {
        var tally = RewardTimeTally()
        let credit = RewardTime.Promised(promise: .credit, at: at(5))
        tally.add(paid(after: 9, approved: at(4), credit))
        tally.add(paid(after: 9, approved: at(5), credit))
        tally.add(paid(after: 9, approved: nil, credit))
        #expect(tally.asPromised.kept == 1 && tally.asPromised.all == 3)
        tally.add(paid(after: 9, approved: at(4), .init(promise: .payment, at: at(5))))
        tally.add(paid(after: 4, approved: at(4), .init(promise: .payment, at: at(5))))
        #expect(tally.asPromised.kept == 2 && tally.asPromised.all == 5)
        #expect(tally.toApproval.map { $0 / 86_400 } == [3, 4, 3, 3])
        #expect(tally.toPayment.map { $0 / 86_400 } == [5, 4, 5, 0])
    }

    @Test("months are told in their order, other groups the largest first, then by name")
    func order() {
        var two = RewardTimeTally()
        var one = RewardTimeTally()
        two.add(paid(after: 1))
        two.add(paid(after: 1))
        one.add(paid(after: 1))
        let groups = ["2026-11": one, "2026-12": two, "2026-10": one]
        #expect(
            RewardTimeRules.ordered(groups, by: .month).map(\.key)
                == ["2026-10", "2026-11", "2026-12"])
        #expect(
            RewardTimeRules.ordered(groups, by: .kind).map(\.key)
                == ["2026-12", "2026-10", "2026-11"])
    }

    @Test("a hold as long as the target puts it out of reach; 0 days are no target")
    func reach() {
        var terms = ServiceLevelTerms()
        #expect(terms.isTargetInReach(holdDays: 6) == true)
        #expect(terms.isTargetInReach(holdDays: 7) == false)
        terms.rewardTargetDays = 0
        #expect(terms.rewardTarget == nil && terms.isTargetInReach(holdDays: 0) == nil)
        #expect(ServiceLevelTerms(json: terms.json.objectValue) == terms)
    }
}
