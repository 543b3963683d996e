import Model

/// Who makes a request.
public enum Principal: Sendable, Hashable {
    /// Nobody in particular: public pages.
    case anonymous
    /// A secret key.
    case key(APIKeyID, scopes: Set<Scope>)
    /// A participant's token: it sees and does only what its participant may.
    case participant(ParticipantID, program: ProgramID, key: APIKeyID)
    /// The user who runs the daemon, through its private socket or the environment's admin key.
    case operatorItself

    /// Whether a secret key's scopes cover `needed`. Never for a participant.
    public func may(_ needed: Scope) -> Bool {
        switch self {
        case .anonymous, .participant: false
        case .key(_, let scopes): scopes.contains { $0.covers(needed) }
        case .operatorItself: true
        }
    }

    /// The key that the request came with; nil for the operator's own.
    public var key: APIKeyID? {
        switch self {
        case .key(let id, _), .participant(_, _, let id): id
        case .anonymous, .operatorItself: nil
        }
    }

    public var participant: ParticipantID? {
        if case .participant(let id, _, _) = self { id } else { nil }
    }

    public var program: ProgramID? {
        if case .participant(_, let program, _) = self { program } else { nil }
    }

    /// The name in events and audit entries: an id, never a secret.
    public var actor: String {
        switch self {
        case .anonymous: "public"
        case .key(let id, _): id.description
        case .participant(let id, _, _): id.description
        case .operatorItself: "operator"
        }
    }
}
