import JSON
import Model

/// The shape of a value on the wire, written once: it checks what comes in and documents it in
/// `/openapi.json` (JSON Schema 2020-12), so that the two cannot drift apart.
indirect enum Schema: Sendable {
    case string(TextRule)
    /// The operator's own name for a thing, as `NaturalKey` spells it: text, or a JSON integer,
    /// which is taken as its digits. The rule holds for the key.
    case key(TextRule)
    case integer(ClosedRange<Int64>)
    /// Minor units of money: whole numbers, and none that is written with a point.
    case minorUnits(ClosedRange<Int64>)
    case number
    case boolean
    case choice([String])
    case list(Schema, count: ClosedRange<Int>)
    case object([Field])
    /// At most 50 string members, keys up to 40 and values up to 500 characters.
    case metadata
    /// A merge patch of metadata: null takes a member away.
    case metadataPatch
    case nullable(Schema)
    /// A shape with a name of its own under `components/schemas`.
    case named(String, Schema)
    /// Any JSON: stored explanations and event data.
    case anything
    /// Documented like any other, and checked by the handler, one by one: items of a bulk request.
    case itemised(Schema)
}

/// One member of an object.
struct Field: Sendable {
    let name: String
    let schema: Schema
    let isRequired: Bool
    let about: String

    static func required(_ name: String, _ schema: Schema, _ about: String = "") -> Field {
        Field(name: name, schema: schema, isRequired: true, about: about)
    }

    static func optional(_ name: String, _ schema: Schema, _ about: String = "") -> Field {
        Field(name: name, schema: schema, isRequired: false, about: about)
    }
}

/// What a string must look like: lengths in Unicode scalars (as JSON Schema counts), the pattern
/// that documents it and the check that decides. Both must accept the same strings.
struct TextRule: Sendable {
    let length: ClosedRange<Int>
    let pattern: String?
    let format: String?
    /// The rule in words, with an example: "a date such as 2026-11-30".
    let words: String?
    /// Whether its length can be wrong alone: free text may be too long, a date is no date then.
    let hasOwnLength: Bool
    let accepts: @Sendable (String) -> Bool
    /// What a refused text is instead, where that can be said.
    let insight: (@Sendable (String) -> String?)?

    init(
        _ length: ClosedRange<Int>, pattern: String? = nil, format: String? = nil,
        words: String? = nil, hasOwnLength: Bool = false,
        accepts: @escaping @Sendable (String) -> Bool,
        insight: (@Sendable (String) -> String?)? = nil
    ) {
        self.length = length
        self.pattern = pattern
        self.format = format
        self.words = words
        self.hasOwnLength = hasOwnLength
        self.accepts = accepts
        self.insight = insight
    }
}

extension Schema {
    /// One line of text without control characters, nor those that turn its direction: names must
    /// read as they are.
    static func text(_ length: ClosedRange<Int>) -> Schema {
        let others = #"\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069"#
        let seen = length.lowerBound > 0 ? "[\(space)]*[^\(space)\(others)]" : ""
        let pattern = "^\(seen)[^\(others)]*$"
        return .string(
            TextRule(
                length, pattern: pattern, words: "one line of text without control characters",
                hasOwnLength: true
            ) { !$0.unicodeScalars.contains(where: misleads) })
    }

    /// A control character, or one that turns the direction of what follows.
    private static func misleads(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f, 0x202a...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    /// A natural key of any characters: an `external_id`, a `reference`, a `sku`.
    static func key(_ length: ClosedRange<Int>) -> Schema {
        let inside = #"[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*"#
        let pattern = "^\(blanks)(?=[^\(blank)])\(inside)\(blanks)$"
        return .key(
            TextRule(
                length, pattern: pattern,
                words: "text without control characters, or a whole number, such as order-1001",
                hasOwnLength: true
            ) { !$0.unicodeScalars.contains(where: misleads) })
    }

    /// What `NaturalKey` takes from the ends of a key.
    private static let blank = #"\t-\r\u0085"# + space
    /// Of that what is no control character.
    private static let space =
        #" \u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"#
    private static let blanks = "[\(blank)]*"

    /// A natural key that is a code, whose `pattern` stands between `^` and `$`.
    static func key(
        _ length: ClosedRange<Int>, pattern: String, words: String,
        accepts: @escaping @Sendable (String) -> Bool
    ) -> Schema {
        .key(
            TextRule(
                length, pattern: "^\(blanks)\(pattern)\(blanks)$", words: words, accepts: accepts))
    }

    /// Several lines: tabs, carriage returns and line feeds are kept.
    static func prose(_ length: ClosedRange<Int>) -> Schema {
        let others = #"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"#
        let blank = #"\t\n\r"# + space
        // Of a pattern in two parts no generator makes a text of many pages.
        let hasSeen = length.lowerBound > 0 && length.upperBound <= 10_000
        let seen = hasSeen ? "[\(blank)]*[^\(blank)\(others)]" : ""
        let pattern = "^\(seen)[^\(others)]*$"
        return .string(
            TextRule(
                length, pattern: pattern,
                words: "text without control characters", hasOwnLength: true
            ) {
                $0.unicodeScalars.allSatisfy { scalar in
                    (scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value))
                        || [9, 10, 13].contains(scalar.value)
                }
            })
    }

