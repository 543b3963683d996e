import Database
import Model

/// Proves that what is refunded of every sale is what its refunds in force ask for, and what they
/// and their reversals applied. It reads everything, and only reads.
public enum RefundVerifier {
    /// What is wrong, each naming its sale, the oldest first; at most `most`.
    public static func faults(_ reader: Reader, most: Int = 20) throws -> [String] {
        try reader.all(
            """
            SELECT c.id FROM conversions c LEFT JOIN (
                SELECT r.conversion_id AS id,
                    sum(iif(v.refund_id IS NOT NULL, 0, coalesce(
                        r.asked_amount,
                        iif(s.amount > 0, s.amount, r.kind = 'cancellation')))) AS asked,
                    sum(r.applied_amount - coalesce(v.applied_amount, 0)) AS applied
                FROM refunds r
                    JOIN conversions s ON s.id = r.conversion_id
                    LEFT JOIN refund_reversals v ON v.refund_id = r.id
                GROUP BY r.conversion_id) t ON t.id = c.id
            WHERE c.refunds_asked <> coalesce(t.asked, 0)
                OR c.refunded_amount <> coalesce(t.applied, 0)
            ORDER BY c.seq LIMIT ?
            """, Int64(most)
        ) { row in
            let id: ConversionID = try row.id(0)
            return "Sale \(id) differs from its refunds."
        }
    }
}
