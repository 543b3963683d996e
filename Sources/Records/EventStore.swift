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

    /// Up to `limit` events after the cursor, oldest first.
    public static func feed(
        after cursor: Int64, limit: Int, participant: ParticipantID? = nil, type: String? = nil,
        _ reader: Reader
    ) throws -> [Event] {
        var query = Query(
            """
            SELECT seq, id, occurred_at, type, object_id, object_kind, program_id, participant_id,
                actor,
                from_state, to_state, reason, data
            FROM events WHERE seq > ?
            """, cursor)
        if let participant { query.append(" AND participant_id = ?", participant) }
        if let type { query.append(" AND type = ?", type) }
        query.append(" ORDER BY seq LIMIT ?", Int64(limit))
        return try reader.all(query, map: event)
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

    /// Who made the object's newest event of this type; nil when there is none.
    public static func newestActor<Kind>(
        _ type: String, of object: Identifier<Kind>, _ reader: Reader
    ) throws -> String? {
        try reader.first(
            "SELECT actor FROM events WHERE object_id = ? AND type = ? ORDER BY seq DESC LIMIT 1",
            object, type
        ) { try $0.text(0) }
    }

    /// The newest event's sequence, 0 when there is none.
    public static func head(_ reader: Reader) throws -> Int64 {
        try reader.integer("SELECT max(seq) FROM events") ?? 0
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
