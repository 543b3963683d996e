import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// How a lead looks on the wire.
enum LeadWire {
    static let schema = Schema.named(
        "Lead",
        .object([
            .required("id", .id(LeadID.self)), .required("object", .choice(["lead"])),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .nullable(.id(ParticipantID.self)), "Who referred it."),
            .required("link_id", .nullable(.id(LinkID.self))),
            .required("click_id", .nullable(.id(ClickID.self))),
            .required("customer_id", .nullable(.id(CustomerID.self))),
            .required("status", .choice(Lead.State.allCases.map(\.rawValue))),
            .required("source", .choice(Lead.Source.allCases.map(\.rawValue))),
            .required("name", .nullable(.text(1...200)), "Null too once it has been erased."),
            .required("email", .nullable(.email)),
            .required("company", .nullable(.text(1...200))),
            .required("domain", .nullable(domain)),
            .required("phone", .nullable(.text(1...40))),
            .required("note", .nullable(.prose(1...2000))),
            .required("intro", .nullable(.choice(Lead.Intro.allCases.map(\.rawValue)))),
            .required("estimated_value", .nullable(.money(from: 0))),
            .required("value", .nullable(.money(from: 0)), "What the deal was won at."),
            .required(
                "duplicate_of", .nullable(.id(LeadID.self)),
                "The earlier lead for the same mailbox. Null for a participant's token, because it "
                    + "may be another's."),
            .required("reason_code", .nullable(.text(1...40)), "Why it is in its status."),
            .required("reason", .nullable(.prose(1...1000))),
            .required("follow_up_at", .nullable(.time)),
            .required("qualified_at", .nullable(.time)), .required("won_at", .nullable(.time)),
            .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    static let input = Schema.object(
        [
            .optional(
                "program_id", .id(ProgramID.self),
                "May be left out when participant_id, click_id or ref tells it."),
            .optional("participant_id", .id(ParticipantID.self), "Who refers; approved."),
            .optional("ref", ref, "The code of the referrer's link."),
            .optional("click_id", .id(ClickID.self), "From the address that the link led to."),
            .optional("referrer_email", .email, "The referrer's address in the program."),
            .required("email", .email),
        ] + changeable)

    /// What a merge patch is applied to.
    static let changeableInput = Schema.object(changeable)

    private static let changeable: [Field] = [
        .optional("name", .nullable(.text(1...200))),
        .optional("company", .nullable(.text(1...200))),
        .optional("domain", .nullable(domain), "The company's domain name."),
        .optional("phone", .nullable(.text(1...40))),
        .optional("note", .nullable(.prose(1...2000))),
        .optional(
            "intro", .nullable(.choice(Lead.Intro.allCases.map(\.rawValue))),
            "strong: the prospect expects the call; weak: a mention."),
        .optional("estimated_value", .nullable(.money(from: 0))),
        .optional("metadata", .metadata),
    ]

    /// As `DomainName`, of at most eight labels, the last of which begins with a letter.
    private static let domain = Schema.string(
        TextRule(
            3...253,
            pattern: #"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,7}"#
                + #"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"#
        ) { text in
            let labels = text.utf8.split(separator: UInt8(ascii: "."))
            let first = (labels.last?.first ?? 0) | 0x20
            return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) && labels.count <= 8
                && DomainName(text) != nil
        })

    /// As people type it; see `DomainName(typed:)`. The pattern documents the ASCII ones.
    static let typedDomain = Schema.string(
        TextRule(
            3...253,
            pattern: #"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,7}"#
                + #"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$"#
        ) { DomainName(typed: $0) != nil })

    static let ref = Schema.token(
        3...64, pattern: "^[A-Za-z0-9_-]+$",
        allowed: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")

    static func json(_ lead: Lead, for caller: Principal) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(lead, for: caller, &$0) }
        return json.bytes
    }

