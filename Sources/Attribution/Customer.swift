import Model

/// Somebody who buys or may buy, as one program knows them: by the operator's id, by e-mail, or
/// both.
public struct Customer: Sendable, Equatable {
    public let id: CustomerID
    public let program: ProgramID
    public let externalID: String?
    /// The normalised address.
    public let emailKey: String?

    public init(id: CustomerID, program: ProgramID, externalID: String?, emailKey: String?) {
        self.id = id
        self.program = program
        self.externalID = externalID
        self.emailKey = emailKey
    }
}

/// The two names of a customer belong to two different customers already known.
public struct IdentityConflict: Error, Equatable {
    public init() {}
}
