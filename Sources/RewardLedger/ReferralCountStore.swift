import Database
import Model

/// All SQL of counted referrals: which referral counted for whom, from when until when, so that a
/// count can be told as of any instant. A referral is a lead, or the sale that won a customer
/// without one.
public enum ReferralCountStore {
    /// Whether a sale without a lead wins its customer: no other referral of the person counts as
    /// won, neither by a lead nor by an earlier sale.
    public static func wins(
        _ conversion: ConversionID, _ person: [CustomerID], _ reader: Reader
    ) throws -> Bool {
        var query = Query(
            """
            SELECT 1 FROM referral_counts
            WHERE event = 'won' AND uncounted_at IS NULL AND conversion_id IS NOT ?
                AND customer_id IN
            """, conversion)
        query.appendList(person)
        query.append(" LIMIT 1")
        return try reader.integer(query) == nil
    }

    /// The occasion's referral counts for `participant` from now on, unless it does already.
    static func add(
        _ event: ReferralCount.Event, _ occasion: RewardOccasion, for participant: ParticipantID,
        _ tx: Transaction
    ) throws {
        guard try !counts(event, occasion, for: participant, tx) else { return }
        try tx.run(
            """
            INSERT INTO referral_counts (
                program_id, participant_id, event, lead_id, conversion_id, customer_id, counted_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, occasion.program, participant, event.rawValue, occasion.lead,
            occasion.lead == nil ? occasion.conversion : nil, occasion.facts.customer, tx.now)
    }

    /// By its lead, by its sale, or because a sale won the customer before its lead did.
    private static func counts(
        _ event: ReferralCount.Event, _ occasion: RewardOccasion, for participant: ParticipantID,
        _ reader: Reader
    ) throws -> Bool {
        var query = Query(
            """
            SELECT 1 FROM referral_counts
            WHERE participant_id = ? AND event = ? AND uncounted_at IS NULL
                AND (lead_id = ? OR conversion_id IS NOT NULL AND (conversion_id = ?
                    OR customer_id IN
            """, participant, event.rawValue, occasion.lead, occasion.conversion)
        query.appendList(occasion.facts.person)
        query.append(")) LIMIT 1")
        return try reader.integer(query) != nil
    }

    /// The referral turned out to be none: it counts for nobody any more.
    static func remove(_ lead: LeadID, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE referral_counts SET uncounted_at = ?
            WHERE lead_id = ? AND uncounted_at IS NULL
            """, tx.now, lead)
    }

    /// The sale's credit was decided anew: it counts for `participants` alone.
    static func keep(
        _ conversion: ConversionID, for participants: [ParticipantID], _ tx: Transaction
    ) throws {
        var query = Query(
            """
            UPDATE referral_counts SET uncounted_at = ?
            WHERE conversion_id = ? AND uncounted_at IS NULL
            """, tx.now, conversion)
        if !participants.isEmpty {
            query.append(" AND participant_id NOT IN")
            query.appendList(participants)
        }
        try tx.run(query)
    }

    /// How many referrals counted for the participant at `instant`, of those that began to count at
    /// or after `start`, without that of the occasion `own`.
    static func count(
        _ event: ReferralCount.Event, of participant: ParticipantID, except own: RewardOccasion?,
        from start: Instant?, at instant: Instant, _ reader: Reader
    ) throws -> Int64 {
        var query = Query(
            """
            SELECT count(DISTINCT coalesce(lead_id, conversion_id)) FROM referral_counts
            WHERE participant_id = ? AND event = ? AND counted_at >= ? AND counted_at <= ?
                AND (uncounted_at IS NULL OR uncounted_at > ?)
                AND coalesce(lead_id, conversion_id) <> ?
            """, participant, event.rawValue,
            start ?? Instant(milliseconds: Instant.representable.lowerBound), instant, instant,
            own?.lead?.bytes ?? [])
        if let own, !own.facts.person.isEmpty {
            // A sale without a lead is of no certain one of its customer's; two leads differ.
            query.append(
                own.lead == nil
                    ? " AND (customer_id IS NULL OR customer_id NOT IN"
                    : " AND (lead_id IS NOT NULL OR customer_id NOT IN")
            query.appendList(own.facts.person)
            query.append(")")
        }
        return try reader.integer(query) ?? 0
    }
}
