import Model

/// A transaction of the journal before it is posted: what happened, to whose money, in one
/// currency.
public struct JournalEntry: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case rewardGranted = "reward_granted"
        case rewardApproved = "reward_approved"
        case rewardRejected = "reward_rejected"
        case rewardVoided = "reward_voided"
        /// A refund takes back what was not paid yet.
        case rewardRefunded = "reward_refunded"
        /// A refund takes back what was paid or is on its way: it is owed from now on.
        case rewardClawedBack = "reward_clawed_back"
        /// What was taken back counts again: a refund was reversed, or a count has risen again.
        /// What is still owed for it is no more, and the rest waits or is available as before.
        case rewardRestored = "reward_restored"
        /// A new decision about a sale's credit takes back what went to somebody else; what was
        /// paid of it is owed from now on.
        case rewardCorrected = "reward_corrected"
        /// What is owed meets an approved reward: its own unpaid rest after a payout returned it,
        /// or, without a payout, the participant's oldest.
        case clawbackOffset = "clawback_offset"
        /// A payout keeps back what is owed.
        case payoutClawback = "payout_clawback"
        /// A payout that came to nothing gives back what it kept.
        case payoutClawbackReturned = "payout_clawback_returned"
        case payoutSubmitted = "payout_submitted"
        case payoutPaid = "payout_paid"
        case payoutPartiallyPaid = "payout_partially_paid"
        case payoutFailed = "payout_failed"
        /// What was paid, or was on its way, came back.
        case payoutReturned = "payout_returned"
        /// A payout that was known to have failed, come back or be paid in part was paid after all;
        /// what its rewards no longer come to was paid twice, and is owed.
        case payoutPaidLate = "payout_paid_late"
        /// Points are given for an item, and what is owed is set off.
        case redemptionRequested = "redemption_requested"
        case redemptionFulfilled = "redemption_fulfilled"
        /// A redemption that came to nothing gives all back.
        case redemptionCancelled = "redemption_cancelled"
    }

    public let kind: Kind
    public let program: ProgramID
    public let participant: ParticipantID
    public let currency: Currency
    public let postings: [Posting]
    public var reward: RewardID?
    public var payout: PayoutID?
    public var conversion: ConversionID?
    public var lead: LeadID?
    public var refund: RefundID?
    public var redemption: RedemptionID?

    public init(
        _ kind: Kind, program: ProgramID, participant: ParticipantID, currency: Currency,
        postings: [Posting], reward: RewardID? = nil, payout: PayoutID? = nil,
        conversion: ConversionID? = nil, lead: LeadID? = nil, refund: RefundID? = nil,
        redemption: RedemptionID? = nil
    ) {
        self.kind = kind
        self.program = program
        self.participant = participant
        self.currency = currency
        self.postings = postings
        self.reward = reward
        self.payout = payout
        self.conversion = conversion
        self.lead = lead
        self.refund = refund
        self.redemption = redemption
    }

    /// An entry about one reward; a refund names itself.
    static func about(
        _ reward: Reward, _ kind: Kind, payout: PayoutID? = nil, refund: RefundID? = nil,
        redemption: RedemptionID? = nil, _ postings: [Posting]
    ) -> JournalEntry {
        JournalEntry(
            kind, program: reward.program, participant: reward.participant,
            currency: reward.amount.currency, postings: postings.filter { $0.amount != 0 },
            reward: reward.id, payout: payout, conversion: reward.conversion, lead: reward.lead,
            refund: refund, redemption: redemption)
    }

    static func about(
        _ redemption: Redemption, _ kind: Kind, _ postings: [Posting]
    ) -> JournalEntry {
        JournalEntry(
            kind, program: redemption.program, participant: redemption.participant,
            currency: .points, postings: postings.filter { $0.amount != 0 },
            redemption: redemption.id)
    }

    static func about(_ payout: Payout, _ kind: Kind, _ postings: [Posting]) -> JournalEntry {
        JournalEntry(
            kind, program: payout.program, participant: payout.participant,
            currency: payout.currency, postings: postings.filter { $0.amount != 0 },
            payout: payout.id)
    }
}

/// An entry that would break the books. No request can bring it about: it is a fault of this
/// program, and nothing of its transaction is kept.
public enum JournalFault: Error, Equatable, Sendable {
    case tooFewPostings
    case zeroPosting
    case accountTwice
    case unbalanced
}

/// Decisions about the journal: pure.
public enum JournalRules {
    /// No account may grow beyond what JSON numbers carry everywhere, so that every balance is
    /// told exactly; a sum over an owner's accounts cannot overflow then.
    public static let balanceMax = Money.maximum

    /// Two postings or more, none of zero, each on another account, and the sum is zero.
    public static func check(_ postings: [Posting]) throws(JournalFault) {
        guard postings.count >= 2 else { throw .tooFewPostings }
        var sum: Int128 = 0
        for (place, posting) in postings.enumerated() {
            guard posting.amount != 0 else { throw .zeroPosting }
            guard !postings[..<place].contains(where: { $0.account == posting.account }) else {
                throw .accountTwice
            }
            sum += Int128(posting.amount)
        }
        guard sum == 0 else { throw .unbalanced }
    }

    /// The balance after a posting.
    public static func balance(
        _ balance: Int64, adding amount: Int64
    ) throws(MoneyError) -> Int64 {
        let (sum, overflow) = balance.addingReportingOverflow(amount)
        guard !overflow, sum.magnitude <= balanceMax.magnitude else { throw .overflow }
        return sum
    }
}
