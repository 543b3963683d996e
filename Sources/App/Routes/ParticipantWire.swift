import JSON
import Model
import Programs

/// How a participant looks on the wire.
enum ParticipantWire {
    static let schema = Schema.named(
        "Participant",
        .object([
            .required("id", .id(ParticipantID.self)),
            .required("object", .choice(["participant"])),
            .required("program_id", .id(ProgramID.self)),
            .required("kind", kind), .required("status", state),
            .required("external_id", .nullable(.text(1...200))),
            .required("name", .text(1...200)), .required("email", .email),
            .required("company", .nullable(.text(1...200))),
            .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    private static let kind = Schema.choice(Participant.Kind.allCases.map(\.rawValue))
    private static let state = Schema.choice(Participant.State.allCases.map(\.rawValue))

    private static let common: [Field] = [
        .optional("kind", kind, "customer unless told."),
        .optional("external_id", .nullable(.text(1...200)), "Your own id, unique in the program."),
        .required("name", .text(1...200)), .required("email", .email),
        .optional("company", .nullable(.text(1...200))),
        .optional("metadata", .metadata),
    ]

    static let input = Schema.object(
        [.required("program_id", .id(ProgramID.self))] + common + [
            .optional(
                "status", .choice(["applied", "approved"]),
                "applied unless told; approved lets it refer at once.")
        ])

    static let changeable = Schema.object(common)

    static func json(_ participant: Participant) -> [UInt8] {
        var json = JSONWriter(capacity: 768)
        json.object { write(participant, &$0) }
        return json.bytes
    }

    static func write(_ participant: Participant, _ json: inout JSONObjectWriter) {
        json.field("id", participant.id.description)
        json.field("object", "participant")
        json.field("program_id", participant.program.description)
        json.field("kind", participant.kind.rawValue)
        json.field("status", participant.state.rawValue)
        json.field("external_id", participant.externalID)
        json.field("name", participant.name)
        json.field("email", participant.email.text)
        json.field("company", participant.company)
        json.field("metadata", JSONValue.object(participant.metadata))
        json.field("version", participant.version)
        json.field("created_at", participant.createdAt.rfc3339)
        json.field("updated_at", participant.updatedAt.rfc3339)
    }

    static func form(_ participant: Participant) -> JSONValue {
        var form: JSONObject = [
            "kind": .string(participant.kind.rawValue), "name": .string(participant.name),
            "email": .string(participant.email.text), "metadata": .object(participant.metadata),
        ]
        if let externalID = participant.externalID { form["external_id"] = .string(externalID) }
        if let company = participant.company { form["company"] = .string(company) }
        return .object(form)
    }
}

/// A participant as asked for.
struct ParticipantForm: Sendable {
    let kind: Participant.Kind
    let state: Participant.State
    let externalID: String?
    let name: String
    let email: EmailAddress
    let company: String?
    let metadata: JSONObject

    init(_ body: Body) throws {
        kind = body.text("kind").flatMap { Participant.Kind(rawValue: $0) } ?? .customer
        state = body.text("status") == "approved" ? .approved : .applied
        externalID = body.text("external_id")
        name = try body.requiredText("name")
        email = try body.required("email", body.email("email"))
        company = body.text("company")
        metadata = body.metadata
    }

    func participant(id: ParticipantID, program: ProgramID, at now: Instant) -> Participant {
        Participant(
            id: id, program: program, kind: kind, state: state, externalID: externalID, name: name,
            email: email, company: company, metadata: metadata, version: 1, createdAt: now,
            updatedAt: now)
    }

    func changing(_ old: Participant, at now: Instant) -> Participant {
        var participant = old
        participant.kind = kind
        participant.externalID = externalID
        participant.name = name
        participant.email = email
        participant.company = company
        participant.metadata = metadata
        participant.version += 1
        participant.updatedAt = now
        return participant
    }
}
