import Model

/// One contact of a customer with a source: what may earn credit. Append-only.
public struct Touchpoint: Sendable, Equatable {
    /// How the contact came about.
    public enum Kind: String, Sendable, CaseIterable {
        /// A referral link was followed.
        case click
        /// A page carried a referral code, and no click is known that left it there.
        case ref
        /// A referral code or coupon was told or typed.
        case code
        /// The person was referred by a form, a partner or an import.
        case lead
        /// A partner registered the deal.
        case registration
        /// Anything else that the operator reports.
        case contact
    }

    public let id: TouchpointID
    public let program: ProgramID
    public let customer: CustomerID
    /// Who would earn the credit; nil for a source that earns none.
    public let participant: ParticipantID?
    public let source: TouchSource
    public let kind: Kind
    public let channel: String?
    public let campaign: String?
    /// The operator's own name for it, unique in the program for good.
    public let externalID: String?
    public let link: LinkID?
    public let click: ClickID?
    public let lead: LeadID?
    /// The class of its click until somebody brought it, where that was not a person's first one.
    public let reclaimed: String?
    /// The sale whose reports tell of it; they may tell otherwise later.
    public let conversion: ConversionID?
    public let occurredAt: Instant
    public let createdAt: Instant

    public init(
        id: TouchpointID, program: ProgramID, customer: CustomerID, participant: ParticipantID?,
        source: TouchSource, kind: Kind, channel: String? = nil, campaign: String? = nil,
        externalID: String? = nil, link: LinkID? = nil, click: ClickID? = nil, lead: LeadID? = nil,
        reclaimed: String? = nil, conversion: ConversionID? = nil, occurredAt: Instant,
        createdAt: Instant
    ) {
        self.id = id
        self.program = program
        self.customer = customer
        self.participant = participant
        self.source = source
        self.kind = kind
        self.channel = channel
        self.campaign = campaign
        self.externalID = externalID
        self.link = link
        self.click = click
        self.lead = lead
        self.reclaimed = reclaimed
        self.conversion = conversion
        self.occurredAt = occurredAt
        self.createdAt = createdAt
    }
}
