import Database
import JSON
import Model

/// All SQL of known accounts.
public enum AccountStore {
    public static func find(_ id: AccountID, _ reader: Reader) throws -> Account? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: account)
    }

    public static func find(externalID: String, _ reader: Reader) throws -> Account? {
        var query = Query(columns)
        query.append(" WHERE external_id = ?", externalID)
        return try reader.first(query, map: account)
    }

    /// The account with this domain, else the newest of this name and country. Two domains are two
    /// accounts, whatever their names.
    public static func find(_ identity: AccountIdentity, _ reader: Reader) throws -> Account? {
        if let key = identity.domainKey {
            let found = try reader.first(
                """
                SELECT id, external_id, name, domain, country, relation, metadata, version,
                    created_at, updated_at, customer_since
                FROM accounts WHERE domain_key = ?
                """, key.bytes, map: account)
            if let found { return found }
        }
        guard let key = identity.companyKey else { return nil }
        var query = Query(columns)
        query.append(" WHERE company_key = ?", key.bytes)
        // The plus sign keeps the planner from the index of domains, which would be a scan.
        if identity.domain != nil { query.append(" AND +domain_key IS NULL") }
        query.append(" ORDER BY seq DESC LIMIT 1")
        return try reader.first(query, map: account)
    }

    /// Whether the account is a customer, or in the operator's own pipeline.
    public static func isTaken(_ identity: AccountIdentity, _ reader: Reader) throws -> Bool {
        try find(identity, reader)?.relation.isTaken ?? false
    }

    public static func sequence(of id: AccountID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM accounts WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, relation: Account.Relation?, externalID: String?,
        domain: DomainName?, _ reader: Reader
    ) throws -> Page<Account> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let relation { query.append(" AND relation = ?", relation.rawValue) }
        if let externalID { query.append(" AND external_id = ?", externalID) }
        if let domain {
            let identity = AccountIdentity(domain: domain, company: nil, country: nil, email: nil)
            query.append(" AND domain_key = ?", identity.domainKey?.bytes)
        }
        return try reader.page(query, request, map: account)
    }

    public static func insert(_ account: Account, _ tx: Transaction) throws {
        let identity = account.identity
        try tx.run(
            """
            INSERT INTO accounts (
                id, external_id, name, domain, country, relation, domain_key, company_key, metadata,
                version, created_at, updated_at, customer_since)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, account.id, account.externalID, account.account.name,
            account.account.domain?.text, account.account.country?.code,
            account.relation.rawValue, identity.domainKey?.bytes, identity.companyKey?.bytes,
            JSONValue.object(account.metadata).text, account.version, account.createdAt,
            account.updatedAt, account.customerSince)
    }

    public static func update(_ account: Account, _ tx: Transaction) throws {
        let identity = account.identity
        try tx.run(
            """
            UPDATE accounts SET external_id = ?, name = ?, domain = ?, country = ?, relation = ?,
                domain_key = ?, company_key = ?, metadata = ?, version = ?, updated_at = ?,
                customer_since = ?
            WHERE id = ?
            """, account.externalID, account.account.name, account.account.domain?.text,
            account.account.country?.code, account.relation.rawValue, identity.domainKey?.bytes,
            identity.companyKey?.bytes, JSONValue.object(account.metadata).text, account.version,
            account.updatedAt, account.customerSince, account.id)
    }

    private static let columns: StaticString = """
        SELECT id, external_id, name, domain, country, relation, metadata, version, created_at,
            updated_at, customer_since
        FROM accounts
        """

    private static func account(_ row: Row) throws -> Account {
        guard let relation = try Account.Relation(rawValue: row.text(5)),
            let metadata = try JSONValue.parse(Array(row.text(6).utf8)).objectValue
        else { throw DatabaseFault(operation: "read an account", code: DatabaseFault.corrupt) }
        return try Account(
            id: row.id(0), externalID: row.optionalText(1),
            account: AccountName(
                name: row.optionalText(2), domain: row.optionalText(3).flatMap { DomainName($0) },
                country: row.optionalText(4).flatMap { CountryCode($0) }),
            relation: relation, customerSince: row.optionalInstant(10), metadata: metadata,
            version: row.int64(7),
            createdAt: row.instant(8), updatedAt: row.instant(9))
    }
}
