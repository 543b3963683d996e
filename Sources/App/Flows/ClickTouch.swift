import Attribution
import Database
import Model
import ReferralLinks

/// A click becomes a touch of a customer when a lead or a conversion claims it.
enum ClickTouch {
    /// Inserts the touch at the click's own time. A hit of a program (bot, preview, prefetch) is
    /// none; a click again within the hour is one, because the same person came back.
    static func insert(
        _ click: ClickID, _ origin: ClickOrigin, of customer: CustomerID, lead: LeadID?,
        _ tx: Transaction
    ) throws {
        guard origin.kind == .human || origin.kind == .duplicate else { return }
        try TouchpointStore.insert(
            Touchpoint(
                id: tx.makeID(), program: origin.program, customer: customer,
                participant: origin.participant, source: .referral,
                channel: origin.channel, link: origin.link, click: click, lead: lead,
                occurredAt: origin.occurredAt, createdAt: tx.now), tx)
    }
}
