import Database
import JSON
import Model
import Records

/// All SQL of campaigns.
public enum CampaignStore {
    public static func find(_ id: CampaignID, _ reader: Reader) throws -> Campaign? {
        try reader.first(
            """
            SELECT id, program_id, name, state, starts_at, ends_at, terms, metadata, version,
                created_at, updated_at
            FROM campaigns WHERE id = ?
            """, id, map: campaign)
    }

    public static func sequence(of id: CampaignID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM campaigns WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, program: ProgramID, state: String?, _ reader: Reader
    ) throws -> Page<Campaign> {
        var query = Query(
            """
            SELECT id, program_id, name, state, starts_at, ends_at, terms, metadata, version,
                created_at, updated_at
            FROM campaigns WHERE program_id = ?
            """, program)
        if let state { query.append(" AND state = ?", state) }
        return try reader.page(query, request, map: campaign)
    }

    /// The program's campaigns that are not over at `instant`, the first to end first, 100 at most.
    public static func open(
        in program: ProgramID, at instant: Instant, _ reader: Reader
    ) throws -> [Campaign] {
        try reader.all(
            """
            SELECT id, program_id, name, state, starts_at, ends_at, terms, metadata, version,
                created_at, updated_at
            FROM campaigns WHERE program_id = ? AND state <> 'ended' AND ends_at > ?
            ORDER BY ends_at, seq LIMIT 100
            """, program, instant, map: campaign)
    }

    /// The campaigns that ran when the occasion's referral came in, were there by `moment`, and
    /// have a place for it, oldest first.
    static func promised(
        to occasion: RewardOccasion, by moment: Instant, _ reader: Reader
    ) throws -> [Campaign] {
        guard let date = occasion.facts.referredAt else { return [] }
        return try reader.all(
            """
            SELECT id, program_id, name, state, starts_at, ends_at, terms, metadata, version,
                created_at, updated_at
            FROM campaigns
            WHERE program_id = ? AND starts_at <= ? AND ends_at > ? AND created_at <= ?
            ORDER BY seq
            """, occasion.program, date, date, moment, map: campaign
        ).filter { try FirstComeStore.isOpen($0.id, first: $0.first, to: occasion, reader) }
    }

    public static func insert(_ campaign: Campaign, actor: String, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO campaigns (
                id, program_id, name, state, starts_at, ends_at, terms, metadata, version,
                created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, campaign.id, campaign.program, campaign.name, campaign.state.rawValue,
            campaign.startsAt, campaign.endsAt, campaign.terms.text,
            JSONValue.object(campaign.metadata).text, campaign.version, campaign.createdAt,
            campaign.updatedAt)
        try keepVersion(campaign, actor: actor, tx)
    }

    public static func update(_ campaign: Campaign, actor: String, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE campaigns SET name = ?, state = ?, starts_at = ?, ends_at = ?, terms = ?,
                metadata = ?, version = ?, updated_at = ?
            WHERE id = ?
            """, campaign.name, campaign.state.rawValue, campaign.startsAt, campaign.endsAt,
            campaign.terms.text, JSONValue.object(campaign.metadata).text, campaign.version,
            campaign.updatedAt, campaign.id)
        try keepVersion(campaign, actor: actor, tx)
    }

    private static func keepVersion(
        _ campaign: Campaign, actor: String, _ tx: Transaction
    ) throws {
        guard var body = campaign.terms.objectValue else { return }
        body["name"] = .string(campaign.name)
        body["state"] = .string(campaign.state.rawValue)
        body["starts_at"] = .string(campaign.startsAt.rfc3339)
        body["ends_at"] = .string(campaign.endsAt.rfc3339)
        try RuleVersionStore.append(
            campaign.id, version: campaign.version, actor: actor,
            body: JSONValue.object(body).text, tx)
    }

    private static func campaign(_ row: Row) throws -> Campaign {
        guard let state = try Campaign.State(rawValue: row.text(3)),
            let terms = try JSONValue.parse(Array(row.text(6).utf8)).objectValue,
            let effect = Campaign.effect(terms),
            let metadata = try JSONValue.parse(Array(row.text(7).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a campaign", code: DatabaseFault.corrupt) }
        let read = TermsReader(terms)
        return try Campaign(
            id: row.id(0), program: row.id(1), name: row.text(2), state: state,
            startsAt: row.instant(4), endsAt: row.instant(5), effect: effect,
            industries: read.texts("industries") ?? [], countries: read.texts("countries") ?? [],
            products: read.texts("products") ?? [], first: read.integer("first"),
            rules: (read.texts("reward_rule_ids") ?? []).compactMap { RewardRuleID($0) },
            metadata: metadata, version: row.int64(8), createdAt: row.instant(9),
            updatedAt: row.instant(10))
    }
}
