import Model

/// Why a conversion or a refund is refused. The order is the order of the checks.
public enum ConversionRefusal: Error, Equatable, Sendable {
    /// The external id belongs to a conversion that differs in this field.
    case differs(field: String)
    /// The refund's external id belongs to a refund that differs in this field.
    case refundDiffers(field: String)
    case otherCurrency(expected: Currency)
    case inTheFuture
    /// One refund asks for more than the whole conversion.
    case refundTooLarge(whole: Money)
    /// All of it is refunded or cancelled, and this refund's reversal is what brings it back.
    case cancelled(by: RefundID)
    /// The reversal's external id belongs to one that differs in this field.
    case reversalDiffers(field: String)
    /// The refund was reversed under another external id.
    case reversedAlready(by: String)
    /// So many refunds wait for this sale already.
    case tooManyParked(most: Int)
}

/// Decisions about conversions and refunds: pure, without clock or storage.
public enum ConversionRules {
    public static func check(
        amount: Money, currency: Currency, occurredAt: Instant, now: Instant
    ) throws(ConversionRefusal) {
        if amount.currency != currency { throw .otherCurrency(expected: currency) }
        if occurredAt > now { throw .inTheFuture }
    }

    /// An order that is wholly refunded and comes again is either its old notice once more, which
    /// says the same time, or was paid after all: nothing but the operator's word tells.
    public static func checkStands(
        _ known: Conversion, occurredAt: Instant?, refundedBy refund: RefundID?
    ) throws(ConversionRefusal) {
        guard let refund, occurredAt != known.occurredAt else { return }
        throw .cancelled(by: refund)
    }

    /// A second request with the same external id must ask for the same. Nothing, the whole and its
    /// amount are one.
    public static func checkSame(
        _ known: Refund, conversion externalID: String, kind: Refund.Kind, amount: Int64?,
        whole: Int64?
    ) throws(ConversionRefusal) {
        if known.conversionExternalID != externalID { throw .refundDiffers(field: "conversion") }
        if known.kind != kind { throw .refundDiffers(field: "kind") }
        if known.asked ?? whole != amount ?? whole { throw .refundDiffers(field: "amount") }
    }

    public static func checkSame(
        _ known: Refund, _ refund: RefundID, kind: Refund.Reversal.Kind
    ) throws(ConversionRefusal) {
        if known.id != refund { throw .reversalDiffers(field: "refund") }
        if known.reversal?.kind != kind { throw .reversalDiffers(field: "kind") }
    }

    /// A refund asks for something, in the sale's currency, and for no more than all of it; of a
    /// sale of nothing, for its cancellation alone.
    public static func checkRefund(
        _ amount: Money?, as kind: Refund.Kind = .refund, of whole: Money
    ) throws(ConversionRefusal) {
        guard let amount else {
            if whole.amount == 0, kind != .cancellation { throw .refundTooLarge(whole: whole) }
            return
        }
        if amount.currency != whole.currency { throw .otherCurrency(expected: whole.currency) }
        if amount.amount > whole.amount { throw .refundTooLarge(whole: whole) }
    }
}
