import Model

/// What every participant would be credited with under each model, for the same sales and touches.
/// Pure; sales are added one by one, so that a report over many needs memory for participants
/// alone.
public struct ModelComparison: Sendable {
    /// Money of one participant under one model.
    public struct Sum: Sendable, Equatable {
        public fileprivate(set) var amount: Int64 = 0
        /// What of it went back.
        public fileprivate(set) var refunded: Int64 = 0

        fileprivate mutating func add(_ amount: Int64, refunded: Int64) throws(MoneyError) {
            self.amount = try MoneyError.sum(self.amount, amount)
            self.refunded = try MoneyError.sum(self.refunded, refunded)
        }
    }

    /// What one participant has by the results that count, and would have under each model.
    public struct Line: Sendable, Equatable {
        /// Nil: shares of touches that belong to nobody, and sales without credit.
        public let participant: ParticipantID?
        public fileprivate(set) var actual = Sum()
        /// In the order of `AttributionModel.allCases`.
        public fileprivate(set) var models = AttributionModel.allCases.map { _ in Sum() }

        /// The largest gain or loss under any model.
        public var largestDifference: UInt64 {
            models.map { ($0.amount - actual.amount).magnitude }.max() ?? 0
        }
    }

    public private(set) var conversions: Int64 = 0
    public private(set) var total = Sum()
    private var lines: [ParticipantID?: Line] = [:]

    public init() {}

    /// Adds a sale: the result that counts, and what each model gives for the same touches under
    /// otherwise the same terms. Where something else than touches decided, every model gives
    /// that. Every column of it sums to the sale's amount.
    public mutating func add(_ sale: CreditedConversion) throws(MoneyError) {
        conversions += 1
        try total.add(sale.amount.amount, refunded: sale.refundedAmount)
        try add(sale.decision, of: sale, to: \.actual)
        for (place, model) in AttributionModel.allCases.enumerated() {
            let decision =
                model == sale.terms.model
                ? sale.decision : sale.decision.under(model, sale.terms, at: sale.occurredAt)
            try add(decision, of: sale, to: \.models[place])
        }
    }

    private mutating func add(
        _ decision: AttributionDecision, of sale: CreditedConversion,
        to column: WritableKeyPath<Line, Sum>
    ) throws(MoneyError) {
        let whole = sale.amount.amount
        let shares = decision.shares(of: whole)
        let refunded = decision.refundedShares(of: whole, refunded: sale.refundedAmount)
        for (place, credit) in decision.credits.enumerated() {
            try lines[credit.participant, default: Line(participant: credit.participant)][
                keyPath: column
            ].add(shares.credits[place], refunded: refunded[place])
        }
        guard shares.uncredited > 0 else { return }
        try lines[nil, default: Line(participant: nil)][keyPath: column]
            .add(shares.uncredited, refunded: sale.refundedAmount)
    }

    /// Whoever gains or loses most first, then by id.
    public var ranking: [Line] {
        lines.values.sorted { one, other in
            if one.largestDifference != other.largestDifference {
                return one.largestDifference > other.largestDifference
            }
            return (one.participant?.description ?? "") < (other.participant?.description ?? "")
        }
    }
}

extension MoneyError {
    /// A sum that JSON numbers still carry exactly.
    fileprivate static func sum(_ one: Int64, _ other: Int64) throws(MoneyError) -> Int64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        guard !overflow, sum <= Money.maximum else { throw .overflow }
        return sum
    }
}
