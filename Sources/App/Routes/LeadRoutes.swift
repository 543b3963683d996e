import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// `/v1/leads`: referred prospects and their way through sales.
enum LeadRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/leads"
        routes.add(.post, base, .keyOrParticipant(.write), .write(create), creation)
        routes.add(.post, base + "/bulk", .keyOrParticipant(.write), .write(createMany), bulk)
        routes.add(.get, base, .keyOrParticipant(.read), .serviceRead(list), listing)
        routes.add(.get, base + "/overdue", .key(.read), .serviceRead(overdue), waiting)
        routes.add(.get, base + "/{id}", .keyOrParticipant(.read), .serviceRead(get), reading)
        routes.add(.patch, base + "/{id}", .key(.write), .write(update), change)
        routes.add(
            .get, base + "/{id}/timeline", .keyOrParticipant(.read), .serviceRead(timeline),
            history)
        routes.add(
            .get, base + "/{id}/score", .keyOrParticipant(.read), .serviceRead(score), scoring)
        routes.add(
            .get, base + "/{id}/explain", .keyOrParticipant(.read), .serviceRead(explain),
            explaining)
        routes.add(.post, base + "/{id}/told", .key(.write), .write(told), telling)
        for action in Lead.State.Action.allCases {
            routes.add(
                .post, base + "/{id}/\(action.rawValue)", .key(.write),
                .write { try move($0, by: action) }, transition(action))
        }
    }

    // MARK: - Handlers

    private static func create(_ call: Call) throws -> WriteStep {
        let submit = try submission(call.body, call)
        return { tx in
            let lead = try submit(tx)
            return .created(
                LeadWire.json(lead, for: call.principal), at: "/v1/leads/\(lead.id)",
                version: lead.version)
        }
    }

    private static func createMany(_ call: Call) throws -> WriteStep {
        let items = try BulkRequest.items(call, LeadWire.input) { try submission($0, call) }
        return { tx in
            let results = try BulkRequest.run(items, call) { try $0(tx) }
            return .object(
                BulkWire.json(results, call) { lead, json in
                    json.field("id", lead.id.description)
                    json.field("lead_status", lead.state.rawValue)
                    json.field("reason_code", lead.reasonCode)
                    IgnoredHintWire.write(lead.ignored, for: call.principal, &json)
                })
        }
    }

    /// A participant's token refers for itself, in its own program, and now: of when it was, which
    /// decides about first touches and campaigns, only the operator's word is taken.
    private static func submission(_ body: Body, _ call: Call) throws -> SubmitLead {
        var program: ProgramID? = body.id("program_id")
        var participant: ParticipantID? = body.id("participant_id")
        if let own = call.participant {
            if body.moment("referred_at") != nil { throw LeadRefusal.timeToldByParticipant }
            // It would tell who takes part.
            if body.email("referrer_email") != nil { throw LeadRefusal.otherNamedByParticipant }
            if participant != nil && participant != own {
                throw LeadRefusal.unknownReference(.participant)
            }
            if program != nil && program != call.principal.program {
                throw LeadRefusal.unknownReference(.program)
            }
            (participant, program) = (own, call.principal.program)
        }
        let form = LeadForm(body)
        let email = try body.required("email", body.email("email"))
        let isTrial = try call.participant != nil && DryRun.isAsked(call.request)
        return SubmitLead(
            program: program, participant: participant,
            hints: call.participant == nil ? Hints(body.object) : Hints(body.object).withoutTime(),
            contact: form.contact(email), firm: form.firm, channel: body.text("channel"),
            referredAt: body.moment("referred_at"), email: email, intro: form.intro,
            estimatedValue: form.estimatedValue, metadata: form.metadata, source: .api,
            isHoneypotFilled: false, formDigest: nil,
            traces: [DeviceWire.trace(body)].compactMap { $0 },
            isSentByReferrer: call.participant != nil, isTrial: isTrial,
            actor: call.principal.actor)
    }

    private static func update(_ call: Call) throws -> WriteStep {
        let id: LeadID = try call.id()
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let form = LeadForm(try call.patched(LeadWire.form(old), by: LeadWire.changeableInput))
            var lead = form.changing(old, at: tx.now)
            try AssessLead.change(&lead, from: old, tx)
            try LeadStore.update(lead, tx)
            var data: JSONObject = [
                "version": .integer(lead.version),
                "fields": .array(call.body.object.names.map { .string($0) }),
            ]
            if lead.brokenRules != old.brokenRules {
                data["broken_rules"] = .array(lead.brokenRules.map { .string($0.rawValue) })
            }
            try EventStore.append(
                NewEvent(
                    "lead.updated", id, program: lead.program,
                    participant: lead.referrer.participant, actor: call.principal.actor,
                    data: .object(data)), tx)
            return .object(LeadWire.json(lead, for: call.principal), version: lead.version)
        }
    }

    private static func move(_ call: Call, by action: Lead.State.Action) throws -> WriteStep {
        let id: LeadID = try call.id()
        let takesBack = try LeadMoveWire.takesBack(call.body)
        return { tx in
            let old = try find(id, tx)
            try call.requireMatch(version: old.version)
            let zone = try ProgramStore.recall(old.program, tx)?.terms.timeZone ?? .utc
            let move = try LeadMoveWire.move(
                action, call.body.timed(in: zone, starts: ["follow_up_at"]))
            let actor = call.principal.actor
            let lead = try MoveLead.run(move, of: old, takesBack: takesBack, actor: actor, tx)
            return .object(LeadWire.json(lead, for: call.principal), version: lead.version)
        }
    }

    private static func get(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let lead = try find(call.id(), reader)
        try requireReadable(lead, call, at: app.clock.now(), reader)
        guard let instant = try call.asOf(reader) else {
            return .object(LeadWire.json(lead, for: call.principal), version: lead.version)
        }
        guard let then = try LeadStore.find(lead.id, asOf: instant, reader) else {
            throw Refused(.notFound())
        }
        return .object(LeadWire.json(then, for: call.principal))
    }

    private static func requireReadable(
        _ lead: Lead, _ call: Call, at now: Instant, _ reader: Reader
    ) throws {
        guard let own = call.participant else { return }
        if try !lead.isReadable(by: own, at: now, reader) { throw Refused(.notFound()) }
    }

    private static func told(_ call: Call) throws -> WriteStep {
        let id: LeadID = try call.id()
        return { tx in
            let lead = try find(id, tx)
            try MoveLead.told(lead, actor: call.principal.actor, tx)
            return .object(LeadWire.json(lead, for: call.principal), version: lead.version)
        }
    }

    private static func score(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let (lead, program) = try own(call, reader)
        let score = LeadRules.score(
            lead, try AssessLead.terms(of: lead, program, reader), currency: program.currency,
            at: app.clock.now())
        return .object(LeadExplanationWire.json(score, of: lead.id))
    }

    private static func explain(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let (lead, program) = try own(call, reader)
        return .object(
            try LeadExplanationWire.json(
                lead, program, for: call.principal, at: app.clock.now(), reader))
    }

    private static func overdue(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let limit = call.query["limit"].flatMap { Int($0) } ?? 10
        let clocks = try LeadClockStore.overdue(
            at: app.clock.now(), kind: call.query["kind"].flatMap { LeadClock.Kind(rawValue: $0) },
            program: call.queryID("program_id"), limit: limit + 1, reader)
        return .whole(clocks, call, most: limit) { clock, data in
            data.object { LeadExplanationWire.write(clock, &$0) }
        }
    }

    private static func own(_ call: Call, _ reader: Reader) throws -> (Lead, Program) {
        let lead = try find(call.id(), reader)
        try call.requireOwn(lead.referrer.participant)
        guard let program = try ProgramStore.find(lead.program, reader) else {
            throw Refused(.notFound())
        }
        return (lead, program)
    }

    private static func list(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let now = app.clock.now()
        let window = try ListRequest(call) { (id: LeadID) in
            guard let lead = try LeadStore.find(id, reader) else { return nil }
            do {
                try requireReadable(lead, call, at: now, reader)
            } catch is Refused {
                return nil
            }
            return try LeadStore.sequence(of: id, reader)
        }
        var filter = LeadStore.Filter()
        filter.program = call.queryID("program_id")
        filter.participant = call.queryID("participant_id")
        filter.state = call.query["status"].flatMap { Lead.State(rawValue: $0) }
        filter.email = call.query["email"].flatMap { EmailAddress($0) }
        let created = try call.createdWindow(reader)
        filter.createdFrom = created?.lowerBound
        filter.createdBefore = created?.upperBound
        if let own = call.participant {
            if filter.participant != nil && filter.participant != own {
                throw Refused(.notFound())
            }
            filter.reader = (own, now)
        }
        let page = try LeadStore.page(window.page, filter, reader)
        return .list(page, call, id: { $0.id.description }) { lead, data in
            data.object { LeadWire.write(lead, for: call.principal, &$0) }
        }
    }

    private static func timeline(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let lead = try find(call.id(), reader)
        try requireReadable(lead, call, at: app.clock.now(), reader)
        let events = try EventStore.timeline(of: lead.id, limit: Response.wholeMax + 1, reader)
        return .whole(events, call) { event, data in
            data.object { EventWire.write(event, for: call.principal, &$0) }
        }
    }

    private static func find(_ id: LeadID, _ reader: Reader) throws -> Lead {
        guard let lead = try LeadStore.find(id, reader) else { throw Refused(.notFound()) }
        return lead
    }

    // MARK: - Contracts

    private static let creation = Contract(
        operationID: "createLead",
        summary:
            "Refer a prospect. One who is known in the program is kept as a duplicate.",
        body: LeadWire.input, success: 201, answer: LeadWire.schema,
        refusals: Problem.referring + Problem.examples(of: LeadRefusal.submission))

    private static let reading = Contract(
        operationID: "getLead", summary: "One lead, now or as of an instant.", query: [.asOf],
        answer: LeadWire.schema)

    private static let bulk = Contract(
        operationID: "createLeads",
        summary: "Refer up to 100 prospects; each has its own result, or with atomic all or none.",
        body: BulkRequest.schema(of: LeadWire.input),
        answer: BulkWire.schema(
            "LeadBulkResult",
            [
                .optional("id", .id(LeadID.self)),
                .optional("lead_status", .choice(Lead.State.allCases.map(\.rawValue))),
                .optional("reason_code", .nullable(.text(1...40))),
                .optional("ignored", IgnoredHintWire.list, IgnoredHintWire.about),
            ]))

    private static let scoring = Contract(
        operationID: "getLeadScore", summary: "How promising the lead is today, in parts.",
        answer: LeadExplanationWire.score)

    private static let explaining = Contract(
        operationID: "explainLead",
        summary: "Which rules of the program it passes and breaks, and who works it, and why.",
        answer: LeadExplanationWire.schema)

    private static let telling = Contract(
        operationID: "markReferrerTold",
        summary: "The referrer was told how the lead fares; its clocks for that stop.",
        body: .emptyBody, answer: LeadWire.schema)

    private static let waiting = Contract(
        operationID: "listOverdueLeads",
        summary: "What was to be done for leads and was not, the longest overdue first.",
        query: [
            .optional("limit", .integer(1...100), "How many, 10 unless told."),
            .optional("kind", .choice(LeadClock.Kind.allCases.map(\.rawValue))),
            .optional("program_id", .id(ProgramID.self)),
        ], answer: .page(of: LeadExplanationWire.clock))

    private static let listing = Contract(
        operationID: "listLeads",
        summary:
            "Leads, newest first; those of robots only with status=spam. A participant's token "
            + "lists what it referred, and what it works while it holds the account.",
        query: ListRequest.fields(of: LeadID.self) + ListRequest.createdFields + [
            .optional("status", .choice(Lead.State.allCases.map(\.rawValue))),
            .optional("program_id", .id(ProgramID.self)),
            .optional("participant_id", .id(ParticipantID.self)),
            .optional("email", .email, "Every spelling of the same mailbox is found."),
        ], answer: .page(of: LeadWire.schema))

    private static let change = Contract(
        operationID: "updateLead", summary: "Change what is known of a lead by JSON Merge Patch.",
        body: LeadWire.changeableInput.asPatch, bodyTypes: Contract.patchTypes,
        answer: LeadWire.schema)

    private static let history = Contract(
        operationID: "getLeadTimeline",
        summary: "The first 100 things that happened to the lead, oldest first, with reasons.",
        answer: .page(of: EventWire.schema))

    private static func transition(_ action: Lead.State.Action) -> Contract {
        Contract(
            operationID: "\(action.rawValue)Lead",
            summary: "Lead: \(action.rawValue) (\(LeadRoutes.way(action))).",
            body: LeadMoveWire.input(action), answer: LeadWire.schema,
            refusals: Problem.examples(of: LeadRefusal.of(action))
                + Problem.examples(of: RewardRefusal.of(action)))
    }

    private static func way(_ action: Lead.State.Action) -> String {
        switch action {
        case .qualify: "submitted or nurture → qualified; grants rewards for lead.qualified"
        case .disqualify:
            "submitted, qualified or nurture → disqualified; takes back rewards for the lead"
        case .advance: "qualified → opportunity"
        case .win: "opportunity or qualified → won; grants rewards for lead.won"
        case .lose:
            "qualified, opportunity or won → lost; rewards for earlier steps stay, those for "
                + "lead.won are taken back"
        case .nurture: "submitted → nurture, until follow_up_at"
        case .reopen: "disqualified, lost, nurture, duplicate or spam → submitted"
        case .attach:
            "submitted or duplicate → duplicate of an opportunity; takes back the lead's rewards"
        }
    }
}

