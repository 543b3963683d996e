import JSON
import Model

/// A change of state that happened: a row of the ordered, append-only log, which is the feed of
/// `/v1/events`, the timeline of an object and the audit trail in one. It holds ids and codes,
/// never personal data.
public struct Event: Sendable {
    /// The durable cursor of the feed: rises without end, with the order of commits.
    public let sequence: Int64
    public let id: EventID
    public let occurredAt: Instant
    /// Such as `lead.qualified`.
    public let type: String
    public let object: AnyIdentifier
    public let program: ProgramID?
    public let participant: ParticipantID?
    /// Who did it: a key's or participant's id, or `system`.
    public let actor: String
    public let from: String?
    public let to: String?
    /// A code or the operator's words.
    public let reason: String?
    /// A JSON object.
    public let data: String
}

/// An event that is about to be written.
public struct NewEvent: Sendable {
    public let type: String
    public let object: AnyIdentifier
    public let program: ProgramID?
    public let participant: ParticipantID?
    public let actor: String
    public let from: String?
    public let to: String?
    public let reason: String?
    public let data: JSONValue

    public init<Kind>(
        _ type: String, _ object: Identifier<Kind>, program: ProgramID? = nil,
        participant: ParticipantID? = nil, actor: String, from: String? = nil, to: String? = nil,
        reason: String? = nil, data: JSONValue = [:]
    ) {
        self.type = type
        self.object = AnyIdentifier(object)
        self.program = program
        self.participant = participant
        self.actor = actor
        self.from = from
        self.to = to
        self.reason = reason
        self.data = data
    }
}
