import JSON
import Model

/// What a program's budget says of one reward, with what it said it from.
public struct BudgetDecision: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable {
        case fits, review, queued, refused
    }

    public let outcome: Outcome
    public let terms: BudgetTerms
    /// The period that it would have counted to, and what was reserved of that already.
    public let period: CalendarPeriod
    public let reserved: Int64
    /// The period that it counts to.
    public let countsTo: CalendarPeriod

    var json: JSONValue {
        [
            "outcome": .string(outcome.rawValue), "amount": .integer(terms.amount),
            "period": .string(period.name), "reserved": .integer(reserved),
            "beyond": .string(terms.beyond.rawValue), "counts_to": .string(countsTo.name),
        ]
    }
}

/// What the books know of a program's budget.
struct BudgetStanding: Sendable {
    let terms: BudgetTerms
    /// The period that a reward counts to and, for a queue, those that follow, in order, each with
    /// what is reserved of it.
    var reserved: [(period: CalendarPeriod, amount: Int64)]

    /// What was decided about is reserved from now on.
    mutating func reserve(_ amount: Int64, as decision: BudgetDecision) {
        guard decision.outcome != .refused,
            let place = reserved.firstIndex(where: { $0.period == decision.countsTo })
        else { return }
        reserved[place].amount += amount
    }
}

/// Decisions about budgets: pure.
public enum BudgetRules {
    /// How many periods a reward may be queued for.
    public static let periodsAhead = 4

    /// Whether an amount fits what is left, and in which of the budget's periods (R173). `amounts`
    /// has what it would be in each of them. Nothing fits everywhere. Where no period has room, a
    /// person decides. Nil without periods.
    static func decide(
        _ amounts: [Int64], _ budget: BudgetStanding
    ) -> (decision: BudgetDecision, place: Int)? {
        let (terms, reserved) = (budget.terms, budget.reserved)
        guard let first = reserved.first else { return nil }
        func fits(_ place: Int) -> Bool {
            amounts[place] == 0
                || amounts[place] <= terms.amount
                    && reserved[place].amount <= terms.amount - amounts[place]
        }
        func decision(
            _ outcome: BudgetDecision.Outcome, _ place: Int = 0
        ) -> (BudgetDecision, Int) {
            let decision = BudgetDecision(
                outcome: outcome, terms: terms, period: first.period, reserved: first.amount,
                countsTo: reserved[place].period)
            return (decision, place)
        }
        if fits(0) { return decision(.fits) }
        switch terms.beyond {
        case .refuse: return decision(.refused)
        case .review: return decision(.review)
        case .queue:
            guard let later = reserved.indices.dropFirst().first(where: fits) else {
                return decision(.review)
            }
            return decision(.queued, later)
        }
    }
}
