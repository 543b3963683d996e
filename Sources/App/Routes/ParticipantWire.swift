import Database
import JSON
import Model
import Programs
import Records

/// How a participant looks on the wire.
enum ParticipantWire {
    static let schema = Schema.named(
        "Participant",
        .object(
            [
                .required("id", .id(ParticipantID.self)),
                .required("object", .choice(["participant"])),
                .required("program_id", .id(ProgramID.self)),
                .required("kind", kind), .required("status", state),
                .required("external_id", .nullable(.text(1...200))),
                .required("name", .text(1...200)), .required("email", .email),
                .required("phone", .nullable(.text(1...16)), "In E.164."),
                .required("company", .nullable(.text(1...200))),
                .required("payout_account", .nullable(.text(1...260)), "Masked: …6789."),
            ] + profile.map { .required($0.name, $0.schema.asAnswered, about($0)) } + [
                .required(
                    "terms_version", .nullable(.integer(1...Int64.max)),
                    "The newest version of the program's legal terms that it accepted."),
                .required("terms_accepted_at", .nullable(.time)),
                .required(
                    "may_refer", .boolean,
                    "Whether it may refer now. A referral of one that may not is not taken; what "
                        + "it earns all the same waits in review."),
                .required(
                    "because", .nullable(.choice(FindEligibility.Because.names)),
                    "Why it may not refer: the first rule that it breaks; limit_reached: referrals "
                        + "are taken and earn nothing more until the limit's period ends. A "
                        + "participant's token reads operator_decision for what the operator alone "
                        + "knows. Null: it may."),
                .required("metadata", .metadata, "Empty for the participant's token."),
                .required("version", .integer(1...Int64.max)),
                .required("created_at", .time), .required("updated_at", .time),
            ]))

    private static let kind = Schema.choice(Participant.Kind.allCases.map(\.rawValue))
    private static let state = Schema.choice(Participant.State.allCases.map(\.rawValue))

    private static let profile: [Field] = [
        .optional(
            "account_since", .nullable(.dayOrTime),
            "Since when it is a customer or partner: a time, or a day of the program's time_zone."),
        .optional(
            "plan", .nullable(.choice(ParticipantProfile.Plan.allCases.map(\.rawValue)))),
        .optional("good_standing", .nullable(.boolean)),
        .optional("in_collections", .nullable(.boolean)),
        .optional("at_risk", .nullable(.boolean)),
        .optional("active", .nullable(.boolean), "Whether it uses the product."),
        .optional(
            "relationship",
            .nullable(.choice(ParticipantProfile.Relationship.allCases.map(\.rawValue)))),
        .optional("segment", .nullable(.text(1...100))),
        .optional("tier", .nullable(.text(1...100))),
        .optional(
            "account_executive", .nullable(.text(1...200)),
            "Your own name for whoever looks after it; leads may be routed there."),
    ]

    /// What its own token does not see of a participant.
    private static let internals: Set<String> = [
        "in_collections", "at_risk", "relationship", "segment", "account_executive",
    ]

    private static func about(_ field: Field) -> String {
        guard internals.contains(field.name) else { return field.about }
        return (field.about.isEmpty ? "" : field.about + " ") + "Null for the participant's token."
    }

    private static let common: [Field] =
        [
            .optional("kind", kind, "customer unless told."),
            .optional(
                "external_id", .nullable(.key(1...200)), "Your own id, unique in the program."),
            .required("name", .text(1...200)), .required("email", .email),
            .optional(
                "phone", .nullable(.text(1...40)), "With a plus sign and the country's code."),
            .optional("company", .nullable(.text(1...200))),
            .optional(
                "payout_account", .nullable(.text(1...260)),
                "Where it is paid: an IBAN, an address, a token. Kept as a keyed hash, to find out "
                    + "who refers himself; the masked form, sent back, changes nothing."),
            .optional(
                "device_id", .nullable(DeviceWire.schema),
                "Added to what it is known to use; not shown. \(DeviceWire.about)"),
            .optional("metadata", .metadata),
        ] + profile

    static let input = Schema.object(
        [.required("program_id", .id(ProgramID.self))] + common + [
            .optional(
                "status", .choice(["applied", "approved"]),
                "applied unless told; approved lets it refer at once.")
        ])

    static let changeable = Schema.object(common)

