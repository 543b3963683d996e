import Model

/// Money of a conversion that goes back to the customer, in whole or in part. It keeps what was
/// asked and what that took; a reversal takes it out of force for good. Append-only.
///
/// A refund that comes before its sale is parked: it names the sale, and is applied with it.
public struct Refund: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case refund, chargeback, cancellation }

    public enum State: String, Sendable, CaseIterable { case parked, applied, reversed }

    public let id: RefundID
    public let program: ProgramID
    /// The operator's own name for it, unique in the program for good.
    public let externalID: String
    /// The sale's, and the sale once it has come.
    public let conversionExternalID: String
    public var conversion: ConversionID?
    public let kind: Kind
    /// Nil: the whole sale.
    public let asked: Int64?
    public let currency: Currency
    /// What the sale lost by it; nil while it is parked.
    public var applied: Int64?
    public let reason: String?
    public let createdAt: Instant
    public var appliedAt: Instant?
    public var reversal: Reversal?

    /// Why and when a refund is in force no more.
    public struct Reversal: Sendable, Equatable {
        /// A dispute that the merchant won, an order that is paid after all, a refund that there
        /// was not.
        public enum Kind: String, Sendable, CaseIterable {
            case chargebackWon = "chargeback_won"
            case reinstated, mistake
        }

        /// The operator's own name for it, unique among the program's reversals.
        public let externalID: String
        public let kind: Kind
        /// What the sale got back by it: nothing while other refunds take as much.
        public let applied: Int64
        public let reason: String?
        public let createdAt: Instant

        public init(
            externalID: String, kind: Kind, applied: Int64, reason: String?, createdAt: Instant
        ) {
            self.externalID = externalID
            self.kind = kind
            self.applied = applied
            self.reason = reason
            self.createdAt = createdAt
        }
    }

    public init(
        id: RefundID, program: ProgramID, externalID: String, conversionExternalID: String,
        conversion: ConversionID?, kind: Kind, asked: Int64?, currency: Currency,
        applied: Int64? = nil, reason: String?, createdAt: Instant, appliedAt: Instant? = nil,
        reversal: Reversal? = nil
    ) {
        self.id = id
        self.program = program
        self.externalID = externalID
        self.conversionExternalID = conversionExternalID
        self.conversion = conversion
        self.kind = kind
        self.asked = asked
        self.currency = currency
        self.applied = applied
        self.reason = reason
        self.createdAt = createdAt
        self.appliedAt = appliedAt
        self.reversal = reversal
    }

    public var state: State {
        if reversal != nil { return .reversed }
        return conversion == nil ? .parked : .applied
    }
}

/// What the refunds in force take of a sale.
public struct RefundTotal: Sendable, Equatable {
    /// What they ask for in all. A cancellation of a sale of nothing asks for 1, so that such a
    /// sale can be cancelled as well; there is nothing else to give back of it.
    public let asked: Int64
    public let sale: Money

    public init(asked: Int64, sale: Money) {
        self.asked = asked
        self.sale = sale
    }

    /// Never more than the sale.
    public var refunded: Int64 { min(asked, sale.amount) }

    /// All of it.
    public var isWhole: Bool { asked > 0 && asked >= sale.amount }

    /// What of the sale is refunded, as a part of a whole that is never nothing.
    public var part: (refunded: Int64, whole: Int64) {
        sale.amount > 0 ? (refunded, sale.amount) : (isWhole ? 1 : 0, 1)
    }

    /// With what `refund` asks for, or without it.
    public func adding(_ refund: Refund) throws(MoneyError) -> RefundTotal {
        let (sum, overflow) = asked.addingReportingOverflow(RefundTotal.ask(refund, of: sale))
        guard !overflow else { throw .overflow }
        return RefundTotal(asked: sum, sale: sale)
    }

    public func removing(_ refund: Refund) -> RefundTotal {
        RefundTotal(asked: max(0, asked - RefundTotal.ask(refund, of: sale)), sale: sale)
    }

    private static func ask(_ refund: Refund, of sale: Money) -> Int64 {
        refund.asked ?? (sale.amount > 0 ? sale.amount : refund.kind == .cancellation ? 1 : 0)
    }
}
