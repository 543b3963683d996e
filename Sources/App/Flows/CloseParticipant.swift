import Database
import LeadRegistration
import Model
import Programs
import Records

/// A participant takes part no longer: its tokens end, and so do its live claims, which would keep
/// accounts from others for nobody. What it has won and earned stays. One transaction, from top to
/// bottom.
enum CloseParticipant {
    /// Gives up what did not fit in one transaction.
    static let claimsJob = "participant.claims"
    /// Claims of one transaction: a slice of a few milliseconds.
    private static let sliceClaims = 50

    static func run(_ participant: Participant, actor: String, _ tx: Transaction) throws {
        for token in try APIKeyStore.revokeAll(of: participant.id, tx) {
            try EventStore.append(
                NewEvent(
                    "api_key.revoked", token, program: participant.program,
                    participant: participant.id, actor: actor), tx)
        }
        try giveUpClaims(participant.id, tx)
    }

    /// Whoever waits for an account is told, as ever when one is given up.
    static func giveUpClaims(_ participant: ParticipantID, _ tx: Transaction) throws {
        let claims = try RegistrationStore.open(of: participant, limit: sliceClaims, tx)
        for claim in claims {
            if let lapsed = RegistrationRules.lapsed(claim, at: tx.now) {
                try MoveRegistration.record(lapsed, from: claim, "expired", actor: "system", tx)
            } else {
                _ = try MoveRegistration.run(
                    .withdraw(code: "participant_closed", reason: nil), of: claim, actor: "system",
                    tx)
            }
        }
        if claims.count == sliceClaims {
            try JobStore.schedule(claimsJob, participant, at: tx.now, tx)
        }
    }
}
