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
    /// Why it earned nothing, where it is known.
    var reason: String?

    /// What is stored; of one participant alone where one is given.
    static func of(
        _ conversion: ConversionID, by participant: ParticipantID? = nil, _ reader: Reader
    ) throws -> ConversionEarnings {
        var earned = ConversionEarnings(
            rewards: try RewardStore.oldest(
                of: conversion, by: participant, limit: most + 1, reader),
            benefits: try BenefitStore.oldest(
                of: conversion, by: participant, limit: most + 1, reader))
        if earned.rewards.isEmpty, earned.benefits.isEmpty {
            earned.reason = try EarnBySale.reason(of: conversion, reader)
        }
        return earned
    }
}
