import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// The operator has a sale's credit decided anew: by what is known now, or by its own word. The old
/// result stays; the rewards follow by corrections. One transaction, from top to bottom.
struct ReattributeConversion: Sendable {
    enum Wish: Sendable {
        /// By the terms of the result that counts, of which the model may be another, or by the
        /// program's terms of today.
        case decide(AttributionModel?, byTermsOfToday: Bool)
        /// Who gets which part.
        case credit([Attribution.Credit])
    }

    let wish: Wish
    let reason: String
    let actor: String

    /// The new result; the old one when it would be the same.
    func callAsFunction(
        _ conversion: Conversion, _ tx: Transaction
    ) throws -> (attribution: Attribution, isNew: Bool) {
        guard let old = try AttributionStore.newest(of: conversion.id, tx),
            let program = try ProgramStore.recall(conversion.program, tx)
        else {
            throw DatabaseFault(operation: "read an attribution", code: DatabaseFault.corrupt)
        }
        let attribution = try attribution(conversion, old, program, tx)
        guard attribution.decision != old.decision || attribution.terms != old.terms else {
            return (old, false)
        }
        try AttributionStore.insert(attribution, tx)
        try Self.tell(attribution, insteadOf: old, conversion, actor: actor, tx)
        // What a further report added to the sale is not forgotten by a new decision.
        let isHeardAgain =
            try EventStore.newestActor("conversion.reported_again", of: conversion.id, tx) != nil
        try Self.correctRewards(
            conversion, attribution, program, knowsMore: isHeardAgain, actor: actor, tx)
        return (attribution, true)
    }

    /// Brings what the sale earned to what the result that counts gives. `knowsMore`: the sale
    /// itself is known better than when it earned.
    static func correctRewards(
        _ conversion: Conversion, _ attribution: Attribution, _ program: Program,
        knowsMore: Bool = false, actor: String, _ tx: Transaction
    ) throws {
        guard try GrantRewards.mayEarn(conversion, program, tx) else { return }
        let credits = GrantRewards.credits(attribution.decision, of: conversion)
        let lead = try conversion.lead.flatMap { try LeadStore.find($0, tx) }
        let facts = try GrantRewards.facts(
            of: conversion, lead, attribution.decision, program, tx)
        let occasion = GrantRewards.Occasion(
            trigger: try GrantRewards.trigger(of: conversion, facts, tx), program: program,
            lead: conversion.lead, conversion: conversion.id, attribution: attribution.id,
            actor: actor, facts: facts)
        var terms = try occasion.terms(credits, tx)
        terms.knowsMore = knowsMore
        let sale = try SettleSale.sale(
            conversion, attribution.decision, try RefundStore.total(of: conversion, tx),
            try RefundStore.newest(of: conversion.id, tx), tx)
        try BenefitBook.correct(terms, of: sale, tx)
        _ = try RewardCorrection.run(terms, of: sale, tx)
        if knowsMore { try EarnBySale.hearAgain(conversion, attribution, occasion, credits, tx) }
    }

    private func attribution(
        _ conversion: Conversion, _ old: Attribution, _ program: Program, _ tx: Transaction
    ) throws -> Attribution {
        var (terms, version) = (old.terms, old.programVersion)
        if case .decide(let model, let isToday) = wish {
            if isToday { (terms, version) = (program.terms.attribution, program.version) }
            terms.model = model ?? terms.model
        }
        let facts = try GatherCreditFacts.run(conversion, program, terms, tx)
        let decision: AttributionDecision
        switch wish {
        case .decide:
            decision = AttributionRules.decide(facts, terms, at: conversion.occurredAt)
        case .credit(let credits):
            try checkParticipants(credits, program.id, tx)
            decision = AttributionRules.manual(facts, credits, terms, at: conversion.occurredAt)
        }
        return Attribution(
            id: tx.makeID(), conversion: conversion.id, cause: .reattribution, causeReason: reason,
            actor: actor, programVersion: version, terms: terms, decision: decision,
            createdAt: tx.now)
    }

    private func checkParticipants(
        _ credits: [Attribution.Credit], _ program: ProgramID, _ tx: Transaction
    ) throws {
        for (index, credit) in credits.enumerated() {
            guard let id = credit.participant,
                try ParticipantStore.recall(id, tx)?.program == program
            else { throw Refused(.unknownReference("/credits/\(index)/participant_id")) }
        }
    }

    static func tell(
        _ attribution: Attribution, insteadOf old: Attribution, _ conversion: Conversion,
        actor: String, _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                "conversion.reattributed", conversion.id, program: conversion.program,
                participant: attribution.participant, actor: actor,
                from: old.reason.rawValue, to: attribution.reason.rawValue,
                data: [
                    "attribution_id": .string(attribution.id.description),
                    "previous_attribution_id": .string(old.id.description),
                    "cause": .string(attribution.cause.rawValue),
                    "model": .string(attribution.terms.model.rawValue),
                    "rung": .string(attribution.decision.rung(attribution.terms).rawValue),
                ]), tx)
    }
}
