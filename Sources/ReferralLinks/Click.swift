import JSON
import Model
import Records

/// One hit on a link, as it is handed to the recorder. Holds no address and no agent, only what
/// stays.
public struct Click: Sendable {
    /// What kind of hit it was; the number is what is stored.
    public enum Class: Int64, Sendable, CaseIterable {
        case human = 0
        case bot, preview, prefetch, duplicate
        /// A page showed the link as an image, in a frame or by a script: nobody clicked.
        case embedded

        public var name: String {
            switch self {
            case .human: "human"
            case .bot: "bot"
            case .preview: "preview"
            case .prefetch: "prefetch"
            case .duplicate: "duplicate"
            case .embedded: "embedded"
            }
        }

        public init?(name: String) {
            guard let match = Class.allCases.first(where: { $0.name == name }) else { return nil }
            self = match
        }
    }

    public let id: ClickID
    /// The link's sequence.
    public let link: Int64
    public let verdict: ClickVerdict
    /// 64 bits of a keyed hash of address and agent; nil when the visitor asked not to be followed.
    public let visitor: Int64?
    /// UTM fields and the referrer's host as JSON; nil when there are none.
    public let detail: String?
    /// The day that it counts to, by the clocks of its program.
    public let day: Int64

    /// `day` is that of UTC by default.
    public init(
        id: ClickID, link: Int64, verdict: ClickVerdict, visitor: Int64?, detail: String?,
        day: Int64? = nil
    ) {
        self.id = id
        self.link = link
        self.verdict = verdict
        self.visitor = visitor
        self.detail = detail
        self.day = day ?? id.instant.day
    }

    /// A hit of a browser that asks before anybody clicked.
    public init(prefetch id: ClickID, link: Int64, day: Int64? = nil) {
        self.init(
            id: id, link: link, verdict: ClickVerdict(.prefetch, "prefetch_header"), visitor: nil,
            detail: nil, day: day)
    }

    /// The touch that is kept with a click; nil when there is nothing to keep.
    public static func detail(utm: CampaignTags, referrerHost: String?) -> String? {
        guard !utm.isEmpty || referrerHost != nil else { return nil }
        var object = JSONObject()
        if !utm.isEmpty { object["utm"] = .object(utm.json) }
        if let referrerHost { object["referrer"] = .string(referrerHost) }
        return JSONValue.object(object).text
    }
}

/// What a hit was found to be, and by which rule.
public struct ClickVerdict: Sendable, Equatable {
    public let kind: Click.Class
    /// A code, followed by a colon and the pattern when one decided. Nil for a human's click; where
    /// its link was off, why it was.
    public let reason: String?

    public init(_ kind: Click.Class, _ reason: String? = nil) {
        self.kind = kind
        self.reason = reason
    }
}

/// A click as stored, with the link it was on.
public struct RecordedClick: Sendable {
    public let id: ClickID
    public let link: LinkID
    public let program: ProgramID
    public let participant: ParticipantID
    public let verdict: ClickVerdict
    public let rulesVersion: Int64
    /// Whether it was counted without a visitor hash.
    public let isAnonymous: Bool
    public let utm: CampaignTags
    public let referrerHost: String?

    public var occurredAt: Instant { id.instant }
}

/// Where a click came from, for attribution.
public struct ClickOrigin: Sendable {
    public let program: ProgramID
    public let participant: ParticipantID
    public let link: LinkID
    public let kind: Click.Class
    public let occurredAt: Instant
    /// What stands for the visitor on that day; nil for one who is not to be known again.
    public let visitor: Int64?
    /// Where the link is shared.
    public let place: LinkPlace

    /// The link's channel, as the API names it.
    public var channel: String { place.channel }
    public var campaign: String? { place.campaign }

    /// The class that is taken back when somebody brings the click; nil where it is a person's
    /// first one.
    public var reclaimed: String? { kind == .human ? nil : kind.name }
}
