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
        let outcome = try draft(order, tx)
        // What was drafted while it was approved stays the answer to its reference.
        if outcome.isNew, !ParticipantRules.mayBePaid(participant.state) {
            throw Refused(PayOut.notApproved)
        }
        return outcome
    }

    /// What was set off stands when more is still to be: asking again goes on with it.
    private func draft(
        _ order: PayoutOrder, _ tx: Transaction
    ) throws -> (payout: Payout, isNew: Bool) {
        do {
            return try PayoutBook.create(order, tx)
        } catch let refusal as PayoutRefusal {
            guard case .offsetUnfinished = refusal else { throw refusal }
            throw Refused(refusal.problem) { try ClawbackOffset.run(order, $0) }
        }
    }

    /// A draft may be older than its participant's suspension: it goes out to nobody who may not be
    /// paid now. What the provider has already takes its way.
    static func checkPayable(_ draft: Payout, _ tx: Transaction) throws {
        if try obstacle(draft.participant, tx) != nil { throw Refused(notApproved) }
    }

    /// Why nothing is paid to a participant; nil: it may be paid.
    static func obstacle(_ id: ParticipantID, _ tx: Transaction) throws -> String? {
        guard let participant = try ParticipantStore.recall(id, tx),
            !ParticipantRules.mayBePaid(participant.state)
        else { return nil }
        return "participant_\(participant.state.rawValue)"
    }

    static let notApproved = Problem.conflict(
        "participant_not_approved",
        "The participant is suspended or not approved yet; nothing is paid to it.")
}
