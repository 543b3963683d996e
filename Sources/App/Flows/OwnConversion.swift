import Attribution
import Database
import JSON
import LeadRegistration
import Model
import ReferralLinks

/// A sale as one of those who are credited with it may read it: its money as far as the own credit
/// goes, nothing that names another participant, and nothing of the operator's own.
enum OwnConversion {
    /// Nil where the result that counts does not credit the participant.
    static func of(
        _ conversion: Conversion, for participant: ParticipantID, _ reader: Reader
    ) throws -> Conversion? {
        guard let attribution = try AttributionStore.newest(of: conversion.id, reader) else {
            return nil
        }
        let own = AttributionWire.creditShares(attribution.decision, conversion).filter {
            $0.credit.participant == participant
        }
        guard !own.isEmpty else { return nil }
        return try Conversion(
            id: conversion.id, program: conversion.program, externalID: conversion.externalID,
            customer: conversion.customer,
            lead: conversion.lead.flatMap {
                try LeadStore.find($0, reader)?.referrer.participant == participant ? $0 : nil
            },
            click: conversion.click.flatMap {
                try ClickStore.find($0, reader)?.participant == participant ? $0 : nil
            },
            ref: conversion.ref.flatMap {
                try LinkStore.find(code: $0, reader)?.participant == participant ? $0 : nil
            },
            code: conversion.code.flatMap {
                try LinkStore.find(code: $0, reader)?.participant == participant ? $0 : nil
            }, ignored: conversion.ignored, kind: conversion.kind,
            amount: Money(
                amount: own.reduce(0) { $0 + $1.amount }, currency: conversion.amount.currency),
            refundedAmount: own.reduce(0) { $0 + $1.refunded }, occurredAt: conversion.occurredAt,
            metadata: [:], createdAt: conversion.createdAt)
    }
}
