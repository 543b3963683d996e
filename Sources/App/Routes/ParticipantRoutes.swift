import Database
import HTTP
import JSON
import Model
import Platform
import Programs
import Records

/// `/v1/participants`: who refers, their life, and the tokens that portals hand out for them.
enum ParticipantRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/participants"
        routes.add(.post, base, .key(.write), .write(create), creation)
        routes.add(.get, base, .keyOrParticipant(.read), .serviceRead(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .serviceRead(get), reading)
        routes.add(.patch, base + "/{id}", .key(.write), .write(update), change)
        for action in Participant.State.Action.allCases {
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", .key(.write),
                .write { try move($0, by: action) }, transition(action))
        }
        routes.add(.post, base + "/{id}/tokens", .key(.write), .write(createToken), tokenCreation)
        routes.amend { $0.secretMember = "secret" }
        routes.add(.get, base + "/{id}/tokens", .key(.read), .read(listTokens), tokenListing)
        routes.add(
            .post, base + "/{id}/tokens/{key_id}/revoke", .key(.write), .write(revokeToken),
            tokenRevocation)
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let programID: ProgramID = try call.body.required("program_id", call.body.id("program_id"))
        return { tx in
            guard let program = try ProgramStore.find(programID, tx) else {
                throw Refused(.unknownReference("/program_id"))
            }
            try ProgramRules.checkOpen(program.state, draftToo: true)
            let form = try ParticipantForm(
                call.body.timed(in: program.terms.timeZone, starts: ["account_since"]))
            let participant = form.participant(id: tx.makeID(), program: programID, at: tx.now)
            try checkUnique(participant, tx)
            try ParticipantStore.insert(participant, tx)
            try form.keepTraces(of: participant.id, tx)
            try EventStore.append(
                event(
                    "participant.\(participant.state.rawValue)", participant, call, from: nil,
                    fields: call.body.object.names), tx)
            try MakeLink.forApproved(participant, actor: call.principal.actor, tx)
            return .created(
                try json(participant, call, at: tx.now, tx),
                at: "/v1/participants/\(participant.id)",
                version: participant.version)
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let id: ParticipantID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let patched = try call.patched(
                ParticipantWire.form(old), by: ParticipantWire.changeable)
            let zone = try call.zone(of: old.program, tx)
            let form = try ParticipantForm(
                patched.timed(in: zone, starts: ["account_since"]), knowing: old.payoutAccount)
            let participant = form.changing(old, at: tx.now)
            try checkUnique(participant, tx)
            try ParticipantStore.update(participant, tx)
            try PayOut.detailsChange(of: id, to: form.newPayoutAccount, tx)
            try form.keepTraces(of: id, before: old.email, tx)
            try EventStore.append(
                event(
                    "participant.updated", participant, call, from: nil,
                    fields: call.body.object.names), tx)
            return .object(
                try json(participant, call, at: tx.now, tx), version: participant.version)
        }
    }

    private static func move(
        _ call: Call, by action: Participant.State.Action
    ) throws -> WriteStep {
        let id: ParticipantID = try call.id()
        return { tx in
            var participant = try find(id, tx)
            try call.requireMatch(version: participant.version)
            let from = participant.state
            participant.state = try participant.state.moved(by: action)
            participant.version += 1
            participant.updatedAt = tx.now
            try ParticipantStore.update(participant, tx)
            try EventStore.append(
                event("participant.\(participant.state.rawValue)", participant, call, from: from),
                tx)
            try MakeLink.forApproved(participant, actor: call.principal.actor, tx)
            if participant.state == .closed {
                try CloseParticipant.run(participant, actor: call.principal.actor, tx)
            }
            return .object(
                try json(participant, call, at: tx.now, tx), version: participant.version)
        }
    }

    private static func get(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let participant = try call.participantInPath(reader)
        return .object(
            try json(participant, call, at: app.clock.now(), reader), version: participant.version)
    }

    private static func list(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let window = try ListRequest(call) { (id: ParticipantID) in
            if let own = call.participant, own != id { return nil }
            return try ParticipantStore.sequence(of: id, reader)
        }
        var filter = ParticipantStore.Filter()
        filter.program = call.queryID("program_id")
        filter.state = call.query["status"]
        filter.only = call.participant
        filter.kind = call.query["kind"]
        filter.externalID = call.query["external_id"]
        filter.email = call.query["email"].flatMap { EmailAddress($0) }
        // A token does not find out by asking what it cannot read.
        filter.segment = call.participant == nil ? call.query["segment"] : nil
        filter.name = call.query["name"]
        let page = try ParticipantStore.page(window.page, filter, reader)
        let now = app.clock.now()
        return try .list(page, call, id: { $0.id.description }) { participant, data in
            let because = try because(participant, call, at: now, reader)
            data.object {
                ParticipantWire.write(participant, because: because, for: call.principal, &$0)
            }
        }
    }

    static func json(
        _ participant: Participant, _ call: Call, at now: Instant, _ reader: Reader
    ) throws -> [UInt8] {
        ParticipantWire.json(
            participant, because: try because(participant, call, at: now, reader),
            for: call.principal)
    }

    private static func because(
        _ participant: Participant, _ call: Call, at now: Instant, _ reader: Reader
    ) throws -> FindEligibility.Because? {
        let found = try reader.readable { try ProgramStore.find(participant.program, reader) }
        guard let program = found ?? nil else { return nil }
        return try FindEligibility.because(
            participant, program, for: call.principal, at: now, reader)
    }

    // MARK: - Tokens

    private static func createToken(_ call: Call) throws -> WriteStep {
        let id: ParticipantID = try call.id()
        let days = call.body.integer("expires_in_days") ?? 30
        let device = DeviceWire.trace(call.body)
        let secret = KeySecret(kind: .participant, randomBytes: RandomPool.bytes(32))
        return { tx in
            let participant = try find(id, tx)
            if participant.state == .closed {
                throw ParticipantRefusal.notApproved(state: participant.state)
            }
            let key = APIKey(
                id: tx.makeID(), kind: .participant, name: call.body.text("name") ?? "token",
                scopes: [], participant: id, program: participant.program, hint: secret.hint,
                createdAt: tx.now, expiresAt: tx.now.advanced(byDays: Int(days)), revokedAt: nil)
            try APIKeyStore.insert(key, hash: secret.hash, by: call.principal.actor, tx)
            try TraceStore.keep([device].compactMap { $0 }, of: id, tx)
            try EventStore.append(
                NewEvent(
                    "api_key.created", key.id, program: participant.program, participant: id,
                    actor: call.principal.actor), tx)
            return .created(
                APIKeyWire.json(key, secret: secret.text),
                at: "/v1/participants/\(id)/tokens")
        }
    }

    private static func listTokens(_ call: Call, _ reader: Reader) throws -> Response {
        let id: ParticipantID = try call.id()
        _ = try find(id, reader)
        let window = try ListRequest(call) { (key: APIKeyID) in
            guard try APIKeyStore.find(key, reader)?.participant == id else { return nil }
            return try APIKeyStore.sequence(of: key, reader)
        }
        let page = try APIKeyStore.page(window.page, participant: id, reader)
        return .list(page, call, id: { $0.id.description }) { key, data in
            data.object { APIKeyWire.write(key, &$0) }
        }
    }

    private static func revokeToken(_ call: Call) throws -> WriteStep {
        let id: ParticipantID = try call.id()
        let keyID: APIKeyID = try call.id("key_id")
        return { tx in
            guard let key = try APIKeyStore.find(keyID, tx), key.participant == id else {
                throw Refused(.notFound())
            }
            return try KeyRoutes.revoke(keyID, call, tx)
        }
    }

    // MARK: - Shared

    private static func find(_ id: ParticipantID, _ reader: Reader) throws -> Participant {
        guard let participant = try ParticipantStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        return participant
    }

    private static func checkUnique(_ participant: Participant, _ tx: Transaction) throws {
        try ParticipantRules.checkUnique(
            emailOwner: ParticipantStore.find(
                email: participant.email, in: participant.program, tx)?.id,
            externalIDOwner: participant.externalID.flatMap {
                try ParticipantStore.owner(externalID: $0, in: participant.program, tx)
            }, of: participant.id)
    }

    private static func event(
        _ type: String, _ participant: Participant, _ call: Call, from: Participant.State?,
        fields: [String] = []
    ) -> NewEvent {
        NewEvent(
            type, participant.id, program: participant.program, participant: participant.id,
            actor: call.principal.actor, from: from?.rawValue, to: participant.state.rawValue,
            data: fields.isEmpty ? [:] : ["fields": .array(fields.map { .string($0) })])
    }

    // MARK: - Contracts

    private static let refusals = Problem.examples(of: [
        ParticipantRefusal.phoneNotInternational, ParticipantRefusal.payoutAccountUnreadable,
    ])

    private static let creation = Contract(
        operationID: "createParticipant", summary: "Let somebody apply, or approve at once.",
        body: ParticipantWire.input, success: 201, answer: ParticipantWire.schema,
        refusals: refusals)

    private static let reading = Contract(
        operationID: "getParticipant", summary: "One participant.", answer: ParticipantWire.schema)

    private static let listing = Contract(
        operationID: "listParticipants", summary: "Participants, newest first.",
        query: ListRequest.fields(of: ParticipantID.self) + [
            .optional("program_id", .id(ProgramID.self)),
            .optional("status", .choice(Participant.State.allCases.map(\.rawValue))),
            .optional("kind", .choice(Participant.Kind.allCases.map(\.rawValue))),
            .optional("external_id", .key(1...200)), .optional("email", .email),
            .optional("segment", .text(1...100), "Not for a participant's token."),
            .optional("name", .text(1...200), "The whole name, in any case of ASCII letters."),
        ], answer: .page(of: ParticipantWire.schema))

    private static let change = Contract(
        operationID: "updateParticipant", summary: "Change a participant by JSON Merge Patch.",
        body: ParticipantWire.changeable.asPatch, bodyTypes: Contract.patchTypes,
        answer: ParticipantWire.schema, refusals: refusals)

    private static func transition(_ action: Participant.State.Action) -> Contract {
        Contract(
            operationID: "\(action.rawValue)Participant",
            summary: "Participant: \(action.rawValue) (\(ParticipantRoutes.way(action))).",
            body: .emptyBody, answer: ParticipantWire.schema)
    }

    private static func way(_ action: Participant.State.Action) -> String {
        switch action {
        case .approve: "applied or suspended → approved"
        case .suspend: "approved → suspended; its tokens only read"
        case .close:
            "applied, approved or suspended → closed; its tokens are revoked, its claims withdrawn"
        }
    }

    private static let tokenCreation = Contract(
        operationID: "createParticipantToken",
        summary: "A token for the participant's portal; its secret is shown once.",
        body: .object([
            .optional("name", .text(1...100)),
            .optional("expires_in_days", .integer(1...365), "Default 30."),
            .optional(
                "device_id", DeviceWire.schema,
                "What the participant opens the portal with. \(DeviceWire.about)"),
        ]), success: 201, answer: APIKeyWire.schema,
        refusals: [ParticipantRefusal.notApproved(state: .closed).problem])

    private static let tokenListing = Contract(
        operationID: "listParticipantTokens", summary: "The participant's tokens, newest first.",
        query: ListRequest.fields(of: APIKeyID.self), answer: .page(of: APIKeyWire.schema))

    private static let tokenRevocation = Contract(
        operationID: "revokeParticipantToken", summary: "Revoke a token at once.",
        body: .emptyBody, answer: APIKeyWire.schema)
}

