import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records

/// Two claims meet, and somebody is to decide between them: the dispute, its deadline, and who is
/// told. One transaction, from top to bottom.
enum OpenDispute {
    static let deadlineJob = "dispute.deadline"

    /// Opens a dispute of `claim` against `contested`, or against what it was refused for.
    static func run(
        _ claim: Registration, against contested: RegistrationID?, by opener: Dispute.Opener,
        reason: String?, metadata: JSONObject, actor: String, _ tx: Transaction
    ) throws -> Dispute {
        let other = try (contested ?? claim.blockedBy).flatMap {
            try RegistrationStore.find($0, tx)
        }
        let open = try other.flatMap {
            try DisputeStore.open(claim: claim.id, contested: $0.id, tx)
        }
        let ruled = try other.flatMap { try DisputeStore.ruled(between: claim.id, $0.id, tx) }
        let checked = try DisputeRules.checkOpening(
            claim: claim, contested: other, by: opener, open: open, ruled: ruled)
        let dispute = Dispute(
            id: tx.makeID(), program: claim.program, claim: claim.id, contested: checked.id,
            claimant: claim.participant, respondent: checked.participant, openedBy: opener,
            state: .open, reason: reason, owner: nil,
            dueAt: tx.now.advanced(byDays: Int(clamping: claim.terms.disputeDays)),
            escalatedAt: nil, ruling: nil, metadata: metadata, version: 1, createdAt: tx.now,
            updatedAt: tx.now)
        try DisputeStore.insert(dispute, tx)
        for registration in [claim, checked] {
            try mark(registration, with: dispute.id, tx)
        }
        try JobStore.schedule(deadlineJob, dispute.id, at: dispute.dueAt, tx)
        try DisputeEvents.tell(
            "opened", dispute, actor: actor, data: ["due_at": .string(dispute.dueAt.rfc3339)], tx)
        try CounterStore.add(1, to: "disputes.opened", of: dispute.program, tx)
        return dispute
    }

    /// Two live claims may be on the same account.
    static func overlap(
        of registration: Registration, with other: Registration, _ tx: Transaction
    ) throws {
        let current = try RegistrationStore.find(registration.id, tx) ?? registration
        _ = try run(
            current, against: other.id, by: .system,
            reason: "The two claims may be on the same account.", metadata: [:], actor: "system",
            tx)
    }

    /// The deadline has passed without a ruling: the dispute goes one step up, once.
    static func escalate(_ id: DisputeID, _ tx: Transaction) throws {
        guard var dispute = try DisputeStore.find(id, tx), dispute.state != .resolved else {
            return
        }
        dispute.escalatedAt = tx.now
        dispute.version += 1
        dispute.updatedAt = tx.now
        try DisputeStore.update(dispute, tx)
        try DisputeEvents.tell(
            "escalated", dispute, actor: "system",
            data: ["due_at": .string(dispute.dueAt.rfc3339)], tx)
    }

    private static func mark(
        _ registration: Registration, with dispute: DisputeID, _ tx: Transaction
    ) throws {
        guard registration.dispute == nil else { return }
        var registration = registration
        registration.dispute = dispute
        registration.version += 1
        registration.updatedAt = tx.now
        try RegistrationStore.update(registration, tx)
    }
}

/// Events of disputes: one for each side, which reads its own and learns nothing of the other.
enum DisputeEvents {
    /// `onlyTo`: what one side does by itself is no news to the other.
    static func tell(
        _ name: String, _ dispute: Dispute, from: Dispute.State? = nil, actor: String,
        reason: String? = nil, data: JSONValue = [:], onlyTo party: Dispute.Party = .operator,
        _ tx: Transaction
    ) throws {
        let sides = [dispute.claimant, dispute.respondent]
        for side in sides where party == .operator || dispute.party(of: side) == party {
            let isOther = sides.contains { $0 != side && $0.description == actor }
            try EventStore.append(
                NewEvent(
                    "dispute.\(name)", dispute.id, program: dispute.program, participant: side,
                    actor: isOther ? "partner" : actor, from: from?.rawValue,
                    to: dispute.state.rawValue, reason: reason, data: data), tx)
        }
    }
}
