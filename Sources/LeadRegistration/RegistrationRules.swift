import Model

/// Why a claim, or an action on one, is refused. The order is the order of the checks.
public enum RegistrationRefusal: Error, Equatable, Sendable {
    /// Accounts are claimed in partner programs.
    case notPartnerProgram
    /// Neither a domain of its own, nor a company with its country, nor an e-mail address.
    case accountNotIdentifiable
    /// The program has claims on whole accounts only.
    case partNotAllowed
    /// The deal's value is in another currency than the program's.
    case valueCurrency
    /// What the program asks for as proof of a deal is not there.
    case evidenceMissing(kinds: [RegistrationTerms.Evidence], minimum: Int64)
    /// The account is a customer, or in the operator's own pipeline.
    case accountKnown
    /// The partner held the account and has to wait.
    case coolOff(until: Instant)
    /// The partner itself holds the account.
    case alreadyRegistered(RegistrationID)
    /// Another holds it, until then at the latest. Who does is not told.
    case accountProtected(until: Instant)
    /// The state does not allow the action.
    case notPossible(InvalidTransition)
    /// Extended as often as the terms allow.
    case extensionsUsedUp
    /// Protection has ended.
    case protectionOver
    /// Another may have been first: that is to be ruled before the claim is approved.
    case disputeOpen(DisputeID)
    /// Only the operator decides this.
    case operatorDecides
    /// What is over stays as it was.
    case closed(state: Registration.State)
}

/// Where a new claim meets another's.
public enum ClaimMeeting: Sendable, Equatable {
    case none
    /// The same account: the other was first.
    case conflict(RegistrationID)
    /// Perhaps the same account: both stand, and a person decides (R85).
    case overlap(RegistrationID)
}

/// Decisions about deal registrations: pure, without clock or storage.
public enum RegistrationRules {
    /// Days before its end at which a partner is reminded that protection runs out.
    public static let reminderDays: [Int64] = [14, 7, 1]

    /// What can be said of a claim without looking at others.
    public static func checkForm(
        _ identity: AccountIdentity, part: String?, opportunity: Opportunity,
        isPartnerProgram: Bool, currency: Currency, terms: RegistrationTerms
    ) throws(RegistrationRefusal) {
        guard isPartnerProgram else { throw .notPartnerProgram }
        guard !accountKeys(identity).isEmpty else { throw .accountNotIdentifiable }
        if part != nil && !terms.allowsParts { throw .partNotAllowed }
        if let value = opportunity.value, value.currency != currency { throw .valueCurrency }
        try checkEvidence(opportunity.evidence, terms)
    }

    static func checkEvidence(
        _ evidence: [Opportunity.Evidence], _ terms: RegistrationTerms
    ) throws(RegistrationRefusal) {
        let given = terms.requiredEvidence.filter { kind in evidence.contains { $0.kind == kind } }
        guard given.count < terms.evidenceMinimum, given.count < terms.requiredEvidence.count
        else { return }
        throw .evidenceMissing(
            kinds: terms.requiredEvidence.filter { !given.contains($0) },
            minimum: terms.evidenceMinimum)
    }

    /// The keys by which an account is the same, each with its kind. Free mail protects no domain,
    /// and a mailbox is the key only of an account that has no better one.
    public static func accountKeys(
        _ identity: AccountIdentity
    ) -> [(kind: AccountClaim.Kind, key: AccountKey)] {
        var keys: [(kind: AccountClaim.Kind, key: AccountKey)] = []
        if let key = identity.domainKey { keys.append((.domain, key)) }
        if let key = identity.companyKey { keys.append((.company, key)) }
        if keys.isEmpty, let email = identity.email { keys.append((.email, .email(email))) }
        return keys
    }

    /// The keys under which an account is claimed: those, and one that finds names that are alike.
    public static func claimKeys(
        _ identity: AccountIdentity
    ) -> [(kind: AccountClaim.Kind, key: AccountKey)] {
        var keys = accountKeys(identity)
        if !keys.isEmpty, let company = identity.company {
            keys.append((.name, .firstWord(of: company)))
        }
        return keys
    }

