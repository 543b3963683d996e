import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs

/// What is known of a person in a program: reads alone.
enum ReadSituation {
    /// Sales and leads that are looked at, the newest.
    private static let most = 20

    static func run(
        _ customer: Customer, _ program: Program, at now: Instant, _ reader: Reader
    ) throws -> ReferralSituation {
        let person = try CustomerStore.person(customer.id, reader)
        var situation = ReferralSituation()
        situation.isProgramActive = program.state == .active
        situation.programState = program.state.rawValue
        let facts = try factsNow(customer.id, program, at: now, reader)
        situation.touches = facts.touches
        situation.decisionNow = AttributionRules.decide(
            facts, program.terms.attribution, at: now)
        situation.leads = try LeadStore.newest(of: person.map(\.id), limit: most, reader).map {
            ReferralSituation.LeadFact(
                lead: $0.id, state: $0.state.rawValue, reasonCode: $0.reasonCode,
                referrer: $0.referrer.participant)
        }
        situation.sales = try ConversionStore.newest(
            of: person.map(\.id), limit: most, reader
        ).compactMap { try sale($0, person, reader) }
        return situation
    }

    /// What a sale of this moment to the customer would be decided from.
    static func factsNow(
        _ customer: CustomerID, _ program: Program, at now: Instant, _ reader: Reader
    ) throws -> AttributionFacts {
        // It is not stored, and so has no identity of its own.
        let sale = Conversion(
            id: ConversionID(high: 0, low: 0), program: program.id, externalID: "",
            customer: customer, lead: nil, click: nil, ref: nil, kind: .purchase,
            amount: Money(amount: 0, currency: program.currency), refundedAmount: 0,
            occurredAt: now, metadata: [:], createdAt: now)
        return try GatherCreditFacts.run(sale, program, program.terms.attribution, reader)
    }

    private static func sale(
        _ conversion: Conversion, _ person: [Customer], _ reader: Reader
    ) throws -> ReferralSituation.Sale? {
        guard let attribution = try AttributionStore.newest(of: conversion.id, reader) else {
            return nil
        }
        let addresses = Set(person.compactMap(\.emailKey))
        let own = try attribution.credits.compactMap(\.participant).filter { id in
            guard let participant = try ParticipantStore.find(id, reader) else { return false }
            return addresses.contains(participant.email.normalized)
        }
        return ReferralSituation.Sale(
            conversion: conversion.id, occurredAt: conversion.occurredAt, attribution: attribution,
            ignored: conversion.ignored, selfReferrers: own)
    }
}
