import Database
import Model

/// The rewards of a participant for one referred person, in one currency, in minor units. An amount
/// that was taken back does not count.
public struct ReferralEarnings: Sendable, Equatable {
    public let currency: Currency
    /// On hold or in review.
    public var pending: Int64 = 0
    /// Approved, and neither paid nor redeemed.
    public var available: Int64 = 0
    /// Paid, redeemed or kept back for a debt.
    public var paid: Int64 = 0
    /// When the first hold ends.
    public var holdUntil: Instant?

    public init(currency: Currency) { self.currency = currency }

    /// By currency, of rewards for these customers.
    public static func of(
        _ participant: ParticipantID, for customers: [CustomerID], _ reader: Reader
    ) throws -> [ReferralEarnings] {
        var query = Query(
            """
            SELECT currency, state, sum(amount - reversed_amount),
                sum(min(settled_amount, amount - reversed_amount)), min(hold_until)
            FROM (
                SELECT currency, state, amount, reversed_amount, settled_amount, hold_until
                FROM rewards INDEXED BY rewards_by_customer
                WHERE participant_id = ? AND customer_id IN
            """, participant)
        query.appendList(customers)
        query.append(" LIMIT 1000) GROUP BY currency, state ORDER BY currency")
        var earnings: [ReferralEarnings] = []
        try reader.forEach(query) { row in
            guard let currency = Currency(stored: try row.text(0)),
                let state = Reward.State(rawValue: try row.text(1))
            else { return }
            if earnings.last?.currency != currency {
                earnings.append(ReferralEarnings(currency: currency))
            }
            let place = earnings.count - 1
            let net = try row.int64(2)
            let settled = try row.int64(3)
            switch state {
            case .pending:
                earnings[place].pending += net
                earnings[place].holdUntil = try row.instant(4)
            case .review: earnings[place].pending += net
            case .approved, .paid, .clawedBack:
                earnings[place].paid += settled
                earnings[place].available += net - settled
            case .rejected, .voided: break
            }
        }
        return earnings
    }
}
