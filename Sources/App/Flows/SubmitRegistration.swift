import Crypto
import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import Records

/// A partner claims an account: may it, is it free, and since when is it his. The order of the
/// writer's transactions decides who was first. One transaction, from top to bottom.
struct SubmitRegistration: Sendable {
    let participant: ParticipantID
    let account: AccountName
    let part: String?
    let contact: RegistrationContact
    let opportunity: Opportunity
    let metadata: JSONObject
    let actor: String
    /// Whether the operator's own key asks.
    let isOperator: Bool
    /// A participant's dry run, which leaves no trace: it learns whether form and offer are good,
    /// and nothing of customers and others' claims.
    let isTrial: Bool
    let signingKey: SigningKey
    /// 32 random bytes, the key of the account's fingerprint.
    let nonce: [UInt8]

    struct Outcome {
        let registration: Registration
        /// The open lead of the account that another referred.
        let openLead: Lead?
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        let (participant, program) = try facts(tx)
        let registration = claim(of: participant, in: program, id: tx.makeID(), at: tx.now)
        let identity = registration.identity
        try RegistrationRules.checkForm(
            identity, part: part, opportunity: opportunity,
            isPartnerProgram: program.kind == .partner, currency: program.currency,
            terms: registration.terms)
        let scope = program.protectionScope
        let others = try OtherClaims(identity, scope: scope, at: tx.now, tx)
        try RegistrationRules.checkFree(
            isKnown: !isTrial && AccountStore.isTaken(identity, tx),
            ownLapsedAt: others.lastLapse(of: participant.id, tx),
            ownLive: others.own(of: participant.id, part: part), terms: registration.terms,
            at: tx.now)
        if isTrial { return Outcome(registration: registration, openLead: nil) }
        if let holder = others.conflict(with: registration) {
            throw try refusal(registration, holder, tx)
        }
        let openLead = try OpenLead.ofAnother(
            than: participant.id, registration.identity, program, tx)
        try accept(registration, scope: scope, openLead, tx)
        let overlaps = try others.overlaps(with: registration, tx)
        for other in overlaps {
            try OpenDispute.overlap(of: registration, with: other, tx)
        }
        // What may be another's is not approved by the rules alone.
        guard program.terms.registration.approval == .automatic, overlaps.isEmpty else {
            let kept = try RegistrationStore.find(registration.id, tx) ?? registration
            return Outcome(registration: kept, openLead: openLead)
        }
        return Outcome(
            registration: try MoveRegistration.run(
                .approve, of: registration, actor: "system", tx), openLead: openLead)
    }

    // MARK: - Facts

    private func facts(_ tx: Transaction) throws -> (Participant, Program) {
        guard let participant = try ParticipantStore.recall(participant, tx),
            let program = try ProgramStore.recall(participant.program, tx)
        else { throw Refused(.unknownReference("/participant_id")) }
        try ProgramRules.checkOpen(program.state, draftToo: false)
        try FindEligibility.check(participant, program, at: tx.now, tx)
        return (participant, program)
    }

    private func claim(
        of participant: Participant, in program: Program, id: RegistrationID, at now: Instant
    ) -> Registration {
        let terms = program.terms.registration
        let dates = RegistrationRules.dates(terms, submittedAt: now)
        let identity = AccountIdentity(
            domain: account.domain, company: account.name, country: account.country,
            email: contact.email)
        return Registration(
            id: id, program: program.id, participant: participant.id, state: .submitted,
            account: account, part: part, contact: contact, opportunity: opportunity, terms: terms,
            programVersion: program.version, termsVersion: participant.acceptedTerms?.version,
            decisionDueAt: dates.decisionDue,
            windowEndsAt: dates.windowEnds, protectedUntil: nil,
            protectedUntilLatest: dates.protectedUntilLatest,
            fingerprinted: FingerprintedAccount(key: nonce, normalized: identity.canonical),
            metadata: metadata, createdAt: now, updatedAt: now)
    }

    // MARK: - Refused

