import Model

extension Statement.Line {
    /// What happened, in one sentence, from the line alone: the same line says the same for good.
    public func words(in currency: Currency) -> String {
        func money(_ amount: Int64) -> String {
            Money(amount: abs(amount), currency: currency).formatted
        }
        switch kind {
        case .rewardGranted:
            // Not every reward is held, and the line does not know.
            return "Reward of \(money(change.pending)) for \(occasion)\(byRule) is granted."
        case .rewardApproved:
            return "\(rewardName) is approved: \(money(change.available)) for the next payout."
        case .rewardRejected: return "\(rewardName) is rejected: \(takenBack(money))."
        case .rewardVoided: return "\(rewardName) no longer counts: \(takenBack(money))."
        case .rewardClawedBack where refund == nil:
            return "\(rewardName) is clawed back: \(takenBack(money))."
        case .rewardRestored:
            let cause = refund == nil ? "" : ": the refund\(name(refund)) is reversed"
            return "\(rewardName) counts again\(cause): \(givenBack(money))."
        case .rewardRefunded, .rewardClawedBack:
            return "Refund\(name(refund)) of \(occasion): \(takenBack(money)) of the reward"
                + "\(name(reward))\(byRule)."
        case .rewardCorrected:
            return "The credit for \(occasion) was decided anew: \(takenBack(money)) of the reward"
                + "\(name(reward))\(byRule)."
        case .clawbackOffset:
            guard payout != nil else {
                return "\(rewardName) is set off against what is owed: "
                    + "\(money(change.clawbackOwed))."
            }
            return "\(money(change.clawbackOwed)) that is owed for the reward\(name(reward)) is "
                + "met by what \(redemption == nil ? payoutName : redemptionName) had left unpaid "
                + "of it."
        case .payoutClawback:
            return "\(payoutName) keeps back \(money(change.clawbackOwed)) that is owed."
        case .payoutClawbackReturned:
            return "\(payoutName) came to nothing: \(money(change.clawbackOwed)) is owed again."
        case .payoutSubmitted: return "\(payoutName) of \(money(change.inPayout)) is on its way."
        case .payoutPaid: return "\(payoutName) is paid: \(money(change.paid))."
        case .payoutPartiallyPaid:
            return "\(payoutName) is paid in part: \(money(change.paid)); "
                + "\(money(change.available)) is available again."
        case .payoutFailed:
            return "\(payoutName) has failed: \(money(change.available)) is available again."
        case .payoutReturned:
            let owed =
                change.clawbackOwed == 0
                ? "" : "; \(money(change.clawbackOwed)) that was paid twice is no longer owed"
            let back = change.paid + change.inPayout
            return "\(money(back)) of \(payoutName) came back\(reason.map { " (\($0))" } ?? ""): "
                + "\(money(change.available)) is available again\(owed)."
        case .payoutPaidLate:
            if change.clawbackOwed > 0 {
                return "\(payoutName) is paid after all: \(money(change.paid)), of which "
                    + "\(money(change.clawbackOwed)) was paid twice and is owed."
            }
            return "\(payoutName) is paid after all: \(money(change.paid))."
        case .redemptionRequested:
            let setOff =
                change.clawbackOwed == 0
                ? "" : "; \(money(change.clawbackOwed)) that is owed is set off"
            return "\(redemptionName) of \(money(change.inPayout)) is requested\(setOff)."
        case .redemptionFulfilled:
            return "\(redemptionName) is fulfilled: \(money(change.paid))."
        case .redemptionCancelled:
            return "\(redemptionName) is cancelled: \(money(change.available)) is available again."
        }
    }

    private var occasion: String {
        if let conversion { return "sale \(conversion)" }
        if let lead { return "lead \(lead)" }
        return rule == nil ? "a decision by hand" : "a referral"
    }

    private var byRule: String {
        guard let rule, let ruleVersion else { return "" }
        return " by rule \(rule), version \(ruleVersion)"
    }

    private var rewardName: String { "The reward\(name(reward)) for \(occasion)\(byRule)" }

    private var payoutName: String {
        guard let payout else { return "A payout" }
        guard let payoutReference, payoutReference != payout.description else {
            return "Payout \(payout)"
        }
        return "Payout \(payout) (\(payoutReference))"
    }

    private var redemptionName: String { "Redemption\(name(redemption))" }

    private func name<Kind>(_ id: Identifier<Kind>?) -> String { id.map { " \($0)" } ?? "" }

    /// What is still owed for it is no more; the rest waits or is available.
    private func givenBack(_ money: (Int64) -> String) -> String {
        var parts: [String] = []
        if change.pending != 0 { parts.append("\(money(change.pending)) waits again") }
        if change.available != 0 {
            parts.append("\(money(change.available)) is available again")
        }
        if change.clawbackOwed != 0 {
            parts.append("\(money(change.clawbackOwed)) is not owed any more")
        }
        return parts.joined(separator: ", ")
    }

    /// What was not paid is gone; what was paid, or is on its way, is owed.
    private func takenBack(_ money: (Int64) -> String) -> String {
        let unpaid = change.pending + change.available
        switch (unpaid != 0, change.clawbackOwed != 0) {
        case (true, true):
            return "\(money(unpaid)) is taken back and \(money(change.clawbackOwed)), which was "
                + "paid or is on its way, is owed back"
        case (false, true):
            return "\(money(change.clawbackOwed)), which was paid or is on its way, is owed back"
        default: return "\(money(unpaid)) is taken back"
        }
    }
}
