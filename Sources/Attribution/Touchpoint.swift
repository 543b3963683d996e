import Model

/// One contact of a customer with a source: what may earn credit. Append-only.
public struct Touchpoint: Sendable, Equatable {
    public enum Source: String, Sendable, CaseIterable {
        case referral, partner, marketing, sales, direct, ad
    }

    public let id: TouchpointID
    public let program: ProgramID
    public let customer: CustomerID
    /// Who would earn the credit; nil for a source that earns none.
    public let participant: ParticipantID?
    public let source: Source
    public let channel: String?
    public let link: LinkID?
    public let click: ClickID?
    public let lead: LeadID?
    public let occurredAt: Instant
    public let createdAt: Instant

    public init(
        id: TouchpointID, program: ProgramID, customer: CustomerID, participant: ParticipantID?,
        source: Source, channel: String?, link: LinkID?, click: ClickID?, lead: LeadID?,
        occurredAt: Instant, createdAt: Instant
    ) {
        self.id = id
        self.program = program
        self.customer = customer
        self.participant = participant
        self.source = source
        self.channel = channel
        self.link = link
        self.click = click
        self.lead = lead
        self.occurredAt = occurredAt
        self.createdAt = createdAt
    }
}
