import Database
import Model
import RewardLedger

/// A sale was refunded, in part or whole: what it earned goes back in the same proportion. What
/// cannot be divided goes with the last of the sale; a benefit that was given stays.
enum ReverseRewards {
    /// `refunded` of `whole` counts all refunds of the conversion so far, this one included. Unpaid
    /// rewards shrink or are voided; of what was paid, the proportion is owed and kept back from
    /// the next payout.
    @discardableResult
    static func run(
        conversion: ConversionID, refunded: Int64, of whole: Int64, refund: RefundID,
        actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        try BenefitBook.reverse(
            conversion: conversion, refunded: refunded, of: whole, refund: refund,
            actor: actor, tx)
        return try RewardBook.reverse(
            conversion: conversion, refunded: refunded, of: whole, refund: refund,
            actor: actor, tx)
    }
}
