import Model

/// One account of the double-entry journal, in one currency. Debits are positive, credits negative,
/// and over all accounts of a currency the balances add up to zero.
///
/// The program owns its reserve, its expense and the points given; a participant owns one of each
/// other kind.
public struct LedgerAccount: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Set aside for rewards on hold or in review; becomes expense when they are approved
        /// (debit).
        case budgetReserve = "budget_reserve"
        /// What the program spends on rewards (debit).
        case programExpense = "program_expense"
        /// The points that the program has given (debit): what it spends, counted in points.
        case pointsIssued = "points_issued"
        /// Earned and on hold or in review (credit).
        case participantPending = "participant_pending"
        /// Approved and not yet in a payout that was submitted (credit).
        case participantAvailable = "participant_available"
        /// Handed to the provider, outcome not yet known (credit); returns to zero.
        case payoutClearing = "payout_clearing"
        /// What has left (credit).
        case paidOut = "paid_out"
        /// Paid for something that was refunded; kept back from the next payout (debit).
        case clawbackReceivable = "clawback_receivable"

        /// Whether there is one for the program, and none for each participant.
        var isOfProgram: Bool {
            self == .budgetReserve || self == .programExpense || self == .pointsIssued
        }
    }

    let sequence: Int64
    public let id: LedgerAccountID
    public let kind: Kind
    public let program: ProgramID
    /// Nil for the program's own.
    public let participant: ParticipantID?
    public let currency: Currency
    /// The sum of the account's postings.
    public let balance: Int64
    public let createdAt: Instant
}

/// One line of a transaction: an amount in minor units on one of the accounts of the entry's
/// program or participant. Debits are positive.
public struct Posting: Sendable, Equatable {
    public let account: LedgerAccount.Kind
    public let amount: Int64

    public init(_ account: LedgerAccount.Kind, _ amount: Int64) {
        self.account = account
        self.amount = amount
    }
}
