import Attribution
import Database
import Model
import Programs
import RewardLedger

/// Something happened that may earn rewards: the program's active rules decide which, and to whom.
enum GrantRewards {
    typealias Credit = RewardLedger.Credit

    struct Occasion: Sendable {
        let trigger: RewardRule.Trigger
        let program: Program
        let lead: LeadID?
        let conversion: ConversionID?
        let actor: String
    }

    /// What each participant is credited with of the conversion's amount.
    static func credits(_ decision: AttributionDecision, of conversion: Conversion) -> [Credit] {
        let shares = decision.shares(of: conversion.amount.amount).credits
        return zip(decision.credits, shares).compactMap { credit, share in
            credit.participant.map {
                Credit(
                    participant: $0,
                    base: Money(amount: share, currency: conversion.amount.currency))
            }
        }
    }

    /// The new rewards; none for what was granted before. Of several credits each earns its
    /// percentage, and the largest one, the first of equals, a flat amount.
    static func run(
        _ occasion: Occasion, credits: [Credit], _ tx: Transaction
    ) throws -> [Reward] {
        try RewardBook.grant(
            RewardOccasion(
                trigger: occasion.trigger, program: occasion.program.id,
                programVersion: occasion.program.version,
                holdDays: occasion.program.terms.holdDays,
                approvalThreshold: occasion.program.terms.approvalThreshold, lead: occasion.lead,
                conversion: occasion.conversion, actor: occasion.actor), to: credits, tx)
    }
}
