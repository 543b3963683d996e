// The identifiers of everything the API names, one line each: what it names, and its prefix.

public enum ProgramKey: IdentifierKind { public static let prefix = "prog" }
public typealias ProgramID = Identifier<ProgramKey>

public enum RewardRuleKey: IdentifierKind { public static let prefix = "rule" }
public typealias RewardRuleID = Identifier<RewardRuleKey>

public enum CampaignKey: IdentifierKind { public static let prefix = "camp" }
public typealias CampaignID = Identifier<CampaignKey>

public enum ParticipantKey: IdentifierKind { public static let prefix = "part" }
public typealias ParticipantID = Identifier<ParticipantKey>

public enum LinkKey: IdentifierKind { public static let prefix = "link" }
public typealias LinkID = Identifier<LinkKey>

public enum ClickKey: IdentifierKind { public static let prefix = "click" }
public typealias ClickID = Identifier<ClickKey>

public enum LeadKey: IdentifierKind { public static let prefix = "lead" }
public typealias LeadID = Identifier<LeadKey>

public enum RegistrationKey: IdentifierKind { public static let prefix = "reg" }
public typealias RegistrationID = Identifier<RegistrationKey>

public enum AccountEntryKey: IdentifierKind { public static let prefix = "acct" }
public typealias AccountID = Identifier<AccountEntryKey>

public enum DisputeKey: IdentifierKind { public static let prefix = "disp" }
public typealias DisputeID = Identifier<DisputeKey>

public enum TouchpointKey: IdentifierKind { public static let prefix = "touch" }
public typealias TouchpointID = Identifier<TouchpointKey>

public enum CustomerKey: IdentifierKind { public static let prefix = "cust" }
public typealias CustomerID = Identifier<CustomerKey>

public enum CustomerMergeKey: IdentifierKind { public static let prefix = "merge" }
public typealias CustomerMergeID = Identifier<CustomerMergeKey>

public enum RehearsalKey: IdentifierKind { public static let prefix = "reh" }
public typealias RehearsalID = Identifier<RehearsalKey>

public enum ConversionKey: IdentifierKind { public static let prefix = "conv" }
public typealias ConversionID = Identifier<ConversionKey>

public enum RefundKey: IdentifierKind { public static let prefix = "refund" }
public typealias RefundID = Identifier<RefundKey>

public enum AttributionKey: IdentifierKind { public static let prefix = "attr" }
public typealias AttributionID = Identifier<AttributionKey>

public enum RewardKey: IdentifierKind { public static let prefix = "rwd" }
public typealias RewardID = Identifier<RewardKey>

public enum BenefitKey: IdentifierKind { public static let prefix = "ben" }
public typealias BenefitID = Identifier<BenefitKey>

public enum CatalogItemKey: IdentifierKind { public static let prefix = "item" }
public typealias CatalogItemID = Identifier<CatalogItemKey>

public enum RedemptionKey: IdentifierKind { public static let prefix = "rdm" }
public typealias RedemptionID = Identifier<RedemptionKey>

public enum PayoutKey: IdentifierKind { public static let prefix = "pay" }
public typealias PayoutID = Identifier<PayoutKey>

public enum PayoutRunKey: IdentifierKind { public static let prefix = "prun" }
public typealias PayoutRunID = Identifier<PayoutRunKey>

public enum LedgerAccountKey: IdentifierKind { public static let prefix = "lacc" }
public typealias LedgerAccountID = Identifier<LedgerAccountKey>

public enum LedgerTransactionKey: IdentifierKind { public static let prefix = "txn" }
public typealias LedgerTransactionID = Identifier<LedgerTransactionKey>

public enum EventKey: IdentifierKind { public static let prefix = "evt" }
public typealias EventID = Identifier<EventKey>

public enum APIKeyKey: IdentifierKind { public static let prefix = "key" }
public typealias APIKeyID = Identifier<APIKeyKey>

public enum RequestKey: IdentifierKind { public static let prefix = "req" }
public typealias RequestID = Identifier<RequestKey>
