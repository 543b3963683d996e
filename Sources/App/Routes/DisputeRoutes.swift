import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import Records

/// `/v1/disputes`: two claims on one account, what each side shows, and the ruling.
enum DisputeRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/disputes"
        routes.add(.post, base, .keyOrParticipant(.write), .write(open), opening)
        routes.add(.get, base, .keyOrParticipant(.read), .read(list), listing)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .read(get), reading)
        routes.add(
            .get, base + "/{id}/timeline", .keyOrParticipant(.read), .read(timeline), history)
        routes.add(.post, base + "/{id}/review", .key(.write), .write(review), reviewing)
        routes.add(
            .post, base + "/{id}/evidence", .keyOrParticipant(.write), .write(add), showing)
        routes.add(.post, base + "/{id}/resolve", .key(.write), .serviceWrite(resolve), ruling)
    }

    // MARK: - Handlers

    private static func open(_ call: Call) throws -> WriteStep {
        let claimID: RegistrationID = try call.body.required(
            "registration_id", call.body.id("registration_id"))
        let against: RegistrationID? = call.body.id("against_id")
        // A partner knows nobody else's claim, and must not try numbers.
        if call.participant != nil && against != nil {
            throw Refused(.unknownReference("/against_id"))
        }
        return { tx in
            guard let claim = try RegistrationStore.find(claimID, tx),
                call.participant == nil || call.participant == claim.participant
            else { throw Refused(.unknownReference("/registration_id")) }
            if let against, try RegistrationStore.find(against, tx) == nil {
                throw Refused(.unknownReference("/against_id"))
            }
            let dispute = try OpenDispute.run(
                claim, against: against, by: call.participant == nil ? .operator : .partner,
                reason: call.body.text("reason"), metadata: call.body.metadata,
                actor: call.principal.actor, tx)
            return try .created(
                DisputeWire.json(told(dispute, call, tx), [], for: call.principal),
                at: "/v1/disputes/\(dispute.id)", version: 1)
        }
    }

    private static func review(_ call: Call) throws -> WriteStep {
        let id: DisputeID = try call.id()
        return { tx in
            let old = try find(id, call, tx)
            try call.requireMatch(version: old.version)
            var dispute = try DisputeRules.moved(old, by: .review, at: tx.now)
            dispute.owner = call.body.text("owner") ?? old.owner
            try DisputeStore.update(dispute, tx)
            try DisputeEvents.tell(
                "under_review", dispute, from: old.state, actor: call.principal.actor, tx)
            return try answer(dispute, call, tx)
        }
    }

    private static func add(_ call: Call) throws -> WriteStep {
        let id: DisputeID = try call.id()
        let note = try call.body.requiredText("note")
        let asked = call.body.text("party").flatMap { Dispute.Party(rawValue: $0) }
        return { tx in
            var dispute = try find(id, call, tx)
            let own = call.participant.flatMap { dispute.party(of: $0) }
            try DisputeRules.checkEvidence(
                dispute.state, count: DisputeStore.evidence(of: id, tx).count)
            let party = own ?? asked ?? .operator
            try DisputeStore.add(
                DisputeEvidence(party: party, note: note, createdAt: tx.now), to: id, tx)
            dispute.version += 1
            dispute.updatedAt = tx.now
            try DisputeStore.update(dispute, tx)
            try DisputeEvents.tell(
                "evidence_added", dispute, actor: call.principal.actor,
                data: ["party": .string(party.rawValue)], onlyTo: party, tx)
            return try answer(dispute, call, tx)
        }
    }

    private static func resolve(_ call: Call, _ app: Application) throws -> WriteStep {
        let id: DisputeID = try call.id()
        let decision = try decision(call.body)
        let rule = RuleDispute(
            decision: decision, reason: try call.body.requiredText("reason"),
            actor: call.principal.actor, signingKey: app.signingKey)
        return { tx in
            let old = try find(id, call, tx)
            try call.requireMatch(version: old.version)
            return try answer(rule(old, tx), call, tx)
        }
    }

    private static func decision(_ body: Body) throws -> Ruling.Decision {
        let share = body.integer("claimant_share")
        switch try body.requiredText("decision") {
        case "uphold": return .uphold
        case "transfer": return .transfer
        case "split":
            guard let share else {
                throw Refused(
                    .unprocessable(
                        "share_required", "split needs the claimant_share.", at: "/claimant_share")
                )
            }
            return .split(claimantShare: share)
        default: return .reject
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        try answer(find(call.id(), call, reader), call, reader)
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { (id: DisputeID) in
            guard let dispute = try DisputeStore.find(id, reader) else { return nil }
            if let own = call.participant, dispute.party(of: own) == nil { return nil }
            return try DisputeStore.sequence(of: id, reader)
        }
        var filter = DisputeStore.Filter()
        filter.program = call.queryID("program_id")
        filter.participant = try call.ownParticipant("participant_id")
        filter.state = call.query["status"].flatMap { Dispute.State(rawValue: $0) }
        let page = try DisputeStore.page(window.page, filter, reader)
        let evidence = try page.items.map { try DisputeStore.evidence(of: $0.id, reader) }
        let items = try page.items.map { try told($0, call, reader) }
        return .list(
            Page(
                items: Array(zip(items, evidence)), hasMore: page.hasMore,
                request: window.page, total: page.total), call, id: { $0.0.id.description }
        ) { item, data in
            data.object { DisputeWire.write(item.0, item.1, for: call.principal, &$0) }
        }
    }

    private static func timeline(_ call: Call, _ reader: Reader) throws -> Response {
        let dispute = try find(call.id(), call, reader)
        let events = try events(of: dispute, reader)
        // Each side has its own row of what both are told; the operator reads the claimant's, and
        // what only the respondent was told.
        let shown = events.filter { event in
            if let own = call.participant { return event.participant == own }
            return event.participant == dispute.claimant || isOfOneSide(event)
        }
        return .whole(shown, call) { event, data in
            data.object { EventWire.write(event, for: call.principal, &$0) }
        }
    }

    private static func events(of dispute: Dispute, _ reader: Reader) throws -> [Event] {
        try EventStore.timeline(of: dispute.id, limit: 2 * Response.wholeMax + 2, reader)
    }

    private static func isOfOneSide(_ event: Event) -> Bool {
        let data = try? JSONValue.parse(Array(event.data.utf8))
        let party = data?.objectValue?["party"]?.stringValue
        return party.map { $0 != Dispute.Party.operator.rawValue } ?? false
    }

    /// The dispute as the caller may know it: to a party its version and time of change count what
    /// that party was told, and so say nothing of what the other does.
    private static func told(
        _ dispute: Dispute, _ call: Call, _ reader: Reader
    ) throws -> Dispute {
        guard let own = call.participant else { return dispute }
        let events = try events(of: dispute, reader).filter { $0.participant == own }
        var told = dispute
        told.version = Int64(max(1, events.count))
        told.updatedAt = events.last?.occurredAt ?? dispute.createdAt
        return told
    }

    private static func answer(
        _ dispute: Dispute, _ call: Call, _ reader: Reader
    ) throws -> Response {
        let evidence = try DisputeStore.evidence(of: dispute.id, reader)
        let dispute = try told(dispute, call, reader)
        return .object(
            DisputeWire.json(dispute, evidence, for: call.principal), version: dispute.version)
    }

    private static func find(
        _ id: DisputeID, _ call: Call, _ reader: Reader
    ) throws -> Dispute {
        guard let dispute = try DisputeStore.find(id, reader) else { throw Refused(.notFound()) }
        if let own = call.participant, dispute.party(of: own) == nil { throw Refused(.notFound()) }
        return dispute
    }

    // MARK: - Contracts

    private static let opening = Contract(
        operationID: "openDispute",
        summary: "Ask for a ruling between two claims. A partner names its own refused claim.",
        body: DisputeWire.input, success: 201, answer: DisputeWire.schema,
        refusals: Problem.examples(of: DisputeRefusal.opening))

    private static let reading = Contract(
        operationID: "getDispute", summary: "One dispute.", answer: DisputeWire.schema)

    private static let listing = Contract(
        operationID: "listDisputes", summary: "Disputes, newest first.",
        query: ListRequest.fields(of: DisputeID.self) + [
            .optional("status", .choice(Dispute.State.allCases.map(\.rawValue))),
            .optional("program_id", .id(ProgramID.self)),
            .optional("participant_id", .id(ParticipantID.self), "On either side."),
        ], answer: .page(of: DisputeWire.schema))

    private static let history = Contract(
        operationID: "getDisputeTimeline",
        summary: "The first 100 things that happened to it, oldest first.",
        answer: .page(of: EventWire.schema))

    private static let reviewing = Contract(
        operationID: "reviewDispute", summary: "Dispute: review (open → under_review).",
        body: .object([.optional("owner", .text(1...200), "Who looks into it.")]),
        answer: DisputeWire.schema)

    private static let showing = Contract(
        operationID: "addDisputeEvidence",
        summary: "Show something. The other side does not see it.",
        body: .object([
            .required("note", .prose(1...4000)),
            .optional(
                "party", .choice(Dispute.Party.allCases.map(\.rawValue)),
                "On whose behalf a key adds it; operator unless told."),
        ]), answer: DisputeWire.schema, refusals: Problem.examples(of: DisputeRefusal.adding))

    private static let ruling = Contract(
        operationID: "resolveDispute",
        summary: "Decide (open or under_review → resolved): uphold the contested claim, transfer "
            + "the account, split it, or reject the dispute.",
        body: .object([
            .required("decision", .choice(Ruling.Decision.names)),
            .optional(
                "claimant_share", .integer(1...9999),
                "split: the claimant's basis points of what the contested claim holds."),
            .required("reason", .prose(1...2000), "Kept for good: no personal data."),
        ]), answer: DisputeWire.schema,
        refusals: Problem.examples(of: DisputeRefusal.ruling) + [
            .unprocessable(
                "share_required", "split needs the claimant_share.", at: "/claimant_share")
        ])
}

extension DisputeRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .nothingContested:
            .unprocessable(
                "nothing_contested", "The claim was not refused for another one; name against_id.",
                at: "/against_id")
        case .sameSide:
            .unprocessable("same_side", "Both claims are the same partner's.")
        case .alreadyOpen(let id):
            Problem(
                status: 409, code: "dispute_open", detail: "There is a dispute over these claims.",
                extra: [("dispute_id", .string(id.description))])
        case .alreadyRuled(let id):
            Problem(
                status: 409, code: "already_ruled",
                detail: "A dispute over these claims has been ruled; the ruling stands.",
                extra: [("dispute_id", .string(id.description))])
        case .notPossible(let transition):
            transition.problem
        case .closed:
            .conflict("dispute_resolved", "A resolved dispute takes no further evidence.")
        case .evidenceFull:
            .conflict("evidence_full", "The dispute has all the evidence it can take.")
        case .nothingHeld:
            .conflict(
                "nothing_held",
                "The contested claim holds the account no longer, so there is nothing to hand on.")
        case .claimantNotApproved:
            .conflict(
                "participant_not_approved",
                "The claimant is not approved, so it cannot be given the account.")
        }
    }
}
