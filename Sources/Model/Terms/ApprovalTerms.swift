import JSON

/// Who may say yes to money.
public struct ApprovalTerms: Sendable, Equatable {
    /// Whether it takes two: who had a hand in what earned a reward or a benefit, or in what it was
    /// reckoned by, does not approve it, and who drafted a payout does not submit it.
    public var isSeparate = false

    public init() {}

    /// Reads what `json` wrote, or a request's member; what is absent has its default.
    public init(json: JSONObject?) {
        isSeparate = TermsReader(json).flag("separate") ?? isSeparate
    }

    public var json: JSONValue { ["separate": .bool(isSeparate)] }
}
