import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// How a deal registration looks on the wire.
enum RegistrationWire {
    static let schema = Schema.named("Registration", .object(fields))

    /// A new registration with what the operator should know of it.
    static let submitted = Schema.named(
        "SubmittedRegistration",
        .object(
            fields + [
                .required(
                    "findings",
                    .list(
                        .object([
                            .required("code", .choice(["open_lead"])),
                            .required("because", .text(1...300)),
                            .required("lead_id", .id(LeadID.self)),
                        ]), count: 0...1), "For the operator alone.")
            ]))

    private static let fields: [Field] = [
        .required("id", .id(RegistrationID.self)),
        .required("object", .choice(["registration"])),
        .required("program_id", .id(ProgramID.self)),
        .required("participant_id", .id(ParticipantID.self)),
        .required("status", .choice(Registration.State.allCases.map(\.rawValue))),
        .required(
            "account",
            .object([
                .required("name", .nullable(.text(1...200)), "Null once erased."),
                .required("domain", .nullable(.text(3...253)), "As given, in ASCII."),
                .required("country", .nullable(ProgramTermsWire.country)),
                .required("part", .nullable(.text(1...100))),
            ])),
        .required(
            "contact",
            .object([
                .required("name", .nullable(.text(1...200))),
                .required("email", .nullable(.email)),
                .required("phone", .nullable(.text(1...40))),
            ])),
        .required(
            "opportunity",
            .object([
                .required("value", .nullable(.money(from: 0))),
                .required("expected_close", .nullable(.time)),
                .required("evidence", .list(evidence(isWhole: true), count: 0...1000)),
            ])),
        .required("program_version", .integer(1...Int64.max), "Of the terms in force."),
        .required(
            "terms_version", .nullable(.integer(1...Int64.max)),
            "Of the legal terms that the partner had accepted when it registered."),
        .required("decision_due_at", .time),
        .required("window_ends_at", .time, "When it lapses undecided."),
        .required("protected_until", .nullable(.time), "Null before approval."),
        .required(
            "protected_until_latest", .time,
            "Whatever is decided and extended: what others "
                + "are told."),
        .required("extensions", .integer(0...1000), "Used so far."),
        .required("share", .integer(0...10_000), "Of the account's credit, in basis points."),
        .required("decided_at", .nullable(.time)), .required("ended_at", .nullable(.time)),
        .required("value", .nullable(.money(from: 0)), "What the deal was won at."),
        .required("reason_code", .nullable(.text(1...40))),
        .required("reason", .nullable(.prose(1...1000))),
        .required("dispute_id", .nullable(.id(DisputeID.self)), "The open dispute about it."),
        .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
        .required("created_at", .time), .required("updated_at", .time),
    ]

    static let input = Schema.object([
        .optional("participant_id", .id(ParticipantID.self), "The partner; a token means its own."),
        .required(
            "account",
            .object([
                .optional("name", .nullable(.text(1...200)), "The company."),
                .optional(
                    "domain", .nullable(LeadWire.typedDomain),
                    "Any spelling and any sub-domain of it."),
                .optional("country", .nullable(ProgramTermsWire.country)),
                .optional(
                    "part", .nullable(.text(1...100)),
                    "A product or region, where the program allows it."),
            ]), "A domain, or a name with its country, tells an account; else the contact's e-mail."
        ),
        .optional(
            "contact",
            .object([
                .optional("name", .nullable(.text(1...200))),
                .optional("email", .nullable(.email)),
                .optional("phone", .nullable(.text(1...40))),
            ])),
        .optional("opportunity", opportunity),
        .optional("metadata", .metadata),
    ])

    /// What a merge patch is applied to: everything but what tells the account.
    static let changeable = Schema.object([
        .optional(
            "contact",
            .object([
                .optional("name", .nullable(.text(1...200))),
                .optional("phone", .nullable(.text(1...40))),
            ])),
        .optional("opportunity", opportunity),
        .optional("metadata", .metadata),
    ])

