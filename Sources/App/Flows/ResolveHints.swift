import Attribution
import Database
import Model
import Programs
import Records
import ReferralLinks

/// Finds what the hints of a sale, a lead, a form, a touch or a row of an import name: the same for
/// every door. What names nothing is left out with its reason; nothing is refused.
struct ResolveHints {
    let hints: Hints
    /// In the order given; nil where there is no such click.
    private let clicks: [(id: ClickID, origin: ClickOrigin?)]
    private let ref: Link?
    private let code: Link?

    init(_ hints: Hints, _ reader: Reader) throws {
        self.hints = hints
        clicks = try hints.clicks.map { ($0, try ClickStore.find($0, reader)) }
        ref = try hints.ref.flatMap { try LinkStore.find(code: $0, reader) }
        code = try hints.code.flatMap { try LinkStore.find(code: $0, reader) }
    }

    /// The program that the hints belong to, for a request that names none: the newest click's,
    /// else that of `ref`, else that of `code`.
    var program: ProgramID? {
        clicks.compactMap(\.origin).max { $0.occurredAt < $1.occurredAt }?.program
            ?? ref?.program ?? code?.program
    }

    /// What they name in `program`.
    func callAsFunction(in program: ProgramID, _ tx: Transaction) throws -> ResolvedHints {
        var found = ResolvedHints(ignored: hints.ignored)
        var unclicked: [LinkID: IgnoredHint.Because] = [:]
        for (id, origin) in clicks {
            guard let origin, origin.program == program else {
                found.leaveOut(.click, id.description, origin == nil ? .unknown : .foreign)
                continue
            }
            if let because = origin.kind.isNeverTouch {
                unclicked[origin.link] = because
                found.leaveOut(.click, id.description, because)
            } else {
                found.clicks.append(ResolvedHints.Click(id: id, origin: origin))
            }
        }
        found.unclicked = Set(unclicked.keys)
        found.clicks.sort { ($0.origin.occurredAt, $0.id) < ($1.origin.occurredAt, $1.id) }
        if let link = link(ref, .ref, hints.ref, in: program, &found) {
            if found.clicks.contains(where: { $0.origin.link == link.id }) {
                found.clickedRef = link
            } else if let because = unclicked[link.id] {
                found.leaveOut(.ref, hints.ref, because)
            } else {
                found.ref = link
                found.refAt = refAt(tx.now, &found)
            }
        }
        found.code = link(code, .code, hints.code, in: program, &found)
        if let email = hints.referrerEmail {
            found.told = try ParticipantStore.find(email: email, in: program, tx)
            if found.told == nil { found.leaveOut(.referrerEmail, email.text, .unknown) }
        }
        return found
    }

    private func link(
        _ link: Link?, _ name: HintName, _ given: String?, in program: ProgramID,
        _ found: inout ResolvedHints
    ) -> Link? {
        guard let given else { return nil }
        guard let link, link.program == program else {
            found.leaveOut(name, given, link == nil ? .unknown : .foreign)
            return nil
        }
        return link
    }

    /// The clocks of visitors are wrong by hours; one that is wrong by more says nothing.
    private func refAt(_ now: Instant, _ found: inout ResolvedHints) -> Instant? {
        guard let instant = hints.refAt else { return nil }
        guard instant <= now.advanced(byDays: 1) else {
            found.leaveOut(.refAt, instant.rfc3339, .inTheFuture)
            return nil
        }
        return min(instant, now)
    }
}

extension Click.Class {
    /// Why somebody who brings the click did not click all the same; nil for a click that counts.
    /// One that was taken for a program's is reclaimed by whoever brings it.
    fileprivate var isNeverTouch: IgnoredHint.Because? {
        switch self {
        case .human, .bot, .preview, .duplicate: nil
        case .prefetch: .prefetch
        case .embedded: .embedded
        }
    }
}

/// What the hints of one request name in a program.
struct ResolvedHints: Sendable {
    struct Click: Sendable {
        let id: ClickID
        let origin: ClickOrigin
    }

    /// Oldest first.
    fileprivate(set) var clicks: [Click] = []
    /// Links of clicks that nobody made.
    fileprivate(set) var unclicked: Set<LinkID> = []
    /// The link of `ref`, where none of the clicks is of it: a touch of its own.
    fileprivate(set) var ref: Link?
    /// When the page got it; nil: no earlier than the request.
    fileprivate(set) var refAt: Instant?
    /// The link of `ref`, where one of the clicks is the visit that left it.
    fileprivate(set) var clickedRef: Link?
    fileprivate(set) var code: Link?
    /// The participant of `referrer_email`.
    fileprivate(set) var told: Participant?
    private(set) var ignored: [IgnoredHint]

    fileprivate init(ignored: [IgnoredHint]) { self.ignored = ignored }

    /// The link of `ref`, whether or not a click is of it.
    var carriedRef: Link? { ref ?? clickedRef }

    /// Whether they name nobody.
    var isEmpty: Bool { clicks.isEmpty && ref == nil && code == nil && told == nil }

    /// Where this link is shared, which a click or a code of the hints is of.
    func place(of id: LinkID?) -> LinkPlace? {
        clicks.first { $0.origin.link == id }?.origin.place
            ?? [ref, clickedRef, code].compactMap { $0 }.first { $0.id == id }?.place
    }

