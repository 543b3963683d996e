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
            .required(
                "participant_id", .nullable(.id(ParticipantID.self)),
                "Who referred it. Null, as are link_id and click_id, for a partner that only works "
                    + "it."),
            .required("link_id", .nullable(.id(LinkID.self))),
            .required("click_id", .nullable(.id(ClickID.self))),
            .required("ignored", IgnoredHintWire.list, IgnoredHintWire.about),
            .required(
                "customer_id", .nullable(.id(CustomerID.self)), "Null for a participant's token."),
            .required("status", .choice(Lead.State.allCases.map(\.rawValue))),
            .required("source", .choice(Lead.Source.allCases.map(\.rawValue))),
            .required("name", .nullable(.text(1...200)), "Null too once it has been erased."),
            .required("email", .nullable(.email)),
            .required("company", .nullable(.text(1...200))),
            .required("domain", .nullable(.text(3...253)), "In ASCII."),
            .required("phone", .nullable(.text(1...40))),
            .required("note", .nullable(.prose(1...2000))),
            .required("country", .nullable(ProgramTermsWire.country)),
            .required("industry", .nullable(.text(1...100))),
            .required("company_size", .nullable(.integer(0...10_000_000)), "Employees."),
            .required("use_case", .nullable(.text(1...100))),
            .required("channel", .nullable(.text(1...40)), "How it came: portal, slack, in_app."),
            .required("referred_at", .time, "When it was referred; else when it came in."),
            .required("intro", .nullable(.choice(Lead.Intro.allCases.map(\.rawValue)))),
            .required("estimated_value", .nullable(.money(from: 0))),
            .required("value", .nullable(.money(from: 0)), "What the deal was won at."),
            .required(
                "duplicate_of", .nullable(.id(LeadID.self)),
                "The earlier lead for the same prospect, or the opportunity it was attached to. "
                    + "Null for a participant's token, because it may be another's."),
            .required("reason_code", .nullable(.text(1...40)), "Why it is in its status."),
            .required("reason", .nullable(.prose(1...1000))),
            .required("follow_up_at", .nullable(.time)),
            .required(
                "program_version", .nullable(.integer(1...Int64.max)), "Of the rules applied."),
            .required(
                "terms_version", .nullable(.integer(1...Int64.max)),
                "Of the legal terms that its referrer had accepted when it came in."),
            .required(
                "broken_rules", .list(.choice(LeadRule.allCases.map(\.rawValue)), count: 0...20),
                "Of what the program asks of a referral; see /explain."),
            .required("checklist", checklist),
            .required(
                "owner",
                .nullable(
                    .object([
                        .required("kind", .choice(LeadOwner.Kind.allCases.map(\.rawValue))),
                        .required("name", .text(1...200)),
                    ])), "Who works it. A token sees no other partner here."),
            .required(
                "registration_id", .nullable(.id(RegistrationID.self)),
                "The registration that held its account when it came in."),
            .required("qualified_at", .nullable(.time)), .required("won_at", .nullable(.time)),
            .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    static let input = Schema.object(
        [
            .optional(
                "program_id", .id(ProgramID.self),
                "May be left out when participant_id, click_id, ref or code tells it."),
            .optional("participant_id", .id(ParticipantID.self), "Who refers; approved."),
            .required("email", .email),
            .optional(
                "channel", .nullable(channel), "How it came: portal, slack, in_app, crm."),
            .optional(
                "referred_at", .nullable(.dayOrTime),
                "When it was referred, or on which day, if that was before now. Not for a "
                    + "participant's token."),
            .optional(
                "device_id", DeviceWire.schema,
                "The referred person's; from a participant's token its own. \(DeviceWire.about)"),
        ] + HintWire.input + changeable)

    /// What sales confirms; null takes an answer back.
    private static let checklist = Schema.object(
        QualificationTerms.ChecklistItem.allCases.map {
            .optional($0.rawValue, .nullable(.boolean))
        })

    static let channel = Schema.token(
        1...40, pattern: "^[a-z0-9_-]+$", allowed: "abcdefghijklmnopqrstuvwxyz0123456789_-")

    /// What a merge patch is applied to.
    static let changeableInput = Schema.object(
        changeable + [
            .optional("checklist", checklist, "What sales confirms before it is qualified."),
            .optional("owner", .nullable(.text(1...200)), "Who works it from now on."),
        ])

    private static let changeable: [Field] = [
        .optional("name", .nullable(.text(1...200))),
        .optional("company", .nullable(.text(1...200))),
        .optional("domain", .nullable(typedDomain), "The company's domain name."),
        .optional("phone", .nullable(.text(1...40))),
        .optional("note", .nullable(.prose(1...2000))),
        .optional(
            "intro", .nullable(.choice(Lead.Intro.allCases.map(\.rawValue))),
            "strong: the prospect expects the call; weak: a mention."),
        .optional("estimated_value", .nullable(.money(from: 0))),
        .optional("country", .nullable(ProgramTermsWire.country), "Of the company."),
        .optional("industry", .nullable(.text(1...100))),
        .optional("company_size", .nullable(.integer(0...10_000_000)), "Employees."),
        .optional("use_case", .nullable(.text(1...100))),
        .optional("metadata", .metadata),
    ]

    /// As people type it; see `DomainName(typed:)`. The pattern documents the ASCII ones.
    static let typedDomain = Schema.string(
        TextRule(
            3...253,
            pattern: #"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,7}"#
                + #"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$"#,
            words: "a domain name such as example.com"
        ) { DomainName(typed: $0) != nil })

    static func json(_ lead: Lead, for caller: Principal) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(lead, for: caller, &$0) }
        return json.bytes
    }

    static func write(_ lead: Lead, for caller: Principal, _ json: inout JSONObjectWriter) {
        json.field("id", lead.id.description)
        json.field("object", "lead")
        json.field("program_id", lead.program.description)
        let isOwn = caller.participant == nil || caller.participant == lead.referrer.participant
        json.field("participant_id", isOwn ? lead.referrer.participant : nil)
        json.field("link_id", isOwn ? lead.referrer.link : nil)
        json.field("click_id", isOwn ? lead.referrer.click : nil)
        IgnoredHintWire.write(isOwn ? lead.ignored : [], for: caller, &json)
        // One known before tells that the prospect was.
        json.field("customer_id", caller.participant == nil ? lead.customer : nil)
        json.field("status", lead.state.rawValue)
        json.field("source", lead.source.rawValue)
        json.field("name", lead.contact.name)
        json.field("email", lead.contact.email?.text)
        json.field("company", lead.contact.company)
        json.field("domain", lead.contact.domain?.text)
        json.field("phone", lead.contact.phone)
        json.field("note", lead.contact.note)
        json.field("country", lead.firm.country?.code)
        json.field("industry", lead.firm.industry)
        json.field("company_size", lead.firm.companySize)
        json.field("use_case", lead.firm.useCase)
        json.field("channel", lead.channel)
        json.field("referred_at", lead.referralTime)
        json.field("intro", lead.intro?.rawValue)
        json.money("estimated_value", lead.estimatedValue)
        json.money("value", lead.wonValue)
        json.field("duplicate_of", caller.participant == nil ? lead.duplicateOf : nil)
        json.field("reason_code", lead.reasonCode)
        json.field("reason", lead.reason)
        json.field("follow_up_at", lead.followUpAt)
        json.field("program_version", lead.programVersion)
        json.field("terms_version", lead.termsVersion)
        json.array("broken_rules") { list in
            for rule in lead.brokenRules { list.element(rule.rawValue) }
        }
        json.object("checklist") { checklist in
            for item in QualificationTerms.ChecklistItem.allCases {
                checklist.field(item.rawValue, lead.checklist[item])
            }
        }
        writeOwner(lead, for: caller, &json)
        json.field("qualified_at", lead.qualifiedAt)
        json.field("won_at", lead.wonAt)
        json.field("metadata", JSONValue.object(isOwn ? lead.metadata : [:]))
        json.field("version", lead.version)
        json.field("created_at", lead.createdAt.rfc3339)
        json.field("updated_at", lead.updatedAt.rfc3339)
    }

    /// A partner learns of itself, not of another, that it holds the account.
    private static func writeOwner(
        _ lead: Lead, for caller: Principal, _ json: inout JSONObjectWriter
    ) {
        let isOthers =
            lead.registration != nil && caller.participant != nil
            && lead.owner?.name != caller.participant?.description
        if let owner = lead.owner, !isOthers {
            json.object("owner") { object in
                object.field("kind", owner.kind.rawValue)
                object.field("name", owner.name)
            }
        } else {
            json.null("owner")
        }
        json.field("registration_id", isOthers ? nil : lead.registration)
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
        form["country"] = lead.firm.country.map { .string($0.code) }
        form["industry"] = lead.firm.industry.map { .string($0) }
        form["company_size"] = lead.firm.companySize.map { .integer($0) }
        form["use_case"] = lead.firm.useCase.map { .string($0) }
        var checklist = JSONObject()
        for (item, answer) in lead.checklist { checklist[item.rawValue] = .bool(answer) }
        form["checklist"] = .object(checklist)
        form["owner"] = lead.owner.map { .string($0.name) }
        return .object(form)
    }
}