    static func json(
        _ participant: Participant, because: FindEligibility.Because?, for caller: Principal
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(participant, because: because, for: caller, &$0) }
        return json.bytes
    }

    /// `because`: why it may not refer, as far as the caller may know; nil: it may.
    static func write(
        _ participant: Participant, because: FindEligibility.Because?, for caller: Principal,
        _ json: inout JSONObjectWriter
    ) {
        json.field("id", participant.id.description)
        json.field("object", "participant")
        json.field("program_id", participant.program.description)
        json.field("kind", participant.kind.rawValue)
        json.field("status", participant.state.rawValue)
        json.field("external_id", participant.externalID)
        json.field("name", participant.name)
        json.field("email", participant.email.text)
        json.field("phone", participant.phone)
        json.field("company", participant.company)
        json.field("payout_account", participant.payoutAccount)
        let profile = participant.profile
        json.field("account_since", profile.accountSince)
        json.field("plan", profile.plan?.rawValue)
        json.field("good_standing", profile.isInGoodStanding)
        // What the operator thinks of a participant is not for its portal.
        let isOperator = caller.participant == nil
        json.field("in_collections", isOperator ? profile.isInCollections : nil)
        json.field("at_risk", isOperator ? profile.isAtRisk : nil)
        json.field("active", profile.isActive)
        json.field("relationship", isOperator ? profile.relationship?.rawValue : nil)
        json.field("segment", isOperator ? profile.segment : nil)
        json.field("tier", profile.tier)
        json.field("account_executive", isOperator ? profile.accountExecutive : nil)
        json.field("terms_version", participant.acceptedTerms?.version)
        json.field("terms_accepted_at", participant.acceptedTerms?.acceptedAt.rfc3339)
        json.field("may_refer", because == nil)
        json.field("because", because?.name)
        json.field("metadata", JSONValue.object(isOperator ? participant.metadata : [:]))
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
        if let phone = participant.phone { form["phone"] = .string(phone) }
        if let company = participant.company { form["company"] = .string(company) }
        form["payout_account"] = participant.payoutAccount.map { .string($0) }
        for (name, value) in participant.profile.json { form[name] = value }
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
    let phone: String?
    let company: String?
    /// As people see it, and whole when it is a new one.
    let payoutAccount: String?
    let newPayoutAccount: PaymentAccount?
    let device: TraceValue?
    let profile: ParticipantProfile
    let metadata: JSONObject

    /// `masked` is the payout account that is known, as the caller may have read it.
    init(_ body: Body, knowing masked: String? = nil) throws {
        kind = body.text("kind").flatMap { Participant.Kind(rawValue: $0) } ?? .customer
        state = body.text("status") == "approved" ? .approved : .applied
        externalID = body.text("external_id")
        name = try body.requiredText("name")
        email = try body.required("email", body.email("email"))
        phone = try body.text("phone").map { text in
            guard let phone = PhoneNumber(text, country: nil) else {
                throw ParticipantRefusal.phoneNotInternational
            }
            return phone.e164
        }
        company = body.text("company")
        let told = body.text("payout_account").flatMap { $0 == masked ? nil : $0 }
        newPayoutAccount = try told.map { text in
            guard let account = PaymentAccount(text) else {
                throw ParticipantRefusal.payoutAccountUnreadable
            }
            return account
        }
        payoutAccount = newPayoutAccount?.masked ?? body.text("payout_account")
        device = DeviceWire.trace(body)
        profile = ParticipantProfile(json: body.object)
        metadata = body.metadata
    }

    func participant(id: ParticipantID, program: ProgramID, at now: Instant) -> Participant {
        Participant(
            id: id, program: program, kind: kind, state: state, externalID: externalID, name: name,
            email: email, phone: phone, company: company, payoutAccount: payoutAccount,
            profile: profile, metadata: metadata, version: 1, createdAt: now, updatedAt: now)
    }

    func changing(_ old: Participant, at now: Instant) -> Participant {
        var participant = old
        participant.kind = kind
        participant.externalID = externalID
        participant.name = name
        participant.email = email
        participant.phone = phone
        participant.company = company
        participant.payoutAccount = payoutAccount
        participant.profile = profile
        participant.metadata = metadata
        participant.version += 1
        participant.updatedAt = now
        return participant
    }

    /// What the participant is known by from now on, of what the request says; an address that it
    /// had before stays its own.
    func keepTraces(
        of participant: ParticipantID, before old: EmailAddress? = nil, _ tx: Transaction
    ) throws {
        if let old, old.normalized != email.normalized {
            try TraceStore.keep([.mailbox(old)], of: participant, tx)
        }
        if newPayoutAccount != nil || payoutAccount == nil {
            try TraceStore.forget(.account, of: participant, tx)
        }
        let told = [newPayoutAccount.map { .account($0) }, device]
        try TraceStore.keep(told.compactMap { $0 }, of: participant, tx)
    }
}
