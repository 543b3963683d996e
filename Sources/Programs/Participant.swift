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
    /// In E.164.
    public var phone: String?
    public var company: String?
    /// Where it is paid, masked; of the account itself a trace is kept.
    public var payoutAccount: String?
    /// What the operator's systems know of it.
    public var profile: ParticipantProfile
    /// The newest version of the program's legal terms that it accepted; nil: none.
    public var acceptedTerms: AcceptedTerms?
    public var metadata: JSONObject
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: ParticipantID, program: ProgramID, kind: Kind, state: State, externalID: String?,
        name: String, email: EmailAddress, phone: String?, company: String?,
        payoutAccount: String?, profile: ParticipantProfile,
        acceptedTerms: AcceptedTerms? = nil, metadata: JSONObject,
        version: Int64, createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.kind = kind
        self.state = state
        self.externalID = externalID
        self.name = name
        self.email = email
        self.phone = phone
        self.company = company
        self.payoutAccount = payoutAccount
        self.profile = profile
        self.acceptedTerms = acceptedTerms
        self.metadata = metadata
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
