import Model

/// The things that have ids, by the prefix that their ids begin with.
enum Noun {
    /// What an id of another kind is one of; nil for what is no id.
    static func bearing(_ text: String) -> String? {
        let parts = text.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, parts[1].utf8.count == 26 else { return nil }
        return nouns[String(parts[0])]
    }

    private static let nouns: [String: String] = [
        ProgramKey.prefix: "a program", RewardRuleKey.prefix: "a reward rule",
        CampaignKey.prefix: "a campaign", ParticipantKey.prefix: "a participant",
        LinkKey.prefix: "a link", ClickKey.prefix: "a click", LeadKey.prefix: "a lead",
        RegistrationKey.prefix: "a registration", AccountEntryKey.prefix: "an account",
        DisputeKey.prefix: "a dispute", TouchpointKey.prefix: "a touchpoint",
        CustomerKey.prefix: "a customer", CustomerMergeKey.prefix: "a customer merge",
        RehearsalKey.prefix: "a rehearsal", ConversionKey.prefix: "a conversion",
        RefundKey.prefix: "a refund", AttributionKey.prefix: "an attribution",
        RewardKey.prefix: "a reward", BenefitKey.prefix: "a benefit",
        CatalogItemKey.prefix: "a catalogue item", RedemptionKey.prefix: "a redemption",
        PayoutKey.prefix: "a payout", PayoutRunKey.prefix: "a payout run",
        LedgerAccountKey.prefix: "a ledger account",
        LedgerTransactionKey.prefix: "a ledger transaction", EventKey.prefix: "an event",
        APIKeyKey.prefix: "an API key", RequestKey.prefix: "a request",
    ]
}