    static func write(_ lead: Lead, for caller: Principal, _ json: inout JSONObjectWriter) {
        json.field("id", lead.id.description)
        json.field("object", "lead")
        json.field("program_id", lead.program.description)
        json.field("participant_id", lead.referrer.participant)
        json.field("link_id", lead.referrer.link)
        json.field("click_id", lead.referrer.click)
        json.field("customer_id", lead.customer)
        json.field("status", lead.state.rawValue)
        json.field("source", lead.source.rawValue)
        json.field("name", lead.contact.name)
        json.field("email", lead.contact.email?.text)
        json.field("company", lead.contact.company)
        json.field("domain", lead.contact.domain?.text)
        json.field("phone", lead.contact.phone)
        json.field("note", lead.contact.note)
        json.field("intro", lead.intro?.rawValue)
        json.money("estimated_value", lead.estimatedValue)
        json.money("value", lead.wonValue)
        json.field("duplicate_of", caller.participant == nil ? lead.duplicateOf : nil)
        json.field("reason_code", lead.reasonCode)
        json.field("reason", lead.reason)
        json.field("follow_up_at", lead.followUpAt)
        json.field("qualified_at", lead.qualifiedAt)
        json.field("won_at", lead.wonAt)
        json.field("metadata", JSONValue.object(lead.metadata))
        json.field("version", lead.version)
        json.field("created_at", lead.createdAt.rfc3339)
        json.field("updated_at", lead.updatedAt.rfc3339)
    }

    /// The members that a merge patch is applied to; those that are null are left out, as in an
    /// input.
    static func form(_ lead: Lead) -> JSONValue {
        var form: JSONObject = ["metadata": .object(lead.metadata)]
        form["name"] = lead.contact.name.map { .string($0) }
        form["company"] = lead.contact.company.map { .string($0) }
        form["domain"] = lead.contact.domain.map { .string($0.text) }
        form["phone"] = lead.contact.phone.map { .string($0) }
        form["note"] = lead.contact.note.map { .string($0) }
        form["intro"] = lead.intro.map { .string($0.rawValue) }
        form["estimated_value"] = lead.estimatedValue.map(\.json)
        return .object(form)
    }
}

/// What an action on a lead is told.
enum LeadMoveWire {
    static func input(_ action: Lead.State.Action) -> Schema {
        switch action {
        case .qualify, .advance: .emptyBody
        case .disqualify:
            .object([
                .required("reason_code", .choice(DisqualificationCode.allCases.map(\.rawValue))),
                .required("reason", reason, "For the referrer (R107). \(kept)"),
            ])
        case .win:
            .object([
                .optional(
                    "value", .money(from: 0), "What the deal was closed at; rewards count on it.")
            ])
        case .lose:
            .object([
                .optional("reason_code", .choice(LossCode.allCases.map(\.rawValue))),
                .required("reason", reason, kept),
            ])
        case .nurture:
            .object([
                .required("follow_up_at", .time, "When it is submitted again by itself."),
                .optional("reason", reason, kept),
            ])
        case .reopen: .object([.required("reason", reason, kept)])
        }
    }

    private static let reason = Schema.prose(1...1000)
    private static let kept = "Kept for good in the event log: no personal data."

    static func move(_ action: Lead.State.Action, _ body: Body) throws -> LeadMove {
        switch action {
        case .qualify: .qualify
        case .advance: .advance
        case .disqualify:
            .disqualify(
                code: try body.requiredText("reason_code"), reason: try body.requiredText("reason"))
        case .win: .win(value: body.money("value"))
        case .lose:
            .lose(code: body.text("reason_code"), reason: try body.requiredText("reason"))
        case .nurture:
            .nurture(
                until: try body.required("follow_up_at", body.time("follow_up_at")),
                reason: body.text("reason"))
        case .reopen: .reopen(code: nil, reason: try body.requiredText("reason"))
        }
    }
}

/// A lead's editable members as asked for.
struct LeadForm: Sendable {
    let name: String?
    let company: String?
    let domain: DomainName?
    let phone: String?
    let note: String?
    let intro: Lead.Intro?
    let estimatedValue: Money?
    let metadata: JSONObject

    init(_ body: Body) {
        name = body.text("name")
        company = body.text("company")
        domain = body.text("domain").flatMap { DomainName($0) }
        phone = body.text("phone")
        note = body.text("note")
        intro = body.text("intro").flatMap { Lead.Intro(rawValue: $0) }
        estimatedValue = body.money("estimated_value")
        metadata = body.metadata
    }

    func contact(_ email: EmailAddress?) -> Contact {
        Contact(
            name: name, email: email, company: company, domain: domain, phone: phone, note: note)
    }

    func changing(_ old: Lead, at now: Instant) -> Lead {
        var lead = old
        lead.contact = contact(old.contact.email)
        lead.intro = intro
        lead.estimatedValue = estimatedValue
        lead.metadata = metadata
        lead.version += 1
        lead.updatedAt = now
        return lead
    }
}
