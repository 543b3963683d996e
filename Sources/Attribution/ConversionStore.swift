import Database
import JSON
import Model

/// All SQL of conversions; what refunds make of them is in `RefundStore`.
public enum ConversionStore {
    public static func find(_ id: ConversionID, _ reader: Reader) throws -> Conversion? {
        try reader.first(
            """
            SELECT id, program_id, external_id, customer_id, lead_id, click_id, ref, kind, amount,
                currency, refunded_amount, occurred_at, metadata, created_at, ignored, product,
                subscription, code
            FROM conversions WHERE id = ?
            """, id, map: conversion)
    }

    public static func find(
        externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> Conversion? {
        try reader.first(
            """
            SELECT id, program_id, external_id, customer_id, lead_id, click_id, ref, kind, amount,
                currency, refunded_amount, occurred_at, metadata, created_at, ignored, product,
                subscription, code
            FROM conversions WHERE program_id = ? AND external_id = ?
            """, program, externalID, map: conversion)
    }

    /// The newest conversions of these customers, newest first.
    public static func newest(
        of customers: [CustomerID], limit: Int, _ reader: Reader
    ) throws -> [Conversion] {
        var query = Query(
            """
            SELECT id, program_id, external_id, customer_id, lead_id, click_id, ref, kind, amount,
                currency, refunded_amount, occurred_at, metadata, created_at, ignored, product,
                subscription, code
            FROM conversions WHERE customer_id IN
            """)
        query.appendList(customers)
        // The plus sign keeps the planner from walking through all conversions.
        query.append(" ORDER BY +seq DESC LIMIT ?", Int64(limit))
        return try reader.all(query, map: conversion)
    }

    /// Nil also for one that does not credit `participant`, where one is named.
    public static func sequence(
        of id: ConversionID, creditedTo participant: ParticipantID? = nil, _ reader: Reader
    ) throws -> Int64? {
        var query = Query("SELECT seq FROM conversions WHERE id = ?", id)
        query.append(creditedTo: participant)
        return try reader.integer(query)
    }

    public static func page(
        _ request: PageRequest, program: ProgramID?, externalID: String?, created: Range<Instant>?,
        creditedTo participant: ParticipantID? = nil, lead: LeadID? = nil,
        customer: CustomerID? = nil, _ reader: Reader
    ) throws -> Page<Conversion> {
        var query = Query(
            """
            SELECT id, program_id, external_id, customer_id, lead_id, click_id, ref, kind, amount,
                currency, refunded_amount, occurred_at, metadata, created_at, ignored, product,
                subscription, code
            FROM conversions WHERE 1 = 1
            """)
        if let program { query.append(" AND program_id = ?", program) }
        if let externalID {
            // It is unique within a program: found in each, of which there are few.
            query.append(
                " AND external_id = ? AND program_id IN (SELECT id FROM programs)", externalID)
        }
        if let created {
            query.append(" AND created_at >= ?", created.lowerBound)
            query.append(" AND created_at < ?", created.upperBound)
        }
        if let lead { query.append(" AND lead_id = ?", lead) }
        if let customer { query.append(" AND customer_id = ?", customer) }
        query.append(creditedTo: participant)
        return try reader.page(query, request, map: conversion)
    }

    public static func insert(
        _ conversion: Conversion, _ report: SaleReport, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO conversions (
                id, program_id, external_id, customer_id, lead_id, click_id, ref, kind, amount,
                currency, occurred_at, metadata, created_at, ignored, product, subscription, code,
                reports)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, conversion.id, conversion.program, conversion.externalID, conversion.customer,
            conversion.lead, conversion.click, conversion.ref, conversion.kind.rawValue,
            conversion.amount.amount, conversion.amount.currency.code, conversion.occurredAt,
            JSONValue.object(conversion.metadata).text, conversion.createdAt,
            IgnoredHint.stored(conversion.ignored), conversion.product, conversion.subscription,
            conversion.code, SaleReport.stored([report]))
    }

    /// What was said of the sale, the first report first.
    public static func reports(of id: ConversionID, _ reader: Reader) throws -> [SaleReport] {
        try reader.first("SELECT reports FROM conversions WHERE id = ?", id) {
            try SaleReport.read($0.text(0))
        } ?? []
    }

    /// Writes what a further report has added to the sale.
    public static func update(
        _ conversion: Conversion, _ reports: [SaleReport], _ tx: Transaction
    ) throws {
        try tx.run(
            """
            UPDATE conversions SET lead_id = ?, click_id = ?, ref = ?, code = ?, ignored = ?,
                product = ?, subscription = ?, occurred_at = ?, reports = ?
            WHERE id = ?
            """, conversion.lead, conversion.click, conversion.ref, conversion.code,
            IgnoredHint.stored(conversion.ignored), conversion.product, conversion.subscription,
            conversion.occurredAt, SaleReport.stored(reports), conversion.id)
    }

    private static func conversion(_ row: Row) throws -> Conversion {
        guard let kind = try Conversion.Kind(rawValue: row.text(7)),
            let currency = try Currency(stored: row.text(9)),
            let metadata = try JSONValue.parse(Array(row.text(12).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a conversion", code: DatabaseFault.corrupt) }
        return try Conversion(
            id: row.id(0), program: row.id(1), externalID: row.text(2), customer: row.id(3),
            lead: row.optionalID(4), click: row.optionalID(5), ref: row.optionalText(6),
            code: row.optionalText(17), ignored: IgnoredHint.read(row.optionalText(14)),
            product: row.optionalText(15), subscription: row.optionalText(16), kind: kind,
            amount: Money(amount: row.int64(8), currency: currency), refundedAmount: row.int64(10),
            occurredAt: row.instant(11), metadata: metadata, createdAt: row.instant(13))
    }
}

extension Query {
    /// Conversions whose newest result credits the participant; all when none is named.
    fileprivate mutating func append(creditedTo participant: ParticipantID?) {
        guard let participant else { return }
        append(
            " AND seq IN (SELECT seq FROM conversion_credits WHERE participant_id = ?)", participant
        )
    }
}
