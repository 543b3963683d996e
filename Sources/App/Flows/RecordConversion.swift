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
    let customer: NamedCustomer
    let lead: LeadID?
    let hints: Hints
    let product: String?
    let subscription: String?
    let kind: Conversion.Kind
    let amount: Money
    let occurredAt: Instant?
    let metadata: JSONObject
    let actor: String

    struct Outcome {
        let conversion: Conversion
        let attribution: Attribution
        let earned: ConversionEarnings
        /// False when the external id had been recorded before, with the same content.
        let isNew: Bool
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        let facts = try facts(tx)
        if let known = try ConversionStore.find(externalID: externalID, in: facts.program.id, tx) {
            return try heardAgain(known, facts, tx)
        }
        let customer = try customer(facts, tx)
        let occurredAt = occurredAt ?? tx.now
        try ConversionRules.check(
            amount: amount, currency: facts.program.currency, occurredAt: occurredAt, now: tx.now)
        let id: ConversionID = tx.makeID()
        try facts.hints.insertTouches(
            of: customer, facts.program.kind, at: occurredAt, for: id, tx)

        let conversion = Conversion(
            id: id, program: facts.program.id, externalID: externalID, customer: customer,
            lead: lead, click: facts.hints.clicks.last?.id, ref: facts.hints.carriedRef?.code,
            code: facts.hints.code?.code, ignored: facts.hints.ignored + self.customer.ignored,
            product: product,
            subscription: subscription, kind: kind, amount: amount,
            refundedAmount: 0, occurredAt: occurredAt, metadata: metadata, createdAt: tx.now)
        try ConversionStore.insert(conversion, report(at: occurredAt), tx)
        try ConversionStore.findFirstPaid(conversion, FindPerson.run(customer, tx), tx)
        let attribution = try attribute(conversion, facts.program, tx)
        try closeReview(facts.lead, of: customer, tx)
        let earned = try EarnBySale.run(
            conversion, attribution, facts.lead, facts.program, actor: actor, tx)
        try CountFunnel.converted(
            conversion, attribution, lead: facts.lead, hints: facts.hints, tx)
        if let left = try RefundConversion.applyParked(to: conversion, actor: actor, tx) {
            return Outcome(
                conversion: left, attribution: attribution,
                earned: try ConversionEarnings.of(conversion.id, tx), isNew: true)
        }
        return Outcome(
            conversion: conversion, attribution: attribution, earned: earned, isNew: true)
    }

    /// The lead that was sold to need not be looked at any more, whether the sale names it or not.
    private func closeReview(
        _ named: Lead?, of customer: CustomerID?, _ tx: Transaction
    ) throws {
        if let named { try MoveLead.sold(named, tx) }
        guard let customer, let id = try LeadStore.earliest(of: customer, tx), id != named?.id,
            let lead = try LeadStore.find(id, tx)
        else { return }
        try MoveLead.sold(lead, tx)
    }

    // MARK: - Facts

    struct Facts {
        let program: Program
        let lead: Lead?
        let hints: ResolvedHints
    }

    /// The program, from what the operator names, else from what the hints name.
    private func facts(_ tx: Transaction) throws -> Facts {
        let lead = try lead.map { id in
            guard let lead = try LeadStore.find(id, tx) else {
                throw Refused(.unknownReference("/lead_id"))
            }
            return lead
        }
        let found = try ResolveHints(hints, tx)
        let named = [program, lead?.program].compactMap { $0 }
        let program = try NamedProgram.get(
            named.isEmpty ? [found.program] : named,
            required: "Name the program_id, or a lead_id, click_id, ref or code that has one.",
            differs: "The lead belongs to another program.", tx)
        return Facts(program: program, lead: lead, hints: try found(in: program.id, tx))
    }

    private func customer(_ facts: Facts, _ tx: Transaction) throws -> CustomerID {
        try KnowCustomer(
            program: facts.program.id, named: customer, lead: facts.lead,
            click: facts.hints.clicks.last?.id, actor: actor)(tx).id
    }

    // MARK: - Decision

    private func attribute(
        _ conversion: Conversion, _ program: Program, _ tx: Transaction
    ) throws -> Attribution {
        let terms = program.terms.attribution
        let facts = try GatherCreditFacts.run(conversion, program, terms, tx)
        let attribution = Attribution(
            id: tx.makeID(), conversion: conversion.id, cause: .conversion, actor: actor,
            programVersion: program.version, terms: terms,
            decision: AttributionRules.decide(facts, terms, at: conversion.occurredAt),
            createdAt: tx.now)
        try AttributionStore.insert(attribution, tx)
        var data: JSONObject = [
            "attribution_id": .string(attribution.id.description),
            "model": .string(terms.model.rawValue), "kind": .string(kind.rawValue),
            "amount": amount.json,
        ]
        if !conversion.ignored.isEmpty {
            data["ignored"] = .array(conversion.ignored.map(\.jsonWithoutValue))
        }
        data["product"] = product.map { .string($0) }
        data["subscription"] = subscription.map { .string($0) }
        data["rung"] = .string(attribution.decision.rung(terms).rawValue)
        try EventStore.append(
            NewEvent(
                attribution.participant == nil
                    ? "conversion.unattributed" : "conversion.attributed",
                conversion.id, program: conversion.program, participant: attribution.participant,
                actor: actor, reason: attribution.reason.rawValue, data: .object(data)), tx)
        return attribution
    }
}
