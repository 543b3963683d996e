import HTTP
import JSON
import LeadRegistration
import Model
import Records

/// A referral form as posted: the fields that it knows, checked; everything else is ignored.
struct FormPost: Sendable {
    /// As typed, without the spaces around it; empty fields are left out, and the first of several
    /// counts.
    let values: [String: String]
    /// Who is named as the one who brought the visitor.
    let hints: Hints
    let faults: [FieldError]

    /// A field that people do not see and robots fill in.
    static let honeypot = "website"
    static let hidden = [HintName.ref, .click, .refAt].map(\.rawValue)
    /// Campaign parameters, kept in the lead's metadata.
    static let campaign = [
        "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
    ]

    static let input = Schema.object(
        [
            .required("email", .email, "Whom sales should write to."),
            .optional("name", .nullable(.text(0...200))),
            .optional("company", .nullable(.text(0...200))),
            .optional("phone", .nullable(.text(0...40))),
            .optional("note", .nullable(.prose(0...2000))),
            .optional("industry", .nullable(.text(0...100))),
            .optional("company_size", .nullable(.text(0...20)), "Employees."),
            .optional("country", .nullable(.text(0...40)), "ISO 3166-1, of the company."),
            .optional(
                "device_id", .nullable(.text(0...200)),
                "What the referred person fills in the form with, from 8 characters. "
                    + DeviceWire.about),
            .optional(honeypot, .nullable(.text(0...2000)), "Left empty by people."),
        ] + HintWire.input + campaign.map { .optional($0, .nullable(.text(0...500))) })

    static let answer = Schema.named(
        "FormReceipt",
        .object([
            .required("id", .id(LeadID.self)), .required("object", .choice(["lead"])),
            .required("status", .choice(["submitted"])),
        ]))

    private static let known: Set<String> = {
        guard case .object(let fields) = input else { return [] }
        return Set(fields.map(\.name))
    }()

    static func isKnown(_ name: String) -> Bool { known.contains(name) }

    init(_ fields: [(name: String, value: String)]) {
        var values: [String: String] = [:]
        let fields = fields.map { (name: FormPost.plain($0.name), value: $0.value) }
        for (name, value) in fields where FormPost.isKnown(name) && values[name] == nil {
            let text = FormPost.trimmed(value)
            if !text.isEmpty { values[name] = text }
        }
        let clicks = fields.filter { $0.name == HintName.click.rawValue }.map {
            FormPost.trimmed($0.value)
        }.filter { !$0.isEmpty }
        if clicks.count > 1 { values[HintName.click.rawValue] = clicks.joined(separator: ",") }
        self.values = values
        hints = Hints(fields: fields)
        var object = JSONObject()
        for (name, value) in values { object[name] = .string(value) }
        faults = FormPost.input.faults(in: .object(object))
    }

    /// The name of a parameter however its letters are cased, and behind an `amp;` that a page left
    /// of an escaped ampersand.
    private static func plain(_ name: String) -> String {
        var plain = name.lowercased()
        while plain.hasPrefix("amp;") { plain.removeFirst(4) }
        return Hints.names.contains { $0.rawValue == plain } ? plain : name
    }

    /// The submission that this post asks for.
    func submission(to program: ProgramID, from sender: SenderTraces?) throws -> SubmitLead {
        guard faults.isEmpty, let email = values["email"].flatMap({ EmailAddress($0) }) else {
            throw Refused(.invalid(faults))
        }
        var metadata = JSONObject()
        for name in FormPost.campaign { metadata[name] = values[name].map { .string($0) } }
        return SubmitLead(
            program: program, participant: nil, hints: hints,
            contact: Contact(
                name: values["name"], email: email, company: values["company"], domain: nil,
                phone: values["phone"], note: values["note"]),
            firm: Firmographics(
                country: values["country"].flatMap { CountryCode($0) },
                industry: values["industry"],
                companySize: values["company_size"].flatMap { Int64($0) }.map {
                    min(max($0, 0), 10_000_000)
                }),
            channel: "form", email: email, intro: nil, estimatedValue: nil, metadata: metadata,
            source: .form,
            isHoneypotFilled: values[FormPost.honeypot] != nil,
            formDigest: LeadRules.formDigest(values.map { (name: $0.key, value: $0.value) }),
            traces: traces(sender),
            actor: "public")
    }

    /// What the referred person is known by: nothing when a referrer names himself, who then fills
    /// in the form. A device's name that is too short to tell it from others is none: a visitor is
    /// not turned away for it.
    private func traces(_ sender: SenderTraces?) -> [TraceValue] {
        guard values["referrer_email"] == nil else { return [] }
        let device = values["device_id"].flatMap {
            DeviceWire.schema.faults(in: .string($0)).isEmpty ? TraceValue.device($0) : nil
        }
        return [device, sender?.address].compactMap { $0 }
    }

    /// `text` without the blanks and line breaks around it.
    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar == " " || (0x09...0x0D).contains(scalar.value)
        }
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}
