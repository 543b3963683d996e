import Database
import LeadRegistration
import Model
import Records

/// Which registration holds an account, and what happens when it no longer does.
enum HoldAccount {
    /// The registration holds its account from now on, under every key it is known by.
    static func begin(
        _ registration: Registration, scope: ProgramID?, until end: Instant, _ tx: Transaction
    ) throws {
        let identity = registration.identity
        guard let sequence = try RegistrationStore.sequence(of: registration.id, tx) else { return }
        for (kind, key) in RegistrationRules.claimKeys(identity) {
            try AccountClaimStore.insert(
                AccountClaim(
                    key: key, kind: kind, hasDomain: identity.domain != nil, scope: scope,
                    part: registration.part, registration: registration.id, sequence: sequence,
                    participant: registration.participant, heldFrom: tx.now, heldUntil: end), tx)
        }
    }

    /// The claims that hold the account at `instant`, each registration once, earliest first.
    static func holders(
        of identity: AccountIdentity, at instant: Instant, _ reader: Reader
    ) throws -> [AccountClaim] {
        var holders: [AccountClaim] = []
        for (_, key) in RegistrationRules.accountKeys(identity) {
            for claim in try AccountClaimStore.holding(key, at: instant, reader)
            where RegistrationRules.isSameAccount(identity, claim)
                && !holders.contains(where: { $0.registration == claim.registration })
            {
                holders.append(claim)
            }
        }
        return holders
    }

    /// The program's registrations that earn by one of the accounts at `instant`, earliest first,
    /// each with a share of it or of a part: those that had been approved by then, as they were
    /// then. An undecided one keeps others out, and earns nothing. Two companies may bear one name:
    /// where several accounts are meant, the shares of the earliest ones count, until they make up
    /// the whole.
    static func registrations(
        of identities: [AccountIdentity], in program: ProgramID, at instant: Instant,
        _ reader: Reader
    ) throws -> [Registration] {
        var found: [Registration] = []
        var left: [String?: Int64] = [:]
        for identity in identities {
            for claim in try holders(of: identity, at: instant, reader) {
                guard
                    let registration = try RegistrationStore.find(
                        claim.registration, asOf: instant, reader),
                    registration.state.isEarning,
                    registration.program == program, registration.share > 0,
                    registration.share <= left[claim.partKey, default: 10_000],
                    !found.contains(where: { $0.id == registration.id })
                else { continue }
                found.append(registration)
                left[claim.partKey, default: 10_000] -= registration.share
            }
        }
        return found
    }

    /// The registration no longer holds its account since `instant`. The earliest of those who
    /// wait for it is told.
    static func end(
        _ registration: Registration, at instant: Instant, _ tx: Transaction
    ) throws {
        try AccountClaimStore.hold(registration.id, until: instant, tx)
        guard var first = try RegistrationStore.earliestRefused(by: registration.id, tx) else {
            return
        }
        first.toldFreeAt = tx.now
        first.version += 1
        first.updatedAt = tx.now
        try RegistrationStore.update(first, tx)
        try EventStore.append(
            RegistrationEvents.event("account_free", first, actor: "system"), tx)
    }
}
