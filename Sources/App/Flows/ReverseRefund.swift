import Attribution
import Database
import JSON
import Model
import Records

/// A refund is in force no more: a dispute was won, an order is paid after all, a refund was none.
/// What the sale earned follows, also after it was paid. One transaction, from top to bottom.
struct ReverseRefund: Sendable {
    let refund: RefundID
    let externalID: String
    let kind: Refund.Reversal.Kind
    let reason: String?
    let actor: String

    struct Outcome {
        let refund: Refund
        let conversion: Conversion?
        let isNew: Bool
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        guard var refund = try RefundStore.find(refund, tx) else { throw Refused(.notFound()) }
        var conversion = try refund.conversion.flatMap { try ConversionStore.find($0, tx) }
        if let known = try RefundStore.find(reversedBy: externalID, in: refund.program, tx) {
            try ConversionRules.checkSame(known, refund.id, kind: kind)
            return Outcome(refund: known, conversion: conversion, isNew: false)
        }
        if let known = refund.reversal {
            throw ConversionRefusal.reversedAlready(by: known.externalID)
        }
        let old = try conversion.map { try RefundStore.total(of: $0, tx) }
        let new = old.map { $0.removing(refund) }
        let back = (old?.refunded ?? 0) - (new?.refunded ?? 0)
        let reversal = Refund.Reversal(
            externalID: externalID, kind: kind, applied: back, reason: reason, createdAt: tx.now)
        try RefundStore.insert(reversal, of: refund, tx)
        refund.reversal = reversal
        try tell(refund, reversal, tx)
        if let sale = conversion, let old, let new {
            try RefundStore.set(new, of: sale.id, tx)
            conversion?.refundedAmount = new.refunded
            try SettleSale.run(
                sale, from: old, to: new, refund: refund.id, actor: actor, tx)
        }
        return Outcome(refund: refund, conversion: conversion, isNew: true)
    }

    private func tell(
        _ refund: Refund, _ reversal: Refund.Reversal, _ tx: Transaction
    ) throws {
        let data: JSONObject = [
            "refund_id": .string(refund.id.description),
            "amount": Money(amount: reversal.applied, currency: refund.currency).json,
        ]
        if let conversion = refund.conversion {
            try EventStore.append(
                NewEvent(
                    "conversion.refund_reversed", conversion, program: refund.program,
                    actor: actor, reason: kind.rawValue, data: .object(data)), tx)
        } else {
            try EventStore.append(
                NewEvent(
                    "refund.reversed", refund.id, program: refund.program, actor: actor,
                    reason: kind.rawValue, data: .object(data)), tx)
        }
    }
}
