import Attribution
import Database
import JSON
import Model
import Records
import RewardLedger

/// Money goes back to the customer, in whole or in part: the rewards of the sale go back in
/// proportion.
struct RefundConversion: Sendable {
    let conversion: ConversionID
    let externalID: String
    let kind: Refund.Kind
    /// Nil: all that is left.
    let amount: Money?
    let reason: String?
    let actor: String

    struct Outcome {
        let refund: Refund
        let conversion: Conversion
        let isNew: Bool
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        guard var conversion = try ConversionStore.find(conversion, tx) else {
            throw Refused(.notFound())
        }
        if let amount, amount.currency != conversion.amount.currency {
            throw ConversionRefusal.otherCurrency(expected: conversion.amount.currency)
        }
        if let known = try ConversionStore.findRefund(
            externalID: externalID, in: conversion.program, tx)
        {
            try ConversionRules.checkSame(
                known, conversion: conversion.id, kind: kind, amount: amount?.amount ?? known.amount
            )
            return Outcome(refund: known, conversion: conversion, isNew: false)
        }
        let left = Money(
            amount: conversion.amount.amount - conversion.refundedAmount,
            currency: conversion.amount.currency)
        let amount = amount ?? left
        let isRefunded = try ConversionStore.newestRefund(of: conversion.id, tx) != nil
        let total = try ConversionRules.refundedTotal(
            of: conversion, adding: amount, as: kind, isRefunded: isRefunded)
        let refund = Refund(
            id: tx.makeID(), program: conversion.program, conversion: conversion.id,
            externalID: externalID, kind: kind, amount: amount.amount, reason: reason,
            createdAt: tx.now)
        try ConversionStore.insert(refund, refundedTotal: total, tx)
        conversion.refundedAmount = total
        try EventStore.append(
            NewEvent(
                "conversion.refunded", conversion.id, program: conversion.program, actor: actor,
                reason: kind.rawValue,
                data: ["refund_id": .string(refund.id.description), "amount": amount.json]), tx)
        let part = ConversionRules.refundedPart(of: conversion, isRefunded: true)
        try ReverseRewards.run(
            conversion: conversion.id, refunded: part.refunded, of: part.whole, refund: refund.id,
            actor: actor, tx)
        return Outcome(refund: refund, conversion: conversion, isNew: true)
    }
}
