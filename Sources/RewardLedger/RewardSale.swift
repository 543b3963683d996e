import Model

/// A sale as its rewards follow it: who is credited with it by the newest result, and what of it is
/// left after the refunds in force.
public struct RewardSale: Sendable {
    public let conversion: ConversionID
    public let program: ProgramID
    /// When it was recorded: the rules of that moment apply.
    public let recordedAt: Instant
    /// Its whole, which is never nothing, and what of that is refunded.
    public let whole: Int64
    public let refunded: Int64
    /// What brought it here last.
    public let refund: RefundID?
    /// What each is credited with of the whole, and of what is left.
    public let credits: [Credit]
    public let rest: [Credit]
    /// Every customer that is the same person as its buyer, and as its lead.
    public let person: [CustomerID]

    public init(
        conversion: ConversionID, program: ProgramID, recordedAt: Instant, whole: Int64,
        refunded: Int64, refund: RefundID?, credits: [Credit], rest: [Credit],
        person: [CustomerID]
    ) {
        self.conversion = conversion
        self.program = program
        self.recordedAt = recordedAt
        self.whole = whole
        self.refunded = refunded
        self.refund = refund
        self.credits = credits
        self.rest = rest
        self.person = person
    }

    public var isRefunded: Bool { refunded >= whole }
}
