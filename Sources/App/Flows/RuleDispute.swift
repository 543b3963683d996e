import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records

/// A dispute is decided, and what follows: who holds the account from now on, who gets a receipt.
/// Credit follows from the claims, as always. One transaction, from top to bottom.
struct RuleDispute: Sendable {
    let decision: Ruling.Decision
    let reason: String
    let actor: String
    let signingKey: SigningKey

    func callAsFunction(_ dispute: Dispute, _ tx: Transaction) throws -> Dispute {
        var resolved = try DisputeRules.moved(dispute, by: .resolve, at: tx.now)
        guard let claim = try RegistrationStore.find(dispute.claim, tx),
            let contested = try RegistrationStore.find(dispute.contested, tx),
            let program = try ProgramStore.recall(claim.program, tx),
            let claimant = try ParticipantStore.recall(dispute.claimant, tx)
        else {
            throw DatabaseFault(operation: "read a dispute's claims", code: DatabaseFault.corrupt)
        }
        let effect = try DisputeRules.effect(
            of: decision, claim: claim, contested: contested, reason: reason, at: tx.now)
        try DisputeRules.checkClaimant(isApproved: claimant.state == .approved, decision)
        resolved.ruling = Ruling(decision: decision, reason: reason, by: actor, at: tx.now)
        try DisputeStore.update(resolved, tx)
        try JobStore.cancel(dispute.id, tx)
        // Whoever waited for the account waits for its new holder, and is not told of it now.
        if decision == .transfer {
            try RegistrationStore.passOn(refusedBy: contested.id, to: claim.id, tx)
        }
        // The new holder first: nobody in between may be told that the account is free.
        try apply(effect.claim, from: claim, of: dispute, program.protectionScope, tx)
        try apply(effect.contested, from: contested, of: dispute, program.protectionScope, tx)
        try DisputeEvents.tell(
            "resolved", resolved, from: dispute.state, actor: actor, reason: reason,
            data: ["decision": .string(decision.name)], tx)
        try CounterStore.add(1, to: "disputes.resolved", of: dispute.program, tx)
        return resolved
    }

    private func apply(
        _ changed: Registration, from old: Registration, of dispute: Dispute, _ scope: ProgramID?,
        _ tx: Transaction
    ) throws {
        var changed = changed
        if changed.dispute == dispute.id {
            changed.dispute = try DisputeStore.earliestOpen(about: changed.id, tx)
        }
        guard changed != old else { return }
        if changed.version == old.version {
            changed.version += 1
            changed.updatedAt = tx.now
        }
        let isHeld = RegistrationRules.holdsUntil(old).map { $0 > tx.now } ?? false
        if !isHeld, let end = RegistrationRules.holdsUntil(changed), end > tx.now {
            try HoldAccount.begin(changed, scope: scope, until: end, tx)
            if try ReceiptStore.find(changed.id, tx) == nil {
                try IssueReceipt.run(changed, signingKey, tx)
            }
        }
        let event =
            changed.state == old.state
            ? "updated" : changed.state == .approved ? "approved" : "rejected"
        try MoveRegistration.record(changed, from: old, event, actor: "system", tx)
    }
}
