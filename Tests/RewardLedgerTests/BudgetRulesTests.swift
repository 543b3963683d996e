import JSON
import Model
import Testing

@testable import RewardLedger

@Suite struct BudgetRulesTests {
    struct Row: Sendable {
        let amount: Int64
        let beyond: BudgetTerms.Beyond
        let reserved: [Int64]
        let outcome: BudgetDecision.Outcome
        let countsTo: String
        init(
            _ amount: Int64, _ beyond: BudgetTerms.Beyond, _ reserved: [Int64],
            _ outcome: BudgetDecision.Outcome, _ countsTo: String
        ) {
            (self.amount, self.beyond, self.reserved) = (amount, beyond, reserved)
            (self.outcome, self.countsTo) = (outcome, countsTo)
        }
    }

    @Test(
        "R173: what fits the quarter is reserved; what does not is refused, reviewed or queued",
        arguments: [
            Row(100, .refuse, [900], .fits, "2026-Q4"),
            Row(101, .refuse, [900], .refused, "2026-Q4"),
            Row(101, .review, [900], .review, "2026-Q4"),
            Row(101, .queue, [900, 950, 899, 0], .queued, "2027-Q2"),
            Row(101, .queue, [900, 950, 950, 950, 950], .review, "2026-Q4"),
            Row(1_001, .queue, [0, 0, 0, 0, 0], .review, "2026-Q4"),
            Row(1_000, .refuse, [0], .fits, "2026-Q4"),
            Row(1, .refuse, [1_500], .refused, "2026-Q4"),
        ])
    func decisions(row: Row) throws {
        var terms = BudgetTerms(amount: 1_000)
        terms.beyond = row.beyond
        var period = CalendarPeriod(
            .quarter, containing: try #require(Instant(rfc3339: "2026-11-24T00:00:00Z")),
            in: .utc)
        let reserved = row.reserved.map { amount in
            defer { period = period.next }
            return (period: period, amount: amount)
        }
        let (decision, place) = try #require(
            BudgetRules.decide(
                row.reserved.map { _ in row.amount },
                BudgetStanding(terms: terms, reserved: reserved)))
        #expect(decision.outcome == row.outcome)
        #expect(decision.countsTo.name == row.countsTo)
        #expect(reserved[place].period.name == row.countsTo)
        #expect(decision.json.objectValue?["reserved"]?.integerValue == row.reserved.first)
    }

    @Test("terms of budgets and limits survive their way through JSON")
    func termsAsJSON() {
        var budget = BudgetTerms(amount: 5)
        budget.period = .year
        budget.beyond = .queue
        #expect(BudgetTerms(json: budget.json.objectValue) == budget)
        #expect(BudgetTerms(json: ["amount": 5])?.beyond == .review)
        #expect(BudgetTerms(json: ["amount": 5])?.period == .quarter)
        #expect(BudgetTerms(json: nil) == nil)
        var limits = RewardLimits()
        limits.most = [.participantYear: 7, .referee: 0]
        #expect(RewardLimits(json: limits.json.objectValue) == limits)
    }
}
