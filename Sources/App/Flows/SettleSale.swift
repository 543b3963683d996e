import Attribution
import Database
import LeadRegistration
import Model
import Records
import RewardLedger

/// The refunds of a sale have changed: what it earned follows, and what hangs on whether it stands.
/// One transaction, from top to bottom.
enum SettleSale {
    /// `was` is what the refunds in force took before.
    static func run(
        _ conversion: Conversion, from was: RefundTotal, to now: RefundTotal, refund: RefundID,
        actor: String, _ tx: Transaction
    ) throws {
        guard now.part != was.part else { return }
        guard let attribution = try AttributionStore.newest(of: conversion.id, tx) else {
            throw DatabaseFault(operation: "read an attribution", code: DatabaseFault.corrupt)
        }
        let sale = try sale(conversion, attribution.decision, now, refund, tx)
        try BenefitBook.settle(sale, actor: actor, tx)
        try RewardBook.settle(sale, actor: actor, tx)
        guard now.isWhole != was.isWhole else { return }
        try followSales(of: conversion, sale, actor: actor, tx)
    }

    /// A sale that is wholly refunded counts for no tier and no milestone, unless the customer has
    /// another one, and takes with it what the win of its lead earned, once it is the last one of
    /// that lead (R175).
    private static func followSales(
        of conversion: Conversion, _ sale: RewardSale, actor: String, _ tx: Transaction
    ) throws {
        let person = try CustomerStore.person(conversion.customer, tx).map(\.id)
        var heirs: [ParticipantID: ConversionID] = [:]
        if sale.isRefunded {
            for participant in try ReferralCountStore.counted(sale.conversion, tx) {
                heirs[participant] = try RefundStore.standing(
                    of: person, creditedTo: participant, tx)
            }
        }
        let isLeadRefunded =
            try conversion.lead.map { try RefundStore.isAllRefunded($0, tx) } ?? false
        // A lead whose other sales stand counts, and one of which a sale stands again does.
        let lead = isLeadRefunded == sale.isRefunded ? conversion.lead : nil
        try RewardBook.count(
            sale, lead: lead, person: person, heirs: heirs, actor: actor, tx)
        guard let lead else { return }
        try BenefitBook.followSales(
            of: lead, sale, actor: actor, tx)
        try RewardBook.followSales(
            of: lead, sale, actor: actor, tx)
    }

    /// The sale as its rewards follow it.
    static func sale(
        _ conversion: Conversion, _ decision: AttributionDecision, _ total: RefundTotal,
        _ refund: RefundID?, _ reader: Reader
    ) throws -> RewardSale {
        let left = Money(
            amount: conversion.amount.amount - total.refunded, currency: conversion.amount.currency)
        var person = try FindPerson.run(conversion.customer, reader)
        let lead = try conversion.lead.flatMap { try LeadStore.find($0, reader)?.customer }
        if let lead, !person.contains(lead) { person += try FindPerson.run(lead, reader) }
        return RewardSale(
            conversion: conversion.id, program: conversion.program,
            recordedAt: conversion.createdAt, whole: total.part.whole,
            refunded: total.part.refunded, refund: refund,
            credits: GrantRewards.credits(decision, of: conversion.amount),
            rest: GrantRewards.credits(decision, of: left), person: person)
    }
}