    /// How a new claim meets a live one that was found under `claim.key`. Claims of one domain, of
    /// one company where either names no domain, or of one mailbox are on the same account. Parts
    /// keep claims apart, the whole account meets every part. A partner never meets itself here.
    public static func meeting(
        of identity: AccountIdentity, part: String?, scope: ProgramID?, participant: ParticipantID,
        with claim: AccountClaim, company: CompanyName?
    ) -> ClaimMeeting {
        guard claim.participant != participant else { return .none }
        if isSameAccount(identity, claim) {
            guard claim.scope == scope else { return .overlap(claim.registration) }
            let (own, others) = (FreeText.key(part), claim.partKey)
            let isApart = own != nil && others != nil && own != others
            return isApart ? .none : .conflict(claim.registration)
        }
        guard let own = identity.company, let company, own.isSimilar(to: company) else {
            return .none
        }
        return .overlap(claim.registration)
    }

    /// Whether a claim that was found under one of the identity's keys is on the same account: two
    /// domains are two accounts, whatever their names.
    public static func isSameAccount(_ identity: AccountIdentity, _ claim: AccountClaim) -> Bool {
        switch claim.kind {
        case .domain, .email: true
        case .company: identity.domain == nil || !claim.hasDomain
        case .name: false
        }
    }

    /// Refuses an account that the operator knows or that the partner must leave alone for a while.
    public static func checkFree(
        isKnown: Bool, ownLapsedAt: Instant?, ownLive: RegistrationID?, terms: RegistrationTerms,
        at now: Instant
    ) throws(RegistrationRefusal) {
        if isKnown { throw .accountKnown }
        if let ownLapsedAt {
            let until = ownLapsedAt.advanced(byDays: Int(clamping: terms.coolOffDays))
            if until > now { throw .coolOff(until: until) }
        }
        if let ownLive { throw .alreadyRegistered(ownLive) }
    }

    /// The dates of a claim that is submitted at `now`.
    public static func dates(
        _ terms: RegistrationTerms, submittedAt now: Instant
    ) -> (decisionDue: Instant, windowEnds: Instant, protectedUntilLatest: Instant) {
        let decisionDue = now.advanced(byMilliseconds: terms.decisionHours * 3_600_000)
        let windowEnds = now.advanced(byDays: Int(clamping: terms.windowDays))
        let start = terms.protectionStarts == .submission ? now : decisionDue
        let extensions = terms.extensionsMax * terms.extensionDays
        let longest = start.advanced(byDays: Int(clamping: terms.protectionDays + extensions))
        return (decisionDue, windowEnds, max(windowEnds, longest))
    }

    /// Until when protection lasts that is approved at `now`. It counts from the decision, but a
    /// late one does not move it: others were told by when the account is free.
    public static func protectedUntil(
        _ terms: RegistrationTerms, submittedAt: Instant, decisionDueAt: Instant, at now: Instant
    ) -> Instant {
        let start = terms.protectionStarts == .submission ? submittedAt : min(now, decisionDueAt)
        return start.advanced(byDays: Int(clamping: terms.protectionDays))
    }

    /// When a claim that holds its account stops holding it by itself; nil for one that does not.
    public static func holdsUntil(_ registration: Registration) -> Instant? {
        switch registration.state {
        case .submitted: registration.windowEndsAt
        case .approved, .won: registration.protectedUntil
        case .rejected, .lost, .expired, .withdrawn, .refused: nil
        }
    }

