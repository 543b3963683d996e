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
        let reason = try RewardWithholding.reason(occasion.unflagged(credits, tx), tx)
        return try nothing(reason?.rawValue, conversion, attribution, actor, tx)
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
