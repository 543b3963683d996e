import JSON
import Model

/// A referred person reached a goal: a sign-up or a sale.
public struct Conversion: Sendable {
    public enum Kind: String, Sendable, CaseIterable { case signup, purchase, renewal, upsell }

    public let id: ConversionID
    public let program: ProgramID
    /// The operator's own name for it, unique in the program for good.
    public let externalID: String
    public let customer: CustomerID
    public var lead: LeadID?
    /// The newest of the clicks that came with it.
    public var click: ClickID?
    /// The code of the link that its page carried.
    public var ref: String?
    /// The code of the link that was typed or applied as a coupon.
    public var code: String?
    /// What was given and counted for nothing. Personal, as people type addresses.
    public var ignored: [IgnoredHint]
    /// What was sold, in the operator's words.
    public var product: String?
    /// The operator's own name of what it begins, renews or extends.
    public var subscription: String?
    public let kind: Kind
    public let amount: Money
    public var refundedAmount: Int64
    public var occurredAt: Instant
    public let metadata: JSONObject
    public let createdAt: Instant

    public init(
        id: ConversionID, program: ProgramID, externalID: String, customer: CustomerID,
        lead: LeadID?, click: ClickID?, ref: String?, code: String? = nil,
        ignored: [IgnoredHint] = [], product: String? = nil, subscription: String? = nil,
        kind: Kind,
        amount: Money, refundedAmount: Int64, occurredAt: Instant, metadata: JSONObject,
        createdAt: Instant
    ) {
        self.id = id
        self.program = program
        self.externalID = externalID
        self.customer = customer
        self.lead = lead
        self.click = click
        self.ref = ref
        self.code = code
        self.ignored = ignored
        self.product = product
        self.subscription = subscription
        self.kind = kind
        self.amount = amount
        self.refundedAmount = refundedAmount
        self.occurredAt = occurredAt
        self.metadata = metadata
        self.createdAt = createdAt
    }
}
