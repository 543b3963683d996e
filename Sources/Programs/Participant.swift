import JSON
import Model

/// Somebody who refers, in one program: a customer, a partner or an employee.
public struct Participant: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case customer, reseller, affiliate, technology, service, employee
    }

    public enum State: String, LifecycleState {
        case applied, approved, suspended, closed

        public enum Action: String, Sendable, CaseIterable { case approve, suspend, close }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.approve, .applied), (.approve, .suspended): .approved
            case (.suspend, .approved): .suspended
            case (.close, .applied), (.close, .approved), (.close, .suspended): .closed
            default: nil
            }
        }
    }

    public let id: ParticipantID
    public let program: ProgramID
    public var kind: Kind
    public var state: State
    /// The operator's own name for it, unique in the program.
    public var externalID: String?
    public var name: String
    public var email: EmailAddress
    public var company: String?
    public var metadata: JSONObject
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: ParticipantID, program: ProgramID, kind: Kind, state: State, externalID: String?,
        name: String, email: EmailAddress, company: String?, metadata: JSONObject, version: Int64,
        createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.kind = kind
        self.state = state
        self.externalID = externalID
        self.name = name
        self.email = email
        self.company = company
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Why a participant is refused. The order is the order of the checks.
public enum ParticipantRefusal: Error, Equatable, Sendable {
    case emailTaken
    case externalIDTaken
    /// Not approved, so it cannot refer.
    case notApproved(state: Participant.State)
}

/// Decisions about participants: pure, without clock or storage.
public enum ParticipantRules {
    /// One person and one external id take part once in a program.
    public static func checkUnique(
        emailOwner: ParticipantID?, externalIDOwner: ParticipantID?, of participant: ParticipantID
    ) throws(ParticipantRefusal) {
        if let emailOwner, emailOwner != participant { throw .emailTaken }
        if let externalIDOwner, externalIDOwner != participant { throw .externalIDTaken }
    }

    /// Only an approved participant may refer (R4).
    public static func checkMayRefer(_ state: Participant.State) throws(ParticipantRefusal) {
        guard state == .approved else { throw .notApproved(state: state) }
    }
}
