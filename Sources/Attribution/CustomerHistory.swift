import Database
import Model

// What made somebody a customer, and when a participant first reached it: each read beside the
// store of its table.

extension CustomerStore {
    /// Customers of any program with one of these names, at most `limit`.
    public static func alike(
        emails: [String], externalIDs: [String], limit: Int, _ reader: Reader
    ) throws -> [CustomerID] {
        var query = Query("SELECT id FROM customers WHERE email_key IN")
        query.appendList(emails)
        query.append(" UNION SELECT id FROM customers WHERE external_id IN")
        query.appendList(externalIDs)
        query.append(" LIMIT ?", Int64(limit))
        return try reader.all(query) { try $0.id(0) }
    }
}

extension ConversionStore {
    /// Whether there is a sale of these customers that was paid and stands, made before `instant`
    /// and recorded before the sale with the sequence `sequence`.
    public static func hasPaid(
        _ customers: [CustomerID], before instant: Instant? = nil,
        recordedBefore sequence: Int64 = .max, _ reader: Reader
    ) throws -> Bool {
        var query = Query(
            """
            SELECT 1 FROM conversions WHERE amount > refunded_amount AND seq < ? AND customer_id IN
            """, sequence)
        query.appendList(customers)
        if let instant { query.append(" AND occurred_at < ?", instant) }
        query.append(" LIMIT 1")
        return try reader.integer(query) != nil
    }

    /// Whether the sale was its customer's first paid one when it was recorded.
    public static func isFirstPaid(_ id: ConversionID, _ reader: Reader) throws -> Bool {
        try reader.integer(
            "SELECT 1 FROM first_paid_sales WHERE conversion_id = ?", id) != nil
    }

    /// Finds, once, whether the sale is the first paid one of `customers`.
    public static func findFirstPaid(
        _ conversion: Conversion, _ customers: [CustomerID], _ tx: Transaction
    ) throws {
        guard conversion.amount.amount > 0, let own = try sequence(of: conversion.id, tx),
            try !hasPaid(customers, recordedBefore: own, tx)
        else { return }
        try tx.run(
            "INSERT INTO first_paid_sales (conversion_id) VALUES (?)", conversion.id)
    }
}

extension TouchpointStore {
    /// When one of `participants` first touched one of `customers`.
    public static func firstReach(
        _ customers: [CustomerID], by participants: [ParticipantID], _ reader: Reader
    ) throws -> Instant? {
        var query = Query("SELECT min(occurred_at) FROM touchpoints WHERE customer_id IN")
        query.appendList(customers)
        // The plus sign keeps the planner from the index of a participant's touches, which has no end.
        query.append(" AND +participant_id IN")
        query.appendList(participants)
        return try reader.integer(query).map { Instant(milliseconds: $0) }
    }
}
