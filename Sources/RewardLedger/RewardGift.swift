import JSON
import Model

extension RewardTerms {
    /// What a benefit is beside its value in money.
    public struct Gift: Sendable, Equatable {
        /// Of loyalty (R148).
        public var points: Int64?
        /// Ten-thousandths off the recipient's invoices (R134, R138), and what all open ones of a
        /// recipient may add up to (R139).
        public var discount: Int64?
        public var discountMost: Int64?
        /// For how long a discount is given.
        public var duration: DiscountDuration?
        /// What it is, or to whom it is donated (R147, R157).
        public var description: String?
        /// What a perk is worth (R147).
        public var value: Money?

        public init(
            points: Int64? = nil, discount: Int64? = nil, discountMost: Int64? = nil,
            duration: DiscountDuration? = nil, description: String? = nil, value: Money? = nil
        ) {
            self.points = points
            self.discount = discount
            self.discountMost = discountMost
            self.duration = duration
            self.description = description
            self.value = value
        }

        /// Reads the members of stored terms.
        init(_ terms: TermsReader, value: Money?) {
            self.init(
                points: terms.integer("points"), discount: terms.integer("discount_basis_points"),
                discountMost: terms.integer("max_discount_basis_points"),
                duration: DiscountDuration(
                    name: terms.text("duration"), months: terms.integer("duration_months")),
                description: terms.text("description"), value: value)
        }

        var isSomething: Bool { points != nil || discount != nil || description != nil }
    }
}

/// For how long a discount is given: off one invoice, off those of so many months, or off all.
public enum DiscountDuration: Sendable, Equatable {
    case once
    case months(Int64)
    case forever

    public static let names = ["once", "months", "forever"]

    /// Nil where neither says anything, or where the two say different things.
    public init?(name: String?, months: Int64?) {
        switch (name, months) {
        case ("once"?, nil): self = .once
        case ("forever"?, nil): self = .forever
        case ("months"?, let months?), (nil, let months?): self = .months(months)
        default: return nil
        }
    }

    public var name: String {
        switch self {
        case .once: "once"
        case .months: "months"
        case .forever: "forever"
        }
    }

    public var months: Int64? { if case .months(let months) = self { months } else { nil } }
}

extension JSONObject {
    /// The members that `RewardTerms.Gift` reads; what it does not have is left out.
    mutating func set(_ gift: RewardTerms.Gift) {
        self["points"] = gift.points.map { .integer($0) }
        self["discount_basis_points"] = gift.discount.map { .integer($0) }
        self["max_discount_basis_points"] = gift.discountMost.map { .integer($0) }
        self["duration"] = gift.duration.map { .string($0.name) }
        self["duration_months"] = gift.duration?.months.map { .integer($0) }
        self["description"] = gift.description.map { .string($0) }
        self["value"] = gift.value?.stored
    }
}
