import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// How a dispute looks on the wire. Each side sees what is its own and the ruling; the operator
/// sees all.
enum DisputeWire {
    static let schema = Schema.named(
        "Dispute",
        .object([
            .required("id", .id(DisputeID.self)), .required("object", .choice(["dispute"])),
            .required("program_id", .id(ProgramID.self)),
            .required("status", .choice(Dispute.State.allCases.map(\.rawValue))),
            .required(
                "role", .nullable(.choice(["claimant", "respondent"])), "Of a token's owner."),
            .required(
                "claimant_id", .nullable(.id(ParticipantID.self)), "Null when it is the other side."
            ),
            .required("respondent_id", .nullable(.id(ParticipantID.self))),
            .required(
                "registration_id", .nullable(.id(RegistrationID.self)), "The claim that asks."),
            .required("against_id", .nullable(.id(RegistrationID.self)), "The contested claim."),
            .required("opened_by", .choice(Dispute.Opener.allCases.map(\.rawValue))),
            .required("reason", .nullable(.prose(1...2000))),
            .required("owner", .nullable(.text(1...200)), "Who looks into it."),
            .required("due_at", .time), .required("escalated_at", .nullable(.time)),
            .required(
                "ruling",
                .nullable(
                    .object([
                        .required("decision", .choice(Ruling.Decision.names)),
                        .required("claimant_share", .nullable(.integer(1...9999))),
                        .required("reason", .prose(1...2000)), .required("by", .text(1...64)),
                        .required("at", .time),
                    ]))),
            .required(
                "evidence",
                .list(
                    .object([
                        .required("party", .choice(Dispute.Party.allCases.map(\.rawValue))),
                        .required("note", .prose(1...4000)), .required("created_at", .time),
                    ]), count: 0...DisputeRules.evidenceMax)),
            .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    static let input = Schema.object([
        .required("registration_id", .id(RegistrationID.self), "The claim that asks."),
        .optional(
            "against_id", .id(RegistrationID.self),
            "The contested claim; a refused claim knows by itself. Only for a key."),
        .required("reason", .prose(1...2000), "What it is about. Kept for good: no personal data."),
        .optional("metadata", .metadata),
    ])

    static func json(
        _ dispute: Dispute, _ evidence: [DisputeEvidence], for caller: Principal
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(dispute, evidence, for: caller, &$0) }
        return json.bytes
    }

    static func write(
        _ dispute: Dispute, _ evidence: [DisputeEvidence], for caller: Principal,
        _ json: inout JSONObjectWriter
    ) {
        let role = caller.participant.flatMap { dispute.party(of: $0) }
        let seesClaim = role != .respondent
        let seesContested = role != .claimant
        json.field("id", dispute.id.description)
        json.field("object", "dispute")
        json.field("program_id", dispute.program.description)
        json.field("status", dispute.state.rawValue)
        json.field("role", role?.rawValue)
        json.field("claimant_id", seesClaim ? dispute.claimant : nil)
        json.field("respondent_id", seesContested ? dispute.respondent : nil)
        json.field("registration_id", seesClaim ? dispute.claim : nil)
        json.field("against_id", seesContested ? dispute.contested : nil)
        json.field("opened_by", dispute.openedBy.rawValue)
        json.field("reason", seesClaim || dispute.openedBy != .partner ? dispute.reason : nil)
        json.field("owner", role == nil ? dispute.owner : nil)
        json.field("due_at", dispute.dueAt)
        json.field("escalated_at", dispute.escalatedAt)
        if let ruling = dispute.ruling {
            json.object("ruling") { write(ruling, isOperator: role == nil, &$0) }
        } else {
            json.null("ruling")
        }
        json.array("evidence") { list in
            for item in evidence where role == nil || item.party == role || item.party == .operator
            {
                list.object { object in
                    object.field("party", item.party.rawValue)
                    object.field("note", item.note)
                    object.field("created_at", item.createdAt)
                }
            }
        }
        json.field("metadata", JSONValue.object(role == nil ? dispute.metadata : [:]))
        json.field("version", dispute.version)
        json.field("created_at", dispute.createdAt)
        json.field("updated_at", dispute.updatedAt)
    }

    private static func write(
        _ ruling: Ruling, isOperator: Bool, _ json: inout JSONObjectWriter
    ) {
        json.field("decision", ruling.decision.name)
        if case .split(let share) = ruling.decision {
            json.field("claimant_share", share)
        } else {
            json.null("claimant_share")
        }
        json.field("reason", ruling.reason)
        json.field("by", isOperator ? ruling.by : "operator")
        json.field("at", ruling.at)
    }
}