/// What an action on a lead is told.
enum LeadMoveWire {
    static func input(_ action: Lead.State.Action) -> Schema {
        switch action {
        case .advance: .emptyBody
        case .qualify:
            .object([
                .optional(
                    "override_reason", reason,
                    "Why it is qualified although it breaks a rule. \(kept)")
            ])
        case .attach:
            .object([
                .required("lead_id", .id(LeadID.self), "An opportunity of the same program."),
                .optional("reason", reason, kept), takeBack,
            ])
        case .disqualify:
            .object([
                .required("reason_code", .choice(DisqualificationCode.allCases.map(\.rawValue))),
                .required("reason", reason, "For the referrer (R107). \(kept)"), takeBack,
            ])
        case .win:
            .object([
                .optional(
                    "value", .money(from: 0), "What the deal was closed at; rewards count on it.")
            ])
        case .lose:
            .object([
                .optional("reason_code", .choice(LossCode.allCases.map(\.rawValue))),
                .required("reason", reason, kept), takeBack,
            ])
        case .nurture:
            .object([
                .required(
                    "follow_up_at", .dayOrTime,
                    "When, or on which day, it is submitted again by itself."),
                .optional("reason", reason, kept),
            ])
        case .reopen: .object([.required("reason", reason, kept)])
        }
    }

