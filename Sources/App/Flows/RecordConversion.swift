import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import ReferralLinks
import RewardLedger

/// A sale or sign-up comes in: who is the customer, what touched them, who gets the credit, what do
/// they earn. One transaction, from top to bottom.
struct RecordConversion: Sendable {
    let program: ProgramID?
    let externalID: String
    let customerID: String?
    let email: EmailAddress?
    let lead: LeadID?
    let click: ClickID?
    let ref: String?
    let kind: Conversion.Kind
    let amount: Money
    let occurredAt: Instant?
    let metadata: JSONObject
    let actor: String

    struct Outcome {
        let conversion: Conversion
        let attribution: Attribution
        let rewards: [Reward]
        /// False when the external id had been recorded before, with the same content.
        let isNew: Bool
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        let facts = try facts(tx)
        if let known = try ConversionStore.find(externalID: externalID, in: facts.program.id, tx) {
            return try repeated(known, facts, tx)
        }
        let customer = try customer(facts, tx)
        let occurredAt = occurredAt ?? tx.now
        try ConversionRules.check(
            amount: amount, currency: facts.program.currency, occurredAt: occurredAt, now: tx.now)
        try insertTouches(facts, customer, at: occurredAt, tx)

        let conversion = Conversion(
            id: tx.makeID(), program: facts.program.id, externalID: externalID, customer: customer,
            lead: lead, click: click, ref: ref, kind: kind, amount: amount, refundedAmount: 0,
            occurredAt: occurredAt, metadata: metadata, createdAt: tx.now)
        try ConversionStore.insert(conversion, tx)
        let attribution = try attribute(conversion, facts, tx)
        let rewards = try grant(conversion, attribution, facts.program, tx)
        try CounterStore.add(1, to: "conversions", of: facts.program.id, tx)
        return Outcome(
            conversion: conversion, attribution: attribution, rewards: rewards, isNew: true)
    }

    // MARK: - Facts

    private struct Facts {
        let program: Program
        let lead: Lead?
        let click: ClickOrigin?
        let link: Link?
    }

    /// The program, from what the request names; everything named must belong to the same one.
    private func facts(_ tx: Transaction) throws -> Facts {
        let lead = try lead.map { id in
            guard let lead = try LeadStore.find(id, tx) else {
                throw Refused(.unknownReference("/lead_id"))
            }
            return lead
        }
        let click = try click.map { id in
            guard let click = try ClickStore.find(id, tx) else {
                throw Refused(.unknownReference("/click_id"))
            }
            return click
        }
        let link = try ref.map { code in
            guard let link = try LinkStore.find(code: code, tx) else {
                throw Refused(.unknownReference("/ref"))
            }
            return link
        }
        let named = [program, lead?.program, click?.program, link?.program].compactMap { $0 }
        guard let first = named.first else {
            throw Refused(
                .unprocessable(
                    "program_required", "Name the program_id, or a lead, click or ref that has one."
                ))
        }
        guard named.allSatisfy({ $0 == first }) else {
            throw Refused(
                .conflict("program_differs", "The lead, click or ref belongs to another program."))
        }
        guard let program = try ProgramStore.recall(first, tx) else {
            throw Refused(.unknownReference("/program_id"))
        }
        if program.state == .draft { throw ProgramRefusal.notActive(state: .draft) }
        return Facts(program: program, lead: lead, click: click, link: link)
    }

    /// The lead's customer if there is one, else the customer known by these names.
    private func customer(_ facts: Facts, _ tx: Transaction) throws -> CustomerID {
        if customerID == nil, email == nil, let customer = facts.lead?.customer { return customer }
        return try CustomerStore.findOrInsert(
            program: facts.program.id, externalID: customerID, email: email, tx
        ).customer.id
    }

    /// What the request leaves out is not another content. A customer that it does not name is
    /// not looked for either, because that would make a new one.
    private func repeated(
        _ known: Conversion, _ facts: Facts, _ tx: Transaction
    ) throws -> Outcome {
        try ConversionRules.checkSame(
            known, kind: kind, amount: amount, occurredAt: occurredAt,
            customer: customerID == nil && email == nil ? known.customer : customer(facts, tx),
            lead: lead, click: click, ref: ref)
        guard let attribution = try AttributionStore.newest(of: known.id, tx) else {
            throw DatabaseFault(operation: "read an attribution", code: DatabaseFault.corrupt)
        }
        return Outcome(
            conversion: known, attribution: attribution,
            rewards: try RewardStore.rewards(of: known.id, tx), isNew: false)
    }