    /// The registration after `move` at `now`, one version on.
    public static func moved(
        _ registration: Registration, by move: RegistrationMove, currency: Currency,
        at now: Instant
    ) throws(RegistrationRefusal) -> Registration {
        var changed = registration
        do {
            changed.state = try registration.state.moved(by: move.action)
        } catch {
            throw .notPossible(error)
        }
        if let end = holdsUntil(registration), end <= now { throw .protectionOver }
        if move.action == .approve, let dispute = registration.dispute {
            throw .disputeOpen(dispute)
        }
        changed.reasonCode = nil
        changed.reason = nil
        switch move {
        case .approve:
            changed.decidedAt = now
            changed.protectedUntil = protectedUntil(
                registration.terms, submittedAt: registration.createdAt,
                decisionDueAt: registration.decisionDueAt, at: now)
            if let end = changed.protectedUntil, end <= now { throw .protectionOver }
        case .reject(let code, let reason):
            changed.decidedAt = now
            changed.reasonCode = code
            changed.reason = reason
            changed.endedAt = now
        case .extend(let evidence, let reason):
            try extend(&changed, evidence, reason)
        case .win(let value):
            if let value, value.currency != currency { throw .valueCurrency }
            changed.wonValue = value
        case .lose(let code, let reason):
            changed.reasonCode = code
            changed.reason = reason
            changed.endedAt = now
        case .withdraw(let code, let reason):
            changed.reasonCode = code
            changed.reason = reason
            changed.endedAt = now
        }
        changed.version += 1
        changed.updatedAt = now
        return changed
    }

    /// A claim that is over stays as it was, and one that lives keeps the evidence it was accepted
    /// for.
    public static func checkChange(
        _ registration: Registration, from old: Registration, currency: Currency
    ) throws(RegistrationRefusal) {
        guard old.state == .submitted || old.state == .approved else {
            throw .closed(state: old.state)
        }
        if let value = registration.opportunity.value, value.currency != currency {
            throw .valueCurrency
        }
        try checkEvidence(registration.opportunity.evidence, old.terms)
    }

    /// Once more the terms' days, never beyond what others were told (R76).
    private static func extend(
        _ registration: inout Registration, _ evidence: [Opportunity.Evidence], _ reason: String?
    ) throws(RegistrationRefusal) {
        guard registration.extensions < registration.terms.extensionsMax,
            let end = registration.protectedUntil
        else { throw .extensionsUsedUp }
        registration.extensions += 1
        registration.protectedUntil = min(
            end.advanced(byDays: Int(clamping: registration.terms.extensionDays)),
            registration.protectedUntilLatest)
        registration.opportunity.evidence += evidence
        registration.reason = reason
    }

    /// The registration after it has lapsed, undecided or unprotected; nil when its time has not
    /// come. A won one stays won.
    public static func lapsed(_ registration: Registration, at now: Instant) -> Registration? {
        guard registration.state == .submitted || registration.state == .approved,
            let end = holdsUntil(registration), end <= now
        else { return nil }
        var changed = registration
        changed.reasonCode = registration.state == .submitted ? "not_decided" : "protection_ended"
        changed.reason = nil
        changed.state = .expired
        changed.endedAt = end
        changed.version += 1
        changed.updatedAt = now
        return changed
    }

    /// The instants at which reminders, and the end, of a claim fall due after `now`.
    public static func reminders(_ registration: Registration, after now: Instant) -> [Instant] {
        guard registration.state == .approved, let end = registration.protectedUntil else {
            return []
        }
        return reminderDays.map { end.advanced(byDays: Int(-$0)) }.filter { $0 > now }
    }
}

/// An action on a registration with what it needs to be told.
public enum RegistrationMove: Sendable, Equatable {
    case approve
    case reject(code: String, reason: String)
    case extend(evidence: [Opportunity.Evidence], reason: String?)
    case win(value: Money?)
    case lose(code: String?, reason: String)
    /// `code` where the system gives it up.
    case withdraw(code: String?, reason: String?)

    public var action: Registration.State.Action {
        switch self {
        case .approve: .approve
        case .reject: .reject
        case .extend: .extend
        case .win: .win
        case .lose: .lose
        case .withdraw: .withdraw
        }
    }
}

/// Why a claim is rejected, as a code to count by.
public enum RejectionCode: String, Sendable, CaseIterable {
    case noEvidence = "no_evidence"
    case notQualified = "not_qualified"
    case alreadyKnown = "already_known"
    case outsideTerritory = "outside_territory"
    case otherPartner = "other_partner"
    case other
}
