import Database
import JSON
import Model

/// All SQL of the event log.
public enum EventStore {
    /// Appends `event` at `tx.now`; its sequence is the order of the log.
    public static func append(_ event: NewEvent, _ tx: Transaction) throws {
        let id: EventID = tx.makeID()
        try tx.run(
            """
            INSERT INTO events (
                id, occurred_at, type, object_id, object_kind, program_id, participant_id, actor,
                from_state, to_state, reason, data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, id, tx.now, event.type, event.object, event.object.prefix, event.program,
            event.participant, event.actor, event.from, event.to, event.reason, event.data.text)
    }

    /// A part of the log, oldest first.
    public struct Slice: Sendable {
        public let events: [Event]
        /// The last sequence that was looked at: where to go on.
        public let end: Int64
        public let hasMore: Bool
    }

    /// How many rows one look for a type walks over: about a millisecond.
    public static let scannedMax: Int64 = 2_000

    /// Up to `limit` events after the cursor. A type is looked for in the next `scannedMax` rows,
    /// so that there may be fewer events than asked for, or none, although there is more.
    public static func feed(
        after cursor: Int64, limit: Int, participant: ParticipantID? = nil, type: String? = nil,
        _ reader: Reader
    ) throws -> Slice {
        let scan = try type == nil ? nil : scan(after: cursor, participant, reader)
        var query = Query(
            """
            SELECT seq, id, occurred_at, type, object_id, object_kind, program_id, participant_id,
                actor,
                from_state, to_state, reason, data
            FROM events WHERE seq > ?
            """, cursor)
        if let participant { query.append(" AND participant_id = ?", participant) }
        if let type, let scan { query.append(" AND seq <= ? AND type = ?", scan.end, type) }
        query.append(" ORDER BY seq LIMIT ?", Int64(limit) + 1)
        let found = try reader.all(query, map: event)
        let shown = Array(found.prefix(limit))
        if found.count > limit {
            return Slice(events: shown, end: shown.last?.sequence ?? cursor, hasMore: true)
        }
        return Slice(
            events: shown, end: scan?.end ?? shown.last?.sequence ?? cursor,
            hasMore: scan?.hasMore ?? false)
    }

    /// How far the next `scannedMax` rows reach, of one participant or of all.
    private static func scan(
        after cursor: Int64, _ participant: ParticipantID?, _ reader: Reader
    ) throws -> (end: Int64, hasMore: Bool) {
        guard let participant else {
            // Numbers have no gaps.
            let head = try max(cursor, head(reader))
            let end = min(head, cursor + scannedMax)
            return (end, end < head)
        }
        let scanned = try reader.first(
            """
            SELECT max(seq), count(*) FROM (
                SELECT seq FROM events WHERE participant_id = ? AND seq > ?
                ORDER BY seq LIMIT ?)
            """, participant, cursor, scannedMax
        ) { (end: try $0.optionalInt64(0), count: try $0.int64(1)) }
        return (scanned?.end ?? cursor, scanned?.count == scannedMax)
    }

    /// Everything that happened to one object, oldest first.
    public static func timeline<Kind>(
        of object: Identifier<Kind>, limit: Int = 1000, _ reader: Reader
    ) throws -> [Event] {
        try reader.all(
            """
            SELECT seq, id, occurred_at, type, object_id, object_kind, program_id, participant_id,
                actor,
                from_state, to_state, reason, data
            FROM events WHERE object_id = ? ORDER BY seq LIMIT ?
            """, object, Int64(limit), map: event)
    }

    /// Whether some event before the one of that sequence led the object into one of these states.
    public static func hasEntered<Kind>(
        _ object: Identifier<Kind>, _ states: [String], before sequence: Int64 = .max,
        _ reader: Reader
    ) throws -> Bool {
        var query = Query(
            "SELECT 1 FROM events WHERE object_id = ? AND seq < ? AND to_state IN ", object,
            sequence)
        query.appendList(states)
        query.append(" LIMIT 1")
        return try reader.integer(query) != nil
    }

    /// Whether `actor` did anything to the object before the event of this sequence.
    public static func hasActed<Kind>(
        _ actor: String, on object: Identifier<Kind>, before sequence: Int64, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            "SELECT 1 FROM events WHERE object_id = ? AND seq < ? AND actor = ? LIMIT 1",
            object, sequence, actor) != nil
    }

    /// Whether `actor` did anything to one of the objects before the event of this sequence.
    public static func hasActed(
        _ actor: String, onAnyOf objects: [AnyIdentifier], before sequence: Int64,
        _ reader: Reader
    ) throws -> Bool {
        var query = Query("SELECT 1 FROM events WHERE object_id IN")
        query.appendList(objects)
        query.append(" AND seq < ? AND actor = ? LIMIT 1", sequence, actor)
        return try reader.integer(query) != nil
    }

    /// Whether `actor` set this field of the object, as far as its events name fields.
    public static func hasSet<Kind>(
        _ field: String, of object: Identifier<Kind>, _ actor: String, _ reader: Reader
    ) throws -> Bool {
        let word = JSONValue.string(field).text
        return try reader.integer(
            """
            SELECT 1 FROM events WHERE object_id = ? AND actor = ? AND instr(data, ?) > 0 LIMIT 1
            """, object, actor, word) != nil
    }

    /// Whether `actor` approved the object, or changed one of these fields of it, before the event
    /// with the sequence `sequence`.
    public static func hasAdmitted<Kind>(
        _ actor: String, _ object: Identifier<Kind>, noun: String, orChanged fields: [String],
        before sequence: Int64, _ reader: Reader
    ) throws -> Bool {
        try reader.all(
            """
            SELECT type, data FROM events WHERE object_id = ? AND actor = ? AND seq < ?
                AND type IN (?, ?)
            """, object, actor, sequence, "\(noun).approved", "\(noun).updated"
        ) { (type: try $0.text(0), data: try $0.text(1)) }.contains { event in
            event.type == "\(noun).approved"
                || fields.contains { event.data.contains(JSONValue.string($0).text) }
        }
    }

    /// Whether somebody else than the service moved the object on by an event of this type.
    public static func wasMoved<Kind>(
        _ object: Identifier<Kind>, by type: String, _ reader: Reader
    ) throws -> Bool {
        try reader.integer(
            """
            SELECT 1 FROM events
            WHERE object_id = ? AND type = ? AND from_state IS NOT NULL AND actor <> 'system'
            LIMIT 1
            """, object, type) != nil
    }

    /// Who made the object's newest event of this type; nil when there is none.
    public static func newestActor<Kind>(
        _ type: String, of object: Identifier<Kind>, _ reader: Reader
    ) throws -> String? {
        try reader.first(
            "SELECT actor FROM events WHERE object_id = ? AND type = ? ORDER BY seq DESC LIMIT 1",
            object, type
        ) { try $0.text(0) }
    }

    /// The newest event's sequence, of all or of one participant; 0 when there is none.
    public static func head(
        of participant: ParticipantID? = nil, _ reader: Reader
    ) throws -> Int64 {
        guard let participant else {
            return try reader.integer("SELECT max(seq) FROM events") ?? 0
        }
        return try reader.integer(
            "SELECT seq FROM events WHERE participant_id = ? ORDER BY seq DESC LIMIT 1",
            participant) ?? 0
    }

    private static func event(_ row: Row) throws -> Event {
        let object = try row.halves(4)
        return try Event(
            sequence: row.int64(0), id: row.id(1), occurredAt: row.instant(2), type: row.text(3),
            object: AnyIdentifier(prefix: row.text(5), high: object.high, low: object.low),
            program: row.optionalID(6), participant: row.optionalID(7), actor: row.text(8),
            from: row.optionalText(9), to: row.optionalText(10), reason: row.optionalText(11),
            data: row.text(12))
    }
}
