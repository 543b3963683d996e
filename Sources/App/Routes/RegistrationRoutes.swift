import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Platform
import Programs
import Records

/// `/v1/registrations`: partners' claims on accounts, and their life.
enum RegistrationRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/registrations"
        routes.add(.post, base, .keyOrParticipant(.write), .serviceWrite(submit), creation)
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.patch, base + "/{id}", .keyOrParticipant(.write), .write(update), change)
        routes.add(
            .get, base + "/{id}/timeline", .keyOrParticipant(.read), .read(timeline), history)
        for action in Registration.State.Action.allCases {
            let access: Access =
                action.isForPartners ? .keyOrParticipant(.write) : .key(.write)
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", access,
                .write { try move($0, by: action) }, transition(action))
        }
    }

    // MARK: - Handlers

    private static func submit(_ call: Call, _ app: Application) throws -> WriteStep {
        let participant = try call.named(call.body)
        if let own = call.participant, own != participant {
            throw Refused(.unknownReference("/participant_id"))
        }
        let form = RegistrationForm(call.body)
        let submit = SubmitRegistration(
            participant: participant, account: form.account, part: form.part,
            contact: form.contact, opportunity: form.opportunity, metadata: form.metadata,
            actor: call.principal.actor, isOperator: call.participant == nil,
            isTrial: try call.participant != nil && DryRun.isAsked(call.request),
            signingKey: app.signingKey, nonce: RandomPool.bytes(32))
        return { tx in
            let outcome = try submit(tx)
            let registration = outcome.registration
            // Another's lead is not the claimant's to know of.
            let openLead = call.participant == nil ? outcome.openLead : nil
            return .created(
                RegistrationWire.json(registration, openLead: openLead),
                at: "/v1/registrations/\(registration.id)",
                version: registration.version)
        }
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let id: RegistrationID = try call.id()
        return { tx in
            let old = try find(id, call, tx)
            try call.requireMatch(version: old.version)
            let form = RegistrationForm(
                try call.patched(RegistrationWire.form(old), by: RegistrationWire.changeable))
            let registration = form.changing(old, at: tx.now)
            guard let program = try ProgramStore.recall(old.program, tx) else {
                throw Refused(.notFound())
            }
            try RegistrationRules.checkChange(registration, from: old, currency: program.currency)
            try RegistrationStore.update(registration, tx)
            try EventStore.append(
                RegistrationEvents.event(
                    "updated", registration, actor: call.principal.actor,
                    data: ["version": .integer(registration.version)]), tx)
            return .object(RegistrationWire.json(registration), version: registration.version)
        }
    }

    private static func move(
        _ call: Call, by action: Registration.State.Action
    ) throws -> WriteStep {
        let id: RegistrationID = try call.id()
        let move = try RegistrationMoveWire.move(action, call.body)
        return { tx in
            let old = try find(id, call, tx)
            try call.requireMatch(version: old.version)
            if call.participant != nil, action == .extend, old.terms.approval == .manual {
                throw RegistrationRefusal.operatorDecides
            }
            let registration = try MoveRegistration.run(
                move, of: old, actor: call.principal.actor, tx)
            return .object(RegistrationWire.json(registration), version: registration.version)
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let id: RegistrationID = try call.id()
        guard let instant = try call.asOf(reader) else {
            let registration = try find(id, call, reader)
            return .object(RegistrationWire.json(registration), version: registration.version)
        }
        guard let registration = try RegistrationStore.find(id, asOf: instant, reader) else {
            throw Refused(.notFound())
        }
        try call.requireOwn(registration.participant)
        return .object(RegistrationWire.json(registration))
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: RegistrationID) in
            guard let registration = try RegistrationStore.find(id, reader) else { return nil }
            if let own = call.participant, own != registration.participant { return nil }
            return try RegistrationStore.sequence(of: id, reader)
        }
        var filter = RegistrationStore.Filter()
        filter.program = call.queryID("program_id")
        filter.participant = try call.ownParticipant("participant_id")
        filter.state = call.query["status"].flatMap { Registration.State(rawValue: $0) }
        let page = try RegistrationStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { registration, data in
            data.object { RegistrationWire.write(registration, &$0) }
        }
    }

    private static func timeline(_ call: Call, _ reader: Reader) throws -> Response {
        let registration = try find(call.id(), call, reader)
        let events = try EventStore.timeline(
            of: registration.id, limit: Response.wholeMax + 1, reader)
        return .whole(events, call) { event, data in
            data.object { EventWire.write(event, for: call.principal, &$0) }
        }
    }

    static func find(
        _ id: RegistrationID, _ call: Call, _ reader: Reader
    ) throws -> Registration {
        guard let registration = try RegistrationStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        try call.requireOwn(registration.participant)
        return registration
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createRegistration",
        summary: "Claim an account. The first valid claim wins; another gets 409 "
            + "account_protected, and is kept as evidence.",
        body: RegistrationWire.input, success: 201, answer: RegistrationWire.submitted,
        refusals: Problem.referring + Problem.examples(of: RegistrationRefusal.submission))

    private static let reading = Contract(
        operationID: "getRegistration", summary: "One registration, now or as of an instant.",
        query: [.asOf], answer: RegistrationWire.schema)

    private static let listing = Contract(
        operationID: "listRegistrations", summary: "Registrations, newest first.",
        query: ListRequest.fields(of: RegistrationID.self) + [
            .optional("status", .choice(Registration.State.allCases.map(\.rawValue))),
            .optional("program_id", .id(ProgramID.self)),
            .optional("participant_id", .id(ParticipantID.self)),
        ], answer: .page(of: RegistrationWire.schema))

    private static let change = Contract(
        operationID: "updateRegistration",
        summary: "Change the contact and the deal by JSON Merge Patch; the account stays.",
        body: RegistrationWire.changeable.asPatch, bodyTypes: Contract.patchTypes,
        answer: RegistrationWire.schema,
        refusals: Problem.examples(of: RegistrationRefusal.change))

    private static let history = Contract(
        operationID: "getRegistrationTimeline",
        summary: "The first 100 things that happened to it, oldest first, with reasons.",
        answer: .page(of: EventWire.schema))

    private static func transition(_ action: Registration.State.Action) -> Contract {
        Contract(
            operationID: "\(action.rawValue)Registration",
            summary: "Registration: \(action.rawValue) (\(action.way)).",
            body: RegistrationMoveWire.input(action), answer: RegistrationWire.schema,
            refusals: Problem.examples(of: RegistrationRefusal.of(action)))
    }
}

