import Crypto
import Database
import JSON
import Model

/// All SQL of leads.
public enum LeadStore {
    /// What a list of leads is narrowed to.
    public struct Filter: Sendable {
        public var program: ProgramID?
        public var participant: ParticipantID?
        /// What this one referred, or works because it holds the account at that instant.
        public var reader: (participant: ParticipantID, at: Instant)?
        /// Nil: every state but spam.
        public var state: Lead.State?
        public var email: EmailAddress?
        public var createdFrom: Instant?
        public var createdBefore: Instant?

        public init() {}
    }

    public static func find(_ id: LeadID, _ reader: Reader) throws -> Lead? {
        var query = Query(columns)
        query.append(" WHERE id = ?", id)
        return try reader.first(query, map: lead)
    }

    /// The lead as it was at `instant`; nil before it came in.
    public static func find(
        _ id: LeadID, asOf instant: Instant, _ reader: Reader
    ) throws -> Lead? {
        guard let current = try find(id, reader), current.createdAt <= instant else { return nil }
        if current.updatedAt <= instant { return current }
        return try reader.first(
            """
            SELECT l.id, l.program_id, l.participant_id, l.link_id, l.click_id, l.customer_id,
                v.state, l.source, v.name, l.email, v.company, v.domain, v.phone, v.note, v.intro,
                v.estimated_amount, v.estimated_currency, v.won_amount, v.won_currency,
                v.duplicate_of, v.reason_code, v.reason, v.follow_up_at, v.qualified_at, v.won_at,
                l.form_digest, v.metadata, v.version, l.created_at, v.updated_at, v.country,
                v.industry, v.company_size, v.use_case, l.channel, l.referred_at,
                v.program_version, v.broken_rules, v.checklist, v.owner_kind, v.owner,
                v.registration_id, NULL, l.terms_version, v.stepped_at, l.ignored
            FROM lead_versions AS v JOIN leads AS l ON l.id = v.id
            WHERE v.id = ? AND v.updated_at <= ? ORDER BY v.version DESC LIMIT 1
            """, id, instant, map: lead)
    }

    /// The lead that the program's first one under this key belongs to.
    public static func earliest(
        _ key: AccountKey, in program: ProgramID, _ reader: Reader
    ) throws -> LeadID? {
        let first: LeadID? = try reader.first(
            "SELECT lead_id FROM lead_keys WHERE key = ?", bytes(key, in: program)
        ) { try $0.id(0) }
        return try first.map { try original(of: $0, reader) }
    }

