import Attribution
import Database
import JSON
import Model
import Programs
import Records
import RewardLedger

/// Money goes back to the customer, in whole or in part, and what the sale earned follows: refunded
/// is what the refunds in force ask for, and never more than the sale. A refund that comes before
/// its sale is parked and applied when the sale comes.
struct RefundConversion: Sendable {
    /// The sale by its id, or by the operator's name for it.
    enum Sale: Sendable {
        case id(ConversionID)
        case named(String, in: ProgramID)
    }

    let sale: Sale
    let externalID: String
    let kind: Refund.Kind
    /// Nil: the whole sale.
    let amount: Money?
    let reason: String?
    let actor: String

    /// How many refunds may wait for one sale.
    static let parkedMost = 100

    struct Outcome {
        let refund: Refund
        /// Nil while it is parked.
        let conversion: Conversion?
        /// Whether anything is other than before.
        let isNew: Bool
    }

    func callAsFunction(_ tx: Transaction) throws -> Outcome {
        let (program, name, conversion) = try facts(tx)
        let currency = conversion?.amount.currency ?? program.currency
        if let amount, amount.currency != currency {
            throw ConversionRefusal.otherCurrency(expected: currency)
        }
        if let known = try RefundStore.find(externalID: externalID, in: program.id, tx) {
            try ConversionRules.checkSame(
                known, conversion: name, kind: kind, amount: amount?.amount,
                whole: conversion?.amount.amount)
            return Outcome(refund: known, conversion: conversion, isNew: false)
        }
        var refund = Refund(
            id: tx.makeID(), program: program.id, externalID: externalID,
            conversionExternalID: name, conversion: nil, kind: kind, asked: amount?.amount,
            currency: program.currency, reason: reason, createdAt: tx.now)
        guard var conversion else {
            try park(refund, program, tx)
            return Outcome(refund: refund, conversion: nil, isNew: true)
        }
        try ConversionRules.checkRefund(amount, as: kind, of: conversion.amount)
        let old = try RefundStore.total(of: conversion, tx)
        let new = try old.adding(refund)
        refund.conversion = conversion.id
        refund.applied = new.refunded - old.refunded
        refund.appliedAt = tx.now
        try RefundStore.insert(refund, tx)
        try RefundConversion.apply(refund, to: &conversion, from: old, to: new, actor: actor, tx)
        return Outcome(
            refund: refund, conversion: conversion, isNew: new.part != old.part)
    }

    private func facts(
        _ tx: Transaction
    ) throws -> (program: Program, name: String, conversion: Conversion?) {
        let conversion: Conversion?
        let id: ProgramID
        var name = ""
        switch sale {
        case .id(let conversionID):
            guard let known = try ConversionStore.find(conversionID, tx) else {
                throw Refused(.notFound())
            }
            (conversion, id, name) = (known, known.program, known.externalID)
        case .named(let externalID, let programID):
            conversion = try ConversionStore.find(externalID: externalID, in: programID, tx)
            (id, name) = (programID, externalID)
        }
        guard let program = try ProgramStore.recall(id, tx) else {
            throw Refused(.unknownReference("/program_id"))
        }
        return (program, name, conversion)
    }

    private func park(_ refund: Refund, _ program: Program, _ tx: Transaction) throws {
        let most = RefundConversion.parkedMost
        let waiting = try RefundStore.parked(
            for: refund.conversionExternalID, in: program.id, limit: most, tx)
        guard waiting.count < most else { throw ConversionRefusal.tooManyParked(most: most) }
        try RefundStore.insert(refund, tx)
        try EventStore.append(
            NewEvent(
                "refund.parked", refund.id, program: program.id, actor: actor,
                reason: refund.kind.rawValue,
                data: [
                    "asked": amount?.json ?? .null,
                    "conversion_external_id": .string(refund.conversionExternalID),
                ]), tx)
    }

    /// The sale has come for which refunds wait: they take what they ask for at once. Returns the
    /// sale as they left it; nil where none waits.
    static func applyParked(
        to conversion: Conversion, actor: String, _ tx: Transaction
    ) throws -> Conversion? {
        var conversion = conversion
        let waiting = try RefundStore.parked(
            for: conversion.externalID, in: conversion.program, limit: parkedMost, tx)
        for parked in waiting {
            var refund = parked
            let old = try RefundStore.total(of: conversion, tx)
            let new = try refund.reversal == nil ? old.adding(refund) : old
            refund.conversion = conversion.id
            refund.applied = new.refunded - old.refunded
            refund.appliedAt = tx.now
            try RefundStore.apply(refund, tx)
            try apply(refund, to: &conversion, from: old, to: new, actor: actor, tx)
        }
        return waiting.isEmpty ? nil : conversion
    }

    private static func apply(
        _ refund: Refund, to conversion: inout Conversion, from old: RefundTotal,
        to new: RefundTotal, actor: String, _ tx: Transaction
    ) throws {
        try RefundStore.set(new, of: conversion.id, tx)
        conversion.refundedAmount = new.refunded
        func money(_ amount: Int64) -> JSONValue {
            Money(amount: amount, currency: conversion.amount.currency).json
        }
        try EventStore.append(
            NewEvent(
                "conversion.refunded", conversion.id, program: conversion.program, actor: actor,
                reason: refund.kind.rawValue,
                data: [
                    "refund_id": .string(refund.id.description),
                    "amount": money(new.refunded - old.refunded),
                    "asked": refund.asked.map(money) ?? .null,
                ]), tx)
        try SettleSale.run(
            conversion, from: old, to: new, refund: refund.id, actor: actor, tx)
    }
}
