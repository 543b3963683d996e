import Model

/// Points that a participant gives for an item of the catalogue (R148, R155, R157).
///
/// It uses up rewards of points, the oldest first, and in parts where it must; while it is open its
/// points are on their way. What it gives is given outside of this service, which is told so.
public struct Redemption: Sendable {
    public enum State: String, LifecycleState {
        case requested, fulfilled, cancelled

        public enum Action: String, Sendable, CaseIterable { case fulfill, cancel }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.fulfill, .requested): .fulfilled
            case (.cancel, .requested): .cancelled
            default: nil
            }
        }
    }

    /// The item as it was.
    public struct Offer: Sendable, Equatable {
        public let sku: String
        public let name: String
        public let kind: CatalogItem.Kind
        public let value: Money?
    }

    public let id: RedemptionID
    public let program: ProgramID
    public let participant: ParticipantID
    public let item: CatalogItemID
    /// The caller's own name for it, unique with the participant for good.
    public let reference: String?
    public let offer: Offer
    /// The price of its moment.
    public let points: Int64
    /// What it set off beside the price, because it was owed.
    public let clawbackAmount: Int64
    /// Whether it took one of the item's stock.
    public let takesStock: Bool
    /// Where it is to be given.
    public let country: CountryCode?
    public var state: State
    /// The operator's own name for how it was given: a voucher's order, a receipt of a charity.
    public var fulfillmentReference: String?
    /// Why it was cancelled.
    public var reason: String?
    public var settledAt: Instant?
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant
}

/// What a redemption uses of one reward.
public struct RedemptionItem: Sendable {
    public let reward: RewardID
    public let amount: Int64
}

/// What a new redemption is to be.
public struct RedemptionOrder: Sendable {
    public let reference: String?
    public let participant: ParticipantID
    public let item: CatalogItem
    public let country: CountryCode?
    public let actor: String

    public init(
        reference: String?, participant: ParticipantID, item: CatalogItem, country: CountryCode?,
        actor: String
    ) {
        self.reference = reference
        self.participant = participant
        self.item = item
        self.country = country
        self.actor = actor
    }
}

/// Why a redemption is refused, beside its state. The order is the order of the checks.
public enum RedemptionRefusal: Error, Equatable, Sendable {
    /// The reference belongs to another redemption, which differs in this member.
    case referenceTaken(member: String)
    /// Disabled, archived, too early or too late.
    case itemNotAvailable
    case outOfStock
    /// The item is given in these countries alone, and none of them was named.
    case notInCountry([CountryCode])
    /// What is available, less what is owed, is less than the price.
    case notEnoughPoints(available: Int64, needed: Int64)
    /// The points are spread over more rewards than one redemption uses up.
    case tooManyRewards
}

/// Decisions about redemptions: pure.
public enum RedemptionRules {
    /// Rewards that one redemption uses up: as many as a payout.
    public static let rewardsMax = PayoutRules.rewardsMax

    /// A repeated request is the same redemption again, or a mistake.
    public static func checkSame(
        _ known: Redemption, _ order: RedemptionOrder
    ) throws(RedemptionRefusal) {
        if known.item != order.item.id { throw .referenceTaken(member: "item_id") }
        if known.country != order.country { throw .referenceTaken(member: "country") }
    }

    /// Whether the item can be had at `now`.
    public static func check(
        _ order: RedemptionOrder, at now: Instant
    ) throws(RedemptionRefusal) {
        let item = order.item
        guard CatalogItemRules.isAvailable(item, at: now) else {
            throw item.terms.stock == 0 && item.state == .active ? .outOfStock : .itemNotAvailable
        }
        guard let countries = item.terms.countries else { return }
        guard let country = order.country, countries.contains(country) else {
            throw .notInCountry(countries)
        }
    }

    /// What is set off beside the price: all that is owed, before anything is redeemed.
    public static func clawback(
        _ balance: ParticipantBalance, price: Int64
    ) throws(RedemptionRefusal) -> Int64 {
        let owed = max(0, balance.clawbackOwed)
        let free = max(0, balance.available - owed)
        guard free >= price else { throw .notEnoughPoints(available: free, needed: price) }
        return owed
    }

    /// How much of each reward is used for `points` in all: the oldest first.
    public static func allocate(
        _ points: Int64, over amounts: [Int64]
    ) throws(RedemptionRefusal) -> [Int64] {
        let parts = PayoutRules.allocate(points, over: amounts)
        guard parts.reduce(0, +) == points else { throw .tooManyRewards }
        return parts
    }
}
