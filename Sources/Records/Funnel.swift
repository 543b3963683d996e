import Model

/// How far a referral has come. The numbers are what is stored.
public enum FunnelStage: Int64, Sendable, CaseIterable {
    /// A person's click. Read from the links' own daily numbers, never stored here.
    case click = 0
    /// A referral form was posted, whatever became of it.
    case form = 1
    /// Neither a robot's nor a second one for the same prospect.
    case lead = 2
    case qualified = 3
    case opportunity = 4
    case won = 5
    /// A sale or sign-up.
    case conversion = 6

    /// The stage of a lead in the state of this name; nil for one that leads nowhere.
    ///
    /// Nothing but its first state makes a lead `disqualified` that was not `submitted` before, so
    /// the two are one stage: it was admitted.
    public init?(leadState: String) {
        switch leadState {
        case "submitted", "disqualified": self = .lead
        case "qualified": self = .qualified
        case "opportunity": self = .opportunity
        case "won": self = .won
        default: return nil
        }
    }

    /// The states of a lead by which it is in this stage.
    public var leadStates: [String] {
        switch self {
        case .lead: ["submitted", "disqualified"]
        case .qualified: ["qualified"]
        case .opportunity: ["opportunity"]
        case .won: ["won"]
        case .click, .form, .conversion: []
        }
    }
}

/// Where a referral came from: what the funnel is broken down by.
public struct FunnelPlace: Sendable, Hashable {
    /// In place of a name that there is none for.
    public static let none = "none"

    public let channel: String
    public let campaign: String
    /// The door: api, form, import.
    public let source: String
    /// The kind of participant that referred.
    public let referrer: String

    public init(channel: String, campaign: String, source: String, referrer: String) {
        self.channel = channel
        self.campaign = campaign
        self.source = source
        self.referrer = referrer
    }
}

/// Where a link is shared, and for which campaign.
public struct LinkPlace: Sendable, Hashable {
    public let channel: String
    public let campaign: String?

    public init(channel: String, campaign: String?) {
        self.channel = channel
        self.campaign = campaign
    }
}

/// By which of its places a funnel is broken down.
public enum FunnelDimension: String, Sendable, CaseIterable {
    case channel, campaign, source
    case referrer = "referrer_kind"
    case utmSource = "utm_source"
    case utmMedium = "utm_medium"
    case utmCampaign = "utm_campaign"
    case utmTerm = "utm_term"
    case utmContent = "utm_content"

    /// Those of the five UTM values.
    public static let tags: [FunnelDimension] = [
        .utmSource, .utmMedium, .utmCampaign, .utmTerm, .utmContent,
    ]
}

/// The UTM values of what a funnel counts, in lower case: `May` and `may` are one campaign.
public struct FunnelTags: Sendable, Equatable {
    public private(set) var values: [FunnelDimension: String] = [:]

    /// Longest value kept, in Unicode scalars.
    public static let valueMax = 200

    /// `value` gives what there is under each name, such as `utm_source`.
    public init(_ value: (String) -> String?) {
        for tag in FunnelDimension.tags {
            guard let text = value(tag.rawValue)?.lowercased(), !text.isEmpty else { continue }
            values[tag] = String(
                String.UnicodeScalarView(text.unicodeScalars.prefix(FunnelTags.valueMax)))
        }
    }

    public var isEmpty: Bool { values.isEmpty }
}

/// The numbers of one group.
public struct FunnelTally: Sendable, Equatable {
    private var counts = [Int64](repeating: 0, count: FunnelStage.allCases.count)
    /// Minor units of the program's currency.
    public private(set) var wonValue: Int64 = 0
    public private(set) var conversionAmount: Int64 = 0

    public init() {}

    public subscript(stage: FunnelStage) -> Int64 { counts[Int(stage.rawValue)] }

    /// Adds what came into a stage.
    public mutating func add(
        _ count: Int64, amount: Int64 = 0, to stage: FunnelStage
    ) throws(MoneyError) {
        counts[Int(stage.rawValue)] = try FunnelTally.sum(self[stage], count)
        switch stage {
        case .won: wonValue = try FunnelTally.sum(wonValue, amount)
        case .conversion: conversionAmount = try FunnelTally.sum(conversionAmount, amount)
        case .click, .form, .lead, .qualified, .opportunity: break
        }
    }

    private static func sum(_ one: Int64, _ other: Int64) throws(MoneyError) -> Int64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        guard !overflow else { throw .overflow }
        return sum
    }
}

/// One sum out of the rollup: what came into a stage out of one group.
public struct FunnelSum: Sendable, Equatable {
    public let key: String
    public let stage: FunnelStage
    public let count: Int64
    public let amount: Int64

    public init(key: String, stage: FunnelStage, count: Int64, amount: Int64 = 0) {
        self.key = key
        self.stage = stage
        self.count = count
        self.amount = amount
    }
}
