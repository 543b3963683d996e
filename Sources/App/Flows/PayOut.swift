import Database
import HTTP
import Model
import Programs
import Records
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
        guard let participant = try ParticipantStore.recall(draft.participant, tx) else { return }
        guard ParticipantRules.mayBePaid(participant.state) else { throw Refused(notApproved) }
    }

    /// Whether the run pays the participant.
    @Sendable
    static func standing(
        _ run: PayoutRun, _ id: ParticipantID, _ tx: Transaction
    ) throws -> PayoutStanding {
        standing(of: try ParticipantStore.recall(id, tx), in: run)
    }

    static func standing(of participant: Participant?, in run: PayoutRun) -> PayoutStanding {
        guard let participant else { return .payable }
        if let segment = run.selection.segment, participant.profile.segment != segment {
            return .outside
        }
        return ParticipantRules.mayBePaid(participant.state)
            ? .payable : .leftOut("participant_\(participant.state.rawValue)")
    }

    /// Where a payment of the participant came back, runs pay it again once it says where else.
    static func detailsChange(
        of participant: ParticipantID, to account: PaymentAccount?, _ tx: Transaction
    ) throws {
        guard let account else { return }
        let known = try TraceStore.all(of: participant, tx)
        guard try TraceStore.all(of: participant, and: [.account(account)], tx) != known else {
            return
        }
        try PayoutReturn.detailsChanged(participant, tx)
    }

    static let notApproved = Problem.conflict(
        "participant_not_approved",
        "The participant is suspended or not approved yet; nothing is paid to it.")
}
