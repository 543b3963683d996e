/// Splits whole amounts by parts so that nothing is lost and nothing is made.
public enum Apportionment {
    /// `amount` by `parts`, by largest remainder: each gets the whole units of its share, and what
    /// is left goes unit by unit to the largest remainders, the first of equals first. The sum is
    /// `amount`.
    ///
    /// 1001 by 40:10:10:40 is 401, 100, 100, 400. Parts that are negative count as none; without
    /// any part nobody gets anything.
    public static func split(_ amount: Int64, by parts: [Int64]) -> [Int64] {
        let weights = parts.map { Int128(max(0, $0)) }
        let whole = weights.reduce(0, +)
        guard whole > 0 else { return parts.map { _ in 0 } }
        var shares: [Int64] = []
        var remainders: [(place: Int, rest: Int128)] = []
        for (place, weight) in weights.enumerated() {
            let (quotient, rest) = (Int128(amount.magnitude) * weight).quotientAndRemainder(
                dividingBy: whole)
            shares.append(Int64(quotient))
            remainders.append((place, rest))
        }
        let missing = Int128(amount.magnitude) - shares.reduce(Int128(0)) { $0 + Int128($1) }
        remainders.sort { ($1.rest, $0.place) < ($0.rest, $1.place) }
        for index in 0..<Int(missing) { shares[remainders[index].place] += 1 }
        return amount < 0 ? shares.map { -$0 } : shares
    }
}
