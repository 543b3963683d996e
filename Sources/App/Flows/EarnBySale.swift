import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Programs
import Records
import RewardLedger

/// What a sale earns those who are credited with it, when it is recorded; and, where that is
/// nothing, why: the answer, the explanation and an event say so.
enum EarnBySale {
    static let event = "conversion.unrewarded"

    /// Why a sale earned nothing, beside what rules say.
    enum Reason: String, CaseIterable {
        case programEnded = "program_ended"
        /// Nothing was paid, and it is no sign-up.
        case nothingPaid = "nothing_paid"
        /// Whoever an earlier sale was credited to takes part no longer, and nobody in its place.
        case participantClosed = "participant_closed"

        static let all = allCases.map(\.rawValue) + RewardWithheld.allCases.map(\.rawValue)
    }

    static func run(
        _ conversion: Conversion, _ attribution: Attribution, _ lead: Lead?, _ program: Program,
        actor: String, _ tx: Transaction
    ) throws -> ConversionEarnings {
        try WatchCodes.record(conversion, attribution, tx)
        let credits = GrantRewards.credits(attribution.decision, of: conversion)
        guard try GrantRewards.mayEarn(conversion, program, tx) else {
            let reason: Reason = program.state == .ended ? .programEnded : .nothingPaid
            return try nothing(
                credits.isEmpty ? nil : reason.rawValue, conversion, attribution, actor, tx)
        }
        let facts = try GrantRewards.facts(of: conversion, lead, attribution.decision, program, tx)
        let occasion = GrantRewards.Occasion(
            trigger: try GrantRewards.trigger(of: conversion, facts, tx), program: program,
            lead: conversion.lead, conversion: conversion.id, attribution: attribution.id,
            actor: actor, facts: facts)
        let granted = try GrantRewards.run(occasion, credits: credits, tx)
        guard granted.rewards.isEmpty, granted.benefits.isEmpty, !credits.isEmpty else {
            return ConversionEarnings(rewards: granted.rewards, benefits: granted.benefits)
        }
        let reason = try reason(occasion, credits, tx)
        return try nothing(reason, conversion, attribution, actor, tx)
    }

    /// A further report of the sale was heard: why it earns nothing still, if so.
    static func hearAgain(
        _ conversion: Conversion, _ attribution: Attribution, _ occasion: GrantRewards.Occasion,
        _ credits: [GrantRewards.Credit], _ tx: Transaction
    ) throws {
        let earned = try ConversionEarnings.of(conversion.id, tx)
        guard earned.rewards.isEmpty, earned.benefits.isEmpty, !credits.isEmpty else { return }
        let reason = try reason(occasion, credits, tx)
        guard reason != earned.reason else { return }
        _ = try nothing(reason, conversion, attribution, occasion.actor, tx)
    }

    private static func reason(
        _ occasion: GrantRewards.Occasion, _ credits: [GrantRewards.Credit], _ tx: Transaction
    ) throws -> String? {
        let terms = try occasion.unflagged(credits, tx)
        if credits.allSatisfy({ terms.facts.participants[$0.participant]?.isOut == true }) {
            return Reason.participantClosed.rawValue
        }
        return try RewardWithholding.reason(terms, tx)?.rawValue
    }

    /// What the event of the conversion says, the newest.
    static func reason(of conversion: ConversionID, _ reader: Reader) throws -> String? {
        try EventStore.timeline(of: conversion, limit: 100, reader)
            .last { $0.type == event }?.reason
    }

    private static func nothing(
        _ reason: String?, _ conversion: Conversion, _ attribution: Attribution, _ actor: String,
        _ tx: Transaction
    ) throws -> ConversionEarnings {
        if let reason {
            try EventStore.append(
                NewEvent(
                    event, conversion.id, program: conversion.program,
                    participant: attribution.participant, actor: actor, reason: reason), tx)
        }
        return ConversionEarnings(rewards: [], benefits: [], reason: reason)
    }
}
