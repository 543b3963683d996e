import Attribution
import Database
import LeadRegistration
import Model
import Programs
import ReferralLinks

/// What is known when the credit of a sale is decided, from stored facts alone: whether it is
/// recorded, decided anew or rehearsed.
enum GatherCreditFacts {
    static func run(
        _ conversion: Conversion, _ program: Program, _ terms: AttributionTerms, _ reader: Reader
    ) throws -> AttributionFacts {
        let lead = try conversion.lead.flatMap { try LeadStore.find($0, reader) }
        var members = try CustomerStore.person(conversion.customer, reader)
        try add(lead?.customer, to: &members, reader)
        let identities = identities(members, lead)
        for customer in try accountCustomers(identities, program, reader) {
            try add(customer, to: &members, reader)
        }
        let person = members.map(\.id)
        let leads = try leads(of: person, lead, reader)
        let earlier = try earlier(conversion, of: person, terms, reader)
        return try AttributionFacts(
            touches: touches(of: person, conversion, program, leads, reader),
            registrations: HoldAccount.registrations(
                of: identities, in: program.id, at: conversion.occurredAt, reader
            ).filter { held in
                // A partner who registers a customer takes nothing of what was sold to it before.
                earlier.first.map { held.decidedAt ?? held.createdAt <= $0.occurredAt } ?? true
            }.map {
                Attribution.Credit(
                    participant: $0.participant, parts: $0.share, registration: $0.id)
            },
            bound: earlier.bound, isRenewal: conversion.kind == .renewal,
            leads: leads.map { fact(of: $0, isNamed: $0.id == conversion.lead) })
    }

    // MARK: - Earlier sales

    /// What an earlier sale says of this one: the one that a renewal or upsell follows, and who was
    /// credited with the one that this one stays with.
    private static func earlier(
        _ conversion: Conversion, of person: [CustomerID], _ terms: AttributionTerms,
        _ reader: Reader
    ) throws -> (first: EarlierSale?, bound: [Attribution.Credit]?) {
        let isFollowing = conversion.kind == .renewal || conversion.kind == .upsell
        var first: EarlierSale?
        var bound: [Attribution.Credit]?
        if isFollowing {
            first = try EarlierSaleStore.first(before: conversion, of: person, reader)
            bound = first?.credits
            if let sale = first, !sale.isCredited, conversion.subscription == nil {
                bound =
                    try EarlierSaleStore.firstCredited(before: conversion, of: person, reader)?
                    .credits ?? sale.credits
            }
        }
        switch terms.binds {
        case .none: return (first, nil)
        case .renewals: return (first, bound)
        case .all:
            let isOpen = bound?.contains { $0.participant != nil } != true
            guard isOpen, bound == nil || conversion.kind != .renewal else { return (first, bound) }
            return try (
                first,
                EarlierSaleStore.firstCredited(before: conversion, of: person, reader)?.credits
                    ?? bound
            )
        }
    }

    // MARK: - Leads

    /// The lead that the sale names and the newest of the person.
    private static func leads(
        of person: [CustomerID], _ named: Lead?, _ reader: Reader
    ) throws -> [Lead] {
        let leads = try LeadStore.newest(of: person, limit: leadsMax, reader)
        guard let named, !leads.contains(where: { $0.id == named.id }) else { return leads }
        return leads + [named]
    }

    private static let leadsMax = 100

    private static func fact(of lead: Lead, isNamed: Bool) -> LeadFact {
        LeadFact(
            lead: lead.id, participant: lead.referrer.participant,
            standing: standing(of: lead), referredAt: lead.referralTime,
            steppedAt: lead.steppedAt, isNamed: isNamed)
    }

    private static func standing(of lead: Lead) -> LeadFact.Standing {
        switch lead.state {
        case .submitted, .nurture: .waiting
        case .qualified, .opportunity, .won: .ahead
        case .lost, .disqualified, .duplicate, .spam: .out
        }
    }

    // MARK: - Touches

    /// The newest touches of the person, each with what its lead and its link say of it.
    private static func touches(
        of person: [CustomerID], _ conversion: Conversion, _ program: Program, _ leads: [Lead],
        _ reader: Reader
    ) throws -> [TouchFact] {
        let touches = try person.flatMap {
            try TouchpointStore.touches(of: $0, until: conversion.occurredAt, reader)
        }
        let newest = touches.sorted { ($1.occurredAt, $1.id) < ($0.occurredAt, $0.id) }
            .prefix(TouchpointStore.touchesMax)
        var ends: [LinkID: Instant?] = [:]
        return try newest.map { touch in
            var fact = TouchFact(touch)
            if let id = touch.link {
                let end = try ends[id] ?? LinkStore.find(id, reader)?.endedAt
                ends[id] = .some(end)
                if let end, touch.occurredAt > end { fact.absence = .linkDisabled }
            }
            guard touch.kind == .lead, let id = touch.lead,
                let lead = try leads.first(where: { $0.id == id }) ?? LeadStore.find(id, reader)
            else { return fact }
            switch standing(of: lead) {
            case .waiting: fact.windowDays = program.terms.qualification.validityDays
            case .ahead: break
            case .out: fact.absence = .leadOut
            }
            return fact
        }
    }

    // MARK: - Whose they are

    private static func add(
        _ id: CustomerID?, to members: inout [Customer], _ reader: Reader
    ) throws {
        guard let id, members.count < CustomerRules.membersMax,
            !members.contains(where: { $0.id == id })
        else { return }
        members += try CustomerStore.person(id, reader)
    }

    private static func identities(_ members: [Customer], _ lead: Lead?) -> [AccountIdentity] {
        let ofLead = lead.map { [$0.identity] } ?? []
        return ofLead
            + members.compactMap { $0.emailKey.flatMap { EmailAddress($0) } }.map {
                AccountIdentity(domain: nil, company: nil, country: nil, email: $0)
            }
    }

    /// Where a program knows prospects by their domain, colleagues are one account: whom the first
    /// lead of the account touched.
    private static func accountCustomers(
        _ identities: [AccountIdentity], _ program: Program, _ reader: Reader
    ) throws -> [CustomerID] {
        let keys = LeadRules.duplicateKeys(
            program.terms.qualification, isPartnerProgram: program.kind == .partner)
        guard keys.contains(.domain) else { return [] }
        return try identities.compactMap { identity in
            try identity.domainKey.flatMap {
                try LeadStore.earliest($0, in: program.id, reader)
            }.flatMap { try LeadStore.find($0, reader)?.customer }
        }
    }
}
