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
        var attribution: AttributionID?
        let actor: String

        /// With the program's terms of this moment, and what a person must look at.
        func terms(_ credits: [Credit], _ tx: Transaction) throws -> RewardOccasion {
            try RewardOccasion(
                trigger: trigger, program: program.id, programVersion: program.version,
                holdDays: program.terms.holdDays,
                approvalThreshold: program.terms.approvalThreshold, lead: lead,
                conversion: conversion, attribution: attribution,
                flags: FlagRewards.run(self, credits: credits, tx),
                serviceLevels: program.terms.serviceLevels, actor: actor)
        }
    }

    /// What each participant is credited with of the conversion's amount.
    static func credits(_ decision: AttributionDecision, of conversion: Conversion) -> [Credit] {
        let shares = decision.shares(of: conversion.amount.amount).credits
        return zip(decision.credits, shares).compactMap { credit, share in
            credit.participant.map {
                Credit(
                    participant: $0, parts: credit.parts,
                    base: Money(amount: share, currency: conversion.amount.currency))
            }
        }
    }

    /// The new rewards; none for what was granted before. Several credits share what a rule gives.
    static func run(
        _ occasion: Occasion, credits: [Credit], _ tx: Transaction
    ) throws -> [Reward] {
        try RewardBook.grant(occasion.terms(credits, tx), to: credits, tx)
    }
}
