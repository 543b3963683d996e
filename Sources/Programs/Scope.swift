/// What a secret key may do.
public enum Scope: String, Sendable, CaseIterable {
    /// See everything but secrets.
    case read
    /// Create and change programs, participants, links, leads and conversions.
    case write
    /// Approve rewards and move money.
    case payouts
    /// Everything: keys, and the terms that hold money back (`ProgramTerms.controls`).
    case admin

    /// Whether a key with this scope may do what asks for `needed`: admin may all, write and
    /// payouts may read.
    public func covers(_ needed: Scope) -> Bool {
        self == needed || self == .admin || needed == .read
    }
}
