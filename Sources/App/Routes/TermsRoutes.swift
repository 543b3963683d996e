import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// `/v1/programs/{id}/terms`: the legal terms of a program as people read them, version by version,
/// and `/v1/participants/{id}/accept_terms`. The newest accepted version is kept with the
/// participant, and with each of its leads and registrations as it was then, so that a disputed
/// payment can be settled by the text that was accepted (R34).
enum TermsRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/programs/{id}/terms"
        routes.add(.post, base, .key(.write), .write(publish), publication)
        routes.add(.get, base, .keyOrParticipant(.read), .read(get), reading)
        routes.add(
            .post, "/v1/participants/{id}/accept_terms", .keyOrParticipant(.write),
            .write(accept), acceptance)
    }

    // MARK: - Handlers

    private static func publish(_ call: Call) throws -> WriteStep {
        let id: ProgramID = try call.id()
        let text = try call.body.requiredText("text")
        return { tx in
            guard try ProgramStore.find(id, tx) != nil else { throw Refused(.notFound()) }
            let newest = try PublishedTermsStore.newest(of: id, tx)
            if let newest, newest.text == text {
                return .object(json(newest, newest: newest.version, for: call.principal))
            }
            let terms = PublishedTerms(
                program: id, version: (newest?.version ?? 0) + 1, text: text,
                actor: call.principal.actor, createdAt: tx.now)
            try PublishedTermsStore.insert(terms, tx)
            try EventStore.append(
                NewEvent(
                    "program.terms_published", id, program: id, actor: call.principal.actor,
                    data: ["terms_version": .integer(terms.version)]), tx)
            return .created(
                json(terms, newest: terms.version, for: call.principal),
                at: "/v1/programs/\(id)/terms?version=\(terms.version)")
        }
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let id = try program(call, reader)
        let newest = try PublishedTermsStore.newest(of: id, reader)
        let version = call.query["version"].flatMap { Int64($0) }
        let asked = try version.map { try PublishedTermsStore.find(version: $0, of: id, reader) }
        guard let terms = asked ?? newest else { throw Refused(.notFound()) }
        return .object(json(terms, newest: newest?.version, for: call.principal))
    }

    private static func accept(_ call: Call) throws -> WriteStep {
        let id: ParticipantID = try call.id()
        let version: Int64 = try call.body.required("version", call.body.integer("version"))
        return { tx in
            try call.requireOwn(id)
            guard var participant = try ParticipantStore.find(id, tx) else {
                throw Refused(.notFound())
            }
            guard
                try PublishedTermsStore.find(version: version, of: participant.program, tx) != nil
            else { throw Refused(.unknownReference("/version")) }
            if let accepted = participant.acceptedTerms, accepted.version >= version {
                guard accepted.version == version else {
                    throw Refused(
                        .conflict(
                            "newer_terms_accepted",
                            "The participant has accepted version \(accepted.version) already."))
                }
                return try answer(participant, call, tx)
            }
            participant.acceptedTerms = AcceptedTerms(version: version, acceptedAt: tx.now)
            participant.version += 1
            participant.updatedAt = tx.now
            try ParticipantStore.update(participant, tx)
            try EventStore.append(
                NewEvent(
                    "participant.terms_accepted", id, program: participant.program,
                    participant: id, actor: call.principal.actor,
                    data: ["terms_version": .integer(version)]), tx)
            return try answer(participant, call, tx)
        }
    }

    private static func answer(
        _ participant: Participant, _ call: Call, _ tx: Transaction
    ) throws -> Response {
        .object(
            try ParticipantRoutes.json(participant, call, at: tx.now, tx),
            version: participant.version)
    }

    /// The program in the path; a participant's token names its own.
    private static func program(_ call: Call, _ reader: Reader) throws -> ProgramID {
        let id: ProgramID = try call.id()
        if let own = call.principal.program, own != id { throw Refused(.notFound()) }
        guard try ProgramStore.find(id, reader) != nil else { throw Refused(.notFound()) }
        return id
    }

    // MARK: - Wire

    private static let schema = Schema.named(
        "Terms",
        .object([
            .required("object", .choice(["terms"])),
            .required("program_id", .id(ProgramID.self)),
            .required("version", .integer(1...Int64.max), "Counts from 1 in each program."),
            .required(
                "newest_version", .integer(1...Int64.max), "Which version is in force now."),
            .required("text", .prose(1...100_000), "As people read it."),
            .required(
                "actor", .nullable(.text(1...64)),
                "Who published it. Null for a participant's token."),
            .required("created_at", .time, "Since when it is the newest version."),
        ]))

    private static func json(
        _ terms: PublishedTerms, newest: Int64?, for caller: Principal
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024 + terms.text.utf8.count)
        json.object { json in
            json.field("object", "terms")
            json.field("program_id", terms.program.description)
            json.field("version", terms.version)
            json.field("newest_version", newest ?? terms.version)
            json.field("text", terms.text)
            json.field("actor", caller.participant == nil ? terms.actor : nil)
            json.field("created_at", terms.createdAt.rfc3339)
        }
        return json.bytes
    }

    // MARK: - Contracts

    private static let publication = Contract(
        operationID: "publishTerms",
        summary: "Publish the program's legal terms: eligibility, what is valid, amounts and "
            + "conditions, when rewards are paid, limits, the right to change or end the program, "
            + "fraud, tax. The text becomes the next version; the text of the newest version, "
            + "sent again, changes nothing (200).",
        body: .object([.required("text", .prose(1...100_000), "Plain text.")]), success: 201,
        answer: schema, others: [(200, "This text is the newest version already.")])

    private static let reading = Contract(
        operationID: "getTerms",
        summary: "The program's legal terms: the newest version, or the one asked for. 404 where "
            + "the program has published none.",
        query: [.optional("version", .integer(1...Int64.max), "Default the newest.")],
        answer: schema)

    private static let acceptance = Contract(
        operationID: "acceptTerms",
        summary: "The participant accepts a version of its program's legal terms. The answer, and "
            + "each lead and registration from now on, has it as terms_version.",
        body: .object([
            .required("version", .integer(1...Int64.max), "That the participant has read.")
        ]), answer: ParticipantWire.schema,
        refusals: [
            Problem.conflict(
                "newer_terms_accepted", "The participant has accepted version 3 already.")
        ])
}