    /// Has the lead found again under this key, unless another was first.
    public static func keep(
        _ key: AccountKey, of lead: LeadID, in program: ProgramID, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO lead_keys (key, lead_id) VALUES (?, ?) ON CONFLICT (key) DO NOTHING
            """, bytes(key, in: program), lead)
    }

    private static func bytes(_ key: AccountKey, in program: ProgramID) -> [UInt8] {
        Array(SHA256.hash(program.bytes + key.bytes).prefix(16))
    }

    /// Whether the participant referred it, or is at least named as who works it; nil: neither.
    public static func isReferral(
        _ id: LeadID, of participant: ParticipantID, _ reader: Reader
    ) throws -> Bool? {
        try reader.integer(
            """
            SELECT participant_id IS ? FROM leads
            WHERE id = ? AND (participant_id = ? OR owner = ?)
            """, participant, id, participant, participant.description
        ).map { $0 == 1 }
    }

    public static func sequence(of id: LeadID, _ reader: Reader) throws -> Int64? {
        try reader.integer("SELECT seq FROM leads WHERE id = ?", id)
    }

    /// The lead that the customer's oldest one belongs to. Spam counts for nothing.
    public static func earliest(of customer: CustomerID, _ reader: Reader) throws -> LeadID? {
        let first: LeadID? = try reader.first(
            """
            SELECT id FROM leads WHERE customer_id = ? AND state <> 'spam' ORDER BY seq LIMIT 1
            """, customer
        ) { try $0.id(0) }
        return try first.map { try original(of: $0, reader) }
    }

    /// The lead itself, or the one that it is a duplicate of. A lead is only ever attached to one
    /// that is none itself, so this ends; the bound is for a file that says otherwise.
    private static func original(of lead: LeadID, _ reader: Reader) throws -> LeadID {
        var original = lead
        for _ in 0..<100 {
            let next: LeadID? =
                try reader.first(
                    "SELECT duplicate_of FROM leads WHERE id = ? AND state = 'duplicate'", original
                ) { try $0.optionalID(0) } ?? nil
            guard let next else { return original }
            original = next
        }
        return original
    }

    /// The lead that a form post with this digest made after `start`.
    public static func posted(
        _ digest: [UInt8], in program: ProgramID, after start: Instant, _ reader: Reader
    ) throws -> Lead? {
        var query = Query(columns)
        // The plus sign keeps the planner from the index of programs, which would be a scan.
        query.append(
            " WHERE form_digest = ? AND +program_id = ? AND created_at > ?", digest, program, start)
        query.append(" ORDER BY seq LIMIT 1")
        return try reader.first(query, map: lead)
    }

    /// The newest leads of these customers, newest first.
    public static func newest(
        of customers: [CustomerID], limit: Int, _ reader: Reader
    ) throws -> [Lead] {
        var query = Query(columns)
        query.append(" WHERE customer_id IN")
        query.appendList(customers)
        // The plus sign keeps the planner from walking through all leads.
        query.append(" ORDER BY +seq DESC LIMIT ?", Int64(limit))
        return try reader.all(query, map: lead)
    }

    public static func page(
        _ request: PageRequest, _ filter: Filter, _ reader: Reader
    ) throws -> Page<Lead> {
        var query = Query(columns)
        switch filter.state {
        case nil: query.append(" WHERE state <> 'spam'")
        case .submitted: query.append(" WHERE state = 'submitted'")
        case let state?:
            // The first term is what the partial index is declared with.
            query.append(" WHERE state <> 'submitted' AND state = ?", state.rawValue)
        }
        if let program = filter.program { query.append(" AND program_id = ?", program) }
        if let participant = filter.participant {
            query.append(" AND participant_id = ?", participant)
        }
        if let (participant, instant) = filter.reader {
            try append(readableBy: participant, at: instant, to: &query, reader)
        }
        if let email = filter.email {
            query.append(
                " AND customer_id IN (SELECT id FROM customers WHERE email_key = ?)",
                email.normalized)
        }
        if let start = filter.createdFrom {
            guard let first = try firstSequence(from: start, reader) else {
                return Page(items: [], hasMore: false, request: request)
            }
            query.append(" AND seq >= ?", first)
        }
        if let end = filter.createdBefore, let first = try firstSequence(from: end, reader) {
            query.append(" AND seq < ?", first)
        }
        return try reader.page(query, request, map: lead)
    }

    /// Most participants work no leads, and read theirs by the plain index.
    private static func append(
        readableBy participant: ParticipantID, at instant: Instant, to query: inout Query,
        _ reader: Reader
    ) throws {
        let works = try reader.integer(
            "SELECT 1 FROM leads WHERE owner_kind = 'partner' AND owner = ? LIMIT 1",
            participant.description)
        guard works != nil else {
            return query.append(" AND participant_id = ?", participant)
        }
        query.append(
            """
             AND seq IN (
                SELECT seq FROM leads WHERE participant_id = ?
                UNION ALL
                SELECT l.seq FROM leads AS l
                WHERE l.owner_kind = 'partner' AND l.owner = ? AND EXISTS (
                    SELECT 1 FROM account_claims AS c
                    WHERE c.registration_id = l.registration_id AND c.held_until > ?))
            """, participant, participant.description, instant)
    }

    /// The sequence of the first lead created at or after `start`; nil when there is none. Times
    /// rise with the sequence, and identifiers begin with the time, so their index finds the place;
    /// within its millisecond identifiers are in no order, hence the minimum.
    private static func firstSequence(from start: Instant, _ reader: Reader) throws -> Int64? {
        let created = try reader.integer(
            "SELECT created_at FROM leads WHERE id >= ? ORDER BY id LIMIT 1", lowestID(at: start))
        guard let created else { return nil }
        let instant = Instant(milliseconds: created)
        return try reader.integer(
            "SELECT min(seq) FROM leads WHERE id >= ? AND id < ?", lowestID(at: instant),
            lowestID(at: instant.advanced(byMilliseconds: 1)))
    }

    private static func lowestID(at instant: Instant) -> LeadID {
        let time = min(UInt64(clamping: instant.milliseconds), 0xFFFF_FFFF_FFFF)
        return LeadID(high: time << 16, low: 0)
    }

    public static func insert(_ lead: Lead, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO leads (
                id, program_id, participant_id, link_id, click_id, customer_id, state, source, name,
                email, company, domain, phone, note, intro, estimated_amount,
                estimated_currency, duplicate_of, reason_code, form_digest, metadata, version,
                created_at, updated_at, country, industry, company_size, use_case, channel,
                referred_at, program_version, broken_rules, checklist, owner_kind, owner,
                registration_id, clock_due_at, terms_version,
                stepped_at, ignored)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, lead.id, lead.program, lead.referrer.participant, lead.referrer.link,
            lead.referrer.click, lead.customer, lead.state.rawValue, lead.source.rawValue,
            lead.contact.name, lead.contact.email?.text,
            lead.contact.company, lead.contact.domain?.text, lead.contact.phone, lead.contact.note,
            lead.intro?.rawValue, lead.estimatedValue?.amount, lead.estimatedValue?.currency.code,
            lead.duplicateOf, lead.reasonCode, lead.formDigest, metadata(lead), lead.version,
            lead.createdAt, lead.updatedAt, lead.firm.country?.code, lead.firm.industry,
            lead.firm.companySize, lead.firm.useCase, lead.channel, lead.referredAt,
            lead.programVersion, brokenRules(lead), checklist(lead), lead.owner?.kind.rawValue,
            lead.owner?.name, lead.registration, lead.clockDueAt, lead.termsVersion,
            lead.steppedAt, IgnoredHint.stored(lead.ignored))
    }

    /// Keeps the row as it was and writes every column that can change.
    public static func update(_ lead: Lead, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO lead_versions (
                id, version, updated_at, state, name, company, domain, phone, note, intro,
                estimated_amount, estimated_currency, won_amount, won_currency, duplicate_of,
                reason_code, reason, follow_up_at, qualified_at, won_at, metadata, country,
                industry, company_size, use_case, program_version, broken_rules, checklist,
                owner_kind, owner, registration_id, stepped_at)
            SELECT id, version, updated_at, state, name, company, domain, phone, note, intro,
                estimated_amount, estimated_currency, won_amount, won_currency, duplicate_of,
                reason_code, reason, follow_up_at, qualified_at, won_at, metadata, country,
                industry, company_size, use_case, program_version, broken_rules, checklist,
                owner_kind, owner, registration_id, stepped_at
            FROM leads WHERE id = ?
            """, lead.id)
        try tx.run(
            """
            UPDATE leads SET state = ?, name = ?, company = ?, domain = ?, phone = ?, note = ?,
                intro = ?, estimated_amount = ?, estimated_currency = ?, won_amount = ?,
                won_currency = ?, reason_code = ?, reason = ?, follow_up_at = ?, qualified_at = ?,
                won_at = ?, metadata = ?, version = ?, updated_at = ?, duplicate_of = ?,
                country = ?, industry = ?, company_size = ?, use_case = ?, program_version = ?,
                broken_rules = ?, checklist = ?, owner_kind = ?, owner = ?, registration_id = ?,
                clock_due_at = ?, stepped_at = ?
            WHERE id = ?
            """, lead.state.rawValue, lead.contact.name, lead.contact.company,
            lead.contact.domain?.text, lead.contact.phone, lead.contact.note, lead.intro?.rawValue,
            lead.estimatedValue?.amount, lead.estimatedValue?.currency.code, lead.wonValue?.amount,
            lead.wonValue?.currency.code, lead.reasonCode, lead.reason, lead.followUpAt,
            lead.qualifiedAt, lead.wonAt, metadata(lead), lead.version, lead.updatedAt,
            lead.duplicateOf, lead.firm.country?.code, lead.firm.industry, lead.firm.companySize,
            lead.firm.useCase, lead.programVersion, brokenRules(lead), checklist(lead),
            lead.owner?.kind.rawValue, lead.owner?.name, lead.registration, lead.clockDueAt,
            lead.steppedAt, lead.id)
    }

    private static let columns: StaticString = """
        SELECT id, program_id, participant_id, link_id, click_id, customer_id, state, source, name,
            email, company, domain, phone, note, intro, estimated_amount, estimated_currency,
            won_amount, won_currency, duplicate_of, reason_code, reason, follow_up_at, qualified_at,
            won_at, form_digest, metadata, version, created_at, updated_at, country, industry,
            company_size, use_case, channel, referred_at, program_version, broken_rules, checklist,
            owner_kind, owner, registration_id, clock_due_at, terms_version,
            stepped_at, ignored
        FROM leads
        """

    private static func metadata(_ lead: Lead) -> String {
        lead.metadata.isEmpty ? "{}" : JSONValue.object(lead.metadata).text
    }

    private static func brokenRules(_ lead: Lead) -> String? {
        lead.brokenRules.isEmpty
            ? nil : lead.brokenRules.map(\.rawValue).joined(separator: ",")
    }

    private static func checklist(_ lead: Lead) -> String? {
        guard !lead.checklist.isEmpty else { return nil }
        var object = JSONObject()
        for item in QualificationTerms.ChecklistItem.allCases {
            object[item.rawValue] = lead.checklist[item].map { .bool($0) }
        }
        return JSONValue.object(object).text
    }

    private static func checklist(
        _ text: String?
    ) throws -> [QualificationTerms.ChecklistItem: Bool] {
        guard let text, let object = try JSONValue.parse(Array(text.utf8)).objectValue else {
            return [:]
        }
        var answers: [QualificationTerms.ChecklistItem: Bool] = [:]
        for (name, value) in object {
            if let item = QualificationTerms.ChecklistItem(rawValue: name) {
                answers[item] = value.boolValue
            }
        }
        return answers
    }

    private static func owner(_ row: Row) throws -> LeadOwner? {
        guard let kind = try row.optionalText(39).flatMap({ LeadOwner.Kind(rawValue: $0) }),
            let name = try row.optionalText(40)
        else { return nil }
        return LeadOwner(kind: kind, name: name)
    }

    private static func lead(_ row: Row) throws -> Lead {
        guard let state = try Lead.State(rawValue: row.text(6)),
            let source = try Lead.Source(rawValue: row.text(7)),
            let metadata = try JSONValue.parse(Array(row.text(26).utf8)).objectValue
        else { throw DatabaseFault(operation: "read a lead", code: DatabaseFault.corrupt) }
        let contact = try Contact(
            name: row.optionalText(8), email: row.optionalText(9).flatMap { EmailAddress($0) },
            company: row.optionalText(10), domain: row.optionalText(11).flatMap { DomainName($0) },
            phone: row.optionalText(12), note: row.optionalText(13))
        return try Lead(
            id: row.id(0), program: row.id(1),
            referrer: Referrer(
                participant: row.optionalID(2), link: row.optionalID(3), click: row.optionalID(4)),
            customer: row.optionalID(5), state: state, source: source, contact: contact,
            firm: Firmographics(
                country: row.optionalText(30).flatMap { CountryCode($0) },
                industry: row.optionalText(31), companySize: row.optionalInt64(32),
                useCase: row.optionalText(33)),
            channel: row.optionalText(34), referredAt: row.optionalInstant(35),
            intro: row.optionalText(14).flatMap { Lead.Intro(rawValue: $0) },
            estimatedValue: money(row, 15), wonValue: money(row, 17),
            duplicateOf: row.optionalID(19),
            reasonCode: row.optionalText(20), reason: row.optionalText(21),
            followUpAt: row.optionalInstant(22), qualifiedAt: row.optionalInstant(23),
            wonAt: row.optionalInstant(24), steppedAt: row.instant(44),
            formDigest: row.optionalBlob(25),
            programVersion: row.optionalInt64(36),
            brokenRules: (row.optionalText(37) ?? "").split(separator: ",").compactMap {
                LeadRule(rawValue: String($0))
            },
            checklist: checklist(row.optionalText(38)), owner: owner(row),
            registration: row.optionalID(41), clockDueAt: row.optionalInstant(42),
            termsVersion: row.optionalInt64(43),
            ignored: IgnoredHint.read(row.optionalText(45)), metadata: metadata,
            version: row.int64(27), createdAt: row.instant(28), updatedAt: row.instant(29))
    }

    private static func money(_ row: Row, _ index: Int) throws -> Money? {
        guard let amount = try row.optionalInt64(index),
            let currency = try row.optionalText(index + 1).flatMap({ Currency(stored: $0) })
        else { return nil }
        return Money(amount: amount, currency: currency)
    }
}
