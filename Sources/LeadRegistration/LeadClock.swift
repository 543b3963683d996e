import Database
import Model

/// Something that is to be done for a lead by a time (R115, R166, R167).
public struct LeadClock: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The first decision about it.
        case review
        /// The referrer is told that it was qualified, and that it was won.
        case tellQualified = "tell_qualified"
        case tellWon = "tell_won"
    }

    public let lead: LeadID
    public let program: ProgramID
    public let participant: ParticipantID?
    public let kind: Kind
    public let dueAt: Instant

    public init(
        lead: LeadID, program: ProgramID, participant: ParticipantID?, kind: Kind, dueAt: Instant
    ) {
        self.lead = lead
        self.program = program
        self.participant = participant
        self.kind = kind
        self.dueAt = dueAt
    }
}

/// All SQL of leads' clocks. Only what is still to be done has a row; what was done is in the
/// timeline.
public enum LeadClockStore {
    public static func start(_ clock: LeadClock, _ tx: Transaction) throws {
        try tx.run(
            """
            INSERT INTO lead_clocks (lead_id, program_id, participant_id, kind, due_at)
            VALUES (?, ?, ?, ?, ?)
            """, clock.lead, clock.program, clock.participant, clock.kind.rawValue, clock.dueAt)
    }

    /// Stops the clock that runs for the lead; false when none does.
    @discardableResult
    public static func stop(_ lead: Lead, _ tx: Transaction) throws -> Bool {
        guard let due = lead.clockDueAt else { return false }
        try tx.run("DELETE FROM lead_clocks WHERE due_at = ? AND lead_id = ?", due, lead.id)
        return tx.changes > 0
    }

    /// The clock that runs for the lead.
    public static func running(_ lead: Lead, _ reader: Reader) throws -> LeadClock? {
        guard let due = lead.clockDueAt else { return nil }
        return try reader.first(
            """
            SELECT lead_id, program_id, participant_id, kind, due_at FROM lead_clocks
            WHERE due_at = ? AND lead_id = ?
            """, due, lead.id, map: clock)
    }

    /// Clocks that have run out by `now`, the longest overdue first.
    public static func overdue(
        at now: Instant, kind: LeadClock.Kind?, program: ProgramID?, limit: Int, _ reader: Reader
    ) throws -> [LeadClock] {
        var query = Query(
            """
            SELECT lead_id, program_id, participant_id, kind, due_at FROM lead_clocks
            WHERE due_at < ?
            """, now)
        if let kind { query.append(" AND kind = ?", kind.rawValue) }
        if let program { query.append(" AND program_id = ?", program) }
        query.append(" ORDER BY due_at, lead_id LIMIT ?", Int64(limit))
        return try reader.all(query, map: clock)
    }

    /// How many clocks of each kind have run out, counted up to 10,000 in all.
    public static func overdueCounts(
        at now: Instant, _ reader: Reader
    ) throws -> [LeadClock.Kind: Int64] {
        var counts: [LeadClock.Kind: Int64] = [:]
        try reader.forEach(
            """
            SELECT kind, count(*) FROM (
                SELECT kind FROM lead_clocks WHERE due_at < ? ORDER BY due_at LIMIT 10000)
            GROUP BY kind
            """, now
        ) { row in
            if let kind = try LeadClock.Kind(rawValue: row.text(0)) {
                counts[kind] = try row.int64(1)
            }
        }
        return counts
    }

    private static func clock(_ row: Row) throws -> LeadClock {
        try LeadClock(
            lead: row.id(0), program: row.id(1), participant: row.optionalID(2),
            kind: LeadClock.Kind(rawValue: row.text(3)) ?? .review, dueAt: row.instant(4))
    }
}
