import Database
import Model

/// All SQL of what participants' tokens looked up lately.
public enum ProtectionLookupStore {
    /// Of one participant in one hour: what a person at work asks, and no list of accounts.
    public static let hourMax: Int64 = 60

    private static let hourMilliseconds: Int64 = 3_600_000

    /// Records one more; or, when the hour is full, returns when there is room again.
    public static func record(
        by participant: ParticipantID, _ tx: Transaction
    ) throws -> Instant? {
        let start = tx.now.advanced(byMilliseconds: -hourMilliseconds)
        try tx.run(
            "DELETE FROM protection_lookups WHERE participant_id = ? AND looked_at <= ?",
            participant, start)
        let known = try tx.first(
            "SELECT count(*), min(looked_at) FROM protection_lookups WHERE participant_id = ?",
            participant
        ) { (count: try $0.int64(0), first: try $0.optionalInstant(1)) }
        if let known, known.count >= hourMax, let first = known.first {
            return first.advanced(byMilliseconds: hourMilliseconds)
        }
        try tx.run(
            "INSERT INTO protection_lookups (participant_id, looked_at) VALUES (?, ?)",
            participant, tx.now)
        return nil
    }
}
