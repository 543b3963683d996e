import Database
import Model
import RewardLedger

/// A sale was refunded, in part or whole: its rewards go back in the same proportion. What is no
/// money cannot be divided: it goes with the last of the sale, unless it was given already.
enum ReverseRewards {
    /// `refundedTotal` counts all refunds of the conversion so far, this one included. Unpaid
    /// rewards shrink or are voided; of what was paid, the proportion is owed and kept back from
    /// the next payout.
    @discardableResult
    static func run(
        conversion: ConversionID, refundedTotal: Int64, conversionAmount: Int64, refund: RefundID,
        actor: String, _ tx: Transaction
    ) throws -> [Reward] {
        if refundedTotal == conversionAmount {
            try BenefitBook.voidAll(
                conversion: conversion, reason: "refunded", actor: actor, tx)
        }
        return try RewardBook.reverse(
            conversion: conversion, refunded: refundedTotal, of: conversionAmount, refund: refund,
            actor: actor, tx)
    }
}