    /// The UTM values that the newest click brought, else its link's; without a click, those of the
    /// link that was named.
    func tags(_ reader: Reader) throws -> CampaignTags {
        guard let click = clicks.last else { return code?.utm ?? ref?.utm ?? CampaignTags() }
        if let brought = try ClickStore.get(click.id, reader)?.utm, !brought.isEmpty {
            return brought
        }
        return try LinkStore.find(click.origin.link, reader)?.utm ?? CampaignTags()
    }

    /// Leaves out what names another than `participant`, but not touches that have a time.
    mutating func leaveOutOthers(than participant: ParticipantID) {
        if let code, code.participant != participant {
            leaveOut(.code, code.code, .otherParticipant)
            self.code = nil
        }
        if let ref, refAt == nil, ref.participant != participant {
            leaveOut(.ref, ref.code, .otherParticipant)
            self.ref = nil
        }
        if let told, told.id != participant {
            leaveOut(.referrerEmail, told.email.text, .otherParticipant)
            self.told = nil
        }
    }

    /// Without the hint that a touch of this kind was made of.
    func without(_ kind: Touchpoint.Kind) -> ResolvedHints {
        var rest = self
        switch kind {
        case .ref: rest.ref = nil
        case .code: rest.code = nil
        case .contact: rest.told = nil
        case .click, .lead, .registration: break
        }
        return rest
    }

    mutating func leaveOut(_ name: HintName, _ value: String?, _ because: IgnoredHint.Because) {
        guard ignored.count < IgnoredHint.most else { return }
        ignored.append(IgnoredHint(name, value, because))
    }
}

// MARK: - Touches

extension ResolvedHints {
    /// Inserts the touches that the hints make of `customer` at an occasion (a sale, a touch that
    /// is reported), and returns those that were not known: a `click` at its own time; a `ref`
    /// alone at its time, else at the occasion's; a `code` and whoever was told at the occasion's.
    @discardableResult
    func insertTouches(
        of customer: CustomerID, _ kind: Program.Kind, at instant: Instant,
        for conversion: ConversionID? = nil, _ tx: Transaction
    ) throws -> [Touchpoint] {
        var touches = try insertClicks(of: customer, kind, lead: nil, tx)
        let place = TouchPlace(
            customer: customer, source: kind.touchSource, lead: nil, conversion: conversion)
        if let ref {
            touches += try place.insert(
                ref, .ref, at: ResolvedHints.time(refAt, before: instant), tx)
        }
        if let code { touches += try place.insert(code, .code, at: instant, tx) }
        if let told { touches += try place.insert(told, at: instant, tx) }
        return touches
    }

    /// Inserts a touch for each click, and returns those that were not known.
    func insertClicks(
        of customer: CustomerID, _ kind: Program.Kind, lead: LeadID?, _ tx: Transaction
    ) throws -> [Touchpoint] {
        let place = TouchPlace(customer: customer, source: kind.touchSource, lead: lead)
        return try clicks.flatMap { try place.insert($0, tx) }
    }

    /// A page's clock that is ahead by less than a day takes no credit away.
    static func time(_ refAt: Instant?, before instant: Instant) -> Instant {
        guard let refAt else { return instant }
        let isAhead = refAt > instant && refAt < instant.advanced(byDays: 1)
        return isAhead ? instant : refAt
    }
}

/// Whom a touch is of, and from where it comes.
struct TouchPlace {
    let customer: CustomerID
    let source: TouchSource
    let lead: LeadID?
    var conversion: ConversionID?

    /// The touch, unless the click touched the customer before.
    func insert(_ click: ResolvedHints.Click, _ tx: Transaction) throws -> [Touchpoint] {
        guard try TouchpointStore.find(click: click.id, of: customer, tx) == nil else { return [] }
        let origin = click.origin
        let touch = Touchpoint(
            id: tx.makeID(), program: origin.program, customer: customer,
            participant: origin.participant, source: source, kind: .click,
            channel: origin.channel, campaign: origin.campaign, link: origin.link,
            click: click.id, lead: lead, reclaimed: origin.reclaimed,
            occurredAt: origin.occurredAt, createdAt: tx.now)
        try TouchpointStore.insert(touch, tx)
        return [touch]
    }

    /// The touch of a link's code, unless it is known.
    func insert(
        _ link: Link, _ kind: Touchpoint.Kind, at instant: Instant, _ tx: Transaction
    ) throws -> [Touchpoint] {
        try insertNew(
            Touchpoint(
                id: tx.makeID(), program: link.program, customer: customer,
                participant: link.participant, source: source, kind: kind,
                channel: link.channel.rawValue, campaign: link.campaign, link: link.id,
                lead: lead, conversion: conversion, occurredAt: instant, createdAt: tx.now), tx)
    }

    /// The touch of a participant whom somebody named, unless it is known.
    func insert(
        _ participant: Participant, at instant: Instant, _ tx: Transaction
    ) throws -> [Touchpoint] {
        try insertNew(
            Touchpoint(
                id: tx.makeID(), program: participant.program, customer: customer,
                participant: participant.id, source: source, kind: .contact, lead: lead,
                conversion: conversion, occurredAt: instant, createdAt: tx.now), tx)
    }

    private func insertNew(_ touch: Touchpoint, _ tx: Transaction) throws -> [Touchpoint] {
        guard try !TouchpointStore.isKnown(like: touch, tx) else { return [] }
        try TouchpointStore.insert(touch, tx)
        return [touch]
    }
}

extension Program.Kind {
    /// Of contacts that the program's participants bring about.
    var touchSource: TouchSource { self == .partner ? .partner : .referral }
}