    private static let opportunity = Schema.object([
        .optional("value", .nullable(.money(from: 0))),
        .optional("expected_close", .nullable(.time)),
        .optional(
            "evidence", .list(evidence(isWhole: false), count: 0...20),
            "What shows that there is a deal."),
    ])

    static func evidence(isWhole: Bool) -> Schema {
        let kind = Field.required(
            "kind", .choice(RegistrationTerms.Evidence.allCases.map(\.rawValue)))
        let others: [(String, Schema)] = [
            ("occurred_at", .nullable(.time)), ("note", .nullable(.prose(1...1000))),
        ]
        return .object(
            [kind]
                + others.map { isWhole ? .required($0.0, $0.1) : .optional($0.0, $0.1) })
    }

    static func json(_ registration: Registration) -> [UInt8] {
        var json = JSONWriter(capacity: 1536)
        json.object { write(registration, &$0) }
        return json.bytes
    }

    /// A new one. `openLead` is whose referrer loses the credit by it.
    static func json(_ registration: Registration, openLead: Lead?) -> [UInt8] {
        var json = JSONWriter(capacity: 1536)
        json.object { object in
            write(registration, &object)
            object.array("findings") { list in
                guard let openLead else { return }
                list.object { finding in
                    finding.field("code", "open_lead")
                    finding.field(
                        "because",
                        "Another participant referred an open lead of this account; once approved, "
                            + "the registration takes the credit of a sale to it.")
                    finding.field("lead_id", openLead.id)
                }
            }
        }
        return json.bytes
    }

    static func write(_ registration: Registration, _ json: inout JSONObjectWriter) {
        json.field("id", registration.id.description)
        json.field("object", "registration")
        json.field("program_id", registration.program.description)
        json.field("participant_id", registration.participant.description)
        json.field("status", registration.state.rawValue)
        json.object("account") { account in
            account.field("name", registration.account.name)
            account.field("domain", registration.account.domain?.text)
            account.field("country", registration.account.country?.code)
            account.field("part", registration.part)
        }
        json.object("contact") { contact in
            contact.field("name", registration.contact.name)
            contact.field("email", registration.contact.email?.text)
            contact.field("phone", registration.contact.phone)
        }
        json.object("opportunity") { opportunity in
            opportunity.money("value", registration.opportunity.value)
            opportunity.field("expected_close", registration.opportunity.expectedClose)
            opportunity.array("evidence") { list in
                for item in registration.opportunity.evidence {
                    list.object { evidence in
                        evidence.field("kind", item.kind.rawValue)
                        evidence.field("occurred_at", item.occurredAt)
                        evidence.field("note", item.note)
                    }
                }
            }
        }
        json.field("program_version", registration.programVersion)
        json.field("terms_version", registration.termsVersion)
        json.field("decision_due_at", registration.decisionDueAt)
        json.field("window_ends_at", registration.windowEndsAt)
        json.field("protected_until", registration.protectedUntil)
        json.field("protected_until_latest", registration.protectedUntilLatest)
        json.field("extensions", registration.extensions)
        json.field("share", registration.share)
        json.field("decided_at", registration.decidedAt)
        json.field("ended_at", registration.endedAt)
        json.money("value", registration.wonValue)
        json.field("reason_code", registration.reasonCode)
        json.field("reason", registration.reason)
        json.field("dispute_id", registration.dispute)
        json.field("metadata", JSONValue.object(registration.metadata))
        json.field("version", registration.version)
        json.field("created_at", registration.createdAt)
        json.field("updated_at", registration.updatedAt)
    }

