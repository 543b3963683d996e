/// Why an amount could not be computed.
public enum MoneyError: Error, Sendable, Hashable {
    /// The result does not fit the 64 bits of an amount.
    case overflow
    /// Amounts of two currencies were brought together.
    case currencyMismatch
}

/// An amount in the minor units of a currency: 1234 USD are 12.34 dollars, 1234 JPY are 1234 yen.
///
/// All arithmetic is on integers and checked; a result that does not fit is an error, never
/// wrapped.
public struct Money: Hashable, Sendable {
    /// Minor units; negative for what is owed back.
    public let amount: Int64
    public let currency: Currency

    /// 2^53 - 1: the largest amount the API takes, because JSON readers elsewhere use doubles
    /// (RFC 7493 section 2.2). Sums inside may be larger.
    public static let maximum: Int64 = 9_007_199_254_740_991

    public init(amount: Int64, currency: Currency) {
        self.amount = amount
        self.currency = currency
    }

    public static func zero(_ currency: Currency) -> Money { Money(amount: 0, currency: currency) }

    /// Whether the API may take or show this amount: its size is at most `maximum`.
    public var isInterchangeable: Bool { amount.magnitude <= Money.maximum.magnitude }

    public func adding(_ other: Money) throws(MoneyError) -> Money {
        try requireSameCurrency(other)
        let (sum, overflow) = amount.addingReportingOverflow(other.amount)
        guard !overflow else { throw .overflow }
        return Money(amount: sum, currency: currency)
    }

    public func subtracting(_ other: Money) throws(MoneyError) -> Money {
        try requireSameCurrency(other)
        let (difference, overflow) = amount.subtractingReportingOverflow(other.amount)
        guard !overflow else { throw .overflow }
        return Money(amount: difference, currency: currency)
    }

    public func negated() throws(MoneyError) -> Money {
        let (negative, overflow) = Int64(0).subtractingReportingOverflow(amount)
        guard !overflow else { throw .overflow }
        return Money(amount: negative, currency: currency)
    }

    /// Whether this amount is the smaller one. There is no `<`: currencies may differ.
    public func isLess(than other: Money) throws(MoneyError) -> Bool {
        try requireSameCurrency(other)
        return amount < other.amount
    }

    /// `points` ten-thousandths of this amount: 250 are 2.5 percent. The product is exact and
    /// rounded once, at the end, a half to the even neighbour, so that many halves favour nobody.
    public func basisPoints(_ points: Int64) throws(MoneyError) -> Money {
        let product = Int128(amount) * Int128(points)
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: 10_000)
        let twice = remainder.magnitude * 2
        let roundsAway = twice > 10_000 || (twice == 10_000 && !quotient.isMultiple(of: 2))
        let rounded = roundsAway ? quotient + (product < 0 ? -1 : 1) : quotient
        guard let result = Int64(exactly: rounded) else { throw .overflow }
        return Money(amount: result, currency: currency)
    }

    /// `1234.50 USD`, `-0.05 EUR`, `1234 JPY`: for logs and messages, not for reading back.
    public var formatted: String { "\(decimal) \(currency.code)" }

    /// `1234.50`, `-0.05`, `1234`: with as many decimals as the currency's minor unit has.
    public var decimal: String {
        let digits = String(amount.magnitude)
        let sign = amount < 0 ? "-" : ""
        let exponent = currency.exponent
        guard exponent > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(exponent)).\(padded.suffix(exponent))"
    }

    private func requireSameCurrency(_ other: Money) throws(MoneyError) {
        guard currency == other.currency else { throw .currencyMismatch }
    }
}

extension Money {
    /// Splits `total` minor units in the proportion of `weights`, nothing lost and nothing made:
    /// each share is rounded down, and the units left go one each to the largest remainders, the
    /// earlier of equals first. 100 by 1:1:1 is 34, 33, 33.
    ///
    /// A negative total is split by its size and negated. A negative weight counts as zero. When
    /// all weights are zero, all count as equal, so that the shares still add up to `total`.
    /// Without weights there are no shares.
    public static func split(total: Int64, weights: [Int64]) -> [Int64] {
        var parts = weights.map { UInt128(max($0, 0)) }
        if parts.allSatisfy({ $0 == 0 }) { parts = parts.map { _ in 1 } }
        let sum = parts.reduce(0, +)
        guard sum > 0 else { return [] }

        let size = total.magnitude
        var shares: [UInt64] = []
        var remainders: [UInt128] = []
        var left = size
        for part in parts {
            // At most 2^63 times 2^63, and the quotient is at most `size`.
            let (share, remainder) = (UInt128(size) * part).quotientAndRemainder(dividingBy: sum)
            shares.append(UInt64(truncatingIfNeeded: share))
            remainders.append(remainder)
            left -= UInt64(truncatingIfNeeded: share)
        }
        // Fewer units are left than there are shares with a remainder.
        let order = remainders.indices.sorted {
            (remainders[$1], $0) < (remainders[$0], $1)
        }
        for place in order.prefix(Int(left)) { shares[place] += 1 }
        return shares.map {
            total < 0 ? Int64(truncatingIfNeeded: 0 &- $0) : Int64(truncatingIfNeeded: $0)
        }
    }
}