    /// The claim came second. It is kept as evidence, once for each holder it met, and the answer
    /// says until when the account is protected at the latest, but never by whom.
    private func refusal(
        _ registration: Registration, _ holder: RegistrationID, _ tx: Transaction
    ) throws -> Refused {
        guard let holding = try RegistrationStore.find(holder, tx) else {
            throw DatabaseFault(operation: "read a holder", code: DatabaseFault.corrupt)
        }
        let known = try RegistrationStore.refusal(
            of: registration.participant, blockedBy: holder, tx)
        let end = RegistrationRules.told(holding.protectedUntilLatest, toOperator: isOperator)
        var problem = RegistrationRefusal.accountProtected(until: end).problem
        let id = known?.id ?? registration.id
        problem.members.append(("registration_id", .string(id.description)))
        let actor = actor
        if let known {
            // What it shows this time is evidence too.
            guard let more = RegistrationRules.enriched(known, by: registration, at: tx.now) else {
                return Refused(problem)
            }
            return Refused(problem) { tx in
                try RegistrationStore.update(more, tx)
                try EventStore.append(
                    RegistrationEvents.event(
                        "updated", more, actor: actor, data: ["version": .integer(more.version)]),
                    tx)
            }
        }
        let refused = registration.refused(by: holder)
        return Refused(problem) { tx in
            try RegistrationStore.insert(refused, tx)
            try EventStore.append(RegistrationEvents.event("refused", refused, actor: actor), tx)
        }
    }

    // MARK: - Accepted

    private func accept(
        _ registration: Registration, scope: ProgramID?, _ openLead: Lead?, _ tx: Transaction
    ) throws {
        try RegistrationStore.insert(registration, tx)
        try HoldAccount.begin(
            registration, scope: scope, until: registration.windowEndsAt, tx)
        try IssueReceipt.run(registration, signingKey, tx)
        var data: JSONObject = ["program_version": .integer(registration.programVersion)]
        data["open_lead_id"] = openLead.map { .string($0.id.description) }
        try EventStore.append(
            RegistrationEvents.event(
                "submitted", registration, actor: actor, data: .object(data)), tx)
        try CounterStore.add(1, to: "registrations.submitted", of: registration.program, tx)
        try JobStore.schedule(
            RegistrationJobs.decision, registration.id, at: registration.decisionDueAt, tx)
        try JobStore.schedule(
            RegistrationJobs.lapse, registration.id, at: registration.windowEndsAt, tx)
    }
}

/// The live claims that a new one may meet, found under each of its keys.
private struct OtherClaims {
    private let identity: AccountIdentity
    private let scope: ProgramID?
    private let now: Instant
    private let claims: [AccountClaim]

    init(
        _ identity: AccountIdentity, scope: ProgramID?, at now: Instant, _ tx: Transaction
    ) throws {
        self.identity = identity
        self.scope = scope
        self.now = now
        claims = try RegistrationRules.claimKeys(identity).flatMap {
            try AccountClaimStore.holding($0.key, at: now, tx)
        }
    }

    func lastLapse(of participant: ParticipantID, _ tx: Transaction) throws -> Instant? {
        try RegistrationRules.accountKeys(identity).compactMap {
            try AccountClaimStore.lastLapse(
                of: participant, $0.key, scope: scope, at: now, tx)
        }.max()
    }

    /// What the partner itself holds of the same account and part.
    func own(of participant: ParticipantID, part: String?) -> RegistrationID? {
        claims.first {
            $0.participant == participant && $0.scope == scope
                && $0.partKey == FreeText.key(part)
                && RegistrationRules.isSameAccount(identity, $0)
        }?.registration
    }

    /// The holder that was first.
    func conflict(with registration: Registration) -> RegistrationID? {
        for claim in claims {
            if case .conflict(let holder) = meeting(registration, claim, company: nil) {
                return holder
            }
        }
        return nil
    }

    /// Disputes that one claim opens by itself, at most.
    private static let overlapsMax = 3

    /// Claims that may be on the same account, each once, the earliest first.
    func overlaps(with registration: Registration, _ tx: Transaction) throws -> [Registration] {
        var found: [Registration] = []
        for claim in claims where claim.registration != registration.id {
            guard found.count < OtherClaims.overlapsMax,
                !found.contains(where: { $0.id == claim.registration }),
                let other = try RegistrationStore.find(claim.registration, tx),
                case .overlap = meeting(registration, claim, company: other.identity.company)
            else { continue }
            found.append(other)
        }
        return found
    }

    private func meeting(
        _ registration: Registration, _ claim: AccountClaim, company: CompanyName?
    ) -> ClaimMeeting {
        RegistrationRules.meeting(
            of: identity, part: registration.part, scope: scope,
            participant: registration.participant, with: claim, company: company)
    }
}

extension Program {
    /// Against whose claims this program's accounts are protected; nil: all of the instance.
    var protectionScope: ProgramID? { terms.protectionScope == .program ? id : nil }
}
