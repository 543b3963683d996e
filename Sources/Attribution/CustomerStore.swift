import Database
import Model

/// All SQL of customers.
public enum CustomerStore {
    /// The customer with this id or this address, made when there is none. A customer known by one
    /// of the two learns the other; two that are known apart are a conflict.
    public static func findOrInsert(
        program: ProgramID, externalID: String?, email: EmailAddress?, _ tx: Transaction
    ) throws -> (customer: Customer, isNew: Bool) {
        let byID = try externalID.flatMap { try find(externalID: $0, in: program, tx) }
        let byEmail = try email.flatMap { try find(email: $0, in: program, tx) }
        switch (byID, byEmail) {
        case (let known?, let other?):
            guard known.id == other.id else { throw IdentityConflict() }
            return (known, false)
        case (let known?, nil):
            guard let email, known.emailKey == nil else { return (known, false) }
            try tx.run(
                "UPDATE customers SET email_key = ? WHERE id = ?", email.normalized, known.id)
            let customer = Customer(
                id: known.id, program: program, externalID: known.externalID,
                emailKey: email.normalized)
            return (customer, false)
        case (nil, let known?):
            guard let externalID, known.externalID == nil else {
                if externalID != nil { throw IdentityConflict() }
                return (known, false)
            }
            try tx.run("UPDATE customers SET external_id = ? WHERE id = ?", externalID, known.id)
            let customer = Customer(
                id: known.id, program: program, externalID: externalID, emailKey: known.emailKey)
            return (customer, false)
        case (nil, nil):
            let customer = Customer(
                id: tx.makeID(), program: program, externalID: externalID,
                emailKey: email?.normalized)
            try tx.run(
                """
                INSERT INTO customers (id, program_id, external_id, email_key, created_at)
                VALUES (?, ?, ?, ?, ?)
                """, customer.id, program, externalID, customer.emailKey, tx.now)
            return (customer, true)
        }
    }

    public static func find(_ id: CustomerID, _ reader: Reader) throws -> Customer? {
        try reader.first(
            "SELECT id, program_id, external_id, email_key FROM customers WHERE id = ?", id,
            map: customer)
    }

    public static func find(
        externalID: String, in program: ProgramID, _ reader: Reader
    ) throws -> Customer? {
        try reader.first(
            """
            SELECT id, program_id, external_id, email_key FROM customers
            WHERE program_id = ? AND external_id = ?
            """, program, externalID, map: customer)
    }

    public static func find(
        email: EmailAddress, in program: ProgramID, _ reader: Reader
    ) throws -> Customer? {
        try reader.first(
            """
            SELECT id, program_id, external_id, email_key FROM customers
            WHERE program_id = ? AND email_key = ?
            """, program, email.normalized, map: customer)
    }

    private static func customer(_ row: Row) throws -> Customer {
        try Customer(
            id: row.id(0), program: row.id(1), externalID: row.optionalText(2),
            emailKey: row.optionalText(3))
    }
}
