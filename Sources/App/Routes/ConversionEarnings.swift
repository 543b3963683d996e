import Database
import Model
import RewardLedger

/// What a sale earned, as it is shown with it: the oldest rewards and benefits.
struct ConversionEarnings: Sendable {
    /// Of each, with a conversion.
    static let most = 100

    /// One more than is shown, where there are more.
    let rewards: [Reward]
    let benefits: [Benefit]

    /// What is stored; of one participant alone where one is given.
    static func of(
        _ conversion: ConversionID, by participant: ParticipantID? = nil, _ reader: Reader
    ) throws -> ConversionEarnings {
        ConversionEarnings(
            rewards: try RewardStore.oldest(
                of: conversion, by: participant, limit: most + 1, reader),
            benefits: try BenefitStore.oldest(
                of: conversion, by: participant, limit: most + 1, reader))
    }
}
