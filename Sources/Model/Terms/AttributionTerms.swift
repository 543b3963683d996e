import JSON

/// How the credit of a conversion is given to its touches (R122 to R127).
public enum AttributionModel: String, Sendable, CaseIterable {
    /// All to the oldest touch in the window (R123).
    case firstTouch = "first_touch"
    /// All to the newest (R124).
    case lastTouch = "last_touch"
    /// All to the newest that is not direct; to the direct one when there is nothing else.
    case lastNonDirect = "last_non_direct"
    /// Equal parts to all (R125).
    case linear
    /// The newer the more: half the weight for every half-life (R126).
    case timeDecay = "time_decay"
    /// A part for the first, a part for the last, the rest shared by those between (R127).
    case positionBased = "position_based"
}

/// Where a contact came from (R128).
public enum TouchSource: String, Sendable, CaseIterable {
    case referral, partner, marketing, sales, direct, ad
}

/// By which rule a program gives credit. Every change is a new version of the program's rules, and
/// a result keeps the terms that decided it.
public struct AttributionTerms: Sendable, Equatable {
    /// Where a code that the buyer typed stands beside the contacts of others.
    public enum Codes: String, Sendable, CaseIterable {
        /// It goes before all other touches.
        case first
        /// It is one touch among others.
        case touch
        /// It counts only where no click, nor another touch that a participant brought about, is
        /// in the window.
        case last
    }

    /// Which sales stay with whom an earlier sale was credited to.
    public enum Binds: String, Sendable, CaseIterable {
        /// Each sale is decided by itself.
        case none
        /// Renewals and upsells, with the sale that began their subscription.
        case renewals
        /// Every further sale to the customer, with the first that was credited.
        case all
    }

    /// Hundredths for the first touch, for those in the middle together, and for the last.
    public struct Position: Sendable, Equatable {
        public let first: Int64
        public let middle: Int64
        public let last: Int64

        public static let standard = Position(first: 40, middle: 20, last: 40)

        public init(first: Int64, middle: Int64, last: Int64) {
            self.first = first
            self.middle = middle
            self.last = last
        }

        /// They make up the whole, and the ends have a part.
        public var isWhole: Bool {
            [first, middle, last].allSatisfy { (0...100).contains($0) }
                && first + middle + last == 100 && first > 0 && last > 0
        }
    }

    public var model = AttributionModel.lastTouch
    /// Touches this many days before a conversion may earn credit.
    public var windowDays: Int64 = 30
    /// Days in which a touch loses half its weight under time decay.
    public var halfLifeDays: Int64 = 7
    public var position = Position.standard
    /// Sources that take part; touches of others are kept and count for nothing.
    public var sources = TouchSource.allCases
    public var codes = Codes.first
    public var binds = Binds.renewals
    /// Days after its last step in which a qualified lead decides.
    public var leadDays: Int64 = 365

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        model = read.choice("model") ?? model
        windowDays = read.integer("window_days") ?? windowDays
        halfLifeDays = read.integer("half_life_days") ?? halfLifeDays
        if let parts = read.nested("position").map({ TermsReader($0) }) {
            position = Position(
                first: parts.integer("first") ?? position.first,
                middle: parts.integer("middle") ?? position.middle,
                last: parts.integer("last") ?? position.last)
        }
        sources = read.choices("sources") ?? sources
        codes = read.choice("codes") ?? codes
        binds = read.choice("binds") ?? binds
        leadDays = read.integer("lead_days") ?? leadDays
    }

    public var json: JSONValue {
        [
            "model": .string(model.rawValue), "window_days": .integer(windowDays),
            "half_life_days": .integer(halfLifeDays),
            "position": [
                "first": .integer(position.first), "middle": .integer(position.middle),
                "last": .integer(position.last),
            ],
            "sources": .array(sources.map { .string($0.rawValue) }),
            "codes": .string(codes.rawValue), "binds": .string(binds.rawValue),
            "lead_days": .integer(leadDays),
        ]
    }

    /// The same terms under another model.
    public func with(_ model: AttributionModel) -> AttributionTerms {
        var terms = self
        terms.model = model
        return terms
    }
}
