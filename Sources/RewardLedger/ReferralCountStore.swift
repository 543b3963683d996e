import Database
import Model

/// All SQL of counted referrals: which referral counted for whom, from when until when, so that a
/// count can be told as of any instant.
enum ReferralCountStore {
    /// The referral counts for `participant` from now on, unless it does already.
    static func add(
        _ lead: LeadID, _ event: ReferralCount.Event, for participant: ParticipantID,
        _ program: ProgramID, _ tx: Transaction
    ) throws {
        try tx.run(
            """
            INSERT INTO referral_counts (program_id, participant_id, event, lead_id, counted_at)
            SELECT ?, ?, ?, ?, ?
            WHERE NOT EXISTS (
                SELECT 1 FROM referral_counts
                WHERE participant_id = ? AND event = ? AND lead_id = ? AND uncounted_at IS NULL)
            """, program, participant, event.rawValue, lead, tx.now, participant, event.rawValue,
            lead)
    }

    /// The referral turned out to be none: it counts for nobody any more.
    static func remove(_ lead: LeadID, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE referral_counts SET uncounted_at = ?
            WHERE lead_id = ? AND uncounted_at IS NULL
            """, tx.now, lead)
    }

    /// How many referrals other than `lead` counted for the participant at `instant`, of those that
    /// began to count at or after `start`.
    static func count(
        _ event: ReferralCount.Event, of participant: ParticipantID, except lead: LeadID?,
        from start: Instant?, at instant: Instant, _ reader: Reader
    ) throws -> Int64 {
        try reader.integer(
            """
            SELECT count(DISTINCT lead_id) FROM referral_counts
            WHERE participant_id = ? AND event = ? AND counted_at >= ? AND counted_at <= ?
                AND (uncounted_at IS NULL OR uncounted_at > ?) AND lead_id <> ?
            """, participant, event.rawValue,
            start ?? Instant(milliseconds: Instant.representable.lowerBound), instant, instant,
            lead?.bytes ?? []) ?? 0
    }
}
