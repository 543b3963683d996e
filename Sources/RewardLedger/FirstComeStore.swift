import Database
import Model
import Records

/// All SQL of what is for the first referrals alone (R161), a campaign or a rule: which of them
/// have a place, counted in the transaction that gives something, so that there is never one too
/// many.
///
/// A referral is a person with all of its leads and sales. Its place is taken when it is given
/// something for the first time and kept for good: later rewards, all who share in them, and new
/// decisions about its sales have it as well.
public enum FirstComeStore {
    /// How many places are taken; nil where all may come.
    public static func used<Offer>(
        of offer: Identifier<Offer>, first: Int64?, _ reader: Reader
    ) throws -> Int64? {
        guard first != nil else { return nil }
        return try CounterStore.all(of: offer, prefix: counter, reader).first?.value ?? 0
    }

    /// Whether the occasion's referral has a place, or may still take one.
    static func isOpen<Offer>(
        _ offer: Identifier<Offer>, first: Int64?, to occasion: RewardOccasion, _ reader: Reader
    ) throws -> Bool {
        guard let first, let used = try used(of: offer, first: first, reader), used >= first else {
            return true
        }
        return try hasPlace(offer, occasion, reader)
    }

    /// The occasion's referral was given something.
    static func take<Offer>(
        _ offer: Identifier<Offer>, first: Int64?, for occasion: RewardOccasion, _ tx: Transaction
    ) throws {
        guard first != nil, try !hasPlace(offer, occasion, tx) else { return }
        try tx.run(
            """
            INSERT INTO first_come_places (offer_id, customer_id, lead_id, taken_at)
            VALUES (?, ?, ?, ?)
            """, offer, occasion.facts.customer, occasion.lead, tx.now)
        try CounterStore.add(1, to: counter, of: offer, tx)
    }

    private static let counter = "first_come_places"

    private static func hasPlace<Offer>(
        _ offer: Identifier<Offer>, _ occasion: RewardOccasion, _ reader: Reader
    ) throws -> Bool {
        var query = Query(
            "SELECT 1 FROM first_come_places WHERE offer_id = ? AND customer_id IN", offer)
        query.appendList(occasion.facts.person)
        query.append(
            " UNION ALL SELECT 1 FROM first_come_places WHERE offer_id = ? AND lead_id = ?", offer,
            occasion.lead)
        query.append(" LIMIT 1")
        return try reader.integer(query) != nil
    }
}
