/// The states of a noun and the actions that lead from one to the next, as the API names both.
public protocol LifecycleState: RawRepresentable, CaseIterable, Sendable, Equatable
where RawValue == String {
    associatedtype Action: RawRepresentable & CaseIterable & Sendable
    where Action.RawValue == String

    /// The state that `action` leads to; nil when it is not possible here.
    func after(_ action: Action) -> Self?
}

/// The state does not allow the action.
public struct InvalidTransition: Error, Equatable {
    public let state: String
    /// The actions that are possible, in the order of their declaration.
    public let allowed: [String]
}

extension LifecycleState {
    /// The state that `action` leads to.
    public func moved(by action: Action) throws(InvalidTransition) -> Self {
        if let next = after(action) { return next }
        let allowed = Action.allCases.filter { after($0) != nil }.map(\.rawValue)
        throw InvalidTransition(state: rawValue, allowed: allowed)
    }
}
