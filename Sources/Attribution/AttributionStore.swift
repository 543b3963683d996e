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
                reason, created_at, credits)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, attribution.id, attribution.conversion, attribution.model.rawValue,
            attribution.programVersion, attribution.windowDays, touchesJSON(attribution),
            attribution.participant, attribution.reason.rawValue, attribution.createdAt,
            creditsJSON(attribution))
    }

    /// The attribution that counts.
    public static func newest(of conversion: ConversionID, _ reader: Reader) throws -> Attribution?
    {
        try reader.first(
            """
            SELECT id, conversion_id, model, program_version, window_days, touches, participant_id,
                reason, created_at, credits
            FROM attributions WHERE conversion_id = ? ORDER BY seq DESC LIMIT 1
            """, conversion, map: attribution)
    }

    private static func touchesJSON(_ attribution: Attribution) -> String {
        let touches = attribution.touches.map { seen -> JSONValue in
            [
                "id": .string(seen.touch.description),
                "participant_id": seen.participant.map { .string($0.description) } ?? .null,
                "source": .string(seen.source),
                "occurred_at": .integer(seen.occurredAt.milliseconds),
                "verdict": .string(seen.verdict.rawValue),
            ]
        }
        return JSONValue.array(touches).text
    }

    private static func creditsJSON(_ attribution: Attribution) -> String {
        let credits = attribution.credits.map { credit -> JSONValue in
            [
                "participant_id": .string(credit.participant.description),
                "parts": .integer(credit.parts),
                "registration_id": credit.registration.map { .string($0.description) } ?? .null,
            ]
        }
        return JSONValue.array(credits).text
    }

    /// Older rows have the one participant alone.
    private static func credits(_ row: Row) throws -> [Attribution.Credit] {
        let list = try JSONValue.parse(Array(row.text(9).utf8)).arrayValue ?? []
        let credits = list.compactMap { value -> Attribution.Credit? in
            guard let object = value.objectValue,
                let participant = object["participant_id"]?.stringValue.flatMap({
                    ParticipantID($0)
                }), let parts = object["parts"]?.integerValue
            else { return nil }
            return Attribution.Credit(
                participant: participant, parts: parts,
                registration: object["registration_id"]?.stringValue.flatMap { RegistrationID($0) })
        }
        guard credits.isEmpty, let participant: ParticipantID = try row.optionalID(6) else {
            return credits
        }
        return [Attribution.Credit(participant: participant, parts: 1, registration: nil)]
    }

    private static func attribution(_ row: Row) throws -> Attribution {
        let corrupt = DatabaseFault(operation: "read an attribution", code: DatabaseFault.corrupt)
        guard let model = try AttributionModel(rawValue: row.text(2)),
            let reason = try AttributionReason(rawValue: row.text(7)),
            let list = try JSONValue.parse(Array(row.text(5).utf8)).arrayValue
        else { throw corrupt }
        let seen = try list.map { value -> Attribution.SeenTouch in
            guard let object = value.objectValue,
                let id = object["id"]?.stringValue.flatMap({ TouchpointID($0) }),
                let source = object["source"]?.stringValue,
                let time = object["occurred_at"]?.integerValue,
                let verdict = object["verdict"]?.stringValue.flatMap({ TouchVerdict(rawValue: $0) })
            else { throw corrupt }
            let participant = object["participant_id"]?.stringValue.flatMap { ParticipantID($0) }
            return Attribution.SeenTouch(
                touch: id, participant: participant, source: source,
                occurredAt: Instant(milliseconds: time), verdict: verdict)
        }
        return try Attribution(
            id: row.id(0), conversion: row.id(1), model: model, programVersion: row.int64(3),
            windowDays: row.int64(4), seen: seen, credits: credits(row), reason: reason,
            createdAt: row.instant(8))
    }
}
