import JSON
import Model

/// The facts about a participant that eligibility and routing use (R4). Nil: not known.
public struct ParticipantProfile: Sendable, Equatable {
    public enum Plan: String, Sendable, CaseIterable { case paying, free, trial }
    public enum Relationship: String, Sendable, CaseIterable { case healthy, strained }

    /// Since when it has been a customer or partner.
    public var accountSince: Instant?
    public var plan: Plan?
    public var isInGoodStanding: Bool?
    public var isInCollections: Bool?
    public var isAtRisk: Bool?
    /// Whether it uses the product.
    public var isActive: Bool?
    public var relationship: Relationship?
    /// The operator's own names: of a group of participants, a level, and the person who looks
    /// after it.
    public var segment: String?
    public var tier: String?
    public var accountExecutive: String?

    public init() {}

    /// Reads what `json` wrote, or a request's members.
    public init(json: JSONObject?) {
        let read = TermsReader(json)
        accountSince = read.text("account_since").flatMap { Instant(rfc3339: $0) }
        plan = read.choice("plan")
        isInGoodStanding = read.flag("good_standing")
        isInCollections = read.flag("in_collections")
        isAtRisk = read.flag("at_risk")
        isActive = read.flag("active")
        relationship = read.choice("relationship")
        segment = read.text("segment")
        tier = read.text("tier")
        accountExecutive = read.text("account_executive")
    }

    /// What is known; what is not is left out.
    public var json: JSONObject {
        var json = JSONObject()
        json["account_since"] = accountSince.map { .string($0.rfc3339) }
        json["plan"] = plan.map { .string($0.rawValue) }
        json["good_standing"] = isInGoodStanding.map { .bool($0) }
        json["in_collections"] = isInCollections.map { .bool($0) }
        json["at_risk"] = isAtRisk.map { .bool($0) }
        json["active"] = isActive.map { .bool($0) }
        json["relationship"] = relationship.map { .string($0.rawValue) }
        json["segment"] = segment.map { .string($0) }
        json["tier"] = tier.map { .string($0) }
        json["account_executive"] = accountExecutive.map { .string($0) }
        return json
    }
}
