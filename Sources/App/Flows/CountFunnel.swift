import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import ReferralLinks

/// Counts how far referrals come, in the transaction in which they do, each under the place that it
/// came from.
///
/// A lead counts once in a stage, on the day of its first event that leads into it: one that is
/// reopened and qualified again is not counted again, and one that falls out stays counted.
enum CountFunnel {
    /// A new lead. `link` is where its link is shared.
    static func submitted(_ lead: Lead, _ link: LinkPlace?, _ tx: Transaction) throws {
        let stage = FunnelStage(leadState: lead.state.rawValue)
        guard lead.source == .form || stage != nil else { return }
        let place = try place(of: lead, link, tx)
        let tags = tags(of: lead)
        let day = try day(of: tx.now, in: lead.program, tx)
        let entered = (lead.source == .form ? [.form] : []) + (stage.map { [$0] } ?? [])
        for stage in entered {
            try FunnelStore.add(stage, at: place, in: lead.program, day: day, tx)
            try FunnelStore.add(stage, under: tags, in: lead.program, day: day, tx)
        }
    }

    /// A step that a lead takes, before its event is there.
    static func moved(_ lead: Lead, to state: Lead.State, _ tx: Transaction) throws {
        guard let stage = FunnelStage(leadState: state.rawValue),
            try !EventStore.hasEntered(lead.id, stage.leadStates, tx)
        else { return }
        let amount = stage == .won ? lead.wonValue?.amount ?? 0 : 0
        let day = try day(of: tx.now, in: lead.program, tx)
        try FunnelStore.add(
            stage, amount: amount, at: try place(of: lead, tx), in: lead.program, day: day, tx)
        try FunnelStore.add(
            stage, amount: amount, under: tags(of: lead), in: lead.program, day: day, tx)
    }

    /// A sale or sign-up, under its lead's place, else that of the click or the code it names, else
    /// that of the newest touch with credit.
    static func converted(
        _ conversion: Conversion, _ attribution: Attribution, lead: Lead?,
        hints: ResolvedHints, _ tx: Transaction
    ) throws {
        let place: FunnelPlace
        if let lead {
            place = try self.place(of: lead, tx)
        } else {
            let click = hints.clicks.last?.origin
            let link = hints.code ?? hints.ref
            let touch =
                click == nil && link == nil
                ? try attribution.touches.last { $0.parts > 0 }.flatMap {
                    try TouchpointStore.find($0.fact.touch, tx)
                } : nil
            place = FunnelRules.place(
                channel: touch?.channel, source: nil,
                link: click?.place ?? link?.place
                    ?? touch.map {
                        LinkPlace(
                            channel: $0.channel ?? FunnelPlace.none, campaign: $0.campaign)
                    },
                referrer: try kind(
                    click?.participant ?? link?.participant ?? attribution.participant, tx))
        }
        let day = try day(of: conversion.occurredAt, in: conversion.program, tx)
        try FunnelStore.add(
            .conversion, amount: conversion.amount.amount, at: place, in: conversion.program,
            day: day, tx)
        let carried = try lead == nil ? hints.tags(tx) : CampaignTags()
        try FunnelStore.add(
            .conversion, amount: conversion.amount.amount,
            under: lead.map { tags(of: $0) } ?? FunnelTags { carried.value(named: $0) },
            in: conversion.program, day: day, tx)
    }

    /// The day by the clocks of the program, as it stays.
    private static func day(
        of instant: Instant, in program: ProgramID, _ tx: Transaction
    ) throws -> Int64 {
        let zone = try ProgramStore.recall(program, tx)?.terms.timeZone ?? .utc
        return zone.day(of: instant)
    }

    private static func tags(of lead: Lead) -> FunnelTags {
        FunnelTags { lead.metadata[$0]?.stringValue }
    }

    private static func place(of lead: Lead, _ tx: Transaction) throws -> FunnelPlace {
        try place(of: lead, lead.referrer.link.flatMap { try LinkStore.find($0, tx)?.place }, tx)
    }

    private static func place(
        of lead: Lead, _ link: LinkPlace?, _ tx: Transaction
    ) throws -> FunnelPlace {
        FunnelRules.place(
            channel: lead.channel, source: lead.source.rawValue, link: link,
            referrer: try kind(lead.referrer.participant, tx))
    }

    private static func kind(_ id: ParticipantID?, _ tx: Transaction) throws -> String? {
        try id.flatMap { try ParticipantStore.recall($0, tx)?.kind.rawValue }
    }
}