    // MARK: - Decision

    /// A click is a touch at its own time; a code that came with the sale is one at the sale's.
    private func insertTouches(
        _ facts: Facts, _ customer: CustomerID, at instant: Instant, _ tx: Transaction
    ) throws {
        if let click, let origin = facts.click {
            try ClickTouch.insert(click, origin, of: customer, lead: nil, tx)
        }
        if facts.click == nil, let link = facts.link {
            try TouchpointStore.insert(
                Touchpoint(
                    id: tx.makeID(), program: facts.program.id, customer: customer,
                    participant: link.participant, source: .referral, channel: "code",
                    link: link.id, click: nil, lead: nil, occurredAt: instant, createdAt: tx.now),
                tx)
        }
    }

    private func attribute(
        _ conversion: Conversion, _ facts: Facts, _ tx: Transaction
    ) throws -> Attribution {
        let terms = facts.program.terms
        let model = AttributionModel(rawValue: terms.model) ?? .lastTouch
        var touches = try TouchpointStore.touches(
            of: conversion.customer, until: conversion.occurredAt,
            limit: RecordConversion.touchesMax, tx)
        if let other = facts.lead?.customer, other != conversion.customer {
            touches += try TouchpointStore.touches(
                of: other, until: conversion.occurredAt, limit: RecordConversion.touchesMax, tx)
        }
        let decision = try AttributionRules.decide(
            touches, model: model, windowDays: terms.windowDays,
            registrations: registrations(conversion, facts, tx), at: conversion.occurredAt)
        let attribution = Attribution(
            id: tx.makeID(), conversion: conversion.id, model: model,
            programVersion: facts.program.version, windowDays: terms.windowDays, touches: touches,
            decision: decision, createdAt: tx.now)
        try AttributionStore.insert(attribution, tx)
        try EventStore.append(
            NewEvent(
                decision.participant == nil ? "conversion.unattributed" : "conversion.attributed",
                conversion.id, program: conversion.program, participant: decision.participant,
                actor: actor, reason: decision.reason.rawValue,
                data: [
                    "attribution_id": .string(attribution.id.description),
                    "model": .string(model.rawValue), "kind": .string(kind.rawValue),
                    "amount": amount.json,
                ]), tx)
        return attribution
    }

    /// The program's registrations that held the buyer's account when it bought, each with its
    /// share. Another program's registration earns nothing by this one's rules.
    private func registrations(
        _ conversion: Conversion, _ facts: Facts, _ tx: Transaction
    ) throws -> [Attribution.Credit] {
        var identities =
            email.map {
                [AccountIdentity(domain: nil, company: nil, country: nil, email: $0)]
            } ?? []
        if let lead = facts.lead { identities.append(lead.identity) }
        var found: [Attribution.Credit] = []
        for identity in identities {
            for claim in try HoldAccount.holders(of: identity, at: conversion.occurredAt, tx) {
                guard let registration = try RegistrationStore.find(claim.registration, tx),
                    registration.program == conversion.program, registration.share > 0,
                    !found.contains(where: { $0.registration == registration.id })
                else { continue }
                found.append(
                    Attribution.Credit(
                        participant: registration.participant, parts: registration.share,
                        registration: registration.id))
            }
        }
        return found
    }

    /// The newest touches of a customer that are looked at.
    static let touchesMax = 500

    /// Rewards for the credited participants, unless the program has ended.
    private func grant(
        _ conversion: Conversion, _ attribution: Attribution, _ program: Program, _ tx: Transaction
    ) throws -> [Reward] {
        guard !attribution.credits.isEmpty, program.state != .ended else { return [] }
        let amounts = Apportionment.split(
            amount.amount, by: attribution.credits.map(\.parts))
        let credits = zip(attribution.credits, amounts).map { credit, share in
            GrantRewards.Credit(
                participant: credit.participant,
                base: Money(amount: share, currency: amount.currency))
        }
        return try GrantRewards.run(
            GrantRewards.Occasion(
                trigger: .conversion(kind: kind.rawValue), program: program, lead: conversion.lead,
                conversion: conversion.id, actor: actor), credits: credits, tx)
    }
}
