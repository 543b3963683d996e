import Database
import JSON
import Model

/// All SQL of attributions. Results are appended, never changed: the newest counts.
public enum AttributionStore {
    public static func insert(_ attribution: Attribution, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO attributions (
                id, conversion_id, model, program_version, window_days, touches, participant_id,
                reason, created_at, credits, terms, cause, cause_reason, actor)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, attribution.id, attribution.conversion, attribution.terms.model.rawValue,
            attribution.programVersion, attribution.terms.windowDays,
            JSONValue.array(attribution.touches.map(StoredDecision.json)).text,
            attribution.participant, attribution.reason.rawValue, attribution.createdAt,
            JSONValue.array(attribution.credits.map(StoredDecision.json)).text,
            attribution.terms.json.text, attribution.cause.rawValue, attribution.causeReason,
            attribution.actor)
        try keepCredits(attribution, tx)
    }

    /// Its participants are those who may read the conversion, instead of those before.
    private static func keepCredits(_ attribution: Attribution, _ tx: Transaction) throws {
        try tx.run(
            """
            DELETE FROM conversion_credits
            WHERE seq = (SELECT seq FROM conversions WHERE id = ?)
            """, attribution.conversion)
        for participant in Set(attribution.credits.compactMap(\.participant)) {
            try tx.run(
                """
                INSERT INTO conversion_credits (participant_id, seq)
                SELECT ?, seq FROM conversions WHERE id = ?
                """, participant, attribution.conversion)
        }
    }

    /// The attribution that counts.
    public static func newest(of conversion: ConversionID, _ reader: Reader) throws -> Attribution?
    {
        try reader.first(
            """
            SELECT id, conversion_id, model, program_version, window_days, touches, participant_id,
                reason, created_at, credits, terms, cause, cause_reason, actor
            FROM attributions WHERE conversion_id = ? ORDER BY seq DESC LIMIT 1
            """, conversion, map: attribution)
    }

    /// Results for a conversion, newest first.
    public static func page(
        _ request: PageRequest, of conversion: ConversionID, _ reader: Reader
    ) throws -> Page<Attribution> {
        let query = Query(
            """
            SELECT id, conversion_id, model, program_version, window_days, touches, participant_id,
                reason, created_at, credits, terms, cause, cause_reason, actor
            FROM attributions WHERE conversion_id = ?
            """, conversion)
        return try reader.page(query, request, map: attribution)
    }

    public static func sequence(
        of id: AttributionID, in conversion: ConversionID, _ reader: Reader
    ) throws -> Int64? {
        try reader.integer(
            "SELECT seq FROM attributions WHERE id = ? AND conversion_id = ?", id, conversion)
    }

    /// The newest results that credit a participant first of all, newest first.
    public static func newest(
        for participant: ParticipantID, limit: Int, _ reader: Reader
    ) throws -> [Attribution] {
        try reader.all(
            """
            SELECT id, conversion_id, model, program_version, window_days, touches, participant_id,
                reason, created_at, credits, terms, cause, cause_reason, actor
            FROM attributions WHERE participant_id = ? ORDER BY seq DESC LIMIT ?
            """, participant, Int64(limit), map: attribution)
    }

    /// The first sale to one of `customers` that is credited to a participant, of those recorded
    /// before `conversion`.
    public static func firstCreditedSale(
        _ customers: [CustomerID], before conversion: ConversionID, _ reader: Reader
    ) throws -> Conversion? {
        guard let own = try ConversionStore.sequence(of: conversion, reader) else { return nil }
        var query = Query(
            """
            SELECT id FROM conversions
            WHERE seq < ? AND EXISTS (
                    SELECT 1 FROM conversion_credits
                    WHERE conversion_credits.seq = conversions.seq)
                AND customer_id IN
            """, own)
        query.appendList(customers)
        query.append(" ORDER BY occurred_at LIMIT 1")
        let id: ConversionID? = try reader.first(query) { try $0.id(0) }
        return try id.flatMap { try ConversionStore.find($0, reader) }
    }

    private static func attribution(_ row: Row) throws -> Attribution {
        guard let reason = try AttributionReason(rawValue: row.text(7)),
            let cause = try Attribution.Cause(rawValue: row.text(11))
        else { throw StoredDecision.corrupt }
        let terms = try StoredDecision.terms(
            row.optionalText(10), model: row.text(2), windowDays: row.int64(4))
        let decision = try AttributionDecision(
            touches: StoredDecision.touches(row.text(5)),
            credits: StoredDecision.credits(row.text(9)),
            reason: reason)
        return try Attribution(
            id: row.id(0), conversion: row.id(1), cause: cause, causeReason: row.optionalText(12),
            actor: row.text(13), programVersion: row.int64(3), terms: terms, decision: decision,
            createdAt: row.instant(8))
    }
}

/// A conversion with the result that counts, as reports walk through them.
public struct CreditedConversion: Sendable {
    public let conversion: ConversionID
    public let customer: CustomerID
    public let amount: Money
    public let refundedAmount: Int64
    public let occurredAt: Instant
    public let terms: AttributionTerms
    public let decision: AttributionDecision

    public init(
        conversion: ConversionID, customer: CustomerID, amount: Money, refundedAmount: Int64,
        occurredAt: Instant, terms: AttributionTerms, decision: AttributionDecision
    ) {
        self.conversion = conversion
        self.customer = customer
        self.amount = amount
        self.refundedAmount = refundedAmount
        self.occurredAt = occurredAt
        self.terms = terms
        self.decision = decision
    }
}