    /// Whether the move takes back what was paid, which needs a reason.
    static func takesBack(_ body: Body) throws -> Bool {
        guard body.flag("take_back") == true else { return false }
        _ = try body.requiredText("reason")
        return true
    }

    private static let takeBack = Field.optional(
        "take_back", .boolean,
        "True: rewards that were paid are owed back, too, and set off against later payouts. Only "
            + "within the program's clawback_days of their grant, and with a reason. Default "
            + "false: rewards that are not paid are taken back alone.")
    private static let reason = Schema.prose(1...1000)
    private static let kept = "Kept for good in the event log: no personal data."

    static func move(_ action: Lead.State.Action, _ body: Body) throws -> LeadMove {
        switch action {
        case .qualify:
            body.text("override_reason").map { .qualifyAnyway(reason: $0) } ?? .qualify
        case .attach:
            .attach(
                to: try body.required("lead_id", body.id("lead_id")), reason: body.text("reason"))
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
    let firm: Firmographics
    let checklist: [QualificationTerms.ChecklistItem: Bool]
    let owner: String?
    let metadata: JSONObject

    init(_ body: Body) {
        name = body.text("name")
        company = body.text("company")
        domain = body.text("domain").flatMap { DomainName(typed: $0) }
        phone = body.text("phone")
        note = body.text("note")
        intro = body.text("intro").flatMap { Lead.Intro(rawValue: $0) }
        estimatedValue = body.money("estimated_value")
        firm = Firmographics(
            country: body.text("country").flatMap { CountryCode($0) },
            industry: body.text("industry"), companySize: body.integer("company_size"),
            useCase: body.text("use_case"))
        var checklist: [QualificationTerms.ChecklistItem: Bool] = [:]
        if let answers = body.nested("checklist") {
            for item in QualificationTerms.ChecklistItem.allCases {
                checklist[item] = answers.flag(item.rawValue)
            }
        }
        self.checklist = checklist
        owner = body.text("owner")
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
        lead.firm = firm
        lead.checklist = checklist
        if owner != old.owner?.name {
            lead.owner = owner.map { LeadOwner(kind: .manual, name: $0) }
        }
        lead.metadata = metadata
        lead.version += 1
        lead.updatedAt = now
        return lead
    }
}
