import JSON
import Model
import ReferralLinks

/// Who brought somebody: as a page carried it (`click_id`, `ref`, `ref_at`), as a person typed it
/// or a shop applied it (`code`), or as a person told it (`referrer_email`). No hint is a reason to
/// refuse: what cannot be read is left out and stands in `ignored`.
struct Hints: Sendable {
    /// In the order given, each once.
    private(set) var clicks: [ClickID] = []
    private(set) var ref: String?
    /// When the page got its `ref`.
    private(set) var refAt: Instant?
    private(set) var code: String?
    private(set) var referrerEmail: EmailAddress?
    private(set) var ignored: [IgnoredHint] = []

    /// The first one and the newest of more: whichever a model asks for is among them.
    static let clicksMax = 10

    static let names: [HintName] = [.click, .ref, .refAt, .code, .referrerEmail]

    init() {}

    /// From the members of a JSON object. Each may be a text, a list of texts, or anything.
    init(_ object: JSONObject) {
        self.init { name in
            guard let value = object[name.rawValue] else { return [] }
            return value.arrayValue ?? [value]
        }
    }

    /// From the fields of a form or an address, where a name may be repeated. A field that is empty
    /// was not filled in.
    init(fields: [(name: String, value: String)]) {
        self.init { name in
            fields.filter { $0.name == name.rawValue && !Hints.trimmed($0.value).isEmpty }
                .map { .string($0.value) }
        }
    }

    private init(values: (HintName) -> [JSONValue]) {
        readClicks(values(.click))
        ref = read(.ref, values(.ref), Hints.code)
        refAt = read(.refAt, values(.refAt)) { Instant(rfc3339: $0) }
        code = read(.code, values(.code), Hints.code)
        referrerEmail = read(.referrerEmail, values(.referrerEmail)) { EmailAddress($0) }
        if let refAt, ref == nil, !ignored.contains(where: { $0.name == .ref }) {
            leaveOut(.refAt, refAt.rfc3339, .withoutRef)
            self.refAt = nil
        }
    }

    /// What was read, under its names.
    var json: JSONObject {
        var object = JSONObject()
        if !clicks.isEmpty {
            object[HintName.click.rawValue] = .array(clicks.map { .string($0.description) })
        }
        object[HintName.ref.rawValue] = ref.map { .string($0) }
        object[HintName.refAt.rawValue] = refAt.map { .string($0.rfc3339) }
        object[HintName.code.rawValue] = code.map { .string($0) }
        object[HintName.referrerEmail.rawValue] = referrerEmail.map { .string($0.text) }
        return object
    }

    /// Whether nothing was read.
    var isEmpty: Bool { clicks.isEmpty && ref == nil && code == nil && referrerEmail == nil }

    /// Without the time of `ref`: only the operator's word and its pages' are taken for when
    /// something was.
    func withoutTime() -> Hints {
        guard let refAt else { return self }
        var hints = self
        hints.leaveOut(.refAt, refAt.rfc3339, .notAllowed)
        hints.refAt = nil
        return hints
    }

    // MARK: - Reading

    private mutating func leaveOut(
        _ name: HintName, _ value: String?, _ because: IgnoredHint.Because
    ) {
        guard ignored.count < IgnoredHint.most else { return }
        ignored.append(IgnoredHint(name, value, because))
    }

    /// A text may hold several, separated by commas.
    private mutating func readClicks(_ values: [JSONValue]) {
        var found: [ClickID] = []
        for value in values {
            guard let text = Hints.text(value) else {
                leaveOut(.click, Hints.shown(value), value.isNull ? .empty : .malformed)
                continue
            }
            let parts = text.split(separator: ",").map { Hints.trimmed(String($0)) }
                .filter { !$0.isEmpty }
            if parts.isEmpty { leaveOut(.click, text, .empty) }
            for part in parts {
                guard let id = ClickID(part.lowercased()) else {
                    leaveOut(.click, part, .malformed)
                    continue
                }
                if !found.contains(id) { found.append(id) }
            }
        }
        guard found.count > Hints.clicksMax else {
            clicks = found
            return
        }
        let newest = found.suffix(Hints.clicksMax - 1)
        clicks = [found[0]] + newest
        for id in found[1..<newest.startIndex] { leaveOut(.click, id.description, .tooMany) }
    }

    /// The first of the values that can be read.
    private mutating func read<Value>(
        _ name: HintName, _ values: [JSONValue], _ parse: (String) -> Value?
    ) -> Value? {
        var found: Value?
        for value in values {
            let text = Hints.text(value)
            if text?.isEmpty ?? value.isNull {
                leaveOut(name, text, .empty)
            } else if let parsed = text.flatMap(parse) {
                if found == nil { found = parsed } else { leaveOut(name, text, .tooMany) }
            } else {
                leaveOut(name, text ?? Hints.shown(value), .malformed)
            }
        }
        return found
    }

    /// A code without what a chat program or an address glued on to its end.
    private static func code(_ text: String) -> String? {
        let bare = LinkCode.bare(text)
        return LinkCode.isWellFormed(bare) ? bare : nil
    }

    /// Of a text, or of a whole number, which is its digits. Without blanks around it.
    private static func text(_ value: JSONValue) -> String? {
        (value.stringValue ?? value.integerValue.map { String($0) }).map(trimmed)
    }

    private static func shown(_ value: JSONValue) -> String? { value.isNull ? nil : value.text }

    private static func trimmed(_ text: String) -> String { String(NaturalKey.trimmed(text)) }
}
