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
    let faults: [FieldError]

    /// A field that people do not see and robots fill in.
    static let honeypot = "website"
    static let hidden = ["ref", "click_id"]
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
            .optional("ref", .nullable(.text(0...200)), "The code of the referrer's link."),
            .optional(
                "click_id", .nullable(.text(0...200)), "From the address that the link led to."),
            .optional(
                "referrer_email", .nullable(.text(0...254)),
                "The referrer's address in the program."),
            .optional(
                "device_id", .nullable(.text(0...200)),
                "What the referred person fills in the form with, from 8 characters. "
                    + DeviceWire.about),
            .optional(honeypot, .nullable(.text(0...2000)), "Left empty by people."),
        ] + campaign.map { .optional($0, .nullable(.text(0...500))) })

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
        for (name, value) in fields where FormPost.isKnown(name) && values[name] == nil {
            let text = FormPost.trimmed(value)
            if !text.isEmpty { values[name] = text }
        }
        self.values = values
        var object = JSONObject()
        for (name, value) in values { object[name] = .string(value) }
        faults = FormPost.input.faults(in: .object(object))
    }

    /// The submission that this post asks for. What names a referrer but cannot be read counts as
    /// unknown.
    func submission(to program: ProgramID, from sender: SenderTraces?) throws -> SubmitLead {
        guard faults.isEmpty, let email = values["email"].flatMap({ EmailAddress($0) }) else {
            throw Refused(.invalid(faults))
        }
        let click = values["click_id"].map { text in ClickID(text) }
        let referrer = values["referrer_email"].map { text in EmailAddress(text) }
        var unreadable: [LeadRefusal.Reference] = []
        if case .some(.none) = click { unreadable.append(.click) }
        if case .some(.none) = referrer { unreadable.append(.email) }
        var metadata = JSONObject()
        for name in FormPost.campaign { metadata[name] = values[name].map { .string($0) } }
        return SubmitLead(
            program: program, participant: nil, ref: values["ref"], click: click ?? nil,
            referrerEmail: referrer ?? nil, unreadable: unreadable,
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
