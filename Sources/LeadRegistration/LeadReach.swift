import Database
import Model

extension LeadStore {
    /// When one of `participants` first referred one of `customers`.
    public static func firstReach(
        _ customers: [CustomerID], by participants: [ParticipantID], _ reader: Reader
    ) throws -> Instant? {
        var query = Query(
            """
            SELECT min(coalesce(referred_at, created_at)) FROM leads
            WHERE state <> 'spam' AND customer_id IN
            """)
        query.appendList(customers)
        // The plus sign keeps the planner from walking through all leads of a participant.
        query.append(" AND +participant_id IN")
        query.appendList(participants)
        return try reader.integer(query).map { Instant(milliseconds: $0) }
    }
}
