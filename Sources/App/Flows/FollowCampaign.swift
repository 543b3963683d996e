import Database
import JSON
import Model
import Records
import RewardLedger

/// A campaign starts and ends by its times: one job for whichever comes next, an event at both.
enum FollowCampaign {
    static let job = "campaign.due"

    /// Puts a new or changed campaign into the state of this moment, and its next step before the
    /// job runner. What is written is the caller's.
    static func scheduled(_ campaign: Campaign, _ tx: Transaction) throws -> Campaign {
        var followed = campaign
        followed.state = CampaignRules.state(campaign, at: tx.now)
        try schedule(followed, tx)
        return followed
    }

    /// Its start or its end has come, in a transaction of the job runner.
    static func due(_ id: CampaignID, _ tx: Transaction) throws {
        guard var campaign = try CampaignStore.find(id, tx) else { return }
        let state = CampaignRules.state(campaign, at: tx.now)
        guard state != campaign.state else { return }
        let old = campaign.state
        campaign.state = state
        campaign.version += 1
        campaign.updatedAt = tx.now
        try CampaignStore.update(campaign, actor: "system", tx)
        // The service may have been down over both.
        if old == .scheduled { try tell(.active, campaign, from: .scheduled, actor: "system", tx) }
        if state == .ended { try tell(.ended, campaign, from: .active, actor: "system", tx) }
        try schedule(campaign, tx)
    }

    /// `campaign.started` or `campaign.ended`.
    static func tell(
        _ state: Campaign.State, _ campaign: Campaign, from old: Campaign.State?, actor: String,
        _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                state == .active ? "campaign.started" : "campaign.ended", campaign.id,
                program: campaign.program, actor: actor, from: old?.rawValue, to: state.rawValue,
                data: ["version": .integer(campaign.version)]), tx)
    }

    private static func schedule(_ campaign: Campaign, _ tx: Transaction) throws {
        try JobStore.cancel(job, campaign.id, tx)
        switch campaign.state {
        case .scheduled: try JobStore.schedule(job, campaign.id, at: campaign.startsAt, tx)
        case .active: try JobStore.schedule(job, campaign.id, at: campaign.endsAt, tx)
        case .ended: break
        }
    }
}
