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

/// Decisions about budgets: pure.
public enum BudgetRules {
    /// How many periods a reward may be queued for.
    public static let periodsAhead = 4

    /// Whether `amount` fits what is left (R173). `reserved` has the period that it counts to and,
    /// for a queue, those that follow, in order. Where none of them has room, a person decides.
    static func decide(
        _ amount: Int64, _ terms: BudgetTerms,
        _ reserved: [(period: CalendarPeriod, amount: Int64)]
    ) -> BudgetDecision? {
        guard let first = reserved.first else { return nil }
        func fits(_ used: Int64) -> Bool { amount <= terms.amount && used <= terms.amount - amount }
        func decision(
            _ outcome: BudgetDecision.Outcome, _ period: CalendarPeriod? = nil
        ) -> BudgetDecision {
            BudgetDecision(
                outcome: outcome, terms: terms, period: first.period, reserved: first.amount,
                countsTo: period ?? first.period)
        }
        if fits(first.amount) { return decision(.fits) }
        switch terms.beyond {
        case .refuse: return decision(.refused)
        case .review: return decision(.review)
        case .queue:
            guard let later = reserved.dropFirst().first(where: { fits($0.amount) }) else {
                return decision(.review)
            }
            return decision(.queued, later.period)
        }
    }
}
