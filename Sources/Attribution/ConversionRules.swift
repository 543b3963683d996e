import Model

/// Why a conversion or a refund is refused. The order is the order of the checks.
public enum ConversionRefusal: Error, Equatable, Sendable {
    /// The external id belongs to a conversion that differs in this field.
    case differs(field: String)
    /// The refund's external id belongs to a refund that differs in this field.
    case refundDiffers(field: String)
    case otherCurrency(expected: Currency)
    case inTheFuture
    /// More than what is left of the conversion's amount.
    case refundTooLarge(left: Int64)
}

/// Decisions about conversions and refunds: pure, without clock or storage.
public enum ConversionRules {
    public static func check(
        amount: Money, currency: Currency, occurredAt: Instant, now: Instant
    ) throws(ConversionRefusal) {
        if amount.currency != currency { throw .otherCurrency(expected: currency) }
        if occurredAt > now { throw .inTheFuture }
    }

    public static func checkSame(
        _ known: Refund, conversion: ConversionID, kind: Refund.Kind, amount: Int64
    ) throws(ConversionRefusal) {
        if known.conversion != conversion { throw .refundDiffers(field: "conversion") }
        if known.kind != kind { throw .refundDiffers(field: "kind") }
        if known.amount != amount { throw .refundDiffers(field: "amount") }
    }

    /// The refunded total after a further refund, which takes something, and never more than the
    /// conversion's amount. Of a conversion of nothing, a cancellation takes that, once.
    public static func refundedTotal(
        of conversion: Conversion, adding amount: Money, as kind: Refund.Kind, isRefunded: Bool
    ) throws(ConversionRefusal) -> Int64 {
        if amount.currency != conversion.amount.currency {
            throw .otherCurrency(expected: conversion.amount.currency)
        }
        let left = conversion.amount.amount - conversion.refundedAmount
        let isOfNothing =
            conversion.amount.amount == 0 && kind == .cancellation && !isRefunded
        guard amount.amount <= left, amount.amount > 0 || isOfNothing else {
            throw .refundTooLarge(left: left)
        }
        return conversion.refundedAmount + amount.amount
    }

    /// What of the conversion was refunded, as a part of a whole: all of it, where it was of
    /// nothing and is cancelled.
    public static func refundedPart(
        of conversion: Conversion, isRefunded: Bool
    ) -> (refunded: Int64, whole: Int64) {
        guard conversion.amount.amount == 0 else {
            return (conversion.refundedAmount, conversion.amount.amount)
        }
        return (isRefunded ? 1 : 0, 1)
    }
}
