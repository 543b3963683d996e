import Database
import Model

// What made somebody a customer, and when a participant first reached it: each read beside the
// store of its table.

extension CustomerStore {
    /// Customers of any program with one of these names, at most `limit`.
    public static func alike(
        emails: [String], externalIDs: [String], limit: Int, _ reader: Reader
    ) throws -> [CustomerID] {
        var found: [CustomerID] = []
        for email in emails {
            found += try reader.all(
                "SELECT id FROM customers WHERE email_key = ? LIMIT ?", email, Int64(limit)
            ) { try $0.id(0) }
        }
        for externalID in externalIDs {
            found += try reader.all(
                "SELECT id FROM customers WHERE external_id = ? LIMIT ?", externalID, Int64(limit)
            ) { try $0.id(0) }
        }
        return Array(found.prefix(limit))
    }
}

extension ConversionStore {
    /// Whether there is a sale of these customers that was paid and stands, made before `instant`
    /// and recorded before the sale with the sequence `sequence`.
    public static func hasPaid(
        _ customers: [CustomerID], before instant: Instant? = nil,
        recordedBefore sequence: Int64 = .max, _ reader: Reader
    ) throws -> Bool {
        try customers.contains { customer in
            try reader.integer(
                """
                SELECT 1 FROM conversions
                WHERE customer_id = ? AND amount > refunded_amount AND seq < ? AND occurred_at < ?
                LIMIT 1
                """, customer, sequence, instant?.milliseconds ?? .max) != nil
        }
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
        // The plus sign keeps the planner from walking through all touches of a participant.
        query.append(" AND +participant_id IN")
        query.appendList(participants)
        return try reader.integer(query).map { Instant(milliseconds: $0) }
    }
}
