import Database
import Model

/// All SQL of customers and of their merges.
public enum CustomerStore {
    /// The customer of this address, made when there is none.
    public static func findOrInsert(
        program: ProgramID, email: EmailAddress, _ tx: Transaction
    ) throws -> (customer: Customer, isNew: Bool) {
        if let known = try find(email: email.normalized, in: program, tx) { return (known, false) }
        return (try insert(program: program, externalID: nil, email: email.normalized, tx), true)
    }

    @discardableResult
    public static func insert(
        program: ProgramID, externalID: String?, email: String?, _ tx: Transaction
    ) throws -> Customer {
        let customer = Customer(
            id: tx.makeID(), program: program, externalID: externalID, emailKey: email,
            createdAt: tx.now)
        try tx.run(
            """
            INSERT INTO customers (id, program_id, external_id, email_key, created_at)
            VALUES (?, ?, ?, ?, ?)
            """, customer.id, program, externalID, email, tx.now)
        return customer
    }

    /// A customer that was known by one name learns the other.
    public static func name(
        _ id: CustomerID, externalID: String?, email: String?, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            UPDATE customers SET external_id = coalesce(external_id, ?),
                email_key = coalesce(email_key, ?)
            WHERE id = ?
            """, externalID, email, id)
    }

    public static func find(_ id: CustomerID, _ reader: Reader) throws -> Customer? {
        try reader.first(
            """
            SELECT id, program_id, external_id, email_key, merged_into, created_at
            FROM customers WHERE id = ?
            """, id, map: customer)
    }

    public static func find(
        externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> Customer? {
        try reader.first(
            """
            SELECT id, program_id, external_id, email_key, merged_into, created_at
            FROM customers WHERE program_id = ? AND external_id = ?
            """, program, externalID, map: customer)
    }

    /// `email` is normalised.
    public static func find(
        email: String, in program: ProgramID, _ reader: Reader
    ) throws -> Customer? {
        try reader.first(
            """
            SELECT id, program_id, external_id, email_key, merged_into, created_at
            FROM customers WHERE program_id = ? AND email_key = ?
            """, program, email, map: customer)
    }

    public static func sequence(of id: CustomerID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM customers WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, program: ProgramID?, externalID: String?, email: String?,
        _ reader: Reader
    ) throws -> Page<Customer> {
        var query = Query(
            """
            SELECT id, program_id, external_id, email_key, merged_into, created_at
            FROM customers WHERE 1 = 1
            """)
        if let program { query.append(" AND program_id = ?", program) }
        if let externalID {
            // It is unique within a program: found in each, of which there are few.
            query.append(
                " AND external_id = ? AND program_id IN (SELECT id FROM programs)", externalID)
        }
        if let email { query.append(" AND email_key = ?", email) }
        return try reader.page(query, request, map: customer)
    }

    private static func customer(_ row: Row) throws -> Customer {
        try Customer(
            id: row.id(0), program: row.id(1), externalID: row.optionalText(2),
            emailKey: row.optionalText(3), mergedInto: row.optionalID(4),
            createdAt: row.instant(5))
    }
}

extension CustomerStore {
    /// The customer that speaks for the person, after all merges.
    public static func root(of customer: Customer, _ reader: Reader) throws -> Customer {
        var customer = customer
        for _ in 0..<CustomerRules.membersMax {
            guard let next = try customer.mergedInto.flatMap({ try find($0, reader) }) else {
                return customer
            }
            customer = next
        }
        return customer
    }

    /// Every customer that is the same person as `id`, itself among them, at most `membersMax`.
    public static func person(_ id: CustomerID, _ reader: Reader) throws -> [Customer] {
        guard let customer = try find(id, reader) else { return [] }
        var members = [try root(of: customer, reader)]
        var place = 0
        while place < members.count, members.count < CustomerRules.membersMax {
            members += try reader.all(
                """
                SELECT id, program_id, external_id, email_key, merged_into, created_at
                FROM customers WHERE merged_into = ? ORDER BY seq LIMIT ?
                """, members[place].id, Int64(CustomerRules.membersMax - members.count),
                map: self.customer)
            place += 1
        }
        return members
    }

    public static func insert(_ merge: CustomerMerge, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO customer_merges (
                id, program_id, kept_id, merged_id, cause, reason, actor, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """, merge.id, merge.program, merge.kept, merge.merged, merge.cause.rawValue,
            merge.reason, merge.actor, merge.createdAt)
        try tx.run("UPDATE customers SET merged_into = ? WHERE id = ?", merge.kept, merge.merged)
    }

    /// Takes the two apart again and keeps who said so and why.
    public static func undo(_ merge: CustomerMerge, _ tx: Transaction) throws {
        guard let undone = merge.undone else { return }
        try tx.run(
            """
            UPDATE customer_merges SET undone_at = ?, undone_by = ?, undone_reason = ?
            WHERE id = ?
            """, undone.at, undone.by, undone.reason, merge.id)
        try tx.run(
            "UPDATE customers SET merged_into = NULL WHERE id = ? AND merged_into = ?",
            merge.merged, merge.kept)
    }

    public static func merge(_ id: CustomerMergeID, _ reader: Reader) throws -> CustomerMerge? {
        try reader.first(
            """
            SELECT id, program_id, kept_id, merged_id, cause, reason, actor, created_at, undone_at,
                undone_by, undone_reason
            FROM customer_merges WHERE id = ?
            """, id, map: merge)
    }

    /// The merges that a customer was part of, newest first.
    public static func merges(
        of id: CustomerID, limit: Int, _ reader: Reader
    ) throws -> [CustomerMerge] {
        try reader.all(
            """
            SELECT id, program_id, kept_id, merged_id, cause, reason, actor, created_at, undone_at,
                undone_by, undone_reason
            FROM customer_merges WHERE seq IN (
                SELECT seq FROM customer_merges WHERE merged_id = ?
                UNION SELECT seq FROM customer_merges WHERE kept_id = ?)
            ORDER BY seq DESC LIMIT ?
            """, id, id, Int64(limit), map: merge)
    }

    /// Whether a person has said that the two are not one.
    public static func areKnownApart(
        _ one: CustomerID, _ other: CustomerID, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM customer_merges WHERE undone_at IS NOT NULL
                AND (merged_id = ? AND kept_id = ? OR merged_id = ? AND kept_id = ?)
            """, one, other, other, one) != nil
    }

    private static func merge(_ row: Row) throws -> CustomerMerge {
        guard let cause = try CustomerMerge.Cause(rawValue: row.text(4)) else {
            throw DatabaseFault(operation: "read a merge", code: DatabaseFault.corrupt)
        }
        let undone = try row.optionalInstant(8).map {
            try CustomerMerge.Undoing(at: $0, by: row.text(9), reason: row.text(10))
        }
        return try CustomerMerge(
            id: row.id(0), program: row.id(1), kept: row.id(2), merged: row.id(3), cause: cause,
            reason: row.optionalText(5), actor: row.text(6), createdAt: row.instant(7),
            undone: undone)
    }
}
