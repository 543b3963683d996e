import JSON

/// A name under which a request may say who referred somebody, or whom.
public enum HintName: String, Sendable, CaseIterable {
    case click = "click_id"
    case ref
    /// When the page got its `ref`.
    case refAt = "ref_at"
    case code
    case referrerEmail = "referrer_email"
    case customerEmail = "customer.email"
}

/// A hint that was of no use, and why. The value is what a person typed or a page carried, and may
/// be an address: it is kept in rows that can be erased alone, never in an event.
public struct IgnoredHint: Sendable, Equatable {
    public enum Because: String, Sendable, CaseIterable {
        /// Null, or nothing but blanks.
        case empty
        /// It cannot be what it is given as.
        case malformed
        /// Nothing has this name.
        case unknown
        /// It is another program's.
        case foreign
        /// Beyond what one request may hold.
        case tooMany = "too_many"
        /// A time of a `ref` that was not given.
        case withoutRef = "without_ref"
        case inTheFuture = "in_the_future"
        /// Not taken from whoever sent it.
        case notAllowed = "not_allowed"
        /// A browser asked for the page before anybody clicked.
        case prefetch
        /// A page showed the link as an image or in a frame: nobody clicked.
        case embedded
        /// Another participant than the one who referred the lead.
        case otherParticipant = "other_participant"
        /// Of a participant who is not approved.
        case notApproved = "not_approved"
        /// Of a participant who may not refer by a rule of the program.
        case notEligible = "not_eligible"
    }

    public let name: HintName
    /// Nil where there was none. Cut to `valueMax` Unicode scalars.
    public let value: String?
    public let because: Because

    public static let valueMax = 200
    /// Kept of one request.
    public static let most = 20

    public init(_ name: HintName, _ value: String?, _ because: Because) {
        self.name = name
        self.value = value.map {
            String(String.UnicodeScalarView($0.unicodeScalars.prefix(IgnoredHint.valueMax)))
        }
        self.because = because
    }

    /// With name and reason, for events.
    public var jsonWithoutValue: JSONValue {
        ["name": .string(name.rawValue), "because": .string(because.rawValue)]
    }

    /// With everything, for the operator and the row.
    public var json: JSONValue {
        [
            "name": .string(name.rawValue), "value": value.map { .string($0) } ?? .null,
            "because": .string(because.rawValue),
        ]
    }

    private init?(_ json: JSONValue) {
        guard let object = json.objectValue,
            let name = object["name"]?.stringValue.flatMap({ HintName(rawValue: $0) }),
            let because = object["because"]?.stringValue.flatMap({ Because(rawValue: $0) })
        else { return nil }
        self.init(name, object["value"]?.stringValue, because)
    }

    /// As a row keeps them; nil when there are none.
    public static func stored(_ hints: [IgnoredHint]) -> String? {
        hints.isEmpty ? nil : JSONValue.array(hints.map(\.json)).text
    }

    /// Reads what `stored` wrote; none when it is something else.
    public static func read(_ stored: String?) -> [IgnoredHint] {
        guard let stored, let list = try? JSONValue.parse(Array(stored.utf8)).arrayValue else {
            return []
        }
        return list.compactMap { IgnoredHint($0) }
    }
}
