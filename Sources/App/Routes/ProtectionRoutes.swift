import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// `/v1/protection`: who may work an account, now or at an earlier instant.
enum ProtectionRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/protection", .keyOrParticipant(.read), .tracedRead(get, trace: record),
            asking)
    }

    // MARK: - Handlers

    private static func get(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let identity = try account(call)
        let asker = try call.ownParticipant("participant_id")
        let asOf = try call.asOf(reader)
        let instant = try asOf ?? max(app.clock.now(), LedgerReads.lastCommit(reader))
        var holders = try HoldAccount.holders(of: identity, at: instant, reader)
        if let own = call.participant, asOf != nil {
            // Else whoever asks again and again would find out when a rival's claim came in.
            let since = instant.dayStart
            holders.removeAll { $0.participant != own && $0.heldFrom > since }
        }
        let registrations = try holders.compactMap { claim in
            try asOf.map { try RegistrationStore.find(claim.registration, asOf: $0, reader) }
                ?? RegistrationStore.find(sequence: claim.sequence, reader)
        }
        // Today's relation says nothing of an earlier day.
        let isTaken = try asOf == nil && AccountStore.isTaken(identity, reader)
        return .object(
            json(
                Answer(
                    asOf: instant, asker: asker, isOperator: call.participant == nil,
                    isTaken: isTaken, registrations: registrations)))
    }

    private static func account(_ call: Call) throws -> AccountIdentity {
        let identity = AccountIdentity(
            domain: call.query["domain"].flatMap { DomainName(typed: $0) },
            company: call.query["company"],
            country: call.query["country"].flatMap { CountryCode($0) },
            email: call.query["email"].flatMap { EmailAddress($0) })
        guard !RegistrationRules.accountKeys(identity).isEmpty else {
            throw RegistrationRefusal.accountNotIdentifiable
        }
        return identity
    }

    /// A token asks where accounts are claimed, so many times an hour, and it is seen: else it
    /// would be a way to learn whom the operator knows. The event names the claims that were found,
    /// to the operator alone, and no account.
    private static func record(_ call: Call, _ tx: Transaction) throws {
        guard let own = call.participant, let program = call.principal.program else { return }
        guard try ProgramStore.recall(program, tx)?.kind == .partner else {
            throw RegistrationRefusal.notPartnerProgram
        }
        let identity = try account(call)
        if let free = try ProtectionLookupStore.record(by: own, tx) {
            throw Refused(ProtectionRoutes.tooMany(until: free, at: tx.now))
        }
        let found = try HoldAccount.holders(of: identity, at: tx.now, tx)
        try EventStore.append(
            NewEvent(
                "protection.looked_up", own, program: program, participant: own,
                actor: call.principal.actor,
                data: [
                    "registration_ids": .array(
                        found.map { .string($0.registration.description) })
                ]), tx)
    }

    private static func tooMany(until free: Instant, at now: Instant) -> Problem {
        let seconds = max(1, (free.milliseconds - now.milliseconds + 999) / 1_000)
        return Problem(
            status: 429, code: "too_many_lookups",
            detail: "A participant's token looks up \(ProtectionLookupStore.hourMax) accounts an "
                + "hour.", headers: [("Retry-After", String(seconds))])
    }

    /// What is known of the account, and who asks.
    private struct Answer {
        let asOf: Instant
        let asker: ParticipantID?
        let isOperator: Bool
        let isTaken: Bool
        let registrations: [Registration]

        var isProtected: Bool { !registrations.isEmpty }
        var isHolder: Bool { registrations.contains { $0.participant == asker } }

        /// Who may work it.
        var work: String {
            if isHolder { return "you" }
            if isProtected { return isOperator && asker == nil ? "partner" : "another" }
            return isTaken ? "operator" : "anyone"
        }
    }

    private static func json(_ answer: Answer) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("object", "protection")
            object.field("as_of", answer.asOf)
            object.field("protected", answer.isProtected)
            object.field("work", answer.work)
            object.field(
                "protected_until_latest",
                answer.registrations.map(\.protectedUntilLatest).max().map {
                    RegistrationRules.told($0, toOperator: answer.isOperator)
                })
            object.array("claims") { list in
                for registration in answer.registrations
                where answer.isOperator || registration.participant == answer.asker {
                    list.object { claim in
                        claim.field("registration_id", registration.id.description)
                        claim.field("participant_id", registration.participant.description)
                        claim.field("program_id", registration.program.description)
                        claim.field("status", registration.state.rawValue)
                        claim.field("part", registration.part)
                        claim.field("share", registration.share)
                        claim.field("protected_until", registration.protectedUntil)
                    }
                }
            }
        }
        return json.bytes
    }

    // MARK: - Contracts

    private static let asking = Contract(
        operationID: "getProtection",
        summary: "Who may work an account: by its domain, or its name and country, or a contact's "
            + "e-mail. A participant's token asks in partner programs, at most "
            + "\(ProtectionLookupStore.hourMax) times an hour, and each time is recorded. It never "
            + "learns who else holds it, nor since when: with "
            + "as_of others' claims show from the next midnight UTC after they came in.",
        query: [
            .optional("domain", LeadWire.typedDomain), .optional("company", .text(1...200)),
            .optional("country", ProgramTermsWire.country), .optional("email", .email),
            .optional("participant_id", .id(ParticipantID.self), "On whose behalf is asked."),
            .asOf,
        ],
        answer: .named(
            "Protection",
            .object([
                .required("object", .choice(["protection"])), .required("as_of", .time),
                .required("protected", .boolean),
                .required(
                    "work", .choice(["anyone", "you", "partner", "another", "operator"]),
                    "Who may work it: anyone; whoever asks; the partner named in claims, to whom "
                        + "direct sales hands it; another partner; the operator, whose customer it "
                        + "is."),
                .required(
                    "protected_until_latest", .nullable(.time),
                    "To a participant's token the next midnight UTC."),
                .required(
                    "claims",
                    .list(
                        .object([
                            .required("registration_id", .id(RegistrationID.self)),
                            .required("participant_id", .id(ParticipantID.self)),
                            .required("program_id", .id(ProgramID.self)),
                            .required(
                                "status", .choice(Registration.State.allCases.map(\.rawValue))),
                            .required("part", .nullable(.text(1...100))),
                            .required("share", .integer(0...10_000)),
                            .required("protected_until", .nullable(.time)),
                        ]), count: 0...300)),
            ])), others: [(422, "Nothing that tells an account.")],
        refusals: [
            RegistrationRefusal.accountNotIdentifiable.problem,
            RegistrationRefusal.notPartnerProgram.problem,
            tooMany(until: Instant(milliseconds: 60_000), at: Instant(milliseconds: 0)),
        ])
}