extension Registration.State.Action {
    /// Whether a partner's token may do it to its own claim.
    fileprivate var isForPartners: Bool {
        switch self {
        case .extend, .withdraw: true
        case .approve, .reject, .win, .lose: false
        }
    }

    fileprivate var way: String {
        switch self {
        case .approve: "submitted → approved; protection begins"
        case .reject: "submitted → rejected; the account is free"
        case .extend: "approved, before protection ends; a partner may where approval is automatic"
        case .win: "approved → won; the account is a customer"
        case .lose: "approved → lost; the account is free"
        case .withdraw: "submitted or approved → withdrawn; the account is free"
        }
    }
}

extension RegistrationRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notPartnerProgram:
            .unprocessable("not_a_partner_program", "Accounts are registered in partner programs.")
        case .accountNotIdentifiable:
            .unprocessable(
                "account_not_identifiable",
                "Name the account's own domain, or its name and country, or a contact's e-mail.",
                at: "/account")
        case .partNotAllowed:
            .unprocessable(
                "part_not_allowed", "The program takes claims on whole accounts only.",
                at: "/account/part")
        case .valueCurrency:
            .unprocessable(
                "currency_mismatch", "value must be in the program's currency.",
                at: "/opportunity/value/currency")
        case .evidenceMissing(let kinds, let minimum):
            Problem(
                status: 422, code: "evidence_missing",
                detail: "The program asks for \(minimum) kinds of evidence of a deal.",
                extra: [("missing", .array(kinds.map { .string($0.rawValue) }))])
        case .accountKnown:
            .conflict("account_known", "The account is a customer or in our own pipeline.")
        case .coolOff(let until):
            Problem(
                status: 409, code: "cool_off",
                detail: "Your protection of this account has ended; it can be claimed again later.",
                extra: [("until", .string(until.rfc3339))])
        case .alreadyRegistered(let id):
            Problem(
                status: 409, code: "already_registered", detail: "The partner holds this account.",
                extra: [("registration_id", .string(id.description))])
        case .accountProtected(let until):
            Problem(
                status: 409, code: "account_protected",
                detail: "The account is protected, until protected_until_latest at the latest. "
                    + "Your claim is kept as evidence.",
                extra: [("protected_until_latest", .string(until.rfc3339))])
        case .notPossible(let transition):
            transition.problem
        case .extensionsUsedUp:
            .conflict("extensions_used_up", "The terms of this claim allow no further extension.")
        case .protectionOver:
            .conflict("protection_over", "The time of this claim is over.")
        case .disputeOpen(let id):
            Problem(
                status: 409, code: "dispute_open",
                detail: "There is an open dispute about this claim; rule it first.",
                extra: [("dispute_id", .string(id.description))])
        case .operatorDecides:
            Problem(
                status: 403, code: "operator_decides", detail: "Ask the operator for an extension.")
        case .closed(let state):
            .conflict(
                "registration_closed", "A registration that is \(state.rawValue) stays as it is.")
        }
    }
}
