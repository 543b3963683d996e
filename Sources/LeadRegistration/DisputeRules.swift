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
        var contested = contested
        switch decision {
        case .reject: break
        case .uphold:
            guard claim.state.isHolding else { break }
            // What the claim had of the same whole goes back to who is found right.
            if shareAnAccount(claim, contested, at: now), holds(contested, at: now) {
                contested.share += claim.share
                contested.version += 1
                contested.updatedAt = now
            }
            return RulingEffect(claim: overruled(claim, reason, at: now), contested: contested)
        case .transfer:
            let end = try heldUntil(contested, at: now)
            return RulingEffect(
                claim: granted(claim, contested.share, of: contested, until: end, at: now),
                contested: overruled(contested, reason, at: now))
        case .split(let share):
            let end = try heldUntil(contested, at: now)
            // One basis point cannot be split.
            guard contested.share > 1 else { throw .nothingHeld }
            let part = max(1, contested.share * share / 10_000)
            let claim = granted(claim, part, of: contested, until: end, at: now)
            contested.share -= part
            contested.version += 1
            contested.updatedAt = now
            return RulingEffect(claim: claim, contested: contested)
        }
        return RulingEffect(claim: claim, contested: contested)
    }

    private static func holds(_ registration: Registration, at now: Instant) -> Bool {
        RegistrationRules.holdsUntil(registration).map { $0 > now } ?? false
    }

    /// Whether both hold parts of one whole, as after an earlier split. Two claims that overlap
    /// each say that they hold all of it: then what one of them is given is not added to what it
    /// says.
    private static func shareAnAccount(
        _ claim: Registration, _ contested: Registration, at now: Instant
    ) -> Bool {
        holds(claim, at: now) && claim.part == contested.part
            && claim.share + contested.share <= 10_000
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
        _ claim: Registration, _ share: Int64, of contested: Registration, until end: Instant,
        at now: Instant
    ) -> Registration {
        let holds = holds(claim, at: now)
        var claim = claim
        if shareAnAccount(claim, contested, at: now) {
            claim.share += share
        } else if !holds || claim.part == contested.part {
            claim.share = share
        }
        // A deal that it has won meanwhile stays won.
        if !holds || claim.state != .won { claim.state = .approved }
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