    /// Characters of `set` only, such as codes and references.
    static func token(
        _ length: ClosedRange<Int>, pattern: String, allowed: String,
        words: String = "lower-case letters, digits, - and _"
    ) -> Schema {
        let set = Set(allowed.utf8)
        return .string(
            TextRule(
                length, pattern: pattern,
                words: "\(length.lowerBound) to \(length.upperBound) characters of \(words)"
            ) { $0.utf8.allSatisfy(set.contains) })
    }

    /// An identifier of one kind.
    static func id<Kind>(_ kind: Identifier<Kind>.Type) -> Schema {
        let prefix = Kind.prefix
        let length = prefix.utf8.count + 27
        return .string(
            TextRule(
                length...length, pattern: "^\(prefix)_[0-7][0-9a-hjkmnp-tv-z]{25}$",
                words: "an id such as \(prefix)_01h2xcejqtf2nbrexx3vqjhp41"
            ) {
                Identifier<Kind>($0) != nil
            } insight: {
                Noun.bearing($0).map { "this is one of \($0)" }
            })
    }

    /// RFC 3339 with an offset.
    static let time = Schema.string(
        TextRule(
            20...40, format: "date-time", words: "a time such as 2026-11-30T10:00:00Z"
        ) { Instant(rfc3339: $0) != nil })

    /// A day of the years 0001 to 9999, leap days where there are some.
    private static let dayPattern =
        "(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
        + "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
        + "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"

    /// A calendar day: RFC 3339 `full-date`.
    static let day = Schema.string(
        TextRule(
            10...10, pattern: "^" + dayPattern + "$", format: "date",
            words: "a date such as 2026-11-30"
        ) { CivilDay.parse($0) != nil })

    static let dayOrTimeWords =
        "a time such as 2026-11-30T10:00:00Z, or a date such as 2026-11-30"

    /// A calendar day, or a time with an offset.
    static let dayOrTime = Schema.string(
        TextRule(
            10...40,
            pattern: "^" + dayPattern + "([Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
                + #"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$"#,
            words: dayOrTimeWords
        ) { CivilDay.parse($0) != nil || Instant(rfc3339: $0) != nil })

    static let email = Schema.string(
        TextRule(
            3...254,
            pattern: "^(?=[^@]{1,64}@)\(atom)+(\\.\(atom)+)*@(\(label)\\.)+\(lastLabel)$",
            format: "email", words: "an address such as ada@example.com"
        ) { EmailAddress($0) != nil })

    /// Letters beyond ASCII, in a range whose characters are letters and marks throughout.
    private static let letters = #"\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0148\u4e00-\u9fa5"#
    private static let atom = #"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\#(letters)-]"#
    private static let label =
        #"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?|[A-Za-z\#(letters)]{1,10})"#
    private static let lastLabel =
        #"([A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?|[A-Za-z\#(letters)]{1,10})"#

    /// A name whose last label begins with a letter, or an IPv4 address in its usual form.
    private static let hostPattern =
        #"(([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){0,3}[a-z][a-z0-9]{0,62}"#
        + #"|((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}"#
        + #"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))(:[1-9][0-9]{0,3})?"#

    private static let urlPattern =
        "^https?://" + hostPattern
        + #"(/[A-Za-z0-9._~/-]*)?(\?[A-Za-z0-9._~=&-]*)?(#[A-Za-z0-9._~-]*)?$"#

    static let url = Schema.string(
        TextRule(
            8...2000, pattern: urlPattern,
            words: "an address such as https://www.example.com/pricing: http or https, a host, no "
                + "user name, no blank, at most 2000 characters"
        ) { WebURL($0) != nil })

    /// A URL as it is kept: in normal form, which may be longer than what was sent.
    static let keptURL = Schema.text(8...8000)

    /// `scheme://host` or `scheme://host:port`.
    static let origin = Schema.string(
        TextRule(
            8...300, pattern: "^https?://" + hostPattern + "$",
            words: "an origin such as https://www.example.com: in lower case, without a path, and "
                + "without a slash at the end"
        ) { text in WebURL(text)?.origin == text })

    /// An ISO 4217 code; lower case is accepted too.
    static let currency = Schema.named(
        "Currency",
        .string(
            TextRule(
                3...3, pattern: "^(" + Currency.all.map(\.code).joined(separator: "|") + ")$",
                words: "an ISO 4217 code such as USD"
            ) { Currency($0) != nil }))

    /// What the journal counts in: a currency, or points.
    static let unit = Schema.named(
        "Unit",
        .string(
            TextRule(
                3...3,
                pattern: "^("
                    + (Currency.all + [.points]).map(\.code).joined(separator: "|") + ")$"
            ) { Currency(stored: $0) != nil }))

    /// Minor units, up to what JSON numbers carry everywhere (2^53 - 1).
    static func amount(from least: Int64) -> Schema { .minorUnits(least...Money.maximum) }

    static func money(from least: Int64) -> Schema {
        .object([
            .required("amount", .amount(from: least), "Minor units of the currency."),
            .required("currency", .currency, "ISO 4217 code."),
        ])
    }

    /// An amount of the journal: money, or points.
    static func amountOfJournal(from least: Int64) -> Schema {
        .object([
            .required("amount", .amount(from: least), "Minor units of the currency, or points."),
            .required("currency", .unit, "ISO 4217 code; PTS for points."),
        ])
    }
}
