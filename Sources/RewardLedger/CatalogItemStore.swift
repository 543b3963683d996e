import Database
import JSON
import Model

/// All SQL of the catalogue.
public enum CatalogItemStore {
    /// What a list asks for; nil: everything.
    public struct Filter: Sendable {
        public var program: ProgramID?
        public var state: String?
        public var kind: String?
        public var category: String?
        public var sku: String?
        public var country: CountryCode?
        /// What a participant may have at that moment.
        public var availableAt: Instant?

        public init() {}
    }

    public static func find(_ id: CatalogItemID, _ reader: Reader) throws -> CatalogItem? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: item)
    }

    public static func find(
        sku: String, in program: ProgramID, _ reader: Reader
    ) throws -> CatalogItem? {
        var query = Query(columns)
        query.append(" WHERE program_id = ?", program)
        query.append(" AND sku = ?", sku)
        return try reader.first(query, map: item)
    }

    public static func isAny(in program: ProgramID, _ reader: Reader) throws -> Bool {
        try reader.integer("SELECT 1 FROM catalog_items WHERE program_id = ? LIMIT 1", program)
            != nil
    }

    public static func sequence(of id: CatalogItemID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM catalog_items WHERE id = ?", id)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<CatalogItem> {
        var query = Query(columns)
        query.append(" WHERE 1 = 1")
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let state = filter.state { query.append(" AND state = ?", state) }
        if let kind = filter.kind { query.append(" AND kind = ?", kind) }
        if let category = filter.category { query.append(" AND category = ?", category) }
        if let sku = filter.sku { query.append(" AND sku = ?", sku) }
        if let country = filter.country {
            query.append(" AND (countries IS NULL OR instr(countries, ?) > 0)", country.code)
        }
        if let now = filter.availableAt {
            query.append(
                """
                 AND state = 'active' AND (stock IS NULL OR stock > 0)
                    AND (available_from IS NULL OR available_from <= ?)
                    AND (available_until IS NULL OR available_until > ?)
                """, now, now)
        }
        return try reader.page(query, request, map: item)
    }

    public static func insert(_ item: CatalogItem, _ tx: Transaction) throws {
        let terms = item.terms
        try tx.run(
            """
            INSERT INTO catalog_items (
                id, program_id, sku, name, description, category, kind, points, value_amount,
                value_currency, vendor, countries, stock, available_from, available_until, state,
                metadata, version, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, item.id, item.program, terms.sku, terms.name, terms.description, terms.category,
            terms.kind.rawValue, terms.points, terms.value?.amount, terms.value?.currency.code,
            terms.vendor, text(terms.countries), terms.stock, terms.availableFrom,
            terms.availableUntil, item.state.rawValue, JSONValue.object(terms.metadata).text,
            item.version, item.createdAt, item.updatedAt)
    }

    public static func update(_ item: CatalogItem, _ tx: Transaction) throws {
        let terms = item.terms
        try tx.run(
            """
            UPDATE catalog_items SET sku = ?, name = ?, description = ?, category = ?, kind = ?,
                points = ?, value_amount = ?, value_currency = ?, vendor = ?, countries = ?,
                stock = ?, available_from = ?, available_until = ?, state = ?, metadata = ?,
                version = ?, updated_at = ?
            WHERE id = ?
            """, terms.sku, terms.name, terms.description, terms.category, terms.kind.rawValue,
            terms.points, terms.value?.amount, terms.value?.currency.code, terms.vendor,
            text(terms.countries), terms.stock, terms.availableFrom, terms.availableUntil,
            item.state.rawValue, JSONValue.object(terms.metadata).text, item.version,
            item.updatedAt, item.id)
    }

    private static func text(_ countries: [CountryCode]?) -> String? {
        countries?.map(\.code).joined(separator: " ")
    }

    private static let columns: StaticString = """
        SELECT id, program_id, sku, name, description, category, kind, points, value_amount,
            value_currency, vendor, countries, stock, available_from, available_until, state,
            metadata, version, created_at, updated_at
        FROM catalog_items
        """

    private static func item(_ row: Row) throws -> CatalogItem {
        guard let kind = try CatalogItem.Kind(rawValue: row.text(6)),
            let state = try CatalogItem.State(rawValue: row.text(15)),
            let metadata = try JSONValue.parse(Array(row.text(16).utf8)).objectValue
        else { throw DatabaseFault(operation: "read an item", code: DatabaseFault.corrupt) }
        return try CatalogItem(
            id: row.id(0), program: row.id(1), state: state,
            terms: CatalogItem.Terms(
                sku: row.text(2), name: row.text(3), description: row.optionalText(4),
                category: row.optionalText(5), kind: kind, points: row.int64(7),
                value: Money(row, from: 8), vendor: row.optionalText(10),
                countries: row.optionalText(11)?.split(separator: " ").compactMap {
                    CountryCode(String($0))
                }, stock: row.optionalInt64(12), availableFrom: row.optionalInstant(13),
                availableUntil: row.optionalInstant(14), metadata: metadata),
            version: row.int64(17), createdAt: row.instant(18), updatedAt: row.instant(19))
    }
}

extension Money {
    /// Reads an amount and its currency from two columns, which may be null.
    init?(_ row: Row, from column: Int) throws {
        guard let amount = try row.optionalInt64(column),
            let currency = try row.optionalText(column + 1).flatMap({ Currency(stored: $0) })
        else { return nil }
        self.init(amount: amount, currency: currency)
    }
}
