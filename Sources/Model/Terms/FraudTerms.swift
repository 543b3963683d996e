import JSON

/// What a program does about what looks like fraud (R241). Detection can be switched off, so that a
/// tester can refer himself (R243).
public struct FraudTerms: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        /// The reward is granted and waits for a person.
        case hold
        /// It is not looked for.
        case ignore
    }

    public var selfReferral = Action.hold

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        selfReferral = TermsReader(json).choice("self_referral") ?? selfReferral
    }

    public var json: JSONValue { ["self_referral": .string(selfReferral.rawValue)] }
}
