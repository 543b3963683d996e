import Attribution
import Database
import LeadRegistration
import Model
import Programs

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
        let touches = try members.flatMap {
            try TouchpointStore.touches(of: $0.id, until: conversion.occurredAt, reader)
        }
        let newest = touches.sorted { ($1.occurredAt, $1.id) < ($0.occurredAt, $0.id) }
            .prefix(TouchpointStore.touchesMax)
        return try AttributionFacts(
            touches: newest.map { TouchFact($0) },
            registrations: HoldAccount.registrations(
                of: identities, in: program.id, at: conversion.occurredAt, reader
            ).map {
                Attribution.Credit(
                    participant: $0.participant, parts: $0.share, registration: $0.id)
            },
            bound: AttributionStore.bound(
                members.map(\.id), before: conversion.occurredAt, terms.bind,
                except: conversion.id, reader))
    }

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
