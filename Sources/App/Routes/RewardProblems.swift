import HTTP
import JSON
import Model
import RewardLedger

extension RewardRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .inPayout(let payout):
            Problem(
                status: 409, code: "reward_in_payout",
                detail: "A payout holds this reward; only its outcome changes it.",
                extra: [("payout_id", .string(payout.description))])
        case .partlyPaid:
            .conflict(
                "reward_partly_paid",
                "A part of this reward has been paid or redeemed; it can only be refunded, and "
                    + "paid or redeemed on.")
        case .neverTakenBack:
            .conflict(
                "never_taken_back",
                "The program's clawback_days are null: it takes nothing back that was paid. Leave "
                    + "take_back out, or claw back a reward by hand.")
        case .takenBackTooLate(let end):
            .conflict(
                "taken_back_too_late",
                "A reward of this lead was paid, and could be taken back until \(end.rfc3339), the "
                    + "program's clawback_days after its grant. Leave take_back out, or claw back "
                    + "a reward by hand.")
        case .notApproved:
            .conflict(
                "participant_not_approved",
                "A reward is given to a participant that is approved or suspended.")
        case .nothingToChoose:
            .conflict("nothing_to_choose", "The reward's rule leaves its recipient no choice.")
        case .notOffered(let kinds):
            .unprocessable(
                "kind_not_offered",
                "The reward's choices are \(kinds.map(\.rawValue).joined(separator: ", ")).")
        }
    }
}
