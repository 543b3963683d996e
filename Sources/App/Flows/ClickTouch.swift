import Attribution
import Database
import Model
import Programs
import ReferralLinks

/// A click becomes a touch of a customer when a lead or a conversion claims it.
enum ClickTouch {
    /// Inserts the touch at the click's own time. A hit of a program (bot, preview, prefetch) is
    /// none; a click again within the hour is one, because the same person came back.
    static func insert(
        _ click: ClickID, _ origin: ClickOrigin, of customer: CustomerID,
        _ kind: Program.Kind, lead: LeadID?, _ tx: Transaction
    ) throws {
        guard origin.countsAsTouch else { return }
        try TouchpointStore.insert(
            Touchpoint(
                id: tx.makeID(), program: origin.program, customer: customer,
                participant: origin.participant, source: kind.touchSource, kind: .click,
                channel: origin.channel, campaign: origin.campaign, link: origin.link,
                click: click, lead: lead, occurredAt: origin.occurredAt, createdAt: tx.now), tx)
    }
}

extension Program.Kind {
    /// Of contacts that the program's participants bring about.
    var touchSource: TouchSource { self == .partner ? .partner : .referral }
}
