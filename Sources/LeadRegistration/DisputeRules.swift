import Model

/// Why a dispute, or an action on one, is refused. The order is the order of the checks.
public enum DisputeRefusal: Error, Equatable, Sendable {
    /// The claim was not refused for another's, and no other is named.
    case nothingContested
    /// Both claims are the same partner's, or one and the same.
    case sameSide
    /// Such a dispute is open.
    case alreadyOpen(DisputeID)
    /// It has been ruled between these claims; only the operator may open that again.
    case alreadyRuled(DisputeID)
    /// The state does not allow the action.
    case notPossible(InvalidTransition)
    /// The contested claim holds nothing that could be handed on.
    case nothingHeld
    /// The claimant may not refer now, so it gets no account.
    case claimantNotApproved
    /// It is decided, or nothing more can be added.
    case closed
    case evidenceFull
}

/// What a ruling does to the two claims.
public struct RulingEffect: Sendable, Equatable {
    public let claim: Registration
    public let contested: Registration

    public init(claim: Registration, contested: Registration) {
        self.claim = claim
        self.contested = contested
    }
}

/// Decisions about disputes: pure, without clock or storage.
public enum DisputeRules {
    /// Pieces of evidence in one dispute.
    public static let evidenceMax = 100

    public static func checkOpening(
        claim: Registration, contested: Registration?, by opener: Dispute.Opener, open: DisputeID?,
        ruled: DisputeID?
    ) throws(DisputeRefusal) -> Registration {
        guard let contested else { throw .nothingContested }
        guard contested.participant != claim.participant else { throw .sameSide }
        if let open { throw .alreadyOpen(open) }
        if let ruled, opener == .partner { throw .alreadyRuled(ruled) }
        return contested
    }

    public static func checkEvidence(
        _ state: Dispute.State, count: Int
    ) throws(DisputeRefusal) {
        if state == .resolved { throw .closed }
        if count >= evidenceMax { throw .evidenceFull }
    }

    /// Refuses to give anything of an account to somebody who may not refer.
    public static func checkClaimant(
        isApproved: Bool, _ decision: Ruling.Decision
    ) throws(DisputeRefusal) {
        switch decision {
        case .transfer, .split: if !isApproved { throw .claimantNotApproved }
        case .uphold, .reject: break
        }
    }

    public static func moved(
        _ dispute: Dispute, by action: Dispute.State.Action, at now: Instant
    ) throws(DisputeRefusal) -> Dispute {
        var changed = dispute
        do {
            changed.state = try dispute.state.moved(by: action)
        } catch {
            throw .notPossible(error)
        }
        changed.version += 1
        changed.updatedAt = now
        return changed
    }

    /// The two claims after the ruling. It is about what the contested claim holds of the account
    /// and about nobody else's part, so that all shares still make up the whole. A claim that gets
    /// it has it until the contested one's protection would have ended: the others were told no
    /// later date.
    public static func effect(
        of decision: Ruling.Decision, claim: Registration, contested: Registration,
        reason: String, at now: Instant
    ) throws(DisputeRefusal) -> RulingEffect {
        switch decision {
        case .reject:
            return RulingEffect(claim: claim, contested: contested)
        case .uphold:
            let loses = claim.state == .submitted || claim.state == .approved
            return RulingEffect(
                claim: loses ? overruled(claim, reason, at: now) : claim, contested: contested)
        case .transfer:
            let end = try heldUntil(contested, at: now)
            return RulingEffect(
                claim: granted(claim, share: contested.share, until: end, at: now),
                contested: overruled(contested, reason, at: now))
        case .split(let share):
            let end = try heldUntil(contested, at: now)
            var contested = contested
            let part = contested.share * share / 10_000
            contested.share -= part
            contested.version += 1
            contested.updatedAt = now
            return RulingEffect(
                claim: granted(claim, share: part, until: end, at: now), contested: contested)
        }
    }

    private static func heldUntil(
        _ contested: Registration, at now: Instant
    ) throws(DisputeRefusal) -> Instant {
        guard let end = RegistrationRules.holdsUntil(contested), end > now else {
            throw .nothingHeld
        }
        // Before approval its end is not known; at the latest it is what others were told.
        return contested.protectedUntil
            ?? min(
                now.advanced(byDays: Int(clamping: contested.terms.protectionDays)),
                contested.protectedUntilLatest)
    }

    private static func granted(
        _ claim: Registration, share: Int64, until end: Instant, at now: Instant
    ) -> Registration {
        var claim = claim
        // A part that it holds already stays with it.
        let holds = RegistrationRules.holdsUntil(claim).map { $0 > now } ?? false
        claim.share = holds ? claim.share + share : share
        claim.state = .approved
        claim.decidedAt = now
        claim.protectedUntil = max(end, claim.protectedUntil ?? end)
        claim.endedAt = nil
        claim.reasonCode = "ruling"
        claim.reason = nil
        claim.version += 1
        claim.updatedAt = now
        return claim
    }

    private static func overruled(
        _ registration: Registration, _ reason: String, at now: Instant
    ) -> Registration {
        var registration = registration
        registration.state = .rejected
        registration.decidedAt = now
        registration.endedAt = now
        registration.reasonCode = "ruling"
        registration.reason = reason
        registration.version += 1
        registration.updatedAt = now
        return registration
    }
}
