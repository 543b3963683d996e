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

    /// The referral turned out to be none, or that alone did not happen: it counts for nobody any
    /// more. Returns for whom it did.
    static func remove(
        _ lead: LeadID, _ event: ReferralCount.Event?, _ tx: Transaction
    ) throws -> [ParticipantID] {
        try tx.all(
            """
            UPDATE referral_counts SET uncounted_at = ?
            WHERE lead_id = ? AND uncounted_at IS NULL AND (? IS NULL OR event = ?)
            RETURNING participant_id
            """, tx.now, lead, event?.rawValue, event?.rawValue
        ) { try $0.id(0) }
    }

    /// The sale that won its customer, or every sale of the lead that did, is wholly refunded: it
    /// counts as won for nobody until that is reversed. Returns for whom it did.
    static func suspend(
        _ conversion: ConversionID, _ lead: LeadID?, _ tx: Transaction
    ) throws -> [ParticipantID] {
        let ofSale: [ParticipantID] = try tx.all(
            """
            UPDATE referral_counts SET uncounted_at = ?, is_refunded = 1
            WHERE conversion_id = ? AND event = 'won' AND uncounted_at IS NULL
            RETURNING participant_id
            """, tx.now, conversion
        ) { try $0.id(0) }
        guard let lead else { return ofSale }
        let ofLead: [ParticipantID] = try tx.all(
            """
            UPDATE referral_counts SET uncounted_at = ?, is_refunded = 1
            WHERE lead_id = ? AND event = 'won' AND uncounted_at IS NULL
            RETURNING participant_id
            """, tx.now, lead
        ) { try $0.id(0) }
        return ofSale + ofLead
    }

    /// For whom the sale counts as the one that won its customer.
    public static func counted(
        _ conversion: ConversionID, _ reader: Reader
    ) throws -> [ParticipantID] {
        try reader.all(
            """
            SELECT participant_id FROM referral_counts
            WHERE conversion_id = ? AND event = 'won' AND uncounted_at IS NULL
            """, conversion
        ) { try $0.id(0) }
    }

    /// Its customer counts by another sale from now on.
    static func pass(
        _ conversion: ConversionID, to other: ConversionID, for participant: ParticipantID,
        _ tx: Transaction
    ) throws {
        try tx.run(
            """
            UPDATE OR IGNORE referral_counts SET conversion_id = ?
            WHERE conversion_id = ? AND participant_id = ? AND event = 'won'
                AND uncounted_at IS NULL
            """, other, conversion, participant)
    }

    /// The sale stands again, and what was won counts from when it did for those who are credited
    /// with it, unless another referral of the same customer has counted as won meanwhile.
    static func resume(
        _ conversion: ConversionID, _ lead: LeadID?, _ person: [CustomerID],
        for participants: [ParticipantID], _ tx: Transaction
    ) throws -> [ParticipantID] {
        // The plus sign has the planner look by the customers, who are few.
        var resting = Query(
            """
            SELECT max(seq), participant_id FROM referral_counts r
            WHERE is_refunded = 1 AND event = 'won' AND conversion_id IS NOT NULL
                AND NOT EXISTS (
                    SELECT 1 FROM referral_counts o
                    WHERE o.event = 'won' AND o.uncounted_at IS NULL
                        AND o.customer_id = r.customer_id)
                AND +participant_id IN
            """)
        resting.appendList(participants)
        resting.append(" AND customer_id IN")
        resting.appendList(person)
        resting.append(" GROUP BY participant_id")
        var rows: [(sequence: Int64, participant: ParticipantID)] = try tx.all(resting) {
            (try $0.int64(0), try $0.id(1))
        }
        if let lead {
            rows += try tx.all(
                """
                SELECT max(seq), participant_id FROM referral_counts
                WHERE is_refunded = 1 AND event = 'won' AND lead_id = ? GROUP BY participant_id
                """, lead
            ) { (try $0.int64(0), try $0.id(1)) }
        }
        for row in rows {
            try tx.run(
                """
                UPDATE referral_counts SET uncounted_at = NULL, is_refunded = 0,
                    conversion_id = iif(conversion_id IS NULL, NULL, ?)
                WHERE seq = ?
                """, conversion, row.sequence)
        }
        return rows.map(\.participant)
    }

    /// The sale's credit was decided anew: it counts for `participants` alone. Returns for whom it
    /// counts no more.
    @discardableResult
    static func keep(
        _ conversion: ConversionID, for participants: [ParticipantID], _ tx: Transaction
    ) throws -> [ParticipantID] {
        var query = Query(
            """
            UPDATE referral_counts SET uncounted_at = coalesce(uncounted_at, ?), is_refunded = 0
            WHERE conversion_id = ? AND (uncounted_at IS NULL OR is_refunded = 1)
            """, tx.now, conversion)
        if !participants.isEmpty {
            query.append(" AND participant_id NOT IN")
            query.appendList(participants)
        }
        query.append(" RETURNING participant_id")
        return try tx.all(query) { try $0.id(0) }
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
