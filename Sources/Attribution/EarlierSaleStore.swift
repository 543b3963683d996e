import Database
import Model

/// An earlier sale or sign-up, with whom its newest result credits.
public struct EarlierSale: Sendable {
    public let conversion: ConversionID
    public let occurredAt: Instant
    /// Some may be of nobody; empty where there is no credit.
    public let credits: [Attribution.Credit]

    public var isCredited: Bool { credits.contains { $0.participant != nil } }
}

/// Reads of the sales that a later one may stay with: all SQL of that.
public enum EarlierSaleStore {
    /// The first sale of what `conversion` may renew: of the same subscription, where it names one,
    /// else to the same person. Nil where `conversion` is the first.
    public static func first(
        before conversion: Conversion, of person: [CustomerID], _ reader: Reader
    ) throws -> EarlierSale? {
        guard let subscription = conversion.subscription else {
            return try oldest(before: conversion, of: person, isCredited: false, reader)
        }
        if let own = try oldest(of: subscription, before: conversion, by: person, reader) {
            return own
        }
        // One customer may have been named in two ways. What several others have is no
        // subscription's own name, such as that of a plan, and tells nothing.
        return try onlyOther(than: person, having: subscription, in: conversion.program, reader)
            .flatMap { try oldest(of: subscription, before: conversion, by: [$0], reader) }
    }

    /// The first sale to the person that is credited to a participant.
    public static func firstCredited(
        before conversion: Conversion, of person: [CustomerID], _ reader: Reader
    ) throws -> EarlierSale? {
        try oldest(before: conversion, of: person, isCredited: true, reader)
    }

    private static func oldest(
        before conversion: Conversion, of person: [CustomerID], isCredited: Bool, _ reader: Reader
    ) throws -> EarlierSale? {
        var query = Query(columns)
        query.append(" WHERE conversions.customer_id IN")
        query.appendList(person)
        if isCredited { query.append(" AND attributions.participant_id IS NOT NULL") }
        query.append(before: conversion)
        return try reader.first(query, map: sale)
    }

    private static func oldest(
        of subscription: String, before conversion: Conversion, by person: [CustomerID],
        _ reader: Reader
    ) throws -> EarlierSale? {
        var query = Query(columns)
        query.append(
            " WHERE conversions.program_id = ? AND conversions.subscription = ?",
            conversion.program, subscription)
        query.append(" AND conversions.customer_id IN")
        query.appendList(person)
        query.append(before: conversion)
        return try reader.first(query, map: sale)
    }

    /// The customer outside the person that has the subscription, where there is one alone.
    private static func onlyOther(
        than person: [CustomerID], having subscription: String, in program: ProgramID,
        _ reader: Reader
    ) throws -> CustomerID? {
        func outermost(_ order: StaticString) throws -> CustomerID? {
            var query = Query(
                "SELECT customer_id FROM conversions WHERE program_id = ? AND subscription = ?",
                program, subscription)
            query.append(" AND customer_id NOT IN")
            query.appendList(person)
            query.append(order)
            return try reader.first(query) { try $0.id(0) }
        }
        let first = try outermost(" ORDER BY customer_id LIMIT 1")
        return try first == outermost(" ORDER BY customer_id DESC LIMIT 1") ? first : nil
    }

    /// When the first sale for money was made that counts for the months of a rule: of the same
    /// subscription, where the sale names one, else the person's first that is credited to a
    /// participant. The sale itself is one of them.
    public static func firstPaid(
        upTo conversion: Conversion, of person: [CustomerID], _ reader: Reader
    ) throws -> Instant? {
        var query = Query(
            """
            SELECT min(conversions.occurred_at)
            FROM conversions JOIN attributions ON attributions.seq = (
                SELECT max(newest.seq) FROM attributions AS newest
                WHERE newest.conversion_id = conversions.id)
            WHERE conversions.amount > 0 AND conversions.occurred_at <= ?
            """, conversion.occurredAt)
        if let subscription = conversion.subscription {
            query.append(
                " AND conversions.program_id = ? AND conversions.subscription = ?",
                conversion.program, subscription)
        } else {
            query.append(" AND attributions.participant_id IS NOT NULL")
        }
        query.append(" AND conversions.customer_id IN")
        query.appendList(person)
        return try reader.first(query) { try $0.optionalInstant(0) } ?? nil
    }

    private static let columns: StaticString = """
        SELECT conversions.id, conversions.occurred_at, attributions.credits
        FROM conversions JOIN attributions ON attributions.seq = (
            SELECT max(newest.seq) FROM attributions AS newest
            WHERE newest.conversion_id = conversions.id)
        """

    private static func sale(_ row: Row) throws -> EarlierSale {
        try EarlierSale(
            conversion: row.id(0), occurredAt: row.instant(1),
            credits: StoredDecision.credits(row.text(2)))
    }
}

extension Query {
    /// Sales before this one, the oldest first. Sales of one instant are in the order in which they
    /// were recorded; one that is not stored comes after all.
    fileprivate mutating func append(before conversion: Conversion) {
        append(
            """
             AND (conversions.occurred_at < ? OR conversions.occurred_at = ? AND conversions.seq
                < coalesce((SELECT seq FROM conversions WHERE id = ?), 9223372036854775807))
            ORDER BY +conversions.occurred_at, +conversions.seq LIMIT 1
            """, conversion.occurredAt, conversion.occurredAt, conversion.id)
    }
}
