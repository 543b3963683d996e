import Database
import HTTP
import Model
import Programs
import RewardLedger

/// A participant is to be paid: all approved rewards of one kind in the program's currency that no
/// payout holds, less what is owed back.
struct PayOut: Sendable {
    let participant: ParticipantID
    let reference: String
    /// Must be the program's, when given.
    let currency: Currency?
    let kind: Payout.Kind
    /// Whether it is paid however little it is.
    let overridesMinimum: Bool
    let actor: String

    func callAsFunction(_ tx: Transaction) throws -> (payout: Payout, isNew: Bool) {
        guard let participant = try ParticipantStore.recall(participant, tx),
            let program = try ProgramStore.recall(participant.program, tx)
        else { throw Refused(.unknownReference("/participant_id")) }
        var order = PayoutOrder(
            reference: reference, participant: participant.id, program: program.id,
            currency: currency ?? program.currency, kind: kind, actor: actor)
        if !overridesMinimum { order.minimum = program.terms.payouts.minimum }
        let outcome = try PayoutBook.create(order, tx)
        // What was drafted while it was approved stays the answer to its reference.
        if outcome.isNew, participant.state != .approved {
            throw Refused(PayOut.notApproved)
        }
        return outcome
    }

    /// A draft may be older than its participant's suspension or end: it goes out to nobody who is
    /// not approved now. What the provider has already takes its way.
    static func checkApproved(_ draft: Payout, _ tx: Transaction) throws {
        guard try isApproved(draft.participant, tx) else { throw Refused(notApproved) }
    }

    static func isApproved(_ participant: ParticipantID, _ tx: Transaction) throws -> Bool {
        try ParticipantStore.recall(participant, tx)?.state == .approved
    }

    /// Money goes to participants who are approved; what others earned waits (R238).
    static let notApproved = Problem.conflict(
        "participant_not_approved", "The participant is not approved; nothing is paid to it.")
}
