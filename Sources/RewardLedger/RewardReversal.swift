import Database
import JSON
import Model
import Records

/// What is taken back of rewards, and what counts again, each in one piece: journal, row, event.
/// The journal only grows: both ways are new entries.
extension RewardBook {
    /// Brings the rewards of the sale to what their rules give for what is left of it. It posts the
    /// difference to that alone: called twice it changes nothing. Returns those that changed.
    @discardableResult
    public static func settle(
        _ sale: RewardSale, actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        let held = try RewardStore.rewards(of: sale.conversion, tx).filter {
            $0.trigger == .conversion
        }
        let changes = zip(held, try RewardRules.nets(of: held, in: sale)).map { reward, net in
            (reward: reward, more: reward.netAmount - net)
        }
        var changed: [Reward] = []
        for (reward, more) in changes where more > 0 {
            changed.append(
                try reverse(
                    reward, Reversal(more, refund: sale.refund, reason: "refunded"), actor: actor,
                    tx))
        }
        for (reward, more) in changes where more < 0 {
            guard try reward.netAmount > 0 || mayComeBack(reward, sale.person, tx) else { continue }
            changed.append(
                try restore(reward, by: -more, refund: sale.refund, actor: actor, tx))
        }
        return changed
    }

    /// Takes back by hand all that still counts, paid or not. It never comes back.
    public static func clawBack(
        _ old: Reward, reason: String, actor: String, _ tx: Transaction
    ) throws -> Reward {
        _ = try old.state.moved(by: .clawBack)
        guard old.netAmount > 0 else { return old }
        let reversal = Reversal(old.netAmount, withdrawn: .refused, reason: reason)
        let reward = try reverse(old, reversal, actor: actor, tx)
        try RewardStore.refuse(old.id, tx)
        try takeBackTopUps(for: reward, actor: actor, tx)
        return reward
    }

    /// What is taken back of one reward, and why.
    struct Reversal {
        let more: Int64
        /// How much of that belongs to others by a new decision about the credit.
        let corrected: Int64
        /// Nil: a refund may give it back.
        let withdrawn: Reward.Withdrawal?
        let refund: RefundID?
        let reason: String

        init(
            _ more: Int64, corrected: Int64 = 0, withdrawn: Reward.Withdrawal? = nil,
            refund: RefundID? = nil, reason: String
        ) {
            self.more = more
            self.corrected = corrected
            self.withdrawn = withdrawn
            self.refund = refund
            self.reason = reason
        }

        /// How the journal names it; what is owed by it is a claw-back.
        func kind(owed: Int64) -> JournalEntry.Kind {
            if corrected > 0 { return .rewardCorrected }
            if refund != nil { return owed > 0 ? .rewardClawedBack : .rewardRefunded }
            switch withdrawn {
            case nil: return .rewardCorrected
            case .refused: return owed > 0 ? .rewardClawedBack : .rewardVoided
            case .lead, .earlierReward, .milestone, .salesRefunded: return .rewardVoided
            }
        }
    }

    /// Takes back what is not paid yet, and else claws it back.
    static func reverse(
        _ old: Reward, _ reversal: Reversal, actor: String, _ tx: Transaction
    ) throws -> Reward {
        let more = reversal.more
        let (unpaid, owed) = RewardRules.reversal(of: old, by: more)
        let held: LedgerAccount.Kind =
            old.state.isWaiting ? .participantPending : .participantAvailable
        try JournalStore.post(
            .about(
                old, reversal.kind(owed: owed), refund: reversal.refund,
                [
                    Posting(held, unpaid), Posting(.clawbackReceivable, owed),
                    Posting(try cost(of: old, tx), -more),
                ]), tx)
        var reward = old
        reward.reversedAmount += more
        reward.correctedAmount += reversal.corrected
        reward.clawbackAmount += owed
        reward.withdraw(more, for: reversal.withdrawn)
        // What a payout holds stays payable, and so keeps its state until the outcome is known.
        reward.state = RewardRules.settledState(reward)
        if reward.netAmount == 0 { reward.reason = reversal.reason }
        if reward.state == .voided { try JobStore.cancel(old.id, tx) }
        try save(
            &reward, from: old, actor: actor,
            data: [
                "refund_id": reversal.refund.map { .string($0.description) } ?? .null,
                "reversed": .integer(more), "clawed_back": .integer(owed),
            ], tx)
        return reward
    }

    /// `less` of what was taken back counts again. What its participant still owes for it is no
    /// more; the rest waits, or is available, as before.
    static func restore(
        _ old: Reward, by less: Int64, refund: RefundID?, actor: String, _ tx: Transaction
    ) throws -> Reward {
        let owed = try JournalStore.balance(
            .clawbackReceivable, of: old.participant, old.amount.currency, tx)
        let (unpaid, forgiven) = RewardRules.restoration(of: old, by: less, owed: owed)
        var reward = old
        reward.reversedAmount -= less
        reward.clawbackAmount -= forgiven
        reward.giveBackWithdrawn()
        reward.state = RewardRules.resumedState(reward)
        reward.reason = nil
        if reward.state == .approved, old.state != .approved {
            reward.payout = nil
            reward.paidAt = nil
        }
        let held: LedgerAccount.Kind =
            reward.state.isWaiting ? .participantPending : .participantAvailable
        try JournalStore.post(
            .about(
                old, .rewardRestored, refund: refund,
                [
                    Posting(try cost(of: reward, tx), less), Posting(held, -unpaid),
                    Posting(.clawbackReceivable, -forgiven),
                ]), tx)
        if reward.state == .pending, old.state == .voided {
            try JobStore.schedule(holdJob, reward.id, at: reward.holdUntil, tx)
        }
        if reward.state == .approved, old.state == .voided { try scheduleChoice(of: reward, tx) }
        try save(
            &reward, from: old, actor: actor,
            data: [
                "refund_id": refund.map { .string($0.description) } ?? .null,
                "restored": .integer(less), "no_longer_owed": .integer(forgiven),
            ], tx)
        return reward
    }

    /// Whether what was taken back in whole still has its place: where a rule gives once, another
    /// occasion may have taken it meanwhile.
    static func mayComeBack(
        _ reward: Reward, _ person: [CustomerID], _ reader: Reader
    ) throws -> Bool {
        guard let rule = reward.rule, let terms = reward.terms else { return true }
        if terms.milestone != nil {
            return try !RewardStore.rewards(by: rule, of: reward.participant, reader)
                .contains { $0.netAmount > 0 }
        }
        guard terms.oncePer == .customer else { return true }
        return try OncePlace(of: reward, person: person, reader)?.isTaken(reader) != true
    }
}

extension Reward {
    /// A person said no to all that would count if nothing were refunded.
    mutating func refuseAll() {
        withdrawnAmount = amount.amount - correctedAmount
        withdrawnFor = .refused
    }

    /// What a refund or a count took comes back with it; what a person or a lead took does not.
    mutating func giveBackWithdrawn() {
        guard withdrawnFor == .milestone || withdrawnFor == .salesRefunded else { return }
        withdrawnAmount = 0
        withdrawnFor = nil
    }

    /// Notes why `more` went; nil where a refund or a new decision took it.
    mutating func withdraw(_ more: Int64, for reason: Withdrawal?) {
        switch reason {
        case nil: break
        case .refused: refuseAll()
        case .lead, .earlierReward, .milestone, .salesRefunded:
            withdrawnAmount += more
            withdrawnFor = reason
        }
    }
}
