import Database
import JSON
import Model
import Records

/// What a person gives by hand, for a reason and by no rule (R146, R185): an adjustment that the
/// journal shows as such.
public struct ManualReward: Sendable {
    public let program: ProgramID
    public let programVersion: Int64
    public let participant: ParticipantID
    public let kind: RewardRule.Kind
    /// Money, or points.
    public let amount: Money
    /// From which amount on a person reviews it, and whether another must in any case.
    public let threshold: Int64?
    public let isReviewed: Bool
    public let reason: String
    public let actor: String

    public init(
        program: ProgramID, programVersion: Int64, participant: ParticipantID,
        kind: RewardRule.Kind, amount: Money, threshold: Int64?, isReviewed: Bool, reason: String,
        actor: String
    ) {
        self.program = program
        self.programVersion = programVersion
        self.participant = participant
        self.kind = kind
        self.amount = amount
        self.threshold = threshold
        self.isReviewed = isReviewed
        self.reason = reason
        self.actor = actor
    }

    /// It explains itself: by whom, why, and how much.
    var basis: JSONValue {
        [
            "manual": ["actor": .string(actor), "reason": .string(reason)],
            "program_version": .integer(programVersion),
            "arithmetic": ["amount": .integer(amount.amount)],
            "approval_threshold": threshold.map { .integer($0) } ?? .null,
        ]
    }
}

extension RewardBook {
    /// Gives it: no hold, no limit and no budget holds back what a person decides, but it counts to
    /// them. It waits for another person where the program wants that, or by its amount.
    public static func give(_ manual: ManualReward, _ tx: Transaction) throws -> Reward {
        let amount = manual.amount.amount
        let state: Reward.State =
            manual.isReviewed
            ? .review
            : RewardRules.firstState(
                amount, whole: amount, holdDays: 0, threshold: manual.threshold)
        let reward = Reward(
            id: tx.makeID(), program: manual.program, participant: manual.participant, rule: nil,
            ruleVersion: nil, trigger: .manual, kind: manual.kind, lead: nil, conversion: nil,
            attribution: nil, payout: nil, state: state, amount: manual.amount, reversedAmount: 0,
            correctedAmount: 0, clawbackAmount: 0, settledAmount: 0, basis: manual.basis,
            reason: manual.reason, holdUntil: tx.now, approvedAt: state == .approved ? tx.now : nil,
            paidAt: nil, version: 1, createdAt: tx.now, updatedAt: tx.now)
        try JournalStore.post(
            .about(
                reward, .rewardGranted,
                [
                    Posting(reward.costAccount(isReserved: true), amount),
                    Posting(.participantPending, -amount),
                ]), tx)
        if state == .approved { try postApproval(reward, tx) }
        try RewardStore.insert(reward, tx)
        try tell(reward, from: nil, actor: manual.actor, tx)
        return reward
    }
}