extension ParticipantRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .phoneNotInternational:
            .unprocessable(
                "phone_not_international",
                "The phone needs a plus sign, its country's calling code and a number of there.",
                at: "/phone")
        case .payoutAccountUnreadable:
            .unprocessable(
                "payout_account_unreadable",
                "A payout account has at least four letters and digits, a digit among them, or is "
                    + "an e-mail address.", at: "/payout_account")
        case .emailTaken:
            .conflict(
                "email_taken", "Somebody with this address takes part in the program already.")
        case .externalIDTaken:
            .conflict("external_id_taken", "The external_id names another participant.")
        case .notApproved(let state):
            Problem(
                status: 409, code: "participant_not_approved",
                detail: "The participant is \(state.rawValue) and may not refer.")
        case .onlyReads(let state):
            Problem(
                status: 403, code: "participant_not_approved",
                detail: "The participant is \(state.rawValue), so its tokens only read.")
        case .notEligible(let rule):
            Problem(
                status: 422, code: "not_eligible",
                detail: "The participant may not refer: \(rule.words).",
                extra: [("rule", .string(rule.rawValue))])
        case .notEligibleUntold:
            .unprocessable("not_eligible", "The participant may not refer; ask the operator why.")
        }
    }
}

extension EligibilityTerms.Rule {
    /// The rule that is broken, in words.
    var words: String {
        switch self {
        case .goodStanding: "its account is not in good standing"
        case .accountAge: "its account is too young"
        case .inCollections: "its account is in collections"
        case .atRisk: "its account is at risk"
        case .plan: "its plan takes no part"
        case .active: "it does not use the product"
        case .relationship: "the relationship is strained"
        case .openDispute: "it has an open dispute"
        }
    }
}
