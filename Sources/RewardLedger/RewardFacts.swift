import JSON
import Model

/// What rules ask of an occasion beside the money: handed in, and kept with every reward.
public struct RewardFacts: Sendable, Equatable {
    /// When the referral came in, which decides about campaigns (R189).
    public var referredAt: Instant?
    /// The first touch with credit of a sale that no lead led to.
    public var touchedAt: Instant?
    public var industry: String?
    public var country: String?
    /// Who was referred.
    public var customer: CustomerID?
    /// Every customer that is the same person as it; not kept.
    public var person: [CustomerID] = []
    /// The same where nobody has looked for others; empty without a customer.
    var allOfPerson: [CustomerID] { person.isEmpty ? [customer].compactMap { $0 } : person }
    /// What was sold.
    public var product: String?
    /// When a sale was made, and the first paid one of what it renews.
    public var soldAt: Instant?
    public var firstSaleAt: Instant?
    /// Whether an earlier sale decided who is credited; not kept.
    public var isBound = false
    /// What was sold for, in all, as it was recorded.
    public var saleAmount: Int64?
    /// Whether the person was a customer before a credited participant first reached it.
    public var isReturning = false
    public var participants: [ParticipantID: Person] = [:]
    /// By whose clocks days, months and years are told; the program's, which never changes it once
    /// it is active, so it is not kept here.
    public var zone = TimeZone.utc

    /// What is known of a participant.
    public struct Person: Sendable, Equatable {
        public let kind: String
        public let segment: String?
        /// Whether it earns nothing on this occasion, and nobody in its place; not kept.
        public let isOut: Bool

        public init(kind: String, segment: String?, isOut: Bool = false) {
            self.kind = kind
            self.segment = segment
            self.isOut = isOut
        }
    }

    public init() {}

    /// Without the participants, of which a reward keeps its own.
    var json: JSONValue {
        var object = JSONObject()
        object["referred_at"] = referredAt.map { .string($0.rfc3339) }
        object["touched_at"] = touchedAt.map { .string($0.rfc3339) }
        object["industry"] = industry.map { .string($0) }
        object["country"] = country.map { .string($0) }
        object["customer_id"] = customer.map { .string($0.description) }
        object["product"] = product.map { .string($0) }
        object["sold_at"] = soldAt.map { .string($0.rfc3339) }
        object["first_sale_at"] = firstSaleAt.map { .string($0.rfc3339) }
        object["sale_amount"] = saleAmount.map { .integer($0) }
        if isReturning { object["returning"] = true }
        return .object(object)
    }

    init(json: JSONObject) {
        let read = TermsReader(json)
        referredAt = read.text("referred_at").flatMap { Instant(rfc3339: $0) }
        touchedAt = read.text("touched_at").flatMap { Instant(rfc3339: $0) }
        industry = read.text("industry")
        country = read.text("country")
        customer = read.text("customer_id").flatMap { CustomerID($0) }
        product = read.text("product")
        soldAt = read.text("sold_at").flatMap { Instant(rfc3339: $0) }
        firstSaleAt = read.text("first_sale_at").flatMap { Instant(rfc3339: $0) }
        saleAmount = read.integer("sale_amount")
        isReturning = read.flag("returning") ?? false
    }
}

/// What the books know of one who shares in a reward, for one rule.
public struct RewardStanding: Sendable, Equatable {
    /// The counted referrals, the one that is rewarded included.
    var count: Int64 = 1
    /// What rewards of the participant come to already, under each limit.
    var limits: [Limit] = []
    /// The same in the periods that follow, where the budget has a queue.
    var queuedLimits: [[Limit]] = []
    /// What the earlier rewards by a rule with retroactive tiers were given for; see
    /// `RewardRules.owedForEarlier`.
    var earlier: [Earlier] = []
    /// Whether the rule has given to the participant before, where it gives once.
    var hasEarned = false

    struct Limit: Sendable, Equatable {
        let name: RewardLimits.Name
        /// Of the rule, or of the program.
        let isOfRule: Bool
        let most: Int64
        let used: Int64

        var json: JSONObject {
            [
                "limit": .string(name.rawValue), "of": isOfRule ? "rule" : "program",
                "most": .integer(most), "used": .integer(used),
            ]
        }

        init(name: RewardLimits.Name, isOfRule: Bool, most: Int64, used: Int64) {
            self.name = name
            self.isOfRule = isOfRule
            self.most = most
            self.used = used
        }

        init?(json: JSONValue) {
            let read = TermsReader(json.objectValue)
            guard let name: RewardLimits.Name = read.choice("limit"),
                let most = read.integer("most"), let used = read.integer("used")
            else { return nil }
            self.init(name: name, isOfRule: read.text("of") == "rule", most: most, used: used)
        }
    }

    /// An earlier reward: what its tier gave to all who shared it, its part of that, what it still
    /// brings for those before it, and what limits cut from it that nothing was taken back of yet.
    struct Earlier: Sendable, Equatable {
        let tierAmount: Int64
        let parts: Int64
        let of: Int64
        let retroactive: Int64
        var cut: Int64 = 0
    }
}
