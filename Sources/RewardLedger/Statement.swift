import Model

/// A participant's money in one currency, told by the journal's accounts. All are positive when
/// normal.
public struct ParticipantBalance: Sendable, Equatable {
    /// Earned, on hold or in review.
    public var pending: Int64 = 0
    /// Approved, for the next payout.
    public var available: Int64 = 0
    /// Submitted to the provider, or given for what is not yet fulfilled.
    public var inPayout: Int64 = 0
    public var paid: Int64 = 0
    /// Paid for what was refunded; the next payout or redemption keeps it back.
    public var clawbackOwed: Int64 = 0

    public init() {}

    /// Adds a posting (or a sum of them) on one of the participant's accounts. Accounts stay within
    /// `JournalRules.balanceMax`, so that nothing here can overflow.
    mutating func add(_ amount: Int64, on account: LedgerAccount.Kind) {
        switch account {
        case .budgetReserve, .programExpense, .pointsIssued: break
        case .participantPending: pending -= amount
        case .participantAvailable: available -= amount
        case .payoutClearing: inPayout -= amount
        case .paidOut: paid -= amount
        case .clawbackReceivable: clawbackOwed += amount
        }
    }

    /// What the program owes the participant in all; negative when it is the other way round.
    public var owed: Int64 { pending + available + inPayout - clawbackOwed }
}

/// Everything that happened to a participant's money in a period, each line with what it is about,
/// so that opening balance and lines add up to the closing balance.
public struct Statement: Sendable {
    public struct Line: Sendable {
        public let transaction: LedgerTransactionID
        public let kind: JournalEntry.Kind
        public let postedAt: Instant
        public let reward: RewardID?
        /// The rule that granted the reward, and its version of then.
        public let rule: RewardRuleID?
        public let ruleVersion: Int64?
        public let payout: PayoutID?
        public let payoutReference: String?
        /// Why what was paid came back.
        public let reason: String?
        public let conversion: ConversionID?
        public fileprivate(set) var lead: LeadID?
        public let refund: RefundID?
        public let redemption: RedemptionID?
        /// What the transaction moved.
        public let change: ParticipantBalance
        /// What is owed after it.
        public let owed: Int64
    }

    public let currency: Currency
    public let opening: ParticipantBalance
    public let lines: [Line]
    public let closing: ParticipantBalance
    /// The newest link of the journal that the statement has seen.
    public let head: LedgerHead

    /// The statement with those leads alone that `isShown` lets through.
    public func naming(_ isShown: (LeadID) throws -> Bool) rethrows -> Statement {
        Statement(
            currency: currency, opening: opening,
            lines: try lines.map { line in
                guard let lead = line.lead, try !isShown(lead) else { return line }
                var line = line
                line.lead = nil
                return line
            }, closing: closing, head: head)
    }
}