    /// The members that a merge patch is applied to.
    static func form(_ registration: Registration) -> JSONValue {
        var contact = JSONObject()
        contact["name"] = registration.contact.name.map { .string($0) }
        contact["phone"] = registration.contact.phone.map { .string($0) }
        var opportunity: JSONObject = [
            "evidence": .array(
                registration.opportunity.evidence.map { item in
                    var evidence: JSONObject = ["kind": .string(item.kind.rawValue)]
                    evidence["occurred_at"] = item.occurredAt.map { .string($0.rfc3339) }
                    evidence["note"] = item.note.map { .string($0) }
                    return .object(evidence)
                })
        ]
        opportunity["value"] = registration.opportunity.value.map(\.json)
        opportunity["expected_close"] = registration.opportunity.expectedClose.map {
            .string($0.rfc3339)
        }
        return [
            "contact": .object(contact), "opportunity": .object(opportunity),
            "metadata": .object(registration.metadata),
        ]
    }
}

/// A registration as asked for.
struct RegistrationForm: Sendable {
    let account: AccountName
    let part: String?
    let contact: RegistrationContact
    let opportunity: Opportunity
    let metadata: JSONObject

    init(_ body: Body) {
        let named = body.nested("account")
        account = AccountName(
            name: named?.text("name"),
            domain: named?.text("domain").flatMap { DomainName(typed: $0) },
            country: named?.text("country").flatMap { CountryCode($0) })
        part = named?.text("part").flatMap { FreeText.tidied($0) }
        let person = body.nested("contact")
        contact = RegistrationContact(
            name: person?.text("name"), email: person?.email("email"),
            phone: person?.text("phone"))
        opportunity = RegistrationForm.opportunity(body.nested("opportunity"))
        metadata = body.metadata
    }

    static func opportunity(_ body: Body?) -> Opportunity {
        Opportunity(
            value: body?.money("value"), expectedClose: body?.time("expected_close"),
            evidence: evidence(body))
    }

    static func evidence(_ body: Body?) -> [Opportunity.Evidence] {
        (body?.object["evidence"]?.arrayValue ?? []).compactMap { item in
            let item = Body(item.objectValue ?? [:])
            guard
                let kind = item.text("kind").flatMap({ RegistrationTerms.Evidence(rawValue: $0) })
            else { return nil }
            return Opportunity.Evidence(
                kind: kind, occurredAt: item.time("occurred_at"), note: item.text("note"))
        }
    }

    func changing(_ old: Registration, at now: Instant) -> Registration {
        var registration = old
        registration.contact.name = contact.name
        registration.contact.phone = contact.phone
        registration.opportunity = opportunity
        registration.metadata = metadata
        registration.version += 1
        registration.updatedAt = now
        return registration
    }
}

/// What an action on a registration is told.
enum RegistrationMoveWire {
    static func input(_ action: Registration.State.Action) -> Schema {
        switch action {
        case .approve: .emptyBody
        case .reject:
            .object([
                .required("reason_code", .choice(RejectionCode.allCases.map(\.rawValue))),
                .required("reason", reason, "For the partner. \(kept)"),
            ])
        case .extend:
            .object([
                .required(
                    "evidence", .list(RegistrationWire.evidence(isWhole: false), count: 1...20),
                    "What shows that the deal goes on."),
                .optional("reason", reason, kept),
            ])
        case .win:
            .object([.optional("value", .money(from: 0), "What the deal was closed at.")])
        case .lose:
            .object([
                .optional("reason_code", .choice(LossCode.allCases.map(\.rawValue))),
                .required("reason", reason, kept),
            ])
        case .withdraw: .object([.optional("reason", reason, kept)])
        }
    }

    private static let reason = Schema.prose(1...1000)
    private static let kept = "Kept for good in the event log: no personal data."

    static func move(
        _ action: Registration.State.Action, _ body: Body
    ) throws -> RegistrationMove {
        switch action {
        case .approve: .approve
        case .reject:
            .reject(
                code: try body.requiredText("reason_code"), reason: try body.requiredText("reason"))
        case .extend:
            .extend(evidence: RegistrationForm.evidence(body), reason: body.text("reason"))
        case .win: .win(value: body.money("value"))
        case .lose:
            .lose(code: body.text("reason_code"), reason: try body.requiredText("reason"))
        case .withdraw: .withdraw(code: nil, reason: body.text("reason"))
        }
    }
}
