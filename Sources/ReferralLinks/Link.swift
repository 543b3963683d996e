import JSON
import Model
import Records

/// A participant's referral link: a code under `/r/`, and where it leads.
///
/// Its clicks are in `Click`; whether it leads anywhere just now also depends on its program and
/// its participant, which `LinkRules.availability` asks for.
public struct Link: Sendable {
    public enum State: String, LifecycleState {
        case active, disabled

        public enum Action: String, Sendable, CaseIterable { case enable, disable }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.enable, .disabled): .active
            case (.disable, .active): .disabled
            default: nil
            }
        }
    }

    /// Where the link is shared, so that channels can be compared (R44).
    public enum Channel: String, Sendable, CaseIterable {
        case email, social, sms, messenger
        case inApp = "in_app"
        case qr, print, event, blog, newsletter, website, other
    }

    public let id: LinkID
    public let program: ProgramID
    public let participant: ParticipantID
    /// As given or made; looked up without regard to case.
    public let code: String
    /// Nil: the program's.
    public var destination: WebURL?
    public var channel: Channel
    public var campaign: String?
    public var utm: CampaignTags
    public var state: State
    /// Since when it is disabled; nil while it is active.
    public var disabledAt: Instant?
    /// Whether lists leave it out. It stops nothing.
    public var isHidden: Bool
    /// From this instant on the link leads where a disabled one does.
    public var expiresAt: Instant?
    public var metadata: JSONObject
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: LinkID, program: ProgramID, participant: ParticipantID, code: String,
        destination: WebURL?, channel: Channel, campaign: String?, utm: CampaignTags, state: State,
        disabledAt: Instant? = nil, isHidden: Bool = false, expiresAt: Instant?,
        metadata: JSONObject, version: Int64, createdAt: Instant,
        updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.participant = participant
        self.code = code
        self.destination = destination
        self.channel = channel
        self.campaign = campaign
        self.utm = utm
        self.state = state
        self.disabledAt = disabledAt
        self.isHidden = isHidden
        self.expiresAt = expiresAt
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension Link {
    /// The last instant at which it led somewhere; nil while it does. One that is active again has
    /// no end.
    public var endedAt: Instant? {
        // It has expired at that instant already.
        let expiry = expiresAt.map { $0.advanced(byMilliseconds: -1) }
        return [disabledAt, expiry].compactMap { $0 }.min()
    }

    /// Where it is shared.
    public var place: LinkPlace { LinkPlace(channel: channel.rawValue, campaign: campaign) }
}

/// The five UTM fields (R45), each a short text or absent.
public struct CampaignTags: Sendable, Equatable {
    public static let names = ["source", "medium", "campaign", "term", "content"]
    /// Longest value kept, in Unicode scalars.
    public static let valueMax = 200

    /// Name without `utm_` and value, in the order of `names`.
    public private(set) var pairs: [(name: String, value: String)] = []

    public init() {}

    /// Takes the known names of `object` whose values are texts.
    public init(_ object: JSONObject) {
        for name in CampaignTags.names {
            if let value = object[name]?.stringValue { pairs.append((name, value)) }
        }
    }

    /// Takes the `utm_` parameters of a query; the first of each name counts, cut to `valueMax`.
    public init(query: VisitorQuery) {
        for name in CampaignTags.names {
            guard let value = query.value(of: "utm_" + name), !value.isEmpty else { continue }
            let kept = String(String.UnicodeScalarView(value.unicodeScalars.prefix(Self.valueMax)))
            pairs.append((name, kept))
        }
    }

    public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// The value under a whole name, such as `utm_source`.
    public func value(named name: String) -> String? {
        name.hasPrefix("utm_") ? self[String(name.dropFirst(4))] : nil
    }

    public var isEmpty: Bool { pairs.isEmpty }

    /// As stored and as shown.
    public var json: JSONObject {
        var object = JSONObject()
        for (name, value) in pairs { object[name] = .string(value) }
        return object
    }

    public static func == (left: CampaignTags, right: CampaignTags) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0 == $1 }
    }
}
