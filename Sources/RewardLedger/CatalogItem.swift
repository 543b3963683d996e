import JSON
import Model

/// Something that participants of a program may have for points (R148, R155): one line of the
/// catalogue that the operator loads.
///
/// Whoever redeems it keeps the price of that moment, whatever becomes of the item.
public struct CatalogItem: Sendable {
    public enum State: String, LifecycleState {
        case active, disabled, archived

        public enum Action: String, Sendable, CaseIterable { case enable, disable, archive }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.enable, .disabled): .active
            case (.disable, .active): .disabled
            case (.archive, .active), (.archive, .disabled): .archived
            default: nil
            }
        }
    }

    /// What it is. Money is no item: points do not turn into cash.
    public enum Kind: String, Sendable, CaseIterable {
        case giftCard = "gift_card"
        case discount
        case donation
        case perk
        case accountCredit = "account_credit"
    }

    /// What the operator says of it.
    public struct Terms: Sendable, Equatable {
        /// The operator's own name for it, unique in the program.
        public var sku: String
        public var name: String
        public var description: String?
        /// Groceries, dining, travel: a word of the operator's (R156).
        public var category: String?
        public var kind: Kind
        /// The price.
        public var points: Int64
        /// What it is worth, where that is known.
        public var value: Money?
        /// From whom it comes (R184); participants do not see it.
        public var vendor: String?
        /// Where it can be given (R156); nil: everywhere.
        public var countries: [CountryCode]?
        /// How many are left; nil: as many as are wanted.
        public var stock: Int64?
        public var availableFrom: Instant?
        /// The first instant in which it is not available any more.
        public var availableUntil: Instant?
        public var metadata: JSONObject

        public init(
            sku: String, name: String, description: String? = nil, category: String? = nil,
            kind: Kind, points: Int64, value: Money? = nil, vendor: String? = nil,
            countries: [CountryCode]? = nil, stock: Int64? = nil, availableFrom: Instant? = nil,
            availableUntil: Instant? = nil, metadata: JSONObject = [:]
        ) {
            self.sku = sku
            self.name = name
            self.description = description
            self.category = category
            self.kind = kind
            self.points = points
            self.value = value
            self.vendor = vendor
            self.countries = countries
            self.stock = stock
            self.availableFrom = availableFrom
            self.availableUntil = availableUntil
            self.metadata = metadata
        }
    }

    public let id: CatalogItemID
    public let program: ProgramID
    public var state: State
    public var terms: Terms
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: CatalogItemID, program: ProgramID, state: State = .active, terms: Terms,
        version: Int64 = 1, createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.state = state
        self.terms = terms
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Why an item of the catalogue is refused. The order is the order of the checks.
public enum CatalogItemRefusal: Error, Equatable, Sendable, CaseIterable {
    case availableUntilNotLater
    /// An archived item does not change.
    case archived
    /// Another item of the program has the sku.
    case skuTaken
}

/// Decisions about the catalogue: pure.
public enum CatalogItemRules {
    public static func check(_ terms: CatalogItem.Terms) throws(CatalogItemRefusal) {
        if let from = terms.availableFrom, let until = terms.availableUntil, from >= until {
            throw .availableUntilNotLater
        }
    }

    public static func checkMayChange(_ state: CatalogItem.State) throws(CatalogItemRefusal) {
        if state == .archived { throw .archived }
    }

    /// One sku names one item of a program.
    public static func checkUnique(
        owner: CatalogItemID?, of item: CatalogItemID
    ) throws(CatalogItemRefusal) {
        if let owner, owner != item { throw .skuTaken }
    }

    /// Whether a participant may have it at `now`.
    public static func isAvailable(_ item: CatalogItem, at now: Instant) -> Bool {
        item.state == .active && item.terms.stock != 0
            && item.terms.availableFrom.map { $0 <= now } ?? true
            && item.terms.availableUntil.map { now < $0 } ?? true
    }
}
