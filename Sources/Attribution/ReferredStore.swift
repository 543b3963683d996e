import Database
import Model

/// The first touch by which a participant reached a customer: a row of `/v1/referrals` stands for
/// it, and a page goes on from it.
public struct FirstTouch: Sendable {
    public let sequence: Int64
    public let id: TouchpointID
    public let program: ProgramID
    public let participant: ParticipantID
    public let customer: CustomerID
    public let occurredAt: Instant
}

/// The sales to a person whose newest result credits a participant.
public struct CreditedSales: Sendable, Equatable {
    public var count: Int64 = 0
    /// Of those, not wholly refunded.
    public var standing: Int64 = 0
    public var lastAt: Instant?
}

/// All SQL of the people whom participants referred, read from touches and credited sales.
public enum ReferredStore {
    /// The touches that one page looks at, and the sales of one person that are counted.
    public static let examinedMax: Int64 = 1_000

    /// First touches below `sequence`, newest first, of one participant or of all; and the touch
    /// from which the next page goes on, nil where there is no further one.
    public static func firstTouches(
        of participant: ParticipantID?, in program: ProgramID?, below sequence: Int64, limit: Int,
        _ reader: Reader
    ) throws -> (touches: [FirstTouch], next: TouchpointID?) {
        var query = Query(
            """
            SELECT seq, id, program_id, participant_id, customer_id, occurred_at,
                NOT EXISTS (
                    SELECT 1 FROM touchpoints AS earlier INDEXED BY touchpoints_by_customer
                    WHERE earlier.customer_id = t.customer_id
                        AND earlier.participant_id = t.participant_id AND earlier.seq < t.seq)
            FROM touchpoints AS t WHERE seq < ?
            """, sequence)
        if let participant { query.append(" AND participant_id = ?", participant) }
        // What does not belong to the page is left out below, so that the limit bounds the walk.
        query.append(" ORDER BY seq DESC LIMIT ?", examinedMax)
        var touches: [FirstTouch] = []
        var examined: Int64 = 0
        var last: TouchpointID?
        var isCut = false
        try reader.forEach(query) { row in
            guard touches.count < limit else {
                isCut = true
                return
            }
            examined += 1
            last = try row.id(1)
            guard try row.int64(6) == 1, let who: ParticipantID = try row.optionalID(3) else {
                return
            }
            let touch = try FirstTouch(
                sequence: row.int64(0), id: row.id(1), program: row.id(2), participant: who,
                customer: row.id(4), occurredAt: row.instant(5))
            if program == nil || program == touch.program { touches.append(touch) }
        }
        return (touches, isCut || examined == examinedMax ? last : nil)
    }

    /// The earliest time of a participant's touches of these customers, and the first of those
    /// touches to come in; nil if it never reached one.
    public static func first(
        of customers: [CustomerID], by participant: ParticipantID, _ reader: Reader
    ) throws -> (sequence: Int64, occurredAt: Instant)? {
        var query = Query(
            """
            SELECT min(seq), min(occurred_at) FROM (
                SELECT seq, occurred_at FROM touchpoints INDEXED BY touchpoints_by_customer
                WHERE participant_id = ? AND customer_id IN
            """, participant)
        query.appendList(customers)
        query.append(" ORDER BY seq LIMIT ?)", examinedMax)
        return try reader.first(query) { row -> (Int64, Instant)? in
            guard let sequence = try row.optionalInt64(0) else { return nil }
            return (sequence, try row.instant(1))
        } ?? nil
    }

    /// The sales to these customers that credit the participant; sign-ups are none.
    public static func sales(
        to customers: [CustomerID], creditedTo participant: ParticipantID, _ reader: Reader
    ) throws -> CreditedSales {
        var query = Query(
            """
            SELECT count(*), coalesce(sum(is_refunded = 0), 0), max(occurred_at) FROM (
                SELECT seq, is_refunded, occurred_at
                FROM conversions INDEXED BY conversions_by_customer
                WHERE kind <> 'signup' AND EXISTS (
                    SELECT 1 FROM conversion_credits
                    WHERE participant_id = ? AND conversion_credits.seq = conversions.seq)
                    AND customer_id IN
            """, participant)
        query.appendList(customers)
        query.append(" LIMIT ?)", examinedMax)
        return try reader.first(query) { row in
            CreditedSales(
                count: try row.int64(0), standing: try row.int64(1),
                lastAt: try row.optionalInstant(2))
        } ?? CreditedSales()
    }
}