extension AttributionStore {
    /// Every conversion of a program that occurred in `period` with the result that counts, by
    /// time.
    public static func forEach(
        in program: ProgramID, _ period: Range<Instant>, _ reader: Reader,
        body: (CreditedConversion) throws -> Void
    ) throws {
        try reader.forEach(
            """
            SELECT conversions.id, conversions.customer_id, conversions.amount,
                conversions.currency, conversions.refunded_amount, conversions.occurred_at,
                attributions.touches, attributions.credits, attributions.participant_id,
                attributions.reason, attributions.terms, attributions.model,
                attributions.window_days
            FROM conversions JOIN attributions ON attributions.seq = (
                SELECT max(newest.seq) FROM attributions AS newest
                WHERE newest.conversion_id = conversions.id)
            WHERE conversions.program_id = ? AND conversions.occurred_at >= ?
                AND conversions.occurred_at < ?
            ORDER BY conversions.occurred_at
            """, program, period.lowerBound, period.upperBound
        ) { try body(credited($0)) }
    }

    private static func credited(_ row: Row) throws -> CreditedConversion {
        guard let currency = try Currency(stored: row.text(3)),
            let reason = try AttributionReason(rawValue: row.text(9))
        else { throw StoredDecision.corrupt }
        let terms = try StoredDecision.terms(
            row.optionalText(10), model: row.text(11), windowDays: row.int64(12))
        let decision = try AttributionDecision(
            touches: StoredDecision.touches(row.text(6)),
            credits: StoredDecision.credits(row.text(7)),
            reason: reason)
        return try CreditedConversion(
            conversion: row.id(0), customer: row.id(1),
            amount: Money(amount: row.int64(2), currency: currency), refundedAmount: row.int64(4),
            occurredAt: row.instant(5), terms: terms, decision: decision)
    }
}

/// Touches and credits as their columns hold them.
enum StoredDecision {
    static let corrupt = DatabaseFault(
        operation: "read an attribution", code: DatabaseFault.corrupt)

    static func json(_ seen: SeenTouch) -> JSONValue {
        var object: JSONObject = [
            "id": .string(seen.fact.touch.description),
            "source": .string(seen.fact.source.rawValue),
            "kind": .string(seen.fact.kind.rawValue),
            "occurred_at": .integer(seen.fact.occurredAt.milliseconds),
            "verdict": .string(seen.verdict.rawValue), "parts": .integer(seen.parts),
        ]
        if let participant = seen.fact.participant {
            object["participant_id"] = .string(participant.description)
        }
        object["window_days"] = seen.fact.windowDays.map { .integer($0) }
        object["absence"] = seen.fact.absence.map { .string($0.rawValue) }
        object["reclaimed"] = seen.fact.reclaimed.map { .string($0) }
        return .object(object)
    }

    static func json(_ credit: Attribution.Credit) -> JSONValue {
        var object: JSONObject = ["parts": .integer(credit.parts)]
        object["participant_id"] = credit.participant.map { .string($0.description) }
        object["registration_id"] = credit.registration.map { .string($0.description) }
        object["lead_id"] = credit.lead.map { .string($0.description) }
        return .object(object)
    }

    /// Older rows have model and window alone.
    static func terms(
        _ text: String?, model: String, windowDays: Int64
    ) throws -> AttributionTerms {
        guard let model = AttributionModel(rawValue: model) else { throw corrupt }
        var terms = AttributionTerms(
            json: try text.flatMap { try JSONValue.parse(Array($0.utf8)).objectValue })
        terms.model = model
        terms.windowDays = windowDays
        return terms
    }

    static func touches(_ text: String) throws -> [SeenTouch] {
        guard let list = try JSONValue.parse(Array(text.utf8)).arrayValue else { throw corrupt }
        return try list.map { value in
            guard let object = value.objectValue,
                let id = object["id"]?.stringValue.flatMap({ TouchpointID($0) }),
                let source = object["source"]?.stringValue.flatMap({ TouchSource(rawValue: $0) }),
                let time = object["occurred_at"]?.integerValue,
                let verdict = object["verdict"]?.stringValue.flatMap({ TouchVerdict(rawValue: $0) })
            else { throw corrupt }
            let kind = object["kind"]?.stringValue.flatMap { Touchpoint.Kind(rawValue: $0) }
            let fact = TouchFact(
                touch: id,
                participant: object["participant_id"]?.stringValue.flatMap { ParticipantID($0) },
                source: source, kind: kind ?? .contact, occurredAt: Instant(milliseconds: time),
                windowDays: object["window_days"]?.integerValue,
                absence: object["absence"]?.stringValue.flatMap { TouchFact.Absence(rawValue: $0) },
                reclaimed: object["reclaimed"]?.stringValue)
            // Older rows have no parts: the one touch that was chosen had all.
            let chosen: Int64 = verdict == .credited || verdict == .noParticipant ? 1 : 0
            return SeenTouch(
                fact: fact, verdict: verdict, parts: object["parts"]?.integerValue ?? chosen)
        }
    }

    static func credits(_ text: String) throws -> [Attribution.Credit] {
        guard let list = try JSONValue.parse(Array(text.utf8)).arrayValue else { throw corrupt }
        return try list.map { value in
            guard let object = value.objectValue, let parts = object["parts"]?.integerValue else {
                throw corrupt
            }
            return Attribution.Credit(
                participant: object["participant_id"]?.stringValue.flatMap { ParticipantID($0) },
                parts: parts,
                registration: object["registration_id"]?.stringValue.flatMap { RegistrationID($0) },
                lead: object["lead_id"]?.stringValue.flatMap { LeadID($0) })
        }
    }
}