extension LeadRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .timeToldByParticipant:
            Problem(
                status: 403, code: "time_not_taken",
                detail: "A participant's token refers now; referred_at is for the operator's keys.",
                errors: [
                    FieldError(
                        pointer: "/referred_at", code: "not_allowed",
                        detail: "is not taken from a participant's token")
                ])
        case .otherNamedByParticipant:
            .invalidField(
                "/referrer_email", code: "not_taken",
                detail: "A participant's token refers for itself; leave referrer_email out.")
        case .programMissing:
            .unprocessable(
                "program_required",
                "Name the program_id, or a participant_id, click_id, ref or code that has one.",
                at: "/program_id")
        case .unknownReference(let reference):
            .unknownReference("/\(reference.rawValue)")
        case .notPossible(let transition):
            transition.problem
        case .valueCurrency:
            .unprocessable(
                "currency_mismatch", "value must be in the program's currency.",
                at: "/value/currency")
        case .followUpNotLater:
            .unprocessable(
                "follow_up_not_later", "follow_up_at must be in the future.", at: "/follow_up_at")
        case .referredLater:
            .unprocessable(
                "referred_later", "referred_at must not be in the future.", at: "/referred_at")
        case .notValid(let rules):
            Problem(
                status: 409, code: "lead_not_valid",
                detail: "The lead breaks rules of the program; qualify it with an override_reason.",
                extra: [("rules", .array(rules.map { .string($0.rawValue) }))])
        case .checklistIncomplete(let missing, let minimum):
            Problem(
                status: 409, code: "checklist_incomplete",
                detail: "\(minimum) items of the program's checklist must be confirmed.",
                extra: [("missing", .array(missing.map { .string($0.rawValue) }))])
        case .notAnOpportunity:
            .conflict("not_an_opportunity", "lead_id names no opportunity of this program.")
        }
    }
}
